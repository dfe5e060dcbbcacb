"""Checks of the schemas in xca/schema.

Two promises are tested. Every message shape that Gatehouse emits is accepted, and so is every
valid message of patient discovery, document query and retrieve among the samples. And whatever our
schemas accept, the official schemas accept too: ours are narrower, never wider.

The official schemas and the samples are not part of this repository. They are looked for in
$GATEHOUSE_SHARED, or in ../shared next to the repository; tests that need them are skipped
where they are absent.

Run: /usr/bin/python3 -m pytest conformance-tests/schema
"""

import copy
import os
import pathlib
import random
import shutil
import subprocess

import pytest
from lxml import etree

ROOT = pathlib.Path(__file__).resolve().parents[2]
SCHEMA = ROOT / "xca" / "schema"
EMITTED = ROOT / "conformance-tests" / "data" / "emitted"
SHARED = pathlib.Path(os.environ.get("GATEHOUSE_SHARED") or ROOT.parent / "shared")
OFFICIAL = SHARED / "schemas" / "drivers" / "soap-all.xsd"

SOAP = "http://www.w3.org/2003/05/soap-envelope"
HL7 = "urn:hl7-org:v3"
XDS = "urn:ihe:iti:xds-b:2007"
RIM = "urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0"
XOP = "http://www.w3.org/2004/08/xop/include"
XSI = "http://www.w3.org/2001/XMLSchema-instance"
WSSE = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"
WSA = "http://www.w3.org/2005/08/addressing"

MUTANTS_PER_MESSAGE = 40
XERCES_MUTANTS = 60

needs_official = pytest.mark.skipif(not OFFICIAL.is_file(), reason=f"no official schemas at {OFFICIAL}")

# Valid messages among the samples that our schemas refuse on purpose.
REFUSED = {
    "xca/faults/connect-fault-receiver.xml": "header block of WS-Addressing 2004/08",
    "xca/query/requests/connect-entityload.xml": "returnType RegistryObject: XCA knows LeafClass and ObjectRef",
    "xcpd/requests/ipf-iti56-plq-request.xml": "patient location query, another transaction",
    "xcpd/responses/ipf-iti56-plq-response.xml": "patient location query, another transaction",
}


# ---------------------------------------------------------------- helpers

def parser():
    return etree.XMLParser(no_network=True, resolve_entities=False, huge_tree=True)


@pytest.fixture(scope="session")
def ours():
    return etree.XMLSchema(etree.parse(str(SCHEMA / "gatehouse.xsd")))


@pytest.fixture(scope="session")
def official():
    if not OFFICIAL.is_file():
        pytest.skip(f"no official schemas at {OFFICIAL}")
    return etree.XMLSchema(etree.parse(str(OFFICIAL)))


def accepts(schema, data):
    """Parses anew each time: validation registers xs:ID values in the document."""
    return schema.validate(etree.fromstring(data, parser()))


def findings(schema, data):
    schema.validate(etree.fromstring(data, parser()))
    return [f"{e.line}: {e.message}" for e in schema.error_log]


def with_inline_documents(data):
    """xop:Include, or whatever text ours let pass, replaced by base64: official Document is base64Binary."""
    root = etree.fromstring(data, parser())
    for document in root.iter(f"{{{XDS}}}Document"):
        if all(child.tag == f"{{{XOP}}}Include" or not isinstance(child.tag, str) for child in document):
            tail, attributes = document.tail, dict(document.attrib)
            document.clear()
            document.tail, document.text = tail, "QUJD"
            document.attrib.update(attributes)
    return etree.tostring(root)


def emitted_files():
    return sorted(EMITTED.glob("*.xml"))


def sample_files():
    found = []
    for folder in ("xcpd", "xca"):
        found += [p for p in sorted((SHARED / "samples" / folder).rglob("*")) if p.suffix in (".xml", ".txt")]
    return found


def sample_name(path):
    return path.relative_to(SHARED / "samples").as_posix()


def valid_form(path, official):
    """The message if it is valid, else its SOAP body's payload if that is, else None."""
    data = path.read_bytes().strip()
    try:
        root = etree.fromstring(data, parser())
    except etree.XMLSyntaxError:
        return None
    if official.validate(root) or accepts(official, with_inline_documents(data)):
        return data
    body = root.find(f"{{{SOAP}}}Body")
    if body is not None and len(body) == 1:
        payload = etree.tostring(body[0], with_tail=False)
        if accepts(official, payload):
            return payload
    return None


