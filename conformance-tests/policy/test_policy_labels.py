"""C08: a label closes a document wherever it stands, a message only ever adds one, and staff alone take one away.
[design §4, sensitivity; docs/decisions/016; threats C08]"""

import itertools

import pytest

from peer import consents, records
from peer.gateway import PATHS
from peer.messages import stored_query
from peer.records import ACT_CODE, CONFIDENTIALITY, Document, Patient
from peer.submissions import REPLACES, Submission, entry_uuid, unique_id
from peer.town import HOME

pytestmark = pytest.mark.both_databases

PATIENT = Patient("PL-1", "Thornbury", "Rosalind", "F", "19590309", "8 Chapel Yard")
V, PART2, PSY, HIV = (CONFIDENTIALITY, "V"), (ACT_CODE, "42CFRPart2"), (ACT_CODE, "PSY"), (ACT_CODE, "HIV")
OWN = ("2.999.7", "SHELTER")  # of a system nobody here knows
NUCC, SNOMED = "2.16.840.1.113883.6.101", "2.16.840.1.113883.6.96"
numbers = itertools.count(1)


@pytest.fixture(scope="module")
def town(found_town):
    town = found_town("labelled-town")
    town.enter(PATIENT)
    return town


def filed(town, **markings):
    """A new document of the patient."""
    document = Document(f"2.999.1.15.{next(numbers)}", PATIENT, **markings)
    town.file(document)
    return document


def word(label):
    return label[1] if label[0] in (ACT_CODE, CONFIDENTIALITY) else "|".join(label)


def opened_by_its_consent(town, document, label):
    """Closed, and open while a consent names the label, this document and this partner."""
    if consents.given(town, document):
        return False
    consent = consents.permit(town, PATIENT, word(label), "--document", document.unique_id)
    opened = consents.given(town, document)
    consents.revoke(town, PATIENT, consent)
    assert not consents.given(town, document)
    return opened


def labelled(submission, name):
    """The submission's bytes, the document of that name with confidentiality V."""
    head, mark, tail = submission.file().decode().partition(f'id="{entry_uuid(name)}"')
    return head + mark + tail.replace('nodeRepresentation="N"', 'nodeRepresentation="V"', 1)


def submit(town, content):
    town.gateway.command("document", "import", town.gateway.write("labels.xml", content))


