"""Algorithms, keys, transforms and references of signatures. [threat catalogue §3: A01, A02, A05–A08]

Every refusal has a twin that differs in nothing but the attack and is accepted.
"""

import base64
import dataclasses

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import padding

from peer import ca, names, signing
from peer.canary import Canary
from peer.messages import Signing, enveloped_reference, timestamp_reference
from peer.signing import ENVELOPED, EXC_C14N, Form, Reference
from peer.town import LAKESIDE, RIVERSIDE, TEST_PATIENT, Aftermath, lakeside, riverside

BOTH = pytest.mark.parametrize("which", ["assertion", "message"])


def plan_for(town, which, form=None, references=None):
    """Riverside's way of signing with one of its two signatures altered."""
    changes = {}
    if form is not None:
        changes[f"{which}_form"] = form
    if references is not None:
        changes[f"{which}_references"] = references
    return town.sender().plan.but(**changes)


def ask(town, plan, partner=None):
    return town.ask(town.find_documents(TEST_PATIENT, town.sender(partner).but(plan=plan)), partner)


def is_refused(town, plan, reasons, subcodes, partner=None, canary=None):
    aftermath = Aftermath(town, canary)
    answer = ask(town, plan, partner)
    assert (answer.status, answer.fault.code) == (400, "Sender")
    assert answer.fault.subcode in subcodes
    aftermath.check(answer, reasons)


def is_accepted(town, plan, partner=None):
    answer = ask(town, plan, partner)
    assert answer.fault is None, answer.fault
    assert [entry.unique_id for entry in answer.query.entries] == ["1.2.3.4^1"]


def own_reference(which, **changes):
    """The reference an honest sender writes, with something changed."""
    honest = enveloped_reference if which == "assertion" else timestamp_reference
    return lambda element: [dataclasses.replace(honest(element)[0], **changes)]


def transforms(which, *algorithms):
    return own_reference(which, transforms=algorithms)


@BOTH
def test_the_twin_of_all_is_accepted(town, which):
    is_accepted(town, plan_for(town, which, Form()))


# ---------------------------------------------------------------- A01

class TestA01WeakAlgorithms:
    @BOTH
    @pytest.mark.parametrize("method", [signing.RSA_MD5, signing.RSA_RIPEMD160, signing.DSA_SHA1, signing.RSA_SHA1,
                                        "http://www.w3.org/2001/04/xmldsig-more#rsa-sha999"],
                             ids=lambda method: method.rpartition("#")[2])
    def test_a_signature_method_off_the_list_is_refused(self, town, which, method):
        plan = plan_for(town, which, Form(method=method))
        is_refused(town, plan, {"algorithm-unsupported"}, {"UnsupportedAlgorithm"})

    @BOTH
    @pytest.mark.parametrize("method", [signing.MD5, signing.SHA1], ids=["md5", "sha1"])
    def test_a_digest_method_off_the_list_is_refused(self, town, which, method):
        plan = plan_for(town, which, references=own_reference(which, digest_method=method))
        is_refused(town, plan, {"algorithm-unsupported"}, {"UnsupportedAlgorithm"})


class TestA01TheExceptionForSha1:
    PLAN = Signing(lakeside().signing, assertion_form=Form(method=signing.RSA_SHA1),
                   message_form=Form(method=signing.RSA_SHA1),
                   assertion_references=own_reference("assertion", digest_method=signing.SHA1),
                   message_references=own_reference("message", digest_method=signing.SHA1))

    @pytest.fixture
    def excepted(self, town):
        town.gateway.command("partner", "set", LAKESIDE, "sha1", "allow", "--until", "2027-06-30",
                             "--reason", "their upgrade is due")
        yield
        town.gateway.command("partner", "clear", LAKESIDE, "sha1")

    def test_without_it_sha1_is_refused(self, town):
        is_refused(town, self.PLAN, {"algorithm-unsupported"}, {"UnsupportedAlgorithm"}, partner=lakeside())

    def test_with_it_sha1_is_accepted_and_noted(self, town, excepted):
        message = town.find_documents(TEST_PATIENT, town.sender(lakeside()).but(plan=self.PLAN))
        assert town.ask(message, lakeside()).query.status == names.SUCCESS
        assert [row["payload"]["note"] for row in town.gateway.audit_of(message.message_id)] == ["revocation unknown; sha1"]

    def test_it_is_for_that_partner_alone(self, town, excepted):
        plan = self.PLAN.but(assertion=riverside().signing)
        is_refused(town, plan, {"algorithm-unsupported"}, {"UnsupportedAlgorithm"})


