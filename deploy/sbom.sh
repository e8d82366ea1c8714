#!/bin/sh
# Writes a software bill of materials (CycloneDX 1.5, JSON) of the binary to stdout: the crates that are compiled
# into it, with the C libraries inside them (librdkafka, OpenSSL, zlib, zstd), and on Debian the packages of the
# files that the image holds besides. Needs cargo and awk; after a build it asks no network.
#   deploy/sbom.sh > sbom.cdx.json
set -eu
cd "$(dirname "$0")/.."
time=$(date -u -d "@${SOURCE_DATE_EPOCH:-$(date +%s)}" +%Y-%m-%dT%H:%M:%SZ)
list=$(mktemp)
trap 'rm -f "$list"' EXIT
cargo tree --locked --edges normal,build --no-dedupe --prefix none --format '{p}|{l}' | LC_ALL=C sort -u > "$list"
if command -v dpkg-query >/dev/null; then
  architecture=${DEB_HOST_ARCH:-$(dpkg --print-architecture)}
  for package in "libc6:$architecture" "libgcc-s1:$architecture" ca-certificates; do
    # shellcheck disable=SC2016
    dpkg-query -W -f 'deb ${Package} ${Version} ${Architecture}|\n' "$package" 2>/dev/null || true
  done >> "$list"
fi
awk -v time="$time" '
  function text(s) { gsub(/\\/, "\\\\", s); gsub(/"/, "\\\"", s); return "\"" s "\"" }
  function encoded(s) { gsub(/%/, "%25", s); gsub(/\+/, "%2B", s); gsub(/:/, "%3A", s); return s }
  # Cargo.lock: checksums of the crates
  FNR == NR {
    gsub(/"/, "")
    if ($1 == "name") name = $3
    if ($1 == "version") version = $3
    if ($1 == "checksum") checksum[name " " version] = $3
    next
  }
  {
    licence = $0; sub(/^[^|]*\|/, "", licence); sub(/ \(\*\)$/, "", licence)
    # crates from before SPDX expressions part them with a slash
    gsub(/ *\/ */, " OR ", licence)
    split($0, part, "|"); n = split(part[1], word, " ")
    if (word[1] == "deb") { name = word[2]; version = word[3]; purl = "pkg:deb/debian/" name "@" encoded(version) "?arch=" word[4] "&distro=bookworm" }
    else { name = word[1]; version = substr(word[2], 2); purl = "pkg:cargo/" name "@" encoded(version) }
    if (purl in seen) next
    seen[purl] = 1
    entry = "{\"type\":\"" (name == "rasid" ? "application" : "library") "\",\"bom-ref\":" text(purl) ",\"name\":" text(name) ",\"version\":" text(version) ",\"purl\":" text(purl)
    if (licence != "") entry = entry ",\"licenses\":[{\"expression\":" text(licence) "}]"
    if ((name " " version) in checksum) entry = entry ",\"hashes\":[{\"alg\":\"SHA-256\",\"content\":\"" checksum[name " " version] "\"}]"
    entry = entry "}"
    if (name == "rasid") self = entry
    else list = list (list == "" ? "" : ",\n") entry
  }
  END {
    print "{\"bomFormat\":\"CycloneDX\",\"specVersion\":\"1.5\",\"version\":1,"
    print "\"metadata\":{\"timestamp\":\"" time "\",\"component\":" self "},"
    print "\"components\":[\n" list "\n]}"
  }' Cargo.lock "$list"
