"""What a token says, and what it may not: issuers, delegation, hostile values, the patient it is about, consents it
names; encrypted parts; the same signature in another spelling.
[threat catalogue T08, T10, T12, T14, T15, A12, A13, X10, X12, C03, S03]

Each refusal is for the reason of its attack, and has a twin that is answered.
"""

import base64
import hashlib
import json

import pytest
from cryptography.hazmat.primitives.asymmetric import utils
from lxml import etree

from peer import ca, directory, names, signing
from peer.canary import Canary
from peer.gateway import PATHS
from peer.judges import difference
from peer.messages import EMAIL_ADDRESS, X509_SUBJECT_NAME, Signing, covering, cx, find_documents, stored_query
from peer.names import NHIN_PURPOSES, q
from peer.records import Patient
from peer.signing import ECDSA_SHA256, Form
from peer.town import (CLIENT, DORMANT, HOME, LAKESIDE, QUILL, REPOSITORY, RIVERSIDE, STRANGER, TEST_PATIENT,
                       Aftermath, lakeside, riverside)

FOUND = {QUILL.mrn: {"2.999.1.7.2001", "2.999.1.7.2002"}, TEST_PATIENT.mrn: {"1.2.3.4^1"}}


def ids(answer):
    assert answer.fault is None, answer.fault
    return {entry.unique_id for entry in answer.query.entries}


def ask(town, sender, patient=TEST_PATIENT, partner=None):
    return town.ask(town.find_documents(patient, sender), partner)


def is_answered(town, sender, patient=TEST_PATIENT, partner=None):
    assert ids(ask(town, sender, patient, partner)) == FOUND[patient.mrn]


def is_refused(town, sender, reasons, subcodes, partner=None, canary=None):
    aftermath = Aftermath(town, canary)
    answer = ask(town, sender, partner=partner)
    assert (answer.status, answer.fault.code) == (400, "Sender")
    assert answer.fault.subcode in subcodes
    return answer, aftermath.check(answer, reasons)


@pytest.fixture
def set_partner(town):
    were_set = set()

    def set_to(home, name, value, *options):
        town.gateway.command("partner", "set", home, name, value, "--reason", "as agreed", *options)
        were_set.add((home, name))
    yield set_to
    for home, name in were_set:
        town.gateway.command("partner", "clear", home, name)


def with_assertion(sender, change):
    """The sender with its assertion changed before it is signed."""
    def references(assertion):
        change(assertion)
        return sender.plan.assertion_references(assertion)
    return sender.but(plan=sender.plan.but(assertion_references=references))


# ---------------------------------------------------------------- T08

ISSUER = "CN=sts.lakeside.example,O=Lakeside Clinic"
LOOK_ALIKES = {
    "another": "CN=sts.riverside.example,O=Riverside Hospital", "trailing dot": ISSUER + ".",
    "trailing blank": ISSUER + " ", "leading blank": " " + ISSUER, "line end": ISSUER + "\n", "case": ISSUER.lower(),
    "Cyrillic a": ISSUER.replace("sts.la", "sts.l\u0430"), "shorter": ISSUER[:-1], "reordered": ISSUER[::-1],
}


class TestT08Issuers:
    def test_t08_are_compared_where_the_directory_says_them(self, town, set_partner):
        is_answered(town, town.sender(lakeside(), issuer="whatever it calls itself"), partner=lakeside())
        set_partner(LAKESIDE, "issuer", "security@lakeside.example|" + ISSUER)
        is_answered(town, town.sender(lakeside(), issuer=ISSUER), partner=lakeside())
        is_answered(town, town.sender(lakeside(), issuer=ISSUER, issuer_format=X509_SUBJECT_NAME), partner=lakeside())
        is_answered(town, town.sender(lakeside(), issuer="security@lakeside.example"), partner=lakeside())

    @pytest.mark.parametrize("look_alike", LOOK_ALIKES)
    def test_t08_that_nearly_match_are_refused(self, town, set_partner, look_alike):
        set_partner(LAKESIDE, "issuer", ISSUER)
        is_refused(town, town.sender(lakeside(), issuer=LOOK_ALIKES[look_alike]), {"issuer-not-signers"},
                   {"InvalidSecurityToken"}, lakeside())

    def test_t08_split_by_a_comment_are_read_whole(self, town, set_partner):
        def split(assertion):
            issuer = assertion.find(q("saml2:Issuer"))
            comment = etree.Comment("")
            comment.tail = ".evil"
            issuer.append(comment)
        set_partner(LAKESIDE, "issuer", ISSUER)
        is_refused(town, with_assertion(town.sender(lakeside(), issuer=ISSUER), split), {"issuer-not-signers"},
                   {"InvalidSecurityToken"}, lakeside())

    @pytest.mark.parametrize("issuer", ["", "   "], ids=["empty", "blank"])
    def test_t08_that_are_blank_are_refused(self, town, issuer):
        is_refused(town, town.sender(issuer=issuer), {"assertion-unreadable"}, {"InvalidSecurityToken"})

    @pytest.mark.parametrize("name_format", ["urn:oasis:names:tc:SAML:2.0:nameid-format:transient",
                                             EMAIL_ADDRESS + ".evil", EMAIL_ADDRESS.upper()])
    def test_t08_of_another_format_are_refused(self, town, name_format):
        is_refused(town, town.sender(issuer_format=name_format), {"issuer-format-unknown"}, {"InvalidSecurityToken"})

    def test_t08_of_another_partner_say_nothing(self, town):
        """The certificate alone says who asks: with another's Issuer, Lakeside is Lakeside still."""
        message = town.find_documents(TEST_PATIENT, town.sender(lakeside(), issuer=riverside().signing.subject))
        assert ids(town.ask(message, lakeside())) == FOUND[TEST_PATIENT.mrn]
        [event] = [row for row in town.gateway.audit_of(message.message_id) if row["outcome"] == "released"]
        assert event["payload"]["implementer"] == LAKESIDE


