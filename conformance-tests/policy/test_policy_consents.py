"""C07, C09, C10 and F14: merged patients and their consents, consents that contradict each other, broken glasses, and
what may not be written down as a consent. [design §4; threats C07, C09, C10, F14]"""

import datetime
import itertools
import json

import pytest

from peer import consents
from peer.gateway import PATHS
from peer.messages import cx, find_documents
from peer.names import ACT_REASON, NHIN_PURPOSES
from peer.records import CONFIDENTIALITY, Document, Patient
from peer.town import HOME, LAKESIDE, QUILL, RIVERSIDE, TEST_PATIENT, lakeside

pytestmark = pytest.mark.both_databases

GATED = (CONFIDENTIALITY, "V")


@pytest.fixture(scope="module")
def town(found_town):
    return found_town("consenting-town")


class People:
    """New patients, each with a document that opens only to a consent."""

    def __init__(self, town):
        self.town, self.count = town, 0

    def new(self, header=GATED):
        """Nobody in town is like them: every name is of other letters, every birth date of another day."""
        self.count += 1
        letters = "".join(chr(ord("a") + (self.count * 7 + place * 11) % 26) for place in range(7))
        born = f"{1930 + self.count % 60}{1 + self.count % 12:02}{1 + self.count % 28:02}"
        patient = Patient(f"PC-{self.count}", letters.capitalize(), letters[::-1].capitalize(), "F", born,
                          f"{self.count} {letters[2:5].capitalize()} Yard", telephone=f"+1-503-555-{self.count:04}")
        document = Document(f"2.999.1.14.{self.count}", patient, header=header)
        self.town.enter(patient)
        self.town.file(document)
        return patient, document


@pytest.fixture(scope="module")
def people(town):
    return People(town)


def listed_by_id(town, patient):
    return {entry.unique_id for entry in
            town.ask(town.sender().cross_gateway_query(find_documents(cx(patient.mrn, HOME)))).query.entries}


