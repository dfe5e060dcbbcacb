"""ITI-38 Cross Gateway Query, Responding Gateway. [ITI TF-2 §3.38, §3.18; TF-3 §4.2]"""

import pytest

from peer import judges, names
from peer.messages import cx, find_documents, stored_query
from peer.names import q
from peer.town import HOME, QUILL, REPOSITORY, STRANGER, TEST_PATIENT

pytestmark = pytest.mark.both_databases

OF_QUILL = {"2.999.1.7.2001", "2.999.1.7.2002"}


def ask(town, payload):
    return town.ask(town.sender().cross_gateway_query(payload))


def unique_ids(answer):
    return {entry.unique_id for entry in answer.query.entries}


class TestFindDocuments:
    @pytest.fixture(scope="class")
    def asked(self, town):
        return town.find_documents(QUILL)

    @pytest.fixture(scope="class")
    def answer(self, town, asked):
        return town.ask(asked)

    def test_lists_the_documents_of_the_patient(self, answer):
        assert answer.query.status == names.SUCCESS
        assert unique_ids(answer) == OF_QUILL

    def test_says_where_each_is(self, answer):
        assert {(e.home, e.repository) for e in answer.query.entries} == {(f"urn:oid:{HOME}", REPOSITORY)}

    def test_answers_the_request_it_got(self, asked, answer):
        assert (answer.action, answer.relates_to) == (names.CROSS_GATEWAY_QUERY_ANSWER, asked.message_id)

    def test_is_valid_to_both_parsers(self, answer, shared):
        assert judges.schema_complaints(answer) == {}

    def test_is_signed_with_its_body(self, town, answer):
        assert judges.signature_complaint(answer.envelope, town.gateway.certificate("signing")) == ""
        assert q("soap:Body") in judges.signed_elements(answer)

    def test_comes_plain_because_it_was_asked_plain(self, answer):
        assert answer.content_type.startswith("application/soap+xml")

    def test_of_an_unknown_patient_is_an_empty_success(self, town, shared):
        answer = town.ask(town.find_documents(STRANGER))
        assert (answer.query.status, answer.query.entries, answer.query.errors) == (names.SUCCESS, (), ())
        assert judges.schema_complaints(answer) == {}

    def test_of_an_unknown_authority_is_an_empty_success(self, town):
        answer = ask(town, find_documents(cx(QUILL.mrn, "2.999.99")))
        assert (answer.query.status, answer.query.entries) == (names.SUCCESS, ())

    def test_as_object_references_gives_the_entries_ids(self, town):
        answer = ask(town, find_documents(cx(QUILL.mrn, HOME), return_type="ObjectRef"))
        listed = ask(town, find_documents(cx(QUILL.mrn, HOME)))
        assert set(answer.query.references) == {entry.entry_uuid for entry in listed.query.entries}


class TestFilters:
    @pytest.mark.parametrize("slots, expected", [
        ({"CreationTimeFrom": ["20230101"], "CreationTimeTo": ["20240101"]}, {"2.999.1.7.2001"}),
        ({"CreationTimeFrom": ["20240110080000"]}, {"2.999.1.7.2002"}),
        ({"CreationTimeTo": ["20240110080000"]}, {"2.999.1.7.2001"}),
        ({"Type": [f"('{names.ON_DEMAND}')"]}, set()),
        ({"Type": [f"('{names.STABLE}','{names.ON_DEMAND}')"]}, OF_QUILL),
        ({"TypeCode": ["('34133-9^^2.16.840.1.113883.6.1')"]}, OF_QUILL),
        ({"TypeCode": ["('11506-3^^2.16.840.1.113883.6.1')"]}, set()),
        ({"AuthorPerson": ["('%Quill%')"]}, OF_QUILL),
        ({"AuthorPerson": ["('%Nobody%')"]}, set()),
        ({"NoSuchParameter": ["'x'"]}, OF_QUILL),
    ], ids=["between", "from is inclusive", "to is exclusive", "on-demand only", "both types", "type", "other type",
            "author", "other author", "unknown names are ignored"])
    def test_select(self, town, slots, expected):
        assert unique_ids(town.ask(town.find_documents(QUILL, **slots))) == expected