# ---------------------------------------------------------------- T10

PRINCIPAL, FURTHER, SLEEPING = "2.999.60.1", "2.999.60.2", "2.999.60.3"


def delegations(town, **delegates):
    """The directory says who lets whom ask. PRINCIPAL → delegates, FURTHER → FURTHER's delegates …"""
    given = {"principal": (RIVERSIDE,), "further": (PRINCIPAL,), "ourselves": (RIVERSIDE,)} | delegates
    organizations = [directory.Organization(PRINCIPAL, "Principal Hospital", delegates=given["principal"]),
                     directory.Organization(FURTHER, "Further Hospital", delegates=given["further"]),
                     directory.Organization(SLEEPING, "Sleeping Hospital", active=False, delegates=(RIVERSIDE,)),
                     directory.Organization(HOME, "Ourselves", delegates=given["ourselves"])]
    gateway = town.gateway
    gateway.command("partner", "import", gateway.write("delegations.json", directory.bundle(*organizations)))


class TestT10Delegation:
    """Riverside asks, in the name of another."""

    @pytest.fixture(autouse=True)
    def directory_says(self, town):
        delegations(town)
        yield
        delegations(town, ourselves=())

    def test_t10_that_was_given_is_honoured(self, town):
        message = town.find_documents(TEST_PATIENT, town.sender(grantor=f"Organization/{PRINCIPAL}"))
        assert ids(town.ask(message)) == FOUND[TEST_PATIENT.mrn]
        [event] = [row for row in town.gateway.audit_of(message.message_id) if row["outcome"] == "released"]
        assert event["payload"]["grantor"] == f"Organization/{PRINCIPAL}"
        assert event["payload"]["home"].endswith(RIVERSIDE)

    @pytest.mark.parametrize("grantor, reason", [
        ("Organization/2.999.60.99", "caller-unknown"),
        (f"Organization/{SLEEPING}", "caller-inactive"),
        (f"Organization/{DORMANT}", "caller-inactive"),
        (f"Organization/{LAKESIDE}", "caller-not-delegated"),
        (f"Organization/{CLIENT}", "caller-not-delegated"),
        (f"Organization/{FURTHER}", "caller-not-delegated"),
        (f"Organization/{RIVERSIDE}", "caller-not-delegated"),
        (f"Organization/{HOME}", "caller-not-delegated"),
        (f"Organization/../{PRINCIPAL}", "caller-unknown"),
        (f"Organization/x/../{PRINCIPAL}", "caller-unknown"),
        (f"Organization//{PRINCIPAL}", "caller-unknown"),
        (f"Organization/{PRINCIPAL}/", "caller-unknown"),
        (f"Organization/{PRINCIPAL}.", "caller-unknown"),
        (f"Organization/{PRINCIPAL}/_history/1", "caller-unknown"),
        (f"Organization/{PRINCIPAL}?x", "caller-unknown"),
        (f"Organization/ {PRINCIPAL}", "caller-unknown"),
        (f"organization/{PRINCIPAL}", "caller-unknown"),
        (f"https://directory.example/Organization/{PRINCIPAL}", "caller-unknown"),
        (f"Practitioner/{PRINCIPAL}", "caller-unknown"),
        (PRINCIPAL, "caller-unknown"),
        ("Organization/", "caller-unknown"),
        ("Organization/%32.999.60.1", "caller-unknown"),
        (f"Organization/{PRINCIPAL} Organization/{PRINCIPAL}", "caller-unknown"),
    ], ids=lambda value: value if "/" in value or value == PRINCIPAL else "")
    def test_t10_that_was_not_given_is_refused(self, town, grantor, reason):
        is_refused(town, town.sender(grantor=grantor), {reason}, {"FailedAuthentication"})

    def test_t10_by_two_principals_is_refused(self, town):
        def second(value):
            def change(assertion):
                [attribute] = [node for node in assertion.iter(q("saml2:Attribute"))
                               if node.get("Name") == "QueryAuthGrantor"]
                twin = etree.SubElement(attribute, q("saml2:AttributeValue"))
                twin.text = value
            return change
        sender = town.sender(grantor=f"Organization/{PRINCIPAL}")
        is_answered(town, with_assertion(sender, second(f"Organization/{PRINCIPAL}")))
        is_refused(town, with_assertion(sender, second(f"Organization/{FURTHER}")), {"attribute-contradictory"},
                   {"FailedAuthentication"})

    def test_t10_ends_with_the_next_refresh_of_the_directory(self, town):
        sender = town.sender(grantor=f"Organization/{PRINCIPAL}")
        is_answered(town, sender)
        delegations(town, principal=(LAKESIDE,))
        is_refused(town, sender, {"caller-not-delegated"}, {"FailedAuthentication"})
        delegations(town)
        is_answered(town, sender)

    def test_t10_is_for_the_organization_that_is_listed(self, town):
        """The principal lets Riverside ask, not Riverside's clinic and not Lakeside."""
        sender = town.sender(lakeside(), grantor=f"Organization/{PRINCIPAL}")
        is_refused(town, sender, {"caller-not-delegated"}, {"FailedAuthentication"}, lakeside())
        clinic = town.sender(grantor=f"Organization/{PRINCIPAL}")
        is_refused(town, clinic.but(token=clinic.token.but(home=RIVERSIDE + ".1")), {"caller-not-delegated"},
                   {"FailedAuthentication"})

    def test_t10_is_refused_alike_for_every_patient(self, town):
        sender = town.sender(grantor=f"Organization/{FURTHER}")
        retrieves = [sender.cross_gateway_retrieve([(f"urn:oid:{HOME}", REPOSITORY, unique_id)])
                     for unique_id in ("2.999.1.7.2001", "2.999.1.7.9999")]
        for path, known, unknown in (
                (PATHS["ITI-55"], *(sender.patient_discovery(patient) for patient in (QUILL, STRANGER))),
                (PATHS["ITI-38"], *(town.find_documents(patient, sender) for patient in (QUILL, STRANGER))),
                (PATHS["ITI-39"], *retrieves)):
            unknown = known.altered(lambda twin, other=unknown: exchange_body(twin, other))
            assert difference(*(town.ask(message, path=path) for message in (known, unknown))) == ""
            events = [row["payload"] for row in town.gateway.audit_of(known.message_id)]
            assert len(events) == 2 and not any(event.get("patients") for event in events), "somebody was looked up"


