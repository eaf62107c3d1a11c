"""Writes model.gguf beside the golden models whose families GGUF files are read of, with the PyPI package gguf: float32
tensors under ggml's names, rows and norms as llama.cpp's converter lays them. There is no tokenizer in them.

    python ggufs.py

Made with gguf 0.19.0 and numpy 2.4.6.
"""

import json
import os

import gguf
from safetensors.numpy import load_file

HERE = os.path.dirname(os.path.abspath(__file__))


def write(folder, arch):
    with open(os.path.join(folder, "config.json")) as f:
        c = json.load(f)
    tensors = load_file(os.path.join(folder, "model.safetensors"))
    w = gguf.GGUFWriter(os.path.join(folder, "model.gguf"), arch)
    w.add_context_length(c["max_position_embeddings"])
    w.add_embedding_length(c["hidden_size"])
    w.add_block_count(c["num_hidden_layers"])
    w.add_feed_forward_length(c["intermediate_size"])
    w.add_head_count(c["num_attention_heads"])
    w.add_head_count_kv(c["num_key_value_heads"])
    w.add_layer_norm_rms_eps(c["rms_norm_eps"])
    w.add_rope_freq_base(c["rope_parameters"]["rope_theta"])
    if "head_dim" in c:
        w.add_key_length(c["head_dim"])
        w.add_value_length(c["head_dim"])
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH[arch.upper()], c["num_hidden_layers"])
    for name, x in sorted(tensors.items()):
        if arch == "llama" and ("q_proj" in name or "k_proj" in name):
            heads = c["num_attention_heads" if "q_proj" in name else "num_key_value_heads"]
            x = x.reshape(heads, 2, x.shape[0] // heads // 2, *x.shape[1:]).swapaxes(1, 2).reshape(x.shape)
        if arch == "gemma" and name.endswith("norm.weight"):
            x = x + 1
        w.add_tensor(names.get_name(name, try_suffixes=(".weight", ".bias")), x)
    w.write_header_to_file()
    w.write_kv_data_to_file()
    w.write_tensors_to_file()
    w.close()


if __name__ == "__main__":
    for arch in ("llama", "qwen2", "qwen3", "gemma"):
        write(os.path.join(HERE, arch), arch)
