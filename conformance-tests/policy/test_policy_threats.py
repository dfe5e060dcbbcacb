"""C01 to C03, C12 to C14: what is asked for and by whom, patients without rules of their own, settings that are wrong,
and words of a denied patient in an answer. [design §4; threats §16]

C04 and C11 are in test_changes_on_two_nodes.py, C05 and C06 in test_policy_time.py, C07, C09, C10 and F14 in
test_policy_consents.py, C08 in test_policy_labels.py."""

import hashlib
import json
import re

import pytest

from peer import consents, records
from peer.gateway import PATHS
from peer.messages import stored_query
from peer.names import ACT_REASON, GET_DOCUMENTS, NHIN_PURPOSES
from peer.records import CONFIDENTIALITY, Document, Patient
from peer.town import HOME, QUILL, RIVERSIDE, STRANGER

pytestmark = pytest.mark.both_databases

TREATMENT = (NHIN_PURPOSES, "TREATMENT")
DOCUMENT = Document("2.999.1.7.2001", QUILL)  # as every town has it


@pytest.fixture(scope="module")
def town(found_town):
    return found_town("threatened-town")


def asking(town, *pairs):
    sender = town.sender()
    return sender.but(token=sender.token.but(purposes=pairs))


def said(town, message, path):
    """What an answer says, without the ids that are new in each."""
    answer = town.ask(message, path=path)
    if answer.fault:
        return answer.status, answer.fault
    return answer.discovery if path == PATHS["ITI-55"] else answer.query if path == PATHS["ITI-38"] else answer.retrieve


class TestC01:
    NEARLY = {
        "unknown": (NHIN_PURPOSES, "MARKETING"), "TREATMENT of the other system": (ACT_REASON, "TREATMENT"),
        "TREAT of the other system": (NHIN_PURPOSES, "TREAT"), "no system": ("", "TREATMENT"),
        "a system misspelt": (NHIN_PURPOSES + "0", "TREATMENT"),
        "a system cut short": (NHIN_PURPOSES[:-2], "TREATMENT"),
        "blanks before": (NHIN_PURPOSES, " TREATMENT"),
        "blanks behind": (NHIN_PURPOSES, "TREATMENT "), "blanks around the system": (f" {NHIN_PURPOSES} ", "TREATMENT"),
        "lower case": (NHIN_PURPOSES, "treatment"), "of no version any more": (NHIN_PURPOSES, "EMERGENCY"),
        "break the glass": (ACT_REASON, "BTG"), "emergency treatment": (ACT_REASON, "ETREAT"),
        "empty": (NHIN_PURPOSES, "")}

    @pytest.mark.parametrize("name", NEARLY)
    def test_c01_a_pair_that_is_nearly_right_is_answered_alike_for_everyone(self, town, name):
        """Decided before anybody looks for the patient: nothing is found, and nothing tells who is here."""
        sender = asking(town, self.NEARLY[name])
        nothing = Document("2.999.404", STRANGER)
        here, nobody = ({transaction: said(town, message, PATHS[transaction]) for transaction, message in
                         town.three_questions(document.patient, document, sender).items()}
                        for document in (DOCUMENT, nothing))
        for transaction, answer in here.items():
            assert without_echo(answer) == without_echo(nobody[transaction]), transaction
            if isinstance(answer, tuple):
                assert answer[0] == 400
            else:
                assert not getattr(answer, "entries", getattr(answer, "matches", getattr(answer, "documents", ())))

    @pytest.mark.parametrize("pair", [TREATMENT, (ACT_REASON, "TREAT")])
    def test_c01_the_right_pairs_are_answered(self, town, pair):
        sender = asking(town, pair)
        assert consents.outcome(town, QUILL, sender) == "OK"
        assert consents.given(town, DOCUMENT, sender)


def without_echo(answer):
    """A retrieve's error may name the document that was asked for."""
    return str(answer).replace(DOCUMENT.unique_id, "ID").replace("2.999.404", "ID")


