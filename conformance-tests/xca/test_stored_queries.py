"""All stored queries of ITI-18 as ITI-38 asks them: against known answers of NIST, as a peer of another make would, and
never saying more than policy lets be seen. [ITI TF-2 §3.18.4.1.2.3; facts: query exchange §3, §6.2]"""

from types import SimpleNamespace

import pytest
from lxml import etree

from peer import judges, names, nist
from peer.gateway import PATHS
from peer.messages import cx, find_documents, stored_query
from peer.names import q
from peer.records import Patient
from peer.submissions import REPLACES, Submission, entry_uuid, unique_id
from peer.town import AFTERWARDS, HOME, QUILL, STRANGER, riverside

pytestmark = pytest.mark.both_databases

CONFIDENTIALITY_SYSTEM = "2.16.840.1.113883.5.25"
NIST_HOME = {"as they are": "2.999.71.1", "permuted": "2.999.71.2"}
SUBJECT = Patient("HV-7001", "Underhill", "Primula", "F", "19660606", "7 Willow Bend")
FILED = Patient("HV-7002", "Overstreet", "Casimir", "M", "19670707", "8 Willow Bend")
CROWD = Patient("HV-7003", "Throng", "Melchior", "M", "19680808", "9 Willow Bend")


def ask(town, payload):
    return town.ask(town.sender().cross_gateway_query(payload))


def adhoc(payload):
    return next(payload.iter("{*}AdhocQuery"))


# ---------------------------------------------------------------- known answers

@pytest.fixture(scope="module")
def toolkit_town(found_town):
    return found_town("toolkit-town")


def let_everything_leave(town, writing, home, confidentialities):
    """NIST's queries know no policy. Some of its documents are very restricted: their patients consent; confidentialities
    under other names are known to the clinic."""
    own = [f"know={system}|{code}" for system, code in confidentialities if system != CONFIDENTIALITY_SYSTEM]
    if own:
        town.gateway.command("settings", "set", *own, "--by", "Olga Staff", "--clinic", home)
    for mrn in writing.mrns:
        town.gateway.command("consent", "give", mrn, "--label", "V", "--purpose", "treatment", "--to", riverside().home,
                             "--by", "Norbert", "--as", "patient", "--clinic", home)


@pytest.fixture(scope="module", params=["as they are", "permuted"])
def loaded(request, shared, toolkit_town, rng):
    """A clinic of its own with NIST's two patients and seven submissions, loaded by our commands."""
    writing = nist.AsTheyAre() if request.param == "as they are" else nist.Permuted(rng)
    home, gateway = NIST_HOME[request.param], toolkit_town.gateway
    gateway.command("clinic", "add", "--home", home, "--name", f"NIST {writing.name}", "--assigning-authority",
                    writing.authority, "--purposes", "treatment", "--by", "Olga Staff")
    toolkit_town.enter(*nist.patients(writing.mrns), authority=writing.authority, clinic=home)
    roots = [writing.tree(root) for root in nist.submissions()]
    for number, root in enumerate(roots):
        path = gateway.write(f"submission-{number}.xml", etree.tostring(root))
        gateway.command("document", "import", path, "--clinic", home)
    let_everything_leave(toolkit_town, writing, home, nist.confidentialities(roots))
    return toolkit_town, writing, home


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


# ---------------------------------------------------------------- every query against one patient

QUERIES = {"FindDocuments": names.FIND_DOCUMENTS, "GetDocuments": names.GET_DOCUMENTS,
           "FindSubmissionSets": "urn:uuid:f26abbcb-ac74-4422-8a30-edb644bbc1a9",
           "FindFolders": "urn:uuid:958f3006-baad-4929-a4de-ff1114824431",
           "GetAll": "urn:uuid:10b545ea-725c-446d-9b95-8aeb444eddf3",
           "GetFolders": "urn:uuid:5737b14c-8a1a-4539-b659-e03a34a5e1e4",
           "GetAssociations": "urn:uuid:a7ae438b-4bc2-4642-93e9-be891f7bb155",
           "GetDocumentsAndAssociations": "urn:uuid:bab9529a-4a10-40b3-a01f-f68a615d247a",
           "GetSubmissionSets": "urn:uuid:51224314-5390-4169-9b91-b1980040715a",
           "GetSubmissionSetAndContents": "urn:uuid:e8e3cb2c-e39c-46b9-99e4-c12f57260b83",
           "GetFolderAndContents": "urn:uuid:b909a503-523d-4517-8acf-8e5834dfc4c7",
           "GetFoldersForDocument": "urn:uuid:10cae35a-c7f9-4cf5-b61e-fc3278ffb578",
           "GetRelatedDocuments": "urn:uuid:d90e5407-b356-4d91-a89f-873917b4b0e6",
           "FindDocumentsByReferenceId": "urn:uuid:12941a89-e02e-4be5-967c-ce4bfc8fe492"}
