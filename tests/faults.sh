#!/usr/bin/env bash
# The faults that are too slow, or go too much by the clock, for tests/run.sh: a full disk, a clock that jumps.
set -euo pipefail
cd "$(dirname "$0")/.."
export RASID_PATIENCE="${RASID_PATIENCE:-3}"
exec cargo test --locked --test faults -- --ignored --nocapture "$@"
