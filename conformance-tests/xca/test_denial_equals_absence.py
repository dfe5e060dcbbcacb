"""Denial does not leak: what policy withholds is answered as what was never there, byte for byte apart from ids,
instants, digests and signature values. The same request bytes are sent to both. [facts: query exchange §6.2]"""

from types import SimpleNamespace

import pytest

from peer import judges, names
from peer.gateway import PATHS
from peer.records import Document, Patient
from peer.town import QUILL, STRANGER

pytestmark = pytest.mark.both_databases

ROOT = "2.999.1.8"
HOW_DENIED = {
    "by the patient": (lambda town, patient: town.choose(patient, "payment"), "patient-purpose"),
    "by the empty choice": (lambda town, patient: town.choose(patient), "patient-purpose"),
    "by the clinic": (lambda town, patient: town.defaults("payment"), "clinic-purpose"),
}
TRANSACTIONS = ("ITI-55", "ITI-38", "ITI-39")
# Each comes and goes in its own test: nobody else in town is like them.
SUBJECTS = {how: (Patient(f"HV-30{n}", family, "Ignatius", "M", f"19{50 + n}0401", f"{n + 3} Heron Lane"),
                  f"{ROOT}.{n}")
            for n, (how, family) in enumerate(zip(HOW_DENIED, ("Abernathy", "Quackenbush", "Zwicker")))}


@pytest.fixture(scope="module")
def quiet_town(found_town):
    return found_town("quiet-town")


def same_three_times(town, how):
    """Asks three questions while the patient may be shared, is denied, and is gone. @return state -> answers, events"""
    patient, unique_id = SUBJECTS[how]
    deny, _ = HOW_DENIED[how]
    town.enter(patient)
    document = Document(unique_id, patient, text="Not for everyone.")
    town.file(document)
    wires = {transaction: message.wire() for transaction, message in town.three_questions(patient, document).items()}

    def ask_all():
        mark = town.gateway.audit_mark()
        answers = {transaction: town.ask(wire, path=PATHS[transaction]) for transaction, wire in wires.items()}
        events = {row["payload"]["transaction"]: row for row in town.gateway.audit_since(mark)
                  if row["outcome"] not in ("sent", "aborted", "looked", "changed")}
        return SimpleNamespace(answers=answers, events=events)

    states = {"allowed": ask_all()}
    deny(town, patient)
    states["denied"] = ask_all()
    town.delete(patient)
    town.defaults("treatment")
    states["absent"] = ask_all()
    return states


@pytest.fixture(scope="module", params=HOW_DENIED)
def told(request, quiet_town):
    return SimpleNamespace(how=request.param, **same_three_times(quiet_town, request.param))


@pytest.mark.parametrize("transaction", TRANSACTIONS)
class TestAPatient:
    def test_who_is_denied_is_answered_as_one_who_is_absent(self, told, transaction):
        assert judges.difference(told.denied.answers[transaction], told.absent.answers[transaction]) == ""

    def test_who_may_be_shared_is_answered_otherwise(self, told, transaction):
        assert judges.difference(told.allowed.answers[transaction], told.absent.answers[transaction]) != ""

    def test_who_is_denied_leaks_nothing(self, told, transaction):
        patient, _ = SUBJECTS[told.how]
        words = (patient.family, patient.given, patient.birth, patient.street)
        assert judges.leak(told.denied.answers[transaction], words) == ""

    def test_has_the_true_reason_in_our_audit_alone(self, told, transaction):
        outcomes = {state: (events[transaction]["outcome"], events[transaction]["reason"])
                    for state, events in (("allowed", told.allowed.events), ("denied", told.denied.events),
                                          ("absent", told.absent.events))}
        assert outcomes == {"allowed": ("released", ""), "denied": ("withheld", HOW_DENIED[told.how][1]),
                            "absent": ("no-match", "")}


class TestADeniedDocumentAmongOthers:
    """One document of a patient who may be shared, one of a patient who may not."""

    HIDDEN = Patient("HV-3100", "Thistlewood", "Agatha", "F", "19520808", "9 Ferry Road")
    DOCUMENT = Document(f"{ROOT}.100", HIDDEN, text="Not for everyone either.")

    @pytest.fixture(scope="class")
    def pair(self, quiet_town):
        quiet_town.enter(self.HIDDEN)
        quiet_town.file(self.DOCUMENT)
        quiet_town.choose(self.HIDDEN)
        wire = quiet_town.retrieve("2.999.1.7.2001", self.DOCUMENT.unique_id).wire()
        denied = quiet_town.ask(wire, path=PATHS["ITI-39"])
        quiet_town.delete(self.HIDDEN)
        return denied, quiet_town.ask(wire, path=PATHS["ITI-39"])

    def test_is_missing_as_if_it_were_not_there(self, pair):
        denied, absent = pair
        assert judges.difference(denied, absent) == ""

    def test_leaves_the_others_to_be_had(self, pair):
        answer = pair[0].retrieve
        assert (answer.status, [d.unique_id for d in answer.documents]) == (names.PARTIAL_SUCCESS, ["2.999.1.7.2001"])


class TestAPurposeWeDoNotSupport:
    """Decided from the token alone: the same for every patient, known or not."""

    @pytest.mark.parametrize("code", ["MARKETING", "NO-SUCH-CODE"])
    def test_is_answered_alike_for_known_and_unknown_patients(self, quiet_town, code):
        sender = quiet_town.sender().asking_for(code)
        known, unknown = (quiet_town.ask(sender.patient_discovery(patient), path=PATHS["ITI-55"]).discovery
                          for patient in (QUILL, STRANGER))
        assert known == unknown
        assert (known.acknowledgement, known.query_response, known.problems) == ("AE", "AE", ("AnswerNotAvailable",))

    def test_is_a_failure_of_the_query_for_everyone(self, quiet_town):
        sender = quiet_town.sender().asking_for("MARKETING")
        known, unknown = (quiet_town.ask(quiet_town.find_documents(patient, sender)).query
                          for patient in (QUILL, STRANGER))
        assert known == unknown
        assert (known.status, [e.code for e in known.errors]) == (names.FAILURE, ["XDSRegistryError"])