STATUS = [f"('{names.APPROVED}','urn:oasis:names:tc:ebxml-regrep:StatusType:Deprecated')"]
BOTH_TYPES = [f"('{names.STABLE}','{names.ON_DEMAND}')"]
ORDER = "A-17^^^&2.999.70.2&ISO^urn:ihe:iti:xds:2013:order"


def query(name, slots, home=HOME, return_type="LeafClass"):
    return stored_query(QUERIES[name], slots, f"urn:oid:{home}", return_type)


def quoted(*values):
    return ["(" + ",".join(f"'{value}'" for value in values) + ")"]


def uuids(*of):
    return quoted(*map(entry_uuid, of))


def every_query(patient, prefix, return_type="LeafClass"):
    """name -> a query that answers something of what `submit` submits under that prefix"""
    whose = [f"'{cx(patient.mrn, HOME)}'"]
    slots = {
        "FindDocuments": {"$XDSDocumentEntryPatientId": whose, "$XDSDocumentEntryStatus": STATUS},
        "FindDocumentsByReferenceId": {"$XDSDocumentEntryPatientId": whose, "$XDSDocumentEntryStatus": STATUS,
                                       "$XDSDocumentEntryReferenceIdList": quoted(ORDER)},
        "FindSubmissionSets": {"$XDSSubmissionSetPatientId": whose, "$XDSSubmissionSetStatus": STATUS},
        "FindFolders": {"$XDSFolderPatientId": whose, "$XDSFolderStatus": STATUS},
        "GetAll": {"$patientId": whose, "$XDSDocumentEntryStatus": STATUS, "$XDSSubmissionSetStatus": STATUS,
                   "$XDSFolderStatus": STATUS, "$XDSDocumentEntryType": BOTH_TYPES},
        "GetDocuments": {"$XDSDocumentEntryUniqueId": quoted(unique_id(prefix + "one"), unique_id(prefix + "live"))},
        "GetFolders": {"$XDSFolderUniqueId": quoted(unique_id(prefix + "folder"))},
        "GetAssociations": {"$uuid": uuids(prefix + "one", prefix + "folder")},
        "GetDocumentsAndAssociations": {"$XDSDocumentEntryEntryUUID": uuids(prefix + "one", prefix + "two")},
        "GetSubmissionSets": {"$uuid": uuids(prefix + "one", prefix + "folder")},
        "GetSubmissionSetAndContents": {"$XDSSubmissionSetUniqueId": [f"'{unique_id(prefix + 'set')}'"]},
        "GetFolderAndContents": {"$XDSFolderEntryUUID": [f"'{entry_uuid(prefix + 'folder')}'"]},
        "GetFoldersForDocument": {"$XDSDocumentEntryEntryUUID": [f"'{entry_uuid(prefix + 'two')}'"]},
        "GetRelatedDocuments": {"$XDSDocumentEntryUniqueId": [f"'{unique_id(prefix + 'new')}'"],
                                "$AssociationTypes": quoted(REPLACES)},
    }
    assert slots.keys() == QUERIES.keys()
    return {name: query(name, of, return_type=return_type) for name, of in slots.items()}


def submit(town, patient, prefix):
    """Three documents, an On-Demand one, a folder, and a new version of the first."""
    first = (Submission(patient, HOME, prefix + "set").document(prefix + "one", references=[ORDER])
             .document(prefix + "two").document(prefix + "live", on_demand=True)
             .folder(prefix + "folder", prefix + "one", prefix + "two"))
    version = (Submission(patient, HOME, prefix + "set2").document(prefix + "new")
               .relate(prefix + "new", prefix + "one", REPLACES))
    for number, submission in enumerate((first, version)):
        path = town.gateway.write(f"{prefix}{number}.xml", submission.file())
        assert town.gateway.json("document", "import", path)["documents"][0]["outcome"] == "inserted"