class TestC02:
    def test_c02_every_one_of_several_is_permitted_or_nothing_is(self, town):
        both = asking(town, TREATMENT, (NHIN_PURPOSES, "PAYMENT"))
        assert consents.outcome(town, QUILL, both) == "NF"
        assert not consents.given(town, DOCUMENT, both)
        town.defaults("treatment", "payment")
        try:
            assert consents.outcome(town, QUILL, both) == "OK"
            assert consents.given(town, DOCUMENT, both)
        finally:
            town.defaults("treatment")

    @pytest.mark.parametrize("pairs", [(TREATMENT, TREATMENT), (TREATMENT, (ACT_REASON, "TREAT"))])
    def test_c02_the_same_twice_is_the_same(self, town, pairs):
        assert consents.given(town, DOCUMENT, asking(town, *pairs))

    @pytest.mark.parametrize("other", [(ACT_REASON, "BTG"), (NHIN_PURPOSES, "MARKETING"), (NHIN_PURPOSES, "EMERGENCY")])
    @pytest.mark.parametrize("first", [True, False])
    def test_c02_beside_one_that_is_unknown_nothing_is_permitted(self, town, other, first):
        sender = asking(town, *((other, TREATMENT) if first else (TREATMENT, other)))
        assert consents.outcome(town, QUILL, sender) == "AE"
        assert consents.listed(town, QUILL, sender) == set()

    @pytest.mark.parametrize("last", [TREATMENT, (NHIN_PURPOSES, "PAYMENT")])
    def test_c02_a_thousand_are_refused_whatever_they_are(self, town, last):
        sender = asking(town, *[TREATMENT] * 999, last)
        answer = town.ask(sender.patient_discovery(QUILL), path=PATHS["ITI-55"])
        assert (answer.status, answer.fault.code) == (400, "Sender")

    def test_c02_each_of_several_wants_its_consent_to_what_is_gated(self, town):
        gated = Document("2.999.1.17.1", QUILL, header=(CONFIDENTIALITY, "V"))
        town.file(gated)
        town.defaults("treatment", "payment")
        both = asking(town, TREATMENT, (NHIN_PURPOSES, "PAYMENT"))
        permits = [consents.permit(town, QUILL, "V", purpose="treatment")]
        try:
            assert consents.given(town, gated) and not consents.given(town, gated, both)
            permits.append(consents.permit(town, QUILL, "V", purpose="payment"))
            assert consents.given(town, gated, both)
        finally:
            for consent in permits:
                consents.revoke(town, QUILL, consent)
            town.defaults("treatment")


class TestC03:
    def test_c03_without_a_purpose_nothing_is_answered_whoever_is_asked_for(self, town):
        sender = asking(town)
        for path, message in ((PATHS["ITI-55"], sender.patient_discovery(QUILL)),
                              (PATHS["ITI-55"], sender.patient_discovery(STRANGER)),
                              (PATHS["ITI-38"], town.find_documents(QUILL, sender)),
                              (PATHS["ITI-39"], town.retrieve(DOCUMENT.unique_id, sender=sender))):
            answer = town.ask(message, path=path)
            assert (answer.status, answer.fault.code) == (400, "Sender")
        assert consents.given(town, DOCUMENT)

    def test_c03_each_transaction_of_a_job_is_judged_by_its_own_token(self, town):
        treatment, payment = asking(town, TREATMENT), asking(town, (NHIN_PURPOSES, "PAYMENT"))
        assert consents.outcome(town, QUILL, treatment) == "OK"
        assert consents.listed(town, QUILL, payment) == set()
        assert DOCUMENT.unique_id in consents.listed(town, QUILL, treatment)
        assert consents.retrieved(town, DOCUMENT, sender=payment) == set()
        assert consents.retrieved(town, DOCUMENT, sender=treatment) == {DOCUMENT.unique_id}


class TestC12:
    """Patients who are of age or not, alive or not, known to everybody or to nobody: none has a rule of its own."""

    ROWS = {
        "no choice and no consent": {}, "a child": {"birthDate": "2021-05-04"},
        "a centenarian": {"birthDate": "1921-05-04"}, "deceased": {"deceasedBoolean": True},
        "deceased on a day": {"deceasedDateTime": "2026-01-02"},
        "known to everybody": {"meta": {"security": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode",
                                                      "code": "CEL"}]}}}

    @pytest.mark.parametrize("row", ROWS)
    def test_c12_goes_by_defaults_choice_and_consents_like_everybody(self, town, row):
        number = list(self.ROWS).index(row)
        born = self.ROWS[row].get("birthDate", f"19{40 + number}-08-08").replace("-", "")
        patient = Patient(f"C12-{number}", f"Ashby{'abcdef'[number]}worth", "Wilfred", "M", born,
                          f"{number + 1} Orchard Row")
        resource = records.fhir_patient(patient, HOME) | self.ROWS[row]
        town.gateway.command("patient", "import", town.gateway.write("unusual.ndjson", json.dumps(resource) + "\n"))
        document = Document(f"2.999.1.18.{number}", patient)
        gated = Document(f"2.999.1.18.1{number}", patient, header=(CONFIDENTIALITY, "V"))
        town.file(document, gated)
        assert consents.outcome(town, patient) == "OK"
        assert consents.given(town, document) and not consents.given(town, gated)
        payment = asking(town, (NHIN_PURPOSES, "PAYMENT"))
        assert not consents.given(town, document, payment)
        consents.permit(town, patient, "V")
        assert consents.given(town, gated)
        town.choose(patient)
        assert consents.outcome(town, patient) == "NF"
        assert not consents.given(town, document) and not consents.given(town, gated)


