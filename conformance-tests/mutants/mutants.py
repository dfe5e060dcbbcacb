#!/usr/bin/python3
"""Changes every comparison, logical operator, negation and return of the judges, one at a time, and shows that a unit
test fails for it.

    ./mutants.py                    all; ends with 1 where too many survive, or one that the list does not explain
    ./mutants.py --room policy      of one room
    ./mutants.py --sample 10        as many, chosen by the seed: the short form, in every ./test.sh
    ./mutants.py --again            only those that the lists do not have as killed
    ./mutants.py --write            also writes the lists beside this file; what explains a survivor stays

All mutants of a file are compiled in at once (mutate.py), each behind a number that the environment switches on, so that
each costs one run of the room's unit tests. build/release is taken as it is; the tree is never touched.
"""

import argparse
import os
import random
import re
import shlex
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from mutate import File  # noqa: E402

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
BUILD = ROOT / "build/release"
SCRATCH = ROOT / "build/mutants"
SEED = 20261125
# A test run that takes this many times as long as without a mutant, and some seconds more, has noticed it too.
PATIENCE, PATIENCE_SECONDS = 10, 20
PROGRESS_EVERY = 50
KILLED, EXPLAINED = "killed by ", "survives: "


@dataclass(frozen=True)
class Room:
    name: str
    files: str         # what is mutated, as a pattern
    first: str         # the tests that know most about it, run before all others
    killed_min: float  # of a hundred


ROOMS = {room.name: room for room in (
    Room("policy", "policy/*.cpp", "*-SecondJudge*:Propert*:Cases*:Case*", 95),
    Room("certs", "certs/trust.cpp", "Trust*:Revocation*:Pin*", 90),
    Room("xca", "xca/wss/*.cpp", "Assertion*:Token*:Ws*:Signature*:Replay*:*Reply*", 90),
)}


# The corpus of cases is itself a test of the room.
NO_JUDGE = ("_test.cpp", "/cases.cpp", "/case_words.cpp")


def files_of(room):
    return [path for path in sorted(ROOT.glob(room.files)) if not str(path).endswith(NO_JUDGE)]


def mutated(room):
    """The room's files with their mutants, numbered through."""
    found, number = [], 1
    for path in files_of(room):
        file = File(path.relative_to(ROOT).as_posix(), path.read_text(), number)
        number = file.number
        found.append(file)
    return found


def must(command, **more):
    ran = subprocess.run(command, text=True, errors="replace", stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **more)
    if ran.returncode:
        sys.exit(f"{command}\n{ran.stdout[-4000:]}")
    return ran.stdout


def build(room, files):
    """The room's tests with every mutant in them."""
    folder = SCRATCH / room.name
    folder.mkdir(parents=True, exist_ok=True)
    must(["ninja", "-C", str(BUILD), f"{room.name}_tests"])
    commands = must(["ninja", "-C", str(BUILD), "-t", "commands", f"{room.name}_tests"]).splitlines()

    def compile_one(file):
        source = folder / file.name.replace("/", "_")
        source.write_text(file.rewritten())
        command = next(line for line in commands if line.split(" -o ")[0].endswith(f" {file.name}.o.d")
                       or f"/{file.name}.o -c " in line)
        command = re.sub(r" -o \S+ -c \S+", "", command).replace(" -O2", " -O0").replace(" -D_FORTIFY_SOURCE=2", "")
        made = source.with_suffix(".o")
        must(f"{command} -w -I{ROOT} -MF {made}.d -o {made} -c {source}", shell=True, cwd=BUILD)
        return made
    with ThreadPoolExecutor(2) as jobs:
        objects = list(jobs.map(compile_one, files))
    link = commands[-1]
    program = folder / "tests"
    # An object that stands before the libraries takes the place of their own.
    link = link.replace(f" -o {room.name}_tests ", f" -o {program} " + " ".join(str(made) for made in objects) + " ")
    must(link, shell=True, cwd=BUILD)
    return program


class Tests:
    def __init__(self, room, program):
        self.room, self.program = room, program
        began = time.monotonic()
        failed = self.run(0, "*", 600)
        if failed:
            sys.exit(f"without any mutant the tests of {room.name} fail: {failed}")
        self.seconds_max = PATIENCE * (time.monotonic() - began) + PATIENCE_SECONDS

    def run(self, number, tests, seconds):
        """What failed; nothing where all pass."""
        environment = os.environ | {"MUTANT": str(number),
                                    "GATEHOUSE_SHARED": os.environ.get("GATEHOUSE_SHARED", str(ROOT / "../shared"))}
        try:
            ran = subprocess.run([self.program, "--gtest_fail_fast", f"--gtest_filter={tests}"], env=environment,
                                 cwd=SCRATCH, timeout=seconds, text=True, errors="replace", stdout=subprocess.PIPE,
                                 stderr=subprocess.DEVNULL)
        except subprocess.TimeoutExpired:
            return "a test that does not end"
        if ran.returncode == 0:
            return ""
        named = re.search(r"^\[  FAILED  \] (\S+?),? ", ran.stdout, re.M)
        running = re.findall(r"^\[ RUN      \] (\S+)", ran.stdout, re.M)
        return named[1] if named else (running[-1] if running else f"exit code {ran.returncode}")

    def judge(self, mutant):
        failed = self.run(mutant.number, self.room.first, self.seconds_max)
        return failed or (self.run(mutant.number, "*", self.seconds_max) if self.room.first != "*" else "")