# ---------------------------------------------------------------- A02

PARTNER = riverside().signing
SECRETS = {
    "the certificate as PEM": PARTNER.pem,
    "the certificate as DER": PARTNER.der,
    "the public key": PARTNER.key.public_key().public_bytes(serialization.Encoding.DER,
                                                            serialization.PublicFormat.SubjectPublicKeyInfo),
    "the modulus": PARTNER.key.public_key().public_numbers().n.to_bytes(256, "big"),
    "nothing": b"",
}
HMAC_KEY_VALUE = ('<ds:KeyValue><x:HMACKeyValue xmlns:x="http://www.aleksey.com/xmlsec/2002">'
                  + base64.b64encode(b"secret").decode() + "</x:HMACKeyValue></ds:KeyValue>")


@BOTH
@pytest.mark.parametrize("secret", SECRETS)
def test_a02_an_hmac_keyed_with_what_everybody_knows_is_refused(town, which, secret):
    form = Form(method=signing.HMAC_SHA256, secret=SECRETS[secret])
    is_refused(town, plan_for(town, which, form), {"algorithm-unsupported"}, {"UnsupportedAlgorithm"})


@BOTH
def test_a02_an_hmac_that_brings_its_own_key_is_refused(town, which):
    form = Form(method=signing.HMAC_SHA256, secret=b"secret", key_info=signing.raw_key_info(HMAC_KEY_VALUE))
    is_refused(town, plan_for(town, which, form), {"algorithm-unsupported", "reference-bad"},
               {"UnsupportedAlgorithm", "InvalidSecurity"})


# ---------------------------------------------------------------- A05

STRANGER = ca.self_signed("stranger.example", "Nobody")
LOOK_ALIKE = ca.self_signed("sign.riverside.example", "Riverside Hospital", key=ca.rsa_key("look-alike"),
                            serial=PARTNER.certificate.serial_number)
UNTRUSTED = ca.Authority("Other CA", "Other Network").issue("sign.lakeside.example", "Lakeside Clinic",
                                                            key=ca.rsa_key("untrusted"))
ISSUER_SERIAL = ("<ds:X509Data><ds:X509IssuerSerial><ds:X509IssuerName>CN=sign.riverside.example</ds:X509IssuerName>"
                 "<ds:X509SerialNumber>1</ds:X509SerialNumber></ds:X509IssuerSerial></ds:X509Data>")


def signed_by(credential, key_info=None):
    """Everything signed by one credential, the assertion's KeyInfo being given."""
    return Signing(credential, assertion_form=Form(key_info=key_info))


