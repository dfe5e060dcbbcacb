"""O12: whatever stands in a field that is written down or logged, one event stays one line, and nothing is looked up.
O13: patients' data is in the tables of patients, in the audit's own fields and nowhere else."""

import json
import re
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest

from peer import ca
from peer.canary import Canary
from peer.client import Closed
from peer.gateway import PATHS
from peer.metrics import metrics
from peer.names import NHIN_PURPOSES
from peer.records import Document, Patient
from peer.town import authority, riverside

KEY = ca.rsa_key("hostile clients")
FORGED = '{"level":"info","what":"certificates and bundles reloaded"}'
LOG_MEMBERS = {"at", "level", "what", "ready", "network", "operator", "kind", "url", "reason", "because", "subject",
               "certificate", "since", "role", "not_after", "days_left", "request", "implementer", "defect"}
VALUES = {
    "a line of its own": f"x\r\n{FORGED}\n{FORGED}", "escapes": "\x1b]0;owned\x07\x1b[2J\x1b[31m",
    "formats": "%s%n%x{}{0}${HOME}$(id)`id`", "quotes": '"}]}\' \\" \\u000a <b>&amp;',
    "invisible": "a\u2028b\u2029c\u202ed\u0085e",
    "long": "ü" * 60_000, "a look-up": "${jndi:ldap://127.0.0.1:%d/x}",
}
MARKED = Patient("ZZPHI-77", "Zzphifamily", "Zzphigiven", "F", "19210327", street="Zzphistreet 9", city="Zzphicity",
                 telephone="+1-503-555-9977")
MARKED_DOCUMENT = Document("2.999.1.7.7701", MARKED, title="Zzphititle", text="Zzphinarrative")
MARKS = re.compile(rb"zzphi|19210327|1921-03-27|555-9977", re.I)
XML_FORBIDS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f]")


@pytest.fixture(scope="module")
def canary():
    with Canary() as canary:
        yield canary


@pytest.fixture(scope="module")
def town(found_town):
    town = found_town("hostile-values", at=None)
    town.enter(MARKED)
    town.file(MARKED_DOCUMENT)
    return town


def value_of(name, canary):
    return VALUES[name].replace("%d", str(canary.port)) if name == "a look-up" else VALUES[name]


def try_to(ask):
    try:
        return ask()
    except Closed:
        return None


def lines_of_the_log(town):
    """Every line, each read as what a machine would read."""
    text = town.gateway.log.read_text(encoding="utf-8")
    assert text.splitlines() == text.rstrip("\n").split("\n"), "a character that some readers end lines at"
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f]", text), "a control character"
    lines = [json.loads(line) for line in text.splitlines()]
    for line in lines:
        assert set(line) <= LOG_MEMBERS, line
        assert all(len(str(value)) <= 600 for value in line.values())
    return lines


class TestO12:
    @pytest.mark.parametrize("name", VALUES)
    def test_o12_in_a_message_it_stays_in_its_field(self, town, canary, name):
        """As names, ids, addresses and codes of a signed message: one event each, and the log as before."""
        value = XML_FORBIDS.sub("?", value_of(name, canary))
        plain = town.sender()
        senders = [plain.but(token=plain.token.but(**{field: given})) for field, given in (
            ("user", value), ("organization", value), ("name_id", value), ("issuer", value), ("resource_id", value),
            ("references", (value,)), ("grantor", value))]
        senders.append(plain.but(token=plain.token.but(purposes=((NHIN_PURPOSES, value),))))
        messages = [town.find_documents(MARKED, sender) for sender in senders]
        for path in (".//wsa:To", ".//wsa:MessageID", ".//wsa:Action", ".//wsa:ReplyTo/wsa:Address"):
            messages.append(town.find_documents(MARKED).altered(
                lambda message, path=path: setattr(message.find(path), "text", value)))
        before = len(lines_of_the_log(town))
        for message in messages:
            mark = town.gateway.audit_mark()
            answer = try_to(lambda message=message: town.ask(message))
            assert answer is not None and answer.status in (200, 202, 400, 500), name
            events = [row for row in town.gateway.audit_since(mark) if row["outcome"] not in ("sent", "looked")]
            assert len(events) == 1, events
            assert len(json.dumps(events[0]["payload"])) < 8_000, "a field without a limit"
        assert len(lines_of_the_log(town)) == before and canary.connections == 0

    @pytest.mark.parametrize("name", VALUES)
    def test_o12_in_lines_of_http_it_is_refused_or_ignored(self, town, canary, name):
        octets = value_of(name, canary).encode()[:4000]
        body = town.find_documents(MARKED).wire()[1]
        before = len(lines_of_the_log(town))
        for head in (b"POST /" + octets + b" HTTP/1.1\r\nHost: localhost\r\n", octets + b" / HTTP/1.1\r\n",
                     b"POST /ihe/xcpd HTTP/1.1\r\nHost: " + octets + b"\r\n",
                     b"POST /ihe/xcpd HTTP/1.1\r\nHost: localhost\r\nUser-Agent: " + octets + b"\r\n",
                     b"POST /ihe/xcpd HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-For: " + octets + b"\r\n",
                     b"POST /ihe/xcpd HTTP/1.1\r\nHost: localhost\r\nContent-Type: " + octets + b"\r\n"):
            with town.gateway.connect(riverside().tls) as connection:
                def ask(head=head, connection=connection):
                    connection.send(head + b"Content-Length: %d\r\n\r\n" % len(body) + body)
                    return connection.read_answer()
                answer = try_to(ask)
                assert answer is None or 400 <= answer.status < 500
        assert len(lines_of_the_log(town)) == before and canary.connections == 0
        assert town.ask(town.find_documents(MARKED)).status == 200

    def test_o12_in_certificates_it_is_escaped(self, town, canary):
        """In the subject, and where evidence is to be had: that is logged, since nothing answers there. An address that
        is long, or has blanks or line ends, is none."""
        logged = set()
        for name in VALUES:
            value = value_of(name, canary)
            address = "http://127.0.0.1:1/" + value.encode("ascii", "replace").decode()[:1000]
            shown = authority().issue(value[:60], value[:60], key=KEY, dns=("client.example",),
                                      further=ca.evidence_at(lists=[address]))
            for credential in (shown, ca.self_signed(value[:60], value[:60], key=KEY)):
                message = town.find_documents(MARKED)
                answer = try_to(lambda message=message, shown=credential: town.ask(message, credential=shown))
                assert answer is None or answer.status == 400
            if len(address) < 500 and not re.search("[ \x00-\x1f]", address):
                logged.add(address)
        assert len(logged) >= 3
        deadline = time.monotonic() + 10
        while not logged <= {line.get("url") for line in lines_of_the_log(town)}:
            assert time.monotonic() < deadline, "addresses that lead nowhere were not logged"
            time.sleep(0.1)
        assert canary.connections == 0

    def test_o12_the_trail_is_exported_one_event_a_line(self, town):
        target = town.gateway.folder / "trail.jsonl"
        town.gateway.command("audit", "export", "--format", "json", "--output", target)
        lines = target.read_bytes().rstrip(b"\n").split(b"\n")
        rows = [json.loads(line) for line in lines]
        assert len(rows) > 100 and len({(row["node"], row["seq"]) for row in rows}) == len(rows)
        exit, said = town.gateway.verify_audit(town.gateway.data / "audit" / "witness.jsonl")
        assert exit == 0, said
        assert metrics(town), "Prometheus reads them"


