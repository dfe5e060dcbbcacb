"""What threads share without a lock is not written: helgrind watches four of them validate at once."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
# Frames of schema validation and of the automata below it; libxml2 starts once, before any thread, which helgrind
# cannot know, and reports as a race of its start with everybody.
OF_SCHEMAS = re.compile(r"\b(xmlSchema|xmlReg|xmlFA|xmlAutom|xmlExp)\w+")


@pytest.mark.skipif(not shutil.which("valgrind"), reason="no valgrind (Debian package valgrind)")
def test_threads_that_validate_share_nothing_that_is_written(built):
    tests = built.parent / "base_tests"
    ran = subprocess.run(["valgrind", "--tool=helgrind", tests, "--gtest_filter=Schema.ServesManyThreadsAtOnce"],
                         capture_output=True, text=True, timeout=120)
    assert "[  PASSED  ] 1 test." in ran.stdout, ran.stdout + ran.stderr
    reports = re.split(r"\n==\d+== -{20,}\n", ran.stderr)
    races = [report for report in reports if "data race" in report]
    assert races, "helgrind sees the start of libxml2, or it sees nothing"
    guilty = [race for race in races if OF_SCHEMAS.search(race)]
    assert not guilty, guilty[0]
