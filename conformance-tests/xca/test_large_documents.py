"""ITI-39 of documents that are never whole in memory: sizes from none to 50 MB, peers that read slowly or leave, and
content that was changed where it lies. [design §6, §8; ITI TF-2 §3.39; threat catalogue H03, M10]"""

import hashlib
import re
import socket
import time

import pytest

from peer import directory, names, records
from peer.client import Closed, free_port
from peer.gateway import PATHS
from peer.receiver import Receiver
from peer.records import Document
from peer.town import HOME, QUILL, RIVERSIDE, riverside

pytestmark = pytest.mark.both_databases

PIECE = 120 << 10
EMPTY, SMALL, LARGE, HUGE, SPOILT = (
    Document(f"2.999.39.{number}", QUILL, title=title)
    for number, title in enumerate(("Nothing", "Little", "Five megabytes", "Fifty megabytes", "Spoilt"), 1))
OCTETS = {LARGE: 5 << 20, HUGE: 50 << 20, SPOILT: 5 << 20}
CALLED = free_port()


def zeros(town, octets):
    return f"decode(repeat('00', {octets}), 'hex')" if town.gateway.database else f"zeroblob({octets})"


def fill(town, document, octets):
    """Puts other content behind an entry: a mark, then zeros. @return the content"""
    mark = document.unique_id.encode()
    content = mark + bytes(octets - len(mark)) if octets else b""
    name = hashlib.sha256(content).hexdigest()
    alter = town.gateway.alter
    alter(f"INSERT INTO contents (hash, size) VALUES ('{name}', {octets})")
    alter(f"UPDATE documents SET content = '{name}' WHERE unique_id = '{document.unique_id}'")
    if octets:
        blob = f"decode('{mark.hex()}', 'hex')" if town.gateway.database else f"x'{mark.hex()}'"
        alter(f"INSERT INTO content_pieces (hash, piece, bytes) VALUES ('{name}', 0, {blob})")
        whole, rest = divmod(octets - len(mark), PIECE)
        alter("WITH RECURSIVE numbers(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM numbers WHERE i < "
              f"{whole}) INSERT INTO content_pieces (hash, piece, bytes) SELECT '{name}', i, {zeros(town, PIECE)} "
              "FROM numbers")
        alter(f"INSERT INTO content_pieces (hash, piece, bytes) VALUES ('{name}', {whole + 1}, {zeros(town, rest)})")
    return content


@pytest.fixture(scope="module")
def town(found_town):
    """Its own town: with documents of unusual sizes, and a partner who may be called back."""
    town = found_town("large-documents")
    town.file(EMPTY, SMALL, LARGE, HUGE, SPOILT)
    town.contents = {document: fill(town, document, octets) for document, octets in {EMPTY: 0, **OCTETS}.items()}
    town.contents[SMALL] = records.ccda(SMALL, HOME)
    town.gateway.stop()
    town.gateway.configure("allow", ["127.0.0.1"])
    town.gateway.start()
    entry = directory.Organization(RIVERSIDE, "Riverside Hospital", endpoints=[f"https://localhost:{CALLED}/answers"])
    town.gateway.command("partner", "import", town.gateway.write("called.json", directory.bundle(entry)))
    return town


def ask(town, *documents, **options):
    message = town.retrieve(*(document.unique_id for document in documents), **options)
    return message, town.ask(message, path=PATHS["ITI-39"])


def outcomes(town, message, last):
    """The outcomes and reasons in the audit trail of a request, once it holds `last`."""
    for _ in range(100):
        request = next(row["request"] for row in town.gateway.audit_of(message.message_id))
        rows = [row for row in town.gateway.audit(limit=600) if row["request"] == request]
        if last in [row["outcome"] for row in rows]:
            return [(row["outcome"], row["reason"]) for row in rows]
        time.sleep(0.1)
    raise AssertionError(f"no {last} of this request in the audit trail")


def memory(town, field):
    """Octets of the gateway's process: VmRSS as it is, VmHWM at its peak."""
    status = open(f"/proc/{town.gateway.process.pid}/status").read()
    return int(re.search(rf"{field}:\s*(\d+) kB", status).group(1)) * 1024


