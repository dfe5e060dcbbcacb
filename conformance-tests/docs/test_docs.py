"""Examples in the documentation are run as they stand, and what pages refer to exists."""

import os
import re
import subprocess
from pathlib import Path

import pytest

from peer.client import free_port
from peer.gateway import program

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md")),
         *sorted(ROOT.glob("*/README.md")), *sorted(ROOT.glob("*/*/README.md"))]


def test_the_start_page_leads_to_a_first_answer(tmp_path):
    blocks = re.findall(r"^```sh\n(.*?)^```$", (ROOT / "docs/start.md").read_text(), re.M | re.S)
    assert len(blocks) == 6
    script = "set -eo pipefail\ntrap 'kill $(jobs -p) 2>/dev/null || true' EXIT\n" + "\n".join(blocks)
    for port in ("18443", "19464"):  # the page's ports may be taken here
        script = script.replace(port, str(free_port()))
    environment = {**os.environ, "PATH": f"{program().parent}:{os.environ['PATH']}", "REPOSITORY": str(ROOT)}
    environment.pop("GATEHOUSE_CONFIG", None)
    ran = subprocess.run(["bash", "-c", script], cwd=tmp_path, env=environment, capture_output=True, text=True,
                         timeout=120, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "outcome: OK" in ran.stdout and "outcome: NF" in ran.stdout and "Permit." in ran.stdout


def commands():
    listed = subprocess.run([str(program()), "--help"], capture_output=True, text=True, check=True).stdout
    groups = re.findall(r"^  ([a-z]+) ", listed.split("Subcommands:")[1].split("\n\n")[0], re.M)
    for group in groups:
        help_text = subprocess.run([str(program()), group, "--help"], capture_output=True, text=True, check=True).stdout
        below = help_text.split("Subcommands:")
        if len(below) == 1:
            yield (group,)
        else:
            yield from ((group, name) for name in re.findall(r"^  ([a-z-]+) ", below[1].split("\n\n")[0], re.M))


def test_every_command_has_help_with_an_example():
    found = list(commands())
    assert len(found) > 25
    for words in found:
        ran = subprocess.run([str(program()), *words, "--help"], capture_output=True, text=True, check=False)
        assert ran.returncode == 0, words
        assert f"Example:\n  gatehouse {' '.join(words)}" in ran.stdout, words


@pytest.mark.parametrize("arguments, exit_code", [
    ((), 2), (("nonsense",), 2), (("policy", "set"), 2), (("patient", "import", "/nowhere", "--config", "/nowhere"), 1),
])
def test_exit_codes_tell_bad_usage_from_failure(arguments, exit_code):
    ran = subprocess.run([str(program()), *arguments], capture_output=True, text=True, check=False)
    assert ran.returncode == exit_code, ran.stdout + ran.stderr
    assert ran.stderr, "an error says what to do"


def test_an_unknown_key_is_refused_with_the_nearest_known_name(tmp_path):
    (tmp_path / "g.toml").write_text('[network]\nprot = 8443\n')
    ran = subprocess.run([str(program()), "clinic", "list", "--config", str(tmp_path / "g.toml")], capture_output=True,
                         text=True, check=False)
    assert ran.returncode == 1
    assert "network.prot" in ran.stderr and "network.port" in ran.stderr


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_pages_refer_to_what_exists(page):
    prose = re.sub(r"^```.*?^```$", "", page.read_text(), flags=re.M | re.S)
    for target in re.findall(r"\]\(([^)#]+)\)", prose):
        if not target.startswith("http"):
            assert (page.parent / target).exists(), target


def defines(text, file, test):
    """Whether a source defines the test `Suite.Name` (C++), `test_name` or `Class.test_name` (Python)."""
    if file.endswith(".py"):
        return all(re.search(rf"^\s*(?:def|class) {name}\b", text, re.M) for name in test.split("."))
    suite, _, name = test.partition(".")
    return re.search(rf"^TEST(?:_F|_P)?\({suite}, {name}\)", text, re.M)


@pytest.mark.parametrize("page", [ROOT / "docs/specs.md", ROOT / "docs/quirks.md", ROOT / "docs/security.md"],
                         ids=lambda page: page.name)
def test_tables_name_files_and_tests_that_exist(page):
    sources = {path.relative_to(ROOT).as_posix() for path in ROOT.rglob("*") if path.suffix in (".cpp", ".hpp", ".py")
               and "build" not in path.parts}
    texts = {}
    for row in page.read_text().splitlines():
        for file, test in re.findall(r"`((?:[\w-]+/)+[\w-]+\.(?:cpp|hpp|py))(?:::(\w+(?:\.\w+)?))?`", row):
            assert file in sources, f"{file} in: {row}"
            if test:
                text = texts.setdefault(file, (ROOT / file).read_text())
                assert defines(text, file, test), f"{file}::{test}"


THREATS = {"K": [*range(1, 18), 21, 22], "X": range(18), "W": range(1, 23), "A": range(1, 14), "T": range(1, 18),
           "R": range(1, 8), "S": range(1, 8), "M": range(1, 11), "H": range(1, 13), "L": range(1, 13),
           "C": range(1, 15), "F": [14], "O": [*range(1, 6), 9, 10, 12, 13, 14]}


def test_every_threat_of_this_release_has_a_row_with_its_state():
    rows = re.findall(r"^\| ([A-Z]\d\d?)(?:–[A-Z](\d\d))? \| .* \| (.*) \| (.*) \|$",
                      (ROOT / "docs/security.md").read_text().partition("<!-- cases")[0], re.M)
    ids = []
    for first, last, tests, state in rows:
        assert re.match(r"covered$|(?:covered|partly|later): \S", state), first
        assert "::" in tests or state.startswith("later"), first
        numbers = range(int(first[1:]), int(last or first[1:]) + 1)
        ids += [first] if not last else [f"{first[0]}{number:02}" for number in numbers]
    assert len(set(ids)) == len(ids)
    assert {kind + (f"{number}" if kind == "K" else f"{number:02}")
            for kind, numbers in THREATS.items() for number in numbers} <= set(ids)


def test_quotes_are_the_code_as_it_is():
    ran = subprocess.run([ROOT / "scripts/quote.py", "--check"], capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stdout) == (0, ""), "refresh them with scripts/quote.py"


def test_every_room_says_what_it_is_in_thirty_lines():
    rooms = [path for path in [*ROOT.glob("*"), *ROOT.glob("gateway/*")]
             if path.is_dir() and (list(path.glob("*.cpp")) or path.name in ("gateway", "direct", "conformance-tests"))]
    assert len(rooms) > 14
    for room in rooms:
        assert len((room / "README.md").read_text().splitlines()) <= 30, room
