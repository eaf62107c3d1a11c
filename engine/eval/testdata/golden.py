# Makes the golden files of this folder anew with the field's own tools:
#
#   python3 -m venv DIR && DIR/bin/pip install sacrebleu==2.6.0 rouge_score==0.1.2 seqeval==1.2.2 scikit-learn==1.9.1 scipy==1.17.1 statsmodels==0.15.0
#   DIR/bin/python golden.py OUTDIR
#
# All texts are drawn here at random from small lists of words, so the files carry no one else's text.
import json, math, os, random, sys, warnings

warnings.filterwarnings("ignore")
out = sys.argv[1]


def save(name, value):
    with open(os.path.join(out, name), "w", encoding="utf-8") as f:
        json.dump(value, f, ensure_ascii=False, indent=0, sort_keys=True)
        f.write("\n")


WORDS = ("the cat sat on a mat and dog ran over hill while its owner, who slept, woke up . ! ? 3.5 1,000 10-12 state-of-the-art "
         "U.S. don't \"quoted\" (so) &amp; &quot;x&quot; <b> $5 50% e.g. naïve Straße ΣΑΣ İstanbul x=y — “curly” … 2024. #tag @you a/b [c] {d} ~e |f| _g_ 'h' "
         "你好，世界。 中文 ＡＢ １２ 漢字かな 한국어 ไทย हिन्दी ½ ² ™ → 😀 \u00a0nbsp").split(" ")


def text(rng, lo, hi, words=WORDS):
    return " ".join(rng.choice(words) for _ in range(rng.randint(lo, hi)))


def near(rng, s, words=WORDS):
    w = s.split(" ")
    for _ in range(rng.randint(0, 4)):
        k = rng.randint(0, 4)
        i = rng.randrange(len(w)) if w else 0
        if k == 0 and w:
            del w[i]
        elif k == 1:
            w.insert(i, rng.choice(words))
        elif k == 2 and w:
            w[i] = rng.choice(words)
        elif k == 3 and len(w) > 3:
            j = rng.randint(i, min(len(w), i + 4))
            part = w[i:j]
            del w[i:j]
            at = rng.randint(0, len(w))
            w[at:at] = part
        elif w:
            w[i] = w[i].upper()
    return " ".join(w)


def translation():
    from sacrebleu.metrics import BLEU, CHRF, TER
    rng = random.Random(7)
    forms = {
        "bleu": BLEU(), "bleu+lower": BLEU(lowercase=True), "bleu+intl": BLEU(tokenize="intl"), "bleu+zh": BLEU(tokenize="zh"),
        "bleu+char": BLEU(tokenize="char"), "bleu+none": BLEU(tokenize="none"), "bleu+smooth-none": BLEU(smooth_method="none"),
        "bleu+smooth-floor": BLEU(smooth_method="floor"), "bleu+smooth-add-k": BLEU(smooth_method="add-k"),
        "chrf": CHRF(), "chrf++": CHRF(word_order=2), "chrf+lower": CHRF(lowercase=True), "ter": TER(), "ter+case": TER(case_sensitive=True),
    }
    single = {"bleu": BLEU(effective_order=True), "chrf": CHRF(), "chrf++": CHRF(word_order=2), "ter": TER()}
    corpora = []
    few = "a b c d e".split()  # so that many shifts are worth the same
    for refs, n, lo, hi, words in [(1, 25, 1, 30, WORDS), (3, 20, 2, 18, WORDS), (0, 12, 1, 8, WORDS), (2, 6, 20, 60, WORDS), (1, 8, 1, 3, WORDS), (1, 150, 6, 24, few)]:
        hyps, rows = [], []
        for _ in range(n):
            base = text(rng, lo, hi, words)
            k = refs or rng.randint(1, 3)
            rows.append([near(rng, base, words) for _ in range(k)])
            hyps.append(rng.choice([near(rng, base, words), near(rng, base, words), text(rng, lo, hi, words), base + "\n", ""]))
        width = max(map(len, rows))
        streams = [[r[i] if i < len(r) else None for r in rows] for i in range(width)]
        corpus = {"predictions": hyps, "references": rows, "scores": {}, "sentences": {}}
        for name, m in forms.items():
            corpus["scores"][name] = [m.corpus_score(hyps, streams).score, str(m.get_signature())]
        for name, m in single.items():
            corpus["sentences"][name] = [m.sentence_score(h, r).score for h, r in zip(hyps, rows)]
        corpora.append(corpus)
    save("sacrebleu_2.6.0.json", corpora)


