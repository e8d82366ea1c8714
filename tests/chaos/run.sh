#!/usr/bin/env bash
# The long form of tests/chaos: 1,000,000 records and 100 faults for each guarantee, one after the other.
#   tests/chaos/run.sh [TEST]     CHAOS_RECORDS, CHAOS_FAULTS, CHAOS_SEED and CHAOS_PATIENCE in the environment win
set -euo pipefail
cd "$(dirname "$0")/../.."
export CHAOS_RECORDS="${CHAOS_RECORDS:-1000000}" CHAOS_FAULTS="${CHAOS_FAULTS:-100}" CHAOS_PATIENCE="${CHAOS_PATIENCE:-900}"
exec cargo test --release --locked --test chaos -- --nocapture --test-threads 1 "$@"