BAD_SETTINGS = {
    "no equals sign": "gate", "no name": "=HIV", "an unknown name": "gates=HIV", "an unknown label": "gate=SECRET",
    "an empty label": "gate=", "no code": "gate=2.999.7|", "what the law gates": "know=42CFRPart2",
    "a home that is none": "refuse=Riverside", "no such purpose": "purposes=treatment,marketing",
    "no purposes": "purposes=",
    "a mark without a label": "mark=2.16.840.1.113883.6.1|11111-1", "a share without classes": "share=treatment:",
    "a share of no such purpose": "share=marketing:all", "neither on nor off": "part2-emergencies=perhaps"}


class TestC13:
    def settings(self, town):
        return town.gateway.json("settings", "show")

    @pytest.mark.parametrize("name", BAD_SETTINGS)
    def test_c13_what_cannot_be_read_is_refused_and_nothing_changes(self, town, name):
        before = self.settings(town)
        refused = town.gateway.command("settings", "set", BAD_SETTINGS[name], "--by", "Dana Admin", exit=1)
        assert refused.errors.count("\n") == 1
        assert self.settings(town) == before
        assert consents.given(town, DOCUMENT)

    @pytest.mark.parametrize("name", BAD_SETTINGS)
    @pytest.mark.parametrize("first", [True, False], ids=["before", "behind"])
    def test_c13_of_two_at_once_neither_counts_where_one_is_bad(self, town, name, first):
        before = self.settings(town)
        both = (BAD_SETTINGS[name], f"refuse={RIVERSIDE}")
        town.gateway.command("settings", "set", *(both if first else both[::-1]), "--by", "Dana Admin", exit=1)
        assert self.settings(town) == before
        assert consents.given(town, DOCUMENT)

    def test_c13_of_two_good_ones_both_count(self, town):
        consents.set_up(town, f"refuse={RIVERSIDE}", "gate=HIV")
        try:
            assert not consents.given(town, DOCUMENT)
            assert self.settings(town)["gate"] == ["HIV"]
        finally:
            consents.set_up(town, f"refuse=-{RIVERSIDE}", "gate=-HIV")
        assert consents.given(town, DOCUMENT)

    @pytest.mark.parametrize("stored", ["{", "[]", '{"gate":"HIV"}', '{"gate":["SECRET"]}', '{"colour":["blue"]}',
                                        '{"share":["treatment:"]}', '{"part2-emergencies":"on"}', "nothing at all"],
                             ids=repr)
    def test_c13_stored_rules_that_cannot_be_read_give_nothing(self, town, stored):
        assert consents.given(town, DOCUMENT)
        town.gateway.alter(f"UPDATE clinics SET rules = '{stored}'")
        try:
            message = town.retrieve(DOCUMENT.unique_id)
            assert town.ask(message, path=PATHS["ITI-39"]).retrieve.documents == ()
            assert consents.refusals(town, message) == {"policy-error"}
            assert consents.outcome(town, QUILL) == "NF"
            assert consents.listed(town, QUILL) == set()
            town.gateway.command("settings", "set", "gate=HIV", "--by", "Dana Admin", exit=1)
        finally:
            town.gateway.alter("UPDATE clinics SET rules = ''")
        assert consents.given(town, DOCUMENT)

    def test_c13_ten_thousand_rules_are_kept_and_decide_as_fast_and_one_more_is_refused(self, town):
        many = [f"refuse=2.999.88.{number}" for number in range(10_000)]
        consents.set_up(town, *many)
        try:
            assert consents.given(town, DOCUMENT)
            assert town.ask(town.find_documents(QUILL)).seconds < 1
            town.gateway.command("settings", "set", f"refuse={RIVERSIDE}", "--by", "Dana Admin", exit=1)
            consents.set_up(town, "refuse=-2.999.88.17", f"refuse={RIVERSIDE}")
            assert not consents.given(town, DOCUMENT)
        finally:
            town.gateway.alter("UPDATE clinics SET rules = ''")
        assert consents.given(town, DOCUMENT)

    def test_c13_every_decision_names_the_rules_it_was_made_by(self, town):
        versions = []
        for assignment in ("gate=HIV", "gate=-HIV"):
            consents.set_up(town, assignment)
            message = town.find_documents(QUILL)
            town.ask(message)
            decision = consents.decision(town, message)
            versions.append(int(decision["clinic_version"]))
            assert decision["clinic_version"] == self.settings(town)["version"] and decision["rules_version"]
        assert versions[1] == versions[0] + 1


