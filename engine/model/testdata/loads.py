"""Loads a folder that the engine wrote, with transformers, and an adapter with PEFT, and writes the logits of a golden's
first batch, of an encoder the hidden states.

    python loads.py model_folder adapter_folder|- golden.json out.safetensors
"""

import json
import sys

import peft
import safetensors.torch
import torch
from transformers import AutoConfig, AutoModel, AutoModelForCausalLM

from goldens import ENCODERS, embed, forward, rows_of

if __name__ == "__main__":
    torch.set_num_threads(1)
    folder, adapter, golden, out = sys.argv[1:]
    encoder = AutoConfig.from_pretrained(folder).model_type in ENCODERS
    model, info = (AutoModel if encoder else AutoModelForCausalLM).from_pretrained(folder, attn_implementation="eager", dtype=torch.float32, output_loading_info=True)
    wrong = {k: v for k, v in info.items() if v and not all(str(x).startswith("pooler.") for x in v)}  # no part of what we read
    if wrong:
        sys.exit(f"{folder}: {wrong}")
    if adapter != "-":
        model = peft.PeftModel.from_pretrained(model, adapter)
    with open(golden) as f:
        rows = json.load(f)["batches"][0]
    logits, _ = (embed if encoder else forward)(model.eval(), rows)
    safetensors.torch.save_file({"logits": rows_of(logits, rows)}, out)
