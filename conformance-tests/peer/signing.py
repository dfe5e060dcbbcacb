"""XML signatures as senders of XUA write them, and as attackers do: every part of the form is a parameter.
[XML Signature; exclusive C14N; SAML token profile 1.1]"""

import base64
import hashlib
import hmac
from dataclasses import dataclass, replace

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, utils
from lxml import etree

from .names import DS, WSSE, WSSE11, q

EXC_C14N = "http://www.w3.org/2001/10/xml-exc-c14n#"
ENVELOPED = "http://www.w3.org/2000/09/xmldsig#enveloped-signature"
RSA_SHA256 = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"
RSA_SHA1 = "http://www.w3.org/2000/09/xmldsig#rsa-sha1"
RSA_MD5 = "http://www.w3.org/2001/04/xmldsig-more#rsa-md5"
RSA_RIPEMD160 = "http://www.w3.org/2001/04/xmldsig-more#rsa-ripemd160"
DSA_SHA1 = "http://www.w3.org/2000/09/xmldsig#dsa-sha1"
ECDSA_SHA256 = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256"
HMAC_SHA256 = "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256"
SHA256 = "http://www.w3.org/2001/04/xmlenc#sha256"
SHA1 = "http://www.w3.org/2000/09/xmldsig#sha1"
MD5 = "http://www.w3.org/2001/04/xmldsig-more#md5"
SAML_TOKEN_PROFILE = "http://docs.oasis-open.org/wss/oasis-wss-saml-token-profile-1.1"

DIGESTS = {SHA256: "sha256", SHA1: "sha1", MD5: "md5"}
RSA_HASHES = {RSA_SHA256: hashes.SHA256, RSA_SHA1: hashes.SHA1, RSA_MD5: hashes.MD5}


@dataclass(frozen=True)
class Reference:
    """One ds:Reference. `uri` None leaves the attribute out; `digest` replaces the computed value."""
    uri: str | None
    target: object = None
    transforms: tuple = (EXC_C14N,)
    digest_method: str = SHA256
    digest: str | None = None
    prefixes: tuple = ()


@dataclass(frozen=True)
class Form:
    """How a signature is written. `secret` makes it an HMAC with that key; `value` replaces the computed one."""
    method: str = RSA_SHA256
    canonicalization: str | None = EXC_C14N
    secret: bytes | None = None
    value: str | None = None
    key_info: object = None

    def but(self, **changes):
        return replace(self, **changes)


def canonical(element, prefixes=()):
    """Exclusive canonical form without comments. [exc-c14n]"""
    return etree.tostring(element, method="c14n", exclusive=True, with_comments=False,
                          inclusive_ns_prefixes=list(prefixes) or None)


def digest_of(element, method=SHA256, prefixes=()):
    name = DIGESTS.get(method, "sha256")
    return base64.b64encode(hashlib.new(name, canonical(element, prefixes)).digest()).decode()


def _write_reference(signed_info, reference):
    attributes = {} if reference.uri is None else {"URI": reference.uri}
    node = etree.SubElement(signed_info, q("ds:Reference"), attributes)
    transforms = etree.SubElement(node, q("ds:Transforms"))
    for algorithm in reference.transforms:
        transform = etree.SubElement(transforms, q("ds:Transform"), Algorithm=algorithm)
        if reference.prefixes and algorithm == EXC_C14N:
            etree.SubElement(transform, f"{{{EXC_C14N}}}InclusiveNamespaces", nsmap={"ec": EXC_C14N},
                             PrefixList=" ".join(reference.prefixes))
    etree.SubElement(node, q("ds:DigestMethod"), Algorithm=reference.digest_method)
    value = etree.SubElement(node, q("ds:DigestValue"))
    if reference.digest is not None:
        value.text = reference.digest
    elif reference.target is not None:
        value.text = digest_of(reference.target, reference.digest_method, reference.prefixes)
    else:
        value.text = base64.b64encode(bytes(32)).decode()


