"""`gatehouse consent …`, `settings …`, `policy rules`: what a patient permits and forbids beyond purposes, from the
command to the wire. [design §3, §4: gates party, class and sensitivity]"""

import itertools
import json

import pytest

from peer import records
from peer.gateway import PATHS
from peer.records import Document, Patient
from peer.town import HOME, LAKESIDE, QUILL, RIVERSIDE, DOCUMENTS

pytestmark = pytest.mark.both_databases

CONFIDENTIALITY, ACT_CODE = "2.16.840.1.113883.5.25", "2.16.840.1.113883.5.4"
BY = ("--by", "Ruth Reception", "--as", "patient")
numbers = itertools.count(1)


@pytest.fixture(scope="module")
def town(found_town):
    return found_town("consents-town")


@pytest.fixture(autouse=True)
def as_it_was(town):
    yield
    rules = [row for row in town.gateway.json("policy", "rules")["rules"] if row["from"] == "clinic"]
    names = {"gated label": "gate", "known label": "know", "mark": "mark", "refused organization": "refuse"}
    back = [f"{names[row['rule']]}=-{row['value']}" for row in rules if row["rule"] in names]
    back += [f"share={row['value'].split(':')[0]}:all" for row in rules if row["rule"] == "shared classes"]
    town.gateway.command("settings", "set", "purposes=treatment", *back, "--by", "Olga Staff")


class Case:
    """A patient of one test, with one document that bears a label."""

    def __init__(self, town, label="V", system=CONFIDENTIALITY):
        number = next(numbers)
        self.town, self.gateway = town, town.gateway
        self.patient = Patient(f"CN-{number}", f"Consentfold{number}", "Ivy", "F", f"19800{number % 9 + 1}15")
        self.document = Document(f"2.999.1.8.{number}", self.patient)
        town.enter(self.patient)
        bytes_ = records.ccda(self.document, HOME).replace(
            f'code="N" codeSystem="{CONFIDENTIALITY}"'.encode(), f'code="{label}" codeSystem="{system}"'.encode())
        self.gateway.command("document", "import", self.gateway.write("labelled.xml", bytes_))

    def give(self, *options, exit=0):
        ran = self.gateway.command("consent", "give", self.patient.mrn, *options, *BY, "--json", exit=exit)
        return ran.json

    def give_all(self, *options, to=RIVERSIDE):
        return self.give("--label", "V", "--purpose", "treatment", "--to", to, *options)

    def revoke(self, consent, *options, exit=0):
        return self.gateway.command("consent", "revoke", self.patient.mrn, consent["id"], *(options or BY), exit=exit)

    def is_retrieved(self):
        """Whether the peer gets the document; listing it and its content must agree."""
        listed = [entry for entry in self.town.ask(self.town.find_documents(self.patient)).query.entries
                  if entry.unique_id == self.document.unique_id]
        got = self.town.ask(self.town.retrieve(self.document.unique_id), path=PATHS["ITI-39"]).retrieve.documents
        assert [entry.unique_id for entry in listed].count(self.document.unique_id) == len(got)
        return bool(got)

    def decide(self, *options, home=RIVERSIDE, purpose="TREATMENT", exit=None):
        ran = self.gateway.run("policy", "decide", "--patient", self.patient.mrn, "--home", home, "--purpose", purpose,
                               "--document", self.document.unique_id, *options, "--json", "--config",
                               self.gateway.config)
        answer = ran.json
        assert ran.exit == (0 if answer.get("verdict") == "permit" else 1), ran
        return answer

    def shown(self):
        return self.gateway.json("consent", "show", self.patient.mrn)["consents"]

    def history(self):
        return self.gateway.json("consent", "history", self.patient.mrn)["history"]


