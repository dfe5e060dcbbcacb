# What demo.sh and test.sh share: finding the place, installing what is missing, building. Sourced, not run.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
ROOT=$PWD
export GATEHOUSE_SHARED=${GATEHOUSE_SHARED:-$ROOT/../shared}
export CCACHE_DIR=${CCACHE_DIR:-$HOME/.cache/gatehouse-ccache}
# Objects are found again from any clone: paths are taken relative to it, the build directory is not part of the hash.
export CCACHE_BASEDIR=$ROOT CCACHE_NOHASHDIR=1 PYTHON=/usr/bin/python3

say() { printf '\n\033[1m%s\033[0m\n' "$*"; }

# Installs the Debian packages of scripts/packages.txt, and of further lists given, that are not there; as root, or by
# sudo.
install_packages() {
  local wanted missing=() as_root=()
  wanted=$(grep -hv '^#' scripts/packages.txt "$@")
  local package
  for package in $wanted; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
  done
  # The OpenSSL that Debian 12 shipped first has known holes: take the current one.
  dpkg --compare-versions "$(dpkg-query -W -f='${Version}' libssl3 2>/dev/null || echo 0)" ge 3.0.22 || missing+=(libssl3)
  [ ${#missing[@]} -eq 0 ] && return
  [ "$(id -u)" -eq 0 ] || as_root=(sudo)
  say "Installing: ${missing[*]}"
  "${as_root[@]}" apt-get update -qq
  DEBIAN_FRONTEND=noninteractive "${as_root[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}

# build PRESET [TARGET…]
build() {
  local preset=$1
  shift
  [ -f "build/$preset/build.ninja" ] || cmake --preset "$preset" >/dev/null
  ninja -C "build/$preset" "$@"
}
