"""A change on one node counts on the other for every request that is sent once it is acknowledged, between any two
transactions and while an answer is still being sent. [design §4: verdict; threats C04, C11]

The plain run makes 100 rounds on PostgreSQL, and 20 with two processes on one SQLite file; with GATEHOUSE_LONG=1 it is
1,000 and 200.
"""

import os
import socket
import time
from collections import Counter

import pytest

from peer import consents, directory, names
from peer.gateway import PATHS
from peer.records import CONFIDENTIALITY, Document, Patient
from peer.town import RIVERSIDE, riverside

pytestmark = pytest.mark.both_databases

ROUNDS = 1000 if os.environ.get("GATEHOUSE_LONG") else 100
GATED = "V"
PATIENT = Patient("TN-1", "Merriweather", "Cordelia", "F", "19630917", "21 Kestrel Row")
OPEN = Document("2.999.1.11.1", PATIENT, text="Open to whoever may ask.")
SECRET = Document("2.999.1.11.2", PATIENT, text="Open to those who are named.", header=(CONFIDENTIALITY, GATED))
LARGE = Document("2.999.1.11.3", PATIENT, text="Five megabytes. " * 327_680, header=(CONFIDENTIALITY, GATED))


@pytest.fixture(scope="module")
def town(found_town):
    town = found_town("changing-minds")
    town.enter(PATIENT)
    town.file(OPEN, SECRET, LARGE)
    return town


@pytest.fixture(scope="module")
def nodes(town, tmp_path_factory):
    second = town.gateway.twin(tmp_path_factory.mktemp("second"))
    second.start()
    yield town.gateway, second
    assert second.stop() == 0


class Kind:
    """A matter that somebody changes: `deny` and `permit` are commands, `document` is what they open and close."""

    def __init__(self, deny, permit, document=OPEN, whole_patient=True):
        self.deny, self.permit, self.document, self.whole_patient = deny, permit, document, whole_patient


def choice(purposes):
    return ("policy", "set", PATIENT.mrn, "--purposes", purposes, *consents.STAFF)


def setting(assignment):
    return ("settings", "set", assignment, "--by", "Dana Admin")


def revoking(consent):
    return ("consent", "revoke", PATIENT.mrn, consent, *consents.STAFF)


GIVE_SECRET = ("consent", "give", PATIENT.mrn, "--label", GATED, "--purpose", "treatment", "--to", RIVERSIDE,
               *consents.STAFF)
FORBID_RIVERSIDE = ("consent", "give", PATIENT.mrn, "--deny", "--to", RIVERSIDE, *consents.STAFF)
KINDS = {
    "the patient's purposes": Kind(choice("payment"), choice("treatment")),
    "the clinic's purposes": Kind(setting("purposes=payment"), setting("purposes=treatment")),
    "a consent to what is gated": Kind(revoking, GIVE_SECRET, SECRET, whole_patient=False),
    "a consent that forbids": Kind(FORBID_RIVERSIDE, revoking),
    "whom the clinic refuses": Kind(setting(f"refuse={RIVERSIDE}"), setting(f"refuse=-{RIVERSIDE}")),
}


class Changes:
    """Changes minds on one node and asks the other."""

    def __init__(self, town, changed, asked):
        self.town, self.changed, self.asked = town, changed, asked
        self.consent = None  # the last one given
        self.counts = Counter()

    def change(self, command, message, connection):
        """Sends the message the moment the command has said that it is done. @return the answer"""
        words = command(self.consent) if callable(command) else command
        process, said = self.changed.begin(*words)
        answer = self.send(message, connection)
        assert process.communicate(timeout=60)[1] == "" and process.returncode == 0
        if words[:2] == ("consent", "give"):
            self.consent = said["id"]
        return answer

    def send(self, message, connection):
        path = PATHS["ITI-39"] if message.action == names.CROSS_GATEWAY_RETRIEVE else (
            PATHS["ITI-55"] if message.action == names.PATIENT_DISCOVERY else PATHS["ITI-38"])
        return self.asked.send(message, riverside().tls, path, connection)

    def finds(self, answer, document):
        """Whether an answer of any transaction holds the patient or the document."""
        if answer.action == names.CROSS_GATEWAY_RETRIEVE_ANSWER:
            return document.unique_id in {one.unique_id for one in answer.retrieve.documents}
        if answer.find("soap:Body/hl7:PRPA_IN201306UV02") is not None:
            return answer.discovery.query_response == "OK"
        return document.unique_id in {entry.unique_id for entry in answer.query.entries}

    def round(self, kind, connection):
        """Permitted, and withdrawn before the next transaction of the three; each time the new answer."""
        town, document = self.town, kind.document
        discovery, query, retrieve = (lambda: town.sender().patient_discovery(PATIENT),
                                      lambda: town.find_documents(PATIENT), lambda: town.retrieve(document.unique_id))
        steps = [(kind.permit, query, True), (None, discovery, True), (kind.deny, query, False),
                 (kind.permit, query, True), (kind.deny, retrieve, False), (kind.permit, retrieve, True),
                 (kind.deny, discovery if kind.whole_patient else retrieve, False)]
        for command, question, expected in steps:
            message = question()
            answer = self.change(command, message, connection) if command else self.send(message, connection)
            self.counts["new" if self.finds(answer, document) == expected else "old"] += 1


