"""Checks of docs/house style that a program can make: floors, dead files, patient words in logs, sizes."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FLOOR = {"base": 0, "certs": 1, "policy": 1, "xca": 2, "direct": 2, "gateway": 3,
         "fuzz": 4}  # stands above all: nobody includes it, nothing of the program links it
# The one room in whose .cpp files each foreign library lives.
LIBRARY_ROOM = {
    r"<libxml/": ("base/xml", "gateway/documents/render.cpp",  # libxslt takes libxml2's documents
                   "fuzz/parsers.cpp"),
    r"<xercesc/": "fuzz/parsers.cpp",  # one parser in the program, two where they are compared: K11, X17 (decisions/006)
    r"<rapidjson/": "base/json",
    r"<openssl/": ("certs", "gateway/net"),
    r"<soci/": "gateway/store",
    r"<boost/asio": "gateway/net",
    r"<boost/beast": "gateway/net",
    r"<boost/url": "gateway/net",
    r"<spdlog/": "gateway",
    r"<prometheus/": "gateway/net",
    r"<CLI/": "gateway/cli",
    r"<toml\+\+/": "gateway/cli",
    r"<libxslt/|<libexslt/": "gateway/documents",
}
INCLUDE = re.compile(r'^#include ["<]([^">]+)[">]', re.M)


def tracked(*endings):
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [ROOT / line for line in listed.splitlines() if line.endswith(endings) and (ROOT / line).exists()]


SOURCES = [path for path in tracked(".cpp", ".hpp") if path.relative_to(ROOT).parts[0] in FLOOR]


def name(path):
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_a_room_uses_only_rooms_on_lower_floors(path):
    room = path.relative_to(ROOT).parts[0]
    for included in INCLUDE.findall(path.read_text()):
        other = included.split("/")[0]
        if other in FLOOR and other != room:
            assert FLOOR[other] < FLOOR[room], f"{name(path)} includes {included} of a neighbour or a higher floor"


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_a_foreign_library_lives_in_the_cpp_files_of_one_room(path):
    own = name(path)
    for line in path.read_text().splitlines():
        if not line.startswith("#include <"):
            continue
        for pattern, rooms in LIBRARY_ROOM.items():
            if re.search(pattern, line):
                rooms = (rooms,) if isinstance(rooms, str) else rooms
                # gateway stands for the files directly in it: log.cpp.
                assert any(own == room or own.startswith(room + "/") for room in rooms), f"{own}: {line}"


@pytest.mark.parametrize("path", [p for p in SOURCES if p.suffix == ".hpp"], ids=name)
def test_a_header_opens_with_its_guard_and_what_it_is_for(path):
    lines = path.read_text().splitlines()
    assert lines[0] == "#pragma once", name(path)
    assert lines[1].startswith("// "), f"{name(path)} does not say what it is for"


def test_the_program_holds_one_parser_of_xml(built):
    """Xerces is for tests: it reads DTDs unless told not to, and what two parsers see differently is an attack (K9)."""
    libraries = subprocess.run(["ldd", built], capture_output=True, text=True, check=True).stdout
    assert "libxml2" in libraries and "xerces" not in libraries.lower()


def test_every_header_is_included_by_somebody():
    included = set()
    for path in SOURCES + [ROOT / "cmake/precompiled.hpp", ROOT / "cmake/precompiled_tests.hpp"]:
        included.update(INCLUDE.findall(path.read_text()))
    unused = [name(path) for path in SOURCES if path.suffix == ".hpp" and name(path) not in included]
    assert not unused


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_a_file_is_one_subject(path):
    lines = len(path.read_text().splitlines())
    assert lines <= 600, f"{name(path)} has {lines} lines: perhaps two rooms in one"


PATIENT_WORDS = re.compile(r"family|given|birth|demographics|telecom|mrn|patient_id|\.person|address\(", re.I)


@pytest.mark.parametrize("path", [p for p in SOURCES if name(p).startswith("gateway")], ids=name)
def test_no_log_call_names_a_patient(path):
    for call in re.findall(r"\blog\(Level::.*?;", path.read_text(), re.S):
        assert not PATIENT_WORDS.search(call), f"{name(path)}: {call}"


@pytest.mark.parametrize("path", [p for p in SOURCES if not name(p).endswith("_test.cpp")], ids=name)
def test_nothing_is_left_over(path):
    text = path.read_text()
    for leftover in ("TODO", "FIXME", "XXX:", "HACK", "std::cout", "std::cerr", "printf(\"DEBUG", "xmlGetProp(", "xmlHasProp("):
        assert leftover not in text, f"{name(path)} holds {leftover}"


# Tests and seeds of the fuzz targets quote messages as they are on the wire.
@pytest.mark.parametrize("path", [p for p in SOURCES if not name(p).endswith("_test.cpp")
                                  and not name(p).startswith("fuzz/")], ids=name)
def test_lines_are_at_most_120_columns(path):
    for number, line in enumerate(path.read_text().splitlines(), 1):
        assert len(line) <= 120, f"{name(path)}:{number}"


def test_no_package_host_is_named():
    # The addresses that standards use as names are not hosts we fetch from.
    hosts = re.compile(r"deb\.debian\.org|registry\.npmjs|pypi\.org|pythonhosted|crates\.io|maven\.org|githubusercontent")
    for path in tracked(".sh", ".txt", ".py", ".cmake", ".json", ".md", "run"):
        if path != Path(__file__).resolve():
            assert not hosts.search(path.read_text(errors="replace")), name(path)


AGGREGATE_TRY = re.compile(r"\.\w+ = [^;{}]*\bTRY\(|\{[^;{}]*,\s*TRY\(|[A-Z]\w*\{TRY\(")


@pytest.mark.parametrize("path", [path for path in SOURCES if path.suffix == ".cpp"], ids=name)
def test_nothing_is_tried_within_the_braces_of_an_aggregate(path):
    """g++ 12 does not destroy the finished members of an aggregate that TRY leaves: what they hold leaks."""
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if re.match(r"\s*(\.|.*\{\s*\.|.*, \.)", line) or "{TRY(" in line or ", TRY(" in line:
            assert not AGGREGATE_TRY.search(line), f"{name(path)}:{number}: {line.strip()}"
