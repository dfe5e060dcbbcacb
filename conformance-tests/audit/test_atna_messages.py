"""What a real audit repository receives of each kind of event: valid by the official schema, and saying what was asked
and by whom. [ITI-20; ITI TF-2 §3.55.5, §3.38.5, §3.39.5; DICOM PS3.15 §A.5; facts: query exchange §8]"""

import json
import subprocess
import time

import pytest
from lxml import etree

from peer import ca, judges, names
from peer.audit_repository import RSYSLOGD, AuditMessage, AuditRepository
from peer.client import Closed
from peer.gateway import PATHS
from peer.messages import find_documents, cx
from peer.names import NHIN_PURPOSES, q
from peer.town import AUDIENCE, HOME, QUILL, REPOSITORY, RIVERSIDE, STRANGER, TEST_PATIENT, riverside

pytestmark = [pytest.mark.both_databases,
              pytest.mark.skipif(not RSYSLOGD.is_file(), reason="no rsyslogd (Debian package rsyslog)")]

SCHEMA = judges.SHARED / "schemas" / "audit" / "dicom-ps3.15-a5-2017c.xsd"
IHE = "IHE Transactions"
QUERY, EXPORT = ("110112", "DCM"), ("110106", "DCM")
TREATMENT = (NHIN_PURPOSES, "TREATMENT")
SUCCESS, MINOR, SERIOUS = "0", "4", "8"


@pytest.fixture(scope="module")
def repository(tmp_path_factory):
    with AuditRepository(tmp_path_factory.mktemp("repository")) as repository:
        yield repository


@pytest.fixture(scope="module")
def town(found_town, repository):
    return found_town("audited-town", configure=repository.tell)


@pytest.fixture
def told(town, repository):
    """Gives the messages of the events since the test began that were written under the node of the gateway."""
    mark = town.gateway.audit_mark()

    def since_mark():
        rows = [row for row in town.gateway.audit_since(mark) if not row["node"].endswith(".commands")]
        return min(((row["node"], row["seq"]) for row in rows), default=None)

    def messages(count=1):
        deadline = time.monotonic() + 5
        while not (first := since_mark()):
            assert time.monotonic() < deadline, "nothing was written down"
        here = lambda found: [m for m in found if m.entry[0] == first[0] and m.entry >= first]  # noqa: E731
        return repository.wait_for(lambda found: len(here(found)) >= count and here(found))
    return messages


def the_same(a, b):
    """Whether two elements say the same, whatever their prefixes."""
    return (a.tag == b.tag and dict(a.attrib) == dict(b.attrib) and (a.text or "").strip() == (b.text or "").strip()
            and len(a) == len(b) and all(the_same(x, y) for x, y in zip(a, b)))


def payload_of(message, path):
    return etree.fromstring(message.wire()[1]).find(".//" + q(path))


def asked_by_riverside(message, path):
    """Who asked and who was asked, as every message of an exchange says it."""
    asker, us = ("110153", "110152") if message.event == QUERY else ("110152", "110153")
    source, destination, human = (message.participant(role) for role in (asker, us, None))
    assert source["UserID"] == f"urn:oid:{RIVERSIDE}" and source["UserIsRequestor"] == "true"
    assert (source["NetworkAccessPointID"], source["NetworkAccessPointTypeCode"]) == ("127.0.0.1", "2")
    assert destination["UserID"] == AUDIENCE + path and destination["UserIsRequestor"] == "false"
    assert destination["AlternativeUserID"].isdigit()
    assert (destination["NetworkAccessPointID"], destination["NetworkAccessPointTypeCode"]) == ("localhost", "1")
    assert human["UserID"] == "Jennifer Parker" and human["UserIsRequestor"] == "true"
    assert human["UserName"] == ("<CN=gateway.riverside.example,OU=CAREQUALITY,O=Riverside Hospital,C=US"
                                 "@security@riverside.example>")
    assert human["role"] == ("46255001", "2.16.840.1.113883.6.96")
    assert message.purposes == [("TREATMENT", NHIN_PURPOSES)]
    return True


