"""The peer judged by others before it judges: its messages by the official schema, its signatures by xmlsec1; and its
own judges must be able to say no."""

import json
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from lxml import etree

from peer import ca, directory, judges, messages, mtom, records
from peer.answers import Answer
from peer.canary import Canary
from peer.records import TEST_PATIENT, Document

CREDENTIAL = ca.self_signed("peer.example", "Peer")
EMITTED = Path(__file__).resolve().parents[1] / "data" / "emitted"


def sender(**changes):
    plan = messages.Signing(CREDENTIAL)
    return messages.Sender(messages.Token("2.999.20.4", audience="https://localhost:8443"), plan,
                           "https://localhost:8443", "2.999.1", **changes)


def three(asker):
    return [asker.patient_discovery(TEST_PATIENT),
            asker.cross_gateway_query(messages.find_documents(messages.cx("PID-1", "2.999.1"))),
            asker.cross_gateway_retrieve([("urn:oid:2.999.1", "2.999.1.1", "1.2.3.4^1")])]


def bytes_of(message):
    return etree.tostring(message.root)


@pytest.mark.parametrize("number", range(3), ids=["ITI-55", "ITI-38", "ITI-39"])
class TestItsMessages:
    def test_are_valid_by_the_official_schema(self, shared, number):
        message = bytes_of(three(sender())[number])
        assert judges.xmllint_complaint(message) == ""
        assert judges.xerces_complaint(message) == ""

    def test_are_signed_twice_to_xmlsec1(self, number):
        message = bytes_of(three(sender(constant_ids=True))[number])
        assert judges.signature_complaint(message, CREDENTIAL.pem) == ""
        assert judges.assertion_complaint(message, CREDENTIAL.pem) == ""

    def test_altered_are_not(self, number):
        message = bytes_of(three(sender())[number]).replace(b"Jennifer Parker", b"Jennifer Farker")
        assert judges.assertion_complaint(message, CREDENTIAL.pem) != ""


def test_others_messages_signed_anew_verify_with_our_key(client_requests):
    content_type, body = client_requests["iti38-request"]
    message = etree.tostring(messages.resigned(etree.fromstring(body), CREDENTIAL))
    assert judges.signature_complaint(message, CREDENTIAL.pem) == ""
    assert judges.assertion_complaint(message, CREDENTIAL.pem) == ""


def test_the_production_clients_requests_verify_with_its_certificate(client_requests, shared):
    certificate = (shared / "samples" / "production-client" / "cert.pem").read_bytes()
    for content_type, body in client_requests.values():
        envelope = mtom.unpack(content_type, body)[0].body if content_type.startswith("multipart") else body
        assert judges.signature_complaint(envelope, certificate) == ""
        assert judges.assertion_complaint(envelope, certificate) == ""


def test_its_documents_are_valid_by_the_official_schema(shared, tmp_path):
    schema = shared / "schemas" / "cda" / "sdtc" / "infrastructure" / "cda" / "CDA_SDTC.xsd"
    document = records.ccda(Document("1.2.3.4^1", TEST_PATIENT, text="a < b & c"), "2.999.1")
    assert judges.xmllint_complaint(document, schema) == ""


class TestMtom:
    def test_packs_what_it_unpacks(self):
        content_type, body = mtom.pack(b"<a/>", parts=[("one@x", "text/xml", b"\r\n--no boundary\r\n")])
        root, part = mtom.unpack(content_type, body)
        assert (root.body, part.body, part.content_id) == (b"<a/>", b"\r\n--no boundary\r\n", "one@x")

    def test_is_strict_about_the_end(self):
        content_type, body = mtom.pack(b"<a/>")
        with pytest.raises(ValueError):
            mtom.unpack(content_type, body[:-6])


def answer_of(name):
    return Answer(200, {"content-type": "application/soap+xml"}, (EMITTED / name).read_bytes())


class TestSameness:
    def test_overlooks_ids_instants_digests_and_signatures(self):
        one = answer_of("iti55-no-match.xml")
        body = one.body.replace(b"7b8b965a", b"00000000").replace(b"1d0b4c8f", b"00000000")
        body = body.replace(b"15:04:05.120Z", b"15:04:06.121Z").replace(b"ac+0zPNY1Wc9", b"AAAAAAAAAAAA")
        other = Answer(200, one.headers, body)
        assert one.body != other.body
        assert judges.difference(one, other) == ""

    @pytest.mark.parametrize("old, new", [(b'code="NF"', b'code="OK"'), (b"</soap12:Header>", b"</soap12:Header> "),
                                          (b"2b7e1516", b"2b7e1517"), (b"deliveredResponse", b"deliveredresponse")])
    def test_overlooks_nothing_else(self, old, new):
        one = answer_of("iti55-no-match.xml")
        other = Answer(200, one.headers, one.body.replace(old, new))
        assert judges.difference(one, other) != ""

    def test_sees_another_length_of_an_id(self):
        one = answer_of("iti55-no-match.xml")
        other = Answer(200, one.headers, one.body.replace(b"urn:uuid:7b8b965a", b"urn:uuid:7b8b965ab"))
        assert judges.difference(one, other) != ""

    def test_sees_another_status(self):
        one = answer_of("fault.xml")
        assert judges.difference(one, Answer(400, one.headers, one.body)) != ""


class TestReadingAnswers:
    def test_of_a_match(self):
        found = answer_of("iti55-match.xml").discovery
        assert (found.acknowledgement, found.query_response, len(found.matches)) == ("AA", "OK", 1)

    def test_of_a_query(self):
        found = answer_of("iti38-success.xml").query
        assert found.entries and found.errors == ()

    def test_of_a_retrieve(self):
        assert answer_of("iti39-inline.xml").retrieve.documents

    def test_of_a_fault(self):
        fault = answer_of("fault.xml").fault
        assert (fault.code, fault.subcode) == ("Sender", "InvalidSecurity")

    def test_finds_a_leak(self):
        assert judges.leak(answer_of("iti55-match.xml"), ("Quillfeather",)) == "Quillfeather"
        assert judges.leak(answer_of("iti55-no-match.xml"), ("Quillfeather",)) == ""  # only echoed


def test_a_canary_counts_who_calls():
    with Canary() as canary:
        socket.create_connection(("127.0.0.1", canary.port)).close()
        deadline = time.monotonic() + 5
        while not canary.connections and time.monotonic() < deadline:
            time.sleep(0.01)
        assert canary.connections == 1


def test_a_directory_names_managing_organizations_and_delegates():
    organization = directory.Organization("2.999.2", "B", implementer="2.999.3", delegates=("2.999.4",))
    bundle = json.loads(directory.bundle(organization))
    text = json.dumps(bundle["entry"][0]["resource"])
    assert "Organization/2.999.3" in text and "Organization/2.999.4" in text


def test_ask_says_how_it_is_used():
    run = subprocess.run([sys.executable, Path(__file__).with_name("ask.py"), "patient", "--help"], capture_output=True)
    assert run.returncode == 0 and b"--family" in run.stdout


@pytest.mark.parametrize("tool", ["xmllint", "xmlsec1", "StdInParse", "faketime"])
def test_the_judges_are_installed(tool):
    assert shutil.which(tool), f"{tool} is missing: these tests prove nothing without it"
