#!/usr/bin/env bash
# 200 answers as `rasid label --order uncertain` asks against 200 random ones, simulated from labels; rows of a
# table: outlet, order, how often an answer counts, mean and standard deviation of accuracy.
#   models/label.sh [SET]…      RASID_EVAL: the folder of the sets and of labels.json (default ../shared/eval)
set -euo pipefail
cd "$(dirname "$0")/.."
eval=${RASID_EVAL:-../shared/eval}
[ $# -gt 0 ] || set -- topic-ar-sanad topic-ar-ant topic-en-ag
cargo build --quiet --example retraining
for set; do target/debug/examples/retraining label "$eval" "$set"; done
