"""ITI-55 Cross Gateway Patient Discovery, Responding Gateway. [ITI TF-2 §3.55; HL7 V3 2008 PRPA_IN201306UV02]"""

import pytest
from lxml import etree

from peer import judges, names
from peer.canary import Canary
from peer.gateway import PATHS
from peer.names import q
from peer.town import DORMANT, HOME, QUILL, RIVERSIDE, RIVERSIDE_CLINIC, STRANGER

pytestmark = pytest.mark.both_databases


def ask(town, message):
    return town.ask(message, path=PATHS["ITI-55"])


def edited(message, path, **attributes):
    """The message with attributes of one element of its unsigned Body changed."""
    def change(twin):
        for name, value in attributes.items():
            twin.find(".//hl7:" + path).set(name, value)
    return message.altered(change)


class TestAMatch:
    @pytest.fixture(scope="class")
    def asked(self, town):
        return town.sender().patient_discovery(QUILL)

    @pytest.fixture(scope="class")
    def answer(self, town, asked):
        return ask(town, asked)

    def test_is_accepted_with_the_one_id_to_use(self, answer):
        found = answer.discovery
        assert (found.acknowledgement, found.query_response) == ("AA", "OK")
        assert [(m.root, m.extension) for m in found.matches] == [(HOME, QUILL.mrn)]

    def test_names_the_home_to_route_by(self, answer):
        assert answer.discovery.matches[0].custodian == HOME

    def test_shows_our_own_record(self, answer):
        match = answer.discovery.matches[0]
        assert (match.family, match.given, match.birth) == (QUILL.family, (QUILL.given,), QUILL.birth)

    def test_answers_the_request_it_got(self, asked, answer):
        assert answer.action == names.PATIENT_DISCOVERY_ANSWER
        assert answer.relates_to == asked.message_id
        target = answer.find(".//hl7:targetMessage/hl7:id")
        assert target.get("extension") == asked.find(".//hl7:PRPA_IN201305UV02/hl7:id").get("extension")

    def test_repeats_the_query_after_its_acknowledgement(self, asked, answer):
        children = [etree.QName(node).localname for node in answer.find(".//hl7:controlActProcess")]
        assert children[-2:] == ["queryAck", "queryByParameter"]
        sought = [answer.find(".//hl7:queryByParameter//hl7:" + name).text for name in ("family", "given")]
        assert sought == [QUILL.family, QUILL.given]

    def test_is_valid_to_both_parsers(self, answer, shared):
        assert judges.schema_complaints(answer) == {}

    def test_is_signed_over_timestamp_confirmations_addressing_and_body(self, town, asked, answer):
        assert judges.signature_complaint(answer.envelope, town.gateway.certificate("signing")) == ""
        signed = judges.signed_elements(answer)
        assert {q("wsu:Timestamp"), q("soap:Body"), q("wsa:Action"), q("wsa:RelatesTo")} <= set(signed)
        assert signed.count(q("wsse11:SignatureConfirmation")) == 2
        sent = [node.text for node in asked.root.iter(q("ds:SignatureValue"))]
        assert judges.confirmed_signatures(answer) == sent

    def test_has_nothing_of_a_social_security_number(self, answer):
        assert b"2.16.840.1.113883.4.1\"" not in answer.body


class TestNoMatch:
    def test_of_a_stranger_is_not_found(self, town):
        found = ask(town, town.sender().patient_discovery(STRANGER)).discovery
        assert (found.acknowledgement, found.query_response, found.matches) == ("AA", "NF", ())

    def test_of_the_same_name_born_on_another_day_is_not_found(self, town):
        found = ask(town, town.sender().patient_discovery(QUILL.but(birth="19910814"))).discovery
        assert (found.query_response, found.matches) == ("NF", ())

    def test_is_valid_to_both_parsers(self, town, shared):
        assert judges.schema_complaints(ask(town, town.sender().patient_discovery(STRANGER))) == {}


class TestWhatIsRefused:
    def test_a_community_not_served_here_is_answer_not_available(self, town):
        message = town.sender().but(receiver_home="2.999.77").patient_discovery(QUILL)
        found = ask(town, message).discovery
        assert (found.acknowledgement, found.query_response) == ("AE", "AE")
        assert found.problems == ("AnswerNotAvailable",)

    def test_a_query_without_name_or_id_is_a_query_error(self, town):
        only_gender = ('<livingSubjectAdministrativeGender><value code="F" codeSystem="2.16.840.1.113883.5.1"/>'
                       "<semanticsText>LivingSubject.administrativeGender</semanticsText>"
                       "</livingSubjectAdministrativeGender>")
        found = ask(town, town.sender().patient_discovery(QUILL, parameters=only_gender)).discovery
        assert (found.query_response, found.matches) == ("QE", ())

    def test_a_deferred_query_under_the_action_of_an_immediate_one_gets_a_fault(self, town):
        answer = ask(town, town.sender().patient_discovery(QUILL, priority="D"))
        assert (answer.status, answer.fault.code) == (400, "Sender")
        assert judges.leak(answer, (QUILL.family, QUILL.mrn)) == ""

    @pytest.mark.parametrize("home", ["2.999.88.1", DORMANT], ids=["unknown", "inactive"])
    def test_an_organization_that_is_not_active_in_the_directory_gets_a_fault(self, town, home):
        sender = town.sender()
        answer = ask(town, sender.but(token=sender.token.but(home=home)).patient_discovery(QUILL))
        assert (answer.status, answer.fault.code, answer.fault.subcode) == (400, "Sender", "FailedAuthentication")

    def test_a_sender_that_is_not_active_in_the_directory_gets_a_fault(self, town):
        answer = ask(town, town.sender().patient_discovery(QUILL, sender_home=DORMANT))
        assert answer.fault.subcode == "FailedAuthentication"


