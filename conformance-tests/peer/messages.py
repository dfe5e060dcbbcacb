"""Requests of ITI-55, ITI-38 and ITI-39 with WS-Security and SAML, every field a parameter.

A `Sender` is an organization that asks. It makes `Message`s: signed envelopes whose tree may still be altered before
they are sent, which is how attacks are written. [ITI TF-2 §3.55, §3.38, §3.39, §3.40; facts of SAML 2.0 and WSS 1.1]
"""

import copy
import datetime
import uuid
from dataclasses import dataclass, field, replace
from xml.sax.saxutils import escape, quoteattr

from lxml import etree

from . import mtom, names, signing
from .names import NHIN_PURPOSES, PREFIXES, q
from .signing import ENVELOPED, EXC_C14N, Form, Reference

# What the production client writes into every message it ever sends: no replay rule may be keyed on these.
CONSTANT_ASSERTION_ID = "TS_3e57269d-075d-4d3f-9f5d-c97ad6afc009"
CONSTANT_TIMESTAMP_ID = "TS-7c229e85-d62b-471e-9112-a49d1c365004"

HOLDER_OF_KEY = "urn:oasis:names:tc:SAML:2.0:cm:holder-of-key"
BEARER = "urn:oasis:names:tc:SAML:2.0:cm:bearer"
SENDER_VOUCHES = "urn:oasis:names:tc:SAML:2.0:cm:sender-vouches"
X509_SUBJECT_NAME = "urn:oasis:names:tc:SAML:1.1:nameid-format:X509SubjectName"
EMAIL_ADDRESS = "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress"
URI_NAME_FORMAT = "urn:oasis:names:tc:SAML:2.0:attrname-format:uri"
SOAP_XML = "application/soap+xml; charset=UTF-8"


def fresh():
    return f"urn:uuid:{uuid.uuid4()}"


def instant(moment):
    """`2026-11-21T19:30:04.926Z`"""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def bare(oid):
    return oid.removeprefix("urn:oid:")


# ---------------------------------------------------------------- SAML

@dataclass(frozen=True)
class Token:
    """The values of a SAML assertion. `purposes` are pairs (code system, code); None leaves an attribute out."""
    home: str
    organization: str = "Riverside Hospital"
    user: str = "Jennifer Parker"
    issuer: str = "security@riverside.example"
    issuer_format: str = EMAIL_ADDRESS
    name_id: str = "CN=gateway.riverside.example,OU=CAREQUALITY,O=Riverside Hospital,C=US"
    role: tuple = ("2.16.840.1.113883.6.96", "46255001")
    purposes: tuple = ((NHIN_PURPOSES, "TREATMENT"),)
    purpose_element: str = "PurposeOfUse"
    audience: str | None = None
    confirmation: str = HOLDER_OF_KEY
    grantor: str | None = None
    resource_id: str | None = None
    references: tuple = ()
    id: str | None = None

    def but(self, **changes):
        return replace(self, **changes)

    def asking_for(self, *codes):
        return replace(self, purposes=tuple((NHIN_PURPOSES, code) for code in codes))


def _attribute(name, value):
    return (f'<saml2:Attribute Name="{name}" NameFormat="{URI_NAME_FORMAT}">'
            f"<saml2:AttributeValue>{value}</saml2:AttributeValue></saml2:Attribute>")


def _coded(element, system, code):
    return (f'<hl7:{element} xmlns:hl7="urn:hl7-org:v3" xsi:type="hl7:CE" code={quoteattr(code)} '
            f"codeSystem={quoteattr(system)}/>")


def _attributes(token):
    xspa = "urn:oasis:names:tc:xspa:1.0:subject:"
    rows = [(xspa + "subject-id", escape(token.user)), (xspa + "organization", escape(token.organization)),
            (xspa + "organization-id", f"urn:oid:{bare(token.home)}"),
            ("urn:nhin:names:saml:homeCommunityId", f"urn:oid:{bare(token.home)}"),
            ("urn:oasis:names:tc:xacml:2.0:subject:role", _coded("Role", *token.role))]
    rows += [(xspa + "purposeofuse", _coded(token.purpose_element, *pair)) for pair in token.purposes]
    if token.grantor:
        rows.append(("QueryAuthGrantor", escape(token.grantor)))
    if token.resource_id:
        rows.append(("urn:oasis:names:tc:xacml:2.0:resource:resource-id", escape(token.resource_id)))
    rows += [("urn:ihe:iti:xua:2012:acp", escape(reference)) for reference in token.references]
    return "".join(_attribute(name, value) for name, value in rows)


