"""The small client that the demonstration uses: ask.py, as a person or a script runs it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from peer import records
from peer.messages import cx
from peer.town import AUDIENCE, DOCUMENTS, HOME, QUILL, REPOSITORY, RIVERSIDE, STRANGER, riverside

ASK = Path(__file__).resolve().parents[1] / "peer" / "ask.py"


@pytest.fixture(scope="module")
def ask(found_town, tmp_path_factory):
    """Runs ask.py against a town whose clock is the machine's, as ask.py's is."""
    town = found_town("ask-town", at=None)
    folder = tmp_path_factory.mktemp("riverside")
    riverside().tls.write(folder / "tls")
    riverside().signing.write(folder / "signing")
    server = town.gateway.data / "keys" / "tls.pem"
    common = ["--gateway", town.gateway.url, "--credential", folder, "--home", RIVERSIDE, "--to", HOME,
              "--audience", AUDIENCE, "--server", server]

    def run(command, *arguments):
        return subprocess.run([sys.executable, ASK, command, *map(str, common), *map(str, arguments)],
                              capture_output=True, text=True)
    return run


def demographics(patient):
    return ["--family", patient.family, "--given", patient.given, "--birth-date", patient.birth,
            "--gender", patient.gender]


def test_a_patient_is_found_and_shown(ask):
    ran = ask("patient", *demographics(QUILL))
    assert ran.returncode == 0, ran.stderr
    assert cx(QUILL.mrn, HOME) in ran.stdout


def test_a_stranger_is_not_found(ask):
    ran = ask("patient", *demographics(STRANGER), "--json")
    assert (ran.returncode, json.loads(ran.stdout)["outcome"]) == (1, "NF")


def test_documents_are_listed(ask):
    ran = ask("documents", "--patient", cx(QUILL.mrn, HOME), "--json")
    listed = {row["document"] for row in json.loads(ran.stdout)["documents"]}
    assert (ran.returncode, listed) == (0, {"2.999.1.7.2001", "2.999.1.7.2002"})


def test_a_document_is_saved_as_it_was_filed(ask, tmp_path):
    ran = ask("retrieve", "--repository", REPOSITORY, "--document", "2.999.1.7.2001", "--save", tmp_path)
    assert ran.returncode == 0, ran.stderr
    assert (tmp_path / "2.999.1.7.2001.xml").read_bytes() == records.ccda(DOCUMENTS[1], HOME)
    assert (tmp_path / "retrieve-answer.xml").is_file()


def test_a_refusal_is_said_in_one_line(ask):
    ran = ask("documents", "--patient", cx(QUILL.mrn, HOME), "--home", "2.999.88.1")
    assert ran.returncode == 1
    assert "FailedAuthentication" in ran.stdout
