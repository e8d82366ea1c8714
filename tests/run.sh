#!/usr/bin/env bash
# All tests, from a fresh machine: installs from Debian what is missing (as root, or through sudo),
# or says what to install; then runs them. Arguments go to cargo test.
set -euo pipefail
cd "$(dirname "$0")/.."
declare -A packages=(
  [gcc]=gcc [g++]=g++ [make]=make [perl]=perl [java]=openjdk-17-jre-headless [mvn]=maven [kcat]=kcat [openssl]=openssl
  [promtool]=prometheus [faketime]=faketime [python3]=python3
)
missing=()
for program in "${!packages[@]}"; do
  command -v "$program" >/dev/null || missing+=("${packages[$program]}")
done
# a Python of their own for what reads the model file
python3 -c 'import ensurepip' 2>/dev/null || missing+=(python3-venv)
if [ ${#missing[@]} -gt 0 ]; then
  echo "tests need: ${missing[*]}" >&2
  as_root=''
  [ "$(id -u)" = 0 ] || as_root=sudo
  if command -v apt-get >/dev/null && { [ -z "$as_root" ] || command -v sudo >/dev/null; }; then
    $as_root apt-get update -qq
    # Debian starts a Prometheus service at once; only its promtool is wanted
    $as_root env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get install -y -qq --no-install-recommends "${missing[@]}"
  else
    echo "install them and run this again" >&2
    exit 1
  fi
fi
command -v cargo >/dev/null || { echo 'cargo is missing: install Rust with rustup, https://rustup.rs' >&2; exit 1; }
tests/kafka/kafka.sh get
promtool check config deploy/prometheus/prometheus.yml
promtool check rules deploy/prometheus/recording.yml deploy/prometheus/alerts.yml
promtool test rules tests/prometheus/*.yml
# manifests and dashboard, by the types of Kubernetes, KEDA, the Prometheus Operator, Compose and Grafana
case "$(go version 2>/dev/null)" in
  *go1.2[6-9]*) (cd tests/manifests && go test -count=1 ./...) ;;
  *) echo 'manifests: not checked, that needs Go 1.26 or newer' ;;
esac
# waits that end when what is waited for is there may last longer on a machine that is busy with several tests
RASID_PATIENCE="${RASID_PATIENCE:-3}" cargo test --locked "$@"
# the live page in Chromium, unless only some tests were asked for
[ $# -gt 0 ] || tests/page/run.sh
