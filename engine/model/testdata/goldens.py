"""Writes the golden files that golden_test.go holds the engine against: tiny random models of each family as
transformers computes them, their gradients, ten AdamW updates, and ten updates of a PEFT adapter.

    python goldens.py [folder] [family ...]

Made with the versions that golden.json of every folder names. Everything is float32 on one thread, from fixed seeds.
Another processor or another version may change last bits, which is why the test compares with a tolerance.
"""

import json
import math
import os
import shutil
import sys

import peft
import safetensors.torch
import torch
import transformers
from transformers import AutoModel, AutoModelForCausalLM, Trainer

COMMON = dict(vocab_size=40, hidden_size=16, intermediate_size=24, num_hidden_layers=2, num_attention_heads=4,
              num_key_value_heads=2, max_position_embeddings=64, bos_token_id=1, eos_token_id=2, pad_token_id=0)

# name: configuration, seed, and the adapters to train: name → arguments of LoraConfig
FAMILIES = {
    "llama": (transformers.LlamaConfig(**COMMON, head_dim=8, tie_word_embeddings=False, rms_norm_eps=1e-5), 1, {
        "qv": dict(target_modules=["q_proj", "v_proj"]),
        "all": dict(target_modules="all-linear", use_rslora=True),
        "dora": dict(target_modules=["q_proj", "v_proj", "down_proj"], use_dora=True),
    }),
    "llama-bias": (transformers.LlamaConfig(**COMMON, attention_bias=True, mlp_bias=True, tie_word_embeddings=True,
                                            rope_parameters={"rope_type": "linear", "factor": 2.0, "rope_theta": 1000.0}), 2, {}),
    "llama3": (transformers.LlamaConfig(**COMMON, head_dim=16, tie_word_embeddings=True, rope_parameters={
        "rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
        "original_max_position_embeddings": 32, "rope_theta": 500.0}), 3, {}),
    "mistral": (transformers.MistralConfig(**COMMON, head_dim=8, sliding_window=4), 4, {}),
    "qwen2": (transformers.Qwen2Config(**COMMON, tie_word_embeddings=True, rope_parameters={"rope_type": "default", "rope_theta": 1e6}), 5, {
        "all": dict(target_modules="all-linear"),
    }),
    "qwen3": (transformers.Qwen3Config(**COMMON, head_dim=8, tie_word_embeddings=True), 6, {}),
    "gemma": (transformers.GemmaConfig(**COMMON, head_dim=8), 7, {}),
    "gpt2": (transformers.GPT2Config(vocab_size=40, n_embd=16, n_layer=2, n_head=4, n_positions=64, n_inner=24, resid_pdrop=0.0,
                                     embd_pdrop=0.0, attn_pdrop=0.0, bos_token_id=1, eos_token_id=2), 8, {
        "all": dict(target_modules="all-linear", fan_in_fan_out=True),
        "dora": dict(target_modules=["c_attn"], fan_in_fan_out=True, use_dora=True),
    }),
    "gpt_neox": (transformers.GPTNeoXConfig(**{k: v for k, v in COMMON.items() if k != "num_key_value_heads"} | dict(hidden_size=32),
                                            rope_parameters={"rope_type": "default", "rope_theta": 10000.0, "partial_rotary_factor": 0.5}), 9, {
        "all": dict(target_modules="all-linear"),
    }),
}

ENCODER = dict(vocab_size=40, hidden_size=16, intermediate_size=24, num_hidden_layers=3, num_attention_heads=4, max_position_embeddings=64)

# Encoders are trained by a contrastive loss: text i of a batch belongs to text i+1 for even i, and the other texts are wrong.
ENCODERS = {
    "bert": (transformers.BertConfig(**ENCODER, hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0, layer_norm_eps=1e-12), 11, {
        "qv": dict(target_modules=["query", "value"]),
    }),
    "modernbert": (transformers.ModernBertConfig(**ENCODER, local_attention=6, global_attn_every_n_layers=2, pad_token_id=0, bos_token_id=1,
                                                 eos_token_id=2, cls_token_id=1, sep_token_id=2), 12, {
        "all": dict(target_modules=["Wqkv", "Wi", "Wo"]),
    }),
}
TEMPERATURE = 0.5

# Real geometry, whose files are too large to keep: written only where it is asked for by name.
LARGE = {
    "smollm2-geometry": (transformers.LlamaConfig(
        vocab_size=512, hidden_size=576, intermediate_size=1536, num_hidden_layers=2, num_attention_heads=9, num_key_value_heads=3,
        max_position_embeddings=2048, tie_word_embeddings=True, rms_norm_eps=1e-5,
        rope_parameters={"rope_type": "default", "rope_theta": 100000.0}), 10, {"all": dict(target_modules="all-linear")}),
}

