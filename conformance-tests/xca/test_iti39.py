"""ITI-39 Cross Gateway Retrieve, Responding Gateway. [ITI TF-2 §3.39, §3.43; MTOM]"""

import hashlib

import pytest

from peer import judges, names, records
from peer.gateway import PATHS
from peer.names import q
from peer.town import DOCUMENTS, HOME, QUILL, REPOSITORY

pytestmark = pytest.mark.both_databases

FIRST, SECOND = DOCUMENTS[1], DOCUMENTS[2]  # of Quill


def ask(town, *unique_ids, **options):
    return town.ask(town.retrieve(*unique_ids, **options), path=PATHS["ITI-39"])


def ask_rows(town, *rows):
    return town.ask(town.sender().cross_gateway_retrieve(rows), path=PATHS["ITI-39"])


class TestOneDocument:
    @pytest.fixture(scope="class")
    def answer(self, town):
        return ask(town, FIRST.unique_id)

    def test_comes_with_the_bytes_that_were_filed(self, answer):
        assert answer.retrieve.status == names.SUCCESS
        assert [d.bytes for d in answer.retrieve.documents] == [records.ccda(FIRST, HOME)]

    def test_repeats_what_was_asked(self, answer):
        document = answer.retrieve.documents[0]
        asked = (f"urn:oid:{HOME}", REPOSITORY, FIRST.unique_id)
        assert (document.home, document.repository, document.unique_id) == asked

    def test_has_the_hash_and_size_its_entry_told(self, town, answer):
        entry = next(e for e in town.ask(town.find_documents(QUILL)).query.entries if e.unique_id == FIRST.unique_id)
        data = answer.retrieve.documents[0].bytes
        assert (entry.hash.lower(), entry.size) == (hashlib.sha1(data).hexdigest(), len(data))

    def test_is_valid_to_both_parsers(self, answer, shared):
        assert judges.schema_complaints(answer) == {}

    def test_is_signed_without_its_body(self, town, answer):
        assert judges.signature_complaint(answer.envelope, town.gateway.certificate("signing")) == ""
        signed = judges.signed_elements(answer)
        assert q("wsu:Timestamp") in signed and q("soap:Body") not in signed


class TestEncoding:
    def test_asked_in_mtom_is_answered_in_mtom(self, town):
        answer = ask(town, FIRST.unique_id)
        assert answer.is_mtom
        assert answer.find(".//xop:Include") is not None and len(answer.parts) == 2

    def test_asked_plain_is_answered_plain_and_inline(self, town):
        answer = ask(town, FIRST.unique_id, as_mtom=False)
        assert answer.content_type.startswith("application/soap+xml")
        assert answer.retrieve.documents[0].bytes == records.ccda(FIRST, HOME)

    def test_without_documents_still_answers_in_mtom(self, town):
        assert ask(town, "2.999.1.7.404").is_mtom

    def test_the_root_part_is_named_by_start(self, town):
        answer = ask(town, FIRST.unique_id)
        assert answer.parts[0].headers["content-type"].startswith("application/xop+xml")


class TestSeveralDocuments:
    def test_come_together(self, town):
        answer = ask(town, FIRST.unique_id, SECOND.unique_id)
        assert {d.unique_id: d.bytes for d in answer.retrieve.documents} == {
            document.unique_id: records.ccda(document, HOME) for document in (FIRST, SECOND)}

    def test_of_which_one_is_unknown_are_a_partial_success(self, town, shared):
        answer = ask(town, FIRST.unique_id, "2.999.1.7.404")
        assert answer.retrieve.status == names.PARTIAL_SUCCESS
        assert [d.unique_id for d in answer.retrieve.documents] == [FIRST.unique_id]
        assert [e.code for e in answer.retrieve.errors] == ["XDSDocumentUniqueIdError"]
        assert judges.schema_complaints(answer) == {}

    def test_of_two_patients_are_not_given_together(self, town):
        answer = ask(town, FIRST.unique_id, "1.2.3.4^1").retrieve
        assert (answer.status, answer.documents) == (names.FAILURE, ())
        assert {e.code for e in answer.errors} == {"XDSResultNotSinglePatient"}

    def test_one_of_them_a_thousand_times_is_too_many(self, town):
        answer = ask(town, *[FIRST.unique_id] * 1000).retrieve
        assert (answer.status, answer.documents) == (names.FAILURE, ())
        assert {e.code for e in answer.errors} == {"XDSRepositoryError"}

    def test_more_than_the_limit_are_refused_at_once(self, town):
        answer = ask(town, *(f"2.999.1.7.{number}" for number in range(21)))
        assert answer.retrieve.status == names.FAILURE
        assert {e.code for e in answer.retrieve.errors} == {"XDSRepositoryError"}


class TestErrors:
    @pytest.mark.parametrize("row, code", [
        ((f"urn:oid:{HOME}", REPOSITORY, "2.999.1.7.404"), "XDSDocumentUniqueIdError"),
        ((f"urn:oid:{HOME}", "2.999.66", FIRST.unique_id), "XDSUnknownRepositoryId"),
        (("urn:oid:2.999.77", REPOSITORY, FIRST.unique_id), "XDSUnknownCommunity"),
        ((f"urn:oid:{HOME}", REPOSITORY, "../../etc/passwd"), "XDSDocumentUniqueIdError"),
    ], ids=["unknown document", "unknown repository", "unknown community", "a path as id"])
    def test_are_failures_with_their_code(self, town, shared, row, code):
        answer = ask_rows(town, row)
        assert answer.retrieve.status == names.FAILURE
        assert [e.code for e in answer.retrieve.errors] == [code]
        assert answer.retrieve.documents == ()
        assert judges.schema_complaints(answer) == {}

    def test_an_id_too_long_to_be_one_is_no_request(self, town):
        answer = ask(town, "2" * 10_240)
        assert (answer.status, answer.fault.code) == (400, "Sender")
