"""Submissions of metadata without documents, as an ebRIM 3.0 SubmitObjectsRequest. [ITI TF-3 §4.2]"""

import uuid
from dataclasses import dataclass, field
from xml.sax.saxutils import quoteattr

from .messages import cx
from .names import ON_DEMAND, RIM, STABLE

LCM = "urn:oasis:names:tc:ebxml-regrep:xsd:lcm:3.0"
HAS_MEMBER = "urn:oasis:names:tc:ebxml-regrep:AssociationType:HasMember"
REPLACES = "urn:ihe:iti:2007:AssociationType:RPLC"
APPENDS = "urn:ihe:iti:2007:AssociationType:APND"
_UUIDS = uuid.UUID("0d2c4f58-3b0f-4d39-9d5e-0a4b7f6a2c11")

CONFIDENTIALITY = "urn:uuid:f4f85eac-e6cb-4883-b524-f2705394840f"
CODES = {"urn:uuid:41a5887f-8865-4c09-adf7-e362475b143a": "class", CONFIDENTIALITY: "N",
         "urn:uuid:a09d5840-386c-46f2-b5ad-9c3699a4309d": "format",
         "urn:uuid:f33fb8ac-18af-42cc-ae0e-ed0b0bdb91e1": "facility",
         "urn:uuid:cccf5598-8b07-4b77-a05e-ae952c785ead": "practice",
         "urn:uuid:f0306f51-975f-434e-a61c-c59651d33983": "type"}


def entry_uuid(name):
    return f"urn:uuid:{uuid.uuid5(_UUIDS, name)}"


def _slot(name, *values):
    return f'<rim:Slot name="{name}"><rim:ValueList>' + "".join(
        f"<rim:Value>{value.replace('&', '&amp;')}</rim:Value>" for value in values) + "</rim:ValueList></rim:Slot>"


def _code(owner, scheme, code):
    system = "2.16.840.1.113883.5.25" if scheme == CONFIDENTIALITY else "2.999.70"
    return (f'<rim:Classification id="{entry_uuid(owner + scheme)}" classifiedObject="{owner}" '
            f'classificationScheme="{scheme}" nodeRepresentation="{code}">{_slot("codingScheme", system)}'
            f'<rim:Name><rim:LocalizedString value="{code}"/></rim:Name></rim:Classification>')


def _node(owner, node):
    return (f'<rim:Classification id="{entry_uuid(owner + node)}" classifiedObject="{owner}" '
            f'classificationNode="{node}"/>')


def _identifier(owner, scheme, name, value):
    return (f'<rim:ExternalIdentifier id="{entry_uuid(owner + scheme)}" registryObject="{owner}" '
            f'identificationScheme="{scheme}" value={quoteattr(value)}><rim:Name><rim:LocalizedString value="{name}"/>'
            "</rim:Name></rim:ExternalIdentifier>")


@dataclass
class Submission:
    """What is submitted for one patient. Names become UUIDs and unique ids: `name` is the set's."""
    patient: object
    authority: str
    name: str
    objects: list = field(default_factory=list)

    def __post_init__(self):
        owner = entry_uuid(self.name)
        self.objects.append(
            f'<rim:RegistryPackage id="{owner}">{_slot("submissionTime", "20260102030405")}'
            f'<rim:Name><rim:LocalizedString value="Submission {self.name}"/></rim:Name>'
            + _code(owner, "urn:uuid:aa543740-bdda-424e-8c96-df4873be8500", "content")
            + _node(owner, "urn:uuid:a54d6aa5-d40d-43f9-88c5-b4633d873bdd")
            + self._identifiers(owner, "SubmissionSet", "urn:uuid:6b5aea1a-874d-4603-a4bc-96a0a7b38446",
                                "urn:uuid:96fdda7c-d067-4183-912e-bf5ee74998a8", self.name)
            + _identifier(owner, "urn:uuid:554ac39e-e3fe-47fe-b233-965d2a147832", "XDSSubmissionSet.sourceId",
                          "2.999.70.1") + "</rim:RegistryPackage>")

    def _identifiers(self, owner, kind, patient_scheme, unique_scheme, name):
        return (_identifier(owner, patient_scheme, f"XDS{kind}.patientId", cx(self.patient.mrn, self.authority))
                + _identifier(owner, unique_scheme, f"XDS{kind}.uniqueId", unique_id(name)))

    def relate(self, source, target, kind=HAS_MEMBER):
        """Between names; also of objects submitted earlier."""
        name = association(source, target)
        self.objects.append(f'<rim:Association id="{entry_uuid(name)}" associationType="{kind}" '
                            f'sourceObject="{entry_uuid(source)}" targetObject="{entry_uuid(target)}"/>')
        return self

    def document(self, name, on_demand=False, references=()):
        owner = entry_uuid(name)
        of_stable = [] if on_demand else [_slot("creationTime", "20260101"), _slot("size", "36"),
                                          _slot("hash", "da39a3ee5e6b4b0d3255bfef95601890afd80709")]
        self.objects.append(
            f'<rim:ExtrinsicObject id="{owner}" mimeType="text/xml" objectType="{ON_DEMAND if on_demand else STABLE}">'
            + "".join(of_stable) + _slot("languageCode", "en-US")
            + _slot("sourcePatientId", cx(self.patient.mrn, self.authority))
            + (_slot("urn:ihe:iti:xds:2013:referenceIdList", *references) if references else "")
            + f'<rim:Name><rim:LocalizedString value="Document {name}"/></rim:Name>'
            + "".join(_code(owner, scheme, code) for scheme, code in CODES.items())
            + self._identifiers(owner, "DocumentEntry", "urn:uuid:58a6f841-87b3-4a3e-92fd-a8ffeff98427",
                                "urn:uuid:2e82c1f6-a085-4c72-9da3-8640a32e42ab", name) + "</rim:ExtrinsicObject>")
        return self.relate(self.name, name)

    def folder(self, name, *members):
        owner = entry_uuid(name)
        self.objects.append(
            f'<rim:RegistryPackage id="{owner}"><rim:Name><rim:LocalizedString value="Folder {name}"/></rim:Name>'
            + _code(owner, "urn:uuid:1ba97051-7806-41a8-a48b-8fce7af683c5", "knee")
            + _node(owner, "urn:uuid:d9d542f3-6cc4-48b6-8870-ea235fbc94c2")
            + self._identifiers(owner, "Folder", "urn:uuid:f64ffdf0-4b97-4e06-b79f-a52b38ec2f8a",
                                "urn:uuid:75df8f67-9973-4fbe-a900-df66cefecc5a", name) + "</rim:RegistryPackage>")
        self.relate(self.name, name)
        for member in members:
            self.relate(name, member).relate(self.name, association(name, member))
        return self

    def file(self):
        return (f'<lcm:SubmitObjectsRequest xmlns:lcm="{LCM}" xmlns:rim="{RIM}"><rim:RegistryObjectList>'
                + "".join(self.objects) + "</rim:RegistryObjectList></lcm:SubmitObjectsRequest>").encode()


def unique_id(name):
    return f"2.25.{uuid.uuid5(_UUIDS, name).int}"


def association(source, target):
    """The name of the association between two names."""
    return f"{source}>{target}"