def exchange_body(twin, other):
    """The Body of another message under the same header: it is not signed."""
    twin.body.clear()
    twin.body.append(other.body[0])


# ---------------------------------------------------------------- T12

HOSTILE = ["${jndi:ldap://127.0.0.1:1/x}", "%n%s%x%1000000$s", "<img src=x onerror=alert(1)>",
           "'; DROP TABLE events;--", "a\r\nb", "a\nFeb 29 00:00:00 host gatehouse: forged", '","outcome":"released',
           "\\u0000\\x1b[2J", "\x85\u2028x",
           "\u202eRLO", "\u0430\u0301\U0001f9d1", "x" * 4096]


class TestT12Values:
    @pytest.mark.parametrize("user", HOSTILE, ids=range(len(HOSTILE)))
    def test_t12_that_are_hostile_are_kept_as_text(self, town, user):
        size = town.gateway.log.stat().st_size
        message = town.find_documents(TEST_PATIENT, town.sender(user=user))
        assert ids(town.ask(message)) == FOUND[TEST_PATIENT.mrn]
        [event] = [row for row in town.gateway.audit_of(message.message_id) if row["outcome"] == "released"]
        assert event["payload"]["user"] == user.replace("\r\n", "\n").strip(" \n")[:256]
        for line in town.gateway.log.read_bytes()[size:].splitlines():
            json.loads(line)

    @pytest.mark.parametrize("changes, reason", [
        ({"user": ""}, "attribute-missing"), ({"organization": "  "}, "attribute-missing"),
        ({"user": "x" * 4097}, "assertion-unreadable"), ({"user": "x" * 1_000_000}, "assertion-unreadable"),
        ({"resource_id": "a\u200bb"}, "assertion-unreadable"),
        ({"grantor": "Organization/2.999\u202e"}, "assertion-unreadable"),
        ({"issuer": "a\u00adb"}, "assertion-unreadable"), ({"name_id": "CN=\u200fx"}, "assertion-unreadable"),
    ], ids=lambda value: str(value)[:40])
    def test_t12_that_cannot_be_read_are_refused(self, town, changes, reason):
        is_refused(town, town.sender(**changes), {reason}, {"InvalidSecurityToken"})

    def test_t12_in_a_thousand_are_refused(self, town):
        def values(number):
            def change(assertion):
                attribute = assertion.find(".//" + q("saml2:Attribute"))
                value = attribute.find(q("saml2:AttributeValue"))
                for _ in range(number):
                    etree.SubElement(attribute, q("saml2:AttributeValue")).text = value.text
            return change
        is_answered(town, with_assertion(town.sender(), values(10)))
        is_refused(town, with_assertion(town.sender(), values(1000)), {"assertion-unreadable"},
                   {"InvalidSecurityToken"})

    @pytest.mark.parametrize("name", ["subject-id", "organization", "organization-id", "homeCommunityId", "role"])
    @pytest.mark.parametrize("how", ["missing", "nil"])
    def test_t12_that_are_missing_are_refused(self, town, name, how):
        def change(assertion):
            [attribute] = [node for node in assertion.iter(q("saml2:Attribute"))
                           if node.get("Name").endswith(":" + name)]
            if how == "missing":
                attribute.getparent().remove(attribute)
            else:
                value = attribute.find(q("saml2:AttributeValue"))
                value.text = None
                for child in list(value):
                    value.remove(child)
                value.set(q("xsi:nil"), "true")
        is_refused(town, with_assertion(town.sender(), change), {"attribute-missing"}, {"InvalidSecurityToken"})