class TestC07:
    """Two records, of which the second is merged into the first."""

    @pytest.fixture()
    def two(self, people):
        return people.new(), people.new()

    def merge(self, town, survivor, retired, exit=0):
        town.gateway.command("patient", "merge", survivor.mrn, retired.mrn, "--reason", "registered twice", exit=exit)

    def unmerge(self, town, retired):
        town.gateway.command("patient", "unmerge", retired.mrn, "--reason", "two after all")

    @pytest.mark.parametrize("whose", [0, 1])
    def test_c07_what_either_record_forbids_is_forbidden_by_both_ids(self, town, two, whose):
        (survivor, _), (retired, _) = two
        consents.give(town, (survivor, retired)[whose], "--deny", "--to", RIVERSIDE)
        self.merge(town, survivor, retired)
        for patient in (survivor, retired):
            assert consents.outcome(town, patient) == "NF"
            assert listed_by_id(town, patient) == set()
        assert consents.outcome(town, survivor, town.sender(lakeside()), credential=lakeside().tls) == "OK"

    @pytest.mark.parametrize("whose", [0, 1])
    def test_c07_what_either_record_permits_opens_the_documents_of_both(self, town, two, whose):
        (survivor, hers), (retired, theirs) = two
        consents.permit(town, (survivor, retired)[whose], "V")
        self.merge(town, survivor, retired)
        for patient in (survivor, retired):
            assert listed_by_id(town, patient) == {hers.unique_id, theirs.unique_id}
        assert consents.retrieved(town, hers, theirs) == {hers.unique_id, theirs.unique_id}

    def test_c07_a_permit_of_one_and_a_denial_of_the_other_is_a_denial(self, town, two):
        (survivor, hers), (retired, theirs) = two
        consents.permit(town, survivor, "V")
        consents.give(town, retired, "--deny", "--label", "V")
        assert consents.given(town, hers)
        self.merge(town, survivor, retired)
        assert consents.retrieved(town, hers, theirs) == set()
        assert listed_by_id(town, survivor) == set()

    def test_c07_a_merge_between_query_and_retrieve_counts_at_the_retrieve(self, town, two):
        (survivor, hers), (retired, _) = two
        consents.permit(town, survivor, "V")
        consents.give(town, retired, "--deny", "--to", RIVERSIDE)
        assert listed_by_id(town, survivor) == {hers.unique_id}
        self.merge(town, survivor, retired)
        assert consents.retrieved(town, hers) == set()

    @pytest.mark.parametrize("whose", [0, 1])
    def test_c07_taken_back_what_was_forbidden_meanwhile_is_forbidden_by_both(self, town, two, whose):
        (survivor, hers), (retired, theirs) = two
        consents.permit(town, survivor, "V")
        self.merge(town, survivor, retired)
        consents.give(town, (survivor, retired)[whose], "--deny", "--to", RIVERSIDE)
        self.unmerge(town, retired)
        assert consents.outcome(town, survivor) == consents.outcome(town, retired) == "NF"
        assert consents.retrieved(town, hers, theirs) == set()

    @pytest.mark.parametrize("whose", [0, 1])
    def test_c07_taken_back_what_was_permitted_meanwhile_stays_with_whoever_it_was_given_for(self, town, two, whose):
        (survivor, hers), (retired, theirs) = two
        self.merge(town, survivor, retired)
        consents.permit(town, (survivor, retired)[whose], "V")
        assert consents.retrieved(town, hers, theirs) == {hers.unique_id, theirs.unique_id}
        self.unmerge(town, retired)
        assert (consents.given(town, hers), consents.given(town, theirs)) == (whose == 0, whose == 1)
        assert consents.outcome(town, survivor) == consents.outcome(town, retired) == "OK"

    def test_c07_taken_back_what_was_revoked_meanwhile_stays_revoked(self, town, two):
        (survivor, _), (retired, theirs) = two
        consents.permit(town, survivor, "V")
        consent = consents.permit(town, retired, "V")
        self.merge(town, survivor, retired)
        consents.revoke(town, survivor, consent)
        self.unmerge(town, retired)
        assert not consents.given(town, theirs)
        consents.permit(town, retired, "V")
        assert consents.given(town, theirs)

    def test_c07_in_a_chain_of_three_the_last_word_of_each_counts(self, town, people):
        rows = [people.new() for _ in range(4)]
        consents.permit(town, rows[0][0], "V")
        for retired, _ in rows[1:]:
            self.merge(town, rows[0][0], retired)
        assert listed_by_id(town, rows[3][0]) == {document.unique_id for _, document in rows}
        consents.give(town, rows[3][0], "--deny", "--label", "V")
        assert listed_by_id(town, rows[3][0]) == listed_by_id(town, rows[0][0]) == set()

    def test_c07_a_circle_is_refused_and_one_that_somebody_made_opens_nothing(self, town, two):
        (survivor, hers), (retired, _) = two
        consents.permit(town, survivor, "V")
        self.merge(town, survivor, retired)
        self.merge(town, retired, survivor, exit=1)
        assert consents.given(town, hers)
        town.gateway.alter("UPDATE patients SET survivor = (SELECT id FROM patients p WHERE p.mrn = "
                           f"'{retired.mrn}') WHERE mrn = '{survivor.mrn}'")
        assert consents.retrieved(town, hers) == set()
        assert consents.outcome(town, survivor) == consents.outcome(town, retired) == "NF"


ABOUT_V = ("--label", "V", "--purpose", "treatment", "--to")
SAID = {"permits Riverside": (*ABOUT_V, RIVERSIDE), "permits whoever treats": (*ABOUT_V, "treating-providers"),
        "forbids Riverside": ("--deny", "--label", "V", "--to", RIVERSIDE)}