# What each query answers: entries, sets, folders, associations. [facts §3.2; ITI TF-2 §3.18.4.1.2.3.7]
ANSWERED = {"FindDocuments": (3, 0, 0, 0), "FindDocumentsByReferenceId": (1, 0, 0, 0), "FindSubmissionSets": (0, 2, 0, 0),
            "FindFolders": (0, 0, 1, 0), "GetAll": (4, 2, 1, 10), "GetDocuments": (2, 0, 0, 0),
            "GetFolders": (0, 0, 1, 0), "GetAssociations": (0, 0, 0, 5), "GetDocumentsAndAssociations": (2, 0, 0, 5),
            "GetSubmissionSets": (0, 1, 0, 2), "GetSubmissionSetAndContents": (2, 1, 1, 7),
            "GetFolderAndContents": (2, 0, 1, 2), "GetFoldersForDocument": (0, 0, 1, 0),
            "GetRelatedDocuments": (2, 0, 0, 1)}


def listed(answer):
    said = answer.query
    return tuple(map(len, (said.entries, said.sets, said.folders, said.associations)))


@pytest.fixture(scope="module")
def crowded_town(found_town):
    return found_town("crowded-town")


@pytest.fixture(scope="module")
def told(crowded_town):
    """Every query while the patient may be shared, is denied, and is gone: the same bytes each time."""
    town = crowded_town
    town.enter(SUBJECT)
    submit(town, SUBJECT, "told-")
    wires = {kind: {name: town.sender().cross_gateway_query(payload).wire()
                    for name, payload in every_query(SUBJECT, "told-", kind).items()}
             for kind in ("LeafClass", "ObjectRef")}

    def ask_all():
        mark = town.gateway.audit_mark()
        answers = {kind: {name: town.ask(wire) for name, wire in of.items()} for kind, of in wires.items()}
        outcomes = [(row["outcome"], row["reason"]) for row in town.gateway.audit_since(mark)
                    if row["outcome"] not in AFTERWARDS]
        return SimpleNamespace(answers=answers, outcomes=set(outcomes))
    allowed = ask_all()
    town.choose(SUBJECT)
    denied = ask_all()
    town.delete(SUBJECT)
    return SimpleNamespace(allowed=allowed, denied=denied, absent=ask_all())


@pytest.mark.parametrize("name", QUERIES)
class TestEveryQuery:
    def test_answers_with_the_objects_it_is_for(self, told, name):
        answer = told.allowed.answers["LeafClass"][name]
        assert (answer.query.status, answer.query.errors) == (names.SUCCESS, ())
        assert listed(answer) == ANSWERED[name]

    def test_answers_the_same_objects_by_reference(self, told, name):
        leaves = [node.get("id") for node in told.allowed.answers["LeafClass"][name].find(".//rim:RegistryObjectList")]
        references = told.allowed.answers["ObjectRef"][name].find(".//rim:RegistryObjectList")
        assert [node.get("id") for node in references] == leaves
        assert {node.tag for node in references} == {q("rim:ObjectRef")}
        assert {node.get("home") for node in references} == {f"urn:oid:{HOME}"}

    @pytest.mark.parametrize("kind", ["LeafClass", "ObjectRef"])
    def test_is_valid_to_both_parsers(self, told, shared, name, kind):
        assert judges.schema_complaints(told.allowed.answers[kind][name]) == {}
        assert judges.schema_complaints(told.denied.answers[kind][name]) == {}

    @pytest.mark.parametrize("kind", ["LeafClass", "ObjectRef"])
    def test_is_answered_for_a_denied_patient_as_for_one_who_is_absent(self, told, name, kind):
        denied = told.denied.answers[kind][name]
        assert judges.difference(denied, told.absent.answers[kind][name]) == ""
        assert judges.leak(denied, (SUBJECT.family, SUBJECT.mrn, "told-")) == ""
        assert (denied.query.status, denied.query.is_empty) == (names.SUCCESS, True)


def test_only_our_audit_knows_why_nothing_was_answered(told):
    assert told.allowed.outcomes == {("released", "")}
    assert told.denied.outcomes == {("withheld", "patient-purpose")}
    assert told.absent.outcomes == {("no-match", "")}


# ---------------------------------------------------------------- what a registry holds

@pytest.fixture(scope="module")
def filed(crowded_town):
    town = crowded_town
    town.enter(FILED)
    submit(town, FILED, "filed-")
    return town


