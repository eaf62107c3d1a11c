"""Writes quants.gguf with the PyPI package gguf: random blocks of every quantised type that we read, and beside each what
that package makes of them in float32.

    python quants.py

Made with gguf 0.19.0 and numpy 2.4.6.
"""

import os

import gguf
import numpy as np
from gguf import GGMLQuantizationType as Q

rng = np.random.default_rng(1)
w = gguf.GGUFWriter(os.path.join(os.path.dirname(os.path.abspath(__file__)), "quants.gguf"), "none")
for q, halves in ((Q.Q4_0, (0,)), (Q.Q4_1, (0, 2)), (Q.Q5_0, (0,)), (Q.Q5_1, (0, 2)), (Q.Q8_0, (0,)),
                  (Q.Q4_K, (0, 2)), (Q.Q5_K, (0, 2)), (Q.Q6_K, (208,))):
    block, size = gguf.GGML_QUANT_SIZES[q]
    rows, blocks = 2, max(1, 256 // block)
    raw = rng.integers(0, 256, (rows, blocks, size), dtype=np.uint8)
    for at in halves:  # scales and minima are numbers of usual size, not any bits
        raw[:, :, at:at + 2] = (0.1 * rng.standard_normal((rows, blocks, 1))).astype(np.float16).view(np.uint8)
    raw = raw.reshape(rows, blocks * size)
    w.add_tensor(q.name, raw, raw_dtype=q)
    w.add_tensor(q.name + ".f32", gguf.dequantize(raw, q).astype(np.float32))
w.write_header_to_file()
w.write_kv_data_to_file()
w.write_tensors_to_file()
w.close()
