#!/usr/bin/env python3
"""Runs one set of tests and adds up what became of them.

    scripts/tests.py RESULT.xml unit PROGRAM           a GoogleTest program
    scripts/tests.py RESULT.xml conformance ARGUMENT…  pytest with these arguments

The last line is `passed failed skipped`; RESULT.xml is the JUnit file. What did not run is skipped, never passed. A run
that dies without a result, or that ends badly though every test of it passed (a leak, a sanitizer), counts as failed.

A test that fails among thousands may have failed for want of a core or a port. Where no more than SECOND_TRIES failed,
each is tried once more, alone, on what is then a quiet machine: what holds there is named and counts as passed, what
fails twice has failed. Tests that look for what happens rarely (RARE) have one try.
"""

import os
import subprocess
import sys
import xml.etree.ElementTree as tree
from pathlib import Path

SECOND_TRIES = 10
RARE = ("test_kill", "test_power_cut", "two_nodes", "test_replay", "Property", "SecondJudge", "Cases.")


def name_of(case):
    return f"{case.get('classname')}.{case.get('name')}"


def troubles(case):
    return [child for child in case if child.tag in ("failure", "error")]


def is_skipped(case):
    return case.find("skipped") is not None or case.get("status") == "notrun" or case.get("result") == "skipped"


class Unit:
    def __init__(self, program):
        self.program = program

    def run(self, result, only=()):
        chosen = [f"--gtest_filter={':'.join(only)}"] if only else []
        return subprocess.run([self.program, "--gtest_brief=1", f"--gtest_output=xml:{result}", *chosen]).returncode

    def failed(self, cases):
        return [name_of(case) for case in cases if troubles(case)]


class Conformance:
    def __init__(self, *arguments):
        self.arguments = arguments
        self.options = [one for one in arguments if not one.startswith("conformance-tests")]

    def run(self, result, only=()):
        self.log = Path(f"{result}.failed")
        self.log.unlink(missing_ok=True)
        what = [*self.options, *only] if only else self.arguments
        return subprocess.run([sys.executable, "-m", "pytest", "-q", "--tb=short", "-p", "no:cacheprovider",
                               f"--junitxml={result}", *what], env=os.environ | {"GATEHOUSE_FAILED": str(self.log)}
                              ).returncode

    def failed(self, cases):
        return list(dict.fromkeys(self.log.read_text().splitlines())) if self.log.exists() else []


def cases_in(result):
    return tree.parse(result) if result.exists() and result.stat().st_size else None


def try_again(tests, result, first):
    """The result with what held on its second try, and whether anything else went wrong then."""
    failed = tests.failed(first.iter("testcase"))
    if not 0 < len(failed) <= SECOND_TRIES or any(word in name for name in failed for word in RARE):
        return first, 1
    print(f"\n{len(failed)} once more, alone", flush=True)
    again = result.with_name(f"{result.stem}.again")
    status = tests.run(again, failed)
    second = cases_in(again)
    held = {name_of(case) for case in second.iter("testcase") if not troubles(case) and not is_skipped(case)} \
        if second else set()
    again.unlink(missing_ok=True)
    for case in first.iter("testcase"):
        if troubles(case) and name_of(case) in held:
            print(f"held on its second try, alone: {name_of(case)}")
            for child in troubles(case):
                case.remove(child)
    first.write(result, encoding="utf-8", xml_declaration=True)
    return first, status


def main(file, kind, *arguments):
    result = Path(file)
    tests = Unit(*arguments) if kind == "unit" else Conformance(*arguments)
    status = tests.run(result)
    found = cases_in(result)
    if found is None:
        print(f"{result.stem} ended without a result")
        print("0 1 0")
        return
    if any(troubles(case) for case in found.iter("testcase")):
        found, status = try_again(tests, result, found)
    cases = list(found.iter("testcase"))
    failed = sum(bool(troubles(case)) for case in cases)
    skipped = [case for case in cases if not troubles(case) and is_skipped(case)]
    for case in skipped:
        print(f"skipped: {name_of(case)}")
    passed = len(cases) - failed - len(skipped)
    if status and not failed:
        print(f"{result.stem} ended with exit code {status}")
        failed += 1
    print(passed, failed, len(skipped))


if __name__ == "__main__":
    main(*sys.argv[1:])
