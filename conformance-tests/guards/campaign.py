#!/usr/bin/python3
"""Takes away each guard against a library trap, builds, and shows that a test fails for it. [threat catalogue §0]

    ./campaign.py                  every row of guards.json; ends with 1 if a removal goes unnoticed
    ./campaign.py --only K3,K7     rows of these traps
    ./campaign.py --scratch DIR    where the copy of the tree is built (default: build/guards; kept for the next run)

The tree itself is never touched. A row is noticed only if the same tests pass with the guard in place.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ROWS = Path(__file__).with_name("guards.json")
JOBS = "-j2"
# A test that never ends has noticed too.
TEST_SECONDS_MAX = 180


@dataclass(frozen=True)
class Edit:
    file: str
    find: str
    replace: str


@dataclass(frozen=True)
class Guard:
    id: str
    guard: str
    edits: tuple
    room: str = ""
    filter: str = ""
    python: str = ""

    @property
    def target(self):
        return "gatehouse" if self.python else f"{self.room}_tests"

    @property
    def tests(self):
        return [self.python.rsplit("::", 1)[-1]] if self.python else self.filter.split(":")


def lines(text):
    """Edits of several lines stand in the file as a list of lines."""
    return text if isinstance(text, str) else "\n".join(text)


def read_guards(path=ROWS):
    guards = []
    for row in json.loads(path.read_text()):
        edits = row.pop("edits", None) or [{key: row.pop(key) for key in ("file", "find", "replace")}]
        guards.append(Guard(edits=tuple(Edit(edit["file"], lines(edit["find"]), lines(edit["replace"]))
                                        for edit in edits), **row))
    return guards


class Scratch:
    """A copy of the tracked tree with a build of its own."""

    def __init__(self, folder):
        self.tree, self.build = folder / "tree", folder / "build"
        self.originals = {}  # texts of the files that an edit has changed
        shared = os.environ.get("GATEHOUSE_SHARED", str(ROOT / "../shared"))
        self.environment = os.environ | {"CCACHE_BASEDIR": str(self.tree), "CCACHE_NOHASHDIR": "1",
                                         "GATEHOUSE": str(self.build / "gatehouse"), "GATEHOUSE_SHARED": shared}

    def copy(self):
        """Only what differs is written: an earlier build stays good."""
        listed = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard"], cwd=ROOT, check=True,
                                capture_output=True, text=True).stdout.splitlines()
        wanted = {name for name in listed if (ROOT / name).is_file()}
        for path in [path for path in self.tree.rglob("*") if path.is_file()]:
            if path.relative_to(self.tree).as_posix() not in wanted:
                path.unlink()
        for name in wanted:
            source, copy = ROOT / name, self.tree / name
            if not copy.is_file() or copy.read_bytes() != source.read_bytes():
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(source, copy)

    def configure(self):
        if not (self.build / "build.ninja").is_file():
            self.run("cmake", "--preset", "release", "-B", self.build, "-S", self.tree, "-DGATEHOUSE_WERROR=OFF")

    def run(self, *command, seconds=None):
        return subprocess.run(command, cwd=self.tree, env=self.environment, text=True, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=seconds, errors="replace")

    def make(self, *targets):
        """What the build said where it failed; else nothing."""
        built = self.run("ninja", "-C", self.build, JOBS, *targets)
        return built.stdout if built.returncode else ""

    def without(self, guard):
        """Applies the row to a tree in which everything else is whole."""
        self.whole()
        for edit in guard.edits:
            copy = self.tree / edit.file
            text = copy.read_text()
            self.originals.setdefault(edit.file, text)
            if text.count(edit.find) != 1:
                raise SystemExit(f"{guard.id} ({guard.guard}): not once in {edit.file}: {edit.find}")
            copy.write_text(text.replace(edit.find, edit.replace))

    def whole(self):
        for name, text in self.originals.items():
            (self.tree / name).write_text(text)
        self.originals = {}

    def test(self, guard):
        """passes · fails · dies · hangs · no test · skipped · breaks (it failed, and no test did)"""
        report = self.build / "guard-tests.json"
        report.unlink(missing_ok=True)
        if guard.python:
            command = ["/usr/bin/python3", "-m", "pytest", "-q", "-p", "no:cacheprovider",
                       "conformance-tests/" + guard.python]
        else:
            command = [self.build / guard.target, f"--gtest_filter={guard.filter}", f"--gtest_output=json:{report}"]
        try:
            ran = self.run(*command, seconds=TEST_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            return "hangs"
        if guard.python:
            if " skipped" in ran.stdout:
                return "skipped"
            return {0: "passes", 1: "fails", 5: "no test"}.get(ran.returncode, "breaks")
        if ran.returncode < 0:
            return "dies"
        results = json.loads(report.read_text()) if report.is_file() else {"tests": 0, "failures": 0, "testsuites": []}
        if any(case.get("result") == "SKIPPED" for suite in results["testsuites"] for case in suite["testsuite"]):
            return "skipped"
        if not results["tests"]:
            return "no test"
        if ran.returncode and results["failures"]:
            return "fails"
        return "breaks" if ran.returncode else "passes"


def judge(scratch, guard):
    """What becomes of one row, whose test has passed with the guard in place."""
    scratch.without(guard)
    complaint = scratch.make(guard.target)
    if complaint:
        print(complaint[-3000:], file=sys.stderr)
        return "DOES NOT COMPILE"
    outcome = scratch.test(guard)
    return "noticed" if outcome == "fails" else {"dies": "noticed: it dies", "hangs": "noticed: it hangs",
                                                 "passes": "UNNOTICED"}.get(outcome, outcome.upper())


def print_table(verdicts):
    """One line for each trap: its guards, the tests that miss them, and what became of it."""
    print("| Trap | Guards taken away one by one | Tests that fail for it | |\n|---|---|---|---|")
    for trap in sorted({guard.id for guard in verdicts}, key=lambda trap: int(trap[1:])):
        rows = {guard: verdict for guard, verdict in verdicts.items() if guard.id == trap}
        tests = dict.fromkeys(test for guard in rows for test in guard.tests)
        missed = [f"{guard.guard}: {verdict}" for guard, verdict in rows.items() if not verdict.startswith("noticed")]
        print(f"| {trap} | {' · '.join(guard.guard for guard in rows)} | {' '.join(f'`{test}`' for test in tests)} | "
              f"{'; '.join(missed) or f'{len(rows)} of {len(rows)} noticed'} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="ids of traps, with commas")
    parser.add_argument("--scratch", type=Path, default=ROOT / "build/guards")
    options = parser.parse_args()
    only = set(filter(None, options.only.split(",")))
    guards = [guard for guard in read_guards() if not only or guard.id in only]
    if not guards:
        parser.error("no such trap")
    began = time.monotonic()
    scratch = Scratch(options.scratch.resolve())
    scratch.copy()
    scratch.configure()
    complaint = scratch.make(*sorted({guard.target for guard in guards}))
    if complaint:
        sys.exit("with every guard in place it does not build:\n" + complaint[-3000:])
    before = {guard: scratch.test(guard) for guard in guards}

    verdicts = dict.fromkeys(guards)
    # Rows of one file one after the other: fewer files are compiled.
    for guard in sorted(guards, key=lambda guard: (guard.target, [edit.file for edit in guard.edits])):
        verdicts[guard] = judge(scratch, guard) if before[guard] == "passes" else f"WITH IT: {before[guard].upper()}"
        print(f"{guard.id} {guard.guard}: {verdicts[guard]}", file=sys.stderr, flush=True)
    scratch.whole()
    print_table(verdicts)
    noticed = sum(verdict.startswith("noticed") for verdict in verdicts.values())
    minutes, seconds = divmod(int(time.monotonic() - began), 60)
    print(f"\n{len(guards)} guards of {len({guard.id for guard in guards})} traps: {noticed} removals noticed, "
          f"{len(guards) - noticed} not ({minutes} min {seconds} s)")
    return 0 if noticed == len(guards) else 1


if __name__ == "__main__":
    sys.exit(main())
