#!/usr/bin/env bash
# Accuracy by corrected articles of one outlet: alone, and going on from the model that ships; rows of a table.
#   models/curve.sh [SET]…      RASID_EVAL: the folder of the sets and of labels.json (default ../shared/eval)
set -euo pipefail
cd "$(dirname "$0")/.."
eval=${RASID_EVAL:-../shared/eval}
[ $# -gt 0 ] || set -- topic-ar-sanad topic-ar-ant topic-en-ag
cargo build --quiet --example retraining
for set; do target/debug/examples/retraining curve "$eval" "$set"; done
