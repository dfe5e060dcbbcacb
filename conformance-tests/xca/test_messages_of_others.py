"""Messages that other implementations made, as a table: each is answered as the fact it cites says, none is without an
answer and an audit event, and whatever comes back is valid. Stored queries have a table of their own.

A bare payload travels in an envelope signed by Riverside. `as it is` keeps the organizations it names, which nobody here
knows; `to us` names Riverside and this home instead, and finds the patient it asks for in our records."""

from dataclasses import dataclass, field

import pytest
from lxml import etree

from peer import judges, names
from peer.answers import NO_NETWORK
from peer.gateway import PATHS
from peer.names import PREFIXES, q
from peer.records import Patient
from peer.town import DOCUMENTS, HOME, REPOSITORY, RIVERSIDE, riverside

SOAP = "application/soap+xml; charset=UTF-8"


@dataclass(frozen=True)
class Row:
    file: str
    fact: str
    expected: tuple
    how: str = "as it is"
    note: str = field(default="", compare=False)

    @property
    def id(self):
        return f"{self.file} {self.how}"


def fault(subcode, code="Sender", status=400):
    return ("fault", status, code, subcode)


UNKNOWN_SENDER = fault("FailedAuthentication")
NO_SUCH_ACTION = fault("ActionNotSupported")
NOT_READ = fault("")
NO_SOAP = fault("", "VersionMismatch", 500)
FOUND, NOT_FOUND, TOO_WEAK = ("AA", "OK", 1), ("AA", "NF", 0), ("AE", "QE", 0)
FAILURE = names.FAILURE

XCPD = [
    Row("connect-adapter-async-req.xml", "§4.1: HCIDs agree, and are in the directory", UNKNOWN_SENDER),
    Row("connect-adapter-async-req.xml", "§2.3 case 1", FOUND, "to us"),
    Row("connect-maa.xml", "§2.3 case 1; §2.1 livingSubjectId 0..*", FOUND, "to us"),
    Row("connect-standard-pd.xml", "§4.1", UNKNOWN_SENDER),
    Row("connect-standard-pd.xml", "§2.3 case 1", FOUND, "to us"),
    Row("ipf-iti55-request.xml", "§4.1", UNKNOWN_SENDER),
    Row("ipf-iti55-request.xml", "§2.3 case 1", FOUND, "to us"),
    Row("ipf-iti55-request-deferred.xml", "§1.5: deferred is not offered", ("AE", "NS250"), "to us"),
    Row("ipf-iti56-plq-request.xml", "§7.4: another transaction", NO_SUCH_ACTION),
    Row("ipf-pdq-id-query.xml", "§2.1: an id alone suffices; §2.3 case 4", NOT_FOUND, "to us"),
    Row("ipf-pdq-query1.xml", "§2.3 case 1", FOUND, "to us"),
    Row("ipf-unused-global-namespace.xml", "§2.1 validity: name, birth time or id; §2.3 QE", TOO_WEAK, "to us"),
    Row("nist-15500-dob-gender-name.xml", "§2.1 birthTime: there is no 97th month", NOT_READ, "to us"),
    Row("nist-basicxcpd.xml", "§2.3 case 1", FOUND, "to us"),
    Row("nist-findpatient-xca.xml", "§2.3 case 1; comments and indentation are nothing", FOUND, "to us"),
]

RETRIEVES = [
    Row("connect-ondemand.xml", "§3.4: not our community", (FAILURE, ("XDSUnknownCommunity",))),
    Row("connect-ondemand.xml", "§3.6: no such document", (FAILURE, ("XDSDocumentUniqueIdError",)), "to us"),
    Row("connect-two-documents.xml", "§3.4", (FAILURE, ("XDSUnknownCommunity",) * 2)),
    Row("connect-two-documents.xml", "§3.6, an error a document", (FAILURE, ("XDSDocumentUniqueIdError",) * 2), "to us"),
    Row("nist-12028.xml", "§3.8: HomeCommunityId is required in ITI-39", (FAILURE, ("XDSMissingHomeCommunityId",))),
    Row("nist-ret-req.xml", "§3.8", (FAILURE, ("XDSMissingHomeCommunityId",) * 2), note="ITI-43's payload as ITI-39"),
    Row("nist-xcr-req.xml", "§3.4", (FAILURE, ("XDSUnknownCommunity",) * 2)),
    Row("nist-xcr-req.xml", "§3.6", (FAILURE, ("XDSDocumentUniqueIdError",) * 2), "to us"),
    Row("connect-saml-header-diff-order.xml", "§3.4", (FAILURE, ("XDSUnknownCommunity",))),
    Row("../../../negative/nist-12312-retrieve-missing-home.xml", "§3.4", (FAILURE, ("XDSMissingHomeCommunityId",))),
]