class TestAPermit:
    def test_opens_a_label_to_whom_it_names_on_the_next_request_until_it_is_revoked(self, town):
        case = Case(town)
        assert not case.is_retrieved()
        assert case.decide()["reason"] == "sensitive-no-consent"
        consent = case.give_all()
        assert (consent["state"], consent["not_in_the_directory"]) == ("in force", [])
        assert case.is_retrieved()
        assert case.decide()["verdict"] == "permit"
        assert case.decide(home=LAKESIDE)["reason"] == "sensitive-no-consent"
        case.revoke(consent)
        assert not case.is_retrieved()
        assert case.decide()["reason"] == "consent-revoked"
        assert "already" in case.revoke(consent, exit=1).errors

    def test_to_a_class_of_recipients_opens_to_whoever_treats(self, town):
        case = Case(town)
        case.give_all(to="treating-providers")
        assert case.decide(home=LAKESIDE)["verdict"] == "permit"
        assert case.is_retrieved()

    def test_of_records_of_a_substance_use_program_sends_the_notice_with_them(self, town):
        case = Case(town, "ETH", ACT_CODE)
        assert case.decide()["reason"] == "sensitive-no-consent"
        consent = case.give("--label", "ETH", "--purpose", "treatment", "--to", RIVERSIDE)
        answer = case.decide()
        assert answer["verdict"] == "permit"
        assert any(consent["id"] in one for one in answer["obligations"])

    def test_counts_in_its_period_alone(self, town):
        case = Case(town)
        future = case.give_all("--from", "2027-01-01")
        assert future["state"] == "future" and case.decide()["reason"] == "consent-future"
        assert not case.is_retrieved()
        other = Case(town)
        past = other.give_all("--from", "2026-01-01", "--until", "2026-02-01")
        assert past["state"] == "expired" and other.decide()["reason"] == "consent-expired"
        assert not other.is_retrieved()
        third = Case(town)
        now = third.give_all("--from", "2026-01-01", "--until", "2027-02-01")
        assert now["state"] == "in force" and third.is_retrieved()
        assert now["statements"] == [f"Permits giving documents labelled V to organization {RIVERSIDE} for Treatment, "
                                     "from 2026-01-01, until 2027-02-01."]
        assert "2027-02-01T05:00" in json.dumps(now["provision"]), "midnight in the clinic's zone"

    def test_of_one_document_opens_that_one(self, town):
        case = Case(town)
        consent = case.give_all("--document", case.document.unique_id)
        assert case.is_retrieved()
        case.revoke(consent)
        case.give_all("--class", "2.16.840.1.113883.6.1|34133-9", "--data-from", "2023-01-01", "--data-until",
                      "2024-01-01")
        assert case.is_retrieved()

    def test_to_whom_the_directory_does_not_know_says_so(self, town):
        case = Case(town)
        assert case.give_all(to="2.999.77")["not_in_the_directory"] == ["2.999.77"]
        assert not case.is_retrieved()


class TestADeny:
    def test_of_an_organization_is_as_if_the_patient_were_unknown(self, town):
        case = Case(town, "N")
        assert case.is_retrieved()
        consent = case.give("--deny", "--to", RIVERSIDE)
        assert not case.is_retrieved()
        assert case.decide()["reason"] == "organization-denied"
        assert case.decide(home=LAKESIDE)["verdict"] == "permit"
        case.revoke(consent)
        assert case.is_retrieved()

    def test_of_a_purpose_leaves_the_others(self, town):
        case = Case(town, "N")
        town.defaults("treatment", "payment")
        case.give("--deny", "--purpose", "payment")
        assert case.decide(purpose="PAYMENT")["reason"] == "patient-purpose"
        assert case.decide()["verdict"] == "permit" and case.is_retrieved()

    def test_of_a_document_leaves_the_others(self, town):
        case = Case(town, "N")
        case.give("--deny", "--document", case.document.unique_id)
        assert case.decide()["reason"] == "class-not-shared" and not case.is_retrieved()

    def test_of_everything_is_saved_where_it_is_said_in_so_many_words(self, town):
        case = Case(town, "N")
        assert "--everything" in case.give("--deny", exit=1)["error"]
        assert case.is_retrieved()
        case.give("--deny", "--everything", "--until", "2027-01-01")
        assert case.decide()["reason"] == "patient-purpose" and not case.is_retrieved()

    def test_wins_over_a_permit(self, town):
        case = Case(town)
        case.give_all()
        case.give("--deny", "--label", "V")
        assert not case.is_retrieved()