class TestA05Keys:
    @pytest.mark.parametrize("plan", [
        signed_by(PARTNER, signing.key_value_only(PARTNER.key.public_key())),
        signed_by(PARTNER, signing.certificates_only(PARTNER.certificate)),
        signed_by(PARTNER, signing.certificate_key_info(PARTNER)),
    ], ids=["its key alone", "its certificate alone", "both"])
    def test_of_a_partner_are_known_however_they_are_named(self, town, plan):
        is_accepted(town, plan)

    @pytest.mark.parametrize("plan, reasons", [
        (signed_by(STRANGER, signing.key_value_only(STRANGER.key.public_key())), {"signature-unresolved"}),
        (signed_by(STRANGER), {"certificate-path-bad"}),
        (signed_by(LOOK_ALIKE), {"certificate-path-bad"}),
        (signed_by(UNTRUSTED), {"issuer-unknown"}),
        (signed_by(STRANGER, signing.certificates_only(PARTNER.certificate)), {"digest-mismatch", "signature-bad"}),
        (signed_by(PARTNER, signing.certificates_only(PARTNER.certificate, STRANGER.certificate)), {"reference-bad"}),
        (signed_by(STRANGER, signing.certificates_only(STRANGER.certificate, PARTNER.certificate)), {"reference-bad"}),
        (signed_by(PARTNER, signing.raw_key_info(ISSUER_SERIAL)), {"reference-bad", "signature-unresolved"}),
        (signed_by(PARTNER, signing.raw_key_info("<ds:X509Data><ds:X509SKI>AAAA</ds:X509SKI></ds:X509Data>")),
         {"reference-bad", "signature-unresolved"}),
        (signed_by(PARTNER, signing.raw_key_info("<ds:X509Data><ds:X509SubjectName>CN=sign.riverside.example"
                                                 "</ds:X509SubjectName></ds:X509Data>")),
         {"reference-bad", "signature-unresolved"}),
    ], ids=["unknown key alone", "unknown self-signed", "look-alike of the partner's certificate",
            "untrusted authority", "partner's certificate, another's signature", "two certificates, good first",
            "two certificates, evil first",
            "issuer and serial only", "key identifier only", "subject only"])
    def test_of_others_are_refused(self, town, plan, reasons):
        is_refused(town, plan, reasons, {"FailedCheck", "InvalidSecurityToken", "InvalidSecurity",
                                         "SecurityTokenUnavailable", "FailedAuthentication"})

    def test_of_another_than_the_subject_do_not_sign_the_message(self, town):
        """The token names Riverside as holder; somebody else signs the message."""
        plan = Signing(PARTNER, message=STRANGER, subject=PARTNER)
        is_refused(town, plan, {"signature-bad"}, {"FailedCheck"})


# ---------------------------------------------------------------- A06

def fetching(url):
    return {
        "RetrievalMethod by http": f'<ds:RetrievalMethod URI="{url}"/>',
        "RetrievalMethod of a file": '<ds:RetrievalMethod URI="file:///etc/hostname"/>',
        "RetrievalMethod of an element": '<ds:RetrievalMethod URI="#elsewhere"/>',
        "KeyInfoReference": f'<dsig11:KeyInfoReference xmlns:dsig11="http://www.w3.org/2009/xmldsig11#" URI="{url}"/>',
        "KeyName as path": "<ds:KeyName>../../keys/signing</ds:KeyName>",
        "EncryptedKey": '<xenc:EncryptedKey xmlns:xenc="http://www.w3.org/2001/04/xmlenc#"/>',
        "PGPData": "<ds:PGPData><ds:PGPKeyID>AAAA</ds:PGPKeyID></ds:PGPData>",
        "SPKIData": "<ds:SPKIData><ds:SPKISexp>AAAA</ds:SPKISexp></ds:SPKIData>",
        "MgmtData": "<ds:MgmtData>x</ds:MgmtData>",
    }


@BOTH
@pytest.mark.parametrize("kind", fetching(""))
def test_a06_nothing_is_fetched_for_a_key(town, which, kind):
    with Canary() as canary:
        form = Form(key_info=signing.raw_key_info(fetching(canary.url)[kind]))
        is_refused(town, plan_for(town, which, form), {"reference-bad", "signature-unresolved"},
                   {"InvalidSecurity", "FailedCheck", "SecurityTokenUnavailable", "InvalidSecurityToken"},
                   canary=canary)


# ---------------------------------------------------------------- A07

XSLT = "http://www.w3.org/TR/1999/REC-xslt-19991116"
XPATH = "http://www.w3.org/TR/1999/REC-xpath-19991116"
XPATH2 = "http://www.w3.org/2002/06/xmldsig-filter2"
BASE64 = "http://www.w3.org/2000/09/xmldsig#base64"
WITH_COMMENTS = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315#WithComments"
RELATIONSHIP = "http://schemas.openxmlformats.org/package/2006/RelationshipTransform"


