# Scores a saved model with lm-evaluation-harness on small local files, for a comparison document by document:
#
#   python3 -m venv DIR && DIR/bin/pip install lm-eval==0.4.13 torch transformers
#   DIR/bin/python harness.py MODELDIR choices.jsonl texts.jsonl OUT.json
import json, os, sys, tempfile

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["HF_DATASETS_OFFLINE"] = "1"
import lm_eval
from lm_eval.models.huggingface import HFLM
from lm_eval.tasks import TaskManager

model, choices, texts, out = sys.argv[1:]
folder = tempfile.mkdtemp()
os.environ["HF_DATASETS_CACHE"] = folder

with open(os.path.join(folder, "choices.yaml"), "w") as f:
    f.write(f"""task: local_choices
dataset_path: json
dataset_kwargs:
  data_files:
    test: {os.path.abspath(choices)}
test_split: test
output_type: multiple_choice
doc_to_text: "{{{{question}}}}"
doc_to_choice: choices
doc_to_target: "{{{{gold}}}}"
metric_list:
  - metric: acc
  - metric: acc_norm
  - metric: acc_bytes
  - metric: acc_mutual_info
metadata:
  version: 1
""")
with open(os.path.join(folder, "texts.yaml"), "w") as f:
    f.write(f"""task: local_texts
dataset_path: json
dataset_kwargs:
  data_files:
    test: {os.path.abspath(texts)}
test_split: test
output_type: loglikelihood_rolling
doc_to_text: ""
doc_to_target: "{{{{text}}}}"
metric_list:
  - metric: word_perplexity
  - metric: byte_perplexity
  - metric: bits_per_byte
metadata:
  version: 1
""")

lm = HFLM(pretrained=model, device="cpu", dtype="float32", batch_size=1)
result = lm_eval.simple_evaluate(model=lm, tasks=["local_choices", "local_texts"], task_manager=TaskManager(include_path=folder, include_defaults=False), log_samples=True, bootstrap_iters=0)
rows = []
for s in sorted(result["samples"]["local_choices"], key=lambda s: s["doc_id"]):
    rows.append({"logprobs": [float(r[0][0]) for r in s["resps"]], **{m: s[m] for m in ("acc", "acc_norm", "acc_bytes", "acc_mutual_info")}})
summary = {k.split(",")[0]: v for k, v in result["results"]["local_texts"].items() if isinstance(v, float)}
with open(out, "w") as f:
    json.dump({"choices": rows, "texts": summary, "mean": {k.split(",")[0]: v for k, v in result["results"]["local_choices"].items() if isinstance(v, float)}}, f)
