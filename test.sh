#!/usr/bin/env bash
# Installs, builds and runs every test; the last line is `N passed, N failed, N skipped`.
#   ./test.sh          the plain run
#   ./test.sh --long   with the full campaigns whose short forms the plain run contains
source "$(dirname "$0")/scripts/common.sh"
LONG=
case ${1:-} in
  '') ;;
  --long) LONG=1 ;;
  *)
    sed -n '2,4s/^# \{0,1\}//p' "$0"
    exit 2
    ;;
esac
install_packages ${LONG:+scripts/packages-long.txt} $(command -v npm >/dev/null || echo scripts/packages-npm.txt)
RESULTS=$(mktemp -d)
trap 'rm -rf "$RESULTS"' EXIT
PASSED=0 FAILED=0 SKIPPED=0
ROOMS="base certs policy xca direct gateway"

# run NAME KIND ARGUMENT…: tests as scripts/tests.py runs them; their result is $RESULTS/NAME.xml.
run() {
  local name=$1 begun=$SECONDS p f s
  shift
  say "$name"
  "$PYTHON" scripts/tests.py "$RESULTS/$name.xml" "$@" 2>&1 | tee "$RESULTS/$name.log"
  read -r p f s <<<"$(tail -1 "$RESULTS/$name.log")"
  PASSED=$((PASSED + p)) FAILED=$((FAILED + f)) SKIPPED=$((SKIPPED + s))
  echo "($name: $((SECONDS - begun)) s)"
}

# campaign NAME COMMAND…: counts as one test; what it tried and found it says itself.
campaign() {
  local name=$1 begun=$SECONDS status=0
  shift
  say "$name"
  "$@" || status=$?
  if [ "$status" -eq 0 ]; then
    PASSED=$((PASSED + 1))
  else
    echo "$name ended with exit code $status"
    FAILED=$((FAILED + 1))
  fi
  echo "($name: $((SECONDS - begun)) s)"
}

say "Building"
build release
build dev gatehouse fuzz_targets $(printf '%s_tests ' $ROOMS)
export GATEHOUSE=$ROOT/build/release/gatehouse

for room in $ROOMS; do
  for preset in release dev; do
    run "unit-$room-$preset" unit "build/$preset/${room}_tests"
  done
done

[ -z "$LONG" ] || export GATEHOUSE_KILLS=${GATEHOUSE_KILLS:-1000} GATEHOUSE_LONG=1
run conformance conformance conformance-tests

# What others wrote, and what is wrong on purpose, before the program that watches its own memory.
GATEHOUSE=$ROOT/build/dev/gatehouse ASAN_OPTIONS=verify_asan_link_order=0 run conformance-sanitized conformance \
  conformance-tests/xca/test_messages_of_others.py conformance-tests/xca/test_queries_of_others.py

run conformance-postgresql conformance conformance-tests --database=postgresql

if [ -n "$LONG" ]; then
  campaign "guards removed one by one" "$PYTHON" conformance-tests/guards/campaign.py
  campaign "judges changed one comparison at a time" "$PYTHON" conformance-tests/mutants/mutants.py
  campaign "readers under libFuzzer" "$PYTHON" fuzz/fuzz.py --long
fi
campaign demonstration env GATEHOUSE_DEMO="$RESULTS/demo" ./demo.sh --once
campaign "attacks of docs/security.md" "$PYTHON" scripts/threats.py "$RESULTS"

say "Result after $((SECONDS / 60)) min $((SECONDS % 60)) s"
echo "$PASSED passed, $FAILED failed, $SKIPPED skipped"
[ "$FAILED" -eq 0 ]