def write_assertion(token, created, expires, subject):
    """An unsigned assertion. @param subject  credential whose key confirms the subject"""
    audience = (f"<saml2:AudienceRestriction><saml2:Audience>{escape(token.audience)}</saml2:Audience>"
                "</saml2:AudienceRestriction>") if token.audience else ""
    node = etree.fromstring(f"""<saml2:Assertion xmlns:saml2="{names.SAML}" xmlns:xsi="{names.XSI}" \
ID="{token.id or '_' + str(uuid.uuid4())}" IssueInstant="{instant(created)}" Version="2.0">\
<saml2:Issuer Format="{token.issuer_format}">{escape(token.issuer)}</saml2:Issuer>\
<saml2:Subject><saml2:NameID Format="{X509_SUBJECT_NAME}">{escape(token.name_id)}\
</saml2:NameID><saml2:SubjectConfirmation Method="{token.confirmation}"><saml2:SubjectConfirmationData/>\
</saml2:SubjectConfirmation></saml2:Subject>\
<saml2:Conditions NotBefore="{instant(created)}" NotOnOrAfter="{instant(expires)}">{audience}</saml2:Conditions>\
<saml2:AuthnStatement AuthnInstant="{instant(created)}"><saml2:AuthnContext>\
<saml2:AuthnContextClassRef>urn:oasis:names:tc:SAML:2.0:ac:classes:X509</saml2:AuthnContextClassRef>\
</saml2:AuthnContext></saml2:AuthnStatement>\
<saml2:AttributeStatement>{_attributes(token)}</saml2:AttributeStatement></saml2:Assertion>""")
    if token.confirmation == HOLDER_OF_KEY:
        signing.certificate_key_info(subject)(node.find(".//" + q("saml2:SubjectConfirmationData")))
    if token.confirmation == BEARER:
        node.find(".//" + q("saml2:SubjectConfirmationData")).set("NotOnOrAfter", instant(expires))
    return node


# ---------------------------------------------------------------- signing

def enveloped_reference(assertion):
    return [Reference("#" + assertion.get("ID"), assertion, (ENVELOPED, EXC_C14N))]


def timestamp_reference(timestamp):
    return [Reference("#" + timestamp.get(q("wsu:Id")), timestamp, (EXC_C14N,))]


def covering(*paths, **changes):
    """References to the Timestamp and to what these paths find in the Envelope, in this order; what has no id gets
    one. @param changes  of every reference but the Timestamp's"""
    def references(timestamp):
        found = timestamp_reference(timestamp)
        for path in paths:
            element = timestamp.getroottree().getroot().find(path, PREFIXES)
            name = element.get("ID") or element.get(q("wsu:Id")) or f"id-{len(found)}"
            if not element.get("ID"):
                element.set(q("wsu:Id"), name)
            found.append(replace(Reference("#" + name, element, (EXC_C14N,)), **changes))
        return found
    return references


ADDRESSING = ("soap:Header/wsa:To", "soap:Header/wsa:Action", "soap:Header/wsa:MessageID", "soap:Header/wsa:ReplyTo")


@dataclass(frozen=True)
class Signing:
    """Who signs what, and how. `message` and `subject` default to the assertion's signer: one key for all, as
    production clients have it. A form of None leaves that signature out."""
    assertion: object
    message: object = None
    subject: object = None
    assertion_form: Form | None = field(default_factory=Form)
    message_form: Form | None = field(default_factory=Form)
    assertion_references: object = enveloped_reference
    message_references: object = timestamp_reference

    def but(self, **changes):
        return replace(self, **changes)

    @property
    def message_credential(self):
        return self.message or self.assertion

    @property
    def subject_credential(self):
        return self.subject or self.message_credential


def sign_assertion(assertion, plan):
    form = plan.assertion_form
    if form is None:
        return
    if form.key_info is None:
        form = form.but(key_info=signing.certificate_key_info(plan.assertion))
    signing.write_signature(assertion, 1, plan.assertion_references(assertion), plan.assertion.key, form)