class TestC09:
    @pytest.mark.parametrize("order", list(itertools.permutations(SAID)), ids=lambda order: ", ".join(order))
    def test_c09_a_denial_wins_in_whatever_order_they_were_saved(self, town, people, order):
        patient, document = people.new()
        saved = {name: consents.give(town, patient, *SAID[name]) for name in order}
        assert not consents.given(town, document)
        consents.revoke(town, patient, saved["forbids Riverside"])
        consents.give(town, patient, *SAID["permits Riverside"])
        assert consents.given(town, document)

    @pytest.mark.parametrize("order", list(itertools.permutations(list(SAID)[:2])), ids=lambda order: ", ".join(order))
    def test_c09_permits_alone_open_in_whatever_order(self, town, people, order):
        patient, document = people.new()
        for name in order:
            consents.give(town, patient, *SAID[name])
        assert consents.given(town, document)

    DENIALS = {
        "another organization": (("--to", LAKESIDE), True), "another purpose": (("--purpose", "payment"), True),
        "another label": (("--label", "HIV"), True),
        "another class": (("--class", "2.16.840.1.113883.6.1|11488-4"), True),
        "care of another time": (("--data-from", "2024-01-01"), True),
        "a time that is over": (("--everything", "--until", "then"), True),
        "a time to come": (("--everything", "--from", "2026-12-24"), True),
        "this organization": (("--to", RIVERSIDE), False),
        "this purpose": (("--purpose", "treatment"), False), "this label": (("--label", "V"), False),
        "this class": (("--class", "2.16.840.1.113883.6.1|34133-9"), False),
        "this document": (("--document", "IT"), False),
        "care of this time": (("--data-until", "2024-01-01"), False), "everything": (("--everything",), False)}

    @pytest.mark.parametrize("about", DENIALS)
    def test_c09_a_denial_counts_for_what_it_is_about(self, town, people, about):
        words, opens = self.DENIALS[about]
        patient, document = people.new()
        consents.permit(town, patient, "V")
        assert consents.given(town, document)
        words = [document.unique_id if word == "IT" else word for word in words]
        if about == "a time that is over":
            minute = (town.gateway.clock.now() + datetime.timedelta(minutes=2)).strftime("%Y-%m-%dT%H:%MZ")
            words = ["--everything", "--until", minute]
        consents.give(town, patient, "--deny", *words)
        if about == "a time that is over":
            assert not consents.given(town, document)
            town.gateway.clock.advance(minutes=2)
        assert consents.given(town, document) == opens

    def test_c09_the_older_denial_beats_the_newer_permit_until_both_are_said_anew(self, town, people):
        """A word taken back is the last word on its matter, and opens nothing."""
        patient, document = people.new()
        denial = consents.give(town, patient, "--deny", "--label", "V")
        consents.permit(town, patient, "V")
        assert not consents.given(town, document)
        consents.revoke(town, patient, denial)
        assert not consents.given(town, document)
        consents.permit(town, patient, "V")
        assert consents.given(town, document)

    def test_c09_what_staff_revoked_says_nothing_any_more_and_an_older_one_is_no_way_back(self, town, people):
        patient, document = people.new()
        consents.permit(town, patient, "V")
        last = consents.permit(town, patient, "V")
        assert consents.given(town, document)
        consents.revoke(town, patient, last)
        message = town.find_documents(patient)
        assert (town.ask(message).query.entries, consents.refusals(town, message)) == ((), {"consent-revoked"})
        consents.permit(town, patient, "V")
        assert consents.given(town, document)

    def test_c09_a_permit_that_lies_ahead_opens_nothing_yet(self, town, people):
        patient, document = people.new()
        consents.permit(town, patient, "V", "--from", "2026-12-24")
        message = town.find_documents(patient)
        assert (town.ask(message).query.entries, consents.refusals(town, message)) == ((), {"consent-future"})

    @pytest.mark.parametrize("column, value", [("status", "'draft'"), ("status", "''"), ("provision", "'{'"),
                                               ("provision", "'{\"type\":\"permit\",\"odd\":1}'")])
    def test_c09_one_that_cannot_be_understood_closes_everything(self, town, people, column, value):
        patient, document = people.new()
        consents.permit(town, patient, "V")
        town.gateway.alter(f"UPDATE consents SET {column} = {value} WHERE patient = "
                           f"(SELECT id FROM patients WHERE mrn = '{patient.mrn}')")
        assert not consents.given(town, document)

    @pytest.mark.parametrize("status", ["proposed", "entered-in-error", "revoked"])
    def test_c09_one_that_is_not_in_force_permits_and_forbids_nothing(self, town, people, status):
        open_patient, open_document = people.new((CONFIDENTIALITY, "N"))
        consents.give(town, open_patient, "--deny", "--everything")
        gated_patient, gated_document = people.new()
        consents.permit(town, gated_patient, "V")
        assert not consents.given(town, open_document) and consents.given(town, gated_document)
        for patient in (open_patient, gated_patient):
            town.gateway.alter(f"UPDATE consents SET status = '{status}' WHERE patient = "
                               f"(SELECT id FROM patients WHERE mrn = '{patient.mrn}')")
        assert consents.given(town, open_document) and not consents.given(town, gated_document)


