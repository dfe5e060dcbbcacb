"""`audit prove` and `audit check-proof`: what was answered to whom when, proved on another machine with a key known
from elsewhere. [design §4: every answer has a decision record]"""

import json
import os
import re
import subprocess

import pytest

from peer.gateway import PATHS, program
from peer.town import DOCUMENTS, QUILL, STRANGER, riverside

pytestmark = pytest.mark.both_databases


class Asked:
    """A request that was answered: both as files, and its id."""

    def __init__(self, town, folder, name, message, path):
        mark, wire = town.gateway.audit_mark(), message.wire()
        answer = town.ask(wire, path=path)
        self.message, self.answer = folder / f"{name}.request", folder / f"{name}.answer"
        self.message.write_bytes(wire[1])
        self.answer.write_bytes(answer.body)
        self.status = answer.status
        events = [row for row in town.gateway.audit_since(mark) if row["payload"].get("transaction") == name[:6]]
        self.id = events[0]["request"]


@pytest.fixture(scope="module")
def town(found_town):
    return found_town("proving-town")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("proofs")


@pytest.fixture(scope="module")
def key(town, folder):
    file = folder / "audit-key.pem"
    file.write_text(town.gateway.command("audit", "public-key").output)
    return file


@pytest.fixture(scope="module")
def asked(town, folder):
    """Every transaction, found and not found, plain and MTOM."""
    sender, ids = town.sender(), [document.unique_id for document in DOCUMENTS[1:]]
    messages = {"ITI-55 found": sender.patient_discovery(QUILL), "ITI-55 unknown": sender.patient_discovery(STRANGER),
                "ITI-38": town.find_documents(QUILL), "ITI-39 mtom": town.retrieve(*ids, as_mtom=True),
                "ITI-39 plain": town.retrieve(*ids, as_mtom=False)}
    return {name: Asked(town, folder, name, message, PATHS[name[:6]]) for name, message in messages.items()}


def prove(town, folder, one, form):
    file = folder / f"{one.id}-{form}.json"
    if not file.exists():
        town.gateway.json("audit", "prove", one.id, "--form", form, "--output", file)
    return file


def check(proof, keys, one=None, request=None, answer=None, *more):
    """As on another machine: no configuration, no database."""
    arguments = [program(), "audit", "check-proof", proof, "--request", request or one.message, "--answer",
                 answer or one.answer, "--json", *more]
    for key in keys:
        arguments += ["--key", key]
    environment = {name: value for name, value in os.environ.items() if name != "GATEHOUSE_CONFIG"}
    ran = subprocess.run([str(a) for a in arguments], cwd="/", env=environment, capture_output=True, text=True)
    said = json.loads(ran.stdout)
    assert ran.returncode == (0 if said.get("proved") else 1)
    return said


NAMES = ["ITI-55 found", "ITI-55 unknown", "ITI-38", "ITI-39 mtom", "ITI-39 plain"]


@pytest.mark.parametrize("name", NAMES)
class TestAProof:
    def test_of_the_answer_says_what_was_answered_to_whom_when(self, town, folder, key, asked, name):
        one = asked[name]
        said = check(prove(town, folder, one, "answer"), [key], one)
        assert said["proved"] and said["request"] == one.id and said["transaction"] == name[:6]
        assert said["organization"] == riverside().name and said["home"] == f"urn:oid:{riverside().home}"
        assert len(said["documents"]) == (2 if name.startswith("ITI-39") else 0)

    def test_of_the_answer_shows_no_verdict_reason_or_patient(self, town, folder, asked, name):
        text = prove(town, folder, asked[name], "answer").read_text()
        row, = json.loads(text)["commits"][0]["rows"]
        assert set(json.loads(row["shown"] + "}")) <= {"request", "at", "transaction", "implementer", "home",
                                                       "organization", "request_hash", "answer_hash",
                                                       "document_hashes"}
        for hidden in (QUILL.family, QUILL.mrn, "verdict", "permit", "reason", "outcome"):
            assert hidden not in text

    def test_for_an_officer_shows_events_and_verdicts(self, town, folder, key, asked, name):
        said = check(prove(town, folder, asked[name], "officer"), [key], asked[name])
        assert said["proved"] and said["form"] == "officer"
        rows = town.gateway.json("audit", "search", "--request", asked[name].id, "--oldest-first")["events"]
        assert [row["payload"] for row in sorted(rows, key=lambda row: row["seq"])] == said["shown"]
        assert any("verdicts" in shown for shown in said["shown"])

    def test_is_of_one_answer_only(self, town, folder, key, asked, name):
        one = asked[name]
        for other in asked.values():
            if other is not one:
                proof = prove(town, folder, one, "answer")
                assert check(proof, [key], one, request=other.message)["reason"] == "proof-of-another-request"
                assert check(proof, [key], one, answer=other.answer)["reason"] == "proof-of-another-answer"

    def test_sees_a_changed_answer(self, town, folder, key, asked, name, tmp_path):
        whole = asked[name].answer.read_bytes()
        proof, changed = prove(town, folder, asked[name], "answer"), tmp_path / "answer"
        for at in range(150, len(whole), max(1, len(whole) // 12)):
            changed.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1:])
            assert not check(proof, [key], asked[name], answer=changed).get("proved"), at
        for other in (whole + b"\n", b"\r\n" + whole, whole[:-1], b""):
            changed.write_bytes(other)
            assert not check(proof, [key], asked[name], answer=changed).get("proved")


