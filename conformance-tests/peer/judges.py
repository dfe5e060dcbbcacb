"""Judges that we did not write: xmllint and Xerces over the official schemas, xmlsec1 over signatures; and the judge of
sameness, which blanks what must differ between two answers and compares all other bytes."""

import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from lxml import etree

from .mtom import parameter
from .names import PREFIXES, SAML, SOAP, WSA, WSSE11, WSU, XSI, q

ROOT = Path(__file__).resolve().parents[2]
SHARED = Path(os.environ.get("GATEHOUSE_SHARED") or ROOT.parent / "shared")
OFFICIAL = SHARED / "schemas" / "drivers" / "soap-all.xsd"

WSU_ID_BEARERS = [f"{WSU}:Timestamp", f"{WSSE11}:SignatureConfirmation", f"{SOAP}:Body",
                  "urn:gatehouse:notice:1:Notice",
                  *(f"{WSA}:{name}" for name in ("Action", "MessageID", "To", "From", "RelatesTo", "ReplyTo"))]


# ---------------------------------------------------------------- schema

def xmllint_complaint(envelope, schema=OFFICIAL):
    """@return what xmllint says against the envelope; empty where it is valid"""
    run = subprocess.run(["xmllint", "--nonet", "--noout", "--schema", str(schema), "-"], input=envelope,
                         capture_output=True)
    return "" if run.returncode == 0 else run.stderr.decode(errors="replace")


def xerces_complaint(envelope, schema=OFFICIAL):
    """The same by Xerces-C, full schema checking on."""
    root = etree.fromstring(envelope)
    root.attrib.pop(f"{{{XSI}}}schemaLocation", None)
    root.set(f"{{{XSI}}}noNamespaceSchemaLocation", Path(schema).resolve().as_uri())
    run = subprocess.run(["StdInParse", "-v=always", "-n", "-s", "-f"], input=etree.tostring(root), capture_output=True)
    said = (run.stdout + run.stderr).decode(errors="replace")
    bad = [line for line in said.splitlines() if "rror" in line or "arning" in line]
    return said if run.returncode or bad else ""


def schema_complaints(answer):
    """Both parsers' complaints about an answer, its attachments inlined. Empty where both accept."""
    envelope = answer.with_inline_documents()
    said = {"xmllint": xmllint_complaint(envelope)}
    if shutil.which("StdInParse"):
        said["Xerces"] = xerces_complaint(envelope)
    return {judge: text for judge, text in said.items() if text}


# ---------------------------------------------------------------- signature

def _xmlsec1(envelope, certificate_pem, node_xpath, id_attributes):
    with tempfile.TemporaryDirectory(prefix="judge-") as folder:
        message, certificate = Path(folder, "message.xml"), Path(folder, "certificate.pem")
        message.write_bytes(envelope)
        certificate.write_bytes(certificate_pem)
        run = subprocess.run(["xmlsec1", "--verify", "--pubkey-cert-pem", str(certificate), *id_attributes,
                              "--node-xpath", node_xpath, str(message)], capture_output=True)
    return "" if run.returncode == 0 else (run.stdout + run.stderr).decode(errors="replace")


def signature_complaint(envelope, certificate_pem):
    """@return what xmlsec1 says against the message signature of an envelope; empty where it verifies"""
    ids = [text for bearer in WSU_ID_BEARERS for text in ("--id-attr:Id", bearer)]
    return _xmlsec1(envelope, certificate_pem, "//*[local-name()='Security']/*[local-name()='Signature']", ids)


def assertion_complaint(envelope, certificate_pem):
    return _xmlsec1(envelope, certificate_pem, "//*[local-name()='Assertion']/*[local-name()='Signature']",
                    ["--id-attr:ID", f"{SAML}:Assertion"])


