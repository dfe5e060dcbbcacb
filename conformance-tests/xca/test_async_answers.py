"""Asynchronous answers: a request whose ReplyTo is elsewhere is accepted with 202 and answered by call-back, to an
address that the directory lists and to no other. [WS-Addressing 1.0; ITI TF-2 §3.55.6.2, §3.38, §3.39; facts §1.5;
threat catalogue S01, S02, S04]"""

import hashlib
import re
import socket
import time

import pytest

from peer import ca, directory, judges, names
from peer.canary import Canary
from peer.client import free_port
from peer.gateway import PATHS
from peer.names import q
from peer.receiver import Receiver
from peer.records import Document, Patient
from peer.town import (DOCUMENTS, LAKESIDE, QUILL, RIVERSIDE, RIVERSIDE_CLINIC, TEST_PATIENT, Aftermath, Town,
                       authority, lakeside, riverside)

pytestmark = pytest.mark.both_databases

TRANSACTIONS = ("ITI-55", "ITI-38", "ITI-39")
CLINIC_PORT, HOSPITAL_PORT, SPARE_PORT = (free_port() for _ in range(3))
HOSPITAL = f"https://localhost:{HOSPITAL_PORT}/answers?node=1"
FAULTS = f"https://localhost:{HOSPITAL_PORT}/faults"
BY_NUMBER = f"https://127.0.0.1:{HOSPITAL_PORT}/answers"
CLINIC = f"https://localhost:{CLINIC_PORT}/answers"
RETIRED = f"https://localhost:{HOSPITAL_PORT}/retired"
DELAY_S = 0.25
INVALID = (400, "Sender", "InvalidAddressingHeader")


def list_addresses(town, *addresses, home=RIVERSIDE, name="Riverside Hospital", implementer=""):
    entry = directory.Organization(home, name, implementer=implementer, endpoints=addresses)
    path = town.gateway.write("addresses.json", directory.bundle(entry))
    town.gateway.command("partner", "import", path)


def list_usual_addresses(town):
    list_addresses(town, HOSPITAL, FAULTS, BY_NUMBER, (RETIRED, "off"))


def settle(town, **keys):
    """Restarts a town with these keys of its configuration."""
    town.gateway.stop()
    for key, value in {"allow": ["127.0.0.1"], "retry_seconds": 1, **keys}.items():
        town.gateway.configure(key, value)
    town.gateway.start()
    list_usual_addresses(town)
    return town


@pytest.fixture(scope="module")
def town(found_town):
    """Its own town: its directory is changed. Loopback may be called."""
    town = settle(found_town("async-town"))
    list_addresses(town, CLINIC, home=RIVERSIDE_CLINIC, name="Riverside Walk-in", implementer=RIVERSIDE)
    return town


@pytest.fixture
def aftermath(town):
    return Aftermath(town)


def receiver(town, port=HOSPITAL_PORT, credential=None, **options):
    return Receiver(credential or riverside().tls, town.gateway.certificate("tls"), port, **options)


def question(town, transaction, reply_to=HOSPITAL, patient=TEST_PATIENT, document=DOCUMENTS[0], sender=None, **frame):
    sender = sender or town.sender()
    if transaction == "ITI-55":
        return sender.patient_discovery(patient, reply_to=reply_to, **frame)
    if transaction == "ITI-38":
        query = town.find_documents(patient, sender)
        return sender.cross_gateway_query(query.body[0], reply_to=reply_to, **frame)
    return town.retrieve(document.unique_id, sender=sender, reply_to=reply_to, **frame)


def accepted(town, message, **options):
    """Sends it; it must be accepted. @return the message"""
    answer = town.ask(message, **options)
    assert (answer.status, answer.body) == (202, b""), answer.fault
    return message


def ends(town, message, *outcomes, within_s=15):
    """Waits until the audit has the end of a request. @return its events, oldest first"""
    message_id = message if isinstance(message, str) else message.message_id
    until = time.monotonic() + within_s
    while True:
        events = town.gateway.audit_of(message_id)
        if any(event["outcome"] in ("sent", "aborted") for event in events) or time.monotonic() > until:
            if outcomes:
                assert tuple(event["outcome"] for event in events) == outcomes, events
            return events
        time.sleep(0.1)