def labels():
    from sklearn.metrics import accuracy_score, f1_score, matthews_corrcoef
    rng = random.Random(11)
    cases = []
    for kinds, n, garbage in [(2, 40, 0), (5, 60, 0), (3, 30, 4), (1, 10, 0), (4, 12, 2)]:
        names = ["label %d" % i for i in range(kinds)]
        gold = [rng.choice(names) for _ in range(n)]
        said = [g if rng.random() < 0.6 else rng.choice(names + ["junk %d" % j for j in range(garbage)]) for g in gold]
        cases.append({"gold": gold, "said": said, "scores": {
            "accuracy": accuracy_score(gold, said),
            "macro-f1": f1_score(gold, said, average="macro"), "micro-f1": f1_score(gold, said, average="micro"),
            "macro-f1+references": f1_score(gold, said, average="macro", labels=sorted(set(gold))),
            "micro-f1+references": f1_score(gold, said, average="micro", labels=sorted(set(gold))),
            "mcc": matthews_corrcoef(gold, said)}})
    save("sklearn_labels.json", cases)


def entities():
    from seqeval.metrics import f1_score
    from seqeval.scheme import IOB2, IOBES
    rng = random.Random(13)
    cases = []
    for scheme, prefixes in [("IOB2", "BIIO"), ("IOBES", "BIEISO")]:
        for _ in range(12):
            def tags(n):
                return [p if (p := rng.choice(prefixes)) == "O" else p + "-" + rng.choice(["PER", "LOC", "A-B"]) for _ in range(n)]
            gold = [tags(rng.randint(1, 9)) for _ in range(8)]
            said = [[t if rng.random() < 0.7 else tags(1)[0] for t in row] for row in gold]
            strict = IOB2 if scheme == "IOB2" else IOBES
            cases.append({"scheme": scheme, "gold": [" ".join(g) for g in gold], "said": [" ".join(s) for s in said],
                          "default": f1_score(gold, said), "macro": f1_score(gold, said, average="macro"),
                          "strict": f1_score(gold, said, mode="strict", scheme=strict),
                          "strict macro": f1_score(gold, said, mode="strict", scheme=strict, average="macro")})
    save("seqeval_1.2.2.json", cases)


def rankings():
    from sklearn.metrics import average_precision_score, ndcg_score
    rng = random.Random(17)
    cases = []
    for _ in range(20):
        n = rng.randint(2, 15)
        gains = [rng.choice([0, 0, 1, 2, 3]) for _ in range(n)]
        gains[rng.randrange(n)] = 1
        scores = [rng.random() for _ in range(n)]
        order = sorted(range(n), key=lambda i: -scores[i])
        k = rng.randint(1, n)
        cases.append({"ranked": ["d%d" % i for i in order], "gains": {"d%d" % i: g for i, g in enumerate(gains) if g},
                      "k": k, "ndcg": ndcg_score([gains], [scores]), "ndcg@k": ndcg_score([gains], [scores], k=k),
                      "map": average_precision_score([int(g > 0) for g in gains], scores),
                      "recall@k": sum(gains[i] > 0 for i in order[:k]) / sum(g > 0 for g in gains)})
    save("sklearn_rankings.json", cases)


def superni():
    import string
    rng = random.Random(19)
    rows = []
    for _ in range(40):
        s = near(rng, text(rng, 0, 8))
        rows.append({"text": s, "words": "".join(c for c in s.lower() if c not in string.punctuation).split()})
    save("superni_words.json", rows)


def statistics():
    from scipy.stats import binomtest
    from statsmodels.stats.multitest import multipletests
    rng = random.Random(23)
    p = [rng.random() ** 3 for _ in range(12)] + [0.01, 0.01, 1.0]
    save("statistics.json", {"p": p, "holm": list(multipletests(p, method="holm")[1]), "benjamini-hochberg": list(multipletests(p, method="fdr_bh")[1]),
                             "mcnemar": [[a, b, binomtest(min(a, b), a + b, 0.5).pvalue if a + b else 1.0] for a, b in [(0, 0), (0, 5), (3, 9), (10, 10), (40, 70)]]})


translation(); labels(); entities(); rankings(); superni(); statistics()
