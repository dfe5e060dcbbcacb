"""The rows of guards.json still fit the tree; campaign.py (./test.sh --long) shows that each guard is tested."""

import re
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))

from campaign import ROOT, read_guards  # noqa: E402

GUARDS = read_guards()
TRAPS = {f"K{number}" for number in (*range(1, 18), 21, 22)}


def name(guard):
    return f"{guard.id} {guard.guard}"


@pytest.fixture(scope="module")
def sources_of():
    """room -> the text of its unit tests."""
    read = {}

    def of(room):
        if room not in read:
            read[room] = "\n".join(path.read_text() for path in sorted((ROOT / room).rglob("*_test.cpp")))
        return read[room]
    return of


def is_unit_test(pattern, sources):
    suite, _, case = pattern.partition(".")
    table, _, suite = suite.rpartition("/")
    if table:
        return case == "*" and re.search(rf"INSTANTIATE_TEST_SUITE_P\(\s*{table},\s*{suite},", sources)
    return re.search(rf"\bTEST(_F|_P)?\({suite}, {case}\)", sources)


def is_conformance_test(node):
    path, *names = node.split("::")
    text = (ROOT / "conformance-tests" / path).read_text()
    return all(re.search(rf"^\s*(class|def) {part}\b", text, re.M) for part in names)


@pytest.mark.parametrize("guard", GUARDS, ids=name)
def test_the_guard_stands_once_in_its_file(guard):
    for edit in guard.edits:
        assert (ROOT / edit.file).read_text().count(edit.find) == 1, f"{edit.file}: {edit.find}"
        assert edit.find != edit.replace


@pytest.mark.parametrize("guard", GUARDS, ids=name)
def test_the_tests_that_show_it_exist(guard, sources_of):
    assert bool(guard.python) != bool(guard.filter)
    if guard.python:
        assert is_conformance_test(guard.python)
        return
    for pattern in guard.filter.split(":"):
        assert is_unit_test(pattern, sources_of(guard.room)), pattern


def test_every_trap_of_a_library_in_use_has_a_row():
    assert {guard.id for guard in GUARDS} == TRAPS