def waiting(town):
    figures = town.gateway.operator("/metrics").body.decode()
    return int(float(re.search(r"^gatehouse_callbacks_waiting (\S+)$", figures, re.M).group(1)))


def fault_of(answer):
    return answer.status, answer.fault.code, answer.fault.subcode


# ---------------------------------------------------------------- what it is for

class TestAnAnswerElsewhere:
    @pytest.fixture(scope="class", params=TRANSACTIONS)
    def called(self, request, town):
        message = question(town, request.param)
        with receiver(town) as hospital:
            accepted(town, message, path=PATHS[request.param])
            [answer] = hospital.answers()
            events = ends(town, message)
        assert len(hospital.calls) == 1
        return request.param, message, hospital.calls[0][0], answer, events

    def test_comes_to_the_address_that_was_named(self, called):
        transaction, message, path, answer, _ = called
        assert path == "/answers?node=1"
        assert (answer.text(".//wsa:To"), answer.relates_to) == (HOSPITAL, message.message_id)
        assert answer.action == {"ITI-55": names.PATIENT_DISCOVERY_ANSWER, "ITI-38": names.CROSS_GATEWAY_QUERY_ANSWER,
                                 "ITI-39": names.CROSS_GATEWAY_RETRIEVE_ANSWER}[transaction]

    def test_says_what_it_would_have_said_at_once(self, called):
        transaction, _, _, answer, _ = called
        if transaction == "ITI-55":
            assert [match.extension for match in answer.discovery.matches] == [TEST_PATIENT.mrn]
        elif transaction == "ITI-38":
            assert [entry.unique_id for entry in answer.query.entries] == ["1.2.3.4^1"]
        else:
            assert answer.is_mtom
            assert [document.unique_id for document in answer.retrieve.documents] == ["1.2.3.4^1"]

    def test_is_valid_by_the_official_schemas(self, called, shared):
        assert judges.schema_complaints(called[3]) == {}

    def test_is_signed_with_its_address(self, called, town):
        answer = called[3]
        assert judges.signature_complaint(answer.envelope, town.gateway.certificate("signing")) == ""
        assert {q("wsa:To"), q("wsa:RelatesTo")} <= set(judges.signed_elements(answer))

    def test_confirms_the_signatures_of_its_request(self, called):
        _, message, _, answer, _ = called
        values = [node.text for node in message.root.iter(q("ds:SignatureValue"))]
        assert judges.confirmed_signatures(answer) == values

    def test_is_accepted_released_and_sent_in_the_audit(self, called):
        events = called[4]
        assert [event["outcome"] for event in events] == ["accepted", "released", "sent"]
        assert len({event["request"] for event in events}) == 1
        assert {event["payload"]["reply_to"] for event in events} == {HOSPITAL}

    def test_has_one_decision_record_made_when_it_was_called(self, called, town):
        events = called[4]
        decisions = [row for row in town.gateway.audit("--request", events[0]["request"], kind="decision")]
        assert [row["payload"]["at"] for row in decisions] == [events[1]["payload"]["at"]]

    def test_leaves_nothing_waiting(self, called, town):
        assert waiting(town) == 0


