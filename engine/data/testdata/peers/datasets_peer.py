"""Reads, encodes and mixes with Hugging Face datasets and tokenizers, for TestPeers of engine/data.

Asked on standard input, a JSON line each: {"tokenizer", "files": [a, b]} once, then {"round": n}, which reads both files
(prompt and completion), encodes each row by the ChatML template with the answer and its stop token as labels, and mixes
half and half until one is used up, shuffled. Answers are the seconds of each part, rows, tokens and labels.

Needs: pip install datasets==5.2.0 tokenizers==0.23.3
"""

import json
import os
import shutil
import sys
import tempfile
import time

os.environ["TOKENIZERS_PARALLELISM"] = "false"
os.environ["RAYON_NUM_THREADS"] = "1"
os.environ["HF_DATASETS_OFFLINE"] = "1"
os.environ["HF_HUB_OFFLINE"] = "1"

import datasets  # noqa: E402
import tokenizers  # noqa: E402

datasets.disable_progress_bars()
cut = "<|im_start|>assistant\n"


def main():
    tok = files = None

    def encode(batch):
        texts = [
            "<|im_start|>user\n" + p + "<|im_end|>\n" + cut + c + "<|im_end|>\n"
            for p, c in zip(batch["prompt"], batch["completion"])
        ]
        starts = [len("<|im_start|>user\n" + p + "<|im_end|>\n" + cut) for p in batch["prompt"]]
        ids, labels = [], []
        for e, text, start in zip(tok.encode_batch(texts, add_special_tokens=False), texts, starts):
            end = len(text) - 1  # the line end after the stop token is not trained
            ids.append(e.ids)
            labels.append([i if start <= o[0] < end else -100 for i, o in zip(e.ids, e.offsets)])
        return {"input_ids": ids, "labels": labels}

    for line in sys.stdin:
        ask = json.loads(line)
        if "files" in ask:
            tok, files = tokenizers.Tokenizer.from_file(ask["tokenizer"]), ask["files"]
            print(json.dumps({"version": "datasets %s, tokenizers %s" % (datasets.__version__, tokenizers.__version__)}), flush=True)
            continue
        cache = tempfile.mkdtemp()
        t0 = time.perf_counter()
        sets = [datasets.load_dataset("json", data_files=f, split="train", cache_dir=cache) for f in files]
        t1 = time.perf_counter()
        coded = [s.map(encode, batched=True, remove_columns=s.column_names) for s in sets]
        t2 = time.perf_counter()
        mixed = datasets.interleave_datasets(coded, probabilities=[0.5, 0.5], seed=ask["round"], stopping_strategy="first_exhausted")
        mixed = mixed.shuffle(seed=ask["round"]).flatten_indices()
        t3 = time.perf_counter()
        tokens = sum(len(i) for s in coded for i in s["input_ids"])
        labels = sum(sum(1 for x in i if x != -100) for s in coded for i in s["labels"])
        print(json.dumps({"read": t1 - t0, "encode": t2 - t1, "mix": t3 - t2, "rows": sum(map(len, coded)), "mixed": len(mixed), "tokens": tokens, "labels": labels}), flush=True)
        del sets, coded, mixed
        shutil.rmtree(cache)


main()
