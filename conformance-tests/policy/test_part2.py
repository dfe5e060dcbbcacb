"""Records of 42 CFR Part 2 over the wire: absent without a consent that names label, purpose and recipient; with one
they go with their labels, the statement and a signed notice. [42 CFR §2.31, §2.32; design §4: sensitivity, obligations;
docs/decisions/016]"""

import datetime
from types import SimpleNamespace

import pytest
from lxml import etree

from peer import consents, judges, names
from peer.gateway import PATHS
from peer.messages import stored_query
from peer.names import GET_DOCUMENTS
from peer.records import ACT_CODE, CONFIDENTIALITY, Document, Patient
from peer.town import HOME, LAKESIDE, RIVERSIDE, lakeside, riverside

pytestmark = pytest.mark.both_databases

STATEMENT = "42 CFR part 2 prohibits unauthorized use or disclosure of these records."
PART2 = "42CFRPart2"
NOTICE = "{urn:gatehouse:notice:1}"
PATIENT = Patient("P2-1", "Underhill", "Florian", "M", "19740722", "17 Quarry Bank")
PLAIN = Document("2.999.1.16.1", PATIENT, title="Knee", text="Knee healed.")
TREATED = Document("2.999.1.16.2", PATIENT, title="Recovery programme", text="Six months sober.",
                   header=(ACT_CODE, PART2))


@pytest.fixture(scope="module")
def town(found_town):
    town = found_town("part2-town")
    town.enter(PATIENT)
    town.file(PLAIN, TREATED)
    town.defaults("treatment", "payment")
    return town


@pytest.fixture()
def permitted(town):
    """@return the id of a consent that names label, purpose and recipient; it is revoked afterwards"""
    consent = consents.permit(town, PATIENT, PART2)
    yield consent
    consents.revoke(town, PATIENT, consent)


def questions(town, plain=PLAIN, treated=TREATED):
    """Every way to ask for it: message and path by name."""
    sender = town.sender()
    by_id = stored_query(GET_DOCUMENTS, {"$XDSDocumentEntryUniqueId": [f"('{treated.unique_id}')"]}, f"urn:oid:{HOME}")
    return {"ITI-38": (town.find_documents(treated.patient, sender), PATHS["ITI-38"]),
            "ITI-38 by id": (sender.cross_gateway_query(by_id), PATHS["ITI-38"]),
            "ITI-39": (town.retrieve(treated.unique_id, sender=sender), PATHS["ITI-39"]),
            "ITI-39 among others": (town.retrieve(plain.unique_id, treated.unique_id, sender=sender), PATHS["ITI-39"])}


def answers(town, wires):
    return {name: town.ask(wire, path=path) for name, (wire, path) in wires.items()}


def entry_of(answer):
    """The ExtrinsicObject of the document."""
    found = answer.root.xpath(f"//rim:ExtrinsicObject[rim:ExternalIdentifier/@value='{TREATED.unique_id}']",
                              namespaces=names.PREFIXES)
    assert len(found) == 1
    return found[0]


def confidentiality_of(entry):
    return {(node.get("nodeRepresentation"), node.xpath("string(rim:Slot[@name='codingScheme']//rim:Value)",
                                                        namespaces=names.PREFIXES))
            for node in entry.xpath("rim:Classification[@classificationScheme='urn:uuid:"
                                    "f4f85eac-e6cb-4883-b524-f2705394840f']", namespaces=names.PREFIXES)}


def scope(consent):
    """What is told of the consent of `permitted`."""
    return (f"By consent {consent} version 1 the patient permits giving documents labelled {PART2} to organization "
            f"urn:oid:{RIVERSIDE} for Treatment, with no end given.")


def notices(answer):
    """(document, scope, statement) of each notice in the header."""
    return [(node.get("document"), node.get("scope"), node.text)
            for node in answer.root.iterfind(f"{names.q('soap:Header')}/{NOTICE}Notice/{NOTICE}Part2")]