REFUSED = {
    "a permit of everything": (),
    "a permit that names no label": ("--purpose", "treatment", "--to", RIVERSIDE),
    "a permit of purposes alone": ("--purpose", "treatment"),
    "a denial of everything": ("--deny",),
    "a denial of everything for a time": ("--deny", "--from", "2027-01-01"),
    "everything beside a limit": ("--deny", "--everything", "--to", RIVERSIDE),
    "everything in a permit": ("--everything", "--label", "V", "--purpose", "treatment", "--to", RIVERSIDE),
    "a label nobody knows": ("--label", "SECRET", "--purpose", "treatment", "--to", RIVERSIDE),
    "no purpose beside a label": ("--label", "V", "--to", RIVERSIDE),
    "no recipient beside a label": ("--label", "V", "--purpose", "treatment"),
    "a purpose that is none": ("--label", "V", "--purpose", "research", "--to", RIVERSIDE),
    "no purpose at all": ("--deny", "--purpose", "none"),
    "a recipient by name": ("--label", "V", "--purpose", "treatment", "--to", "Riverside"),
    "a class without system": ("--deny", "--class", "34133-9"),
    "a document of nobody": ("--deny", "--document", "1.2.3"),
    "a document of another": ("--deny", "--document", DOCUMENTS[1].unique_id),
    "a day that is none": ("--deny", "--from", "tomorrow"),
    "an end before its beginning": ("--deny", "--from", "2027-01-02", "--until", "2027-01-01"),
    "an end that has passed": ("--deny", "--until", "2026-01-01"),
    "an end that is its beginning": ("--deny", "--data-from", "2026-01-01", "--data-until", "2026-01-01"),
    "somebody else's word": ("--deny", "--as", "neighbour"),
}


class TestWhatIsRefused:
    @pytest.fixture(scope="class")
    def case(self, town):
        return Case(town)

    @pytest.mark.parametrize("why", REFUSED)
    def test_says_in_one_sentence_what_to_do_and_saves_nothing(self, case, why):
        ran = case.gateway.command("consent", "give", case.patient.mrn, *REFUSED[why], "--by", "Ruth", exit=1)
        assert ran.output == "" and ran.errors.count("\n") == 1 and ran.errors.endswith(".\n"), ran
        assert case.history() == []

    def test_is_bad_usage_without_a_name(self, case):
        case.gateway.command("consent", "give", case.patient.mrn, "--deny", exit=2)
        case.gateway.command("consent", "revoke", case.patient.mrn, "--by", "Ruth", exit=2)

    def test_is_a_consent_of_nobody_or_of_another(self, case, town):
        other = Case(town).give_all()
        for consent in (other["id"], "nothing"):
            ran = case.gateway.command("consent", "revoke", case.patient.mrn, consent, *BY, exit=1)
            assert "consent show" in ran.errors

    def test_is_staff_taking_back_the_patients_word_without_a_basis(self, town):
        case = Case(town)
        consent = case.give_all()
        assert "basis" in case.revoke(consent, "--by", "Ruth", exit=1).errors
        assert case.is_retrieved()
        case.revoke(consent, "--by", "Ruth", "--basis", "asked by phone")
        assert not case.is_retrieved()