SYSTEMS = "http://terminology.hl7.org/CodeSystem/"


def provision(kind, *exceptions, home=None, label=None, code="TREAT"):
    """One of a FHIR Consent."""
    said = {"type": kind, "purpose": [{"system": SYSTEMS + "v3-ActReason", "code": code}]}
    if home:
        role = {"coding": [{"system": SYSTEMS + "v3-ParticipationType", "code": "IRCP"}]}
        said["actor"] = [{"role": role, "reference": {"identifier": {"system": "urn:ietf:rfc:3986",
                                                                     "value": f"urn:oid:{home}"}}}]
    if label:
        said["securityLabel"] = [{"system": SYSTEMS + "v3-Confidentiality", "code": label}]
    return said | ({"provision": list(exceptions)} if exceptions else {})


def bring(town, patient, root, status="active"):
    """Imports a FHIR Consent of a patient."""
    resource = {"resourceType": "Consent", "status": status, "dateTime": "2026-11-20",
                "identifier": [{"system": "urn:test:nested", "value": patient.mrn}],
                "scope": {"coding": [{"system": SYSTEMS + "consentscope", "code": "patient-privacy"}]},
                "category": [{"coding": [{"system": "http://loinc.org", "code": "59284-0"}]}],
                "patient": {"identifier": {"system": f"urn:oid:{HOME}", "value": patient.mrn}},
                "policy": [{"uri": "https://elsewhere.example/policy"}], "provision": root}
    file = town.gateway.write("nested.ndjson", json.dumps(resource) + "\n")
    town.gateway.command("consent", "import", file, "--by", "Ruth Reception")


class TestC09Nested:
    """The more specific statement wins, a deny at a tie; permits open only where all around them speaks too."""

    PERMIT = provision("permit", home=RIVERSIDE, label="V")
    ROWS = {
        "a permit": (PERMIT, True),
        "a permit within a deny": (provision("deny", PERMIT), True),
        "a permit for another within a deny": (provision("deny", provision("permit", home=LAKESIDE, label="V")), False),
        "a deny within a permit": (provision("permit", provision("deny", home=RIVERSIDE), home=RIVERSIDE, label="V"),
                                   False),
        "a deny for another within a permit": (provision("permit", provision("deny", home=LAKESIDE), home=RIVERSIDE,
                                                         label="V"), True),
        "a deny beside a permit, in a permit": (provision("permit", PERMIT, provision("deny", home=RIVERSIDE)), False),
        "a permit within a deny within a permit": (provision("permit", provision("deny", PERMIT, home=RIVERSIDE),
                                                             home=RIVERSIDE, label="V"), True),
        "a permit within a permit to another": (provision("permit", PERMIT, home=LAKESIDE), False),
    }

    @pytest.mark.parametrize("name", ROWS)
    def test_c09_an_exception_is_what_its_place_makes_it(self, town, people, name):
        root, opens = self.ROWS[name]
        patient, document = people.new()
        bring(town, patient, root)
        assert consents.given(town, document) == opens

    @pytest.mark.parametrize("status", ["draft", "proposed", "inactive", "entered-in-error", "rejected"])
    def test_c09_what_is_not_active_says_nothing(self, town, people, status):
        patient, document = people.new()
        bring(town, patient, self.PERMIT, status)
        assert not consents.given(town, document)
        assert consents.outcome(town, patient) == "OK"
        open_patient, open_document = people.new((CONFIDENTIALITY, "N"))
        bring(town, open_patient, provision("deny", home=RIVERSIDE), status)
        assert consents.given(town, open_document)