def relation_breach(ours, official, data):
    """None if the relation holds for this message, else what the official schema says."""
    if not accepts(ours, data):
        return None
    inline = with_inline_documents(data)
    return None if accepts(official, inline) else findings(official, inline)[:3]


# ---------------------------------------------------------------- the schema files

@pytest.mark.parametrize("path", sorted(SCHEMA.glob("*.xsd")), ids=lambda p: p.name)
class TestSchemaFile:
    def test_loads_alone(self, path):
        etree.XMLSchema(etree.parse(str(path)))

    def test_xmllint_is_silent(self, path):
        if not shutil.which("xmllint"):
            pytest.skip("no xmllint")
        run = subprocess.run(["xmllint", "--nonet", "--noout", "--schema", str(path), "-"],
                             input=b"<x/>", capture_output=True)
        said = run.stderr.decode().splitlines()
        assert [line for line in said if "No matching global declaration" not in line] == ["- fails to validate"]

    def test_xerces_is_silent(self, path):
        if not shutil.which("SCMPrint"):
            pytest.skip("no Xerces SCMPrint (Debian package libxerces-c-samples)")
        run = subprocess.run(["SCMPrint", "-f", str(path)], capture_output=True)
        assert run.returncode == 0 and run.stderr == b""

    def test_house_rules(self, path):
        xs = "{http://www.w3.org/2001/XMLSchema}"
        root = etree.parse(str(path)).getroot()
        assert not list(root.iter(xs + "union", xs + "include", xs + "redefine"))
        for node in root.iter(etree.Element):
            assert "default" not in node.attrib and "fixed" not in node.attrib, node.sourceline
        for node in root.iter(xs + "import"):
            where = node.get("schemaLocation")
            assert "/" not in where and (SCHEMA / where).is_file()
            assert etree.parse(str(SCHEMA / where)).getroot().get("targetNamespace") == node.get("namespace")


# ---------------------------------------------------------------- what must be accepted

def test_every_shape_has_an_example():
    names = {p.stem for p in emitted_files()}
    assert names >= {"iti55-match", "iti55-no-match", "iti55-more-data", "iti55-error", "iti55-deferred-ack",
                     "iti38-success", "iti38-registry", "iti38-objectref", "iti38-empty", "iti38-failure",
                     "iti39-xop", "iti39-inline", "iti39-failure",
                     "fault", "fault-must-understand", "fault-version-mismatch"}


@pytest.mark.parametrize("path", emitted_files(), ids=lambda p: p.name)
class TestEmitted:
    def test_ours(self, ours, path):
        assert findings(ours, path.read_bytes()) == []

    def test_official(self, official, path):
        assert findings(official, with_inline_documents(path.read_bytes())) == []


def valid_samples():
    """The samples that the official schemas take: the others say nothing about ours."""
    if not OFFICIAL.is_file():
        return []
    schema = etree.XMLSchema(etree.parse(str(OFFICIAL)))
    return [path for path in sample_files() if valid_form(path, schema) is not None]


VALID = valid_samples()
TAKEN = [path for path in VALID if sample_name(path) not in REFUSED]


@needs_official
@pytest.mark.parametrize("path", VALID, ids=sample_name)
def test_valid_sample(ours, official, path):
    data = valid_form(path, official)
    if sample_name(path) in REFUSED:
        assert not accepts(ours, data), "no exception any more"
    else:
        assert findings(ours, data) == []


@needs_official
def test_exceptions_name_samples():
    assert set(REFUSED) <= {sample_name(p) for p in sample_files()}


# ---------------------------------------------------------------- what must be refused

def change(name, *edits):
    text = (EMITTED / name).read_text()
    for old, new in edits:
        assert old in text, old
        text = text.replace(old, new)
    return text.encode()


def cut(name, xpath):
    root = etree.fromstring((EMITTED / name).read_bytes(), parser())
    hits = root.xpath(xpath, namespaces={"h": HL7, "rim": RIM, "s": SOAP, "x": XDS, "wsse": WSSE})
    assert hits
    for hit in hits:
        hit.getparent().remove(hit)
    return etree.tostring(root)


