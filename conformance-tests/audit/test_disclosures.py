"""`gatehouse disclosures`: what was released about a patient, for the patient's own eyes, a spreadsheet, a program."""

import csv
import io
import json

import pytest

from peer.gateway import PATHS
from peer.oracle import complaints
from peer.town import DOCUMENTS, QUILL, riverside

pytestmark = pytest.mark.both_databases


@pytest.fixture(scope="module")
def town(found_town):
    town = found_town("accounting-town")
    ask(town)
    return town


def ask(town):
    """Patient, documents, content; and once for a purpose that nothing is given for."""
    ids = [document.unique_id for document in DOCUMENTS[1:]]
    sender = town.sender()
    for transaction, message in (("ITI-55", sender.patient_discovery(QUILL)), ("ITI-38", town.find_documents(QUILL)),
                                 ("ITI-39", town.retrieve(*ids))):
        assert town.ask(message.wire(), path=PATHS[transaction]).status == 200
    town.ask(town.sender().asking_for("MARKETING").patient_discovery(QUILL).wire(), path=PATHS["ITI-55"])


def accounted(town, *more):
    return town.gateway.json("disclosures", QUILL.mrn, *more)["disclosures"]


def test_name_organization_person_purpose_documents_and_decision(town):
    rows = accounted(town)
    assert [row["transaction"] for row in rows] == ["ITI-55", "ITI-38", "ITI-39"]
    for row in rows:
        assert row["organization"] == riverside().name and row["person"] and row["purposes"] == "TREATMENT"
        assert row["decision"] and row["delivery"] == "sent"
    assert set(rows[2]["documents"]) == {document.unique_id for document in DOCUMENTS[1:]}


def test_are_of_the_time_that_is_asked_for(town):
    at = accounted(town)[1]["at"]
    assert [row["transaction"] for row in accounted(town, "--to", at)] == ["ITI-55"]
    assert not accounted(town, "--from", "2100-01-01", "--to", "2101-01-01")


def test_as_csv_hold_the_same(town):
    rows = list(csv.DictReader(io.StringIO(town.gateway.command("disclosures", QUILL.mrn, "--format", "csv").output)))
    assert [row["request"] for row in rows] == [row["request"] for row in accounted(town)]
    assert rows[2]["documents"].split("; ") == accounted(town)[2]["documents"]


def test_as_audit_events_pass_the_oracle(town, shared, tmp_path):
    text = town.gateway.command("disclosures", QUILL.mrn, "--format", "fhir").output
    events = [entry["resource"] for entry in json.loads(text)["entry"]]
    assert [event["subtype"][1]["code"] for event in events] == ["ITI-55", "ITI-38", "ITI-39"]
    for event in events:
        assert event["meta"]["profile"][0].endswith("PrivacyDisclosure.Source")
    assert complaints(text, tmp_path) == ""
    for event in events:
        assert complaints(json.dumps(event), tmp_path) == ""


def test_the_oracle_sees_what_is_missing(town, shared, tmp_path):
    text = town.gateway.command("disclosures", QUILL.mrn, "--format", "fhir").output
    event = json.loads(text)["entry"][0]["resource"]
    event["agent"] = event["agent"][1:]
    assert "source" in complaints(json.dumps(event), tmp_path)


def test_without_any_are_an_empty_bundle(town, shared, tmp_path):
    text = town.gateway.command("disclosures", QUILL.mrn, "--format", "fhir", "--from", "2100-01-01").output
    assert complaints(text, tmp_path) == ""


def test_looking_is_written_down(town):
    mark = town.gateway.audit_mark()
    accounted(town)
    row, = [row for row in town.gateway.audit_since(mark) if row["payload"]["transaction"] == "disclosures"]
    assert row["outcome"] == "looked" and row["payload"]["patients"]


@pytest.mark.parametrize("arguments", [("NOBODY",), (QUILL.mrn, "--format", "pdf"), (QUILL.mrn, "--from", "May")])
def test_are_refused_in_one_sentence(town, arguments):
    town.gateway.command("disclosures", *arguments, exit=1)
