#!/usr/bin/env bash
# Writes models/canary.jsonl: a few of the examples, in the form that `rasid evaluate` reads. A running worker
# tries a new model on them before it takes it. Three texts a topic and language, eight a stance and language.
set -euo pipefail
cd "$(dirname "$0")"
python3 - > canary.jsonl <<'PY'
import glob, json

def pick(examples, count):
    step = len(examples) / count
    return [examples[int((i + 0.5) * step)] for i in range(count)]

for language in ("ar", "en"):
    by_topic, by_stance = {}, {}
    for path in sorted(glob.glob(f"examples/{language}/*.jsonl")):
        for line in open(path, encoding="utf-8"):
            example = json.loads(line)
            if len(example.get("topics", [])) == 1:
                by_topic.setdefault(example["topics"][0], []).append(example)
            if example.get("stance"):
                by_stance.setdefault(example["stance"], []).append(example)
    for field, by, count in (("topic", by_topic, 3), ("stance", by_stance, 8)):
        for label in sorted(by):
            for example in pick(by[label], count):
                kept = {key: example[key] for key in ("id", "title", "text") if example.get(key)}
                print(json.dumps(kept | {field: label}, ensure_ascii=False))
PY