class TestVersionsAndOnDemandEntries:
    def find(self, town, **slots):
        rows = {f"$XDSDocumentEntry{name}": values for name, values in slots.items()}
        return {entry.unique_id for entry in ask(town, query("FindDocuments", {
            "$XDSDocumentEntryPatientId": [f"'{cx(FILED.mrn, HOME)}'"], **rows})).query.entries}

    def test_what_is_replaced_is_deprecated(self, filed):
        assert self.find(filed, Status=quoted(names.APPROVED)) == {unique_id("filed-new"), unique_id("filed-two")}
        assert self.find(filed, Status=quoted("urn:oasis:names:tc:ebxml-regrep:StatusType:Deprecated")) == {
            unique_id("filed-one")}

    def test_an_on_demand_entry_shows_to_who_asks_for_it(self, filed):
        assert self.find(filed, Status=STATUS, Type=quoted(names.ON_DEMAND)) == {unique_id("filed-live")}
        assert self.find(filed, Status=STATUS, Type=BOTH_TYPES, CreationTimeFrom=["20990101"]) == {
            unique_id("filed-live")}, "the time filter does not see it"

    def test_metadata_alone_is_nothing_to_retrieve(self, filed):
        answer = filed.ask(filed.retrieve(unique_id("filed-two"), unique_id("filed-live"), unique_id("filed-none")),
                           path=PATHS["ITI-39"])
        assert answer.retrieve.status == names.FAILURE
        assert {e.code for e in answer.retrieve.errors} == {"XDSDocumentUniqueIdError"}
        blank = [e.context.replace(unique_id(f"filed-{name}"), "")
                 for e, name in zip(answer.retrieve.errors, ("two", "live", "none"))]
        assert len(set(blank)) == 1

    def test_a_document_imported_by_itself_has_a_set_of_its_own(self, crowded_town):
        entry = ask(crowded_town, find_documents(cx(QUILL.mrn, HOME))).query.entries[0]
        said = ask(crowded_town, query("GetSubmissionSets", {"$uuid": quoted(entry.entry_uuid)})).query
        assert [one.target for one in said.associations] == [entry.entry_uuid]
        assert [one.entry_uuid for one in said.sets] == [said.associations[0].source]


class TestTooMuch:
    """More than an answer holds is said, of what may be seen alone. [ITI TF-2 §3.18.4.1.2.6: XDSTooManyResults]"""

    @pytest.fixture(scope="class")
    def crowd(self, crowded_town):
        crowded_town.enter(CROWD)
        submission = Submission(CROWD, HOME, "crowd")
        for number in range(1000):
            submission.document(f"crowd-{number}")
        path = crowded_town.gateway.write("crowd.xml", submission.file())
        crowded_town.gateway.command("document", "import", path)
        yield crowded_town
        crowded_town.delete(CROWD)

    def get_all(self, town, return_type):
        payload = every_query(CROWD, "", return_type)["GetAll"]
        return ask(town, payload)

    def test_is_an_error_and_by_reference_it_fits(self, crowd):
        answer = self.get_all(crowd, "LeafClass").query
        assert (answer.status, [e.code for e in answer.errors]) == (names.FAILURE, ["XDSTooManyResults"])
        assert answer.is_empty
        assert len(self.get_all(crowd, "ObjectRef").query.references) == 2001

    def test_is_said_of_nobody_who_is_denied(self, crowd):
        crowd.choose(CROWD)
        denied = self.get_all(crowd, "LeafClass")
        crowd.forget_choice(CROWD)
        assert (denied.query.status, denied.query.is_empty) == (names.SUCCESS, True)


# ---------------------------------------------------------------- loading

class TestImport:
    def refusal(self, town, submission):
        path = town.gateway.write("refused.xml", submission if isinstance(submission, bytes) else submission.file())
        ran = town.gateway.command("document", "import", path, "--json", exit=1)
        row = ran.json["documents"][0]
        assert row["outcome"] == "refused"
        return row["why"]

    def test_again_changes_nothing(self, filed):
        path = filed.gateway.folder / "filed-0.xml"
        assert filed.gateway.json("document", "import", path)["documents"][0]["outcome"] == "unchanged"

    @pytest.mark.parametrize("submission, says", [
        (Submission(STRANGER, HOME, "x-set").document("x-one"), "patient"),
        (Submission(FILED, "2.999.99", "x-set").document("x-one"), "assigning authority"),
        (Submission(FILED, HOME, "x-set").document("x-one").relate("x-one", "x-none", REPLACES), "import first"),
        (Submission(FILED, HOME, "x-set").document("x-one").relate("x-one", "filed-one", REPLACES), "newest version"),
        (Submission(FILED, HOME, "x-set").document("filed-two"), "UUID of its own"),
        (b"<a/>", "SubmitObjectsRequest"),
        (Submission(FILED, HOME, "x-set").document("x-one").file().replace(b"languageCode", b"language"),
         "lacks languageCode"),
    ], ids=["of an unknown patient", "of another authority", "that replaces what is not held",
            "that replaces what was replaced", "with an id that is taken", "that is no metadata",
            "that is incomplete"])
    def test_refuses_a_submission(self, filed, submission, says):
        assert says in self.refusal(filed, submission)


