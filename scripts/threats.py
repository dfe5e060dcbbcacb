#!/usr/bin/env python3
"""Which attacks of docs/security.md were tried in a run, how often, and whether each guard held.

    scripts/threats.py RESULTS            RESULTS: a directory of JUnit files
    scripts/threats.py RESULTS --write    also writes the table into docs/security.md

Exits 1 where a test that a row names failed or did not run.
"""

import re
import sys
import xml.etree.ElementTree as tree
from pathlib import Path

DOCUMENT = Path(__file__).resolve().parents[1] / "docs" / "security.md"
BEGIN, END = "<!-- cases: written by scripts/threats.py -->\n", "<!-- end of cases -->\n"
ROW = re.compile(r"^\| ([A-Z]\d\d?(?:–[A-Z]\d\d)?|K\d+) \|")


def rows(text):
    """(id, attack, tests it names, state) of each row."""
    for line in text.partition(BEGIN)[0].splitlines():
        if ROW.match(line):
            name, attack, _, tests, state = (cell.strip() for cell in line.strip("|\n ").split(" | "))
            yield name, attack, re.findall(r"`([^`]+::[^`]+)`", tests), state.rstrip("| ").split(":")[0]


ROOMS = ("base", "certs", "policy", "xca", "direct", "gateway")


def read_results(results):
    """`path::Suite.Name` or `path::Class.name` -> {case: whether it passed everywhere}; parameters are cases."""
    found = {}
    for file in sorted(Path(results).glob("*.xml")):
        for case in tree.parse(file).iter("testcase"):
            path, suite, name = place(case)
            bare = re.sub(r"\[.*\]$|/[^/]*$", "", name, flags=re.DOTALL)
            passed = not any(case.find(word) is not None for word in ("failure", "error", "skipped"))
            key = f"{path}::{suite}.{bare}" if suite else f"{path}::{bare}"
            cases = found.setdefault(key, {})
            cases[name] = cases.get(name, True) and passed
    return found


def place(case):
    """(file, suite or class, name) of a test as GoogleTest and pytest write them."""
    suite, name, file = case.get("classname"), case.get("name"), case.get("file")
    if file:
        return re.search(rf"(?:{'|'.join(ROOMS)})/(?!.*\.\./).*", file).group(), suite.split("/")[-1], name
    parts = suite.split(".")
    module = next(i for i, part in enumerate(parts) if part.startswith("test_"))
    folders = [part for part in parts[:module] if part != "conformance-tests"]
    return "/".join(["conformance-tests", *folders, parts[module]]) + ".py", ".".join(parts[module + 1:]), name


def cases_of(test, found):
    """A class named without its tests is all of them."""
    return {(key, case): passed for key, cases in found.items() if key == test or key.startswith(test + ".")
            for case, passed in cases.items()}


def table(text, found):
    """@return the table as Markdown, how many different cases it has, and what went wrong as sentences"""
    lines, wrong, different = ["| id | attack | cases | verdict |", "|---|---|---|---|"], [], set()
    for name, attack, tests, state in rows(text):
        cases = {}
        for test in tests:
            ran = cases_of(test, found)
            if not ran:
                wrong.append(f"{name}: {test} did not run")
            cases |= ran
        failed = sorted(f"{test} {case}" for (test, case), passed in cases.items() if not passed)
        wrong += [f"{name}: {one} failed" for one in failed]
        verdict = "FAILED" if failed else "held" if cases else state
        lines.append(f"| {name} | {attack} | {len(cases)} | {verdict} |")
        different |= set(cases)
    return "\n".join(lines) + "\n", len(different), wrong


def main():
    if len(sys.argv) not in (2, 3) or sys.argv[2:] not in ([], ["--write"]):
        sys.exit(__doc__)
    text = DOCUMENT.read_text()
    shown, total, wrong = table(text, read_results(sys.argv[1]))
    print(shown + f"{total} different cases")
    print("\n".join(wrong), end="\n" if wrong else "")
    if sys.argv[2:]:
        head, _, rest = text.partition(BEGIN)
        DOCUMENT.write_text(head + BEGIN + "\n" + shown + f"\n{total} different cases.\n\n" + END + rest.partition(END)[2])
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
