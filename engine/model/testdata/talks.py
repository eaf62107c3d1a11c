"""Loads a folder that the engine wrote, model, tokenizer and chat template, with transformers, and writes the ids of texts, a chat's
ids, and their greedy continuations.

    python talks.py model_folder ask.json out.json

Made with the versions that SOURCES.md names.
"""

import json
import sys

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

if __name__ == "__main__":
    torch.set_num_threads(2)
    folder, ask, out = sys.argv[1:]
    with open(ask) as f:
        ask = json.load(f)
    tok = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    ids = [tok(p, add_special_tokens=False)["input_ids"] for p in ask["Prompts"]]
    chat = tok.apply_chat_template([{"role": "user", "content": ask["Chat"]}], add_generation_prompt=True, return_dict=True)["input_ids"]
    stop = tok.convert_tokens_to_ids(ask["Stop"])

    def greedy(x):
        with torch.no_grad():
            y = model.generate(torch.tensor([x]), max_new_tokens=ask["MaxNew"], do_sample=False, eos_token_id=stop, pad_token_id=stop)
        y = y[0, len(x):].tolist()
        return y[: y.index(stop)] if stop in y else y

    with open(out, "w") as f:
        json.dump({"IDs": ids, "Chat": chat, "Greedy": [greedy(x) for x in ids + [chat]]}, f)