def signed_elements(answer):
    """The qualified names that the message signature covers, one per Reference."""
    references = answer.findall(".//wsse:Security/ds:Signature/ds:SignedInfo/ds:Reference")
    bearers = {node.get(q("wsu:Id")): node for node in answer.root.iter(etree.Element) if node.get(q("wsu:Id"))}
    return [bearers[reference.get("URI").removeprefix("#")].tag for reference in references]


def confirmed_signatures(answer):
    """The values of its SignatureConfirmations. [WSS 1.1 §8.5]"""
    return [node.get("Value") for node in answer.findall(".//wsse:Security/wsse11:SignatureConfirmation")]


# ---------------------------------------------------------------- sameness

# Where two answers of one kind may differ: ids, instants, digests and signature values. Nothing else may.
DIFFERING_PLACES = [
    "//wsa:MessageID/text()", "//@wsu:Id", "//ds:Reference/@URI", "//ds:Signature/@Id",     # ids
    "/soap:Envelope/soap:Body/hl7:PRPA_IN201306UV02/hl7:id/@root",
    "/soap:Envelope/soap:Body/hl7:PRPA_IN201306UV02/hl7:id/@extension",
    "/soap:Envelope/soap:Body/query:AdhocQueryResponse/@requestId", "//xop:Include/@href",
    "//wsu:Created/text()", "//wsu:Expires/text()",                                          # instants
    "/soap:Envelope/soap:Body/hl7:PRPA_IN201306UV02/hl7:creationTime/@value",
    "//ds:DigestValue/text()", "//ds:SignatureValue/text()",                                 # digests, signatures
]


def _blank(data, values):
    for value in sorted({value.encode() for value in values if value}, key=len, reverse=True):
        data = data.replace(value, b"_" * len(value))
    return data


def blanked(answer):
    """Status, content type and all bytes of the body, what may differ replaced by blanks of the same length."""
    values = [str(value) for place in DIFFERING_PLACES for value in answer.root.xpath(place, namespaces=PREFIXES)]
    values += [part.content_id for part in answer.parts]
    if answer.is_mtom:
        values.append(parameter(answer.content_type, "boundary"))
    return answer.status, _blank(answer.content_type.encode(), values), _blank(answer.body, values)


def difference(one, other):
    """@return a sentence naming the first difference of two answers; empty where they are the same"""
    left, right = blanked(one), blanked(other)
    if left[:2] != right[:2]:
        return f"{left[:2]} against {right[:2]}"
    if left[2] == right[2]:
        return ""
    at = next((i for i, (a, b) in enumerate(zip(left[2], right[2])) if a != b), min(len(left[2]), len(right[2])))
    return (f"{len(left[2])} and {len(right[2])} octets, different from octet {at}: "
            f"{left[2][max(0, at - 80):at + 80]!r} against {right[2][max(0, at - 80):at + 80]!r}")


LIBRARY_WORDS = re.compile(rb"xmlsec|libxml|openssl|xerces|boost|soci|sqlite|postgres|\.cpp|/work/|/tmp/|/usr/|/etc/|"
                           rb"BEGIN [A-Z ]*PRIVATE|0x[0-9a-f]{8}|std::", re.IGNORECASE)


def leak(answer, patient_words):
    """The first datum of a patient, path or library name in an answer, empty for none. Echoed queries are cut out."""
    body = re.sub(rb"<(\w+:)?queryByParameter[ >].*?</(\w+:)?queryByParameter>", b"", answer.body, flags=re.DOTALL)
    # Base64 of signatures and certificates spells any short word by chance.
    body = re.sub(rb"<(\w+:)?(SignatureValue|DigestValue|X509Certificate|BinarySecurityToken)\b.*?</", b"</", body,
                  flags=re.DOTALL)
    body = re.sub(rb"(<(\w+:)?SignatureConfirmation\b[^>]*?) Value=\"[^\"]*\"", rb"\1", body)
    found = LIBRARY_WORDS.search(body)
    if found:
        return found.group().decode()
    return next((word for word in patient_words if word.encode() in body), "")


