"""kill -9 at random instants under load: nothing that was answered is missing from the audit, and the audit verifies.
[design: nothing is lost]"""

import shutil
import threading
import time

import pytest

from peer.client import Closed
from peer.gateway import PATHS
from peer.town import QUILL, TEST_PATIENT, Town, riverside

both_databases = pytest.mark.both_databases

ASKERS = 4
LONGEST_LIFE_S = 0.7


class Asker(threading.Thread):
    """Asks without pause until the gateway is gone; remembers which requests it got whole answers to."""

    def __init__(self, town, number):
        super().__init__(daemon=True)
        self.town, self.number, self.answered, self.wrong = town, number, [], []
        self.stopping = False

    def run(self):
        try:
            with self.town.gateway.connect(riverside().tls) as connection:
                while not self.stopping:
                    self._ask(connection)
        except (Closed, OSError):
            pass

    def _ask(self, connection):
        sender = self.town.sender()
        if self.number % 2:
            message, path = sender.patient_discovery(TEST_PATIENT), PATHS["ITI-55"]
        else:
            message, path = self.town.retrieve("2.999.1.7.2001", sender=sender), PATHS["ITI-39"]
        answer = self.town.ask(message, connection=connection, path=path)
        if answer.status == 200 and answer.relates_to == message.message_id:
            self.answered.append(message.message_id)
        else:
            self.wrong.append((answer.status, answer.fault))


@pytest.fixture(scope="module")
def town(built, databases, tmp_path_factory):
    town = Town(tmp_path_factory.mktemp("fault-town"), database=databases(), at=None).build()
    yield town
    if town.gateway.is_running():
        town.gateway.kill()


def live_and_die(town, seconds):
    """One life of the gateway under load, ended by kill -9. @return MessageIDs answered whole"""
    askers = [Asker(town, number) for number in range(ASKERS)]
    for asker in askers:
        asker.start()
    time.sleep(seconds)
    town.gateway.kill()
    for asker in askers:
        asker.stopping = True
        asker.join(timeout=20)
        assert not asker.is_alive(), "an asker hangs on a dead gateway"
    assert [wrong for asker in askers for wrong in asker.wrong] == []
    return [message_id for asker in askers for message_id in asker.answered]


def audited(town):
    """MessageIDs with an event, and the requests of theirs that have a decision record."""
    rows = town.gateway.audit(kind=None)
    decided = {row["request"] for row in rows if row["kind"] == "decision"}
    return {row["payload"]["message_id"] for row in rows
            if row["kind"] == "event" and row["payload"].get("message_id") and row["request"] in decided}


def witness_of(town):
    return town.gateway.data / "audit" / "witness.jsonl"


@both_databases
def test_every_answer_received_is_audited_after_every_kill(town, request, rng):
    kills = request.config.getoption("--kills")
    answered, lives_with_answers = [], 0
    for kill in range(kills):
        fresh = live_and_die(town, rng.uniform(0.02, LONGEST_LIFE_S))
        answered += fresh
        lives_with_answers += bool(fresh)
        town.gateway.start()
        exit, said = town.gateway.verify_audit(witness_of(town))
        assert exit == 0, f"after kill {kill + 1} of {kills}: {said}"
        missing = set(fresh) - audited(town)
        assert not missing, f"after kill {kill + 1}: {len(missing)} of {len(fresh)} answers have no audit record"
    print(f"\n{kills} kills, {len(answered)} answers received whole, all audited")
    assert set(answered) <= audited(town)
    assert lives_with_answers >= kills // 2, "too few lives under load to prove anything"


@both_databases
def test_an_edited_witness_is_found(town):
    """The judge of the test above can say no."""
    lines = witness_of(town).read_text().splitlines()
    edited = town.gateway.write("edited-witness.jsonl", "\n".join(
        [*lines[:-1], lines[-1].replace('"seq":', '"seq":9', 1)]) + "\n")
    exit, said = town.gateway.verify_audit(edited)
    assert exit == 1, said


def test_an_older_copy_of_the_database_is_found_by_the_witness(town):
    """Put back, it verifies by itself: only what stands outside of it shows what is missing."""
    assert town.gateway.stop() == 0
    database, older, newer = (town.gateway.data / name for name in ("gatehouse.db", "older.db", "newer.db"))
    shutil.copy(database, older)
    town.gateway.start()
    town.ask(town.find_documents(QUILL))
    assert town.gateway.stop() == 0
    shutil.copy(database, newer)
    shutil.copy(older, database)
    alone, with_witness = town.gateway.verify_audit(), town.gateway.verify_audit(witness_of(town))
    shutil.copy(newer, database)
    town.gateway.start()
    assert (alone[0], with_witness[0]) == (0, 1), with_witness[1]
    assert town.gateway.verify_audit(witness_of(town))[0] == 0


@both_databases
def test_the_gateway_serves_as_before_when_all_is_over(town):
    assert town.gateway.is_running()
    found = town.ask(town.sender().patient_discovery(QUILL), path=PATHS["ITI-55"]).discovery
    assert found.query_response == "OK"
