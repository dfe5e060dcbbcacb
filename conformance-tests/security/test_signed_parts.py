"""What a message's signature covers beside the Timestamp, and what a partner's must cover; senders that vouch.
[threat catalogue W12, W13, M03, T06]

Lakeside signs more than the rule asks for: its Body, its addressing headers, its attachments. Every attack has a twin
that is accepted and differs in nothing but the attack.
"""

import base64
import copy

import pytest
from lxml import etree

from peer import names, signing
from peer.messages import ADDRESSING, BEARER, HOLDER_OF_KEY, SENDER_VOUCHES, covering, cx, find_documents
from peer.names import q
from peer.signing import Form
from peer.town import HOME, LAKESIDE, QUILL, TEST_PATIENT, Aftermath, lakeside, riverside

ASSERTION, BODY = "soap:Header/wsse:Security/saml2:Assertion", "soap:Body"
EXTENSION = "{urn:example:extension}"


def sender(town, *paths, **token):
    """Lakeside, whose signature covers the Timestamp and these."""
    plan = town.sender(lakeside()).plan.but(message_references=covering(*paths))
    return town.sender(lakeside(), **token).but(plan=plan)


def question(town, *paths, **token):
    return town.find_documents(TEST_PATIENT, sender(town, *paths, **token))


def is_answered(town, message):
    answer = town.ask(message, lakeside())
    assert answer.fault is None, answer.fault
    assert [entry.unique_id for entry in answer.query.entries] == ["1.2.3.4^1"]


def is_refused(town, message, reasons, subcodes=("InvalidSecurity",)):
    aftermath = Aftermath(town)
    answer = town.ask(message, lakeside())
    assert (answer.status, answer.fault.code) == (400, "Sender")
    assert answer.fault.subcode in subcodes
    aftermath.check(answer, reasons)


@pytest.fixture
def set_partner(town):
    """Sets Lakeside for one test."""
    were_set = set()

    def set_to(name, value, *options):
        town.gateway.command("partner", "set", LAKESIDE, name, value, "--reason", "as agreed", *options)
        were_set.add(name)
    yield set_to
    for name in were_set:
        town.gateway.command("partner", "clear", LAKESIDE, name)


EVERYTHING = (BODY, *ADDRESSING, ASSERTION)


@pytest.mark.parametrize("paths", [(), (BODY,), ADDRESSING, ADDRESSING[1:2], (ASSERTION,), EVERYTHING,
                                   EVERYTHING[::-1]],
                         ids=["Timestamp", "Body", "addressing", "Action", "Assertion", "all", "all in another order"])
def test_w12_w13_whatever_is_read_may_be_signed(town, paths):
    is_answered(town, question(town, *paths))


@pytest.mark.parametrize("path, transaction", [(BODY, "discovery"), (BODY, "retrieve")], ids=["ITI-55", "ITI-39"])
def test_w12_the_body_of_other_transactions_too(town, path, transaction):
    asking = sender(town, path)
    if transaction == "discovery":
        assert town.ask(asking.patient_discovery(QUILL), lakeside()).discovery.query_response == "OK"
    else:
        message = asking.cross_gateway_retrieve([(f"urn:oid:{HOME}", HOME + ".1", "1.2.3.4^1")])
        assert town.ask(message, lakeside()).retrieve.status == names.SUCCESS


@pytest.mark.parametrize("path", [".//wsu:Created", "soap:Body/query:AdhocQueryRequest", ".//saml2:Subject",
                                  "soap:Header/wsse:Security", "."],
                         ids=["inside the Timestamp", "the payload", "inside the assertion", "Security", "Envelope"])
def test_w12_what_is_not_read_as_a_whole_may_not(town, path):
    """A signature over more or less than what is read would say nothing of it."""
    is_refused(town, question(town, path), {"wrapped-signature", "reference-bad", "digest-mismatch"},
               ("InvalidSecurity", "FailedCheck"))


# ---------------------------------------------------------------- W12

def evil_body(identifier=None, tag=q("soap:Body")):
    body = etree.Element(tag)
    if identifier:
        body.set(q("wsu:Id"), identifier)
    body.append(find_documents(cx(QUILL.mrn, HOME)))
    return body


def wrapped(node):
    wrapper = etree.Element(EXTENSION + "Wrapper")
    wrapper.append(node)
    return wrapper


def replace_body(twin, evil, keep):
    """The evil Body takes the place of the signed one, which `keep` puts elsewhere."""
    signed = twin.body
    twin.root.replace(signed, evil)
    keep(twin, signed)


def in_header(twin, signed):
    twin.find("soap:Header").append(wrapped(signed))


def bare_in_header(twin, signed):
    twin.find("soap:Header").append(signed)