class TestWhereAnAnswerMayGo:
    def test_the_address_of_the_implementer_is_good_for_its_organizations(self, town):
        sender = town.sender()
        sender = sender.but(token=sender.token.but(home=RIVERSIDE_CLINIC))
        with receiver(town) as hospital, receiver(town, CLINIC_PORT) as clinic:
            for address, who in ((HOSPITAL, hospital), (CLINIC, clinic)):
                message = question(town, "ITI-38", address, sender=sender)
                accepted(town, message)
                assert who.answers()[0].relates_to == message.message_id

    def test_the_address_of_an_organization_is_not_good_for_others_of_its_implementer(self, town, aftermath):
        answer = town.ask(question(town, "ITI-38", CLINIC))
        assert fault_of(answer) == INVALID
        aftermath.check(answer, {"not-our-address"})

    def test_a_listed_numeric_address_is_called_if_it_is_allowed(self, town):
        with receiver(town) as hospital:
            message = accepted(town, question(town, "ITI-38", BY_NUMBER))
            assert hospital.answers()[0].relates_to == message.message_id

    def test_nowhere_is_an_address_where_nothing_is_sent_and_nobody_looked_for(self, town):
        message = accepted(town, question(town, "ITI-55", names.NOWHERE))
        [event] = town.gateway.audit_of(message.message_id)
        assert (event["outcome"], event["payload"].get("patients")) == ("accepted", None)
        assert waiting(town) == 0

    def test_what_is_refused_for_everyone_is_told_there_too(self, town):
        with receiver(town) as hospital:
            message = accepted(town, question(town, "ITI-55", sender=town.sender().asking_for("MARKETING")))
            assert hospital.answers()[0].discovery.problems == ("AnswerNotAvailable",)
            ends(town, message, "accepted", "refused", "sent")

    def test_that_deferred_answers_are_not_given_is_told_there_too(self, town):
        with receiver(town) as hospital:
            message = accepted(town, town.sender().deferred_patient_discovery(QUILL, HOSPITAL, reply_to=HOSPITAL))
            answer = hospital.answers()[0]
            ends(town, message, "accepted", "refused", "sent")
        assert (answer.text(".//wsa:To"), answer.action) == (HOSPITAL, names.ACCEPT_ACKNOWLEDGEMENT)

    def test_faults_elsewhere_leave_an_answer_on_its_connection(self, town):
        answer = town.ask(question(town, "ITI-38", names.ANONYMOUS, fault_to=FAULTS))
        assert [entry.unique_id for entry in answer.query.entries] == ["1.2.3.4^1"]


class TestAnAddressThatMayNotBeCalled:
    """S01. None is listed, or what is listed is none: the same fault before any patient is looked for."""

    ODD = ["http://127.0.0.1:{port}/", "https://127.0.0.1:{port}/", "https://localhost:{port}/", "https://[::1]:{port}/",
           "https://169.254.169.254/latest/meta-data", "https://10.0.0.1/", "https://0x7f.1:{port}/",
           "https://2130706433:{port}/", "file:///etc/passwd", "gopher://127.0.0.1:{port}/", "ldap://127.0.0.1:{port}/",
           "https://user@localhost:{port}/", "urn:uuid:0", HOSPITAL + "#x", HOSPITAL.upper(), HOSPITAL + "/",
           HOSPITAL.replace("localhost", "LOCALHOST"), HOSPITAL.replace("/answers", "/%61nswers"),
           HOSPITAL.replace("https", "http"), RETIRED]

    @pytest.mark.parametrize("header", ["reply_to", "fault_to"])
    @pytest.mark.parametrize("odd", ODD)
    def test_is_refused_alike_for_everyone(self, town, odd, header):
        with Canary() as canary:
            aftermath = Aftermath(town, canary)
            address = odd.format(port=canary.port)
            known, unknown = (town.ask(question(town, "ITI-55", patient=patient, **{"reply_to": names.ANONYMOUS,
                                                                                    header: address}))
                              for patient in (QUILL, QUILL.but(family="Featherstonehaugh")))
            assert fault_of(known) == fault_of(unknown) == INVALID
            events = aftermath.check(known, {"not-our-address"})
            assert [event["payload"].get("patients") for event in events] == [None, None]
        assert waiting(town) == 0

    @pytest.mark.parametrize("odd", ["http://127.0.0.1:{port}/", "https://0x7f.1:{port}/", "https://2130706433:{port}/",
                                     "https://user@localhost:{port}/", "https://localhost:{port}/#x",
                                     "https://[::1]:{port}/", "https://169.254.169.254/", "https://10.0.0.1/", "file:///x"])
    def test_is_refused_though_it_is_listed(self, town, odd):
        with Canary() as canary:
            address = odd.format(port=canary.port)
            list_addresses(town, address)
            aftermath = Aftermath(town, canary)
            answer = town.ask(question(town, "ITI-38", address))
            list_usual_addresses(town)
            assert fault_of(answer) == INVALID
            aftermath.check(answer, {"not-our-address"})

    def test_is_not_called_for_standing_in_from(self, town):
        with Canary() as canary:
            def add(twin):
                header = twin.find("soap:Header")
                sender = header.makeelement(q("wsa:From"))
                address = sender.makeelement(q("wsa:Address"))
                address.text = canary.url
                sender.append(address)
                header.append(sender)
            answer = town.ask(question(town, "ITI-38", names.ANONYMOUS).altered(add))
            assert [entry.unique_id for entry in answer.query.entries] == ["1.2.3.4^1"]
            assert canary.connections == 0

    def test_may_not_bring_headers_of_its_own(self, town, aftermath):
        message = question(town, "ITI-38")

        def add(twin):
            endpoint = twin.find(".//wsa:ReplyTo")
            endpoint.append(endpoint.makeelement(q("wsa:ReferenceParameters")))
        answer = town.ask(message.altered(add))
        assert fault_of(answer) == INVALID
        aftermath.check(answer, {"addressing-header-invalid"})

    def test_is_not_followed_when_it_redirects(self, town):
        with Canary() as canary, receiver(town, statuses=(302, 307, 202), headers=[("Location", canary.url)]) as hospital:
            message = accepted(town, question(town, "ITI-38"))
            hospital.answers(3)
            ends(town, message)
            assert canary.connections == 0
        assert {path for path, *_ in hospital.calls} == {"/answers?node=1"}

    def test_is_not_called_once_it_is_no_longer_listed(self, town):
        message = accepted(town, question(town, "ITI-38"))
        list_addresses(town, FAULTS)
        with receiver(town) as hospital:
            events = ends(town, message)
            assert hospital.calls == []
        list_usual_addresses(town)
        assert [event["outcome"] for event in events] == ["accepted", "aborted"]
        assert events[-1]["reason"] == "not-our-address"


