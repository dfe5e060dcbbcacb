"""S07: a partner that tries names or numbers one after the other is stopped before it learns anything; one that looks
for its patients is not. Budgets of the tests are small; the shipped ones are in the configuration file."""

import pytest

from peer import judges
from peer.gateway import PATHS
from peer.records import Patient
from peer.town import QUILL, TEST_PATIENT, Town, lakeside, riverside

ALIKE, PATIENTS = 5, 12
SSN = "2.16.840.1.113883.4.1"


class BudgetTown(Town):
    def build(self):
        self.gateway.init()
        self.gateway.configure("patients", PATIENTS)
        self.gateway.configure("alike", ALIKE)
        self.defaults("treatment")
        self._tell_of_partners()
        self.enter(TEST_PATIENT, QUILL)
        self.gateway.start()
        return self


@pytest.fixture()
def wary_town(built, tmp_path):
    town = BudgetTown(tmp_path)
    yield town.build()
    assert town.gateway.stop() == 0


def ask(town, patient, partner=None, parameters=None):
    message = town.sender(partner).patient_discovery(patient, parameters=parameters)
    return town.ask(message, partner, path=PATHS["ITI-55"])


def outcome(answer):
    found = answer.discovery
    return found.acknowledgement, found.query_response, found.problems


BUSY = ("AE", "AE", ("ResponderBusy",))
NOT_FOUND = ("AA", "NF", ())


def anybody(number, family=None):
    return Patient(f"X-{number}", family or f"Family{chr(97 + number % 26)}{chr(97 + number // 26)}x", "Barnaby", "M",
                   f"19{40 + number % 50}0228")


def by_ssn(number):
    return (f'<livingSubjectId><value root="{SSN}" extension="9000000{number:02}"/>'
            "<semanticsText>LivingSubject.id</semanticsText></livingSubjectId>")


class TestASweep:
    def test_of_one_surname_is_stopped(self, wary_town):
        answers = [outcome(ask(wary_town, anybody(n, "Smith"))) for n in range(ALIKE + 3)]
        assert answers == [NOT_FOUND] * ALIKE + [BUSY] * 3

    def test_of_social_security_numbers_is_stopped(self, wary_town):
        answers = [outcome(ask(wary_town, QUILL, parameters=by_ssn(n))) for n in range(ALIKE + 3)]
        assert answers == [NOT_FOUND] * ALIKE + [BUSY] * 3

    def test_of_any_names_is_stopped_and_says_the_same_of_known_and_unknown(self, wary_town):
        answers = [outcome(ask(wary_town, anybody(n))) for n in range(PATIENTS + 2)]
        assert answers == [NOT_FOUND] * PATIENTS + [BUSY] * 2
        known, unknown = ask(wary_town, QUILL), ask(wary_town, QUILL.but(family="Nobody"))
        assert outcome(known) == outcome(unknown) == BUSY
        assert judges.leak(known, (QUILL.mrn, QUILL.street)) == ""

    def test_is_an_alarm_in_the_audit_once_and_a_reason_each_time(self, wary_town):
        for n in range(ALIKE + 3):
            ask(wary_town, anybody(n, "Smith"))
        rows = wary_town.gateway.audit()
        reasons = [row["reason"] for row in rows]
        assert (reasons.count("enumeration-alarm"), reasons.count("query-budget")) == (1, 3)
        alarm = next(row["payload"] for row in rows if row["reason"] == "enumeration-alarm")
        assert alarm["implementer"] == riverside().home

    def test_leaves_other_partners_alone(self, wary_town):
        for n in range(PATIENTS + 1):
            ask(wary_town, anybody(n))
        assert outcome(ask(wary_town, QUILL)) == BUSY
        assert outcome(ask(wary_town, QUILL, lakeside()))[:2] == ("AA", "OK")


class TestAnHonestPartner:
    def test_may_ask_for_its_patients_as_often_as_it_likes(self, wary_town):
        for _ in range(PATIENTS):
            assert outcome(ask(wary_town, QUILL))[:2] == ("AA", "OK")
            assert outcome(ask(wary_town, TEST_PATIENT))[:2] == ("AA", "OK")

    def test_keeps_whom_it_asked_for_after_the_budget_is_spent(self, wary_town):
        ask(wary_town, QUILL)
        for n in range(PATIENTS + 1):
            ask(wary_town, anybody(n))
        assert outcome(ask(wary_town, QUILL.but(family="QUILLFEATHER")))[:2] == ("AA", "OK")

    def test_has_its_budget_back_once_the_window_moved_on(self, wary_town):
        for n in range(PATIENTS + 1):
            ask(wary_town, anybody(n))
        assert outcome(ask(wary_town, QUILL)) == BUSY
        wary_town.gateway.clock.advance(minutes=61)
        assert outcome(ask(wary_town, QUILL))[:2] == ("AA", "OK")