# ---------------------------------------------------------------- T14

OURS, THEIRS = HOME, "2.999.20.4.77"


def about(town, patient_id, authority=OURS):
    return town.sender(resource_id=cx(patient_id, authority))


def event_of(town, message):
    return next(row for row in town.gateway.audit_of(message.message_id) if row["outcome"] not in ("sent", "aborted"))


class TestT14ATokenForAnotherPatient:
    def test_t14_finds_no_documents(self, town):
        mine, others, none = (town.find_documents(QUILL, sender) for sender in
                              (about(town, QUILL.mrn), about(town, TEST_PATIENT.mrn), about(town, STRANGER.mrn)))
        assert ids(town.ask(mine)) == FOUND[QUILL.mrn]
        for message, patient in ((others, TEST_PATIENT), (none, STRANGER)):
            answer = town.ask(message)
            assert (answer.query.status, ids(answer), answer.query.errors) == (names.SUCCESS, set(), ())
            row = event_of(town, message)
            assert (row["outcome"], row["reason"]) == ("withheld", "token-for-another-patient")
            assert row["payload"]["patient_ids"] == [cx(QUILL.mrn, HOME)]
            assert row["payload"]["token_patient"] == cx(patient.mrn, HOME)

    def test_t14_is_answered_as_for_a_patient_who_is_absent(self, town):
        sender = about(town, TEST_PATIENT.mrn)
        denied, absent = (town.find_documents(patient, sender) for patient in (QUILL, STRANGER))
        absent = denied.altered(lambda twin: exchange_body(twin, absent))
        assert difference(*(town.ask(message) for message in (denied, absent))) == ""

    def test_t14_matches_nobody(self, town):
        def outcome(sender):
            message = sender.patient_discovery(QUILL)
            answer = town.ask(message, path=PATHS["ITI-55"]).discovery
            return answer.acknowledgement, answer.query_response, event_of(town, message)["reason"]
        assert outcome(about(town, QUILL.mrn)) == ("AA", "OK", "")
        assert outcome(about(town, TEST_PATIENT.mrn)) == ("AA", "NF", "token-for-another-patient")

    def test_t14_is_seen_in_the_ids_the_initiator_gives_its_own_patient(self, town):
        def outcome(token_id, asked_id):
            parameters = (f'<livingSubjectId><value root="{THEIRS}" extension="{asked_id}"/>'
                          "<semanticsText>LivingSubject.id</semanticsText></livingSubjectId>")
            message = about(town, token_id, THEIRS).patient_discovery(QUILL, parameters=demographics(QUILL, parameters))
            return town.ask(message, path=PATHS["ITI-55"]).discovery.query_response
        assert outcome("P-1", "P-1") == "OK"
        assert outcome("P-2", "P-1") == "NF"

    def test_t14_retrieves_nothing(self, town):
        def retrieved(sender):
            message = sender.cross_gateway_retrieve([(f"urn:oid:{HOME}", REPOSITORY, "2.999.1.7.2001")])
            answer = town.ask(message, path=PATHS["ITI-39"]).retrieve
            return len(answer.documents), [error.code for error in answer.errors]
        assert retrieved(about(town, QUILL.mrn)) == (1, [])
        assert retrieved(about(town, TEST_PATIENT.mrn)) == (0, ["XDSDocumentUniqueIdError"])

    @pytest.mark.parametrize("resource_id", ["P-1^^^&" + THEIRS + "&ISO", "P-1", "urn:oid:1.2.3", "^^^&&ISO"])
    def test_t14_an_id_that_cannot_be_compared_says_nothing(self, town, resource_id):
        """What the token means by it only the initiator knows."""
        is_answered(town, town.sender(resource_id=resource_id), QUILL)

    def test_t14_is_seen_where_the_query_names_no_patient(self, town):
        def found(sender):
            payload = stored_query("urn:uuid:5c4f972b-d56b-40ac-a5fc-c8ca9b40b9d4",
                                   {"$XDSDocumentEntryUniqueId": ["('2.999.1.7.2001')"]}, home=f"urn:oid:{HOME}")
            return ids(town.ask(sender.cross_gateway_query(payload)))
        assert found(about(town, QUILL.mrn)) == {"2.999.1.7.2001"}
        assert found(about(town, TEST_PATIENT.mrn)) == set()


