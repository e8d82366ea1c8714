"""Rasid, fastText and scikit-learn on the same articles, one core: see run.sh."""

import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

import fasttext
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.naive_bayes import MultinomialNB

ROUNDS = 5
data, work, rasid = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
work.mkdir(parents=True, exist_ok=True)
articles = []  # label and text
for line in data.read_text(encoding="utf-8").splitlines():
    article = json.loads(line)
    articles.append((article["topic"], " ".join(article["text"].split())))
train = [article for number, article in enumerate(articles) if number % 5]
held_out = articles[::5]
for name, some in ("all", articles), ("train", train):
    (work / f"{name}.tsv").write_text("".join(f"{label}\t{text}\n" for label, text in some), encoding="utf-8")
(work / "train.txt").write_text("".join(f"__label__{label} {text}\n" for label, text in train), encoding="utf-8")
raw = [text.encode() for _, text in articles]


def fasttext_side(ngrams):
    model = fasttext.train_supervised(str(work / "train.txt"), dim=10, wordNgrams=ngrams, lr=0.5, epoch=25, thread=1, verbose=0)

    def tag():
        labels, _ = model.predict([text.decode() for text in raw])
        return [label[0].removeprefix("__label__") for label in labels]

    return tag


def scikit_learn_side(ngrams):
    vectorizer = CountVectorizer(ngram_range=(1, ngrams), min_df=ngrams)
    model = MultinomialNB(alpha=0.1).fit(vectorizer.fit_transform([text for _, text in train]), [label for label, _ in train])

    def tag():
        return model.predict(vectorizer.transform([text.decode() for text in raw]))

    return tag


def in_python(tag):
    def round_():
        start = time.process_time()
        labels = tag()
        seconds = time.process_time() - start
        return seconds, sum(label == truth for label, (truth, _) in zip(labels[::5], held_out))

    return round_


def rasid_side(ngrams, *more):
    model = str(work / f"rasid-{ngrams}.safetensors")
    subprocess.run([rasid, "train", str(work / "train.tsv"), str(ngrams), model], check=True)
    process = subprocess.Popen(
        [rasid, "serve", model, str(work / "all.tsv"), *more], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "ready\n"

    def round_():
        process.stdin.write("\n")
        process.stdin.flush()
        seconds, right = process.stdout.readline().split()
        return float(seconds), int(right)

    return round_


size = sum(map(len, raw)) // len(raw)
print(f"{len(articles)} articles of {size} bytes on average; trained on {len(train)}, accuracy on the other {len(held_out)};")
print(f"processor time of one core, medians of {ROUNDS} rounds in turn, all articles in each\n")
print("| terms | | articles/s | µs an article | accuracy | Rasid is faster by |")
print("|---|---|---|---|---|---|")
for ngrams, terms in (1, "words"), (2, "words and pairs"):
    if str(ngrams) not in os.environ.get("NGRAMS", "1 2").split():
        continue
    sides = {
        "Rasid": rasid_side(ngrams),
        "Rasid, explained": rasid_side(ngrams, "explain"),
        "fastText, dim 10": in_python(fasttext_side(ngrams)),
        "scikit-learn": in_python(scikit_learn_side(ngrams)),
    }
    measured = {name: [] for name in sides}
    for number in range(ROUNDS + 1):
        for name, round_ in sides.items():
            seconds, right = round_()
            if number:  # the first warms up
                measured[name].append((seconds, right))
    median = {name: statistics.median(seconds for seconds, _ in rounds) for name, rounds in measured.items()}
    for name, rounds in measured.items():
        rate, micro = len(articles) / median[name], 1e6 * median[name] / len(articles)
        faster = f"{median[name] / median['Rasid']:.1f}"
        print(f"| {terms} | {name} | {rate:,.0f} | {micro:.1f} | {100 * rounds[0][1] / len(held_out):.1f} % | {faster} |", flush=True)
