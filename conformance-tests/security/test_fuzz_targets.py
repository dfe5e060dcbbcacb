"""The short form of fuzz/fuzz.py: each target runs its seeds and thousands of changes of them, under sanitizers."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "fuzz"))

from fuzz import RUNS, SEED, TARGETS, build, replay  # noqa: E402


@pytest.fixture(scope="module")
def programs():
    build("dev", TARGETS)


@pytest.mark.parametrize("target", TARGETS)
def test_x17_nothing_is_found_in(target, programs):
    outcome = replay(target)
    print(outcome.line)
    assert outcome.passed, outcome.line
    assert f"{RUNS} changes of them (seed {SEED})" in outcome.line