class TestO13:
    """A marked patient is found, denied, asked for wrongly and retrieved; then everything is searched."""

    @pytest.fixture(scope="class")
    def searched(self, town):
        def three():
            for message in town.three_questions(MARKED, MARKED_DOCUMENT).values():
                town.ask(message)
        three()
        town.choose(MARKED)
        three()
        town.forget_choice(MARKED)
        town.ask(town.sender(audience="https://somebody.else.example").patient_discovery(MARKED))
        content_type, body = town.sender().patient_discovery(MARKED).wire()
        for spoiled in (body[:-20], body.replace(b"Body", b"Boby"), body.replace(b"<family>", b"<family><"),
                        body.replace(MARKED.family.encode(), MARKED.family.encode() + b"\xff")):
            town.ask((content_type, spoiled))
        town.ask(("text/plain", body))
        with town.gateway.connect(riverside().tls) as connection:
            try_to(lambda: connection.request("GET", f"/{MARKED.family}?birth={MARKED.birth}"))
        return town

    def test_o13_it_was_found(self, searched):
        answer = searched.ask(searched.sender().patient_discovery(MARKED), path=PATHS["ITI-55"])
        assert MARKS.search(answer.body) and answer.discovery.query_response == "OK"

    def test_o13_neither_log_nor_metrics_nor_health_hold_a_mark(self, searched):
        assert not MARKS.search(searched.gateway.log.read_bytes())
        for path in ("/metrics", "/healthz", "/readyz"):
            assert not MARKS.search(searched.gateway.operator(path).body), path

    def test_o13_neither_arguments_nor_environment_of_the_process_hold_one_or_a_secret(self, searched):
        process = Path(f"/proc/{searched.gateway.process.pid}")
        for part in ("cmdline", "environ"):
            text = (process / part).read_bytes()
            assert not MARKS.search(text) and b"PRIVATE KEY" not in text

    def test_o13_of_its_files_the_database_alone(self, searched):
        for path in searched.gateway.data.rglob("*"):
            if path.is_file() and not path.name.startswith("gatehouse.db"):
                assert not MARKS.search(path.read_bytes()), path
        if searched.gateway.database is None:
            database = [searched.gateway.data / name for name in ("gatehouse.db", "gatehouse.db-wal")]
            assert any(MARKS.search(path.read_bytes()) for path in database), "the search finds what is there"

    def test_o13_no_file_is_open_that_is_not_known(self, searched):
        """No temporary file either, removed or not."""
        process = Path(f"/proc/{searched.gateway.process.pid}")
        known = re.compile(r"socket:|anon_inode:|pipe:|/dev/|.*gatehouse\.db|.*/audit/witness\.jsonl$|.*/serve\.log$")
        odd = [target for target in (str(file.readlink()) for file in (process / "fd").iterdir())
               if not known.match(target)]
        assert odd == []

    def test_o13_of_the_tables_those_of_patients_documents_and_the_audit(self, searched):
        found = set()
        with closing(sqlite3.connect(f"file:{searched.gateway.data / 'gatehouse.db'}?mode=ro", uri=True)) as database:
            database.text_factory = bytes
            tables = [name.decode() for name, in database.execute("SELECT name FROM sqlite_master WHERE type='table'")]
            for table in tables:
                for row in database.execute(f'SELECT * FROM "{table}"'):
                    # What was asked for, as it was asked: a field of the audit's own.
                    texts = [value for value in row if isinstance(value, bytes)]
                    if any(MARKS.search(re.sub(rb'"patient_ids":\[[^]]*\]', b"", text)) for text in texts):
                        found.add(table)
        assert found == {"patients", "patient_words", "documents", "content_pieces"}

    def test_o13_a_crash_leaves_no_core(self, searched):
        limits = Path(f"/proc/{searched.gateway.process.pid}/limits").read_text()
        assert re.search(r"Max core file size +0 +0 ", limits)
