#!/usr/bin/env bash
# Builds the image from deploy/Dockerfile with buildah and runs it against a real broker, as its own user on a
# read-only root: it tags an article, answers its probes and its health check, and stops cleanly on SIGTERM.
# Needs root on Debian (buildah, debootstrap).
#   deploy/image-test.sh [ARTICLE]     the article to tag; a sample of ours by default
#   deploy/image-test.sh --again [ARTICLE]   builds once more, without the cache, and compares the two layers
#   deploy/image-test.sh --arm64 [ARTICLE]   cross-compiles for arm64 instead, and tags the article under QEMU, without a broker
set -euo pipefail
cd "$(dirname "$0")/.."
export STORAGE_DRIVER=vfs BUILDAH_ISOLATION=chroot
again='' arm64=''
[ "${1:-}" != --again ] || { again=1; shift; }
[ "${1:-}" != --arm64 ] || { arm64=1; shift; }
base=docker.io/library/rust:1.95-bookworm
work=$(mktemp -d)
broker='' container='' worker=''
finish() {
  [ -z "$broker" ] || kill "$broker" 2>/dev/null || true
  [ -z "$worker" ] || kill -KILL "$worker" 2>/dev/null || true
  [ -z "$container" ] || buildah rm "$container" >/dev/null 2>&1 || true
  rm -rf "$work"
}
trap finish EXIT
[ -z "$arm64" ] || command -v qemu-aarch64-static >/dev/null || apt-get install -y qemu-user-static >/dev/null
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
# Docker's format, since OCI's has no health check
time=$(git log -1 --format=%ct 2>/dev/null || echo 0)
# a copy, so that what is edited meanwhile makes no difference
mkdir "$work/context"
{ git ls-files -z 2>/dev/null || find . -path ./target -prune -o -type f -print0; } | xargs -0 cp -a --parents -t "$work/context"
build() {
  buildah bud -q --pull-never --format docker --timestamp "$time" --build-arg "SOURCE_DATE_EPOCH=$time" \
    --build-arg "REVISION=$(git rev-parse HEAD 2>/dev/null || echo unknown)" -f deploy/Dockerfile -t rasid "$@" "$work/context" >/dev/null
  buildah inspect --type image rasid | python3 -c 'import json, sys; print(*json.load(sys.stdin)["Docker"]["rootfs"]["diff_ids"])'
}
if [ $# -gt 0 ]; then article=$1; else
  article="$work/article.txt"
  awk '/^----$/ { exit } { print }' src/cli/samples.txt > "$article"
fi
if [ -n "$arm64" ]; then
  # this machine's base, with the standard library of the other architecture; buildah before 1.29 finds no base of
  # ours under another --platform
  target=aarch64-unknown-linux-gnu
  rustup target add "$target" 2>/dev/null
  container=$(buildah from --pull-never "$base")
  buildah add -q "$container" "$(rustc --print sysroot)/lib/rustlib/$target" "/usr/local/rust/lib/rustlib/$target" >/dev/null
  buildah commit -q "$container" localhost/rasid-arm64-base >/dev/null
  buildah rm "$container" >/dev/null
  build --layers --build-arg TARGETARCH=arm64 --build-context "$base=container-image://localhost/rasid-arm64-base"
  container=$(buildah from --pull-never rasid)
  root=$(buildah mount "$container")
  file -b "$root/rasid" | cut -d , -f 1,2
  echo "size: $(du -sb "$root" | cut -f 1) bytes"
  qemu-aarch64-static -L "$root" "$root/rasid" classify "$article" | python3 -c '
import json, sys
record = json.loads(sys.stdin.readline())
print("tagged:", record["language"], [t["code"] for t in record["topics"]], record["stance"]["label"])
assert record["topics"][0]["code"] == "medtop:11000000" and record["stance"]["label"] == "neutral"'
  exit
fi
layer=$(build --layers)
echo "layer $layer"
if [ -n "$again" ]; then
  second=$(build --no-cache)
  [ "$second" = "$layer" ] || { echo "another build of the same sources gave another layer: $second" >&2; exit 1; }
  echo 'built again without the cache: the same layer'
fi
container=$(buildah from --pull-never rasid)
root=$(buildah mount "$container")
buildah inspect "$container" | python3 -c '
import json, sys
image = json.load(sys.stdin)["Docker"]["config"]
print("user", image["User"], "health check", image["Healthcheck"]["Test"], "revision", image["Labels"]["org.opencontainers.image.revision"][:12])
assert image["User"] == "65532:65532" and image["Healthcheck"]["Test"] == ["CMD", "/rasid", "health"]
assert image["StopSignal"] == "SIGTERM" and image["Labels"]["org.opencontainers.image.licenses"]'
size=$(du -sb "$root" | cut -f 1)
echo "size: $size bytes in $(find "$root" -type f | wc -l) files"
[ "$size" -le 25000000 ] || { echo 'the image is larger than 25 MB' >&2; exit 1; }
python3 -c '
import json, sys
parts = {part["name"] for part in json.load(open(sys.argv[1]))["components"]}
assert {"rdkafka-sys", "openssl-src", "linfa-bayes", "libc6"} <= parts, parts
print("bill of materials:", len(parts), "parts")' "$root/usr/share/doc/rasid/sbom.cdx.json"

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
# in a mount namespace of its own: the root is read-only, the user is the image's
run="mount --bind '$root' '$root' && mkdir -p '$root/proc' && mount -t proc proc '$root/proc' && mount -o remount,ro,bind '$root' &&"
# the first process of the shell is replaced by the worker, so that its signals and its exit code are the worker's
unshare --mount sh -c "$run exec chroot --userspec=65532:65532 '$root' /rasid run \"\$@\"" sh \
  --brokers "127.0.0.1:$port" --input articles --output articles.tagged --dead-letters articles.dlq \
  --group rasid --http "127.0.0.1:$http" >"$work/worker.log" 2>&1 &
worker=$!
for _ in $(seq 60); do curl -fsS "http://127.0.0.1:$http/readyz" >/dev/null 2>&1 && break; sleep 0.5; done
curl -fsS "http://127.0.0.1:$http/readyz" >/dev/null || { cat "$work/worker.log"; exit 1; }
curl -fsS "http://127.0.0.1:$http/livez" >/dev/null
kcat -P -b "127.0.0.1:$port" -t articles -D $'\x01' < "$article"
tagged=$(timeout 30 kcat -C -b "127.0.0.1:$port" -t articles.tagged -o beginning -c 1 -q)
echo "$tagged" | python3 -c '
import json, sys
record = json.loads(sys.stdin.readline())
print("tagged:", record["language"], [t["code"] for t in record["topics"]], record["stance"]["label"], record["model"]["sha256"][:12])
assert record["topics"][0]["code"] == "medtop:11000000" and record["stance"]["label"] == "neutral"'
echo "runs as user $(stat -c %u "/proc/$worker"), root $(awk '$5 == "/" { split($6, option, ","); print option[1] }' "/proc/$worker/mountinfo" | tail -n 1)"
[ "$(stat -c %u "/proc/$worker")" = 65532 ]
chroot --userspec=65532:65532 "$root" /rasid health --http "127.0.0.1:$http" >/dev/null
echo 'health check: well'
kill -TERM "$worker"
status=0
wait "$worker" || status=$?
worker=''
[ "$status" = 0 ] || { echo "worker ended with $status"; cat "$work/worker.log"; exit 1; }
echo 'stopped cleanly'
if chroot --userspec=65532:65532 "$root" /rasid health --http "127.0.0.1:$http" 2>/dev/null; then
  echo 'health check of a worker that is gone: well?' >&2
  exit 1
fi
echo 'health check: gone'
