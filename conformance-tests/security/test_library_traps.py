"""Traps of the libraries this program is built on, as far as they show from outside. [threat catalogue §0, K1–K16]"""

import socket
import ssl
import time

import pytest
from lxml import etree

from peer import ca, names, signing
from peer.canary import Canary
from peer.client import Closed, resident_kib, tls_context
from peer.gateway import PATHS
from peer.messages import SOAP_XML, Signing
from peer.names import q
from peer.signing import ENVELOPED, EXC_C14N, Form, Reference
from peer.town import TEST_PATIENT, Aftermath, riverside

QUICK_S = 1.5
CASE_MEMORY_KIB = 64 * 1024


def refused(town, wire, reasons, canary=None, statuses=(400,)):
    """The attack is refused quickly, for its own reason, within its memory."""
    aftermath = Aftermath(town, canary)
    before = resident_kib(town.gateway.process.pid)
    start = time.monotonic()
    answer = town.ask(wire)
    assert time.monotonic() - start < QUICK_S
    assert answer.status in statuses and answer.fault is not None
    assert resident_kib(town.gateway.process.pid) - before < CASE_MEMORY_KIB
    aftermath.check(answer, reasons)
    return answer


def signed(town, **plan):
    sender = town.sender()
    return town.find_documents(TEST_PATIENT, sender.but(plan=sender.plan.but(**plan)))


@pytest.fixture
def good(town):
    return town.find_documents(TEST_PATIENT)


@pytest.fixture
def good_text(good):
    return good.wire()[1].decode()


class TestSignatures:
    def test_k1_a_key_inside_the_message_never_wins(self, town):
        stranger = ca.self_signed("stranger.example", "Nobody")
        plan = Signing(stranger, assertion_form=Form(key_info=signing.key_value_only(stranger.key.public_key())))
        refused(town, town.find_documents(TEST_PATIENT, town.sender().but(plan=plan)), {"signature-unresolved"})

    def test_k2_an_hmac_key_inside_the_message_never_wins(self, town):
        value = ('<ds:KeyValue><x:HMACKeyValue xmlns:x="http://www.aleksey.com/xmlsec/2002">c2VjcmV0'
                 "</x:HMACKeyValue></ds:KeyValue>")
        form = Form(method=signing.HMAC_SHA256, secret=b"secret", key_info=signing.raw_key_info(value))
        refused(town, signed(town, assertion_form=form), {"algorithm-unsupported"})

    @pytest.mark.parametrize("scheme", ["http", "file"])
    def test_k3_no_reference_is_opened(self, town, scheme):
        with Canary() as canary:
            uri = canary.url if scheme == "http" else "file:///etc/hostname"
            message = signed(town, assertion_references=lambda assertion: [
                Reference(uri, assertion, (ENVELOPED, EXC_C14N))])
            refused(town, message, {"reference-bad"}, canary)

    def test_k3_no_retrieval_method_is_followed(self, town):
        with Canary() as canary:
            form = Form(key_info=signing.raw_key_info(f'<ds:RetrievalMethod URI="{canary.url}"/>'))
            refused(town, signed(town, assertion_form=form), {"reference-bad", "signature-unresolved"}, canary)

    def test_k4_no_stylesheet_runs(self, town, good):
        def add_stylesheet(twin):
            transform = twin.assertion.find(".//" + q("ds:Transform"))
            transform.set("Algorithm", "http://www.w3.org/TR/1999/REC-xslt-19991116")
            transform.append(etree.fromstring(DOUBLING_XSLT))
        refused(town, good.altered(add_stylesheet), {"algorithm-unsupported", "reference-bad"})

    def test_k5_two_thousand_transforms_are_not_run(self, town):
        message = signed(town, assertion_references=lambda assertion: [
            Reference("#" + assertion.get("ID"), assertion, (ENVELOPED, *(EXC_C14N,) * 2000))])
        refused(town, message, {"reference-bad"})

    def test_k5_a_thousand_references_are_not_digested(self, town):
        message = signed(town, assertion_references=lambda assertion: [
            Reference("#" + assertion.get("ID"), None, (ENVELOPED, EXC_C14N))] * 1000)
        refused(town, message, {"reference-bad"})

    def test_k6_two_elements_of_one_id_are_refused(self, town, good):
        def double(twin):
            twin.body[0].set(q("wsu:Id"), twin.assertion.get("ID"))
        refused(town, good.altered(double), {"xml-doubled-id"})

    def test_k7_an_id_of_another_namespace_is_none(self, town):
        """`x:ID` names the element that a reader which ignores namespaces would take."""
        def reference_to_the_other(assertion):
            assertion.set("{urn:example:x}ID", "evil")
            return [Reference("#evil", assertion, (ENVELOPED, EXC_C14N))]
        refused(town, signed(town, assertion_references=reference_to_the_other), {"wrapped-signature", "reference-bad"})