def in_security(twin, signed):
    twin.security.append(signed)


def in_itself(twin, signed):
    twin.body[0].append(signed)


def behind(twin, signed):
    twin.root.append(signed)


class TestW12AForgedBody:
    @pytest.mark.parametrize("must", [False, True], ids=["may sign", "must sign"])
    @pytest.mark.parametrize("evil, keep, reason", [
        (evil_body(), in_header, "wrapped-signature"),
        (evil_body("id-other"), in_header, "wrapped-signature"),
        (evil_body("id-1"), in_header, "xml-doubled-id"),
        (evil_body(), bare_in_header, "wrapped-signature"),
        (evil_body(), in_security, "wrapped-signature"),
        (evil_body(), in_itself, "wrapped-signature"),
        (evil_body(), behind, "bad-envelope"),
        (evil_body(tag=EXTENSION + "Body"), behind, "bad-envelope"),
        (evil_body(tag="{http://schemas.xmlsoap.org/soap/envelope/}Body"), behind, "bad-envelope"),
        (evil_body(tag="{http://schemas.xmlsoap.org/soap/envelope/}Body"), in_header, "bad-envelope"),
    ], ids=["signed one under a header", "with another id", "with the same id", "signed one as header",
            "signed one in Security", "signed one in the evil one", "two Bodies", "look-alike first",
            "SOAP 1.1 Body first", "SOAP 1.1 Body alone"])
    def test_is_never_read(self, town, set_partner, must, evil, keep, reason):
        if must:
            set_partner("signed-parts", "body")
        message = question(town, BODY)
        is_refused(town, message.altered(lambda twin: replace_body(twin, copy.deepcopy(evil), keep)), {reason},
                   ("InvalidSecurity", ""))

    def test_is_noticed_in_place(self, town):
        def other_patient(twin):
            twin.body[0].getparent().replace(twin.body[0], find_documents(cx(QUILL.mrn, HOME)))
        is_refused(town, question(town, BODY).altered(other_patient), {"digest-mismatch"}, ("FailedCheck",))

    def test_is_why_a_partner_may_be_held_to_sign_it(self, town, set_partner):
        set_partner("signed-parts", "body")
        is_answered(town, question(town, BODY))
        is_refused(town, question(town), {"body-unsigned"})
        is_refused(town, question(town, *ADDRESSING), {"body-unsigned"})
        assert town.ask(town.find_documents(TEST_PATIENT)).fault is None, "others are not held to it"

    def test_cannot_be_had_by_signing_the_timestamp_twice(self, town, set_partner):
        set_partner("signed-parts", "body")
        plan = town.sender(lakeside()).plan

        def twice(timestamp):
            return 2 * covering()(timestamp)
        asking = town.sender(lakeside()).but(plan=plan.but(message_references=twice))
        message = town.find_documents(TEST_PATIENT, asking)
        is_refused(town, message, {"reference-bad"})

    def test_under_a_captured_signature_is_worth_nothing(self, town):
        """Rule 6 of replay: other Bodies under one proof are for those whose Body is not signed."""
        message = question(town, BODY)
        is_answered(town, message)

        def another_body(twin):
            twin.body.clear()
            twin.body.set(q("wsu:Id"), "id-1")
            twin.body.append(find_documents(cx(QUILL.mrn, HOME)))
        is_refused(town, message.altered(another_body), {"digest-mismatch"}, ("FailedCheck",))


# ---------------------------------------------------------------- W13

def header(twin, name):
    return twin.find(f"soap:Header/wsa:{name}")


def forge(twin, name, value, keep):
    """An unsigned header in the place of the signed one, which `keep` puts elsewhere."""
    signed = header(twin, name)
    forged = copy.deepcopy(signed)
    forged.attrib.pop(q("wsu:Id"))
    (forged if not len(forged) else forged[0]).text = value
    signed.getparent().replace(signed, forged)
    keep(twin, signed)


FORGERIES = {"Action": names.CROSS_GATEWAY_QUERY, "To": "https://localhost:8443/other", "MessageID": "urn:uuid:forged",
             "ReplyTo": names.ANONYMOUS}


