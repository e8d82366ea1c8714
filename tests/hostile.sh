#!/usr/bin/env bash
# 1,000,000 mutated records (or RASID_HOSTILE_RECORDS) through a running worker: each comes out once, tagged or as a
# dead letter. RASID_SEED repeats a run. Takes some gigabytes of disk for the broker's log while it runs.
set -euo pipefail
cd "$(dirname "$0")/.."
export RASID_PATIENCE="${RASID_PATIENCE:-10}"
export RASID_HOSTILE_RECORDS="${RASID_HOSTILE_RECORDS:-1000000}"
exec cargo test --release --locked --test hostile -- --ignored --nocapture mutated_records
