"""Encodes texts with Hugging Face tokenizers or sentencepiece, for TestPeers of engine/token.

Asked on standard input, a JSON line each: {"file", "texts", "kind": "tokenizers" | "sentencepiece"} loads a tokenizer
and a JSON list of texts; {"round": true} encodes all texts once on one thread. Answers are JSON lines too: the
seconds of the round, the number of ids, and the CRC-32 of all ids as little-endian int32 values.

Needs: pip install tokenizers==0.23.3 sentencepiece==0.2.3
"""

import json
import os
import struct
import sys
import time
import zlib

os.environ["TOKENIZERS_PARALLELISM"] = "false"
os.environ["RAYON_NUM_THREADS"] = "1"


def main():
    encode = rows = texts = None
    for line in sys.stdin:
        ask = json.loads(line)
        if "file" in ask:
            with open(ask["texts"], encoding="utf-8") as f:
                texts = json.load(f)
            if ask["kind"] == "tokenizers":
                import tokenizers

                tok = tokenizers.Tokenizer.from_file(ask["file"])
                tok.no_padding()
                tok.no_truncation()
                # The fast form leaves out the offsets, which our Encode does not work out either.
                encode = lambda: tok.encode_batch_fast(texts, add_special_tokens=False)
                rows = lambda encoded: [e.ids for e in encoded]
                version = "tokenizers " + tokenizers.__version__
            else:
                import sentencepiece

                sp = sentencepiece.SentencePieceProcessor(model_file=ask["file"])
                encode = lambda: sp.encode(texts, num_threads=1)
                rows = lambda encoded: encoded
                version = "sentencepiece " + sentencepiece.__version__
            print(json.dumps({"version": version}), flush=True)
            continue
        start = time.perf_counter()
        encoded = encode()
        seconds = time.perf_counter() - start
        crc = n = 0
        for row in rows(encoded):
            n += len(row)
            crc = zlib.crc32(struct.pack("<%di" % len(row), *row), crc)
        print(json.dumps({"seconds": seconds, "ids": n, "crc": crc}), flush=True)


main()
