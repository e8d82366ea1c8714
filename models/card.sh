#!/usr/bin/env bash
# Writes models/MODEL_CARD.md from the model file and, where they are there, the evaluation sets.
#   models/card.sh        RASID: the binary (default target/release/rasid); RASID_EVAL: the sets
set -euo pipefail
cd "$(dirname "$0")/.."
rasid=${RASID:-target/release/rasid}
model=models/rasid-news.safetensors
table=$(models/evaluate.sh "$model")
"$rasid" model show "$model" | python3 -c '
import json, sys
m = json.load(sys.stdin)
table = sys.argv[1]
print(f"""# Model card: {m["name"]} {m["version"]}

Written by `models/card.sh`; do not edit. SHA-256 `{m["sha256"]}`.

## What it is

Naive Bayes (linfa-bayes) over stems, one set of counts for Arabic and one for English, for two questions: which of the
17 top-level IPTC Media Topics an article is about, and which stance the text takes toward its main subject (`favor`,
`against`, `neutral`). Trained on {m["examples"]} examples and keyword lists, all written for this repository
(digest `{m["examples_sha256"][:16]}`); on no news corpus. Made by

    rasid train --examples models/examples models/keywords --out models/rasid-news.safetensors

## Measured by cross-validation on its own examples

Ten folds; for topics whole second-level concepts are held out, so every text is judged by a model that has seen
nothing of its sub-field; for stance whole events. `rasid train` prints these figures.

| language | task | examples | accuracy | macro-F1 | ECE | abstained |
|---|---|---|---|---|---|---|""")
for f in m["figures"]:
    print(f"""| {f["language"]} | {f["task"]} | {f["examples"]} | {100*f["accuracy"]:.1f} | {100*f["macro_f1"]:.1f} | {f["ece"]:.3f} | {100*f["abstained"]:.1f} |""")
print(f"""
## Measured on news of others, without training on it

`models/evaluate.sh` prints this table (percent, but for the calibration errors). *Closed*: only labels that the set
has compete; *open*: all. None of these sets is in the repository.

{table}

## Settings

| language | task | vocabulary | method | smoothing | slope | pad |
|---|---|---|---|---|---|---|""")
for h in m["heads"]:
    print(f"""| {h["language"]} | {h["task"]} | {h["vocabulary"]} | {h["fitting"]["method"]} | {h["fitting"]["smoothing"]} | {h["calibration"]["slope"]:.2f} | {h["calibration"]["pad"]:.0f} |""")
print("""
Thresholds by topic (least confidence with which it is given):

| topic | ar | en |
|---|---|---|""")
topics = {h["language"]: h["thresholds"] for h in m["heads"] if h["task"] == "topic"}
for i, t in enumerate(m["topics"]):
    print(f"""| {t["code"]} {t["name"]} | """ + " | ".join(f"{topics[l][i]:.2f}" for l in sorted(topics)) + " |")
print("""
## What it can and cannot do

- Topics: sub-fields that fill newspapers are covered widely, rare ones thinly. Stories between two topics (a ministry
  opens a hospital, a telecom company reports earnings) are where it errs.
- Confidence is calibrated on held-out examples of our own. On other outlets it is off by the ECE in the table.
- Stance: naive Bayes counts words. It hears an openly praising or hostile vocabulary; it does not know who speaks, toward
  whom, or irony. Attitude in quoted speech counts like the article`s own. It does not carry over to short posts on a
  given target (the Mawqif row is near chance). Do not use it to judge people.
- Languages: Arabic and English. Texts in other languages are told apart by common words and letters and not tagged.
- The stories in the examples are invented or freely retold, also where they name real institutions; they are
  vocabulary, not facts.""")
' "$table" > models/MODEL_CARD.md