DOUBLING_XSLT = """<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform">
<xsl:template match="/"><xsl:call-template name="twice">
<xsl:with-param name="depth" select="24"/></xsl:call-template></xsl:template>
<xsl:template name="twice"><xsl:param name="depth"/><xsl:if test="$depth &gt; 0">
<xsl:call-template name="twice"><xsl:with-param name="depth" select="$depth - 1"/></xsl:call-template>
<xsl:call-template name="twice"><xsl:with-param name="depth" select="$depth - 1"/></xsl:call-template>
</xsl:if></xsl:template>
</xsl:stylesheet>"""


# ---------------------------------------------------------------- XML

def wire(text, encoding="utf-8"):
    return SOAP_XML, text if isinstance(text, bytes) else text.encode(encoding)


def declared(encoding, text):
    return f'<?xml version="1.0" encoding="{encoding}"?>{text}'


MANY_ATTRIBUTES = " ".join(f'a{number}="x"' for number in range(20_000))
BOMB = ('<!DOCTYPE a [<!ENTITY e0 "' + "x" * 1000 + '">'
        + "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 9)) + "]>")


class TestXml:
    def test_plain_and_with_a_declaration_is_read(self, town, good_text):
        assert town.ask(wire(declared("UTF-8", good_text))).query.status == names.SUCCESS

    @pytest.mark.parametrize("spoil", [
        lambda text: text.replace("<soap:Body>", '<soap:Body a="1" a="2">'),
        lambda text: text.replace("<soap:Body>", '<soap:Body xmlns:p="urn:x" xmlns:r="urn:x" p:a="1" r:a="2">'),
        lambda text: text.replace("<soap:Body>", "<soap:Body><no:prefix/>"),
        lambda text: text.replace("<soap:Body>", '<soap:Body xmlns:xml="urn:x">'),
    ], ids=["doubled attribute", "doubled expanded name", "undeclared prefix", "xml: rebound"])
    def test_k8_that_is_not_namespace_well_formed_is_refused(self, town, good_text, spoil):
        refused(town, wire(spoil(good_text)), {"xml-not-well-formed"})

    @pytest.mark.parametrize("data", [
        lambda text: wire(declared("UTF-16", text)),
        lambda text: wire(declared("UTF-8", text), "utf-16"),
        lambda text: wire(text, "utf-32"),
        lambda text: wire(declared("UTF-7", text)),
        lambda text: wire(declared("EBCDIC-CP-US", text)),
        lambda text: wire(declared("Shift_JIS", text)),
        lambda text: wire(declared("windows-1252", text)),
        lambda text: wire(text + "\0"),
        lambda text: wire(text + "\0<evil/>"),
        lambda text: wire(text.encode() + b"\xc0\xbc"),
    ], ids=["UTF-16 label on UTF-8", "UTF-8 label on UTF-16", "UTF-32", "UTF-7", "EBCDIC", "Shift_JIS", "windows-1252",
            "NUL at the end", "more after a NUL", "overlong"])
    def test_k9_k10_that_is_not_utf8_is_refused(self, town, good_text, data):
        refused(town, data(good_text), {"xml-not-utf8"})

    def test_k9_of_version_1_1_is_refused(self, town, good_text):
        refused(town, wire('<?xml version="1.1"?>' + good_text), {"xml-not-xml10", "xml-not-1.0", "xml-version"})

    @pytest.mark.parametrize("doctype", [
        "<!DOCTYPE a>", '<!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/hostname">]>',
        '<!DOCTYPE a SYSTEM "{canary}">', '<!DOCTYPE a [<!ENTITY % p SYSTEM "{canary}"> %p;]>', BOMB,
        " " * 300 + "<!-- " + "x" * 5000 + " --><!DOCTYPE a>",
    ], ids=["empty", "file entity", "external", "parameter entity", "billion laughs", "after a long comment"])
    def test_k11_with_a_document_type_is_refused_unread(self, town, good_text, doctype):
        with Canary() as canary:
            text = doctype.replace("{canary}", canary.url) + good_text
            refused(town, wire(text), {"xml-has-doctype"}, canary)

    @pytest.mark.parametrize("spoil, reasons", [
        (lambda text: text.replace("<soap:Body>", f"<soap:Body {MANY_ATTRIBUTES}>"), {"xml-tag-too-large"}),
        (lambda text: text.replace("<soap:Body>", f'<soap:Body a="{"x" * 70_000}">'), {"xml-tag-too-large"}),
        (lambda text: text.replace("<soap:Body>", "<soap:Body>" + "<a>" * 100_000), {"xml-too-deep"}),
    ], ids=["20,000 attributes", "a long attribute", "100,000 levels"])
    def test_k12_that_would_cost_too_much_is_refused_at_once(self, town, good_text, spoil, reasons):
        refused(town, wire(spoil(good_text)), reasons)


# ---------------------------------------------------------------- HTTP and TLS

def head(town, *fields, version="1.1"):
    lines = [f"POST {PATHS['ITI-38']} HTTP/{version}", f"Host: localhost:{town.gateway.network_port}",
             f"Content-Type: {SOAP_XML}", *fields]
    return "\r\n".join(lines).encode() + b"\r\n\r\n"


def is_served(town):
    answer = town.ask(town.find_documents(TEST_PATIENT))
    assert answer.query.status == names.SUCCESS
    return True