class TestC08WhereALabelStands:
    @pytest.mark.parametrize("place", ["header", "section", "entry", "author"])
    @pytest.mark.parametrize("label", [V, PART2, OWN], ids=word)
    def test_c08_anywhere_in_a_document_it_closes_the_document(self, town, place, label):
        """An organization's own code is a label where it is one that ships; any other code of it says what it does."""
        document = filed(town, **{place: label})
        if place == "author" and label == OWN:
            assert consents.given(town, document)
        else:
            assert opened_by_its_consent(town, document, label)

    @pytest.mark.parametrize("author", [(NUCC, "324500000X"), (NUCC, "261QM2800X"), (SNOMED, "20078004")], ids=word)
    def test_c08_a_place_that_treats_substance_use_makes_it_part_2(self, town, author):
        assert opened_by_its_consent(town, filed(town, author=author), PART2)

    @pytest.mark.parametrize("markings", [{}, {"header": (CONFIDENTIALITY, "R")}, {"section": (CONFIDENTIALITY, "R")},
                                          {"entry": HIV}, {"entry": PSY}, {"author": (NUCC, "207Q00000X")},
                                          {"text": "42CFRPart2"}], ids=str)
    def test_c08_what_is_open_stays_open(self, town, markings):
        assert consents.given(town, filed(town, **markings))

    def test_c08_what_the_clinic_gates_closes_what_is_held_already(self, town):
        document = filed(town, entry=HIV)
        assert consents.given(town, document)
        consents.set_up(town, "gate=HIV")
        try:
            assert opened_by_its_consent(town, document, HIV)
        finally:
            consents.set_up(town, "gate=-HIV")
        assert consents.given(town, document)

    def test_c08_what_the_clinic_marks_closes_what_is_held_already(self, town):
        document = filed(town, entry=(ACT_CODE, "PSY"), author=(NUCC, "2084P0800X"))
        assert consents.given(town, document)
        consents.set_up(town, f"mark={NUCC}|2084P0800X:PSYTHPN")
        try:
            assert opened_by_its_consent(town, document, (ACT_CODE, "PSYTHPN"))
        finally:
            consents.set_up(town, f"mark=-{NUCC}|2084P0800X:PSYTHPN")
        assert consents.given(town, document)

    @pytest.mark.parametrize("place", ["header", "section", "entry"])
    def test_c08_an_unknown_label_is_closed_until_the_clinic_knows_it(self, town, place):
        document = filed(town, **{place: OWN})
        message = town.find_documents(PATIENT)
        assert document.unique_id not in {entry.unique_id for entry in town.ask(message).query.entries}
        assert "sensitive-no-consent" in consents.refusals(town, message)
        consents.set_up(town, f"know={OWN[0]}|{OWN[1]}")
        try:
            assert consents.given(town, document)
        finally:
            consents.set_up(town, f"know=-{OWN[0]}|{OWN[1]}")
        assert not consents.given(town, document)

    def test_c08_no_clinic_knows_open_what_the_law_closes(self, town):
        document = filed(town, header=PART2)
        town.gateway.command("settings", "set", "know=42CFRPart2", "--by", "Dana Admin", exit=1)
        assert not consents.given(town, document)

    def test_c08_every_gated_label_of_a_document_wants_its_own_consent(self, town):
        document = filed(town, header=V, entry=PART2)
        permit = [consents.permit(town, PATIENT, "V", "--document", document.unique_id)]
        assert not consents.given(town, document)
        permit.append(consents.permit(town, PATIENT, "42CFRPart2", "--document", document.unique_id))
        assert consents.given(town, document)
        for consent in permit:
            consents.revoke(town, PATIENT, consent)

    def test_c08_of_metadata_alone_they_close_the_entry(self, town):
        submission = Submission(PATIENT, HOME, "labels-set").document("labels-open").document("labels-closed")
        submit(town, labelled(submission, "labels-closed"))
        found = consents.listed(town, PATIENT)
        assert unique_id("labels-open") in found and unique_id("labels-closed") not in found


class TestC08UpByMessage:
    def test_c08_the_same_document_without_its_label_is_another_and_not_taken(self, town):
        document = filed(town, entry=PART2)
        path = town.gateway.write("again.xml", records.ccda(document.but(entry=()), HOME))
        assert "needs a new id" in town.gateway.command("document", "import", path, exit=1).output
        assert opened_by_its_consent(town, document, PART2)

    def test_c08_a_new_version_loses_none(self, town):
        first = filed(town, section=PART2)
        second = filed(town, replaces=first.unique_id)
        assert opened_by_its_consent(town, second, PART2)
        third = filed(town, replaces=second.unique_id)
        assert opened_by_its_consent(town, third, PART2)

    def test_c08_none_of_its_eleventh_parent_is_lost(self, town):
        strangers = [f"2.999.5.{n}" for n in range(10)]
        parent = filed(town, section=PART2)
        assert opened_by_its_consent(town, filed(town, replaces=" ".join([*strangers, parent.unique_id])), PART2)

    def test_c08_one_with_more_parents_than_are_read_is_closed(self, town):
        most = [f"2.999.5.{n}" for n in range(100)]
        assert consents.given(town, filed(town, replaces=" ".join(most)))
        assert not consents.given(town, filed(town, replaces=" ".join([*most, "2.999.6"])))

    def test_c08_a_new_version_of_an_open_one_is_open(self, town):
        first = filed(town)
        second = filed(town, replaces=first.unique_id)
        assert consents.given(town, second)

    def test_c08_a_new_version_may_bear_more(self, town):
        first = filed(town)
        assert consents.given(town, first)
        assert opened_by_its_consent(town, filed(town, header=V, replaces=first.unique_id), V)

    def test_c08_a_submission_that_replaces_loses_none(self, town):
        older = Submission(PATIENT, HOME, "labels-older-set").document("labels-older").document("labels-other")
        submit(town, labelled(older, "labels-older"))
        newer = Submission(PATIENT, HOME, "labels-newer-set").document("labels-newer").document("labels-newest")
        newer.relate("labels-newer", "labels-older", REPLACES).relate("labels-newest", "labels-other", REPLACES)
        submit(town, newer.file())
        found = consents.listed(town, PATIENT)
        assert unique_id("labels-newest") in found and unique_id("labels-newer") not in found


