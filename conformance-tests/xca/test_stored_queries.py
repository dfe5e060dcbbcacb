"""All stored queries of ITI-18 as ITI-38 asks them: against known answers of NIST, as a peer of another make would, and
never saying more than policy lets be seen. [ITI TF-2 §3.18.4.1.2.3; facts: query exchange §3, §6.2]"""

import pytest
from lxml import etree

from peer import judges, names, nist
from peer.answers import NO_NETWORK
from peer.names import PREFIXES

pytestmark = pytest.mark.both_databases

NIST_HOME = {"as they are": "2.999.71.1", "permuted": "2.999.71.2"}
BY_PATIENT = {"FindDocuments", "FindSubmissionSets", "FindFolders", "GetAll", "FindDocumentsByReferenceId"}


def ask(town, payload):
    return town.ask(town.sender().cross_gateway_query(payload))


def adhoc(payload):
    return next(payload.iter("{*}AdhocQuery"))


# ---------------------------------------------------------------- known answers

@pytest.fixture(scope="module")
def crowded_town(found_town):
    return found_town("crowded-town")


@pytest.fixture(scope="module", params=["as they are", "permuted"])
def loaded(request, shared, crowded_town, rng):
    """A clinic of its own with NIST's two patients and seven submissions, loaded by our commands."""
    writing = nist.AsTheyAre() if request.param == "as they are" else nist.Permuted(rng)
    home, gateway = NIST_HOME[request.param], crowded_town.gateway
    gateway.command("clinic", "add", "--home", home, "--name", f"NIST {writing.name}", "--assigning-authority",
                    writing.authority, "--purposes", "treatment", "--by", "Olga Staff")
    crowded_town.enter(*nist.patients(writing.mrns), authority=writing.authority, clinic=home)
    for number, root in enumerate(nist.submissions()):
        path = gateway.write(f"submission-{number}.xml", etree.tostring(writing.tree(root)))
        gateway.command("document", "import", path, "--clinic", home)
    return crowded_town, writing, home


@pytest.fixture(scope="module")
def answers(loaded):
    """file -> (expected row, answer)"""
    town, writing, home = loaded

    def asked(row):
        payload = writing.tree(nist.query(row, town.gateway.clock.now()))
        adhoc(payload).set("home", f"urn:oid:{home}")
        return ask(town, payload)
    return {row.file: (row, asked(row)) for row in nist.rows()}


def counts(answer):
    return {"Documents": len(answer.entries), "SubmissionSets": len(answer.sets), "Folders": len(answer.folders),
            "Associations": len(answer.associations), "ObjectRefs": len(answer.references)}


NIST_ROWS = nist.rows() if nist.FOLDER.is_dir() else []


class TestKnownAnswers:
    @pytest.mark.parametrize("file", [row.file for row in NIST_ROWS])
    def test_hold(self, loaded, answers, file):
        _, writing, home = loaded
        row, answer = answers[file]
        said = answer.query
        assert said.status.rpartition(":")[2] == row.status
        if row.status == "Failure":
            assert [e.code for e in said.errors] == [row.error or "XDSRegistryError"]
            assert said.is_empty
            return
        assert said.errors == ()
        found = counts(said)
        assert {kind: found[kind] for kind in row.counts} == row.counts
        if row.objects:
            listed = said.references or tuple(entry.entry_uuid for entry in said.entries)
            assert sorted(listed) == sorted(map(writing.id, row.objects))

    def test_are_sixty_one_and_valid_to_both_parsers(self, answers):
        assert len(answers) == 61
        assert {file: judges.schema_complaints(answer) for file, (_, answer) in answers.items()
                if judges.schema_complaints(answer)} == {}

    def test_bear_our_home_on_every_object(self, loaded, answers):
        _, _, home = loaded
        for _, answer in answers.values():
            listed = answer.find(".//rim:RegistryObjectList")
            assert {node.get("home") for node in listed} <= {f"urn:oid:{home}"}

    def test_need_a_home_where_no_patient_is_named(self, loaded):
        town, writing, _ = loaded
        told = {}
        for row in nist.rows():
            payload = writing.tree(nist.query(row, town.gateway.clock.now()))
            answer = ask(town, payload).query
            by_patient = any(slot.get("name").endswith(("PatientId", "patientId"))
                             for slot in payload.iter("{*}Slot"))
            told.setdefault(by_patient, set()).update(
                e.code for e in answer.errors if e.code != "XDSRegistryError")
            if not by_patient:
                assert (answer.status, answer.is_empty) == (names.FAILURE, True), row.file
        assert told == {True: set(), False: {"XDSMissingHomeCommunityId"}}