class TestWhoAnswersAtAnAddress:
    @pytest.mark.parametrize("who", ["of another name", "not believed"])
    def test_gets_nothing_where_its_certificate_is(self, town, who):
        credential = {"of another name": lambda: authority().issue("other.example", "Other", dns=("other.example",)),
                      "not believed": lambda: ca.self_signed("stranger.example", "Stranger")}[who]()
        before = town.gateway.audit_mark()
        with receiver(town, credential=credential) as impostor:
            message = accepted(town, question(town, "ITI-38"))
            time.sleep(2 * DELAY_S + 1)
            assert impostor.calls == []
        events = [row for row in town.gateway.audit_since(before) if row["payload"].get("message_id") == message.message_id]
        assert [event["outcome"] for event in events] == ["accepted"], "no patient is looked up for nobody"
        with receiver(town) as hospital:
            assert hospital.answers()[0].relates_to == message.message_id
            ends(town, message, "accepted", "released", "sent")


# ---------------------------------------------------------------- policy of the moment

class TestAChoiceMadeWhileAnAnswerWaits:
    def test_to_share_no_more_is_honoured(self, town):
        messages = {name: accepted(town, question(town, name, patient=QUILL, document=DOCUMENTS[1]))
                    for name in TRANSACTIONS}
        town.choose(QUILL)
        with receiver(town) as hospital:
            answers = {answer.relates_to: answer for answer in hospital.answers(3)}
        town.forget_choice(QUILL)
        found = {name: answers[message.message_id] for name, message in messages.items()}
        assert (found["ITI-55"].discovery.query_response, found["ITI-55"].discovery.matches) == ("NF", ())
        assert found["ITI-38"].query.entries == ()
        assert [error.code for error in found["ITI-39"].retrieve.errors] == ["XDSDocumentUniqueIdError"]
        for message in messages.values():
            ends(town, message, "accepted", "withheld", "sent")

    def test_to_share_again_is_honoured(self, town):
        town.choose(QUILL)
        message = accepted(town, question(town, "ITI-55", patient=QUILL))
        town.forget_choice(QUILL)
        with receiver(town) as hospital:
            assert [match.extension for match in hospital.answers()[0].discovery.matches] == [QUILL.mrn]

    def test_is_asked_for_at_every_attempt(self, town):
        """The first attempt is not taken; before the second the patient says no."""
        def say_no(_):
            if not said:
                said.append(town.choose(QUILL))
        said = []
        with receiver(town, statuses=(503, 202), before=say_no) as hospital:
            message = accepted(town, question(town, "ITI-55", patient=QUILL))
            first, second = hospital.answers(2)
            ends(town, message, "accepted", "released", "withheld", "sent")
        town.forget_choice(QUILL)
        assert [len(answer.discovery.matches) for answer in (first, second)] == [1, 0]


