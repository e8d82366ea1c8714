#!/usr/bin/env bash
# A guard against slowing down: counts the instructions of tagging an article with callgrind and compares
# them with benches/instructions.txt. Instructions are the same on a busy machine; time is not.
#   benches/instructions.sh           fails when an article takes more than MARGIN per cent more
#   benches/instructions.sh --write   writes the number anew, after a change that is meant
# Needs valgrind. Builds in the dev profile, as the tests do, so that nothing is built for it alone.
set -euo pipefail
cd "$(dirname "$0")/.."
MARGIN=10  # compilers and the way a crate is cut into units move the number by some per cent
committed=benches/instructions.txt
cargo build --locked --quiet --example instructions
out=$(mktemp)
trap 'rm -f "$out"' EXIT
articles=$(valgrind --tool=callgrind --callgrind-out-file=/dev/null --toggle-collect='*counted*' \
  target/debug/examples/instructions 2>"$out") || { cat "$out" >&2; exit 1; }
total=$(sed -n 's/.*Collected : \([0-9]*\).*/\1/p' "$out")
[ -n "$total" ] && [ "$total" -gt 0 ] || { cat "$out" >&2; exit 1; }
now=$((total / articles))
if [ "${1:-}" = --write ]; then
  echo "$now" >"$committed"
  echo "$committed: $now instructions an article"
  exit
fi
was=$(<"$committed")
echo "instructions an article: $now, committed $was ($((100 * (now - was) / was)) %)"
if [ "$((100 * now))" -gt "$(((100 + MARGIN) * was))" ]; then
  echo "tagging got slower by more than $MARGIN %: find out why (cargo bench --bench scoring), or write the number anew with $0 --write and say why" >&2
  exit 1
fi
