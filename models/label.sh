#!/usr/bin/env bash
# 200 answers as `rasid label` asks for them against 200 by lot, simulated from labels; rows of a table: outlet,
# order, how often an answer counts, mean and standard deviation of accuracy, mean and standard error of what it is
# above by lot on the same split.
#   models/label.sh [SET]…      RASID_EVAL: the folder of the sets and of labels.json (default ../shared/eval)
#                               RASID_SEEDS: how many splits (default 5)
set -euo pipefail
cd "$(dirname "$0")/.."
eval=${RASID_EVAL:-../shared/eval}
[ $# -gt 0 ] || set -- topic-ar-sanad topic-ar-ant topic-en-ag
cargo build --quiet --example retraining
for set; do target/debug/examples/retraining label "$eval" "$set" "${RASID_SEEDS:-5}"; done
