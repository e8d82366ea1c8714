#!/usr/bin/env bash
# Adapts the model to each outlet of the evaluation sets without its labels, measures what became of all
# sets, and prints a Markdown table. Five folds: each is judged by a model that was adapted to the other four.
# Twice: without a word on the outlet, and told the topics that it has (--among), as a newsroom knows its desks.
#   models/adapt.sh [MODEL]      RASID_EVAL: the folder of the sets (default ../shared/eval)
#   RASID_ADAPT: further flags of `rasid adapt`, such as ----weight 20
set -euo pipefail
cd "$(dirname "$0")/.."
eval=${RASID_EVAL:-../shared/eval}
rasid=${RASID:-target/release/rasid}
model=${1:-models/rasid-news.safetensors}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 - "$rasid" "$model" "$eval" "$work" <<'PY'
import json, os, subprocess, sys
rasid, shipped, folder, work = sys.argv[1:]
OUTLETS = {"topic-ar-sanad": "ar", "topic-ar-ant": "ar", "topic-en-ag": "en"}
STANCES = ["stance-en-newsmtsc", "stance-ar-mawqif", "stance-ar-fignews"]
FOLDS = 5

def call(*args):
    return subprocess.run([rasid, *args], check=True, capture_output=True, text=True).stdout

def evaluate(model, data, name, closed):
    labels = ["--field", "stance"] if name in STANCES else \
        ["--field", "topic", "--labels", f"{folder}/labels.json", "--map", name]
    report = json.loads(call("evaluate", "--model", model, "--data", data, "--json", *labels, *(["--closed"] if closed else [])))
    return report["n"], report["accuracy"], report["reliability"]

def pool(reports):
    """Accuracy and calibration error over all folds: bins are the same, so they add up."""
    n = sum(report[0] for report in reports)
    accuracy = sum(report[0] * report[1] for report in reports) / n
    gap = 0.0
    for bins in zip(*(report[2] for report in reports)):
        gap += abs(sum(bin["n"] * (bin["accuracy"] - bin["confidence"]) for bin in bins)) / n
    return accuracy, gap

def row(outlet, name, models, files):
    cells = []
    for closed in (True, False):
        old = pool([evaluate(shipped, file, name, closed) for file in dict.fromkeys(files)])
        new = pool([evaluate(model, file, name, closed) for model, file in zip(models, files)])
        cells += [f"{100 * old[0]:.1f} → {100 * new[0]:.1f} ({100 * (new[0] - old[0]):+.1f})", f"{old[1]:.3f} → {new[1]:.3f}"]
    print(f"| {outlet} | {name} | {' | '.join(cells)} |", flush=True)

def adapted(outlet, language, told):
    lines = open(f"{folder}/{outlet}.jsonl", encoding="utf-8").read().splitlines()
    models, held = [], []
    for fold in range(FOLDS):
        rest, part = f"{work}/rest.jsonl", f"{work}/{fold}.jsonl"
        open(rest, "w", encoding="utf-8").write("\n".join(line for i, line in enumerate(lines) if i % FOLDS != fold))
        open(part, "w", encoding="utf-8").write("\n".join(line for i, line in enumerate(lines) if i % FOLDS == fold))
        models.append(f"{work}/{outlet}-{fold}.safetensors")
        flags = os.environ.get("RASID_ADAPT", "").split() + (["--among", ",".join(told)] if told else [])
        done = json.loads(call("adapt", "--model", shipped, "--unlabelled", rest, "--out", models[-1], "--json", *flags))[0]
        held.append(part)
        print(f"{outlet} without fold {fold + 1}: {done['articles']} articles, {done['rounds']} rounds, {done['stopped']}", file=sys.stderr)
    title = f"{outlet}, told its topics" if told else outlet
    row(title, outlet, models, held)
    for name, of in OUTLETS.items():
        # the other language and the stance are what they were, so one fold's model shows it
        if name != outlet:
            some = models if of == language else models[:1]
            row(title, name, some, [f"{folder}/{name}.jsonl"] * len(some))
    for name in STANCES:
        row(title, name, models[:1], [f"{folder}/{name}.jsonl"])

print("| adapted to | measured on | accuracy, closed | ECE, closed | accuracy, open | ECE, open |")
print("|---|---|---|---|---|---|")
labels = json.load(open(f"{folder}/labels.json", encoding="utf-8"))
for outlet, language in OUTLETS.items():
    for told in ([], sum(labels[outlet].values(), [])):
        adapted(outlet, language, told)
PY