RANDOM = re.compile(rb'(?<=DigestValue>)[^<]*|(?<=SignatureValue>)[^<]*|(?<=X509Certificate>)[^<]*| Value="[^"]*"')


class TestC14:
    """One whose every word is known nowhere else, and a document of another that is withheld among others."""

    DENIED = Patient("C14-41", "Zzphifamily", "Zzphigiven", "F", "19330313", "77 Zzphi Street", "Zzphitown", "OR",
                     "97299", "+1-503-555-7741")
    HIS = Document("2.999.1.19.4177", DENIED, title="Zzphititle", text="Zzphitext")
    AMONG = Document("2.999.1.19.4178", QUILL, title="Zzphiother", text="Zzphibetween " * 97,
                     header=(CONFIDENTIALITY, "V"), created="20190703102030+0000")

    @pytest.fixture(scope="class")
    def words(self, town):
        """What nobody who asks may read: of both, in whatever form it is kept."""
        town.enter(self.DENIED)
        town.file(self.HIS, self.AMONG)
        rows = [row for patient in (self.DENIED, QUILL)
                for row in town.gateway.json("document", "list", "--patient", patient.mrn)["documents"]
                if row["unique_id"] in (self.HIS.unique_id, self.AMONG.unique_id)]
        assert len(rows) == 2
        contents = [records.ccda(document, HOME) for document in (self.HIS, self.AMONG)]
        words = ["zzphi", "20190703", "97299", "555-7741", *(hashlib.sha1(data).hexdigest() for data in contents),
                 *(hashlib.sha256(data).hexdigest() for data in contents), *(f">{len(data)}<" for data in contents)]
        town.choose(self.DENIED)
        return words

    def answers(self, town):
        """Answers to everything that could name them; who asks brings no word of theirs but their ids."""
        sender = town.sender()
        by_id = stored_query(GET_DOCUMENTS, {"$XDSDocumentEntryUniqueId": [
            f"('{self.HIS.unique_id}','{self.AMONG.unique_id}','{DOCUMENT.unique_id}')"]}, f"urn:oid:{HOME}")
        stranger = self.DENIED.but(family="Quillfeather", given="Odessa")
        yield from (town.ask(message, path=path) for message, path in (
            (sender.patient_discovery(stranger), PATHS["ITI-55"]),
            (sender.patient_discovery(QUILL), PATHS["ITI-55"]),
            (town.find_documents(self.DENIED, sender), PATHS["ITI-38"]),
            (town.find_documents(QUILL, sender), PATHS["ITI-38"]),
            (sender.cross_gateway_query(by_id), PATHS["ITI-38"]),
            (town.retrieve(self.HIS.unique_id, self.AMONG.unique_id, DOCUMENT.unique_id), PATHS["ITI-39"])))

    def found(self, answer, words):
        """Those in any octet of an answer, beyond the echo of what was asked. Signatures and digests are random: five
        letters stand in one of them now and then."""
        before_echo = RANDOM.sub(b"", answer.body.partition(b"queryByParameter")[0])
        octets = (repr(answer.headers).encode() + before_echo).lower()
        return [word for word in words if word.lower().encode() in octets]

    def test_c14_no_word_of_theirs_is_in_any_answer(self, town, words):
        for answer in self.answers(town):
            assert self.found(answer, words) == []

    def test_c14_nor_in_the_log_or_the_figures(self, town, words):
        mark = len(town.gateway.log.read_bytes())
        list(self.answers(town))
        seen = town.gateway.log.read_text()[mark:].lower() + town.gateway.operator("/metrics").body.decode().lower()
        assert [word for word in words if word.lower() in seen] == []

    def test_c14_each_is_there_once_it_may_be(self, town, words):
        """The twin: the same questions, and words of both are found."""
        town.forget_choice(self.DENIED)
        consent = consents.permit(town, QUILL, "V")
        try:
            together = {word for answer in self.answers(town) for word in self.found(answer, words)}
        finally:
            consents.revoke(town, QUILL, consent)
            town.choose(self.DENIED)
        assert {"zzphi", "20190703", "97299"} <= together
        assert len(together) >= 6
