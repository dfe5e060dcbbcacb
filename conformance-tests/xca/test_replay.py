"""Replay: ids mean nothing, resends of reads are decided anew, captured messages are worth nothing to others.
[threat catalogue §5, R01–R05]"""

from concurrent.futures import ThreadPoolExecutor

import pytest

from peer.gateway import PATHS
from peer.messages import CONSTANT_ASSERTION_ID, CONSTANT_TIMESTAMP_ID, cx, find_documents, fresh
from peer.names import q
from peer.town import HOME, QUILL, TEST_PATIENT, Aftermath, lakeside, riverside

pytestmark = pytest.mark.both_databases


@pytest.fixture(scope="module")
def town(found_town):
    """Its own town: its clock is moved."""
    return found_town("replay-town")


@pytest.fixture
def aftermath(town):
    return Aftermath(town)


def entries(answer):
    return {entry.unique_id for entry in answer.query.entries}


def with_body(message, payload):
    """A captured header with another Body: the Body is not signed."""
    def change(twin):
        twin.body.clear()
        twin.body.append(payload)
    return message.altered(change)


class TestConstantIds:
    def test_two_requests_one_after_the_other_are_both_answered(self, town):
        """R01"""
        sender, message_id = town.sender().but(constant_ids=True), fresh()
        for patient in (TEST_PATIENT, QUILL):
            message = sender.patient_discovery(patient, message_id=message_id)
            assert message.assertion.get("ID") == CONSTANT_ASSERTION_ID
            assert message.security.find(q("wsu:Timestamp")).get(q("wsu:Id")) == CONSTANT_TIMESTAMP_ID
            found = town.ask(message, path=PATHS["ITI-55"]).discovery
            assert [match.extension for match in found.matches] == [patient.mrn]

    def test_two_bodies_signed_in_one_millisecond_are_both_answered(self, town):
        message = town.find_documents(TEST_PATIENT)
        assert entries(town.ask(message)) == {"1.2.3.4^1"}
        assert len(entries(town.ask(with_body(message, find_documents(cx(QUILL.mrn, HOME)))))) == 2


class TestResends:
    def test_of_the_same_bytes_over_twenty_minutes_are_answered_and_audited_each(self, town):
        """R02, within the window"""
        message = town.find_documents(TEST_PATIENT)
        wire = message.wire()
        for _ in range(12):
            assert entries(town.ask(wire)) == {"1.2.3.4^1"}
            town.gateway.clock.advance(seconds=100)
        released = [row for row in town.gateway.audit_of(message.message_id) if row["outcome"] == "released"]
        assert len(released) == 12
        firsts = {row["payload"].get("repeat_of") or "" for row in released}
        assert firsts == {"", released[0]["request"]}

    def test_end_with_the_sixteenth(self, town):
        """R02, the 17th"""
        wire = town.find_documents(TEST_PATIENT).wire()
        for _ in range(16):
            assert entries(town.ask(wire)) == {"1.2.3.4^1"}
        aftermath = Aftermath(town)
        answer = town.ask(wire)
        assert answer.fault is not None
        aftermath.check(answer, {"replay-too-often"})

    def test_are_decided_anew(self, town):
        """R03"""
        wire = town.find_documents(QUILL).wire()
        assert entries(town.ask(wire))
        town.choose(QUILL)
        assert entries(town.ask(wire)) == set()
        town.forget_choice(QUILL)
        assert entries(town.ask(wire))


class TestACapturedMessage:
    def test_over_another_partners_connection_is_refused(self, town):
        """R04, after the honest use"""
        message = town.find_documents(TEST_PATIENT)
        assert entries(town.ask(message)) == {"1.2.3.4^1"}
        aftermath = Aftermath(town)
        answer = town.ask(message, credential=lakeside().tls)
        assert (answer.status, answer.fault.subcode) == (400, "FailedAuthentication")
        aftermath.check(answer, {"replay-relayed"})

    def test_over_another_partners_connection_first_is_refused_too(self, town, aftermath):
        message = town.find_documents(TEST_PATIENT)
        answer = town.ask(message, credential=lakeside().tls)
        assert (answer.status, answer.fault.subcode) == (400, "FailedAuthentication")
        aftermath.check(answer, {"caller-untrusted", "replay-relayed"})

    def test_refused_elsewhere_does_not_spend_the_honest_senders_proof(self, town):
        message = town.find_documents(TEST_PATIENT)
        assert town.ask(message, credential=lakeside().tls).fault
        assert entries(town.ask(message)) == {"1.2.3.4^1"}

    def test_over_another_certificate_of_its_organization_is_answered(self, town):
        """R04, the twin"""
        message = town.find_documents(TEST_PATIENT)
        assert entries(town.ask(message)) == entries(town.ask(message, credential=riverside().spare)) == {"1.2.3.4^1"}

    def test_given_another_body_in_time_is_answered(self, town):
        """R05, the twin"""
        message = town.find_documents(TEST_PATIENT)
        town.ask(message)
        town.gateway.clock.advance(seconds=110)
        assert entries(town.ask(with_body(message, find_documents(cx(QUILL.mrn, HOME)))))

    def test_given_another_body_later_than_two_minutes_is_refused(self, town):
        """R05"""
        message = town.find_documents(TEST_PATIENT)
        town.ask(message)
        town.gateway.clock.advance(seconds=121)
        aftermath = Aftermath(town)
        answer = town.ask(with_body(message, find_documents(cx(QUILL.mrn, HOME))))
        assert (answer.status, answer.fault.subcode) == (400, "FailedCheck")
        aftermath.check(answer, {"replay-too-often"})

    def test_given_many_bodies_at_once_is_answered_for_sixty_four(self, town):
        """R05"""
        message = town.find_documents(TEST_PATIENT)
        bodies = [with_body(message, find_documents(cx(f"HV-{number}", HOME))) for number in range(65)]
        with ThreadPoolExecutor(4) as pool:
            answers = list(pool.map(town.ask, bodies))
        faults = [answer.fault.subcode for answer in answers if answer.fault]
        assert faults == ["FailedCheck"]

    @pytest.mark.parametrize("late, answered", [(-3, True), (2, False)], ids=["still", "no more"])
    def test_past_its_end_is_refused(self, town, late, answered):
        """R05: valid until Expires and 60 s of skew."""
        message = town.find_documents(TEST_PATIENT)
        town.gateway.clock.advance(seconds=20 * 60 + 60 + late)
        aftermath = Aftermath(town)
        answer = town.ask(message)
        if answered:
            assert entries(answer) == {"1.2.3.4^1"}
        else:
            assert answer.fault.subcode == "MessageExpired"
            aftermath.check(answer, {"message-expired"})