class TestSizes:
    @pytest.mark.parametrize("as_mtom", [True, False], ids=["MTOM", "plain"])
    @pytest.mark.parametrize("document", [EMPTY, SMALL, LARGE, HUGE], ids=lambda document: document.title)
    def test_of_every_kind_come_to_the_octet(self, town, document, as_mtom):
        message, answer = ask(town, document, as_mtom=as_mtom)
        assert answer.retrieve.status == names.SUCCESS
        assert [given.bytes for given in answer.retrieve.documents] == [town.contents[document]]
        assert outcomes(town, message, "sent")[-1] == ("sent", "")

    def test_come_together_with_an_error_for_what_is_not_there(self, town):
        documents = (LARGE, EMPTY, SMALL, HUGE)
        rows = [*(document.unique_id for document in documents), "2.999.39.404"]
        answer = town.ask(town.retrieve(*rows), path=PATHS["ITI-39"])
        assert answer.retrieve.status == names.PARTIAL_SUCCESS
        assert {given.unique_id: given.bytes for given in answer.retrieve.documents} == {
            document.unique_id: town.contents[document] for document in documents}
        assert [error.code for error in answer.retrieve.errors] == ["XDSDocumentUniqueIdError"]

    def test_are_recorded_by_the_hash_they_are_stored_under(self, town):
        message, _ = ask(town, LARGE, EMPTY)
        request = town.gateway.audit_of(message.message_id)[0]["request"]
        decision = next(row for row in town.gateway.audit(kind="decision", limit=50) if row["request"] == request)
        assert sorted(decision["payload"]["document_hashes"]) == sorted(
            hashlib.sha256(town.contents[document]).hexdigest() for document in (LARGE, EMPTY))

    def test_the_answer_is_recorded_by_the_hash_of_its_envelope(self, town):
        message, answer = ask(town, LARGE)
        request = town.gateway.audit_of(message.message_id)[0]["request"]
        decision = next(row for row in town.gateway.audit(kind="decision", limit=50) if row["request"] == request)
        assert decision["payload"]["answer_hash"] == hashlib.sha256(answer.parts[0].body).hexdigest()

    def test_are_called_back_whole(self, town):
        with Receiver(riverside().tls, town.gateway.certificate("tls"), CALLED) as receiver:
            message = town.retrieve(HUGE.unique_id, reply_to=f"https://localhost:{CALLED}/answers")
            assert town.ask(message, path=PATHS["ITI-39"]).status == 202
            answer = receiver.answers()[0]
        assert answer.retrieve.documents[0].bytes == town.contents[HUGE]


class TestContentThatWasChangedWhereItLies:
    @pytest.fixture(params=["changed", "missing"])
    def spoilt(self, town, request):
        """The document's twelfth piece is another or gone; at the end it is mended."""
        name = hashlib.sha256(town.contents[SPOILT]).hexdigest()
        where = f"hash = '{name}' AND piece = 12"
        other = f"UPDATE content_pieces SET bytes = {zeros(town, PIECE - 1)} WHERE {where}"
        gone = f"UPDATE content_pieces SET piece = -12 WHERE {where}"
        town.gateway.alter(other if request.param == "changed" else gone)
        yield
        town.gateway.alter(f"UPDATE content_pieces SET piece = 12, bytes = {zeros(town, PIECE)} WHERE hash = '{name}'"
                           " AND piece IN (12, -12)")
        assert ask(town, SPOILT)[1].retrieve.documents[0].bytes == town.contents[SPOILT]

    @pytest.mark.parametrize("as_mtom", [True, False], ids=["MTOM", "plain"])
    def test_is_never_taken_for_whole(self, town, spoilt, as_mtom):
        message = town.retrieve(SMALL.unique_id, SPOILT.unique_id, as_mtom=as_mtom)
        with pytest.raises(Closed):
            town.ask(message, path=PATHS["ITI-39"])
        assert outcomes(town, message, "aborted") == [("released", ""), ("aborted", "store-unreadable")]
        assert b"an answer broke off" in town.gateway.log.read_bytes()
        assert ask(town, LARGE)[1].retrieve.status == names.SUCCESS


class TestReaders:
    def connect(self, town):
        """A connection whose kernel takes little for a peer that does not read."""
        connection = town.gateway.connect(riverside().tls)
        connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16 << 10)
        return connection

    def request(self, message):
        content_type, body = message.wire()
        return (f"POST {PATHS['ITI-39']} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {content_type}\r\n"
                f"Content-Length: {len(body)}\r\n\r\n").encode() + body

    def test_who_leave_midway_are_noted(self, town):
        message = town.retrieve(HUGE.unique_id)
        with self.connect(town) as connection:
            connection.send(self.request(message))
            connection.wait_for_answer()
        assert outcomes(town, message, "aborted") == [("released", ""), ("aborted", "")]

    def test_h03_two_hundred_who_do_not_read_cost_little_memory(self, town):
        """Each asks for 5 MB; together they may cost 64 MB. One of them reads on in the end."""
        assert ask(town, LARGE)[1].status == 200
        connections = [self.connect(town) for _ in range(200)]
        try:
            before = memory(town, "VmRSS")
            for connection in connections:
                connection.send(self.request(town.retrieve(LARGE.unique_id)))
            for connection in connections:
                connection.wait_for_answer()
            grown = memory(town, "VmHWM") - before
            print(f"200 readers who stand still: {grown / 1e6:.1f} MB")
            assert grown < 64 << 20
            assert ask(town, SMALL)[1].status == 200
            connections[7].socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
            assert connections[7].read_answer().retrieve.documents[0].bytes == town.contents[LARGE]
        finally:
            for connection in connections:
                connection.close()


class TestEncodingOfOtherTransactions:
    """Multipart is not what ITI-55 and ITI-38 name; peers send it. The answer comes as the question did."""

    @pytest.mark.parametrize("as_mtom", [True, False], ids=["MTOM", "plain"])
    @pytest.mark.parametrize("accept", ["", "application/soap+xml", "multipart/related", "text/html;q=1"])
    def test_m10_is_mirrored_whatever_accept_says(self, town, as_mtom, accept):
        for message, path in ((town.sender().patient_discovery(QUILL), PATHS["ITI-55"]),
                              (town.find_documents(QUILL), PATHS["ITI-38"])):
            message.as_mtom = as_mtom
            content_type, body = message.wire()
            with town.gateway.connect(riverside().tls) as connection:
                extra = [f"Accept: {accept}"] if accept else []
                answer = connection.request("POST", path, content_type, body, extra)
            assert (answer.status, answer.is_mtom, answer.fault) == (200, as_mtom, None)