class TestAPatientWhoIsDenied:
    """By call-back too, denial is absence: the same bytes, no earlier than the constant delay."""

    PATIENT = Patient("HV-3200", "Vandersloot", "Ignatius", "M", "19570401", "4 Heron Lane")
    DOCUMENT = Document("2.999.1.8.200", PATIENT, text="Not for everyone.")

    @pytest.fixture(scope="class")
    def told(self, town):
        town.enter(self.PATIENT)
        town.file(self.DOCUMENT)
        wires = {name: question(town, name, patient=self.PATIENT, document=self.DOCUMENT) for name in TRANSACTIONS}

        def ask_all():
            answers, seconds = {}, {}
            for name, message in wires.items():
                with receiver(town) as hospital:
                    asked = time.monotonic()
                    accepted(town, message.wire())
                    [answers[name]] = hospital.answers()
                    seconds[name] = hospital.calls[0][2] - asked
                    while waiting(town):
                        time.sleep(0.05)
            return answers, seconds

        states = {"allowed": ask_all()}
        town.choose(self.PATIENT)
        states["denied"] = ask_all()
        town.delete(self.PATIENT)
        return states | {"absent": ask_all()}

    @pytest.mark.parametrize("transaction", TRANSACTIONS)
    def test_is_answered_as_one_who_is_absent(self, told, transaction):
        allowed, denied, absent = (told[state][0][transaction] for state in ("allowed", "denied", "absent"))
        assert judges.difference(denied, absent) == ""
        assert judges.difference(allowed, absent) != ""

    @pytest.mark.parametrize("transaction", TRANSACTIONS)
    def test_is_answered_on_the_same_schedule(self, told, transaction):
        for state in ("allowed", "denied", "absent"):
            assert told[state][1][transaction] >= DELAY_S, state


# ---------------------------------------------------------------- nothing is lost, nothing is told twice

class TestAReceiverThatIsNotThere:
    def test_gets_its_answer_when_it_is(self, town):
        message = accepted(town, question(town, "ITI-39"))
        time.sleep(1)
        assert waiting(town) == 1
        with receiver(town) as hospital:
            assert hospital.answers()[0].relates_to == message.message_id
            ends(town, message, "accepted", "released", "sent")
            time.sleep(1)
        assert len(hospital.calls) == 1

    @pytest.mark.parametrize("status", [500, 404, None], ids=["fails", "refuses", "hangs up"])
    def test_is_tried_again_with_the_same_message_id_after_it(self, town, status):
        with receiver(town, statuses=(status, 202)) as hospital:
            message = accepted(town, question(town, "ITI-38"))
            first, second = hospital.answers(2)
            ends(town, message, "accepted", "released", "released", "sent")
        assert first.text(".//wsa:MessageID") == second.text(".//wsa:MessageID")

    def test_gets_one_answer_to_a_request_that_was_sent_twice_meanwhile(self, town):
        wire = question(town, "ITI-38")
        for _ in range(2):
            accepted(town, wire)
        assert waiting(town) == 1
        with receiver(town) as hospital:
            hospital.answers()
            time.sleep(1.5)
        assert len(hospital.calls) == 1


class TestFaultsOfTheLaterProcessing:
    """The signer's tie is gone when the answer is due: a fault, told to FaultTo."""

    @pytest.fixture
    def withdrawn(self, town):
        """Withdraws the partner's signing certificate while in use, after what the test has sent."""
        tie = hashlib.sha256(riverside().signing.der).hexdigest()

        def withdraw():
            town.gateway.command("partner", "untie", "certificate", tie)
        yield withdraw
        town.pin(RIVERSIDE, riverside().signing.pem)

    def test_come_to_the_fault_address(self, town, withdrawn):
        message = accepted(town, question(town, "ITI-55", fault_to=FAULTS))
        withdrawn()
        with receiver(town) as hospital:
            [answer] = hospital.answers()
            ends(town, message, "accepted", "fault", "sent")
        assert hospital.calls[0][0] == "/faults"
        assert (answer.text(".//wsa:To"), answer.relates_to) == (FAULTS, message.message_id)
        assert answer.fault.code == "Sender"
        assert judges.leak(answer, ()) == ""

    def test_come_to_the_reply_address_where_no_other_is_named(self, town, withdrawn):
        message = accepted(town, question(town, "ITI-38"))
        withdrawn()
        with receiver(town) as hospital:
            assert hospital.answers()[0].fault.code == "Sender"
            ends(town, message, "accepted", "fault", "sent")

    def test_are_discarded_where_nobody_wants_them(self, town, withdrawn):
        message = accepted(town, question(town, "ITI-38", fault_to=names.NOWHERE))
        withdrawn()
        with receiver(town) as hospital:
            events = ends(town, message, "accepted", "aborted")
        assert (hospital.calls, events[-1]["reason"]) == ([], "call-back-discarded")