FAULTY = {
    "subject typeCode SBJ": lambda: change("iti55-match.xml", ('subject typeCode="SUBJ"', 'subject typeCode="SBJ"')),
    "no degree of match": lambda: cut("iti55-match.xml", "//h:subjectOf1"),
    "no custodian": lambda: cut("iti55-match.xml", "//h:custodian"),
    "no acknowledgement": lambda: cut("iti55-match.xml", "//h:acknowledgement"),
    "no query repeated": lambda: cut("iti55-no-match.xml", "//h:queryByParameter"),
    "degree without type": lambda: change("iti55-match.xml", ('xsi:type="INT" value="97"', 'value="97"')),
    "degree of a wrong type": lambda: change("iti55-match.xml", ('xsi:type="INT" value="97"', 'xsi:type="ST" value="97"')),
    "type name of our own": lambda: change("iti55-match.xml", ('<birthTime value="19710814"/>',
                                                                 '<birthTime xsi:type="ts" value="19710814"/>')),
    "device without class": lambda: change("iti55-match.xml", ('<assignedDevice classCode="ASSIGNED">', "<assignedDevice>")),
    "root that is no OID": lambda: change("iti55-match.xml", ('root="2.999.10.7.1"', 'root="02.999"')),
    "time with dashes": lambda: change("iti55-match.xml", ('creationTime value="20260302150405+0000"',
                                                            'creationTime value="2026-03-02"')),
    "unknown null flavor": lambda: change("iti55-match.xml", ('nullFlavor="NA"', 'nullFlavor="?"')),
    "telecom after addr": lambda: change("iti55-match.xml", ("<maritalStatusCode", '<telecom value="tel:1"/><maritalStatusCode')),
    "wrong ITSVersion": lambda: change("iti55-match.xml", ('ITSVersion="XML_1.0"', 'ITSVersion="XML_1.1"')),
    "no object list": lambda: cut("iti38-empty.xml", "//rim:RegistryObjectList"),
    "failure without URN": lambda: change("iti38-failure.xml", ('status="urn:oasis:names:tc:ebxml-regrep:ResponseStatusType:Failure"',
                                                                  'status="Failure"')),
    "slot without list": lambda: cut("iti38-success.xml", "(//rim:ValueList)[1]"),
    "value too long": lambda: change("iti38-success.xml", ("<rim:Value>en-US", "<rim:Value>" + "x" * 257)),
    "two includes": lambda: change("iti39-xop.xml", ("<xop:Include", '<xop:Include xmlns:xop="' + XOP + '" href="cid:a"/><xop:Include')),
    "include without href": lambda: change("iti39-xop.xml", (' href="cid:1.88231@gateway.example"', "")),
    "no mime type": lambda: cut("iti39-inline.xml", "//x:mimeType"),
    "unknown fault code": lambda: change("fault.xml", ("soap12:Sender", "soap12:Client")),
    "fault code of another namespace": lambda: change("fault.xml", ("soap12:Sender", "wsa:Sender")),
    "unbound subcode prefix": lambda: change("fault.xml", ("wsse:InvalidSecurity<", "nowhere:InvalidSecurity<")),
    "unknown header block": lambda: change("fault.xml", ("<wsa:MessageID>", '<q xmlns="urn:q"/><wsa:MessageID>')),
    "timestamp without Created": lambda: change("fault.xml", ("<wsu:Created>2026-03-02T15:04:05.120Z</wsu:Created>", "")),
    "duplicate id": lambda: change("iti55-no-match.xml", ('wsu:Id="confirmation-2"', 'wsu:Id="confirmation-1"')),
    "empty body": lambda: cut("fault.xml", "//s:Fault"),
    "two payloads": lambda: change("iti39-failure.xml", ("</xds:RetrieveDocumentSetResponse>",
        '</xds:RetrieveDocumentSetResponse><soap12:Fault><soap12:Code><soap12:Value>soap12:Sender</soap12:Value></soap12:Code>'
        '<soap12:Reason><soap12:Text xml:lang="en">x</soap12:Text></soap12:Reason></soap12:Fault>')),
    "mustUnderstand maybe": lambda: change("fault.xml", ('soap12:mustUnderstand="true"', 'soap12:mustUnderstand="maybe"')),
    "assertion in an answer": lambda: change("fault.xml", ("<ds:Signature>",
        '<a:Assertion xmlns:a="urn:oasis:names:tc:SAML:2.0:assertion"/><ds:Signature>')),
}


