"""Makes optimizers.json: what PyTorch's and transformers' optimizers, and Lion and 8-bit AdamW by their papers' formulas,
make of two small parameters in ten steps of given gradients.

    python optimizers.py > optimizers.json

Made with torch 2.15.0, transformers 5.24.0 and numpy 2.4.6; the seed is in the file. Where these are installed,
TUNEBOOK_PYTHON=python go test -run TestGoldensAreFresh ./engine/train compares a fresh file with the committed one.
"""
import json

import numpy as np
import torch
from transformers.optimization import Adafactor

SEED, STEPS = 7, 10
rng = np.random.default_rng(SEED)
start = {"w": rng.normal(0, 0.5, (3, 5)).astype(np.float32), "b": rng.normal(0, 0.5, (4,)).astype(np.float32)}
grads = [{n: rng.normal(0, 1, x.shape).astype(np.float32) for n, x in start.items()} for _ in range(STEPS)]


def flat(x):
    return [float(v) for v in np.asarray(x, dtype=np.float32).reshape(-1)]


def torch_run(make, clip=None, ema=None):
    """The parameters after every step; w decays, b does not."""
    p = {n: torch.nn.Parameter(torch.tensor(x.copy())) for n, x in start.items()}
    opt = make(p)
    mean, out = None, []
    for g in grads:
        for n in p:
            p[n].grad = torch.tensor(g[n].copy())
        if clip:
            torch.nn.utils.clip_grad_norm_(list(p.values()), clip)
        opt.step()
        now = {n: x.detach().clone() for n, x in p.items()}
        if ema:
            mean = now if mean is None else {n: mean[n] * ema + now[n] * (1 - ema) for n in now}
            now = mean
        out.append({n: flat(x) for n, x in now.items()})
    return out


def groups(p, decay):
    return [{"params": [p["w"]], "weight_decay": decay}, {"params": [p["b"]], "weight_decay": 0.0}]


def lion():
    """Chen et al. 2023, algorithm 2, in float64."""
    lr, b1, b2, wd = 0.01, 0.9, 0.99, 0.1
    p = {n: x.astype(np.float64) for n, x in start.items()}
    m = {n: np.zeros_like(x) for n, x in p.items()}
    out = []
    for g in grads:
        for n in p:
            c = b1 * m[n] + (1 - b1) * g[n]
            p[n] = p[n] - lr * (np.sign(c) + (wd if n == "w" else 0) * p[n])
            m[n] = b2 * m[n] + (1 - b2) * g[n]
        out.append({n: flat(x) for n, x in p.items()})
    return out


def dynamic_code(signed):
    """Dettmers et al. 2022, section 2.2: for each power of ten a number of equal parts of [0.1, 1] that doubles."""
    code = [0.0, 1.0]
    for e in range(7):
        edges = np.linspace(0.1, 1, (2**e if signed else 2 ** (e + 1)) + 1)
        means = (edges[1:] + edges[:-1]) / 2 * 10.0 ** (e - 6)
        code += list(means) + (list(-means) if signed else [])
    assert len(code) == 256
    return np.sort(np.array(code)).astype(np.float32)


def adamw8_case():
    """AdamW whose moments are held in blocks of 256 by the dynamic code, on gradients that the reader can make: g[i] = sin(i·(t+1))·10^(i%5-3)."""
    lr, b1, b2, eps, wd = 0.01, 0.9, 0.999, 1e-8, 0.1
    n = 4100
    i = np.arange(n)
    p = np.cos(i).astype(np.float32)
    codes = [dynamic_code(True), dynamic_code(False)]
    middles = [(c[1:] + c[:-1]) / np.float32(2) for c in codes]
    state = [np.zeros(n), np.zeros(n)]
    for t in range(1, STEPS + 1):
        g = (np.sin(i * (t + 1.0)) * 10.0 ** (i % 5 - 3)).astype(np.float32)
        m = b1 * state[0] + (1 - b1) * g.astype(np.float64)
        v = b2 * state[1] + (1 - b2) * g.astype(np.float64) ** 2
        p = (p.astype(np.float64) * (1 - lr * wd) - lr * (m / (1 - b1**t)) / (np.sqrt(v / (1 - b2**t)) + eps)).astype(np.float32)
        for k, x in enumerate((m, v)):
            for at in range(0, n, 256):
                block = x[at : at + 256]
                top = np.abs(block).max()
                c = np.searchsorted(middles[k], (block / top).astype(np.float32), side="left")
                if k == 1:  # never down to zero: the next update would be divided by eps alone
                    c = np.where((block > 0) & (c == 0), 1, c)
                state[k][at : at + 256] = codes[k][c].astype(np.float64) * np.float64(np.float32(top))
    return flat(p[::41])


def adafactor(p, **kw):
    return Adafactor(groups(p, 0.1), lr=0.01, scale_parameter=False, relative_step=False, warmup_init=False, **kw)


cases = {
    "adamw": torch_run(lambda p: torch.optim.AdamW(groups(p, 0.1), lr=0.01)),
    "adamw, clipped": torch_run(lambda p: torch.optim.AdamW(groups(p, 0.1), lr=0.01, betas=(0.8, 0.95), eps=1e-6), clip=1.0),
    "adamw, averaged": torch_run(lambda p: torch.optim.AdamW(groups(p, 0.1), lr=0.01), ema=0.9),
    "sgd": torch_run(lambda p: torch.optim.SGD(groups(p, 0.1), lr=0.01)),
    "sgd, momentum": torch_run(lambda p: torch.optim.SGD(groups(p, 0.1), lr=0.01, momentum=0.9)),
    "sgd, nesterov": torch_run(lambda p: torch.optim.SGD(groups(p, 0.1), lr=0.01, momentum=0.9, nesterov=True)),
    "adafactor": torch_run(adafactor),
    "adafactor, mean": torch_run(lambda p: adafactor(p, beta1=0.9)),
    "lion": lion(),
}
print(json.dumps({"seed": SEED, "start": {n: flat(x) for n, x in start.items()}, "grads": [{n: flat(x) for n, x in g.items()} for g in grads],
                  "cases": cases, "adamw8bit": adamw8_case()}))