class TestPatientDiscovery:
    def ask(self, town, patient, **token):
        message = town.sender(**token).patient_discovery(patient)
        town.ask(message, path=PATHS["ITI-55"])
        return message

    def test_a_match_names_the_query_as_it_was_asked_and_the_patient(self, town, told):
        asked = self.ask(town, QUILL)
        (message,) = told()
        assert (message.event, message.type, message.action, message.outcome) == (QUERY, ("ITI-55", IHE), "E", SUCCESS)
        assert asked_by_riverside(message, PATHS["ITI-55"])
        assert message.patients == [cx(QUILL.mrn, HOME)]
        query_id, type_code, octets, details = message.query
        parameters = payload_of(asked, "hl7:queryByParameter")
        identifier = parameters.find(q("hl7:queryId"))
        assert query_id == f"{identifier.get('extension') or ''}@{identifier.get('root')}"
        assert type_code == ("ITI-55", IHE)
        assert details == {"ihe:homeCommunityID": HOME}
        assert the_same(etree.fromstring(octets), parameters)

    def test_nobody_found_is_a_success_without_a_patient(self, town, told):
        self.ask(town, STRANGER)
        (message,) = told()
        assert (message.outcome, message.patients, message.type) == (SUCCESS, [], ("ITI-55", IHE))
        assert message.query[2] is not None

    def test_a_patient_withheld_is_not_named_and_the_reason_is(self, town, told):
        town.choose(QUILL, "payment")
        try:
            self.ask(town, QUILL)
            (message,) = told()
        finally:
            town.forget_choice(QUILL)
        assert (message.outcome, message.patients) == (MINOR, [])
        assert message.description.startswith("patient-purpose")

    def test_a_purpose_not_supported_is_a_minor_failure(self, town, told):
        message = town.sender(purposes=((NHIN_PURPOSES, "MARKETING"),)).patient_discovery(QUILL)
        town.ask(message, path=PATHS["ITI-55"])
        (told_of,) = told()
        assert (told_of.outcome, told_of.patients) == (MINOR, [])
        assert told_of.purposes == [("MARKETING", NHIN_PURPOSES)]

    def test_a_fault_after_the_caller_was_identified_is_of_the_transaction(self, town, told):
        sender = town.sender()
        message = sender.but(token=sender.token.but(home="2.999.77.7")).patient_discovery(QUILL)
        answer = town.ask(message, path=PATHS["ITI-55"])
        assert answer.fault
        (told_of,) = told()
        assert (told_of.event, told_of.type, told_of.outcome) == (QUERY, ("ITI-55", IHE), SERIOUS)
        assert told_of.description.startswith("caller-unknown")


class TestCrossGatewayQuery:
    def test_names_the_query_and_the_patient_asked_for(self, town, told):
        asked = town.find_documents(QUILL)
        town.ask(asked)
        (message,) = told()
        assert (message.event, message.type, message.action, message.outcome) == (QUERY, ("ITI-38", IHE), "E", SUCCESS)
        assert asked_by_riverside(message, PATHS["ITI-38"])
        assert message.patients == [cx(QUILL.mrn, HOME)]
        query_id, type_code, octets, details = message.query
        assert query_id == "urn:uuid:14d4debf-8f97-4251-9a74-a90016b0af0d"
        assert type_code == ("ITI-38", IHE)
        assert details == {"QueryEncoding": "UTF-8", "urn:ihe:iti:xca:2010:homeCommunityId": f"urn:oid:{HOME}"}
        assert the_same(etree.fromstring(octets), payload_of(asked, "query:AdhocQueryRequest"))

    def test_withheld_tells_only_what_was_asked(self, town, told):
        town.choose(QUILL)
        try:
            town.ask(town.find_documents(QUILL))
            (message,) = told()
        finally:
            town.forget_choice(QUILL)
        assert (message.outcome, message.patients) == (MINOR, [cx(QUILL.mrn, HOME)])

    def test_another_community_is_a_minor_failure(self, town, told):
        sender = town.sender()
        town.ask(sender.cross_gateway_query(find_documents(cx(QUILL.mrn, HOME), home="urn:oid:2.999.66")))
        (message,) = told()
        assert message.outcome == MINOR and message.description.startswith("community-unknown")


