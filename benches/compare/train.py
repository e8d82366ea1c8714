"""Training: `rasid train`, fastText and scikit-learn on the same articles, each from its file to a model: see run.sh.

    train.py ARTICLES WORK RASID            the race
    train.py fasttext|scikit-learn FILE     one side, as a process of its own
"""

import json
import math
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path


def fasttext_side(path):
    import fasttext

    # five epochs are its default; the tagging bench gives it 25
    model = fasttext.train_supervised(path, dim=10, lr=0.5, epoch=5, thread=os.cpu_count(), verbose=0)
    model.save_model(path + ".bin")


def scikit_learn_side(path):
    import pickle

    from sklearn.feature_extraction.text import CountVectorizer
    from sklearn.naive_bayes import MultinomialNB

    labels = []

    def texts():  # one article at a time: a list of all would be memory that nobody needs
        with open(path, encoding="utf-8") as lines:
            for line in lines:
                article = json.loads(line)
                labels.append(article["topic"])
                yield article["text"]

    vectorizer = CountVectorizer()
    counts = vectorizer.fit_transform(texts())
    model = MultinomialNB(alpha=0.1).fit(counts, labels)
    with open(path + ".pickle", "wb") as file:
        pickle.dump((vectorizer, model), file)


def prepare(data, jsonl, plain, number):
    lines = data.read_text(encoding="utf-8").splitlines()
    articles = [json.loads(line) for line in lines]
    with jsonl.open("w", encoding="utf-8") as json_lines, plain.open("w", encoding="utf-8") as labelled:
        for index in range(number):
            article = articles[index % len(articles)]
            json_lines.write(lines[index % len(lines)] + "\n")
            labelled.write(f"__label__{article['topic']} {' '.join(article['text'].split())}\n")


def race(data, work, rasid):
    number = int(os.environ.get("TRAIN_ARTICLES", "100000"))
    rounds = int(os.environ.get("ROUNDS", "5"))
    work.mkdir(parents=True, exist_ok=True)
    jsonl, plain = work / "many.jsonl", work / "many.txt"
    # a process of its own: what this one holds when it starts a side counts to the peak of the side
    files = [str(path) for path in (data, jsonl, plain)]
    subprocess.run([sys.executable, __file__, "prepare", *files, str(number)], check=True)
    sides = {
        "rasid train": [rasid, "train", "--examples", str(jsonl), "--labels", "data", "--out", str(work / "many.safetensors")],
        "fastText, dim 10, 5 epochs": [sys.executable, __file__, "fasttext", str(plain)],
        "scikit-learn": [sys.executable, __file__, "scikit-learn", str(jsonl)],
    }
    only = os.environ.get("SIDES")
    sides = {name: command for name, command in sides.items() if not only or name.split(",")[0] in only.split(",")}
    measured = {name: [] for name in sides}
    for _ in range(rounds):
        for name, command in sides.items():
            start = time.monotonic()
            process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            _, status, usage = os.wait4(process.pid, 0)
            seconds = time.monotonic() - start
            process.returncode = os.waitstatus_to_exitcode(status)
            assert process.returncode == 0, f"{name}: {command}"
            measured[name].append((seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024))
            print(name, *(f"{figure:.1f}" for figure in measured[name][-1]), file=sys.stderr)
    median = {name: [statistics.median(of) for of in zip(*figures)] for name, figures in measured.items()}
    ours = median.get("rasid train", (math.nan,) * 3)
    print(f"{number} articles, {os.cpu_count()} cores, medians of {rounds} rounds in turn\n")
    print("| | articles/s | CPU-s | peak MB | Rasid is faster by | needs of the memory |")
    print("|---|---|---|---|---|---|")
    for name, (seconds, processor, peak) in median.items():
        ratios = "| |" if median[name] is ours else f"| {seconds / ours[0]:.1f} × | {ours[2] / peak:.2f} |"
        print(f"| {name} | {number / seconds:,.0f} | {processor:.1f} | {peak:.0f} {ratios}")


match sys.argv[1:]:
    case ["prepare", data, jsonl, plain, number]:
        prepare(Path(data), Path(jsonl), Path(plain), int(number))
    case ["fasttext", path]:
        fasttext_side(path)
    case ["scikit-learn", path]:
        scikit_learn_side(path)
    case [data, work, rasid]:
        race(Path(data), Path(work), rasid)
    case _:
        sys.exit(__doc__)