def sign_message(security, plan):
    form = plan.message_form
    if form is None:
        return
    if form.key_info is None:
        assertion = security.find(q("saml2:Assertion"))
        form = form.but(key_info=signing.assertion_key_info(assertion.get("ID")))
    references = plan.message_references(security.find(q("wsu:Timestamp")))
    signing.write_signature(security, len(security), references, plan.message_credential.key, form)


# ---------------------------------------------------------------- envelope

@dataclass(frozen=True)
class Frame:
    """The WS-Addressing and WS-Security values around a payload. `must_understand`: `qualified`, or `bare` as the
    production client errs."""
    action: str
    to: str
    created: datetime.datetime
    lifetime: datetime.timedelta = datetime.timedelta(minutes=20)
    message_id: str = field(default_factory=fresh)
    reply_to: str | None = names.ANONYMOUS
    fault_to: str | None = None
    must_understand: str = "qualified"
    timestamp_id: str = field(default_factory=lambda: "TS-" + str(uuid.uuid4()))


def _must_understand(frame):
    return {"qualified": ' soap:mustUnderstand="1"', "bare": ' mustUnderstand="1"', "": ""}[frame.must_understand]


def write_envelope(frame, payload, token, plan):
    """@return the root of a signed envelope"""
    expires = frame.created + frame.lifetime
    reply_to = "".join(f"<wsa:{name}><wsa:Address>{escape(address)}</wsa:Address></wsa:{name}>"
                       for name, address in (("ReplyTo", frame.reply_to), ("FaultTo", frame.fault_to)) if address)
    root = etree.fromstring(f"""<soap:Envelope xmlns:soap="{names.SOAP}" xmlns:wsa="{names.WSA}"><soap:Header>\
<wsa:To{_must_understand(frame)}>{escape(frame.to)}</wsa:To>\
<wsa:Action{_must_understand(frame)}>{frame.action}</wsa:Action>\
<wsa:MessageID>{frame.message_id}</wsa:MessageID>{reply_to}\
<wsse:Security xmlns:wsse="{names.WSSE}" xmlns:wsu="{names.WSU}"><wsu:Timestamp wsu:Id="{frame.timestamp_id}">\
<wsu:Created>{instant(frame.created)}</wsu:Created><wsu:Expires>{instant(expires)}</wsu:Expires></wsu:Timestamp>\
</wsse:Security></soap:Header><soap:Body/></soap:Envelope>""")
    security = root.find(".//" + q("wsse:Security"))
    assertion = write_assertion(token, frame.created, expires, plan.subject_credential)
    security.append(assertion)
    sign_assertion(assertion, plan)
    root.find(q("soap:Body")).append(payload)
    sign_message(security, plan)
    return root


class Message:
    """A message to send: its tree may be altered, its bytes are written when asked for.
    `parts` are further parts of its package: triples (content id, content type, bytes)."""

    def __init__(self, root, as_mtom=False, parts=()):
        self.root, self.as_mtom, self.parts = root, as_mtom, tuple(parts)

    def find(self, path):
        return self.root.find(path, PREFIXES)

    def text(self, path):
        return self.root.findtext(path, namespaces=PREFIXES)

    @property
    def message_id(self):
        return self.text(".//wsa:MessageID")

    @property
    def action(self):
        return self.text(".//wsa:Action")

    @property
    def security(self):
        return self.find(".//wsse:Security")

    @property
    def assertion(self):
        return self.find(".//wsse:Security/saml2:Assertion")

    @property
    def body(self):
        return self.find("soap:Body")

    def altered(self, change):
        """A copy on which `change(message)` was called."""
        twin = Message(copy.deepcopy(self.root), self.as_mtom, self.parts)
        change(twin)
        return twin

    def wire(self):
        """@return content type and bytes"""
        data = etree.tostring(self.root)
        return mtom.pack(data, parts=self.parts) if self.as_mtom else (SOAP_XML, data)


# ---------------------------------------------------------------- payloads

def _parameter(name, value, semantics):
    return f"<{name}>{value}<semanticsText>{semantics}</semanticsText></{name}>"