# What is a whole message travels as the bytes it is.
WHOLE = [
    Row("xca/retrieve/requests/nist-xcr-req.xml", "§1.3: no usable token", fault("InvalidSecurity")),
    Row("xca/retrieve/requests/nist-ret-req.xml", "§1.3: ITI-43 is not offered here", NO_SUCH_ACTION),
    Row("xca/retrieve/requests/connect-saml-header-diff-order.xml", "§4.3: an unknown signer",
        fault("InvalidSecurityToken")),
    Row("saml/metriport-valid-saml.xml", "§1.1: Body and wsa:Action agree; its payload is in another namespace",
        NO_SUCH_ACTION),
    Row("saml/nist-ws-trust-request.txt", "§1.3: no SOAP 1.2 that can be read", NOT_READ),
    Row("saml/connect-authframework.xml", "SOAP 1.2 §5.4.7: no Envelope", NO_SOAP),
    Row("saml/connect-complete-saml.xml", "SOAP 1.2 §5.4.7", NO_SOAP),
    Row("saml/ett-samlheaders.xml", "SOAP 1.2 §5.4.7", NO_SOAP),
    Row("saml/ipf-iti79-response.xml", "SOAP 1.2 §5.4.7", NO_SOAP),
    Row("saml/ipf-xua-security-header.xml", "SOAP 1.2 §5.4.7", NO_SOAP),
    Row("negative/basicaudit-qdi-saml-malformed.txt", "§1.3: malformed XML", NOT_READ),
    Row("negative/connect-fault-bad-code.xml", "§1.3: a Fault is no request", NOT_READ),
    Row("negative/connect-totalresultcount-question-mark.xml", "§1.3: no wsa:Action",
        fault("MessageAddressingHeaderRequired")),
    Row("negative/ett-bad-soap.xml", "§1.3: two Headers", NOT_READ),
    Row("negative/ett-bad-soap-body.xml", "§1.3: a Body in another namespace", NOT_READ),
    Row("negative/ett-missing-association.xml", "§1.4: xop:Include outside of a package", NOT_READ),
    Row("negative/ett-missing-direct-block.xml", "§1.4", NOT_READ),
    Row("negative/ett-missing-metadata-1.xml", "§1.4", NOT_READ),
    Row("negative/ett-missing-metadata-2.xml", "§1.4", NOT_READ),
    Row("negative/ett-missing-metadata-5.xml", "§1.4", NOT_READ),
    Row("negative/ipf-cda-xinclude.xml", "SOAP 1.2 §5.4.7; never included (X03)", NO_SOAP),
    Row("negative/ipf-cda-xxe.xml", "threats X00: no document type", NOT_READ),
    Row("negative/ipf-invalid-cda.xml", "SOAP 1.2 §5.4.7", NO_SOAP),
    Row("negative/ipf-type-nons-wrong.xml", "SOAP 1.2 §5.4.7", NO_SOAP),
    Row("negative/metriport-cda-no-declaration.xml", "SOAP 1.2 §5.4.7", NO_SOAP),
    Row("negative/metriport-commented-declaration.txt", "SOAP 1.2 §5.4.7", NO_SOAP),
    Row("negative/nist-pnr-assoc-to-self.xml", "SOAP 1.2 §5.4.7", NO_SOAP),
    Row("negative/nist-pnr-element-order.xml", "SOAP 1.2 §5.4.7", NO_SOAP),
    Row("negative/nist-regresp-fail-noerr.xml", "SOAP 1.2 §5.4.7", NO_SOAP),
    Row("negative/nist-soap-body-before-header.xml", "§1.3: Body before Header", NOT_READ),
    Row("negative/nist-soap-noaction.xml", "§1.2: wsa:Action exactly once", fault("MessageAddressingHeaderRequired")),
    Row("negative/nist-sq-resp-no-objecttype.xml", "SOAP 1.2 §5.4.7", NO_SOAP),
    Row("negative/nist-sq-resp-nostat-objectref.xml", "SOAP 1.2 §5.4.7", NO_SOAP),
    Row("negative/wss4j-recursive-dtd.xml", "threats X02: no document type", NOT_READ),
]