class TestW13ForgedAddressing:
    @pytest.mark.parametrize("keep, reason", [
        (in_header, "wrapped-signature"), (in_security, "wrapped-signature"), (in_itself, "wrapped-signature"),
        (bare_in_header, "addressing-header-invalid")],
        ids=["signed one under a header", "signed one in Security", "signed one in Body", "two of them"])
    @pytest.mark.parametrize("name", FORGERIES)
    def test_is_never_read(self, town, name, keep, reason):
        message = question(town, *ADDRESSING)
        twin = message.altered(lambda twin: forge(twin, name, FORGERIES[name], keep))
        is_refused(town, twin, {reason}, ("InvalidSecurity", "InvalidAddressingHeader"))

    @pytest.mark.parametrize("name", FORGERIES)
    def test_is_noticed_in_place(self, town, name):
        def alter(twin):
            node = header(twin, name)
            (node if not len(node) else node[0]).text += " "
        is_refused(town, question(town, *ADDRESSING).altered(alter), {"digest-mismatch"}, ("FailedCheck",))

    def test_is_why_a_partner_may_be_held_to_sign_it(self, town, set_partner):
        set_partner("signed-parts", "addressing")
        is_answered(town, question(town, *ADDRESSING))
        is_answered(town, question(town, *ADDRESSING, BODY))
        is_refused(town, question(town), {"addressing-unsigned"})
        for left_out in ADDRESSING:
            is_refused(town, question(town, *(path for path in ADDRESSING if path != left_out)),
                       {"addressing-unsigned"})

    def test_cannot_be_added_for_such_a_partner(self, town, set_partner):
        message = question(town, *ADDRESSING)

        def add(twin):
            node = etree.SubElement(twin.find("soap:Header"), q("wsa:FaultTo"))
            etree.SubElement(node, q("wsa:Address")).text = names.ANONYMOUS
        is_answered(town, message.altered(add))
        set_partner("signed-parts", "addressing")
        is_refused(town, question(town, *ADDRESSING).altered(add), {"addressing-unsigned"})

    def test_both_may_be_asked_for(self, town, set_partner):
        set_partner("signed-parts", "body-and-addressing")
        is_answered(town, question(town, BODY, *ADDRESSING))
        is_refused(town, question(town, *ADDRESSING), {"body-unsigned"})
        is_refused(town, question(town, BODY), {"addressing-unsigned"})
        set_partner("signed-parts", "timestamp")
        is_answered(town, question(town))


# ---------------------------------------------------------------- M03

ATTACHMENTS = (b"\x00 the first attachment \xff", b"\x01 the second one, which is longer \xfe")


def with_attachments(town):
    """A signed Body that holds two attachments inline."""
    payload = find_documents(cx(TEST_PATIENT.mrn, HOME))
    for data in ATTACHMENTS:
        etree.SubElement(payload, EXTENSION + "Attachment").text = base64.b64encode(data).decode()
    return sender(town, BODY).cross_gateway_query(payload, as_mtom=True)


def as_parts(*attachments, content_ids=("0@peer", "1@peer")):
    """Each attachment is an Include of the part of its number; `attachments` are what the parts hold."""
    def change(twin):
        for number, node in enumerate(twin.body.iter(EXTENSION + "Attachment")):
            node.text = None
            etree.SubElement(node, q("xop:Include"), href=f"cid:{content_ids[number]}")
        twin.parts = tuple((f"{number}@peer", "application/octet-stream", data)
                           for number, data in enumerate(attachments))
    return change


class TestM03SignedAttachments:
    def test_verify_inline_and_as_parts(self, town):
        is_answered(town, with_attachments(town))
        is_answered(town, with_attachments(town).altered(as_parts(*ATTACHMENTS)))

    @pytest.mark.parametrize("change", [
        as_parts(ATTACHMENTS[0][:-1] + b"\xfe", ATTACHMENTS[1]), as_parts(ATTACHMENTS[0], b""),
        as_parts(ATTACHMENTS[0], ATTACHMENTS[1] + b"\x00"), as_parts(*ATTACHMENTS[::-1]),
        as_parts(*ATTACHMENTS, content_ids=("1@peer", "0@peer")),
    ], ids=["altered", "empty", "longer", "parts exchanged", "Includes exchanged"])
    def test_are_refused_once_a_part_is_another(self, town, change):
        is_refused(town, with_attachments(town).altered(change), {"digest-mismatch"}, ("FailedCheck",))

    def test_are_refused_where_the_package_was_signed_in_their_stead(self, town):
        """A digest over the Include itself, not over what it stands for."""
        payload = find_documents(cx(TEST_PATIENT.mrn, HOME))
        node = etree.SubElement(payload, EXTENSION + "Attachment")
        etree.SubElement(node, q("xop:Include"), href="cid:0@peer")
        message = sender(town, BODY).cross_gateway_query(payload, as_mtom=True)
        message.parts = (("0@peer", "application/octet-stream", ATTACHMENTS[0]),)
        is_refused(town, message, {"digest-mismatch"}, ("FailedCheck",))


# ---------------------------------------------------------------- T06

