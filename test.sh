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
ROOMS="base certs policy xca gateway"

# Adds up a JUnit file: what did not run is skipped, never passed.
count() {
  local sums
  sums=$("$PYTHON" - "$1" <<'PY'
import sys
import xml.etree.ElementTree as tree
passed = failed = skipped = 0
for case in tree.parse(sys.argv[1]).iter("testcase"):
    if case.find("failure") is not None or case.find("error") is not None:
        failed += 1
    elif case.find("skipped") is not None or case.get("status") == "notrun" or case.get("result") == "skipped":
        skipped += 1
        print(f"skipped: {case.get('classname')}.{case.get('name')}", file=sys.stderr)
    else:
        passed += 1
print(passed, failed, skipped)
PY
  )
  read -r p f s <<<"$sums"
  PASSED=$((PASSED + p)) FAILED=$((FAILED + f)) SKIPPED=$((SKIPPED + s))
}

# run NAME COMMAND…: the command writes $RESULTS/NAME.xml; one that dies without it, or that ends badly though every
# test of it passed (a leak, a sanitizer), counts as failed.
run() {
  local name=$1 begun=$SECONDS before=$FAILED status=0
  shift
  say "$name"
  "$@" || status=$?
  if [ -s "$RESULTS/$name.xml" ]; then
    count "$RESULTS/$name.xml"
  else
    echo "$name ended without a result"
  fi
  if [ "$status" -ne 0 ] && [ "$FAILED" -eq "$before" ]; then
    echo "$name ended with exit code $status"
    FAILED=$((FAILED + 1))
  fi
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
    run "unit-$room-$preset" "build/$preset/${room}_tests" --gtest_brief=1 \
      --gtest_output="xml:$RESULTS/unit-$room-$preset.xml"
  done
done

[ -z "$LONG" ] || export GATEHOUSE_KILLS=${GATEHOUSE_KILLS:-1000} GATEHOUSE_LONG=1
run conformance "$PYTHON" -m pytest conformance-tests -q --tb=short -p no:cacheprovider \
  --junitxml="$RESULTS/conformance.xml"

# What others wrote, and what is wrong on purpose, before the program that watches its own memory.
GATEHOUSE=$ROOT/build/dev/gatehouse ASAN_OPTIONS=verify_asan_link_order=0 run conformance-sanitized "$PYTHON" -m pytest -q --tb=short -p no:cacheprovider \
  conformance-tests/xca/test_messages_of_others.py conformance-tests/xca/test_queries_of_others.py \
  --junitxml="$RESULTS/conformance-sanitized.xml"

run conformance-postgresql "$PYTHON" -m pytest conformance-tests -q --tb=short -p no:cacheprovider \
  --database postgresql --junitxml="$RESULTS/conformance-postgresql.xml"

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
