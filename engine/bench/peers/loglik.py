# Log-likelihoods of the labelled tokens of rows with transformers in float32, as lm-evaluation-harness asks for them: rows in
# batches from the longest on, padded, the logits of every position through log_softmax. loglik.py --model smol --rows ROWS.json
import time; T0 = time.perf_counter()
import argparse
import json
import os
import statistics

ap = argparse.ArgumentParser()
ap.add_argument("--model", default="smol")
ap.add_argument("--rows", required=True)
ap.add_argument("--batch", type=int, default=8)
ap.add_argument("--reps", type=int, default=2)
ap.add_argument("--threads", type=int, default=2)
ap.add_argument("--root", default=os.environ.get("PEERS_DIR", "peers-work") + "/models")
a = ap.parse_args()
import torch
torch.set_num_threads(a.threads)
from transformers import AutoModelForCausalLM

T1 = time.perf_counter()
m = AutoModelForCausalLM.from_pretrained(f"{a.root}/{a.model}", dtype=torch.float32).eval()
with open(a.rows) as f:
    rows = json.load(f)
order = sorted(zip(rows["ids"], rows["labels"]), key=lambda r: -len(r[0]))
T2 = time.perf_counter()


def score():
    total = 0.0
    with torch.inference_mode():
        for at in range(0, len(order), a.batch):
            batch = order[at:at + a.batch]
            n = max(len(ids) for ids, _ in batch)
            ids = torch.tensor([i + [0] * (n - len(i)) for i, _ in batch])
            labels = torch.tensor([l + [-100] * (n - len(l)) for _, l in batch])[:, 1:]
            mask = torch.tensor([[1] * len(i) + [0] * (n - len(i)) for i, _ in batch])
            logp = torch.log_softmax(m(input_ids=ids, attention_mask=mask, use_cache=False).logits[:, :-1].float(), dim=-1)
            got = logp.gather(2, labels.clamp(min=0).unsqueeze(2)).squeeze(2)
            total -= got[labels != -100].sum().item()
    return total


nll = score()
cold = time.perf_counter() - T0
times = []
for _ in range(a.reps):
    t = time.perf_counter()
    nll = score()
    times.append(time.perf_counter() - t)
print(json.dumps(dict(model=a.model, import_s=round(T1 - T0, 2), load_s=round(T2 - T1, 2), cold_to_first_step_done_s=round(cold, 2),
                      rows_s=len(order) / statistics.median(times), loss=[nll])), flush=True)
