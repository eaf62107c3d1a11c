# What a user of transformers gets by default on a CPU: Trainer in float32, rows padded to the longest of their batch, every
# position through the head. trainer.py --model smol --rows ROWS.json: one pass; a line of JSON with rows per second after the
# first update.
import time; T0 = time.perf_counter()
import argparse
import json
import os
import tempfile

ap = argparse.ArgumentParser()
ap.add_argument("--model", default="smol")
ap.add_argument("--rows", required=True)
ap.add_argument("--threads", type=int, default=2)
ap.add_argument("--root", default=os.environ.get("PEERS_DIR", "peers-work") + "/models")
a = ap.parse_args()
import torch
torch.set_num_threads(a.threads)
torch.manual_seed(0)
from transformers import AutoModelForCausalLM, Trainer, TrainerCallback, TrainingArguments

T1 = time.perf_counter()
m = AutoModelForCausalLM.from_pretrained(f"{a.root}/{a.model}")
m = m.float()
with open(a.rows) as f:
    rows = json.load(f)
data = [dict(input_ids=i, labels=l) for i, l in zip(rows["ids"], rows["labels"])]
T2 = time.perf_counter()


def pad(batch):
    n = max(len(r["input_ids"]) for r in batch)
    fill = lambda key, value: torch.tensor([r[key] + [value] * (n - len(r[key])) for r in batch])
    ids = fill("input_ids", 0)
    mask = torch.tensor([[1] * len(r["input_ids"]) + [0] * (n - len(r["input_ids"])) for r in batch])
    return dict(input_ids=ids, attention_mask=mask, labels=fill("labels", -100))


ends = []


class Clock(TrainerCallback):
    def on_step_end(self, *args, **kwargs):
        ends.append(time.perf_counter())


with tempfile.TemporaryDirectory() as out:
    args = TrainingArguments(output_dir=out, num_train_epochs=1, use_cpu=True, report_to=[], save_strategy="no", logging_strategy="no", disable_tqdm=True)
    Trainer(model=m, args=args, train_dataset=data, data_collator=pad, callbacks=[Clock()]).train()
print(json.dumps(dict(model=a.model, import_s=round(T1 - T0, 2), load_s=round(T2 - T1, 2), cold_to_first_step_done_s=round(ends[0] - T0, 2),
                      rows_s=(len(data) - args.per_device_train_batch_size) / (ends[-1] - ends[0]))), flush=True)
