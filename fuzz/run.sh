#!/usr/bin/env bash
# Fuzzes what reads bytes from outside, each target for SECONDS (60), from its corpus.
#   fuzz/run.sh [SECONDS] [TARGET]…      targets: record text model settings
# Stable Rust and a C++ compiler do; librdkafka is not built. With cargo-fuzz and nightly Rust, `cargo fuzz run TARGET`
# runs the same targets under the address sanitiser too. What crashes stands in fuzz/artifacts/TARGET: run the
# program on that file to see it again. New inputs stay in fuzz/target/corpus; fuzz/run.sh --keep takes into fuzz/corpus
# the fewest of them that reach all that they reach.
set -euo pipefail
cd "$(dirname "$0")"
keep=
[ "${1:-}" != --keep ] || { keep=1; shift; }
seconds=${1:-60}
[ $# -eq 0 ] || shift
targets=("$@")
[ $# -gt 0 ] || targets=(record text model settings)
triple=$(rustc -vV | sed -n 's/^host: //p')
# the flags of cargo-fuzz, without a sanitiser: what is fuzzed has no unsafe code but prefetching
export RUSTFLAGS="--cfg fuzzing -Ccodegen-units=1 -Cpasses=sancov-module \
  -Cllvm-args=-sanitizer-coverage-level=4 -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
  -Cllvm-args=-sanitizer-coverage-pc-table -Cllvm-args=-sanitizer-coverage-trace-compares"
cargo build --release --locked --quiet --target "$triple"
for target in "${targets[@]}"; do
  program="target/$triple/release/$target"
  grown="target/corpus/$target"
  mkdir -p "$grown" "artifacts/$target"
  if [ -n "$keep" ]; then
    merged=$(mktemp -d)
    "$program" -set_cover_merge=1 -use_counters=0 "$merged" "corpus/$target" "$grown"
    rm -r "corpus/$target"
    mv "$merged" "corpus/$target"
    chmod 755 "corpus/$target"
    continue
  fi
  echo "== $target, $seconds s"
  "$program" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
    -artifact_prefix="artifacts/$target/" "$grown" "corpus/$target"
done