def vouching(town, *paths, confirmation=SENDER_VOUCHES):
    """Lakeside's certificate signs, and nobody's key is confirmed."""
    asking = sender(town, *paths, confirmation=confirmation)
    form = Form(key_info=signing.certificate_key_info(lakeside().signing))
    return town.find_documents(TEST_PATIENT, asking.but(plan=asking.plan.but(message_form=form)))


UNTIL = ("--until", "2027-06-30")


class TestT06ConfirmationsOtherThanHolderOfKey:
    def test_sender_vouches_needs_an_exception(self, town, set_partner):
        is_refused(town, vouching(town, ASSERTION, BODY), {"subject-not-confirmed"}, ("InvalidSecurityToken",))
        set_partner("sender-vouches", "allow", *UNTIL)
        is_answered(town, vouching(town, ASSERTION, BODY))

    @pytest.mark.parametrize("paths", [(), (BODY,), (ASSERTION,), ADDRESSING],
                             ids=["Timestamp", "Body", "Assertion", "addressing"])
    def test_sender_vouches_signs_the_assertion_and_what_it_is_for(self, town, set_partner, paths):
        set_partner("sender-vouches", "allow", *UNTIL)
        is_refused(town, vouching(town, *paths), {"subject-not-confirmed"}, ("InvalidSecurityToken",))

    def test_bearer_needs_an_exception_of_its_own(self, town, set_partner):
        set_partner("sender-vouches", "allow", *UNTIL)
        bearer = vouching(town, ASSERTION, BODY, confirmation=BEARER)
        is_refused(town, bearer, {"subject-not-confirmed"}, ("InvalidSecurityToken",))
        set_partner("bearer", "allow", *UNTIL)
        is_answered(town, vouching(town, confirmation=BEARER))

    def test_the_exception_is_for_that_partner_alone(self, town, set_partner):
        set_partner("sender-vouches", "allow", *UNTIL)
        asking = town.sender(confirmation=SENDER_VOUCHES)
        form = Form(key_info=signing.certificate_key_info(riverside().signing))
        plan = asking.plan.but(message_form=form, message_references=covering(ASSERTION, BODY))
        answer = town.ask(town.find_documents(TEST_PATIENT, asking.but(plan=plan)))
        assert answer.fault.subcode == "InvalidSecurityToken"

    @pytest.mark.parametrize("setting", ["sender-vouches", "bearer", "sha1"])
    def test_an_exception_has_an_end_and_a_reason(self, town, setting):
        town.gateway.command("partner", "set", LAKESIDE, setting, "allow", "--reason", "as agreed", exit=1)
        town.gateway.command("partner", "set", LAKESIDE, setting, "allow", *UNTIL, "--reason", " ", exit=1)

    def test_a_confirmation_that_is_not_allowed_does_no_harm_beside_one_that_is(self, town):
        def add(method):
            def change(assertion):
                subject = assertion.find(q("saml2:Subject"))
                subject.insert(1, etree.Element(q("saml2:SubjectConfirmation"), Method=method))
            return change
        for method in (SENDER_VOUCHES, BEARER, "urn:unknown"):
            is_answered(town, with_assertion(town, add(method)))

    @pytest.mark.parametrize("attributes, reason", [
        ({"NotOnOrAfter": "2026-11-21T19:00:00Z"}, "subject-not-confirmed"),
        ({"NotBefore": "2026-11-22T19:00:00Z"}, "subject-not-confirmed"),
        ({"Recipient": "https://other.example/"}, "subject-not-confirmed"),
        ({"InResponseTo": "_request"}, "subject-not-confirmed"),
        ({"Address": "192.0.2.7"}, None),
    ], ids=lambda value: next(iter(value)) if isinstance(value, dict) else "")
    def test_must_be_valid_as_a_whole(self, town, attributes, reason):
        def change(assertion):
            data = assertion.find(".//" + q("saml2:SubjectConfirmationData"))
            for name, value in attributes.items():
                data.set(name, value)
        message = with_assertion(town, change)
        if reason is None:
            is_answered(town, message)
        else:
            is_refused(town, message, {reason}, ("InvalidSecurityToken",))

    def test_none_at_all_is_refused(self, town):
        def change(assertion):
            subject = assertion.find(q("saml2:Subject"))
            subject.remove(subject.find(q("saml2:SubjectConfirmation")))
        is_refused(town, with_assertion(town, change), {"subject-not-confirmed"}, ("InvalidSecurityToken",))


def with_assertion(town, change):
    """Lakeside's question with its assertion changed before it is signed."""
    asking = sender(town, confirmation=HOLDER_OF_KEY)

    def references(assertion):
        change(assertion)
        return asking.plan.assertion_references(assertion)
    return town.find_documents(TEST_PATIENT, asking.but(plan=asking.plan.but(assertion_references=references)))