@pytest.mark.parametrize("what", FAULTY)
def test_faulty_is_refused(ours, what):
    assert not accepts(ours, FAULTY[what]())


# ---------------------------------------------------------------- ours accept, so the official accept

NAMES = ["id", "code", "value", "name", "addr", "telecom", "root", "extension", "status", "home", "typeCode", "classCode",
         "use", "nullFlavor", "xyz"]
VALUES = ["", " ", "x", "0", "1", "true", "false", "-1", "1.2.3", "01.2", "2026", "202603021504", "2026-03-02", "NA", "UNK",
          "N/A", "H", "HP WP", "L", "SUBJ", "SBJ", "ORG", "EVN", "RQO", "INSTANCE", "KIND", "urn:a b", "a%zz", "::", "http://[",
          "é", "a\u00a0b", " x ", "soap12:Sender", "INT", "B64", "TXT", "123456789", "99999999999999999999", "1e3", "+5"]
TYPES = ["ANY", "QTY", "ST", "ED", "SC", "II", "TS", "IVL_TS", "SXCM_TS", "IVXB_TS", "INT", "PQ", "BL", "CD", "CE", "CV", "CS",
         "AD", "EN", "PN", "ON", "TEL", "st", "cs", "uid", "ts", "bl", "Only_DEV", "EntityClassOrganization", "nothing"]


def mutate(root, rng):
    """One random change in place."""
    nodes = [n for n in root.iter(etree.Element)]
    node = rng.choice(nodes)
    parent = node.getparent()
    kind = rng.choice(("drop", "duplicate", "swap", "move", "graft", "rename", "drop-attribute", "set-attribute", "set-attribute",
                       "rename-attribute", "add-attribute", "text", "type", "nil"))
    attributes = [a for a in node.attrib]
    if kind == "drop" and parent is not None:
        parent.remove(node)
    elif kind == "duplicate" and parent is not None:
        twin = copy.deepcopy(node)
        parent.insert(parent.index(node), twin)
    elif kind == "swap" and parent is not None and len(parent) > 1:
        other = rng.choice([c for c in parent if c is not node])
        i, j = parent.index(node), parent.index(other)
        a, b = copy.deepcopy(node), copy.deepcopy(other)
        parent[i], parent[j] = b, a
    elif kind == "move" and parent is not None:
        parent.remove(node)
        parent.insert(rng.randrange(len(parent) + 1), node)
    elif kind == "graft":
        host = rng.choice(nodes)
        host.insert(rng.randrange(len(host) + 1), copy.deepcopy(rng.choice(nodes)))
    elif kind == "rename":
        q = etree.QName(node)
        node.tag = f"{{{q.namespace}}}{rng.choice([etree.QName(n).localname for n in nodes])}" if q.namespace else node.tag
    elif kind == "drop-attribute" and attributes:
        del node.attrib[rng.choice(attributes)]
    elif kind == "set-attribute" and attributes:
        pool = VALUES + [v for n in nodes for v in n.attrib.values()][:200]
        node.set(rng.choice(attributes), rng.choice(pool))
    elif kind == "rename-attribute" and attributes:
        name = rng.choice(attributes)
        value = node.attrib.pop(name)
        node.set(rng.choice(NAMES), value)
    elif kind == "add-attribute":
        node.set(rng.choice(NAMES), rng.choice(VALUES))
    elif kind == "text":
        target = rng.choice((node, None))
        if target is not None or parent is None:
            node.text = rng.choice(VALUES)
        else:
            node.tail = rng.choice(VALUES)
    elif kind == "type":
        name = rng.choice(TYPES)
        prefix = next((p for p, uri in node.nsmap.items() if uri == HL7), None)
        node.set(f"{{{XSI}}}type", f"{prefix}:{name}" if prefix else name)
    elif kind == "nil":
        node.set(f"{{{XSI}}}nil", rng.choice(("true", "false")))
        if rng.random() < 0.5:
            for child in list(node):
                node.remove(child)
            node.text = None