class TestCrossGatewayRetrieve:
    @staticmethod
    def ask(town, *unique_ids):
        town.ask(town.retrieve(*unique_ids), path=PATHS["ITI-39"])

    def test_of_a_document_is_an_export_that_names_it(self, town, told):
        self.ask(town, "2.999.1.7.2001")
        (message,) = told()
        assert (message.event, message.type, message.action, message.outcome) == (EXPORT, ("ITI-39", IHE), "R", SUCCESS)
        assert asked_by_riverside(message, PATHS["ITI-39"])
        assert message.patients == [cx(QUILL.mrn, HOME)]
        assert message.objects("2", "3") == [("2.999.1.7.2001", ("9", "RFC-3881"), None, {
            "Repository Unique Id": REPOSITORY, "ihe:homeCommunityID": f"urn:oid:{HOME}"})]

    def test_of_some_and_not_others_is_a_success_and_a_failure(self, town, told):
        self.ask(town, "2.999.1.7.2001", "2.999.404", "2.999.1.7.2002")
        given, missing = told(2)
        assert (given.outcome, given.documents) == (SUCCESS, ["2.999.1.7.2001", "2.999.1.7.2002"])
        assert (missing.outcome, missing.documents, missing.patients) == (MINOR, ["2.999.404"], [])
        assert given.entry == missing.entry

    def test_of_nothing_is_a_failure_alone(self, town, told):
        self.ask(town, "2.999.404")
        (message,) = told()
        assert (message.outcome, message.documents, message.patients) == (MINOR, ["2.999.404"], [])

    def test_of_many_is_told_in_messages_a_repository_takes(self, town, told):
        asked = [f"2.999.404.{number}" for number in range(120)]
        self.ask(town, *asked)
        messages = told(3)
        assert [document for message in messages for document in message.documents] == asked


class TestWhoCouldNotProveWhoTheyAre:
    @pytest.mark.parametrize("credential", [None, ca.self_signed("stranger.example", "Nobody")],
                             ids=["no certificate", "a stranger's"])
    def test_over_tls_is_a_failed_node_authentication(self, town, told, credential):
        with pytest.raises(Closed), town.gateway.connect(credential) as connection:
            connection.post(PATHS["ITI-38"], *town.find_documents(TEST_PATIENT).wire())
        (message,) = told()
        assert (message.event, message.type) == (("110113", "DCM"), ("110126", "DCM"))
        assert (message.action, message.outcome) == ("E", SERIOUS)
        assert message.participant("110153")["NetworkAccessPointID"] == "127.0.0.1"

    def test_by_their_token_is_a_failed_login(self, town, told):
        message = town.sender(audience="https://somebody.else.example").patient_discovery(QUILL)
        town.ask(message, path=PATHS["ITI-55"])
        (told_of,) = told()
        assert (told_of.event, told_of.type) == (("110114", "DCM"), ("110122", "DCM"))
        assert told_of.outcome == SERIOUS and told_of.query is None and told_of.patients == []
        assert told_of.description.startswith("ITI-55: audience-not-us")
        assert told_of.participant(None) is None, "nobody was verified"

    def test_with_a_message_that_cannot_be_read_is_told_as_refused(self, town, told):
        with town.gateway.connect(riverside().tls) as connection:
            connection.post(PATHS["ITI-38"], "application/soap+xml", b"<nonsense/>")
        (message,) = told()
        assert (message.event, message.type) == (("110113", "DCM"), ("message-refused", "Gatehouse"))


class TestTheGatewayItself:
    def test_tells_that_it_started(self, town, repository):
        start = repository.wait_for(lambda found: [m for m in found if m.type == ("110120", "DCM")])[0]
        assert (start.event, start.outcome) == (("110100", "DCM"), SUCCESS)
        assert start.participant("110150")["AlternativeUserID"].isdigit()
        assert start.participant("110151")["UserIsRequestor"] == "true"

    @pytest.mark.parametrize("command", [("audit", "search", "--limit", "1"), ("audit", "export", "--format", "json")],
                             ids=["search", "export"])
    def test_tells_that_its_trail_was_read(self, town, repository, command):
        before = len([m for m in repository.messages() if m.event == ("110101", "DCM")])
        town.gateway.command(*command)
        used = repository.wait_for(lambda found: [m for m in found if m.event == ("110101", "DCM")][before:])
        assert used[0].action == "R" and used[0].objects("2", "13")
        assert used[0].participant(None)["UserIsRequestor"] == "true"

    def test_tells_that_it_stopped(self, found_town, tmp_path, repository):
        town = found_town("stopped-town", configure=repository.tell)
        before = len([m for m in repository.messages() if m.type == ("110121", "DCM")])
        assert town.gateway.stop() == 0
        assert repository.wait_for(lambda found: [m for m in found if m.type == ("110121", "DCM")][before:])


HOSTILE = ["Eve\r\n<85>1 - - - - - - forged", "%s%n%x", "\u2028\u2029\u0085x", 'a"b\'c&amp;<d>]]>', "<!--", "\u202egnp.exe",
           "CN=a\\,O=b", "alias<user@issuer>"]


