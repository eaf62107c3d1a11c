"""Loads a GGUF file with llama.cpp and writes the ids of texts, their greedy continuations, and a chat's ids and answer by the
file's own template. Where ask.json names a float32 file of the same model ("From") and llama.cpp's number of a type
("Type"), llama.cpp quantises that one, and tensors whose bytes are others are named.

    python llamacpp.py model.gguf ask.json out.json

Made with llama-cpp-python 0.3.36 and gguf 0.19.0.
"""

import ctypes
import json
import os
import sys

import gguf
import jinja2
import llama_cpp


def different(path, source, ftype):
    """Names of tensors that llama.cpp's own quantisation of source has in another form than path."""
    theirs = path + ".theirs"
    p = llama_cpp.llama_model_quantize_default_params()
    p.ftype, p.nthread = ftype, 2
    if llama_cpp.llama_model_quantize(source.encode(), theirs.encode(), ctypes.byref(p)) != 0:
        sys.exit("llama.cpp does not quantise " + source)
    a, b = ({t.name: t for t in gguf.GGUFReader(x).tensors} for x in (path, theirs))
    os.remove(theirs)
    same = lambda x, y: x.tensor_type == y.tensor_type and x.data.tobytes() == y.data.tobytes()
    return sorted(n for n in a.keys() | b.keys() if n not in a or n not in b or not same(a[n], b[n]))


if __name__ == "__main__":
    path, ask, out = sys.argv[1:]
    with open(ask) as f:
        ask = json.load(f)
    llm = llama_cpp.Llama(path, n_ctx=512, n_threads=2, logits_all=False, verbose=False, seed=0)
    eos = llm.token_eos()

    def greedy(ids):
        llm.reset()
        new = []
        for tok in llm.generate(ids, temp=0.0, top_k=1, repeat_penalty=1.0):
            if tok == eos or len(new) == ask["MaxNew"]:
                break
            new.append(tok)
            if len(new) == ask["MaxNew"]:
                break
        return new

    ids = [llm.tokenize(p.encode(), add_bos=ask["BOS"], special=False) for p in ask["Prompts"]]
    template = llm.metadata.get("tokenizer.chat_template", "")
    text = jinja2.Environment(trim_blocks=True, lstrip_blocks=True).from_string(template).render(
        messages=[{"role": "user", "content": ask["Chat"]}], add_generation_prompt=True, bos_token="", eos_token="")
    chat = llm.tokenize(text.encode(), add_bos=False, special=True)
    answer = llm.detokenize(greedy(chat)).decode() if chat else ""
    result = {"IDs": ids, "Greedy": [greedy(i) for i in ids], "Chat": chat, "Answer": answer}
    result["Different"] = different(path, ask["From"], ask["Type"]) if ask["From"] else []
    with open(out, "w") as f:
        json.dump(result, f)