def demographics(patient, more):
    return (f'<livingSubjectAdministrativeGender><value code="{patient.gender}" codeSystem="2.16.840.1.113883.5.1"/>'
            "<semanticsText>LivingSubject.administrativeGender</semanticsText></livingSubjectAdministrativeGender>"
            f'<livingSubjectBirthTime><value value="{patient.birth}"/><semanticsText>LivingSubject.birthTime'
            f"</semanticsText></livingSubjectBirthTime>{more}<livingSubjectName><value><family>{patient.family}</family>"
            f"<given>{patient.given}</given></value><semanticsText>LivingSubject.name</semanticsText>"
            "</livingSubjectName>")


# ---------------------------------------------------------------- T15

def references(url):
    return {"of another patient": (cx("consent-7", HOME),), "unknown": ("urn:oid:2.999.404.1",), "a URL": (url,),
            "a file": ("file:///etc/hostname",), "many": tuple(f"urn:oid:2.999.404.{n}" for n in range(50))}


class TestT15ConsentsThatATokenNames:
    @pytest.mark.parametrize("kind", references(""))
    def test_t15_are_never_fetched_and_open_nothing(self, town, kind):
        with Canary() as canary:
            sender = town.sender(references=references(canary.url)[kind])
            is_answered(town, sender, QUILL)
            town.choose(QUILL)
            try:
                assert ids(ask(town, sender, QUILL)) == set(), "a consent that is only named let something go"
            finally:
                town.forget_choice(QUILL)
            assert canary.connections == 0

    def test_t15_let_coverage_be_asked_for_and_no_more(self, town):
        """Coverage asks for a reference; whether it is permitted says the patient's choice."""
        def found(*named):
            sender = town.sender(references=named, purposes=((NHIN_PURPOSES, "COVERAGE"),))
            answer = ask(town, sender, QUILL)
            return answer.query.status, len(answer.query.entries)
        assert found() == (names.FAILURE, 0)
        assert found("urn:oid:2.999.404.1") == (names.SUCCESS, 0)
        town.choose(QUILL, "coverage")
        try:
            assert found("urn:oid:2.999.404.1") == (names.SUCCESS, 2)
            assert found() == (names.FAILURE, 0)
        finally:
            town.forget_choice(QUILL)


# ---------------------------------------------------------------- A12

XENC = "http://www.w3.org/2001/04/xmlenc#"
ENCRYPTED = (f'<x:EncryptedData xmlns:x="{XENC}" xmlns:ds="{names.DS}" Type="{XENC}Content">'
             f'<x:EncryptionMethod Algorithm="{XENC}aes128-cbc"/><ds:KeyInfo><x:EncryptedKey>'
             f'<x:EncryptionMethod Algorithm="{XENC}rsa-1_5"/><x:CipherData><x:CipherValue>%s</x:CipherValue>'
             "</x:CipherData></x:EncryptedKey></ds:KeyInfo><x:CipherData><x:CipherValue>AAAA</x:CipherValue>"
             "</x:CipherData></x:EncryptedData>")


def encrypted(padding=b"\0" * 256):
    return etree.fromstring(ENCRYPTED % base64.b64encode(padding).decode())