class TestC10:
    """What a broken glass is to a partner: nothing. To our own people: test_break_glass.py."""

    @pytest.fixture()
    def broken(self, town, people):
        """A patient for whom a doctor of this test alone has broken the glass. @return patient, document, doctor"""
        patient, document = people.new()
        doctor = f"Dr. Ada {patient.family}"
        town.gateway.command("policy", "breakglass", patient.mrn, "--user", doctor, "--role", "emergency physician",
                             "--reason", "unconscious in the emergency department", "--minutes", 60)
        asked = ("policy", "decide", "--patient", patient.mrn, "--document", document.unique_id, "--home", HOME)
        assert town.gateway.json(*asked, "--purpose", "TREATMENT", "--user", doctor)["verdict"] == "permit"
        return patient, document, doctor

    def test_c10_it_opens_nothing_to_a_partner_not_even_under_the_same_name(self, town, broken):
        patient, document, doctor = broken
        sender = town.sender()
        for user in ("Jennifer Parker", doctor):
            assert not consents.given(town, document, sender.but(token=sender.token.but(user=user)))
        consents.permit(town, patient, "V")
        assert consents.given(town, document)

    @pytest.mark.parametrize("pair", [(NHIN_PURPOSES, "EMERGENCY"), (ACT_REASON, "BTG"), (ACT_REASON, "ETREAT")])
    @pytest.mark.parametrize("beside", [(), ((NHIN_PURPOSES, "TREATMENT"),)], ids=["alone", "beside treatment"])
    def test_c10_a_partner_that_says_emergency_is_not_believed(self, town, broken, pair, beside):
        patient, document, _ = broken
        sender = town.sender()
        urgent = sender.but(token=sender.token.but(purposes=(*beside, pair)))
        assert consents.listed(town, patient, urgent) == set()
        assert consents.retrieved(town, document, sender=urgent) == set()
        twin = sender.but(token=sender.token.but(purposes=((ACT_REASON, "TREAT"),)))
        assert consents.outcome(town, patient, twin) == "OK"


class TestF14:
    """Refused writes: test_consent_commands.py and test_consent_files.py."""

    def test_f14_a_back_dated_consent_changes_nothing_that_was(self, town, people):
        """What was answered stays answered, and the history says when it was written."""
        patient, document = people.new()
        message = town.find_documents(patient)
        town.ask(message)
        consents.permit(town, patient, "V", "--from", "2020-01-01")
        assert consents.given(town, document)
        assert consents.refusals(town, message) == {"sensitive-no-consent"}
        today = town.gateway.clock.now().strftime("%Y-%m-%d")
        assert town.gateway.json("consent", "history", patient.mrn)["history"][-1]["set_at"].startswith(today)


def test_c07_c09_nobody_else_was_touched(town):
    for patient in (QUILL, TEST_PATIENT):
        message = town.sender().patient_discovery(patient)
        assert town.ask(message, path=PATHS["ITI-55"]).discovery.query_response == "OK"