# ---------------------------------------------------------------- limits

class TestRequestsThatNobodyCollects:
    """S02"""

    @pytest.fixture(scope="class")
    def small_town(self, found_town):
        return settle(found_town("small-async-town"), pending_per_partner=3, attempts=2, expire_seconds=600)

    def test_are_three_at_most_and_others_are_served(self, small_town):
        messages = [accepted(small_town, question(small_town, "ITI-38")) for _ in range(3)]
        aftermath = Aftermath(small_town)
        answer = small_town.ask(question(small_town, "ITI-55"))
        assert (answer.status, answer.fault.code, "retry-after" in answer.headers) == (503, "Receiver", True)
        aftermath.check(answer, {"too-many-waiting"})
        for message in messages:
            events = ends(small_town, message, "accepted", "aborted")
            assert events[-1]["reason"] == "call-back-failed"
        assert waiting(small_town) == 0

    def test_expire(self, small_town):
        message = accepted(small_town, question(small_town, "ITI-38"))
        small_town.gateway.clock.advance(seconds=601)
        events = ends(small_town, message, "accepted", "aborted")
        assert events[-1]["reason"] == "call-back-expired"
        with receiver(small_town) as hospital:
            time.sleep(1)
        assert (hospital.calls, waiting(small_town)) == ([], 0)

    def test_are_no_larger_than_a_mebibyte(self, small_town):
        message = question(small_town, "ITI-38")
        message.body[0].append(message.body.makeelement("{urn:x}padding"))
        message.body[0][-1].text = "x" * (1 << 20)
        assert small_town.ask(message).status == 413


class TestAReceiverThatHangs:
    def test_does_not_hold_up_the_answers_of_others(self, town):
        """Its own wait; half of the workers are enough for it."""
        quiet = socket.create_server(("127.0.0.1", SPARE_PORT), backlog=64)
        lake = f"https://localhost:{HOSPITAL_PORT}/lake"
        list_addresses(town, lake, home=LAKESIDE, name="Lakeside Clinic")
        list_addresses(town, f"https://localhost:{SPARE_PORT}/")
        try:
            stuck = [accepted(town, question(town, "ITI-38", f"https://localhost:{SPARE_PORT}/")) for _ in range(8)]
            time.sleep(2 * DELAY_S)
            with receiver(town) as hospital:
                asked = time.monotonic()
                message = question(town, "ITI-38", lake, sender=town.sender(lakeside()))
                accepted(town, message, partner=lakeside())
                assert hospital.answers()[0].relates_to == message.message_id
                assert hospital.calls[0][2] - asked < 3
        finally:
            quiet.close()
            list_addresses(town)
            for message in stuck:
                ends(town, message, "accepted", "aborted", within_s=40)
            list_usual_addresses(town)


class TestTheNameOfAnAddress:
    def test_that_leads_to_loopback_is_not_called_unless_it_is_allowed(self, found_town):
        town = settle(found_town("strict-async-town"), allow=[])
        with Canary() as canary:
            address = f"https://localhost:{canary.port}/"
            list_addresses(town, address, f"https://127.0.0.1:{canary.port}/")
            message = accepted(town, question(town, "ITI-38", address))
            events = ends(town, message, "accepted", "aborted")
            assert events[-1]["reason"] == "call-not-allowed"
            assert fault_of(town.ask(question(town, "ITI-38", f"https://127.0.0.1:{canary.port}/"))) == INVALID
            assert canary.connections == 0


# ---------------------------------------------------------------- faults of ours