# ---------------------------------------------------------------- whoever asks with ill intent [threats S05]

SQL = "x'' OR 1=1; DROP TABLE documents; --"


class TestHostileQueries:
    def refused(self, town, payload):
        return [e.code for e in ask(town, payload).query.errors]

    @pytest.mark.parametrize("name", QUERIES)
    def test_sql_in_every_slot_finds_nothing_and_changes_nothing(self, filed, name):
        payload = every_query(FILED, "filed-")[name]
        for value in payload.iter("{*}Value"):
            value.text = f"'{SQL}'"
        answer = ask(filed, payload).query
        assert answer.is_empty and {e.code for e in answer.errors} <= {"XDSRegistryError", "XDSStoredQueryMissingParam"}
        assert listed(ask(filed, every_query(FILED, "filed-")[name])) == ANSWERED[name]

    @pytest.mark.parametrize("pattern", ["%", "_%", "%" * 200 + "x", "_" * 256])
    def test_wildcards_find_who_they_fit_and_no_more(self, filed, pattern):
        payload = query("FindSubmissionSets", {
            "$XDSSubmissionSetPatientId": [f"'{cx(FILED.mrn, HOME)}'"], "$XDSSubmissionSetStatus": STATUS,
            "$XDSSubmissionSetAuthorPerson": [f"'{pattern}'"]})
        answer = ask(filed, payload)
        assert (answer.query.errors, answer.query.sets) == ((), ()), "these sets have no author"
        assert answer.seconds < 2

    @pytest.mark.parametrize("slots, code", [
        ({"$XDSFolderPatientId": [f"'{cx(FILED.mrn, HOME)}'", f"'{cx(FILED.mrn, HOME)}'"], "$XDSFolderStatus": STATUS},
         "XDSStoredQueryParamNumber"),
        ({"$XDSFolderPatientId": ["'a^b^^&1.2&ISO'"], "$XDSFolderStatus": STATUS}, "XDSRegistryError"),
        ({"$XDSFolderPatientId": ["'a&b^^^&1.2&ISO'"], "$XDSFolderStatus": STATUS}, "XDSRegistryError"),
        ({"$XDSFolderPatientId": ["'a^^^1^^&1.2&ISO'"], "$XDSFolderStatus": STATUS}, "XDSRegistryError"),
        ({"$XDSFolderPatientId": [f"'{cx(FILED.mrn, HOME)}'"], "$XDSFolderStatus": ["('Submitted')"]},
         "XDSStoredQueryMissingParam"),
    ], ids=["the patient twice", "a circumflex", "an ampersand", "five components", "no status that is known"])
    def test_get_the_error_of_their_kind(self, filed, slots, code):
        assert self.refused(filed, query("FindFolders", slots)) == [code]

    def test_a_thousand_ids_are_the_most_for_anyone(self, filed):
        ids = [f"2.999.4.{number}" for number in range(1001)]
        assert self.refused(filed, query("GetDocuments", {"$XDSDocumentEntryUniqueId": quoted(*ids[:1000])})) == []
        assert self.refused(filed, query("GetDocuments", {"$XDSDocumentEntryUniqueId": quoted(*ids)})) == [
            "XDSTooManyResults"]

    def test_a_hundred_thousand_values_are_no_query(self, filed):
        payload = query("GetAssociations", {"$uuid": [f"('{number}')" for number in range(100_000)]})
        answer = ask(filed, payload)
        assert (answer.status, answer.fault.code) == (400, "Sender")


def test_a_changed_mind_counts_from_the_next_query_on(filed):
    wanted = every_query(FILED, "filed-")["GetSubmissionSetAndContents"]
    with filed.gateway.connect(riverside().tls) as connection:
        def sets():
            message = filed.sender().cross_gateway_query(wanted)
            return len(filed.ask(message, connection=connection).query.sets)
        for _ in range(2):
            assert sets() == 1
            filed.choose(FILED)
            assert sets() == 0
            filed.choose(FILED, "treatment")
        assert sets() == 1
    filed.forget_choice(FILED)
