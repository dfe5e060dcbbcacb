"""`audit export` and `audit retain`: the trail in forms others read, and forgotten in a way that can be proved.
[design: audit chain, retention; ITI-20]"""

import json
import subprocess

import pytest

from peer import judges
from peer.audit_repository import AuditMessage
from peer.gateway import PATHS
from peer.messages import cx
from peer.town import HOME, QUILL, STRANGER

pytestmark = pytest.mark.both_databases
SCHEMA = judges.SHARED / "schemas" / "audit" / "dicom-ps3.15-a5-2017c.xsd"


@pytest.fixture(scope="module")
def town(found_town):
    """Without an audit repository: what is exported comes from the trail alone."""
    town = found_town("exporting-town", at="2026-03-02T08:00:00Z")
    for patient in (QUILL, STRANGER):
        town.ask(town.sender().patient_discovery(patient), path=PATHS["ITI-55"])
    town.ask(town.retrieve("2.999.1.7.2001", "2.999.404"), path=PATHS["ITI-39"])
    town.gateway.clock.set("2026-03-05T08:00:00Z")
    town.ask(town.find_documents(QUILL))
    return town


def export(town, *options):
    return town.gateway.command("audit", "export", *options).output.splitlines()


class TestExport:
    def test_as_atna_is_one_valid_message_a_line(self, town, shared, tmp_path):
        lines = export(town, "--format", "atna")
        messages = [AuditMessage(line) for line in lines]
        kinds = [m.type[0] for m in messages if m.type and m.type[0].startswith("ITI")]
        assert kinds == ["ITI-55", "ITI-55", "ITI-39", "ITI-39", "ITI-38"]
        assert messages[kinds.index("ITI-55") + 1].patients in ([cx(QUILL.mrn, HOME)], [])
        files = []
        for number, line in enumerate(lines):
            files.append(tmp_path / f"{number}.xml")
            files[-1].write_text(line)
        ran = subprocess.run(["xmllint", "--nonet", "--noout", "--schema", SCHEMA, *files], capture_output=True)
        assert ran.returncode == 0, ran.stderr[:1000]

    def test_as_json_has_the_rows_of_the_search(self, town):
        searched = {(row["node"], row["seq"]): row["payload"] for row in town.gateway.audit(kind=None)}
        rows = [json.loads(line) for line in export(town, "--format", "json")]
        exported = {(row["node"], row["seq"]): row["payload"] for row in rows}
        assert {key: exported[key] for key in searched} == searched
        assert [row["at"] for row in rows] == sorted(row["at"] for row in rows)
        assert {row["kind"] for row in rows} == {"event", "decision"}

    def test_of_a_stretch_of_time_has_that_time_alone(self, town):
        only = [AuditMessage(line) for line in export(town, "--since", "2026-03-05", "--until", "2026-03-05T08:00:30Z")]
        assert {m.type[0] for m in only if m.type} == {"ITI-38"}
        assert export(town, "--since", "2026-03-03", "--until", "2026-03-04") == []

    def test_goes_to_a_new_file_that_others_cannot_read(self, town, tmp_path):
        file = tmp_path / "march.xml"
        said = town.gateway.json("audit", "export", "--output", file)
        assert said["lines"] == len(file.read_text().splitlines()) > 5
        assert file.stat().st_mode & 0o777 == 0o600
        town.gateway.command("audit", "export", "--output", file, exit=1)

    def test_is_written_down_before_anything_is_shown(self, town):
        mark = town.gateway.audit_mark()
        export(town, "--format", "json", "--since", "2026-03-03", "--until", "2026-03-04")
        noted = [row for row in town.gateway.audit_since(mark) if row["payload"]["transaction"] == "audit export"]
        assert len(noted) == 1 and noted[0]["payload"]["user"]

    @pytest.mark.parametrize("wrong", [("--format", "csv"), ("--since", "yesterday")])
    def test_refuses_what_it_does_not_understand(self, town, wrong):
        town.gateway.command("audit", "export", *wrong, exit=1)


class TestRetention:
    def test_forgets_payloads_and_the_chain_still_verifies(self, town):
        witness = town.gateway.data / "audit" / "witness.jsonl"
        before = town.gateway.json("audit", "verify", "--witness", witness)
        assert before["sound"] and before["removed_by_retention"] == 0
        said = town.gateway.json("audit", "retain", "--older-than", "2")
        assert said["removed"] > 5 and said["missing_already"] == 0
        after = town.gateway.json("audit", "verify", "--witness", witness)
        assert after["sound"] and after["removed_by_retention"] == said["removed"]
        assert after["witnessed"] >= before["witnessed"] and after["checkpoints"] >= before["checkpoints"]
        left = [row["payload"]["transaction"] for row in town.gateway.audit()]
        assert "ITI-38" in left and "ITI-55" not in left
        assert town.gateway.json("audit", "retain", "--older-than", "2")["removed"] == 0

    def test_by_nobody_is_found_out(self, town):
        """A payload that is missing though no retention says so."""
        newest = town.gateway.audit("--oldest-first")[0]
        statement = f"DELETE FROM audit_payloads WHERE node = '{newest['node']}' AND seq = {newest['seq']}"
        if town.gateway.database:
            subprocess.run(["psql", "-q", "-d", town.gateway.database, "-c", statement], check=True)
        else:
            subprocess.run(["sqlite3", town.gateway.data / "gatehouse.db", statement], check=True)
        exit_code, said = town.gateway.verify_audit()
        assert exit_code == 1 and "no retention says so" in said

    @pytest.mark.parametrize("days", ["0", "-1", "soon", "1.5"])
    def test_takes_whole_days_only(self, town, days):
        town.gateway.command("audit", "retain", f"--older-than={days}", exit=1)