def as_it_was(town):
    for words in (KINDS["the clinic's purposes"].permit, KINDS["whom the clinic refuses"].permit):
        town.gateway.command(*words)
    town.forget_choice(PATIENT)
    for consent in town.gateway.json("consent", "show", PATIENT.mrn)["consents"]:
        if consent["state"] == "in force":
            consents.revoke(town, PATIENT, consent["id"])


@pytest.fixture(scope="module")
def rounds(town):
    """Of one kind and one direction."""
    return (ROUNDS if town.gateway.database else ROUNDS // 5) // len(KINDS) // 2


@pytest.mark.parametrize("kind", KINDS)
def test_c04_c11_the_next_request_to_the_other_node_gets_the_new_answer(town, nodes, kind, rounds):
    """Half of the rounds change on the one node and ask the other, half the reverse; every second asks over one
    connection that stays open, the others over a new one for each request."""
    totals = Counter()
    for changed, asked in (nodes, nodes[::-1]):
        changes = Changes(town, changed, asked)
        if kind == "a consent that forbids":
            changes.consent = consents.give(town, PATIENT, "--deny", "--to", RIVERSIDE)
        try:
            with asked.connect(riverside().tls) as connection:
                for number in range(rounds):
                    changes.round(KINDS[kind], connection if number % 2 else None)
        finally:
            as_it_was(town)
        totals += changes.counts
    print(f"{kind}: {2 * rounds} rounds, {totals['new']} new answers, {totals['old']} old ones")
    assert (totals["old"], totals["new"]) == (0, 2 * rounds * 7)


class TestC11OtherThingsThatAnotherNodeKnows:
    @pytest.fixture(params=[False, True], ids=["there", "back"])
    def there(self, request, nodes):
        """The node that is told, and the one that is asked."""
        return nodes[::-1] if request.param else nodes

    def test_c11_a_label_set_by_staff(self, town, there):
        told, asked = there
        with asked.connect(riverside().tls) as connection:
            for _ in range(3):
                assert OPEN.unique_id in consents.listed(town, PATIENT, connection=connection)
                consents.label(town, OPEN, "--add", GATED, gateway=told)
                assert consents.listed(town, PATIENT, connection=connection) == set()
                assert consents.retrieved(town, OPEN, connection=connection) == set()
                consents.label(town, OPEN, "--remove", GATED, gateway=told)

    def test_c11_an_organization_that_is_active_no_longer(self, town, there):
        told, asked = there

        def directory_says(active):
            entry = directory.Organization(RIVERSIDE, "Riverside Hospital", active=active)
            told.command("partner", "import", told.write("riverside.json", directory.bundle(entry)))
        for _ in range(3):
            directory_says(False)
            try:
                message = town.find_documents(PATIENT)
                answer = asked.send(message, riverside().tls)
                assert answer.fault is not None
                assert town.gateway.audit_of(message.message_id)[0]["reason"] == "caller-inactive"
            finally:
                directory_says(True)
            assert entries(asked.send(town.find_documents(PATIENT), riverside().tls)) == {OPEN.unique_id}

    def test_c11_a_merge(self, town, there):
        told, asked = there
        other = Patient("TN-2", "Ravenscroft", "Cordelia", "F", "19630917", "4 Sparrow Hill")
        town.enter(other)
        try:
            town.choose(other)
            assert entries(asked.send(town.find_documents(PATIENT), riverside().tls)) == {OPEN.unique_id}
            told.command("patient", "merge", PATIENT.mrn, other.mrn, "--reason", "registered twice")
            assert entries(asked.send(town.find_documents(PATIENT), riverside().tls)) == set()
            told.command("patient", "unmerge", other.mrn, "--reason", "two after all")
            assert entries(asked.send(town.find_documents(PATIENT), riverside().tls)) == {OPEN.unique_id}
        finally:
            town.delete(other)


def entries(answer):
    assert answer.fault is None, answer.fault
    return {entry.unique_id for entry in answer.query.entries}


class TestC04WhileADocumentIsBeingSent:
    """A peer that reads slowly has its answer begun when the consent is revoked."""

    @pytest.fixture()
    def consent(self, town):
        yield consents.permit(town, PATIENT, GATED)
        as_it_was(town)

    def begin(self, town, asked):
        """@return the message, and its connection with the first octets of the answer on it"""
        message = town.retrieve(LARGE.unique_id)
        connection = asked.connect(riverside().tls)
        connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16 << 10)
        content_type, body = message.wire()
        connection.send((f"POST {PATHS['ITI-39']} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {content_type}\r\n"
                         f"Content-Length: {len(body)}\r\n\r\n").encode() + body)
        connection.wait_for_answer()
        return message, connection

    def outcomes(self, town, message):
        request = town.gateway.audit_of(message.message_id)[0]["request"]
        return [row["outcome"] for row in town.gateway.audit(limit=400) if row["request"] == request]

    def test_c04_the_running_answer_ends_as_it_was_decided_and_the_next_sees_the_change(self, town, nodes, consent):
        changed, asked = nodes
        message, connection = self.begin(town, asked)
        with connection:
            consents.revoke(town, PATIENT, consent, gateway=changed)
            assert self.outcomes(town, message) == ["released"], "it was not being sent any more"
            with asked.connect(riverside().tls) as other:
                assert consents.retrieved(town, LARGE, connection=other) == set()
            answer = connection.read_answer()
            assert [len(one.bytes) > 5 << 20 for one in answer.retrieve.documents] == [True]
            for _ in range(50):
                if "sent" in self.outcomes(town, message):
                    break
                time.sleep(0.1)
            assert self.outcomes(town, message) == ["released", "sent"]
            after = town.retrieve(LARGE.unique_id)
            again = town.ask(after, path=PATHS["ITI-39"], connection=connection)
            assert (again.retrieve.documents, consents.refusals(town, after)) == ((), {"consent-revoked"})
        evidence = [finding["evidence"] for verdict in consents.decision(town, message)["verdicts"]
                    for finding in verdict["findings"] if finding["gate"] == "sensitivity"]
        assert evidence == [f"consent {consent} version 1"]

    def test_c04_without_a_change_the_next_is_answered_as_before(self, town, nodes, consent):
        message, connection = self.begin(town, nodes[1])
        with connection:
            assert connection.read_answer().retrieve.status == names.SUCCESS
            again = town.ask(town.retrieve(LARGE.unique_id), path=PATHS["ITI-39"], connection=connection)
            assert [one.unique_id for one in again.retrieve.documents] == [LARGE.unique_id]


@pytest.fixture()
def mended(town):
    yield
    as_it_was(town)


def test_c04_between_the_listing_and_each_retrieve_of_one_job(town, nodes, mended):
    """A page of a listing is what later retrieves come from: each of them is decided by itself."""
    changed, asked = nodes
    consent = consents.permit(town, PATIENT, GATED)
    with asked.connect(riverside().tls) as connection:
        found = consents.listed(town, PATIENT, connection=connection)
        assert found == {OPEN.unique_id, SECRET.unique_id, LARGE.unique_id}
        assert consents.retrieved(town, OPEN, SECRET, connection=connection) == {OPEN.unique_id, SECRET.unique_id}
        consents.revoke(town, PATIENT, consent, gateway=changed)
        assert consents.retrieved(town, OPEN, SECRET, connection=connection) == {OPEN.unique_id}
        town.gateway.command(*choice("payment"))
        assert consents.retrieved(town, OPEN, SECRET, connection=connection) == set()