class TestWhoChecks:
    def test_sees_two_documents_that_changed_places(self, town, folder, key, asked, tmp_path):
        one, changed = asked["ITI-39 plain"], tmp_path / "answer"
        whole = one.answer.read_bytes()
        first, second = re.findall(rb"<xds:Document>([^<]+)</xds:Document>", whole)
        changed.write_bytes(whole.replace(first, b"#").replace(second, first).replace(b"#", second))
        assert changed.read_bytes() != whole
        proof = prove(town, folder, one, "answer")
        assert check(proof, [key], one, answer=changed)["reason"] == "proof-of-another-answer"

    def test_believes_the_given_key_alone(self, town, folder, key, asked, tmp_path):
        one, other = asked["ITI-38"], tmp_path / "other.pem"
        subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", tmp_path / "other.key"], check=True)
        subprocess.run(["openssl", "pkey", "-in", tmp_path / "other.key", "-pubout", "-out", other], check=True)
        proof = prove(town, folder, one, "answer")
        assert check(proof, [other], one)["reason"] == "proof-wrong-key"
        assert check(proof, [other, key], one)["proved"]

    def test_may_hold_it_against_the_witness(self, town, folder, key, asked, tmp_path):
        one, witness = asked["ITI-38"], tmp_path / "witness"
        proof = prove(town, folder, one, "answer")
        lines = (town.gateway.data / "audit" / "witness.jsonl").read_text().splitlines(keepends=True)
        line = json.loads(proof.read_text())["commits"][0]["checkpoint"]
        witness.write_text("".join(lines))
        assert check(proof, [key], one, None, None, "--witness", witness)["witnessed"]
        witness.write_text("".join(other for other in lines if other.strip() != line))
        assert check(proof, [key], one, None, None, "--witness", witness)["reason"] == "proof-not-witnessed"

    @pytest.mark.parametrize("wrong", ["a request nobody made", "a form there is none of"])
    def test_gets_nothing_that_cannot_be_proved(self, town, asked, wrong):
        arguments = ("0" * 32, "--form", "answer") if "nobody" in wrong else (asked["ITI-38"].id, "--form", "short")
        town.gateway.command("audit", "prove", *arguments, exit=1)

    def test_is_given_only_what_was_written_down(self, town, asked, folder):
        mark = town.gateway.audit_mark()
        town.gateway.command("audit", "prove", asked["ITI-38"].id, "--form", "answer")
        row, = [r for r in town.gateway.audit_since(mark) if r["payload"]["transaction"] == "audit prove"]
        assert asked["ITI-38"].id in row["payload"]["sentence"]

    def test_finds_the_proof_of_a_refusal_too(self, town, folder, key):
        message = town.sender(purposes=()).patient_discovery(QUILL)
        one = Asked(town, folder, "ITI-55 refused", message, PATHS["ITI-55"])
        assert one.status >= 400
        assert check(prove(town, folder, one, "answer"), [key], one)["proved"]