def is_accepted(connection, *pieces):
    """False where the gateway refuses, or ends the connection while we still send."""
    try:
        for piece in pieces:
            connection.send(piece)
        return connection.read_answer().status < 400
    except Closed:
        return False


class TestHttp:
    def test_k13_endless_chunk_extensions_end_the_connection(self, town):
        with town.gateway.connect(riverside().tls) as connection:
            before = resident_kib(town.gateway.process.pid)
            attack = b"4;" + b"x" * 8_000_000 + b"\r\nabcd\r\n0\r\n\r\n"
            assert not is_accepted(connection, head(town, "Transfer-Encoding: chunked"), attack)
            assert resident_kib(town.gateway.process.pid) - before < CASE_MEMORY_KIB
        assert is_served(town)

    def test_k13_an_endless_trailer_ends_the_connection(self, town):
        with town.gateway.connect(riverside().tls) as connection:
            before = resident_kib(town.gateway.process.pid)
            trailer = [b"X-Trailer: " + b"x" * 100_000 + b"\r\n"] * 600
            begin = head(town, "Transfer-Encoding: chunked") + b"4\r\nabcd\r\n0\r\n"
            assert not is_accepted(connection, begin, *trailer)
            assert resident_kib(town.gateway.process.pid) - before < CASE_MEMORY_KIB
        assert is_served(town)

    @pytest.mark.parametrize("fields", [
        ("Transfer-Encoding: xchunked",), ("Transfer-Encoding: chunked, identity",), ('Transfer-Encoding: "chunked"',),
        ("Transfer-Encoding: identity, chunked",), ("Transfer-Encoding: chunked", "Transfer-Encoding: chunked"),
        ("Transfer-Encoding: chunked", "Content-Length: 4"), ("Content-Length: 4", "Transfer-Encoding: chunked"),
        ("Content-Length: 4", "Content-Length: 5"), ("Content-Length: 4, 4",), ("Content-Length: +4",),
        ("Content-Length: 0x4",), ("Content-Length: -1",), ("X-Folded: a", " b", "Content-Length: 0"),
        ("Host: elsewhere", "Content-Length: 0"),
    ], ids=lambda fields: " / ".join(fields))
    def test_k14_a_doubtful_frame_is_refused_and_what_follows_is_no_request(self, town, fields):
        marker = b"GET /marker HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n"
        with town.gateway.connect(riverside().tls) as connection:
            connection.send(head(town, *fields) + marker)
            assert connection.read_answer().status == 400
            with pytest.raises(Closed):
                connection.read_answer()
        assert is_served(town)

    def test_k14_chunks_in_http_1_0_are_refused(self, town):
        with town.gateway.connect(riverside().tls) as connection:
            connection.send(head(town, "Transfer-Encoding: chunked", version="1.0") + b"0\r\n\r\n")
            assert connection.read_answer().status in (400, 505)

    def test_k14_a_request_without_host_is_refused(self, town):
        with town.gateway.connect(riverside().tls) as connection:
            connection.send(b"POST /ihe/xcpd HTTP/1.1\r\nContent-Length: 0\r\n\r\n")
            assert connection.read_answer().status == 400

    def test_k14_the_twin_in_chunks_is_answered(self, town):
        body = town.find_documents(TEST_PATIENT).wire()[1]
        chunks = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in (body[:100], body[100:]))
        with town.gateway.connect(riverside().tls) as connection:
            connection.send(head(town, "Transfer-Encoding: Chunked") + chunks + b"0\r\n\r\n")
            assert connection.read_answer().query.status == names.SUCCESS


class TestTls:
    @pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3], ids=["1.2", "1.3"])
    def test_k15_k16_a_session_is_never_resumed_and_who_tries_is_served(self, town, version):
        context = tls_context(riverside().tls, version)
        with town.gateway.connect(None, context=context) as first:
            assert first.post(PATHS["ITI-38"], *town.find_documents(TEST_PATIENT).wire()).status == 200
            session = first.socket.session
        assert session is None or not session.has_ticket
        with town.gateway.connect(None, context=context, session=session) as second:
            assert not second.socket.session_reused
            assert second.post(PATHS["ITI-38"], *town.find_documents(TEST_PATIENT).wire()).status == 200

    def test_without_a_client_certificate_nothing_is_answered(self, town):
        with pytest.raises(Closed), town.gateway.connect(None) as connection:
            connection.post(PATHS["ITI-38"], *town.find_documents(TEST_PATIENT).wire())

    def test_with_the_certificate_of_a_stranger_nothing_is_answered(self, town):
        stranger = ca.self_signed("stranger.example", "Nobody")
        with pytest.raises(Closed), town.gateway.connect(stranger) as connection:
            connection.post(PATHS["ITI-38"], *town.find_documents(TEST_PATIENT).wire())

    def test_without_tls_nothing_is_answered(self, town):
        with socket.create_connection(("127.0.0.1", town.gateway.network_port), timeout=5) as plain:
            plain.sendall(b"POST /ihe/xcpd HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n")
            assert not plain.recv(100).startswith(b"HTTP")