def _address(patient):
    return (f"<streetAddressLine>{escape(patient.street)}</streetAddressLine><city>{escape(patient.city)}</city>"
            f"<state>{patient.state}</state><postalCode>{patient.postal_code}</postalCode><country>US</country>")


def _demographics(patient):
    rows = [_parameter("livingSubjectAdministrativeGender",
                       f'<value code="{patient.gender}" codeSystem="2.16.840.1.113883.5.1"/>',
                       "LivingSubject.administrativeGender"),
            _parameter("livingSubjectBirthTime", f'<value value="{patient.birth}"/>', "LivingSubject.birthTime"),
            _parameter("livingSubjectName", f"<value><family>{escape(patient.family)}</family>"
                       f"<given>{escape(patient.given)}</given></value>", "LivingSubject.name")]
    if patient.street:
        rows.append(_parameter("patientAddress", f"<value>{_address(patient)}</value>", "Patient.addr"))
    if patient.telephone:
        rows.append(_parameter("patientTelecom", f'<value value="tel:{patient.telephone}"/>', "Patient.telecom"))
    return "".join(rows)


def _device(home):
    return (f'<device classCode="DEV" determinerCode="INSTANCE"><id root="{home}"/><asAgent classCode="AGNT">'
            f'<representedOrganization classCode="ORG" determinerCode="INSTANCE"><id root="{home}"/>'
            "</representedOrganization></asAgent></device>")


def patient_query(patient, sender_home, receiver_home, created, query_id=None, parameters=None, priority="I",
                  respond_to=None):
    """PRPA_IN201305UV02. @param parameters  XML text in place of the patient's demographics
    @param respond_to  the URL to which a deferred answer is wanted"""
    query_id = query_id or fresh()
    home = bare(sender_home)
    parameters = _demographics(patient) if parameters is None else parameters
    respond_to = "" if respond_to is None else (
        f'<respondTo typeCode="RSP"><telecom value="{respond_to}"/><entityRsp classCode="ENT" '
        f'determinerCode="INSTANCE" xmlns:xsi="{names.XSI}" xsi:nil="true"/></respondTo>')
    return etree.fromstring(f"""<PRPA_IN201305UV02 xmlns="{names.HL7}" ITSVersion="XML_1.0">\
<id root="{home}" extension="{query_id}"/><creationTime value="{created.strftime('%Y%m%d%H%M%S')}+0000"/>\
<interactionId root="2.16.840.1.113883.1.6" extension="PRPA_IN201305UV02"/><processingCode code="P"/>\
<processingModeCode code="T"/><acceptAckCode code="AL"/>\
<receiver typeCode="RCV">{_device(bare(receiver_home))}</receiver>{respond_to}\
<sender typeCode="SND">{_device(home)}</sender><controlActProcess classCode="CACT" moodCode="EVN">\
<code code="PRPA_TE201305UV02" codeSystem="2.16.840.1.113883.1.6"/><queryByParameter>\
<queryId root="{home}" extension="{query_id}"/><statusCode code="new"/><responseModalityCode code="R"/>\
<responsePriorityCode code="{priority}"/><parameterList>{parameters}</parameterList></queryByParameter>\
</controlActProcess></PRPA_IN201305UV02>""")


def _slot(name, values):
    return (f'<rim:Slot name="{name}"><rim:ValueList>'
            + "".join(f"<rim:Value>{escape(value)}</rim:Value>" for value in values) + "</rim:ValueList></rim:Slot>")


def stored_query(query_id, slots, home=None, return_type="LeafClass"):
    """AdhocQueryRequest. @param slots  name -> list of values, coded as stored queries want them"""
    at_home = f' home="{home}"' if home else ""
    return etree.fromstring(f"""<query:AdhocQueryRequest xmlns:query="{names.QUERY}" xmlns:rim="{names.RIM}">\
<query:ResponseOption returnType="{return_type}" returnComposedObjects="true"/>\
<rim:AdhocQuery id="{query_id}"{at_home}>{"".join(_slot(n, v) for n, v in slots.items())}</rim:AdhocQuery>\
</query:AdhocQueryRequest>""")


def cx(identifier, authority):
    return f"{identifier}^^^&{authority}&ISO"


