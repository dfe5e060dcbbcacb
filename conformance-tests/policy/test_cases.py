"""The decision corpus: what `policy cases` says, that it is all there, and that its midnights are midnights."""

import datetime
import json
import os
import re
import subprocess
import zoneinfo
from collections import Counter
from pathlib import Path

import pytest

CASES = Path(__file__).resolve().parents[2] / "policy" / "cases"
FILES = sorted(CASES.glob("*.txt"))
TIME = re.compile(r"(?:from|until|given|expires) (\d{4}-\d\d-\d\dT[^\s,]+)")
MIDNIGHT = re.compile(r"^(.*?)\s*# midnight (\S+)$", re.M)
REASONS = {"caller-untrusted", "caller-unknown", "caller-inactive", "caller-not-delegated", "purpose-missing",
           "purpose-unknown", "purpose-not-supported", "token-for-another-patient", "patient-purpose",
           "clinic-purpose", "hie-none", "hie-future", "hie-expired", "hie-revoked",
           "organization-denied", "class-not-shared", "sensitive-no-consent", "consent-expired",
           "consent-future", "consent-revoked", "policy-error"}


def ran(built, *arguments, **environment):
    return subprocess.run([built, "policy", "cases", *arguments], capture_output=True, text=True, timeout=60,
                          env=os.environ | environment)


@pytest.fixture(scope="module")
def cases(built):
    return json.loads(ran(built, "--json").stdout)["cases"]


class TestTheCorpus:
    def test_is_decided_as_expected(self, cases):
        assert [case["name"] for case in cases if not case["ok"]] == []
        assert {tuple(case) for case in cases} == {("name", "verdict", "reason", "ok")}

    def test_is_all_of_the_files(self, cases):
        written = [name for path in FILES for name in re.findall(r"^case: (.*?)(?: *#.*)?$", path.read_text(), re.M)]
        assert len(written) >= 200
        assert sorted(case["name"] for case in cases) == sorted(written)

    def test_says_a_reason_for_every_denial(self, cases):
        reasons = Counter((case["verdict"], case["reason"]) for case in cases)
        assert {verdict for verdict, _ in reasons} == {"permit", "deny"}
        assert {reason for verdict, reason in reasons if verdict == "deny"} == REASONS
        assert {reason for verdict, reason in reasons if verdict == "permit"} == {"permitted"}

    def test_does_not_depend_on_the_machines_time_zone(self, built, cases):
        for zone in ("UTC", "America/New_York", "Asia/Kolkata", "Pacific/Kiritimati"):
            assert json.loads(ran(built, "--json", TZ=zone).stdout)["cases"] == cases


class TestTheCommand:
    def test_prints_a_table_without_any_configuration(self, built, cases, tmp_path):
        result = subprocess.run([built, "policy", "cases"], capture_output=True, text=True, cwd=tmp_path, timeout=60)
        lines = result.stdout.splitlines()
        assert (result.returncode, result.stderr) == (0, "")
        assert lines[0].split() == ["name", "verdict", "reason", "ok"]
        assert len(lines) == len(cases) + 2
        assert lines[-1] == f"{len(cases)} cases, 0 not as expected."

    def test_ends_with_0_also_as_json(self, built):
        assert ran(built, "--json").returncode == 0

    def test_has_help_with_an_example(self, built):
        result = ran(built, "--help")
        assert result.returncode == 0
        assert "gatehouse policy cases --json" in result.stdout

    def test_takes_no_other_option(self, built):
        assert ran(built, "--quick").returncode == 2


class TestMidnights:
    def marked(self):
        for path in FILES:
            for text, zone in MIDNIGHT.findall(path.read_text()):
                yield text, zone

    def test_are_midnights_of_the_zones_they_are_said_to_be_of(self):
        checked = 0
        for text, zone in self.marked():
            for written in TIME.findall(text):
                instant = datetime.datetime.fromisoformat(written)
                there = instant.astimezone(zoneinfo.ZoneInfo(zone))
                assert there.time() == datetime.time(), f"{written} is {there} in {zone}"
                assert there.utcoffset() == instant.utcoffset(), f"{written} is {there} in {zone}"
                checked += 1
        assert checked >= 100

    def test_lie_on_both_sides_of_both_changes_of_the_clocks(self):
        seen = {(zone, datetime.datetime.fromisoformat(written).date().isoformat())
                for text, zone in self.marked() for written in TIME.findall(text)}
        for zone in ("America/New_York", "America/Chicago"):
            for day in ("2026-03-08", "2026-03-09", "2026-11-01", "2026-11-02"):
                assert (zone, day) in seen
        assert ("Asia/Kolkata", "2026-11-01") in seen and ("Pacific/Kiritimati", "2026-11-01") in seen
        assert ("America/New_York", "2028-02-29") in seen

    def test_of_sends_to_the_hie_lie_on_both_sides_of_both_changes_of_the_clocks(self):
        marked = [(zone, written) for text, zone in MIDNIGHT.findall((CASES / "hie.txt").read_text())
                  if text.startswith("hie consent: ") for written in TIME.findall(text)]
        days = {datetime.datetime.fromisoformat(written).date().isoformat()
                for zone, written in marked if zone == "America/Chicago"}
        assert days >= {"2026-01-05", "2027-01-05", "2026-03-08", "2026-03-09", "2026-11-01", "2026-11-02"}

    def test_would_show_a_midnight_of_another_zone(self):
        instant = datetime.datetime.fromisoformat("2026-11-01T00:00:00-05:00")
        assert instant.astimezone(zoneinfo.ZoneInfo("America/New_York")).time() == datetime.time(1)
        assert instant.astimezone(zoneinfo.ZoneInfo("America/Chicago")).time() == datetime.time()
