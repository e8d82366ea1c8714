#!/bin/sh
# What the build stage of the Dockerfile does differently by platform; for Debian, as root.
#   deploy/cross.sh ARCHITECTURE > environment    amd64, arm64, or '' for this machine's: installs the cross compiler
#                                                 where it is another one, and prints how cargo is to build
#   deploy/cross.sh --libraries BINARY ROOT       copies what BINARY is linked to under ROOT; wants that environment
set -eu
if [ "$1" = --libraries ]; then
  # glibc opens the first three by itself to resolve names
  wanted="libnss_dns.so.2 libnss_files.so.2 libresolv.so.2 $(readelf -d "$2" | sed -n 's/.*NEEDED.*\[\(lib.*\)\]/\1/p')"
  cp -L --parents "$(readelf -l "$2" | sed -n 's/.*interpreter: \(.*\)\]/\1/p')" "$3"
  for library in $wanted; do cp -L --parents "/lib/$RASID_TRIPLET/$library" "$3"; done
  # nothing that these need in turn is missing
  for library in $wanted; do
    readelf -d "$3/lib/$RASID_TRIPLET/$library" | sed -n 's/.*NEEDED.*\[\(lib.*\)\]/\1/p'
  done | sort -u | while read -r library; do test -e "$3/lib/$RASID_TRIPLET/$library"; done
  exit
fi
here=$(dpkg --print-architecture)
architecture=${1:-$here}
case $architecture in
  amd64) triplet=x86_64-linux-gnu ;;
  arm64) triplet=aarch64-linux-gnu ;;
  *) echo "no image for $architecture, only for amd64 and arm64" >&2; exit 64 ;;
esac
target=$(echo "$triplet" | sed 's/-/-unknown-/')
if [ "$architecture" != "$here" ]; then
  packages=$(echo "gcc-$triplet g++-$triplet" | tr _ -)
  {
    dpkg --add-architecture "$architecture"
    apt-get update
    # the libraries of the image are the distribution's own, with its security updates
    # shellcheck disable=SC2086
    apt-get install -y --no-install-recommends $packages "libc6:$architecture" "libgcc-s1:$architecture"
    rm -rf /var/lib/apt/lists/*
    # a Rust that came otherwise has the standard library of its target already, or says that it is missing
    ! command -v rustup || rustup target add "$target"
  } >&2
  # librdkafka and OpenSSL look at CC; what runs while building is for this machine
  echo "export CC=$triplet-gcc CXX=$triplet-g++ AR=$triplet-ar RANLIB=$triplet-ranlib HOST_CC=gcc HOST_CXX=g++ HOST_AR=ar"
  echo "export CARGO_TARGET_$(echo "$target" | tr a-z- A-Z_)_LINKER=$triplet-gcc"
fi
# glibc 2.36, which is the image's, takes relocations packed: a megabyte less. The flags are for the target alone.
echo "export CARGO_BUILD_TARGET=$target RUSTFLAGS='-C link-arg=-Wl,-z,pack-relative-relocs'"
# compilers write no time of theirs into what they make; one that changed would also undo the cache of the dependencies
echo 'export SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-0}'
echo "export RASID_TRIPLET=$triplet DEB_HOST_ARCH=$architecture"