def encrypt_body(twin):
    twin.body[0].getparent().replace(twin.body[0], encrypted())


def encrypt_assertion(twin):
    holder = etree.Element(q("saml2:EncryptedAssertion"))
    holder.append(encrypted())
    twin.security.replace(twin.assertion, holder)


def encrypt_header(twin):
    holder = etree.SubElement(twin.find("soap:Header"), q("wsse11:EncryptedHeader"))
    holder.append(encrypted())


def key_in_security(twin):
    twin.security.insert(0, encrypted().find(f".//{{{XENC}}}EncryptedKey"))


class TestA12EncryptedParts:
    @pytest.mark.parametrize("change", [encrypt_body, encrypt_assertion, encrypt_header, key_in_security])
    def test_a12_are_refused_at_once(self, town, change):
        aftermath = Aftermath(town)
        answer = town.ask(town.find_documents(TEST_PATIENT).altered(change))
        assert (answer.status, answer.fault.subcode) == (400, "UnsupportedAlgorithm")
        aftermath.check(answer, {"algorithm-unsupported"})

    def test_a12_are_no_oracle(self, town):
        """Whatever the padding, the answer is one and the same: nothing is decrypted."""
        message = town.find_documents(TEST_PATIENT).altered(encrypt_body)
        answers = []
        with town.gateway.connect(riverside().tls) as connection:
            for padding in (b"\0\2" + b"\1" * 253 + b"\0", b"\0\2" + b"\1" * 254, b"\xff" * 256, b""):
                twin = message.altered(lambda twin, padding=padding:
                                       twin.body.replace(twin.body[0], encrypted(padding)))
                answers.append(town.ask(twin, connection=connection))
        assert {answer.fault.subcode for answer in answers} == {"UnsupportedAlgorithm"}
        assert {difference(answers[0], answer) for answer in answers} == {""}


# ---------------------------------------------------------------- A13, and signatures with elliptic keys

@pytest.fixture(scope="module")
def elliptic(town):
    """Riverside's certificate with an elliptic key."""
    credential = ca.self_signed("ec.riverside.example", "Riverside Hospital", key=ca.ec_key("Riverside's"))
    town.pin(RIVERSIDE, credential.pem)
    return credential


def elliptic_sender(town, credential, **message_form):
    form = Form(method=ECDSA_SHA256)
    return town.sender().but(plan=Signing(credential, assertion_form=form, message_form=form.but(**message_form)))


def alter_value(message, change):
    """The message with the SignatureValue of its own signature written in another way."""
    def alter(twin):
        value = twin.security.find(q("ds:Signature")).find(q("ds:SignatureValue"))
        value.text = change(base64.b64decode(value.text))
    return message.altered(alter)


P256_ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551


def other_half(value):
    r, s = (int.from_bytes(half, "big") for half in (value[:32], value[32:]))
    return signing.write_ecdsa(r, P256_ORDER - s)


def wrap(value):
    return "\n  ".join(base64.encodebytes(value).decode().split())


