"""A submission set and a folder with one entry that may be shared and one that may not, over the wire.

What makes an entry one that may not be shared is its patient: the tests write it into the store (SQLite) under one who
is denied, beside the others of its set; or it is a label that staff give it. Later the row is taken away altogether: no
query may be answered otherwise. [facts: query exchange §6.2; xca/ebxml/permitted.hpp, as_seen.hpp; threats C14]"""

import sqlite3
import time

import pytest
from lxml import etree

from peer import judges, names
from peer.messages import cx, stored_query
from peer.records import Patient
from peer.submissions import APPENDS, REPLACES, Submission, association, entry_uuid, unique_id
from peer.town import HOME

OWNER = Patient("HV-7101", "Sharer", "Odile", "F", "19710101", "1 Alder Way")
DENIED = Patient("HV-7102", "Keeper", "Basil", "M", "19720202", "2 Alder Way")
OPEN, HIDDEN = entry_uuid("shared-open"), entry_uuid("shared-hidden")
APPROVED, DEPRECATED = (f"urn:oasis:names:tc:ebxml-regrep:StatusType:{word}" for word in ("Approved", "Deprecated"))


def ids(*names_of):
    return ["(" + ",".join(f"'{entry_uuid(name)}'" for name in names_of) + ")"]


# Each names the hidden entry or what holds it, beside what may be seen.
QUERIES = {
    "GetDocuments": ("5c4f972b-d56b-40ac-a5fc-c8ca9b40b9d4",
                     {"$XDSDocumentEntryEntryUUID": ids("shared-open", "shared-hidden", "shared-old")}),
    "GetDocumentsAndAssociations": ("bab9529a-4a10-40b3-a01f-f68a615d247a",
                                    {"$XDSDocumentEntryEntryUUID": ids("shared-open", "shared-hidden")}),
    "GetAssociations": ("a7ae438b-4bc2-4642-93e9-be891f7bb155",
                        {"$uuid": ids("shared-set", "shared-folder", "shared-hidden", "shared-next")}),
    "GetSubmissionSets": ("51224314-5390-4169-9b91-b1980040715a",
                          {"$uuid": ids("shared-open", "shared-hidden", "shared-folder")}),
    "GetSubmissionSetAndContents": ("e8e3cb2c-e39c-46b9-99e4-c12f57260b83",
                                    {"$XDSSubmissionSetEntryUUID": ids("shared-set")}),
    "GetFolders": ("5737b14c-8a1a-4539-b659-e03a34a5e1e4", {"$XDSFolderEntryUUID": ids("shared-folder", "shared-only")}),
    "GetFolderAndContents": ("b909a503-523d-4517-8acf-8e5834dfc4c7", {"$XDSFolderEntryUUID": ids("shared-folder")}),
    "GetFoldersForDocument": ("10cae35a-c7f9-4cf5-b61e-fc3278ffb578",
                              {"$XDSDocumentEntryEntryUUID": ids("shared-hidden")}),
    "GetRelatedDocuments": ("d90e5407-b356-4d91-a89f-873917b4b0e6",
                            {"$XDSDocumentEntryEntryUUID": ids("shared-next"), "$AssociationTypes": [f"('{REPLACES}')"]}),
    "FindDocuments": ("14d4debf-8f97-4251-9a74-a90016b0af0d",
                      {"$XDSDocumentEntryPatientId": [f"'{cx(OWNER.mrn, HOME)}'"],
                       "$XDSDocumentEntryStatus": [f"('{APPROVED}')"]}),
    "FindFolders": ("958f3006-baad-4929-a4de-ff1114824431",
                    {"$XDSFolderPatientId": [f"'{cx(OWNER.mrn, HOME)}'"], "$XDSFolderStatus": [f"('{APPROVED}')"]}),
}


def objects(answer):
    """The registry objects of an answer as they are written, by id."""
    rim = "{urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0}"
    return {one.get("id"): etree.tostring(one, method="c14n", exclusive=True, with_tail=False)
            for one in etree.fromstring(answer.body).iter(f"{rim}ExtrinsicObject", f"{rim}RegistryPackage")}


def ask_all(town, wires):
    return {name: town.ask(wire) for name, wire in wires.items()}