class TestC08DownByStaff:
    def test_c08_what_staff_take_away_counts_no_more_whoever_says_it(self, town):
        document = filed(town, header=V)
        assert not consents.given(town, document)
        consents.label(town, document, "--remove", "V")
        assert consents.given(town, document)
        town.file(document)
        assert consents.given(town, document)
        consents.label(town, document, "--add", "V")
        assert not consents.given(town, document)

    def test_c08_what_staff_add_stays_when_the_document_comes_again(self, town):
        document = filed(town)
        assert consents.given(town, document)
        consents.label(town, document, "--add", "PSYTHPN")
        assert not consents.given(town, document)
        town.file(document)
        assert opened_by_its_consent(town, document, (ACT_CODE, "PSYTHPN"))

    @pytest.mark.parametrize("words", [("--remove", "V"), ("--remove", "V", "--by", "Records Office"),
                                       ("--remove", "V", "--reason", " ", "--by", "Records Office"),
                                       ("--remove", "NOSUCH", "--reason", "looked at again", "--by", "Records Office")])
    def test_c08_not_without_a_reason_and_a_label_that_is_known(self, town, words):
        document = filed(town, header=V)
        town.gateway.command("document", "label", document.unique_id, *words, exit=1)
        assert not consents.given(town, document)

    def test_c08_it_is_written_down(self, town):
        document = filed(town, header=V)
        mark = town.gateway.audit_mark()
        consents.label(town, document, "--remove", "V")
        event, = [row["payload"] for row in town.gateway.audit_since(mark)]
        assert (event["transaction"], event["outcome"], event["user"], event["note"], event["documents"]) == (
            "document label", "changed", "Records Office", "-V", [document.unique_id])


def test_c08_a_query_by_label_says_nothing_about_what_is_closed(town):
    """confidentialityCode as a filter: the closed document is as absent as any other."""
    document = filed(town, header=V)

    def found():
        message = town.find_documents(PATIENT, ConfidentialityCode=[f"('V^^{CONFIDENTIALITY}')"])
        return document.unique_id in {entry.unique_id for entry in town.ask(message).query.entries}
    assert not found()
    consents.permit(town, PATIENT, "V", "--document", document.unique_id)
    assert found()


def test_c08_a_label_that_cannot_be_read_closes_the_document(town):
    document = filed(town)
    assert consents.given(town, document)
    town.gateway.alter(f"UPDATE documents SET labels = 'no line of ours' WHERE unique_id = '{document.unique_id}'")
    message = town.retrieve(document.unique_id)
    assert town.ask(message, path=PATHS["ITI-39"]).retrieve.documents == ()
    assert consents.refusals(town, message) == {"policy-error"}


def test_c08_an_entry_asked_for_by_its_uuid_is_as_closed(town):
    document = filed(town, section=V)

    def by_id():
        query = stored_query("urn:uuid:5c4f972b-d56b-40ac-a5fc-c8ca9b40b9d4",
                             {"$XDSDocumentEntryUniqueId": [f"('{document.unique_id}')"]}, f"urn:oid:{HOME}")
        return [entry.unique_id for entry in town.ask(town.sender().cross_gateway_query(query)).query.entries]
    assert by_id() == []
    consents.label(town, document, "--remove", "V")
    assert by_id() == [document.unique_id]
