#!/usr/bin/env bash
# Tags the same articles with Rasid, fastText and scikit-learn on one core and prints the ratios.
#   benches/compare/run.sh [ARTICLES]     JSON Lines with `text` and `topic`
#                                         (default: topic-ar-sanad.jsonl in RASID_EVAL, ../shared/eval)
# Each side is measured from raw bytes to the top label. Needs python3 with venv.
set -euo pipefail
cd "$(dirname "$0")/../.."
articles=${1:-${RASID_EVAL:-../shared/eval}/topic-ar-sanad.jsonl}
work=target/compare
[ -r "$articles" ] || { echo "$articles: no such file; say where the articles are" >&2; exit 64; }
if ! "$work/venv/bin/python" -c 'import fasttext, sklearn' 2>/dev/null; then
  python3 -m venv "$work/venv"
  "$work/venv/bin/pip" install --quiet --requirement benches/compare/requirements.txt
fi
cargo build --release --quiet --example compare
# threads of numerical libraries would be a second core
export OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1
exec taskset -c 0 "$work/venv/bin/python" benches/compare/compare.py "$articles" "$work" target/release/examples/compare
