"""`gatehouse policy simulate`: what changed settings would have answered and refused. [design §3]"""

import json

import pytest

from peer.gateway import PATHS
from peer.town import DOCUMENTS, HOME, LAKESIDE, QUILL, RIVERSIDE, TEST_PATIENT, lakeside, riverside

pytestmark = pytest.mark.both_databases


@pytest.fixture(scope="module")
def town(found_town):
    """Asked by two hospitals for treatment, by one for payment."""
    town = found_town("simulated-town")
    for partner in (riverside(), lakeside()):
        sender = town.sender(partner)
        town.ask(sender.patient_discovery(QUILL), partner, path=PATHS["ITI-55"])
    for _ in range(2):
        town.ask(town.find_documents(QUILL))
    town.ask(town.retrieve(DOCUMENTS[1].unique_id), path=PATHS["ITI-39"])
    town.ask(town.sender().asking_for("PAYMENT").patient_discovery(TEST_PATIENT), path=PATHS["ITI-55"])
    town.ask(town.sender().asking_for("MARKETING").patient_discovery(TEST_PATIENT), path=PATHS["ITI-55"])
    return town


def simulate(town, change, *more):
    return town.gateway.json("policy", "simulate", "--change", town.gateway.write("change.txt", change), *more)


def test_lists_who_would_newly_be_refused(town):
    found = simulate(town, f"refuse={RIVERSIDE}\n")
    rows = found["newly_refused"]
    assert {(row["transaction"], row["document"], row["times"]) for row in rows} == {
        ("ITI-55", "", 1), ("ITI-38", DOCUMENTS[1].unique_id, 2), ("ITI-38", DOCUMENTS[2].unique_id, 2),
        ("ITI-39", DOCUMENTS[1].unique_id, 1)}
    for row in rows:
        assert (row["organization"], row["home"].removeprefix("urn:oid:"), row["patient"]) == (riverside().name, RIVERSIDE,
                                                                                                    QUILL.mrn)
        assert (row["purposes"], row["before"], row["after"]) == ("TREATMENT", "permitted", "organization-denied")
        assert row["because"] and f"refuse=-{RIVERSIDE}" in row["would_change"]
    totals = found["totals"]
    assert (totals["requests"], totals["requests_changed"], totals["newly_refused"]) == (6, 4, 6)
    assert (totals["answered_alike"], totals["refused_alike"], found["newly_answered"]) == (1, 1, [])


def test_lists_who_would_newly_be_answered(town):
    found = simulate(town, json.dumps({"settings": {"purposes": "treatment,payment"}}))
    row, = found["newly_answered"]
    assert (row["patient"], row["purposes"], row["before"], row["after"]) == (TEST_PATIENT.mrn, "PAYMENT",
                                                                            "clinic-purpose", "permitted")
    assert found["newly_refused"] == [] and found["totals"]["answered_alike"] == 7


def test_is_for_people_too(town):
    text = town.gateway.command("policy", "simulate", "--change",
                                town.gateway.write("change.txt", f"refuse={LAKESIDE}")).output
    assert "Newly refused" in text and lakeside().name in text and riverside().name not in text


def test_is_what_then_happens(town):
    assert len(simulate(town, "purposes=none\n")["newly_refused"]) == 5
    try:
        town.defaults()
        assert town.ask(town.find_documents(QUILL)).query.entries == ()
    finally:
        town.defaults("treatment")
    assert len(town.ask(town.find_documents(QUILL)).query.entries) == 2


def test_takes_the_records_as_they_are_now(town):
    town.choose(QUILL, "treatment")
    try:
        assert simulate(town, "purposes=none\n")["newly_refused"] == []
    finally:
        town.forget_choice(QUILL)


def test_is_of_the_period_that_is_asked_for(town):
    assert simulate(town, f"refuse={RIVERSIDE}", "--until", "2026-11-20")["totals"]["requests"] == 0
    assert simulate(town, f"refuse={RIVERSIDE}", "--since", "2026-11-20")["totals"]["requests"] >= 6
    assert simulate(town, f"refuse={RIVERSIDE}", "--since", "2100-01-01")["totals"]["requests"] == 0


def test_changes_nothing_but_the_record_of_having_looked(town):
    before = town.gateway.json("settings", "show")
    mark = town.gateway.audit_mark()
    simulate(town, f"refuse={RIVERSIDE}\npurposes=none\n")
    event, = town.gateway.audit_since(mark)
    assert (event["payload"]["transaction"], event["outcome"]) == ("policy simulate", "looked")
    assert len(event["payload"]["patients"]) == 1, "who is shown"
    assert town.gateway.json("settings", "show") == before
    assert len(town.ask(town.find_documents(QUILL)).query.entries) == 2


def test_counts_what_is_no_longer_held(town):
    before = simulate(town, "gate=HIV")["totals"]
    town.delete(TEST_PATIENT)
    after = simulate(town, "gate=HIV")["totals"]
    assert (before["gone"], after["gone"]) == (0, 1)


@pytest.mark.parametrize("change, line", [("gate=HIV\nnonsense\n", 2), ("gate=SECRET\n", 1), ("\n\ncolour=blue", 3),
                                          ('{"settings": {\n"gate": ["SECRET"]}}', 2), ('{"settings": {\n\n}', 3)])
def test_of_a_file_that_cannot_be_read_is_refused_by_its_line(town, change, line):
    mark = town.gateway.audit_mark()
    ran = town.gateway.command("policy", "simulate", "--change", town.gateway.write("change.txt", change), exit=1)
    assert f"line {line}:" in ran.errors and ran.errors.count("\n") == 1 and ran.output == ""
    assert town.gateway.audit_since(mark) == []


def test_of_an_empty_or_missing_file_is_refused(town):
    town.gateway.command("policy", "simulate", "--change", town.gateway.write("change.txt", "# nothing\n"), exit=1)
    town.gateway.command("policy", "simulate", "--change", "/nowhere/change.txt", exit=1)
    town.gateway.command("policy", "simulate", exit=2)
    town.gateway.command("policy", "simulate", "--change", town.gateway.write("change.txt", "gate=HIV"), "--clinic",
                         "nobody's", exit=1)
    assert town.gateway.json("policy", "simulate", "--change", town.gateway.write("change.txt", "gate=HIV"), "--clinic",
                             HOME)["totals"]["requests"] >= 6
