"""Signature wrapping: values are read from what was signed, and from nowhere else. [threat catalogue §2, W01–W08, W22]

The base is a valid ITI-38 request whose Timestamp and Assertion are signed. An attacker who captured it puts a forged
assertion beside, around or inside the signed one.
"""

import copy

import pytest
from lxml import etree

from peer import names, signing
from peer.messages import cx, find_documents
from peer.names import q
from peer.town import HOME, RIVERSIDE_CLINIC, TEST_PATIENT, Aftermath

FORGER = "Mallory Forger"
PLACES = ("in Security", "in another header", "in Body", "after Body")


@pytest.fixture
def base(town):
    return town.find_documents(TEST_PATIENT)


def forged_from(original, new_id="_forged"):
    """An unsigned copy that claims another user and another home."""
    forged = copy.deepcopy(original)
    forged.remove(forged.find(q("ds:Signature")))
    if new_id:
        forged.set("ID", new_id)
    forged.find(".//" + q("saml2:NameID")).text = "CN=forger.example,O=Forgers"
    values = {attribute.get("Name").rpartition(":")[2]: attribute.find(q("saml2:AttributeValue"))
              for attribute in forged.iter(q("saml2:Attribute"))}
    values["subject-id"].text = FORGER
    values["homeCommunityId"].text = f"urn:oid:{RIVERSIDE_CLINIC}"
    return forged


def without_signature(assertion):
    bare = copy.deepcopy(assertion)
    bare.remove(bare.find(q("ds:Signature")))
    return bare


def signature_of(assertion):
    return copy.deepcopy(assertion.find(q("ds:Signature")))


# ---------------------------------------------------------------- the eight shapes
# Each builds what the attacker puts in. In Security it takes the original's place (W03, W07: it stands before it);
# elsewhere the original stays. W05 is its own: the forged one stays in Security, the original goes to the place.

def w01(original):
    """1: forged outer assertion, the signed original inside its signature"""
    forged, signature = forged_from(original), signature_of(original)
    signature.append(copy.deepcopy(original))
    forged.insert(1, signature)
    return forged


def w02(original):
    """2: inside the forged one, the original as sibling before the signature"""
    forged = forged_from(original)
    forged.insert(1, without_signature(original))
    forged.insert(2, signature_of(original))
    return forged


def w03(original):
    """3: a forged copy with a new id, before the original"""
    return forged_from(original)


def w04(original):
    """4: the original as child of the forged one"""
    forged = forged_from(original)
    forged.append(copy.deepcopy(original))
    return forged


def w05(original):
    """5: the forged one keeps the signature, the original moves to the end"""
    forged = forged_from(original)
    forged.insert(1, signature_of(original))
    return forged


def w06(original):
    """6: the forged one keeps the signature, and the bare original is inside that signature"""
    forged, signature = forged_from(original), signature_of(original)
    signature.append(without_signature(original))
    forged.insert(1, signature)
    return forged


def w07(original):
    """7: a forged one with the same id inside an unknown element before the original"""
    wrapper = etree.Element("{urn:example:extension}Extensions")
    wrapper.append(forged_from(original, new_id=None))
    return wrapper


def w08(original):
    """8: the original inside ds:Object of the forged one's signature"""
    forged, signature = forged_from(original), signature_of(original)
    etree.SubElement(signature, q("ds:Object")).append(without_signature(original))
    forged.insert(1, signature)
    return forged


def put(message, node, place):
    """Puts an element where a careless reader might find it first."""
    if place == "in Security":
        message.security.insert(0, node)
    elif place == "in another header":
        header = message.find("soap:Header")
        wrapper = etree.Element("{urn:example:extension}Other")
        wrapper.append(node)
        header.insert(0, wrapper)
    elif place == "in Body":
        message.body.insert(0, node)
    else:
        message.root.append(node)


def attack(base, shape, place):
    def change(twin):
        original = twin.assertion
        built = shape(original)
        if shape is w05:
            at = original.getparent().index(original)
            moved = without_signature(original)
            original.getparent().replace(original, built)
            if place == "in Security":
                twin.security.insert(at + 1, moved)
            else:
                put(twin, moved, place)
        elif shape in (w03, w07) or place != "in Security":
            put(twin, built, place)
        else:
            original.getparent().replace(original, built)
    return base.altered(change)