class TestA13TheSameSignatureInAnotherSpelling:
    @pytest.mark.parametrize("respell", [other_half, wrap], ids=["(r, n-s)", "wrapped"])
    def test_a13_of_an_elliptic_key_is_the_same_proof(self, town, elliptic, respell):
        message = town.find_documents(TEST_PATIENT, elliptic_sender(town, elliptic))
        assert ids(town.ask(message)) == ids(town.ask(alter_value(message, respell))) == FOUND[TEST_PATIENT.mrn]
        first, second = [row for row in town.gateway.audit_of(message.message_id) if row["outcome"] == "released"]
        assert second["payload"]["repeat_of"] == first["request"]

    def test_a13_over_another_connection_is_a_relay_still(self, town, elliptic):
        message = town.find_documents(TEST_PATIENT, elliptic_sender(town, elliptic))
        assert ids(town.ask(message)) == FOUND[TEST_PATIENT.mrn]
        aftermath = Aftermath(town)
        answer = town.ask(alter_value(message, other_half), credential=lakeside().tls)
        assert answer.fault.subcode == "FailedAuthentication"
        aftermath.check(answer, {"replay-relayed"})

    def test_a13_of_an_rsa_key_wrapped_is_the_same_proof(self, town):
        message = town.find_documents(TEST_PATIENT)
        assert ids(town.ask(message)) == ids(town.ask(alter_value(message, wrap))) == FOUND[TEST_PATIENT.mrn]
        rows = [row for row in town.gateway.audit_of(message.message_id) if row["outcome"] == "released"]
        assert rows[1]["payload"]["repeat_of"] == rows[0]["request"]

    def test_a13_of_an_rsa_key_raised_by_the_modulus_is_none(self, town):
        modulus = riverside().signing.key.public_key().public_numbers().n

        def raised(value):
            number = int.from_bytes(value, "big") + modulus
            return base64.b64encode(number.to_bytes((number.bit_length() + 7) // 8, "big")).decode()
        aftermath = Aftermath(town)
        answer = town.ask(alter_value(town.find_documents(TEST_PATIENT), raised))
        assert answer.fault.subcode == "FailedCheck"
        aftermath.check(answer, {"signature-bad"})

    @pytest.mark.parametrize("change", [
        lambda value: base64.b64encode(utils.encode_dss_signature(
            *(int.from_bytes(half, "big") for half in (value[:32], value[32:])))).decode(),
        lambda value: signing.write_ecdsa(0, 0), lambda value: signing.write_ecdsa(P256_ORDER, 1),
        lambda value: base64.b64encode(value[:63]).decode(), lambda value: base64.b64encode(b"\0" + value).decode(),
    ], ids=["DER", "zeros", "r = n", "shorter", "longer"])
    def test_a13_of_an_elliptic_key_in_no_spelling_is_none(self, town, elliptic, change):
        aftermath = Aftermath(town)
        answer = town.ask(alter_value(town.find_documents(TEST_PATIENT, elliptic_sender(town, elliptic)), change))
        assert answer.fault.subcode == "FailedCheck"
        aftermath.check(answer, {"signature-bad"})


class TestA01A05EllipticKeys:
    @pytest.mark.parametrize("key_info", [None, "certificate"], ids=["by the assertion", "by its certificate"])
    def test_are_taken(self, town, elliptic, key_info):
        form = {} if key_info is None else {"key_info": signing.certificates_only(elliptic.certificate)}
        is_answered(town, elliptic_sender(town, elliptic, **form))

    def test_sign_bodies_too(self, town, elliptic):
        sender = elliptic_sender(town, elliptic)
        is_answered(town, sender.but(plan=sender.plan.but(message_references=covering("soap:Body"))))

    def test_sign_by_methods_of_their_own(self, town, elliptic):
        form = Form(method=signing.RSA_SHA256)
        sender = town.sender().but(plan=Signing(elliptic, assertion_form=form, message_form=form))
        is_refused(town, sender, {"algorithm-unsupported"}, {"UnsupportedAlgorithm"})


@pytest.mark.parametrize("key_info", [
    signing.certificates_only(riverside().signing.certificate),
    signing.key_value_only(riverside().signing.key.public_key()),
    signing.certificate_key_info(riverside().signing), None,
], ids=["certificate", "key", "both", "the assertion"])
def test_a05_the_messages_key_may_be_named_in_every_form(town, key_info):
    sender = town.sender()
    is_answered(town, sender.but(plan=sender.plan.but(message_form=Form(key_info=key_info))))


# ---------------------------------------------------------------- X10, X12

def patient_asked(town, text):
    payload = stored_query(names.FIND_DOCUMENTS, {"$XDSDocumentEntryPatientId": [f"'{text}'"],
                                                  "$XDSDocumentEntryStatus": [f"('{names.APPROVED}')"]})
    return town.sender().cross_gateway_query(payload)


class TestX10WhatNobodySees:
    @pytest.mark.parametrize("hidden", ["\u200b", "\u00ad", "\u202e", "\u200f", "\ufeff", "\t"], ids=ascii)
    @pytest.mark.parametrize("slot", ["PatientId", "UniqueId", "ClassCode"])
    def test_x10_in_a_slot_of_a_stored_query_is_refused(self, town, hidden, slot):
        aftermath = Aftermath(town)
        value = {"PatientId": cx(f"HV{hidden}-1001", HOME), "UniqueId": f"2.999{hidden}.1",
                 "ClassCode": f"34133-9{hidden}^^2.16.840.1.113883.6.1"}[slot]
        payload = find_documents(cx(QUILL.mrn, HOME), **{slot: [f"('{value}')"]}) if slot != "PatientId" else \
            find_documents(value)
        answer = town.ask(town.sender().cross_gateway_query(payload))
        assert (answer.status, answer.fault.code) == (400, "Sender")
        aftermath.check(answer, {"query-slot-unreadable"})

    def test_x10_the_twins_without_are_answered(self, town):
        assert ids(town.ask(patient_asked(town, cx(QUILL.mrn, HOME)))) == FOUND[QUILL.mrn]
        payload = find_documents(cx(QUILL.mrn, HOME), AuthorPerson=["('%Qui\u200bll%')"])
        assert town.ask(town.sender().cross_gateway_query(payload)).fault is None

    def test_x10_ids_are_compared_as_they_are_written(self, town):
        """NFC and NFD of one id are two ids."""
        composed, decomposed = "HV-Ren\u00e9", "HV-Rene\u0301"
        town.enter(Patient(composed, "Accent", "Ren\u00e9", "M", "19610203"))
        try:
            for written, outcome in ((composed, "OK"), (decomposed, "NF")):
                parameters = (f'<livingSubjectId><value root="{HOME}" extension="{written}"/>'
                              "<semanticsText>LivingSubject.id</semanticsText></livingSubjectId>")
                message = town.sender().patient_discovery(QUILL, parameters=parameters)
                assert town.ask(message, path=PATHS["ITI-55"]).discovery.query_response == outcome
        finally:
            town.delete(Patient(composed, "Accent", "Ren\u00e9", "M", "19610203"))


NOTHING = base64.b64encode(hashlib.sha256(b"").digest()).decode()


class TestX12TheDigestOfNothing:
    """Other stacks digested the empty string where canonicalization failed, and so took any content for signed."""

    def references(self, which):
        def over_nothing(element):
            honest = Signing(None).assertion_references if which == "assertion" else Signing(None).message_references
            [reference] = honest(element)
            return [signing.Reference(reference.uri, element, reference.transforms, digest=NOTHING)]
        return over_nothing

    @pytest.mark.parametrize("which", ["assertion", "message"])
    def test_x12_truly_signed_is_no_digest_of_something(self, town, which):
        assert NOTHING.startswith("47DEQpj8")
        plan = town.sender().plan.but(**{f"{which}_references": self.references(which)})
        is_refused(town, town.sender().but(plan=plan), {"digest-mismatch"}, {"FailedCheck"})

    @pytest.mark.parametrize("namespace", ["1", "http://x\u0080", "relative/uri", "%ZZ"], ids=ascii)
    @pytest.mark.parametrize("place", ["wsu:Timestamp", "saml2:Assertion", "soap:Body"])
    def test_x12_under_an_odd_namespace_is_refused_before(self, town, namespace, place):
        plan = town.sender().plan.but(message_references=self.references("message"),
                                      assertion_references=self.references("assertion"))
        content_type, data = town.find_documents(TEST_PATIENT, town.sender().but(plan=plan)).wire()
        tag = b"<" + place.encode()
        assert data.count(tag) == 1
        odd = data.replace(tag, tag + f' xmlns:odd="{namespace}"'.encode())
        aftermath = Aftermath(town)
        answer = town.ask((content_type, odd))
        assert answer.status == 400
        aftermath.check(answer, {"xml-not-well-formed", "xml-relative-namespace"})


# ---------------------------------------------------------------- C03, S03

def test_c03_a_retrieve_is_judged_by_its_own_purpose(town):
    def retrieved(purpose):
        sender = town.sender(purposes=((NHIN_PURPOSES, purpose),))
        message = sender.cross_gateway_retrieve([(f"urn:oid:{HOME}", REPOSITORY, "2.999.1.7.2001")])
        return len(town.ask(message, path=PATHS["ITI-39"]).retrieve.documents), event_of(town, message)["reason"]
    is_answered(town, town.sender(), QUILL)
    assert retrieved("PAYMENT") == (0, "clinic-purpose")
    assert retrieved("TREATMENT") == (1, "")
    assert ids(ask(town, town.sender(purposes=((NHIN_PURPOSES, "PAYMENT"),)), QUILL)) == set()


class TestS03Actions:
    @pytest.mark.parametrize("action", [names.PATIENT_DISCOVERY, names.CROSS_GATEWAY_RETRIEVE,
                                        names.CROSS_GATEWAY_QUERY_ANSWER, names.CROSS_GATEWAY_QUERY + "Async",
                                        "urn:ihe:iti:2007:RegistryStoredQuery", names.CROSS_GATEWAY_QUERY.upper(),
                                        "x" * 4000])
    def test_s03_that_contradict_the_payload_are_refused(self, town, action):
        aftermath = Aftermath(town)
        answer = town.ask(town.sender().message(action, find_documents(cx(TEST_PATIENT.mrn, HOME))))
        assert (answer.status, answer.fault.subcode) == (400, "ActionNotSupported")
        aftermath.check(answer, {"action-not-supported"})

    def test_s03_in_the_media_type_are_not_obeyed(self, town):
        """A SOAPAction or media-type action that contradicts is ignored. [facts §1.1]"""
        content_type, data = town.find_documents(TEST_PATIENT).wire()
        answer = town.ask((content_type + f'; action="{names.CROSS_GATEWAY_RETRIEVE}"', data))
        assert ids(answer) == FOUND[TEST_PATIENT.mrn]