class TestAGatewayThatIsKilled:
    @pytest.fixture(scope="class")
    def mortal(self, built, databases, tmp_path_factory):
        town = Town(tmp_path_factory.mktemp("mortal-async-town"), database=databases())
        settle(town.build(), lease_seconds=4)
        yield town
        if town.gateway.is_running():
            town.gateway.kill()

    def test_answers_each_request_it_accepted_once_after_it(self, mortal):
        messages = [accepted(mortal, question(mortal, name)) for name in TRANSACTIONS]
        mortal.gateway.kill()
        mortal.gateway.start()
        with receiver(mortal) as hospital:
            answers = hospital.answers(3)
            for message in messages:
                ends(mortal, message, "accepted", "released", "sent")
            time.sleep(1)
        assert len(hospital.calls) == 3
        assert {answer.relates_to for answer in answers} == {message.message_id for message in messages}
        exit, said = mortal.gateway.verify_audit(mortal.gateway.data / "audit" / "witness.jsonl")
        assert exit == 0, said

    def test_in_the_middle_of_a_call_calls_again_with_the_same_message_id(self, mortal):
        def die(_):
            if mortal.gateway.is_running() and not dead:
                dead.append(mortal.gateway.kill())
        dead = []
        with receiver(mortal, before=die) as hospital:
            message = accepted(mortal, question(mortal, "ITI-55"))
            hospital.answers()
            mortal.gateway.start()
            first, second = hospital.answers(2, within_s=20)
            ends(mortal, message, "accepted", "released", "released", "sent")
        assert first.text(".//wsa:MessageID") == second.text(".//wsa:MessageID")
        exit, said = mortal.gateway.verify_audit(mortal.gateway.data / "audit" / "witness.jsonl")
        assert exit == 0, said


    def test_again_and_again_loses_nothing_and_tells_all_in_the_audit(self, mortal, request, rng):
        """Half as many kills as faults/test_kill.py makes, 25 at most, at random instants before, during and after the
        calls."""
        kills = min(25, max(2, request.config.getoption("--kills") // 2))
        messages = []
        with receiver(mortal) as hospital:
            for kill in range(kills):
                messages += [accepted(mortal, question(mortal, TRANSACTIONS[(kill + n) % 3])) for n in range(3)]
                time.sleep(rng.uniform(0, 0.6))
                mortal.gateway.kill()
                mortal.gateway.start()
            for message in messages:
                assert ends(mortal, message, within_s=30)[-1]["outcome"] == "sent"
            calls = [answer for _, answer, _, _ in hospital.calls]
        ids = {}
        for answer in calls:
            ids.setdefault(answer.relates_to, set()).add(answer.text(".//wsa:MessageID"))
        assert set(ids) == {message.message_id for message in messages}
        assert {len(one) for one in ids.values()} == {1}, "an answer that came twice had two MessageIDs"
        print(f"\n{kills} kills, {len(messages)} requests, {len(calls)} call-backs")
        for message in messages:
            events = mortal.gateway.audit_of(message.message_id)
            told = sum(event["outcome"] == "released" for event in events)
            assert told >= sum(answer.relates_to == message.message_id for answer in calls), "a call-back is not told"
            assert (events[0]["outcome"], [event["outcome"] for event in events].count("sent")) == ("accepted", 1)
        exit, said = mortal.gateway.verify_audit(mortal.gateway.data / "audit" / "witness.jsonl")
        assert exit == 0, said
        assert waiting(mortal) == 0


class TestTwoNodes:
    REQUESTS = 20

    def test_of_one_database_send_each_answer_once(self, town, tmp_path):
        second = town.gateway.twin(tmp_path)
        second.start()
        try:
            messages = [accepted(town, question(town, TRANSACTIONS[n % 3])) for n in range(self.REQUESTS)]
            # A call lasts longer than a node waits between two looks, so neither can take them all.
            with receiver(town, before=lambda _: time.sleep(0.5)) as hospital:
                answers = hospital.answers(self.REQUESTS, within_s=40)
                time.sleep(2)
                assert len(hospital.calls) == self.REQUESTS
            for message in messages:
                ends(town, message, "accepted", "released", "sent")
            nodes = {row["node"] for row in town.gateway.audit(limit=400) if row["outcome"] == "sent"}
        finally:
            assert second.stop() == 0
        assert {answer.relates_to for answer in answers} == {message.message_id for message in messages}
        assert len(nodes) == 2, "only one of the nodes has called anybody"
