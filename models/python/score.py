"""Scores articles with nothing but the model file: rasid classify --terms ARTICLES | python score.py MODEL"""

import json
import sys

import numpy
from safetensors import safe_open


def read(model, language, task):
    vocabulary = bytes(model.get_tensor(f"{language}.{task}.terms")).decode().split("\n")
    rows, weights = (model.get_tensor(f"{language}.{task}.{part}") for part in ("rows", "weights"))
    step = abs(weights.astype("f8")).max() / 2047  # the worker adds whole multiples of it
    return {vocabulary[row]: line for row, line in zip(rows, numpy.rint(weights / step) * step)}


def probabilities(weights, labels, calibration, total, times):
    evidence = sum((weights[term] * n for term, n in times.items() if term in weights), numpy.zeros(labels))
    scale = calibration["slope"] / max(total + calibration["pad"], 1)
    odds = numpy.exp((evidence - evidence.max()) * scale)
    return (1 - calibration["noise"]) * odds / odds.sum() + calibration["noise"] / labels


def main(path):
    model = safe_open(path, "numpy")
    header = json.loads(model.metadata()["rasid"])
    codes = {task: [label["code"] for label in header["info"][task + "s"]] for task in ("topic", "stance")}
    heads = {(head["language"], head["task"]): head["calibration"] for head in header["heads"]}
    weights = {key: read(model, *key) for key in heads}
    for article in map(json.loads, sys.stdin):
        scores = {"id": article["id"]}
        for task, terms in article["terms"].items():
            key = article["language"], task
            found = probabilities(weights[key], len(codes[task]), heads[key], terms["total"], terms["times"])
            scores[task] = dict(zip(codes[task], found.tolist()))
        print(json.dumps(scores, ensure_ascii=False))


if __name__ == "__main__":
    main(sys.argv[1])
