#!/usr/bin/env bash
# Rasid, fastText and scikit-learn on the same articles; prints the ratios.
#   benches/compare/run.sh [ARTICLES]           tagging on one core, from raw bytes to the top label;
#                                               NGRAMS=1 for words alone, 2 for pairs too alone
#   benches/compare/run.sh train [ARTICLES]     training on all cores, from the file to a model: the articles
#                                               repeated to TRAIN_ARTICLES (100000), ROUNDS (5) times;
#                                               SIDES ("rasid train,fastText,scikit-learn") to run some alone
# ARTICLES are JSON Lines with `text` and `topic` (default: topic-ar-sanad.jsonl in RASID_EVAL, ../shared/eval).
# Needs python3 with venv.
set -euo pipefail
cd "$(dirname "$0")/../.."
mode=tag
if [ "${1:-}" = train ]; then mode=train && shift; fi
articles=${1:-${RASID_EVAL:-../shared/eval}/topic-ar-sanad.jsonl}
work=target/compare
[ -r "$articles" ] || { echo "$articles: no such file; say where the articles are" >&2; exit 64; }
if ! "$work/venv/bin/python" -c 'import fasttext, sklearn' 2>/dev/null; then
  python3 -m venv "$work/venv"
  "$work/venv/bin/pip" install --quiet --requirement benches/compare/requirements.txt
fi
if [ $mode = train ]; then
  [ "${BUILD:-yes}" = no ] || cargo build --release --quiet --bin rasid
  # numerical libraries would take cores for nothing
  export OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1
  exec "$work/venv/bin/python" benches/compare/train.py "$articles" "$work" "${RASID:-target/release/rasid}"
fi
cargo build --release --quiet --example compare
# threads of numerical libraries would be a second core
export OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1
exec taskset -c 0 "$work/venv/bin/python" benches/compare/compare.py "$articles" "$work" target/release/examples/compare