class TestWithoutAConsent:
    """The same request bytes while it is there and closed, and once it is gone."""

    HIDDEN = Patient("P2-2", "Wetherby", "Honora", "F", "19680218", "3 Quarry Bank")

    @pytest.fixture(scope="class")
    def told(self, town):
        open_one = Document("2.999.1.16.11", self.HIDDEN)
        closed = Document("2.999.1.16.12", self.HIDDEN, title="Recovery programme", header=(ACT_CODE, PART2))
        town.enter(self.HIDDEN)
        town.file(open_one, closed)
        wires = {name: (message.wire(), path) for name, (message, path) in questions(town, open_one, closed).items()}
        consent = consents.permit(town, self.HIDDEN, PART2)
        states = {"permitted": answers(town, wires)}
        consents.revoke(town, self.HIDDEN, consent)
        states["closed"] = answers(town, wires)
        town.gateway.alter(f"DELETE FROM documents WHERE unique_id = '{closed.unique_id}'")
        states["absent"] = answers(town, wires)
        return SimpleNamespace(**states)

    @pytest.mark.parametrize("name", ["ITI-38", "ITI-38 by id", "ITI-39", "ITI-39 among others"])
    def test_it_is_answered_as_one_that_is_absent(self, told, name):
        assert judges.difference(told.closed[name], told.absent[name]) == ""
        assert judges.difference(told.permitted[name], told.absent[name]) != ""

    @pytest.mark.parametrize("name", ["ITI-38", "ITI-38 by id", "ITI-39", "ITI-39 among others"])
    def test_no_word_of_part_2_is_in_any_byte(self, told, name):
        for word in (b"42CFR", b"NORDSCLCD", b"Part2", b"urn:gatehouse:notice", STATEMENT[:20].encode(), b"Recovery"):
            assert word not in told.closed[name].body
        assert b"urn:gatehouse:notice" in told.permitted[name].body


class TestWithAConsent:
    def test_the_listing_bears_both_labels_and_the_statement(self, town, permitted):
        entry = entry_of(town.ask(town.find_documents(PATIENT)))
        assert {(PART2, ACT_CODE), ("NORDSCLCD", ACT_CODE)} <= confidentiality_of(entry)
        comments = entry.xpath("string(rim:Description/rim:LocalizedString/@value)", namespaces=names.PREFIXES)
        assert comments == f"{STATEMENT} [{scope(permitted)}]"

    def test_what_is_not_under_part_2_bears_none_of_it(self, town, permitted):
        answer = town.ask(town.find_documents(PATIENT))
        entry, = answer.root.xpath(f"//rim:ExtrinsicObject[rim:ExternalIdentifier/@value='{PLAIN.unique_id}']",
                                   namespaces=names.PREFIXES)
        assert confidentiality_of(entry) == {("N", CONFIDENTIALITY)}
        assert STATEMENT.encode() not in etree.tostring(entry)
        alone = town.ask(town.retrieve(PLAIN.unique_id), path=PATHS["ITI-39"])
        assert notices(alone) == [] and b"urn:gatehouse" not in alone.body

    @pytest.mark.parametrize("name", ["ITI-38", "ITI-38 by id", "ITI-39", "ITI-39 among others"])
    def test_the_notice_names_document_and_scope(self, town, permitted, name):
        message, path = questions(town)[name]
        assert notices(town.ask(message, path=path)) == [
            (TREATED.unique_id, scope(permitted), STATEMENT)]

    def test_the_notice_tells_nothing_of_whom_and_what_else_the_patient_spoke(self, town, permitted):
        others = [consents.give(town, PATIENT, "--label", PART2, "--purpose", "treatment", "--to", LAKESIDE),
                  consents.give(town, PATIENT, "--deny", "--label", "HIV", "--to", LAKESIDE)]
        broad = consents.give(town, PATIENT, "--label", PART2, "--label", "PSYTHPN", "--purpose", "treatment", "--to",
                              LAKESIDE, "--to", RIVERSIDE, "--until", "2027-02-01")
        try:
            (_, told, _), = notices(town.ask(town.find_documents(PATIENT)))
            assert told == scope(broad).replace("with no end given", "until 2027-02-01T05:00:00.000Z")
        finally:
            for consent in (*others, broad):
                consents.revoke(town, PATIENT, consent)

    @pytest.mark.parametrize("as_mtom", [True, False], ids=["MTOM", "plain"])
    @pytest.mark.parametrize("name", ["ITI-38", "ITI-39"])
    def test_the_notice_is_signed_as_another_verifies(self, town, permitted, name, as_mtom):
        message, path = questions(town)[name]
        message.as_mtom = as_mtom
        answer = town.ask(message, path=path)
        certificate = town.gateway.certificate("signing")
        assert f"{NOTICE}Notice" in judges.signed_elements(answer)
        assert judges.signature_complaint(answer.envelope, certificate) == ""
        for forged in (answer.envelope.replace(permitted.encode(), b"0" * 32, 1),
                       answer.envelope.replace(b"prohibits", b"permits  ", 1)):
            assert forged != answer.envelope
            assert judges.signature_complaint(forged, certificate) != ""

    @pytest.mark.parametrize("name", ["ITI-38", "ITI-38 by id", "ITI-39", "ITI-39 among others"])
    def test_the_answer_is_valid_by_the_official_schemas(self, town, permitted, name, shared):
        message, path = questions(town)[name]
        assert judges.schema_complaints(town.ask(message, path=path)) == {}

    def test_the_document_itself_is_not_changed(self, town, permitted):
        given, = town.ask(town.retrieve(TREATED.unique_id), path=PATHS["ITI-39"]).retrieve.documents
        listed = next(one for one in town.ask(town.find_documents(PATIENT)).query.entries
                      if one.unique_id == TREATED.unique_id)
        assert len(given.bytes) == listed.size and STATEMENT.encode() not in given.bytes

    def test_the_decision_record_names_the_consent_it_leaves_on(self, town, permitted):
        message = town.retrieve(TREATED.unique_id)
        town.ask(message, path=PATHS["ITI-39"])
        evidence = {finding["evidence"] for verdict in consents.decision(town, message)["verdicts"]
                    for finding in verdict["findings"] if finding["gate"] == "sensitivity"}
        assert evidence == {f"consent {permitted} version 1"}

    def test_a_broken_glass_opens_nothing_of_it_to_a_partner(self, town):
        consents.set_up(town, "part2-emergencies=on")
        try:
            town.gateway.command("policy", "breakglass", PATIENT.mrn, "--user", "Dr. Ada Quill", "--role", "physician",
                                 "--reason", "unconscious in the emergency department", "--minutes", 5)
            assert not consents.given(town, TREATED)
        finally:
            consents.set_up(town, "part2-emergencies=off")