class TestADeferredQuery:
    """Refused in the wire's own form: MCCI_IN000002UV01, AE, NS250. [facts/query-exchange §1.5, §2.5]"""

    def refused(self, town, patient, **options):
        with Canary() as canary:
            asked = town.sender().deferred_patient_discovery(patient, canary.url, **options)
            answer = ask(town, asked)
            assert canary.connections == 0, "nobody is called back"
        return asked, answer

    def test_is_acknowledged_as_an_unsupported_mode(self, town):
        asked, answer = self.refused(town, QUILL)
        assert (answer.status, answer.action) == (200, names.ACCEPT_ACKNOWLEDGEMENT)
        assert answer.relates_to == asked.message_id
        assert answer.find(".//hl7:MCCI_IN000002UV01/hl7:interactionId").get("extension") == "MCCI_IN000002UV01"
        assert answer.find(".//hl7:acceptAckCode").get("code") == "NE"
        assert answer.find(".//hl7:acknowledgement/hl7:typeCode").get("code") == "AE"
        target = answer.find(".//hl7:targetMessage/hl7:id")
        assert target.get("extension") == asked.find(".//hl7:PRPA_IN201305UV02/hl7:id").get("extension")
        detail = answer.find(".//hl7:acknowledgementDetail")
        assert (detail.get("typeCode"), detail.find(q("hl7:code")).get("code")) == ("E", "NS250")

    def test_is_valid_signed_and_written_down(self, town, shared):
        asked, answer = self.refused(town, QUILL)
        assert judges.schema_complaints(answer) == {}
        assert judges.signature_complaint(answer.envelope, town.gateway.certificate("signing")) == ""
        events = town.gateway.audit_of(asked.message_id)
        assert [(event["payload"]["transaction"], event["outcome"], event["reason"]) for event in events] == [
            ("ITI-55", "refused", "deferred-not-supported")]

    def test_is_refused_alike_for_whomever_it_asks(self, town):
        answers = [self.refused(town, patient)[1] for patient in (QUILL, STRANGER)]
        assert len({len(answer.body) for answer in answers}) == 1
        assert [answer.find(".//hl7:acknowledgementDetail/hl7:code").get("code") for answer in answers] == ["NS250"] * 2
        assert judges.leak(answers[0], (QUILL.family, QUILL.mrn)) == ""

    def test_with_an_immediate_priority_gets_a_fault(self, town):
        assert self.refused(town, QUILL, priority="I")[1].fault.code == "Sender"


class TestWhoIsAnswered:
    @pytest.mark.parametrize("home", [RIVERSIDE, RIVERSIDE_CLINIC])
    def test_every_active_organization_of_the_implementer(self, town, home):
        sender = town.sender()
        message = sender.but(token=sender.token.but(home=home)).patient_discovery(QUILL)
        assert ask(town, message).discovery.query_response == "OK"

    def test_an_organization_and_its_implementer_as_sender(self, town):
        sender = town.sender()
        walk_in = sender.but(token=sender.token.but(home=RIVERSIDE_CLINIC))
        message = walk_in.patient_discovery(QUILL, sender_home=RIVERSIDE)
        assert ask(town, message).discovery.query_response == "OK"


class TestWhatPeersErrIn:
    @pytest.mark.parametrize("gender", ["UNK", "U", "OTH"])
    def test_a_gender_that_says_nothing_refuses_nothing(self, town, gender):
        message = town.sender().patient_discovery(QUILL)
        message = edited(message, "livingSubjectAdministrativeGender/hl7:value", code=gender)
        assert ask(town, message).status == 200

    def test_a_creation_time_with_dashes_is_read(self, town):
        message = edited(town.sender().patient_discovery(QUILL), "creationTime", value="2026-11-21T19:30:04.926Z")
        assert ask(town, message).discovery.query_response == "OK"

    def test_a_telecom_use_of_no_vocabulary_is_read_and_not_repeated(self, town, shared):
        message = edited(town.sender().patient_discovery(QUILL), "patientTelecom/hl7:value", use="phone")
        answer = ask(town, message)
        assert answer.discovery.query_response == "OK"
        assert judges.schema_complaints(answer) == {}

    def test_ids_smuggled_into_the_query_are_not_repeated(self, town):
        def smuggle(twin):
            twin.find(".//hl7:queryByParameter").set(q("wsu:Id"), "body")
        answer = ask(town, town.sender().patient_discovery(QUILL).altered(smuggle))
        assert answer.find(".//hl7:queryByParameter").get(q("wsu:Id")) is None
