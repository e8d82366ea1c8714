#!/usr/bin/env bash
# The long form of tests/chaos: 1,000,000 records and 100 faults for each guarantee, one after the other.
#   tests/chaos/run.sh [TEST]     CHAOS_RECORDS, CHAOS_FAULTS and CHAOS_SEED in the environment win
# RASID_PATIENCE (10) makes every wait so many times as long, for machines that are busy with other work.
set -euo pipefail
cd "$(dirname "$0")/../.."
export CHAOS_RECORDS="${CHAOS_RECORDS:-1000000}" CHAOS_FAULTS="${CHAOS_FAULTS:-100}" RASID_PATIENCE="${RASID_PATIENCE:-10}"
exec cargo test --release --locked --test chaos -- --nocapture --test-threads 1 "$@"
