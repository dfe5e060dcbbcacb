"""What a gateway answered, read strictly: SOAP fault, PRPA_IN201306UV02, AdhocQueryResponse and
RetrieveDocumentSetResponse."""

import base64
from dataclasses import dataclass, field
from functools import cached_property
from urllib.parse import unquote

from lxml import etree

from . import mtom
from .names import PREFIXES, q

NO_NETWORK = etree.XMLParser(no_network=True, resolve_entities=False, huge_tree=True)


@dataclass(frozen=True)
class Fault:
    code: str      # local name: Sender, Receiver …
    subcode: str   # local name, empty for none
    reason: str


@dataclass(frozen=True)
class Match:
    root: str
    extension: str
    family: str
    given: tuple
    birth: str
    custodian: str
    degree: int


@dataclass(frozen=True)
class Discovery:
    """An ITI-55 answer. `problems` are the codes of its DetectedIssueEvents."""
    acknowledgement: str
    query_response: str
    matches: tuple
    problems: tuple


@dataclass(frozen=True)
class RegistryError:
    code: str
    context: str
    severity: str
    location: str


@dataclass(frozen=True)
class Entry:
    entry_uuid: str
    unique_id: str
    mime_type: str
    home: str
    repository: str
    size: int
    hash: str


@dataclass(frozen=True)
class Package:
    """A submission set or a folder."""
    entry_uuid: str
    unique_id: str
    home: str
    title: str


@dataclass(frozen=True)
class Association:
    entry_uuid: str
    type: str  # last part of its name
    source: str
    target: str
    home: str


@dataclass(frozen=True)
class QueryAnswer:
    status: str
    entries: tuple
    references: tuple  # ids of ObjectRefs
    errors: tuple
    sets: tuple = ()
    folders: tuple = ()
    associations: tuple = ()

    @property
    def is_empty(self):
        return not (self.entries or self.references or self.sets or self.folders or self.associations)


@dataclass(frozen=True)
class RetrievedDocument:
    home: str
    repository: str
    unique_id: str
    mime_type: str
    bytes: bytes


@dataclass(frozen=True)
class RetrieveAnswer:
    status: str
    documents: tuple
    errors: tuple


def _local(text):
    return (text or "").strip().rpartition(":")[2]


@dataclass
class Answer:
    """An HTTP answer and, where it is SOAP, its envelope."""
    status: int
    headers: dict
    body: bytes
    seconds: float = field(default=0.0, compare=False)

    @property
    def content_type(self):
        return self.headers.get("content-type", "")

    @property
    def is_mtom(self):
        return self.content_type.lower().startswith("multipart/related")

    @cached_property
    def parts(self):
        return mtom.unpack(self.content_type, self.body) if self.is_mtom else []

    @property
    def envelope(self):
        """The bytes of the SOAP envelope."""
        return self.parts[0].body if self.is_mtom else self.body

    @cached_property
    def root(self):
        return etree.fromstring(self.envelope, NO_NETWORK)

    def find(self, path):
        return self.root.find(path, PREFIXES)

    def findall(self, path):
        return self.root.findall(path, PREFIXES)

    def text(self, path):
        return (self.root.findtext(path, namespaces=PREFIXES) or "").strip()

    @property
    def relates_to(self):
        return self.text(".//wsa:RelatesTo")

    @property
    def action(self):
        return self.text(".//wsa:Action")

    @property
    def fault(self):
        node = self.find("soap:Body/soap:Fault")
        if node is None:
            return None
        return Fault(_local(node.findtext("soap:Code/soap:Value", namespaces=PREFIXES)),
                     _local(node.findtext("soap:Code/soap:Subcode/soap:Value", namespaces=PREFIXES)),
                     node.findtext("soap:Reason/soap:Text", namespaces=PREFIXES) or "")

    def _payload(self, path):
        node = self.find("soap:Body/" + path)
        if node is None:
            raise ValueError(f"HTTP {self.status} without {path}: {self.fault or self.body[:300]}")
        return node

    @property
    def discovery(self):
        node = self._payload("hl7:PRPA_IN201306UV02")
        act = node.find("hl7:controlActProcess", PREFIXES)
        events = act.findall("hl7:subject/hl7:registrationEvent", PREFIXES)
        problems = act.findall(".//hl7:detectedIssueManagement/hl7:code", PREFIXES)
        problems += act.findall(".//hl7:actOrderRequired/hl7:code", PREFIXES)
        return Discovery(node.find("hl7:acknowledgement/hl7:typeCode", PREFIXES).get("code"),
                         act.find("hl7:queryAck/hl7:queryResponseCode", PREFIXES).get("code"),
                         tuple(_match(event) for event in events), tuple(code.get("code") for code in problems))

    @property
    def query(self):
        node = self._payload("query:AdhocQueryResponse")
        listed = node.find("rim:RegistryObjectList", PREFIXES)
        return QueryAnswer(node.get("status"), tuple(map(_entry, listed.findall("rim:ExtrinsicObject", PREFIXES))),
                           tuple(ref.get("id") for ref in listed.findall("rim:ObjectRef", PREFIXES)), _errors(node),
                           _packages(listed, SET_NODE, SET_UNIQUE_ID), _packages(listed, FOLDER_NODE, FOLDER_UNIQUE_ID),
                           tuple(map(_association, listed.findall("rim:Association", PREFIXES))))

    @property
    def retrieve(self):
        node = self._payload("xds:RetrieveDocumentSetResponse")
        documents = node.findall("xds:DocumentResponse", PREFIXES)
        return RetrieveAnswer(node.find("rs:RegistryResponse", PREFIXES).get("status"),
                              tuple(self._document(document) for document in documents), _errors(node))

    def _document(self, node):
        def value(name):
            return node.findtext("xds:" + name, namespaces=PREFIXES) or ""
        return RetrievedDocument(value("HomeCommunityId"), value("RepositoryUniqueId"), value("DocumentUniqueId"),
                                 value("mimeType"), self._binary(node.find("xds:Document", PREFIXES)))

    def _binary(self, node):
        include = node.find("xop:Include", PREFIXES)
        if include is None:
            return base64.b64decode(node.text or "", validate=True)
        wanted = unquote(include.get("href").removeprefix("cid:"))
        found = [part.body for part in self.parts if part.content_id == wanted]
        if len(found) != 1:
            raise ValueError(f"{len(found)} parts bear the Content-ID {wanted}")
        return found[0]

    def with_inline_documents(self):
        """The envelope with every xop:Include replaced by base64: its infoset. [XOP §4]"""
        root = etree.fromstring(self.envelope, NO_NETWORK)
        for include in list(root.iter(q("xop:Include"))):
            document = include.getparent()
            data = self._binary(document)
            document.remove(include)
            document.text = base64.b64encode(data).decode()
        return etree.tostring(root)


