#!/usr/bin/env bash
# Measures a model on the evaluation sets and prints a Markdown table.
#   models/evaluate.sh [MODEL]      RASID_EVAL: the folder of the sets (default ../shared/eval)
set -euo pipefail
cd "$(dirname "$0")/.."
eval=${RASID_EVAL:-../shared/eval}
rasid=${RASID:-target/release/rasid}
model=${1:-models/rasid-news.safetensors}
echo '| set | n | accuracy, closed | open | surest 80 %, closed | macro-F1, closed | open | ECE, closed | open | abstained, open | unknown language |'
echo '|---|---|---|---|---|---|---|---|---|---|---|'
row() {
  local closed open
  closed=$("$rasid" evaluate --model "$model" --data "$eval/$1.jsonl" --json --closed "${@:2}")
  open=$("$rasid" evaluate --model "$model" --data "$eval/$1.jsonl" --json "${@:2}")
  python3 - "$1" "$closed" "$open" <<'PY'
import json, sys
name, closed, open_ = sys.argv[1], json.loads(sys.argv[2]), json.loads(sys.argv[3])
p = lambda x: f"{100 * x:.1f}"
print(f"| {name} | {closed['n']} | {p(closed['accuracy'])} | {p(open_['accuracy'])} | {p(closed['accuracy_surest_80'])} | {p(closed['macro_f1'])} | {p(open_['macro_f1'])} | {closed['ece']:.3f} | {open_['ece']:.3f} | {p(open_['abstained'])} | {p(open_['unknown_language'])} |")
PY
}
for set in topic-ar-sanad topic-ar-ant topic-en-ag; do
  row $set --field topic --labels "$eval/labels.json" --map $set
done
for set in stance-en-newsmtsc stance-ar-mawqif stance-ar-fignews; do
  row $set --field stance
done