STEPS, WARMUP = 10, 3
FULL = dict(lr=5e-3, betas=(0.9, 0.99), eps=1e-8, weight_decay=0.1)
LORA = dict(lr=2e-2, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01)
CLIP = 0.8


def fill(model, seed):
    """Weights large enough to matter: matrices normal(0, 0.3), less for many columns, norms about their neutral
    value, biases normal(0, 0.2)."""
    g = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, p in model.named_parameters():
            x = torch.randn(p.shape, generator=g)
            if p.dim() > 1:
                p.copy_((0.3 if p.shape[1] <= 64 else 1.7 / p.shape[1] ** 0.5) * x)
            else:
                p.add_(0.2 * x)


def draw_batches(seed, vocab):
    """Four micro-batches of rows of unlike length; the first part of every row is a prompt, which is not trained."""
    g = torch.Generator().manual_seed(1000 + seed)
    batches = []
    for lengths in ([9, 14, 3], [5, 20], [12, 2, 7], [17]):
        rows = []
        for n in lengths:
            ids = torch.randint(3, vocab, (n,), generator=g).tolist()
            prompt = max(1, n // 3)
            rows.append({"ids": ids, "labels": [-100] * prompt + ids[prompt:]})
        batches.append(rows)
    return batches


def padded(rows):
    width = max(len(r["ids"]) for r in rows)
    pad = lambda x, v: torch.tensor([r[x] + [v] * (width - len(r[x])) for r in rows])
    return pad("ids", 0), torch.tensor([[1] * len(r["ids"]) + [0] * (width - len(r["ids"])) for r in rows]), pad("labels", -100)


def forward(model, rows):
    """Logits of a padded batch and the summed loss over its supervised tokens."""
    ids, mask, labels = padded(rows)
    logits = model(input_ids=ids, attention_mask=mask).logits
    nll = torch.nn.functional.cross_entropy(logits[:, :-1].reshape(-1, logits.shape[-1]), labels[:, 1:].reshape(-1),
                                            ignore_index=-100, reduction="sum")
    return logits, nll


def embed(model, rows):
    """Masked mean pooling and division by the length, as sentence-transformers does it."""
    ids, mask, _ = padded(rows)
    hidden = model(input_ids=ids, attention_mask=mask).last_hidden_state
    shares = mask.unsqueeze(-1).float()
    pooled = (hidden * shares).sum(1) / shares.sum(1).clamp(min=1e-9)
    return hidden, torch.nn.functional.normalize(pooled, p=2, dim=1)


def contrastive(model, rows):
    """Hidden states, and the summed loss of every even text over the odd ones."""
    hidden, e = embed(model, rows)
    return hidden, torch.nn.functional.cross_entropy(e[0::2] @ e[1::2].T / TEMPERATURE, torch.arange(len(rows) // 2), reduction="sum")


def pairs(seed, vocab):
    g = torch.Generator().manual_seed(1000 + seed)
    draw = lambda n: {"ids": torch.randint(3, vocab, (n,), generator=g).tolist(), "labels": [-100] * n}
    return [[draw(n) for n in lengths] for lengths in ([9, 14, 3, 5, 20, 11], [12, 2, 7, 17], [1, 6, 13, 8], [4, 4, 15, 10])]


def supervised(rows):
    return sum(sum(1 for x in r["labels"][1:] if x != -100) for r in rows)


def rows_of(logits, rows):
    """The logits of the real positions, one document behind the other."""
    return torch.cat([logits[i, :len(r["ids"])] for i, r in enumerate(rows)]).detach().contiguous()


def decayed(model):
    """The parameters that transformers' Trainer decays, of those that are trained."""
    names = set(Trainer.get_decay_parameter_names(None, model))
    return {n for n, p in model.named_parameters() if p.requires_grad and n in names}


def train(model, batches, settings, forward=forward, supervised=supervised, clip=CLIP):
    """Ten updates of two micro-batches each: gradients summed and divided by all supervised tokens, clipped, AdamW with
    decay where transformers' Trainer has it, linear warm-up and cosine. Returns losses and gradient norms before clipping."""
    named = [(n, p) for n, p in model.named_parameters() if p.requires_grad]
    decay = decayed(model)
    groups = [{"params": [p for n, p in named if n in decay], "weight_decay": settings["weight_decay"]},
              {"params": [p for n, p in named if n not in decay], "weight_decay": 0.0}]
    opt = torch.optim.AdamW([g for g in groups if g["params"]], lr=settings["lr"], betas=settings["betas"], eps=settings["eps"])

    def rate(step):
        if step < WARMUP:
            return (step + 1) / WARMUP
        return (1 + math.cos(math.pi * (step - WARMUP + 1) / (STEPS - WARMUP + 1))) / 2

    schedule = torch.optim.lr_scheduler.LambdaLR(opt, rate)
    losses, norms = [], []
    for step in range(STEPS):
        micro = [batches[2 * step % 4], batches[(2 * step + 1) % 4]]
        n = sum(supervised(b) for b in micro)
        opt.zero_grad()
        total = 0.0
        for b in micro:
            _, nll = forward(model, b)
            (nll / n).backward()
            total += nll.item()
        norms.append(torch.nn.utils.clip_grad_norm_([p for _, p in named], clip).item())
        losses.append(total / n)
        opt.step()
        schedule.step()
    return losses, norms


def fresh(config, seed):
    kind = AutoModel if config.model_type in ENCODERS else AutoModelForCausalLM
    model = kind.from_config(config, attn_implementation="eager", dtype=torch.float32)
    fill(model, seed)
    return model.eval()


def write(root, name):
    config, seed, adapters = (FAMILIES | ENCODERS | LARGE)[name]
    encoder = name in ENCODERS
    folder = os.path.join(root, name)
    shutil.rmtree(folder, ignore_errors=True)
    model = fresh(config, seed)
    model.save_pretrained(folder)
    if not encoder:
        os.remove(os.path.join(folder, "generation_config.json"))

    batches = (pairs if encoder else draw_batches)(seed, config.vocab_size)
    first = batches[0]
    clip = CLIP / 2 if encoder else CLIP
    how = dict(forward=contrastive, supervised=lambda rows: len(rows) // 2, clip=clip) if encoder else {}
    run = contrastive if encoder else forward
    logits, nll = run(model, first)
    nll.backward()
    tensors = {"logits": rows_of(logits, first)}  # of an encoder, the hidden states
    if encoder:
        tensors["embeddings"] = embed(model, first)[1].detach().clone()
    stored = lambda n: n.replace("lm_head.", "embed_out.") if name == "gpt_neox" else n  # as save_pretrained names it
    tensors |= {"grad." + stored(n): p.grad.contiguous().clone() for n, p in model.named_parameters() if p.grad is not None}
    rate = 0.1 if name in LARGE else 1.0
    full, small = dict(FULL, lr=FULL["lr"] * rate), dict(LORA, lr=LORA["lr"] * rate)
    golden = {
        "made_with": {"torch": torch.__version__, "transformers": transformers.__version__, "peft": peft.__version__},
        "seed": seed, "batches": batches, "loss": nll.item(), "steps": STEPS, "warmup": WARMUP, "clip": clip,
        "full": full, "lora": small, "adapters": {},
    }
    model.zero_grad(set_to_none=True)
    golden["losses"], golden["norms"] = train(model, batches, full, **how)
    golden["decayed"] = sorted(stored(n) for n in decayed(model) if not n.startswith("pooler."))

    for which, arguments in adapters.items():
        torch.manual_seed(seed)
        lora = peft.get_peft_model(fresh(config, seed), peft.LoraConfig(
            r=4, lora_alpha=8, task_type="FEATURE_EXTRACTION" if encoder else "CAUSAL_LM", **arguments)).eval()
        for n, p in lora.named_parameters():
            if "lora_A" in n:
                tensors[f"{which}.{n.replace('.default', '')}"] = p.detach().clone()
        losses, norms = train(lora, batches, small, **how)
        saved = os.path.join(folder, "adapter-" + which)
        lora.save_pretrained(saved)
        os.remove(os.path.join(saved, "README.md"))
        with open(os.path.join(saved, "adapter_config.json")) as f:
            conf = json.load(f)
        conf["target_modules"].sort()  # PEFT writes a set, in any order
        with open(os.path.join(saved, "adapter_config.json"), "w") as f:
            json.dump(conf, f, indent=2)
            f.write("\n")
        tensors[which + ".logits"] = rows_of(run(lora, first)[0], first)
        decay = sorted(n.replace(".default", "").removeprefix("base_model.model.") for n in decayed(lora))
        golden["adapters"][which] = {"losses": losses, "norms": norms, "decayed": [n.removesuffix(".weight") if "magnitude" in n else n for n in decay]}

    safetensors.torch.save_file(tensors, os.path.join(folder, "golden.safetensors"))
    with open(os.path.join(folder, "golden.json"), "w") as f:
        f.write("{\n" + ",\n".join(f"{json.dumps(k)}: {json.dumps(v)}" for k, v in golden.items()) + "\n}\n")


if __name__ == "__main__":
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    root = sys.argv[1] if len(sys.argv) > 1 else os.path.dirname(os.path.abspath(__file__))
    for name in sys.argv[2:] or FAMILIES | ENCODERS:
        write(root, name)
        print(name)