# Packages of ITI-41, which is not offered: that this is what is said shows that they were read.
PACKAGES = [
    Row("ett-sample-request.txt", "§1.4; §1.1: ITI-41 is not offered", NO_SUCH_ACTION, "with CRLF"),
    Row("nist-http-mtom-pnr.txt", "§1.4: blanks after the boundary", NO_SUCH_ACTION, "with LF"),
    Row("nist-http-mtom-pnr.txt", "§1.4", NO_SUCH_ACTION, "with CRLF"),
    Row("nist-multipart-body.txt", "§1.4", NO_SUCH_ACTION, "with CRLF"),
    Row("nist-multipart-body.txt", "§1.4: LF line ends", NO_SUCH_ACTION, "with LF"),
    Row("nist-pnrxop-noxop.txt", "§1.4: the document inline in a package", NO_SUCH_ACTION, "with CRLF"),
    Row("nist-pnrxop-xop.txt", "§1.4", NO_SUCH_ACTION, "with CRLF"),
    Row("nist-socket-request.txt", "§1.4", NO_SUCH_ACTION, "with CRLF"),
]

# A message of Riverside whose security header, or whose assertion, is the sample's.
TOKENS = [
    Row("ett-samlheaders.xml", "§4.4: signed by a key nobody here knows", ("fault", 400, "Sender"), "as the header"),
    Row("ipf-xua-security-header.xml", "§4.3: no Timestamp, no message signature", fault("InvalidSecurity"),
        "as the header"),
    Row("connect-authframework.xml", "§4.3: its digest no longer matches, its key is unknown", ("fault", 400, "Sender"),
        "as the assertion"),
    Row("connect-complete-saml.xml", "§4.3: an assertion without signature", fault("InvalidSecurity"),
        "as the assertion"),
]


def said(answer):
    """The answer in the words of the tables."""
    if answer.fault is not None:
        return ("fault", answer.status, answer.fault.code, answer.fault.subcode)
    assert answer.status == 200
    if (refusal := answer.find(".//hl7:MCCI_IN000002UV01")) is not None:
        return tuple(refusal.find(f".//hl7:{path}", PREFIXES).get("code")
                     for path in ("acknowledgement/hl7:typeCode", "acknowledgementDetail/hl7:code"))
    if answer.find(".//hl7:PRPA_IN201306UV02") is not None:
        found = answer.discovery
        return found.acknowledgement, found.query_response, len(found.matches)
    return answer.retrieve.status, tuple(error.code for error in answer.retrieve.errors)


def asked_for(root):
    """The patient a query describes, or None."""
    def value(path, attribute=None):
        found = root.find(f".//hl7:parameterList/hl7:{path}", PREFIXES)
        return None if found is None else found.get(attribute) if attribute else (found.text or "").strip()
    family, given = value("livingSubjectName/hl7:value/hl7:family"), value("livingSubjectName/hl7:value/hl7:given")
    birth = value("livingSubjectBirthTime/hl7:value", "value")
    gender = value("livingSubjectAdministrativeGender/hl7:value", "code")
    if not (family and given and birth and len(birth) >= 8 and 1 <= int(birth[4:6]) <= 12):
        return None
    lines = [node.text or "" for node in root.iterfind(".//hl7:patientAddress//hl7:streetAddressLine", PREFIXES)]
    place = {key: value(f"patientAddress/hl7:value/hl7:{name}") for key, name in
             (("city", "city"), ("state", "state"), ("postal_code", "postalCode"))}
    telephone = value("patientTelecom/hl7:value", "value")
    return Patient("S-" + birth, family, given, gender if gender in ("M", "F") else "M", birth[:8],
                   **({"street": lines[0]} if lines and lines[0] else {}), **{k: v for k, v in place.items() if v},
                   **({"telephone": telephone.removeprefix("tel:")} if telephone else {}))


def renamed(root):
    """The payload with Riverside and us in place of the organizations it names."""
    for party, home in (("sender", RIVERSIDE), ("receiver", HOME)):
        for node in root.iterfind(f"hl7:{party}//hl7:id", PREFIXES):
            node.attrib.pop("extension", None)
            node.set("root", home)
    for name, text in (("HomeCommunityId", f"urn:oid:{HOME}"), ("RepositoryUniqueId", REPOSITORY)):
        for node in root.iter(q("xds:" + name)):
            node.text = text
    return root


@pytest.fixture(scope="module")
def others(found_town, shared):
    """A town in which the patients live whom the samples ask for."""
    town = found_town("town-of-others")
    patients = {}
    for row in XCPD:
        patient = asked_for(etree.parse(str(shared / "samples/xcpd/requests" / row.file), NO_NETWORK).getroot())
        if patient is not None and row.expected == FOUND:
            patients[patient.family, patient.given, patient.birth] = patient
    town.enter(*(patient.but(mrn=f"S-{number}") for number, patient in enumerate(patients.values())))
    return town


def payload_of(path):
    root = etree.parse(str(path), NO_NETWORK).getroot()
    return root.find(q("soap:Body"))[0] if root.tag == q("soap:Envelope") else root


