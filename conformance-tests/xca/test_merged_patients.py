"""Merged patients: every id finds the survivor, with what both permit; a denial stays an absence; and back again.
[design §4; threats C07]"""

import pytest

from peer import judges, names
from peer.gateway import PATHS
from peer.messages import cx, find_documents
from peer.records import Document, Patient
from peer.town import HOME

pytestmark = pytest.mark.both_databases

SURVIVOR = Patient("MP-1", "Abernathy", "Eudora", "F", "19610402", "3 Heron Lane")
RETIRED = Patient("MP-2", "Quackenbush", "Eudora", "F", "19610402", "9 Ferry Road")
HERS = Document("2.999.1.9.1", SURVIVOR, text="From the first record.")
THEIRS = Document("2.999.1.9.2", RETIRED, text="From the second record.")
BOTH = {HERS.unique_id, THEIRS.unique_id}


@pytest.fixture(scope="module")
def merged_town(found_town):
    return found_town("merged-town")


@pytest.fixture()
def two(merged_town):
    """Two records with a document each; they are taken away afterwards."""
    town = merged_town
    town.enter(SURVIVOR, RETIRED)
    town.file(HERS, THEIRS)
    yield town
    if town.gateway.run("patient", "unmerge", RETIRED.mrn, "--reason", "over", "--config", town.gateway.config).exit:
        pass  # not merged in this test
    for patient in (SURVIVOR, RETIRED):
        town.delete(patient)
    town.defaults("treatment")


def merge(town, survivor=SURVIVOR, retired=RETIRED, **options):
    return town.gateway.command("patient", "merge", survivor.mrn, retired.mrn, "--reason", "registered twice", "--by",
                                "Olga Staff", **options)


def unmerge(town):
    town.gateway.command("patient", "unmerge", RETIRED.mrn, "--reason", "two after all", "--by", "Olga Staff")


def discovered(town, patient):
    """Record numbers that ITI-55 gives for a patient's demographics."""
    found = town.ask(town.sender().patient_discovery(patient), path=PATHS["ITI-55"]).discovery
    return found.query_response, [match.extension for match in found.matches]


def documents(town, mrn):
    answer = town.ask(town.sender().cross_gateway_query(find_documents(cx(mrn, HOME), home=f"urn:oid:{HOME}")))
    assert answer.query.status == names.SUCCESS
    return {entry.unique_id for entry in answer.query.entries}


class TestAfterAMerge:
    def test_demographics_of_either_record_find_the_survivor(self, two):
        merge(two)
        assert discovered(two, SURVIVOR) == ("OK", [SURVIVOR.mrn])
        assert discovered(two, RETIRED) == ("OK", [SURVIVOR.mrn])

    def test_either_id_finds_the_documents_of_both(self, two):
        assert documents(two, RETIRED.mrn) == {THEIRS.unique_id}
        merge(two)
        assert documents(two, SURVIVOR.mrn) == BOTH
        assert documents(two, RETIRED.mrn) == BOTH

    def test_documents_of_the_retired_are_retrieved(self, two):
        merge(two)
        answer = two.ask(two.retrieve(HERS.unique_id, THEIRS.unique_id), path=PATHS["ITI-39"])
        assert {document.unique_id for document in answer.retrieve.documents} == BOTH

    def test_an_answer_is_valid_to_both_parsers(self, two, shared):
        merge(two)
        assert judges.schema_complaints(two.ask(two.find_documents(RETIRED))) == {}


class TestTheChoice:
    @pytest.mark.parametrize("survivors, retireds, permitted", [
        (None, ("payment",), False), (("treatment",), ("payment",), False), (("treatment", "payment"), ("treatment",), True),
        (("treatment",), (), False), (None, None, True)])
    def test_is_what_both_permit(self, two, survivors, retireds, permitted):
        for patient, purposes in ((SURVIVOR, survivors), (RETIRED, retireds)):
            if purposes is not None:
                two.choose(patient, *purposes)
        merge(two)
        for patient in (SURVIVOR, RETIRED):
            assert discovered(two, patient) == (("OK", [SURVIVOR.mrn]) if permitted else ("NF", []))
            assert documents(two, patient.mrn) == (BOTH if permitted else set())

    def test_made_with_the_retired_number_counts_for_the_survivor(self, two):
        merge(two)
        two.choose(RETIRED)
        assert discovered(two, SURVIVOR) == ("NF", [])


class TestTakenBack:
    def test_each_has_its_own_again(self, two):
        two.choose(RETIRED, "payment")
        merge(two)
        unmerge(two)
        assert discovered(two, SURVIVOR) == ("OK", [SURVIVOR.mrn])
        assert documents(two, SURVIVOR.mrn) == {HERS.unique_id}
        assert discovered(two, RETIRED) == ("NF", [])
        assert documents(two, RETIRED.mrn) == set()

    def test_what_was_denied_meanwhile_is_denied_by_both(self, two):
        merge(two)
        two.choose(SURVIVOR)
        unmerge(two)
        for patient in (SURVIVOR, RETIRED):
            assert discovered(two, patient) == ("NF", [])


class TestADeniedMerge:
    def test_is_answered_as_one_that_is_absent(self, two):
        """The same request bytes while both are denied by the retired record's choice, and when both are gone."""
        two.choose(RETIRED)
        merge(two)
        sender = two.sender()
        wires = {path: message.wire() for path, message in (
            (PATHS["ITI-55"], sender.patient_discovery(RETIRED)), (PATHS["ITI-38"], two.find_documents(RETIRED, sender)),
            (PATHS["ITI-39"], two.retrieve(THEIRS.unique_id, sender=sender)))}
        denied = {path: two.ask(wire, path=path) for path, wire in wires.items()}
        unmerge(two)
        for patient in (SURVIVOR, RETIRED):
            two.delete(patient)
        absent = {path: two.ask(wire, path=path) for path, wire in wires.items()}
        two.enter(SURVIVOR, RETIRED)
        for path in wires:
            assert judges.difference(denied[path], absent[path]) == ""
            words = (SURVIVOR.mrn, SURVIVOR.family, SURVIVOR.street)  # nothing the asker did not bring
            assert judges.leak(denied[path], words) == ""


class TestTheCommand:
    def test_refuses_a_cycle_and_a_second_merge(self, two):
        merge(two)
        assert "merged into itself" in merge(two, RETIRED, SURVIVOR, exit=1).errors
        assert "already" in merge(two, SURVIVOR, RETIRED, exit=1).errors
        assert two.gateway.command("patient", "delete", RETIRED.mrn, "--reason", "x", exit=1).errors

    def test_leaves_history_and_audit(self, two):
        mark = two.gateway.audit_mark()
        merge(two)
        unmerge(two)
        history = two.gateway.json("patient", "show", RETIRED.mrn)["merges"]
        assert len(history) == 2
        assert f"{RETIRED.mrn} merged into {SURVIVOR.mrn} by Olga Staff: registered twice" in history[0]
        events = [row["payload"] for row in two.gateway.audit_since(mark)]
        changes = [(event["transaction"], event["user"], event["sentence"]) for event in events
                   if event["transaction"].startswith("patient") and event["transaction"].endswith("merge")]
        assert changes == [("patient merge", "Olga Staff", "registered twice"),
                           ("patient unmerge", "Olga Staff", "two after all")]