class TestWhatIsShown:
    def test_is_everything_that_counts_now(self, town):
        case = Case(town)
        consent = case.give_all()
        deny = case.give("--deny", "--to", LAKESIDE)
        case.revoke(deny)
        shown = town.gateway.json("consent", "show", case.patient.mrn)
        assert (shown["counts"], shown["purposes"]) == ("the clinic's defaults", "treatment")
        assert [(one["id"], one["state"], one["version"]) for one in shown["consents"]] == [
            (consent["id"], "in force", 1), (deny["id"], "revoked", 2)]
        town.choose(case.patient, "payment")
        shown = town.gateway.json("consent", "show", case.patient.mrn)
        assert shown["counts"].startswith("the patient's own choice") and shown["purposes"] == "payment"
        text = town.gateway.command("consent", "show", case.patient.mrn).output
        assert "Permits giving documents labelled V" in text and "revoked" in text

    def test_is_every_version_and_every_choice_with_who_and_why(self, town):
        case = Case(town)
        town.choose(case.patient, "treatment")
        consent = case.give_all()
        case.revoke(consent, "--by", "Ruth", "--basis", "asked by phone")
        rows = case.history()
        assert [(row["kind"], row["version"], row["status"], row["counts"]) for row in rows] == [
            ("choice", 1, "active", True), ("consent", 1, "active", False), ("consent", 2, "revoked", True)]
        assert [(row["actor"], row["set_by"], row["basis"]) for row in rows] == [
            ("Olga Staff", "staff", "asked at the desk"), ("Ruth Reception", "patient", ""),
            ("Ruth", "staff", "asked by phone")]
        assert all(row["says"] for row in rows)
        for at in [row[name] for row in rows for name in ("set_at", "given_at")] + [case.shown()[0]["given_at"]]:
            assert at.startswith("2026-11-2") and at.endswith("-05:00"), "in the clinic's zone"

    def test_follows_a_merge(self, town):
        case, other = Case(town), Case(town)
        consent = other.give_all()
        town.choose(other.patient, "treatment")
        town.gateway.command("patient", "merge", case.patient.mrn, other.patient.mrn, "--reason", "registered twice")
        assert [one["id"] for one in case.shown()] == [consent["id"]]
        rows = case.history()
        assert [row["counts"] for row in rows if row["kind"] == "choice"] == [False, True]
        assert case.is_retrieved()

    def test_that_cannot_be_read_is_said_and_nothing_is_given(self, town):
        case = Case(town)
        consent = case.give_all()
        town.gateway.alter(f"UPDATE consents SET provision = 'x' WHERE id = '{consent['id']}'")
        assert case.shown()[0]["state"].startswith("unreadable")
        assert case.history()[0]["status"] == "unreadable"
        assert case.decide()["verdict"] == "deny" and not case.is_retrieved()

    def test_is_written_down_each_time_with_its_patient(self, town):
        case = Case(town)
        mark = town.gateway.audit_mark()
        consent = case.give_all()
        case.shown(), case.history(), case.revoke(consent), case.decide()
        rows = [row["payload"] for row in town.gateway.audit_since(mark)]
        assert [(row["transaction"], row["outcome"]) for row in rows if row.get("patients")] == [
            ("consent give", "changed"), ("consent show", "looked"), ("consent history", "looked"),
            ("consent revoke", "changed"), ("policy decide", "looked")]
        assert len({row["patients"][0] for row in rows if row.get("patients")}) == 1
        assert consent["id"] in rows[0]["sentence"] and rows[0]["user"] == "Ruth Reception"
        assert town.gateway.verify_audit()[0] == 0


class TestADecisionAboutADocument:
    def test_names_it_by_either_id(self, town):
        case = Case(town)
        uuid = town.ask(town.find_documents(QUILL)).query.entries[0].entry_uuid
        asked = ("policy", "decide", "--patient", QUILL.mrn, "--home", RIVERSIDE, "--purpose", "TREATMENT", "--document")
        for name in (uuid, uuid.removeprefix("urn:uuid:"), DOCUMENTS[1].unique_id):
            answer = town.gateway.json(*asked, name)
            assert answer["verdict"] == "permit"
            assert {"class", "sensitivity"} <= {row["gate"] for row in answer["findings"]}
        for name in ("1.2.3", case.document.unique_id):
            town.gateway.command(*asked, name, exit=1)
        plain = town.gateway.json(*asked[:-1])
        assert not {"class", "sensitivity"} & {row["gate"] for row in plain["findings"]}

    def test_without_a_document_hears_the_patients_consents_too(self, town):
        case = Case(town)
        case.give("--deny", "--to", RIVERSIDE)
        ran = town.gateway.command("policy", "decide", "--patient", case.patient.mrn, "--home", RIVERSIDE, "--purpose",
                                   "TREATMENT", "--json", exit=1)
        assert ran.json["reason"] == "organization-denied"