class TestA07Transforms:
    @pytest.mark.parametrize("algorithm", [XSLT, XPATH, XPATH2, BASE64, WITH_COMMENTS, RELATIONSHIP, "urn:unknown"])
    @BOTH
    def test_off_the_list_are_refused(self, town, which, algorithm):
        honest = (ENVELOPED, EXC_C14N) if which == "assertion" else (EXC_C14N,)
        plan = plan_for(town, which, references=transforms(which, *honest[:-1], algorithm))
        is_refused(town, plan, {"algorithm-unsupported", "reference-bad"}, {"UnsupportedAlgorithm", "InvalidSecurity"})

    @pytest.mark.parametrize("algorithms", [(EXC_C14N, ENVELOPED), (EXC_C14N,), (ENVELOPED, EXC_C14N, EXC_C14N), ()],
                             ids=["reversed", "enveloped missing", "a third", "none"])
    def test_in_another_number_or_order_are_refused(self, town, algorithms):
        plan = plan_for(town, "assertion", references=transforms("assertion", *algorithms))
        is_refused(town, plan, {"reference-bad", "algorithm-unsupported", "wrapped-signature"},
                   {"InvalidSecurity", "UnsupportedAlgorithm", "FailedCheck"})

    @BOTH
    def test_with_prefixes_of_normal_size_are_honoured(self, town, which):
        plan = plan_for(town, which, references=own_reference(which, prefixes=("wsse", "soap")))
        is_accepted(town, plan)

    @BOTH
    def test_with_ten_thousand_prefixes_are_refused(self, town, which):
        prefixes = tuple(f"p{number}" for number in range(10_000))
        plan = plan_for(town, which, references=own_reference(which, prefixes=prefixes))
        is_refused(town, plan, {"reference-bad", "xml-tag-too-large"}, {"InvalidSecurity", ""})


# ---------------------------------------------------------------- A08

def other_references(which, url):
    """Names of attacks and the references they write."""
    honest = enveloped_reference if which == "assertion" else timestamp_reference
    elsewhere = Reference("#nowhere")
    return {
        "none": lambda element: [],
        "two good": lambda element: honest(element) * 2,
        "good and bad": lambda element: [*honest(element), elsewhere],
        "bad and good": lambda element: [elsewhere, *honest(element)],
        "no URI": own_reference(which, uri=None),
        "empty URI": own_reference(which, uri=""),
        "the root by xpointer": own_reference(which, uri="#xpointer(/)"),
        "an id by xpointer": lambda element: own_reference(which, uri=f"#xpointer(id('{_id(element)}'))")(element),
        "http": own_reference(which, uri=url),
        "a file": own_reference(which, uri="file:///etc/hostname"),
        "an attachment": own_reference(which, uri="cid:root@peer.example"),
        "without the number sign": lambda element: own_reference(which, uri=_id(element))(element),
        "percent-encoded": lambda element: own_reference(which, uri="#%41" + _id(element)[1:])(element),
        "nothing after the number sign": own_reference(which, uri="#"),
    }


def _id(element):
    return element.get("ID") or element.get(names.q("wsu:Id"))


@BOTH
@pytest.mark.parametrize("kind", other_references("message", ""))
def test_a08_exactly_one_reference_by_its_id(town, which, kind):
    with Canary() as canary:
        plan = plan_for(town, which, references=other_references(which, canary.url)[kind])
        is_refused(town, plan, {"reference-bad", "wrapped-signature"}, {"InvalidSecurity", "FailedCheck"},
                   canary=canary)


# ---------------------------------------------------------------- values

@BOTH
@pytest.mark.parametrize("digest", ["", "AAAA", base64.b64encode(bytes(33)).decode(), "not base64!"],
                         ids=["empty", "short", "long", "no base64"])
def test_a03_a_digest_of_another_form_is_refused(town, which, digest):
    plan = plan_for(town, which, references=own_reference(which, digest=digest))
    is_refused(town, plan, {"reference-bad"}, {"InvalidSecurity"})


def test_a_signature_over_other_data_is_refused(town):
    value = base64.b64encode(PARTNER.key.sign(b"other data", padding.PKCS1v15(), signing.hashes.SHA256())).decode()
    is_refused(town, plan_for(town, "message", Form(value=value)), {"signature-bad"}, {"FailedCheck"})


def test_a11_the_home_of_another_partner_is_refused(town):
    """Signed and sent by Lakeside, in the name of Riverside."""
    sender = town.sender(lakeside())
    message = town.find_documents(TEST_PATIENT, sender.but(token=sender.token.but(home=RIVERSIDE)))
    aftermath = Aftermath(town)
    answer = town.ask(message, lakeside())
    assert answer.fault.subcode == "FailedAuthentication"
    aftermath.check(answer, {"caller-not-delegated", "caller-untrusted"})