def check(town, row, answer, mark, audited=True):
    got = said(answer)
    assert got[:len(row.expected)] == row.expected, f"{row.fact}: {got}"
    assert judges.schema_complaints(answer) == {}
    events = [event for event in town.gateway.audit_since(mark) if event["outcome"] not in ("sent", "aborted")]
    assert len(events) == 1 or not audited, events
    assert town.ask(town.find_documents(DOCUMENTS[0].patient)).query.status == names.SUCCESS, "others are served"


def ids(rows):
    return [row.id for row in rows]


@pytest.mark.parametrize("row", XCPD, ids=ids(XCPD))
def test_patient_discovery(others, shared, row):
    root = payload_of(shared / "samples/xcpd/requests" / row.file)
    action = names.DEFERRED_PATIENT_DISCOVERY if "deferred" in row.file else names.PATIENT_DISCOVERY
    message = others.sender().message(action, renamed(root) if row.how == "to us" else root)
    mark = others.gateway.audit_mark()
    check(others, row, others.ask(message, path=PATHS["ITI-55"]), mark)


@pytest.mark.parametrize("row", RETRIEVES, ids=ids(RETRIEVES))
@pytest.mark.parametrize("as_mtom", [True, False], ids=["MTOM", "plain"])
def test_retrieve(others, shared, row, as_mtom):
    root = payload_of(shared / "samples/xca/retrieve/requests" / row.file)
    message = others.sender().message(names.CROSS_GATEWAY_RETRIEVE, renamed(root) if row.how == "to us" else root,
                                      as_mtom=as_mtom)
    mark = others.gateway.audit_mark()
    answer = others.ask(message, path=PATHS["ITI-39"])
    assert answer.is_mtom == as_mtom
    check(others, row, answer, mark)


@pytest.mark.parametrize("row", WHOLE, ids=ids(WHOLE))
def test_a_whole_message(others, shared, row):
    mark = others.gateway.audit_mark()
    answer = others.gateway.send((SOAP, (shared / "samples" / row.file).read_bytes()), riverside().tls)
    check(others, row, answer, mark, audited=False)  # refusals before a look-up may be counted by the minute


@pytest.mark.parametrize("row", PACKAGES, ids=ids(PACKAGES))
def test_a_package(others, shared, row):
    data = (shared / "samples/mtom" / row.file).read_bytes().replace(b"\r\n", b"\n")
    content_type = None
    if data.startswith(b"POST "):
        head, _, data = data.partition(b"\n\n")
        fields = dict(line.split(b":", 1) for line in head.split(b"\n")[1:])
        content_type = next(value for name, value in fields.items() if name.lower() == b"content-type").decode().strip()
    else:
        boundary = data.split(b"\n", 1)[0].strip().removeprefix(b"--").decode()
        content_type = f'multipart/related; boundary="{boundary}"; type="application/xop+xml"'
    if row.how == "with CRLF":
        data = data.replace(b"\n", b"\r\n")
    mark = others.gateway.audit_mark()
    answer = others.gateway.send((content_type, data), riverside().tls)
    check(others, row, answer, mark, audited=False)


@pytest.mark.parametrize("row", TOKENS, ids=ids(TOKENS))
def test_a_token(others, shared, row):
    sample = etree.parse(str(shared / "samples/saml" / row.file), NO_NETWORK).getroot()

    def exchange(message):
        security = message.security
        if row.how == "as the header":
            security.getparent().replace(security, sample)
        else:
            security.replace(message.assertion, sample)
    message = others.find_documents(DOCUMENTS[0].patient).altered(exchange)
    mark = others.gateway.audit_mark()
    check(others, row, others.ask(message), mark, audited=False)


def test_every_file_of_these_folders_has_a_row(shared):
    samples = shared / "samples"
    queries = {"connect-empty-patientid-value.xml", "connect-invalid-creationtimeto.xml", "connect-no-query-id.xml",
               "connect-unknown-stored-query.xml", "nist-15815-unknown-community.xml"}  # the table of stored queries
    assert {row.file for row in XCPD} == {path.name for path in (samples / "xcpd/requests").iterdir()}
    assert {row.file for row in RETRIEVES if ".." not in row.file} == {
        path.name for path in (samples / "xca/retrieve/requests").iterdir()}
    assert {row.file for row in PACKAGES} == {path.name for path in (samples / "mtom").iterdir()}
    whole = {row.file for row in WHOLE} | {row.file.removeprefix("../../../") for row in RETRIEVES}
    for folder in ("saml", "negative"):
        files = {f"{folder}/{path.name}" for path in (samples / folder).iterdir()
                 if path.suffix != ".pem" and path.name not in queries}
        assert files <= whole, files - whole
