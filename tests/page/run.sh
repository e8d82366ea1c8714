#!/usr/bin/env bash
# The live page in Chromium: installs from Debian what is missing (as root, or through sudo), builds
# the worker, drives `rasid demo` and workers on Kafka, and leaves pictures in target/page.
#
#   tests/page/run.sh                                   # all of it
#   tests/page/run.sh --test-name-pattern=hostile       # one test; arguments go to node's test runner
#   RASID_URL=http://127.0.0.1:9464/ tests/page/run.sh  # pictures and checks of a worker that runs already
#
# RASID_BIN names a binary that is built already, CHROMIUM another browser.
set -euo pipefail
cd "$(dirname "$0")/../.."
missing=()
[ -x "${CHROMIUM:-$(command -v chromium || true)}" ] || missing+=(chromium)
command -v node >/dev/null || missing+=(nodejs)
command -v npm >/dev/null || missing+=(npm)
# one test runs its workers on Kafka
command -v kcat >/dev/null || missing+=(kcat)
command -v java >/dev/null || missing+=(openjdk-17-jre-headless)
command -v mvn >/dev/null || missing+=(maven)
# Arabic letters for the pictures
fc-list 2>/dev/null | grep -qi 'NotoNaskhArabic\|NotoSansArabic' || missing+=(fontconfig fonts-noto-core)
if [ ${#missing[@]} -gt 0 ]; then
  echo "the page's test needs: ${missing[*]}" >&2
  as_root=''
  [ "$(id -u)" = 0 ] || as_root=sudo
  if command -v apt-get >/dev/null && { [ -z "$as_root" ] || command -v sudo >/dev/null; }; then
    $as_root apt-get update -qq
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}"
  else
    echo "install them and run this again" >&2
    exit 1
  fi
fi
[ -d tests/page/node_modules ] && cmp -s tests/page/package-lock.json tests/page/node_modules/.from ||
  { npm ci --prefix tests/page --ignore-scripts --no-audit --no-fund --silent; cp tests/page/package-lock.json tests/page/node_modules/.from; }
if [ -z "${RASID_BIN:-}${RASID_URL:-}" ]; then
  cargo build --locked --quiet
  export RASID_BIN=target/debug/rasid
fi
mkdir -p target/page
files=(tests/page/*.test.mjs)
[ -z "${RASID_URL:-}" ] || files=(tests/page/look.test.mjs)
exec node --test --test-concurrency=1 "$@" "${files[@]}"
