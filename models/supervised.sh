#!/usr/bin/env bash
# Cross-validates on the labels of the evaluation sets themselves and prints a Markdown table; takes minutes a set.
#   models/supervised.sh > models/SUPERVISED.md      RASID_EVAL: the folder of the sets (default ../shared/eval)
set -euo pipefail
cd "$(dirname "$0")/.."
eval=${RASID_EVAL:-../shared/eval}
rasid=${RASID:-target/release/rasid}
echo '| set | n | accuracy | macro-F1 | ECE |'
echo '|---|---|---|---|---|'
for set in topic-ar-sanad topic-ar-ant stance-en-newsmtsc stance-ar-fignews; do
  "$rasid" train --examples "$eval/$set.jsonl" --labels data --cv 5 --tune 2>/dev/null |
    sed -nE "s/^ +(ar|en) +(topic|stance) +([0-9]+) examples +accuracy ([0-9.]+) % +macro-F1 ([0-9.]+) % +ECE ([0-9.]+).*/| $set | \3 | \4 | \5 | \6 |/p"
done