class TestHostileNames:
    @pytest.mark.parametrize("hostile", HOSTILE, ids=[f"{n}" for n in range(len(HOSTILE))])
    def test_leave_one_line_for_each_event(self, town, told, repository, hostile):
        """O12, T13: refused as unreadable or told as they are, and nothing is forged."""
        town.ask(town.sender(user=hostile, name_id=hostile, organization=hostile).patient_discovery(QUILL),
                 path=PATHS["ITI-55"])
        (message,) = told()
        human = message.participant(None)
        if human is None:
            assert message.event == ("110114", "DCM")
        else:
            assert hostile.split() == human["UserID"].split()
            assert human["UserName"] == f"<{' '.join(hostile.split())}@security@riverside.example>" or "\n" in hostile
        assert all(line.application == "gatehouse" for line in repository.lines())


class TestEveryMessage:
    """Runs last: over everything the repository has by now."""

    def test_is_valid_by_the_official_schema(self, shared, repository, tmp_path):
        messages = repository.messages()
        assert len(messages) > 20
        files = []
        for number, message in enumerate(messages):
            files.append(tmp_path / f"{number}.xml")
            files[-1].write_text(message.xml)
        ran = subprocess.run(["xmllint", "--nonet", "--noout", "--schema", SCHEMA, *files], capture_output=True,
                             text=True)
        assert ran.returncode == 0, ran.stderr[:2000]
        kinds = {}
        for message in messages:
            kinds[message.event, message.type, message.outcome] = message
        assert len(kinds) >= 10
        for message in kinds.values():
            assert judges.xerces_complaint(message.xml.encode(), SCHEMA) == ""

    def test_is_a_syslog_message_of_the_audit_facility(self, repository):
        for line in repository.lines():
            if line.msgid == "gatehouse-checkpoint":
                assert line.pri == 85
                continue
            assert line.msgid == "IHE+RFC-3881" and line.process.isdigit()
            assert line.pri == (85 if AuditMessage(line.text).outcome == SUCCESS else 84)

    def test_comes_in_the_order_of_its_chain(self, repository):
        entries = {}
        for message in repository.messages():
            node, seq = message.entry
            assert seq >= entries.get(node, 0)
            entries[node] = seq

    def test_of_a_discovery_is_built_as_another_maker_builds_it(self, shared, repository):
        """IPF: every element and attribute of its message is in ours; what is more here is named."""
        ours = next(m for m in repository.messages() if m.type == ("ITI-55", IHE) and m.patients)

        def paths(root):
            found = set()
            for node in root.iter(etree.Element):
                steps = "/".join(a.tag for a in reversed([node, *node.iterancestors()]))
                found |= {steps, *(f"{steps}@{name}" for name in node.attrib)}
            return found
        for sample in ("ipf-xcpd.xml", "ipf-audit-message-iti55.xml"):
            theirs = etree.parse(str(shared / "samples" / "atna" / sample)).getroot()
            missing = {path for path in paths(theirs) - paths(ours.root) if not path.endswith("EventOutcomeDescription")}
            assert missing == set(), sample
            codes = {(n.tag, n.get("csd-code"), n.get("codeSystemName")) for n in theirs.iter("EventID", "EventTypeCode",
                                                                                         "RoleIDCode")}
            assert codes <= {(n.tag, n.get("csd-code"), n.get("codeSystemName")) for n in ours.root.iter()}
            assert [n.tag for n in theirs] == sorted([n.tag for n in theirs], key=[
                "EventIdentification", "ActiveParticipant", "AuditSourceIdentification",
                "ParticipantObjectIdentification"].index)

    def test_of_the_checkpoints_is_a_witness_outside_of_the_house(self, town, repository):
        lines = "".join(json.dumps(c, separators=(",", ":")) + "\n" for c in repository.checkpoints())
        mine = {row["node"] for row in town.gateway.audit(limit=400)}
        kept = "".join(line + "\n" for line in lines.splitlines() if json.loads(line)["node"] in mine)
        witness = town.gateway.write("witness-from-syslog", kept)
        ran = town.gateway.run("audit", "verify", "--witness", witness, "--config", town.gateway.config, "--json")
        assert ran.exit == 0, ran.output
        assert ran.json["had_witness"] and ran.json["witnessed"] == kept.count("\n") > 20