def mutants(data, seed, count):
    rng = random.Random(seed)
    for _ in range(count):
        root = etree.fromstring(data, parser())
        for _ in range(rng.choice((1, 1, 1, 2, 3))):
            mutate(root, rng)
        changed = etree.tostring(root)
        try:
            etree.fromstring(changed, parser())
        except etree.XMLSyntaxError:
            continue
        yield changed


def base_messages(ours, official):
    """Every example and every valid sample that ours accept; whole envelopes also as bare payload."""
    bases = {}
    for path in emitted_files():
        bases["emitted/" + path.name] = path.read_bytes()
    for path in sample_files():
        data = valid_form(path, official)
        if data is not None and sample_name(path) not in REFUSED:
            bases[sample_name(path)] = data
    for name, data in list(bases.items()):
        body = etree.fromstring(data, parser()).find(f"{{{SOAP}}}Body")
        if body is not None:
            payload = etree.tostring(body[0], with_tail=False)
            if accepts(ours, payload):
                bases[name + "#payload"] = payload
    return bases


@needs_official
def test_never_wider_than_official(ours, official):
    accepted = refused = 0
    breaches = []
    for name, data in base_messages(ours, official).items():
        assert relation_breach(ours, official, data) is None, name
        for number, mutant in enumerate(mutants(data, f"gatehouse {name}", MUTANTS_PER_MESSAGE)):
            if not accepts(ours, mutant):
                refused += 1
                continue
            accepted += 1
            said = relation_breach(ours, official, mutant)
            if said:
                breaches.append((name, number, said))
    assert not breaches, breaches[:5]
    assert accepted > 200 and refused > 200, (accepted, refused)


# ---------------------------------------------------------------- the same through Xerces

def xerces_accepts(schema, data):
    """Validity by Xerces, full schema checking; the schema is named in the root element."""
    root = etree.fromstring(data, parser())
    root.attrib.pop(f"{{{XSI}}}schemaLocation", None)
    root.set(f"{{{XSI}}}noNamespaceSchemaLocation", schema.resolve().as_uri())
    run = subprocess.run(["StdInParse", "-v=always", "-n", "-s", "-f"], input=etree.tostring(root), capture_output=True)
    said = (run.stdout + run.stderr).decode(errors="replace")
    complaint = [line for line in said.splitlines() if "rror" in line or "arning" in line]
    return run.returncode == 0 and not complaint, said


needs_xerces = pytest.mark.skipif(not shutil.which("StdInParse"),
                                  reason="no Xerces StdInParse (Debian package libxerces-c-samples)")


@needs_xerces
@pytest.mark.parametrize("path", emitted_files(), ids=lambda p: p.name)
def test_xerces_accepts_emitted(path):
    good, said = xerces_accepts(SCHEMA / "gatehouse.xsd", path.read_bytes())
    assert good, said


@needs_xerces
@pytest.mark.parametrize("what", FAULTY)
def test_xerces_refuses_faulty(what):
    good, _ = xerces_accepts(SCHEMA / "gatehouse.xsd", FAULTY[what]())
    assert not good


@needs_xerces
@needs_official
@pytest.mark.parametrize("path", TAKEN, ids=sample_name)
def test_xerces_accepts_samples(official, path):
    good, said = xerces_accepts(SCHEMA / "gatehouse.xsd", valid_form(path, official))
    assert good, said


@needs_xerces
@needs_official
def test_xerces_never_wider_than_official(ours, official):
    """A smaller sweep: mutants that ours accept by libxml2 or not, judged by Xerces on both sides."""
    rng = random.Random("gatehouse xerces")
    bases = base_messages(ours, official)
    accepted = 0
    for number in range(XERCES_MUTANTS):
        name = rng.choice(sorted(bases))
        for mutant in mutants(bases[name], f"xerces {number} {name}", 1):
            if not xerces_accepts(SCHEMA / "gatehouse.xsd", mutant)[0]:
                continue
            accepted += 1
            good, said = xerces_accepts(OFFICIAL, with_inline_documents(mutant))
            assert good, (name, number, said)
    assert accepted > 5
