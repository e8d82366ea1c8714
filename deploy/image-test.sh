#!/usr/bin/env bash
# Builds the image from deploy/Dockerfile with buildah and runs it against a real broker: it tags an
# article, answers its probes and stops cleanly on SIGTERM. Needs root on Debian (buildah, debootstrap).
#   deploy/image-test.sh [ARTICLE]     the article to tag; a sample of ours by default
set -euo pipefail
cd "$(dirname "$0")/.."
export STORAGE_DRIVER=vfs BUILDAH_ISOLATION=chroot
base=docker.io/library/rust:1.95-bookworm
work=$(mktemp -d)
broker='' container=''
finish() {
  [ -z "$broker" ] || kill "$broker" 2>/dev/null || true
  [ -z "$container" ] || buildah rm "$container" >/dev/null 2>&1 || true
  rm -rf "$work"
}
trap finish EXIT
for tool in buildah debootstrap kcat curl; do
  command -v "$tool" >/dev/null || apt-get install -y "$tool" >/dev/null || { echo "install $tool" >&2; exit 1; }
done

# Where the registry cannot be reached, a base of the same name is made from Debian and this machine's toolchain.
if ! buildah inspect --type image "$base" >/dev/null 2>&1; then
  echo "== base image"
  debootstrap --variant=minbase --include=gcc,g++,libc6-dev,make,perl,ca-certificates bookworm "$work/root" >/dev/null
  toolchain=$(rustup toolchain list | awk '/^1\.95/ { print $1; exit }')
  cp -r "$(rustup run "${toolchain:-stable}" rustc --print sysroot)" "$work/root/usr/local/rust"
  rm -rf "$work/root/usr/local/rust/share/doc" "$work/root/var/cache/apt" "$work/root/var/lib/apt/lists"
  cp /etc/ssl/certs/ca-certificates.crt "$work/root/etc/ssl/certs/ca-certificates.crt"
  container=$(buildah from scratch)
  buildah add -q "$container" "$work/root" / >/dev/null
  buildah config --env PATH=/usr/local/rust/bin:/usr/sbin:/usr/bin:/sbin:/bin "$container"
  buildah commit -q "$container" "$base" >/dev/null
  buildah rm "$container" >/dev/null
  container=''
  rm -rf "$work/root"
fi

echo "== image"
buildah bud -q --pull-never --layers -f deploy/Dockerfile -t rasid . >/dev/null
size=$(buildah images --json rasid | python3 -c 'import json,sys; print(json.load(sys.stdin)[0]["size"])')
echo "size: $size"

echo "== broker"
port=$((20000 + RANDOM % 10000))
tests/kafka/kafka.sh run "$port" "$work/kafka" >"$work/kafka.log" 2>&1 &
broker=$!
for _ in $(seq 60); do kcat -b "127.0.0.1:$port" -L >/dev/null 2>&1 && break; sleep 1; done
for topic in articles articles.tagged articles.dlq; do
  tests/kafka/kafka.sh tool org.apache.kafka.tools.TopicCommand --bootstrap-server "127.0.0.1:$port" --create --topic "$topic" --partitions 2 >/dev/null
done

echo "== worker"
http=$((port + 5))
container=$(buildah from --pull-never rasid)
buildah run --isolation chroot --user 65532:65532 "$container" -- /rasid run \
  --brokers "127.0.0.1:$port" --input articles --output articles.tagged --dead-letters articles.dlq \
  --group rasid --http "127.0.0.1:$http" >"$work/worker.log" 2>&1 &
runner=$!
for _ in $(seq 60); do curl -fsS "http://127.0.0.1:$http/readyz" >/dev/null 2>&1 && break; sleep 0.5; done
curl -fsS "http://127.0.0.1:$http/readyz" >/dev/null || { cat "$work/worker.log"; exit 1; }
curl -fsS "http://127.0.0.1:$http/livez" >/dev/null
if [ $# -gt 0 ]; then article=$1; else
  article="$work/article.txt"
  awk '/^----$/ { exit } { print }' src/cli/samples.txt > "$article"
fi
kcat -P -b "127.0.0.1:$port" -t articles -D $'\x01' < "$article"
tagged=$(timeout 30 kcat -C -b "127.0.0.1:$port" -t articles.tagged -o beginning -c 1 -q)
echo "$tagged" | python3 -c '
import json, sys
record = json.loads(sys.stdin.readline())
print("tagged:", record["language"], [t["code"] for t in record["topics"]], record["stance"]["label"], record["model"]["sha256"][:12])
assert record["topics"][0]["code"] == "medtop:11000000" and record["stance"]["label"] == "neutral"'
worker=$(pgrep -f "^/rasid run .*:$http" | head -n 1)
echo "runs as user $(stat -c %u "/proc/$worker")"
kill -TERM "$worker"
wait "$runner" || { echo "worker ended with $?"; cat "$work/worker.log"; exit 1; }
echo "stopped cleanly"