class TestGetDocuments:
    def get(self, town, home=f"urn:oid:{HOME}", **slots):
        slots = {f"$XDSDocumentEntry{name}": values for name, values in slots.items()}
        return ask(town, stored_query(names.GET_DOCUMENTS, slots, home))

    def test_by_unique_id(self, town):
        assert unique_ids(self.get(town, UniqueId=["('2.999.1.7.2001')"])) == {"2.999.1.7.2001"}

    def test_by_entry_uuid(self, town):
        entry = town.ask(town.find_documents(TEST_PATIENT)).query.entries[0]
        assert unique_ids(self.get(town, EntryUUID=[f"('{entry.entry_uuid}')"])) == {entry.unique_id}

    def test_of_an_unknown_document_is_an_empty_success(self, town):
        answer = self.get(town, UniqueId=["('2.999.1.7.404')"])
        assert (answer.query.status, answer.query.entries) == (names.SUCCESS, ())

    def test_without_home_is_refused(self, town):
        answer = self.get(town, home=None, UniqueId=["('2.999.1.7.2001')"])
        assert [e.code for e in answer.query.errors] == ["XDSMissingHomeCommunityId"]

    def test_that_would_span_patients_gives_nothing(self, town):
        answer = self.get(town, UniqueId=["('2.999.1.7.2001','1.2.3.4^1')"])
        assert [e.code for e in answer.query.errors] == ["XDSResultNotSinglePatient"]
        assert answer.query.entries == ()


class TestErrors:
    @pytest.mark.parametrize("payload, code", [
        (stored_query("urn:uuid:3d1bdb10-39a2-11de-89c2-2f44d94eaa9f", {}), "XDSUnknownStoredQuery"),
        (stored_query(names.FIND_DOCUMENTS, {"$XDSDocumentEntryPatientId": [f"'{cx(QUILL.mrn, HOME)}'"]}),
         "XDSStoredQueryMissingParam"),
        (stored_query(names.FIND_DOCUMENTS, {"$XDSDocumentEntryStatus": [f"('{names.APPROVED}')"]}),
         "XDSStoredQueryMissingParam"),
        (find_documents(cx(QUILL.mrn, HOME), home="urn:oid:2.999.77"), "XDSUnknownCommunity"),
        (find_documents(cx(QUILL.mrn, HOME), return_type="RegistryObject"), "XDSRegistryError"),
    ], ids=["unknown query", "no status", "no patient", "unknown community", "unknown return type"])
    def test_are_failures_with_their_code(self, town, shared, payload, code):
        answer = ask(town, payload)
        assert answer.query.status == names.FAILURE
        assert [(e.code, e.severity) for e in answer.query.errors] == [(code, "Error")]
        assert judges.schema_complaints(answer) == {}


class TestWhatPeersErrIn:
    @pytest.mark.parametrize("patient", ["{}", '"{}"'], ids=["unquoted", "double quotes"])
    def test_the_patient_id_in_other_quotes_is_read(self, town, patient):
        def requote(twin):
            twin.find(".//rim:Slot[@name='$XDSDocumentEntryPatientId']//rim:Value").text = \
                patient.format(cx(QUILL.mrn, HOME))
        assert unique_ids(town.ask(town.find_documents(QUILL).altered(requote))) == OF_QUILL

    @pytest.mark.parametrize("home", [HOME, f"urn:oid:{HOME}"])
    def test_a_home_with_and_without_urn_is_ours(self, town, home):
        assert unique_ids(ask(town, find_documents(cx(QUILL.mrn, HOME), home=home))) == OF_QUILL

    def test_a_query_id_without_urn_is_read(self, town):
        def shorten(twin):
            query = twin.find(".//rim:AdhocQuery")
            query.set("id", query.get("id").removeprefix("urn:uuid:"))
        assert unique_ids(town.ask(town.find_documents(QUILL).altered(shorten))) == OF_QUILL
