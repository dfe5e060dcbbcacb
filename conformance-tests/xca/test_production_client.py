"""The four requests of a production Carequality client, through the running release program.

As captured they are signed with a key that is not at hand, so TLS uses another certificate of that organization. Signed
anew by us, one certificate serves for both, as that client has it in production. Each is asked while the patient's data
may be shared, while they may not, and after the patient is gone: the request's bytes are the same all three times.
"""

from types import SimpleNamespace

import pytest
from lxml import etree

from peer import judges, messages, mtom, names
from peer.names import PREFIXES, q
from peer.town import HOME, TEST_PATIENT, client_own, client_tls

pytestmark = pytest.mark.both_databases

REQUESTS = ("iti55-request", "iti55-request-legacy-body", "iti38-request", "iti39-request")
FLAVOURS = ("captured", "signed-anew")
STATES = ("allowed", "denied", "unknown")


def envelope_of(content_type, body):
    return mtom.unpack(content_type, body)[0].body if content_type.startswith("multipart") else body


def signed_anew(content_type, body):
    root = messages.resigned(etree.fromstring(envelope_of(content_type, body)), client_own())
    data = etree.tostring(root)
    if content_type.startswith("multipart"):
        return mtom.pack(data)
    return content_type, data


@pytest.fixture(scope="module")
def wires(client_requests):
    """(flavour, name) -> (content type, bytes)"""
    captured = {("captured", name): wire for name, wire in client_requests.items()}
    anew = {("signed-anew", name): signed_anew(*wire) for name, wire in client_requests.items()}
    return captured | anew


@pytest.fixture(scope="module")
def visit(found_town, wires):
    """All answers: (flavour, name, state) -> Answer, and the town they came from."""
    town = found_town("client-town")
    credentials = {"captured": client_tls(), "signed-anew": client_own()}
    changes = {"allowed": lambda: None, "denied": lambda: town.choose(TEST_PATIENT, "payment"),
               "unknown": lambda: town.delete(TEST_PATIENT)}
    answers = {}
    for state in STATES:
        changes[state]()
        for (flavour, name), wire in wires.items():
            answers[flavour, name, state] = town.gateway.send(wire, credentials[flavour])
    return SimpleNamespace(answers=answers, town=town)


def each(*names_of_requests):
    return [pytest.param(flavour, name, id=f"{name}-{flavour}") for flavour in FLAVOURS for name in names_of_requests]


@pytest.mark.parametrize("flavour, name", each("iti55-request", "iti55-request-legacy-body"))
class TestPatientDiscovery:
    def test_finds_the_patient_who_may_be_shared(self, visit, flavour, name):
        found = visit.answers[flavour, name, "allowed"].discovery
        assert (found.acknowledgement, found.query_response) == ("AA", "OK")
        assert [(m.root, m.extension, m.family) for m in found.matches] == [(HOME, "PID-1", "NWHINZZZTESTPATIENT")]

    @pytest.mark.parametrize("state", ["denied", "unknown"])
    def test_finds_nobody_otherwise(self, visit, flavour, name, state):
        found = visit.answers[flavour, name, state].discovery
        assert (found.acknowledgement, found.query_response, found.matches) == ("AA", "NF", ())
        assert found.problems == ()


@pytest.mark.parametrize("flavour, name", each("iti38-request"))
class TestCrossGatewayQuery:
    def test_lists_the_documents_that_may_be_shared(self, visit, flavour, name):
        answer = visit.answers[flavour, name, "allowed"].query
        assert (answer.status, answer.errors) == (names.SUCCESS, ())
        assert [entry.unique_id for entry in answer.entries] == ["1.2.3.4^1"]

    @pytest.mark.parametrize("state", ["denied", "unknown"])
    def test_is_an_empty_success_otherwise(self, visit, flavour, name, state):
        answer = visit.answers[flavour, name, state].query
        assert (answer.status, answer.entries, answer.errors) == (names.SUCCESS, (), ())


@pytest.mark.parametrize("flavour, name", each("iti39-request"))
class TestCrossGatewayRetrieve:
    def test_gives_the_document_that_may_be_shared_and_an_error_for_the_one_there_is_not(self, visit, flavour, name):
        answer = visit.answers[flavour, name, "allowed"].retrieve
        assert answer.status == names.PARTIAL_SUCCESS
        assert [document.unique_id for document in answer.documents] == ["1.2.3.4^1"]
        assert b"Cough, better since Tuesday." in answer.documents[0].bytes
        assert [error.code for error in answer.errors] == ["XDSDocumentUniqueIdError"]

    @pytest.mark.parametrize("state", ["denied", "unknown"])
    def test_gives_errors_alone_otherwise(self, visit, flavour, name, state):
        answer = visit.answers[flavour, name, state].retrieve
        assert (answer.status, answer.documents) == (names.FAILURE, ())
        assert [error.code for error in answer.errors] == ["XDSDocumentUniqueIdError"] * 2

    @pytest.mark.parametrize("state", STATES)
    def test_is_answered_in_mtom(self, visit, flavour, name, state):
        assert visit.answers[flavour, name, state].is_mtom


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("flavour, name", each(*REQUESTS))
class TestEveryAnswer:
    def test_comes_with_status_200(self, visit, flavour, name, state):
        assert visit.answers[flavour, name, state].status == 200

    def test_is_valid_to_both_parsers(self, visit, flavour, name, state):
        assert judges.schema_complaints(visit.answers[flavour, name, state]) == {}

    def test_is_signed_to_xmlsec1(self, visit, flavour, name, state):
        answer = visit.answers[flavour, name, state]
        assert judges.signature_complaint(answer.envelope, visit.town.gateway.certificate("signing")) == ""
        signed = set(judges.signed_elements(answer))
        assert {q("wsu:Timestamp"), q("wsse11:SignatureConfirmation"), q("wsa:RelatesTo")} <= signed
        assert (q("soap:Body") in signed) == (name != "iti39-request")

    def test_belongs_to_its_request(self, visit, wires, flavour, name, state):
        request = etree.fromstring(envelope_of(*wires[flavour, name]))
        answer = visit.answers[flavour, name, state]
        assert answer.relates_to == request.findtext(".//wsa:MessageID", namespaces=PREFIXES)
        sent = [node.text for node in request.iter(q("ds:SignatureValue"))]
        assert judges.confirmed_signatures(answer) == sent

    def test_is_audited_with_its_true_outcome(self, visit, wires, flavour, name, state):
        request = etree.fromstring(envelope_of(*wires[flavour, name]))
        message_id = request.findtext(".//wsa:MessageID", namespaces=PREFIXES)
        outcomes = [(row["outcome"], row["reason"]) for row in visit.town.gateway.audit_of(message_id)]
        expected = {"allowed": ("released", ""), "denied": ("withheld", "patient-purpose"), "unknown": ("no-match", "")}
        assert expected[state] in outcomes


@pytest.mark.parametrize("flavour, name", each(*REQUESTS))
def test_denied_and_unknown_are_the_same_bytes(visit, flavour, name):
    assert judges.difference(visit.answers[flavour, name, "denied"], visit.answers[flavour, name, "unknown"]) == ""