def find_documents(patient_id, home=None, return_type="LeafClass", **slots):
    """@param patient_id  CX text. @param slots  further slots, names without `$XDSDocumentEntry`"""
    rows = {"$XDSDocumentEntryPatientId": [f"'{patient_id}'"], "$XDSDocumentEntryStatus": [f"('{names.APPROVED}')"]}
    rows |= {f"$XDSDocumentEntry{name}": values for name, values in slots.items()}
    return stored_query(names.FIND_DOCUMENTS, rows, home, return_type)


def retrieve_documents(requests):
    """RetrieveDocumentSetRequest. @param requests  triples (home, repository, unique id), as they are to be written"""
    rows = "".join(f"<xds:DocumentRequest><xds:HomeCommunityId>{escape(home)}</xds:HomeCommunityId>"
                   f"<xds:RepositoryUniqueId>{escape(repository)}</xds:RepositoryUniqueId>"
                   f"<xds:DocumentUniqueId>{escape(unique_id)}</xds:DocumentUniqueId></xds:DocumentRequest>"
                   for home, repository, unique_id in requests)
    return etree.fromstring(f'<xds:RetrieveDocumentSetRequest xmlns:xds="{names.XDS}">{rows}'
                            "</xds:RetrieveDocumentSetRequest>")


# ---------------------------------------------------------------- who asks

class Sender:
    """An organization that asks another home. `clock` gives the datetime (UTC) it writes.

    `constant_ids` makes it write like the production client: the same assertion ID and wsu:Id in every message, and
    mustUnderstand without the SOAP prefix."""

    def __init__(self, token, plan, to, receiver_home, clock=datetime.datetime.utcnow, constant_ids=False):
        self.token, self.plan, self.to, self.receiver_home = token, plan, to, receiver_home
        self.clock, self.constant_ids = clock, constant_ids

    def but(self, **changes):
        values = dict(token=self.token, plan=self.plan, to=self.to, receiver_home=self.receiver_home, clock=self.clock,
                      constant_ids=self.constant_ids)
        return Sender(**(values | changes))

    def asking_for(self, *codes):
        return self.but(token=self.token.asking_for(*codes))

    def message(self, action, payload, as_mtom=False, **frame):
        token = self.token
        if self.constant_ids:
            token = token.but(id=CONSTANT_ASSERTION_ID)
            frame = {"timestamp_id": CONSTANT_TIMESTAMP_ID, "must_understand": "bare"} | frame
        values = {"created": self.clock(), "to": self.to} | frame
        return Message(write_envelope(Frame(action=action, **values), payload, token, self.plan), as_mtom)

    def patient_discovery(self, patient, parameters=None, sender_home=None, priority="I", **frame):
        payload = patient_query(patient, sender_home or self.token.home, self.receiver_home, self.clock(),
                                parameters=parameters, priority=priority)
        return self.message(names.PATIENT_DISCOVERY, payload, **frame)

    def deferred_patient_discovery(self, patient, respond_to, priority="D", **frame):
        payload = patient_query(patient, self.token.home, self.receiver_home, self.clock(), priority=priority,
                                respond_to=respond_to)
        return self.message(names.DEFERRED_PATIENT_DISCOVERY, payload, **frame)

    def cross_gateway_query(self, payload, **frame):
        return self.message(names.CROSS_GATEWAY_QUERY, payload, **frame)

    def cross_gateway_retrieve(self, requests, as_mtom=True, **frame):
        return self.message(names.CROSS_GATEWAY_RETRIEVE, retrieve_documents(requests), as_mtom=as_mtom, **frame)


def resigned(root, credential):
    """A message of someone else, signed anew with our key and naming it: everything else as it was."""
    root = copy.deepcopy(root)
    security = root.find(".//" + q("wsse:Security"))
    assertion = security.find(q("saml2:Assertion"))
    for parent in (security, assertion):
        parent.remove(parent.find(q("ds:Signature")))
    confirmation = assertion.find(".//" + q("saml2:SubjectConfirmationData"))
    for key_info in confirmation.findall(q("ds:KeyInfo")):
        confirmation.remove(key_info)
    signing.certificate_key_info(credential)(confirmation)
    plan = Signing(credential)
    sign_assertion(assertion, plan)
    sign_message(security, plan)
    return root