def signature_value(data, form, key):
    if form.value is not None:
        return form.value
    if form.secret is not None:
        return base64.b64encode(hmac.digest(form.secret, data, "sha256")).decode()
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return write_ecdsa(*utils.decode_dss_signature(key.sign(data, ec.ECDSA(hashes.SHA256()))))
    algorithm = RSA_HASHES.get(form.method, hashes.SHA256)
    return base64.b64encode(key.sign(data, padding.PKCS1v15(), algorithm())).decode()


def write_ecdsa(r, s):
    """The SignatureValue of ECDSA over P-256: r and s, 32 octets each. [RFC 4050 §3.3]"""
    return base64.b64encode(r.to_bytes(32, "big") + s.to_bytes(32, "big")).decode()


def write_signature(parent, position, references, key, form=Form()):
    """Puts a ds:Signature into `parent` at `position`; what it refers to must stand as it will be sent."""
    prepared = etree.Element(q("ds:Signature"), nsmap={"ds": DS})
    signed_info = etree.SubElement(prepared, q("ds:SignedInfo"))
    if form.canonicalization is not None:
        etree.SubElement(signed_info, q("ds:CanonicalizationMethod"), Algorithm=form.canonicalization)
    etree.SubElement(signed_info, q("ds:SignatureMethod"), Algorithm=form.method)
    for reference in references:
        _write_reference(signed_info, reference)
    value = etree.SubElement(prepared, q("ds:SignatureValue"))
    value.text = signature_value(canonical(signed_info), form, key)
    if form.key_info is not None:
        form.key_info(prepared)
    parent.insert(position, prepared)
    return prepared


# ---------------------------------------------------------------- what a KeyInfo may say

def base64_integer(number):
    return base64.b64encode(number.to_bytes((number.bit_length() + 7) // 8, "big")).decode()


def write_key_value(key_info, public_key):
    numbers = public_key.public_numbers()
    rsa = etree.SubElement(etree.SubElement(key_info, q("ds:KeyValue")), q("ds:RSAKeyValue"))
    etree.SubElement(rsa, q("ds:Modulus")).text = base64_integer(numbers.n)
    etree.SubElement(rsa, q("ds:Exponent")).text = base64_integer(numbers.e)


def write_x509_data(key_info, *certificates):
    data = etree.SubElement(key_info, q("ds:X509Data"))
    for certificate in certificates:
        der = certificate.public_bytes(serialization.Encoding.DER)
        etree.SubElement(data, q("ds:X509Certificate")).text = base64.b64encode(der).decode()


def certificate_key_info(credential, with_key_value=True):
    """KeyValue and X509Certificate of one credential, as the production client writes both; of an elliptic key the
    certificate alone."""
    def write(parent):
        key_info = etree.SubElement(parent, q("ds:KeyInfo"))
        if with_key_value and not isinstance(credential.key, ec.EllipticCurvePrivateKey):
            write_key_value(key_info, credential.certificate.public_key())
        write_x509_data(key_info, credential.certificate)
    return write


def key_value_only(public_key):
    def write(parent):
        write_key_value(etree.SubElement(parent, q("ds:KeyInfo")), public_key)
    return write


def certificates_only(*certificates):
    def write(parent):
        write_x509_data(etree.SubElement(parent, q("ds:KeyInfo")), *certificates)
    return write


def assertion_key_info(assertion_id):
    """SecurityTokenReference to the assertion: the message key is the subject's key. [SAML token profile §3.4]"""
    def write(parent):
        key_info = etree.SubElement(parent, q("ds:KeyInfo"))
        token = etree.SubElement(key_info, q("wsse:SecurityTokenReference"), nsmap={"wsse": WSSE, "wsse11": WSSE11})
        token.set(q("wsse11:TokenType"), SAML_TOKEN_PROFILE + "#SAMLV2.0")
        identifier = etree.SubElement(token, q("wsse:KeyIdentifier"), ValueType=SAML_TOKEN_PROFILE + "#SAMLID")
        identifier.text = assertion_id
    return write


def raw_key_info(xml):
    """A KeyInfo with any content, given as text; the prefix ds is bound."""
    def write(parent):
        parent.append(etree.fromstring(f'<ds:KeyInfo xmlns:ds="{DS}">{xml}</ds:KeyInfo>'))
    return write