class TestSettings:
    def set(self, town, *settings, exit=0):
        return town.gateway.command("settings", "set", *settings, "--by", "Dana Admin", "--json", exit=exit)

    def test_several_act_together_on_the_next_request(self, town):
        case = Case(town, "N")
        shown = self.set(town, "purposes=treatment,payment", "gate=N", f"refuse={LAKESIDE}").json
        assert (shown["purposes"], shown["gate"], shown["refuse"]) == ("treatment,payment", ["N"], [LAKESIDE])
        assert case.decide()["reason"] == "sensitive-no-consent" and not case.is_retrieved()
        assert case.decide(home=LAKESIDE)["reason"] == "organization-denied"
        assert case.decide(purpose="PAYMENT")["reason"] == "sensitive-no-consent"
        self.set(town, "gate=-N", f"refuse=-{LAKESIDE}")
        assert case.is_retrieved() and case.decide(home=LAKESIDE)["verdict"] == "permit"

    def test_are_changed_all_or_none(self, town):
        before = town.gateway.json("settings", "show")
        for wrong in ("gate=SECRET", "share=treatment", "colour=blue", "nonsense", "purposes=everything", "know=V"):
            ran = self.set(town, "purposes=none", "gate=HIV", wrong, exit=1)
            assert ran.json["error"].endswith(".") and ran.json["reason"] in ("bad-setting", "no-such-setting")
            assert town.gateway.json("settings", "show") == before

    def test_share_only_the_classes_they_name(self, town):
        case = Case(town, "N")
        self.set(town, "share=treatment:2.16.840.1.113883.6.1|11488-4")
        assert case.decide()["reason"] == "class-not-shared" and not case.is_retrieved()
        self.set(town, "share=treatment:2.16.840.1.113883.6.1|34133-9")
        assert case.is_retrieved()

    def test_are_shown_with_all_that_gates(self, town):
        self.set(town, "gate=HIV", "know=2.999.7|X", "mark=2.999.6|1:PSY", f"refuse={LAKESIDE}",
                 "share=payment:2.999.6|2")
        rows = town.gateway.json("policy", "rules")["rules"]
        assert {("gated label", "42CFRPart2", "law"), ("gated label", "HIV", "clinic"),
                ("known label", "2.999.7|X", "clinic"), ("mark", "2.999.6|1:PSY", "clinic"),
                ("refused organization", LAKESIDE, "clinic"), ("shared classes", "payment:2.999.6|2", "clinic"),
                ("42 CFR Part 2 emergencies", "off", "clinic"), ("supported purposes", "all", "deployment")} <= {
            (row["rule"], row["value"].replace(",".join(words()), "all"), row["from"]) for row in rows}
        table = town.gateway.command("policy", "rules").output
        assert table in town.gateway.command("settings", "show").output
        shown = town.gateway.json("settings", "show")
        assert (shown["know"], shown["mark"], shown["share"]) == (["2.999.7|X"], ["2.999.6|1:PSY"],
                                                                  ["payment:2.999.6|2"])

    def test_that_cannot_be_read_give_nothing(self, town):
        case = Case(town, "N")
        town.gateway.alter("UPDATE clinics SET rules = 'x'")
        try:
            assert not case.is_retrieved()
            assert "unreadable" in town.gateway.command("policy", "rules").output
            assert self.set(town, "gate=HIV", exit=1).json["reason"] == "record-unreadable"
        finally:
            town.gateway.alter("UPDATE clinics SET rules = ''")
        assert case.is_retrieved()


def words():
    return ("treatment", "payment", "operations", "public-health", "patient-request", "coverage",
            "other-authorization")
