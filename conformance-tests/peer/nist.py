"""The stored queries of the NIST XDS Toolkit with their known answers, as they are and permuted: every id, code, name
and date replaced by another, the same one everywhere, so that no answer can be known by heart."""

import csv
import datetime
import re
import uuid
from dataclasses import dataclass

from lxml import etree

from .judges import SHARED
from .names import PREFIXES
from .records import Patient
from .submissions import CONFIDENTIALITY

FOLDER = SHARED / "samples" / "nist-stored-query"
AUTHORITY = "1.3.6.1.4.1.21367.2005.3.7"
OBJECTS = ("ExtrinsicObject", "RegistryPackage", "Association")
TIME_SLOTS = re.compile(r"Time(From|To)?$")
NAME_SLOTS = re.compile(r"authorPerson|AuthorPerson|authorInstitution|authorRole|authorSpecialty")
OID = re.compile(r"\b[012](?:\.\d+){5,}\b")
CODE = re.compile(r"'([^'^]*)\^\^([^'^]*)'")
PATIENTS = ("P12346", "P12374")


@dataclass(frozen=True)
class Row:
    """One query with what it is to be answered."""
    file: str
    return_type: str
    status: str
    error: str      # empty where any code will do, or none
    counts: dict    # Documents, SubmissionSets, Folders, Associations, ObjectRefs
    objects: tuple  # entry UUIDs


def rows():
    ids = {(f"P{row['patient']}:" if row["patient"] != "1" else "") + f"{row['section']}/{row['object']}":
           row["entryUUID"] for row in _table("ids.tsv")}
    found = []
    for row in _table("expected.tsv"):
        counts = dict(pair.split("=") for pair in row["expectedCounts"].split() if "=" in pair)
        objects = [] if row["expectedObjects"] == "-" else row["expectedObjects"].split()
        found.append(Row(row["query"], row["returnType"], row["status"], row["errorCode"].strip("-"),
                         {kind: int(number) for kind, number in counts.items()}, tuple(ids[name] for name in objects)))
    return found


def _table(name):
    with (FOLDER / name).open() as file:
        return list(csv.DictReader(file, delimiter="\t"))


def submissions():
    """Parsed SubmitObjectsRequests, in the order in which they are to be loaded."""
    return [etree.parse(str(path)).getroot() for path in sorted((FOLDER / "data").glob("*.xml"))]


def query(row, now):
    """The payload. `now` ends one query's range: its end is exclusive, so it lies a little ahead."""
    text = (FOLDER / "queries" / row.file).read_text().strip()
    for symbol, time in (("$now$", now + datetime.timedelta(minutes=5)), ("$lastyear$", now.replace(day=1, month=1)
                                                                          - datetime.timedelta(days=300))):
        text = text.replace(symbol, time.strftime("%Y%m%d%H%M%S"))
    return etree.fromstring(text.encode())


def patients(names=PATIENTS):
    return [Patient(name, f"Toolkit{number}", "Norbert", "M", f"195{number}0527") for number, name in enumerate(names)]


def confidentialities(roots):
    """(system, code) of every confidentiality in these messages."""
    return sorted({(node.findtext(".//{*}Value"), node.get("nodeRepresentation")) for root in roots
                   for node in root.iter("{*}Classification") if node.get("classificationScheme") == CONFIDENTIALITY})


class AsTheyAre:
    """The queries as NIST wrote them."""
    name = "as they are"
    authority, mrns = AUTHORITY, PATIENTS

    def tree(self, root):
        return root

    def id(self, entry_uuid):
        return entry_uuid


class Permuted:
    """A consistent renaming, drawn from `rng`."""
    name = "permuted"

    def __init__(self, rng):
        self._rng, self._known = rng, {}
        self._months = rng.randrange(-300, 120)
        self._uuids = {node.get("id"): f"urn:uuid:{uuid.UUID(int=rng.getrandbits(128), version=4)}"
                       for root in submissions() for node in root.iter(*(f"{{{PREFIXES['rim']}}}{n}" for n in OBJECTS))}
        self.authority = self._oid(AUTHORITY)
        self.mrns = tuple(self._word("id", mrn) for mrn in PATIENTS)

    def id(self, entry_uuid):
        return self._uuids.get(entry_uuid, entry_uuid)

    # -------------------------------------------- what becomes of each kind of text

    def _drawn(self, kind, text, draw):
        while (kind, text) not in self._known:
            fresh = draw()
            if fresh not in self._known.values():
                self._known[kind, text] = fresh
        return self._known[kind, text]

    def _oid(self, text):
        return self._drawn("oid", text, lambda: "2.999." + ".".join(str(self._rng.randrange(1, 10 ** 6))
                                                                    for _ in range(4)))

    def _word(self, kind, text):
        letters = "abcdefghijklmnopqrstuvwxyz"
        return self._drawn(kind, text, lambda: "".join(self._rng.choice(letters) for _ in range(10))) if text else ""

    def _time(self, text):
        if not re.fullmatch(r"\d{4,14}", text):
            return text
        text = text if len(text) > 4 else text + "01"
        months = int(text[:4]) * 12 + int(text[4:6]) - 1 + self._months
        return f"{months // 12:04}{months % 12 + 1:02}{text[6:]}"

    def _names(self, text):
        return re.sub(r"[A-Za-z]{3,}", lambda found: self._word("name", found.group()), text)

    def _codes(self, text):
        return CODE.sub(lambda found: f"'{self._word('code', found[1])}^^{self._oid(found[2]) if found[2] else ''}'",
                        text)

    def _ids(self, text):
        for old, new in self._uuids.items():
            text = text.replace(old, new)
        for old, new in zip(PATIENTS, self.mrns):
            text = text.replace(old + "^^^", new + "^^^")
        return OID.sub(lambda found: self._oid(found.group()), text)

    # -------------------------------------------- a whole message

    def tree(self, root):
        for slot in root.iter("{*}Slot"):
            for value in slot.iter("{*}Value"):
                value.text = self._value(slot.get("name"), value.text)
        for node in root.iter(etree.Element):
            for name in ("id", "classifiedObject", "registryObject", "sourceObject", "targetObject"):
                if node.get(name):
                    node.set(name, self._ids(node.get(name)))
            if node.tag.endswith("ExternalIdentifier"):
                node.set("value", self._ids(node.get("value")))
            if node.get("nodeRepresentation"):
                node.set("nodeRepresentation", self._word("code", node.get("nodeRepresentation")))
            if node.tag.endswith("LocalizedString"):
                node.set("value", self._names(node.get("value")))
        return root

    def _value(self, slot, text):
        if "astUpdateTime" in slot:
            return text  # the registry's own clock says it
        if TIME_SLOTS.search(slot):
            return self._time(text)
        if NAME_SLOTS.search(slot):
            return self._names(text)
        if slot == "codingScheme":
            return self._oid(text)
        return self._codes(text) if "^^" in text and "^^^" not in text else self._ids(text)