class TestWhatAConsentNames:
    """Each row is closed; the consent that names all three is its twin."""

    ROWS = {"another recipient": "sensitive-no-consent", "another purpose": "sensitive-no-consent",
            "another label": "sensitive-no-consent", "the choice of all purposes": "sensitive-no-consent",
            "to come": "consent-future", "expired": "consent-expired", "revoked": "consent-revoked"}

    @pytest.mark.parametrize("row", ROWS)
    def test_and_nothing_else_opens_it(self, town, row):
        number = list(self.ROWS).index(row)
        patient = Patient(f"P2-2{number}", row.title().replace(" ", ""), "Sylvester", "M", f"19500{number + 1}11",
                          f"{number} Fell Side")
        document = Document(f"2.999.1.16.2{number}", patient, header=(ACT_CODE, PART2))
        town.enter(patient)
        town.file(document)
        soon = (town.gateway.clock.now() + datetime.timedelta(minutes=3)).strftime("%Y-%m-%dT%H:%MZ")
        if row == "another recipient":
            consents.permit(town, patient, PART2, to=LAKESIDE)
        elif row == "another purpose":
            consents.permit(town, patient, PART2, purpose="payment")
        elif row == "another label":
            consents.permit(town, patient, "PSYTHPN")
        elif row == "the choice of all purposes":
            town.choose(patient, "all")
        elif row == "to come":
            consents.permit(town, patient, PART2, "--from", soon)
        elif row == "expired":
            consents.permit(town, patient, PART2, "--until", soon)
            assert consents.given(town, document)
            town.gateway.clock.advance(minutes=3)
        else:
            consents.revoke(town, patient, consents.permit(town, patient, PART2))
        assert not consents.given(town, document)
        message = town.retrieve(document.unique_id)
        assert notices(town.ask(message, path=PATHS["ITI-39"])) == []
        assert consents.refusals(town, message) == {self.ROWS[row]}
        consents.permit(town, patient, PART2)
        assert consents.given(town, document)

    def test_the_recipient_named_gets_it_and_no_other(self, town):
        consent = consents.permit(town, PATIENT, PART2, to=LAKESIDE)
        try:
            there = town.sender(lakeside())
            assert consents.given(town, TREATED, there, credential=lakeside().tls)
            assert not consents.given(town, TREATED)
        finally:
            consents.revoke(town, PATIENT, consent)

    @pytest.mark.parametrize("to, treatment, payment", [
        ("treating-providers", True, False), ("health-plans", False, True), (RIVERSIDE, True, True)])
    def test_a_class_of_recipients_goes_by_purpose(self, town, to, treatment, payment):
        consent = consents.give(town, PATIENT, "--label", PART2, "--purpose", "treatment,payment", "--to", to)
        try:
            assert consents.given(town, TREATED, town.sender()) == treatment
            assert consents.given(town, TREATED, town.sender().asking_for("PAYMENT")) == payment
            both = town.sender().asking_for("TREATMENT", "PAYMENT")
            assert consents.given(town, TREATED, both) == (treatment and payment)
        finally:
            consents.revoke(town, PATIENT, consent)

    def test_open_connections_see_every_change(self, town):
        with town.gateway.connect(riverside().tls) as connection:
            for _ in range(3):
                assert not consents.given(town, TREATED, connection=connection)
                consent = consents.permit(town, PATIENT, PART2)
                assert consents.given(town, TREATED, connection=connection)
                consents.revoke(town, PATIENT, consent)
            assert consents.given(town, PLAIN, connection=connection)