def _match(event):
    patient = event.find("hl7:subject1/hl7:patient", PREFIXES)
    person = patient.find("hl7:patientPerson", PREFIXES)
    identifier = patient.find("hl7:id", PREFIXES)
    name = person.find("hl7:name", PREFIXES)
    birth = person.find("hl7:birthTime", PREFIXES)
    degree = patient.find("hl7:subjectOf1/hl7:queryMatchObservation/hl7:value", PREFIXES)
    return Match(identifier.get("root"), identifier.get("extension"),
                 name.findtext("hl7:family", namespaces=PREFIXES),
                 tuple(given.text for given in name.findall("hl7:given", PREFIXES)),
                 birth.get("value") if birth is not None else "",
                 event.find("hl7:custodian/hl7:assignedEntity/hl7:id", PREFIXES).get("root"), int(degree.get("value")))


SET_NODE, SET_UNIQUE_ID = ("urn:uuid:a54d6aa5-d40d-43f9-88c5-b4633d873bdd",
                           "urn:uuid:96fdda7c-d067-4183-912e-bf5ee74998a8")
FOLDER_NODE, FOLDER_UNIQUE_ID = ("urn:uuid:d9d542f3-6cc4-48b6-8870-ea235fbc94c2",
                                 "urn:uuid:75df8f67-9973-4fbe-a900-df66cefecc5a")


def _packages(listed, node, unique_id):
    found = listed.xpath(f"rim:RegistryPackage[rim:Classification/@classificationNode='{node}']", namespaces=PREFIXES)
    return tuple(Package(one.get("id"), one.xpath(f"string(rim:ExternalIdentifier[@identificationScheme='{unique_id}']"
                                                  "/@value)", namespaces=PREFIXES), one.get("home"),
                         one.xpath("string(rim:Name/rim:LocalizedString/@value)", namespaces=PREFIXES))
                 for one in found)


def _association(node):
    return Association(node.get("id"), _local(node.get("associationType")), node.get("sourceObject"),
                       node.get("targetObject"), node.get("home"))


def _slot(node, name):
    values = node.xpath(f"rim:Slot[@name='{name}']/rim:ValueList/rim:Value/text()", namespaces=PREFIXES)
    return values[0] if values else ""


def _entry(node):
    unique = node.xpath("rim:ExternalIdentifier[@identificationScheme="
                        "'urn:uuid:2e82c1f6-a085-4c72-9da3-8640a32e42ab']/@value", namespaces=PREFIXES)
    return Entry(node.get("id"), unique[0], node.get("mimeType"), node.get("home"), _slot(node, "repositoryUniqueId"),
                 int(_slot(node, "size") or 0), _slot(node, "hash"))


def _errors(node):
    return tuple(RegistryError(error.get("errorCode"), error.get("codeContext"), _local(error.get("severity")),
                               error.get("location", "")) for error in node.iter(q("rs:RegistryError")))
