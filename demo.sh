#!/usr/bin/env bash
# The main job of Gatehouse, end to end, on a fresh Debian 12 machine: installs what is missing, builds, and tells the
# story of a clinic and a hospital step by step with what was decided and why.
#   ./demo.sh          leaves both gateways running and says how to ask them something
#   ./demo.sh --once   stops them at the end; exits 0 only if every step held
#   ./demo.sh stop     stops them
#   ./demo.sh reset    stops them and removes everything the demonstration made
source "$(dirname "$0")/scripts/common.sh"
DEMO=${GATEHOUSE_DEMO:-$ROOT/demo}
STORY=$ROOT/conformance-tests/demo/story.py

stop() { [ ! -d "$DEMO" ] || "$PYTHON" "$STORY" stop "$DEMO"; }

case ${1:-} in
  '' | --once)
    install_packages
    say "Building"
    build release gatehouse
    stop
    rm -rf "$DEMO"
    mkdir -p "$DEMO"
    export GATEHOUSE=$ROOT/build/release/gatehouse
    exec "$PYTHON" "$STORY" run "$DEMO" "$@"
    ;;
  stop) stop ;;
  reset)
    stop
    rm -rf "$DEMO"
    ;;
  *)
    sed -n '2,7s/^# \{0,1\}//p' "$0"
    exit 2
    ;;
esac