@pytest.fixture(scope="module", params=["its patient", "its label"])
def told(found_town, request):
    town = found_town("town-of-shared-sets")
    town.enter(OWNER, DENIED)
    town.choose(DENIED)
    before = (Submission(OWNER, HOME, "shared-set0").document("shared-old").folder("shared-earlier", "shared-old")
              .document("shared-addendum").relate("shared-addendum", "shared-old", APPENDS))
    first = (Submission(OWNER, HOME, "shared-set").document("shared-open").document("shared-hidden")
             .relate("shared-hidden", "shared-old", REPLACES).relate("shared-earlier", "shared-hidden")
             .relate("shared-set", association("shared-earlier", "shared-hidden"))
             .folder("shared-folder", "shared-open", "shared-hidden").folder("shared-only", "shared-hidden"))
    second = (Submission(OWNER, HOME, "shared-set2").document("shared-next")
              .relate("shared-next", "shared-hidden", REPLACES))
    wires = {name: town.sender().cross_gateway_query(
        stored_query(f"urn:uuid:{query}", slots, f"urn:oid:{HOME}")).wire() for name, (query, slots) in QUERIES.items()}

    def submit(submission):
        town.gateway.command("document", "import", town.gateway.write("shared.xml", submission.file()))

    submit(before)
    states = {"before": ask_all(town, wires)}
    time.sleep(1.1)  # a folder tells seconds
    submit(first)
    submit(second)
    states |= {"open": ask_all(town, wires)}
    store = sqlite3.connect(town.gateway.data / "gatehouse.db", timeout=10)
    if request.param == "its label":
        town.gateway.command("document", "label", HIDDEN, "--add", "PSYTHPN", "--by", "Records Office", "--reason",
                             "a psychotherapy note")
    else:
        with store:
            store.execute("UPDATE documents SET patient = (SELECT id FROM patients WHERE mrn = ?) WHERE entry_uuid = ?",
                          (DENIED.mrn, HIDDEN))
    states["hidden"] = ask_all(town, wires)
    mark = town.gateway.audit_mark()
    by_id = stored_query(f"urn:uuid:{QUERIES['GetDocuments'][0]}", {"$XDSDocumentEntryEntryUUID": ids("shared-old")},
                         f"urn:oid:{HOME}")
    town.ask(town.sender().cross_gateway_query(by_id))
    states["recorded"] = [verdict.get("resources") or [verdict.get("resource")]
                          for row in town.gateway.audit("--from", mark, kind="decision")
                          for verdict in row["payload"]["verdicts"]]
    with store:
        store.execute("DELETE FROM documents WHERE entry_uuid = ?", (HIDDEN,))
    states["gone"] = ask_all(town, wires)
    store.close()
    return states


@pytest.mark.parametrize("name", QUERIES)
class TestAHiddenEntry:
    def test_is_answered_as_one_that_was_never_there(self, told, name):
        assert judges.difference(told["hidden"][name], told["gone"][name]) == ""

    def test_is_named_nowhere(self, told, name):
        body = told["hidden"][name].body.decode()
        for word in (HIDDEN, unique_id("shared-hidden"), "shared-hidden", entry_uuid("shared-only")):
            assert word not in body
        for holder in ("shared-set", "shared-folder", "shared-only"):
            assert entry_uuid(association(holder, "shared-hidden")) not in body

    def test_was_told_while_it_might_be(self, told, name):
        assert told["open"][name].query.status == names.SUCCESS
        assert judges.difference(told["open"][name], told["hidden"][name]) != ""


@pytest.mark.parametrize("name", ["shared-old", "shared-addendum"])
def test_what_it_replaced_and_an_addendum_to_that_are_told_as_they_were_before(told, name):
    old = entry_uuid(name)
    assert old not in objects(told["open"]["FindDocuments"]), "it is Deprecated where its successor is seen"
    assert objects(told["hidden"]["FindDocuments"])[old] == objects(told["before"]["FindDocuments"])[old]


def test_by_its_id_it_says_the_same(told):
    old = entry_uuid("shared-old")
    before, open, hidden = (objects(told[state]["GetDocuments"])[old] for state in ("before", "open", "hidden"))
    assert (open != before, hidden) == (True, before)


def test_what_only_decided_how_another_is_told_is_in_no_record(told):
    recorded = [uuid for resources in told["recorded"] for uuid in resources if uuid]
    assert recorded == [entry_uuid("shared-old")]


def test_a_folder_it_was_put_into_is_told_as_it_was_before(told):
    earlier = entry_uuid("shared-earlier")
    before, open, hidden = (objects(told[state]["FindFolders"])[earlier] for state in ("before", "open", "hidden"))
    assert open != before, "it was updated"
    assert hidden == before


def test_a_set_and_a_folder_that_came_with_it_say_what_the_other_entry_says(told):
    contents = told["open"]["GetSubmissionSetAndContents"].query
    assert contents.sets[0].title == "Submission shared-set"
    assert "Folder shared-folder" in [one.title for one in contents.folders]
    contents = told["hidden"]["GetSubmissionSetAndContents"].query
    assert [one.title for one in contents.sets] == ["Document shared-open"]
    assert [one.title for one in contents.folders] == [""]


def test_leaves_its_set_and_folder_to_the_entry_that_may_be_seen(told):
    contents = told["hidden"]["GetSubmissionSetAndContents"].query
    assert [entry.entry_uuid for entry in contents.entries] == [OPEN]
    assert [one.entry_uuid for one in contents.sets] == [entry_uuid("shared-set")]
    assert [one.entry_uuid for one in contents.folders] == [entry_uuid("shared-folder")]
    assert {one.target for one in contents.associations} == {
        OPEN, entry_uuid("shared-folder"), entry_uuid(association("shared-folder", "shared-open"))}