def list_of(room):
    return HERE / f"{room.name}.txt"


def read_list(room):
    """key -> `killed by …` or `survives: why`."""
    rows = {}
    if list_of(room).is_file():
        for line in list_of(room).read_text().splitlines():
            if not line.startswith("#"):
                key, _, outcome = line.rpartition(" => ")
                rows[key] = outcome
    return rows


def write_list(room, outcomes, before):
    killed = sum(bool(failed) for failed in outcomes.values())
    lines = [f"# Mutants of {room.files}: {killed} of {len(outcomes)} killed ({percent(outcomes):.1f} %). "
             "file | line | change | which of its kind => outcome"]
    for mutant, failed in outcomes.items():
        reason = before.get(mutant.key, "")
        lines.append(f"{mutant.key} => " + (f"{KILLED}{failed}" if failed
                                            else reason if reason.startswith(EXPLAINED) else EXPLAINED))
    list_of(room).write_text("\n".join(lines) + "\n")


def percent(outcomes):
    return 100 * sum(bool(failed) for failed in outcomes.values()) / max(1, len(outcomes))


def run_room(room, wanted=None, jobs=2):
    """mutant -> what failed for it, for all of a room or those wanted."""
    files = mutated(room)
    mutants = [mutant for file in files for mutant in file.mutants if wanted is None or mutant.key in wanted]
    if not mutants:
        return {}
    tests = Tests(room, build(room, files))
    began, outcomes = time.monotonic(), {}
    with ThreadPoolExecutor(jobs) as pool:
        for mutant, failed in zip(mutants, pool.map(tests.judge, mutants)):
            outcomes[mutant] = failed
            if len(outcomes) % PROGRESS_EVERY == 0:
                print(f"  {room.name}: {len(outcomes)} of {len(mutants)} mutants, "
                      f"{sum(not one for one in outcomes.values())} survive ({time.monotonic() - began:.0f} s)",
                      flush=True)
    return outcomes


def again_of(room):
    """Keys of mutants that the room's list does not have as killed."""
    listed = read_list(room)
    return {mutant.key for file in mutated(room) for mutant in file.mutants
            if not listed.get(mutant.key, "").startswith(KILLED)}


def sample_of(count, seed=SEED):
    """room -> keys of its list, chosen by the seed."""
    rows = [(room, key) for room in ROOMS.values() for key in read_list(room)]
    chosen = {}
    for room, key in random.Random(seed).sample(rows, min(count, len(rows))):
        chosen.setdefault(room, set()).add(key)
    return chosen


def unexplained(room, outcomes):
    before = read_list(room)
    return [mutant for mutant, failed in outcomes.items()
            if not failed and len(before.get(mutant.key, "")) <= len(EXPLAINED)]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--room", choices=ROOMS)
    parser.add_argument("--sample", type=int)
    parser.add_argument("--again", action="store_true")
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    chosen = sample_of(options.sample) if options.sample else {room: None for room in ROOMS.values()
                                                              if options.room in (None, room.name)}
    good = True
    for room, wanted in chosen.items():
        began = time.monotonic()
        before = read_list(room)
        outcomes = run_room(room, again_of(room) if options.again else wanted, options.jobs)
        if options.again:
            outcomes = {mutant: outcomes[mutant] if mutant in outcomes else before[mutant.key].removeprefix(KILLED)
                        for file in mutated(room) for mutant in file.mutants}
        if options.write and wanted is None:
            write_list(room, outcomes, before)
        new = unexplained(room, outcomes)
        for mutant in new:
            print(f"SURVIVES {mutant.file}:{mutant.line}: {mutant.change}: {mutant.source}")
        killed = sum(bool(failed) for failed in outcomes.values())
        enough = wanted is not None or percent(outcomes) >= room.killed_min
        print(f"{room.name}: {killed} of {len(outcomes)} mutants killed ({percent(outcomes):.1f} %), "
              f"{len(outcomes) - killed - len(new)} survive with a reason, {len(new)} without; seed {SEED} "
              f"({time.monotonic() - began:.0f} s)", flush=True)
        for file, count in Counter(mutant.file for mutant in outcomes).items():
            print(f"    {file}: {count}")
        good = good and enough and not new
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