DOUBLED_ID, ENVELOPE = "xml-doubled-id", "bad-envelope"
REASONS = {  # (in Security, in another header, in Body, after Body); None: harmless there, answered for the original
    w01: ("reference-bad", DOUBLED_ID, DOUBLED_ID, DOUBLED_ID),
    w02: ("wrapped-signature", DOUBLED_ID, DOUBLED_ID, DOUBLED_ID),
    w03: ("assertion-doubled", None, ENVELOPE, ENVELOPE),
    w04: ("assertion-unsigned", DOUBLED_ID, DOUBLED_ID, DOUBLED_ID),
    w05: ("assertion-doubled", "wrapped-signature", ENVELOPE, ENVELOPE),
    w06: ("reference-bad", DOUBLED_ID, DOUBLED_ID, DOUBLED_ID),
    w07: (DOUBLED_ID, DOUBLED_ID, DOUBLED_ID, DOUBLED_ID),
    w08: ("reference-bad", DOUBLED_ID, DOUBLED_ID, DOUBLED_ID),
}
CASES = [pytest.param(shape, place, reasons[number], id=f"{shape.__name__.upper()} {place}")
         for shape, reasons in REASONS.items() for number, place in enumerate(PLACES)]


@pytest.mark.parametrize("shape, place, reason", CASES)
def test_a_forged_assertion_is_never_believed(town, base, shape, place, reason):
    aftermath = Aftermath(town)
    answer = town.ask(attack(base, shape, place))
    if reason is None:
        assert answer.query.status == names.SUCCESS
        events = aftermath.check(None, {""}, outcomes=("released",))
    else:
        assert (answer.status, answer.fault.code) == (400, "Sender")
        events = aftermath.check(answer, {reason})
    assert all(event["payload"].get("user") != FORGER for event in events)


def test_the_base_of_all_of_them_is_accepted(town, base):
    assert [entry.unique_id for entry in town.ask(base).query.entries] == ["1.2.3.4^1"]


def test_the_same_bytes_written_anew_by_a_proxy_are_accepted(town, base):
    """W21: prefixes and white space outside of what was signed."""
    def rewrite(twin):
        twin.find("soap:Header").text = "\n  "
        twin.security.tail = "\n"
        twin.body.tail = "\n"
    content_type, data = base.altered(rewrite).wire()
    renamed = data.replace(b"soap:", b"env:").replace(b"xmlns:soap=", b"xmlns:env=")
    assert town.ask((content_type, renamed)).query.status == names.SUCCESS


# ---------------------------------------------------------------- W22: what must be signed

def drop(path):
    def change(twin):
        node = twin.find(path)
        node.getparent().remove(node)
    return change


def empty_assertion_signature(twin):
    signature = twin.assertion.find(q("ds:Signature"))
    for child in list(signature):
        signature.remove(child)


def fresh_timestamp(twin):
    """The signed Timestamp is replaced by one that nobody signed."""
    stamp = twin.find(".//wsu:Timestamp")
    stamp.find(q("wsu:Created")).text = stamp.find(q("wsu:Created")).text.replace("Z", "1Z")


@pytest.mark.parametrize("change, reasons, subcodes", [
    (drop(".//saml2:Assertion/ds:Signature"), {"assertion-unsigned"}, {"InvalidSecurity"}),
    (drop(".//wsse:Security/ds:Signature"), {"signature-missing"}, {"InvalidSecurity"}),
    (drop(".//wsu:Timestamp"), {"timestamp-missing"}, {"InvalidSecurity"}),
    (drop(".//wsse:Security/saml2:Assertion"), {"assertion-missing"}, {"InvalidSecurity"}),
    (drop(".//wsse:Security"), {"security-missing"}, {"InvalidSecurity"}),
    (empty_assertion_signature, {"reference-bad"}, {"InvalidSecurity"}),
    (fresh_timestamp, {"digest-mismatch"}, {"FailedCheck"}),
], ids=["assertion unsigned", "message unsigned", "no timestamp", "no assertion", "no security", "empty signature",
        "timestamp exchanged"])
def test_w22_nothing_unsigned_is_taken(town, base, change, reasons, subcodes):
    aftermath = Aftermath(town)
    answer = town.ask(base.altered(change))
    assert answer.status == 400 and answer.fault.subcode in subcodes
    aftermath.check(answer, reasons)


def test_w19_a_signature_over_another_element_is_refused(town):
    """The assertion's signature is good, but over the Timestamp."""
    sender = town.sender()
    stamp_id = "TS-both"

    def over_the_timestamp(assertion):
        stamp = assertion.getparent().find(q("wsu:Timestamp"))
        return [signing.Reference("#" + stamp_id, stamp, (signing.ENVELOPED, signing.EXC_C14N))]
    plan = sender.plan.but(assertion_references=over_the_timestamp)
    aftermath = Aftermath(town)
    query = find_documents(cx(TEST_PATIENT.mrn, HOME))
    answer = town.ask(sender.but(plan=plan).cross_gateway_query(query, timestamp_id=stamp_id))
    assert answer.fault.subcode in {"InvalidSecurity", "FailedCheck"}
    aftermath.check(answer, {"wrapped-signature"})
