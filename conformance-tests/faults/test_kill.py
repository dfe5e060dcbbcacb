"""kill -9 at random instants under load: nothing that was answered is missing from the audit, and the audit verifies.
On PostgreSQL two nodes share the database: one of them dies, the other, or both.
[design: nothing is lost; threats O01]"""

import shutil
import time

import pytest

from peer.gateway import PATHS, Gateway
from peer.load import Load, missing
from peer.town import AUDIENCE, HOME, QUILL, Town

both_databases = pytest.mark.both_databases

LONGEST_LIFE_S = 0.6
VERIFIED_EACH = 50  # so many kills are followed by a verification each, from then on only every tenth


@pytest.fixture(scope="module")
def town(built, databases, tmp_path_factory):
    town = Town(tmp_path_factory.mktemp("fault-town"), database=databases(), at=None).build()
    yield town
    if town.gateway.is_running():
        town.gateway.kill()


@pytest.fixture(scope="module")
def nodes(town, tmp_path_factory):
    """The gateways on the town's database."""
    if town.gateway.database is None:
        yield [town.gateway]
        return
    other = Gateway(tmp_path_factory.mktemp("other-node"), HOME, database=town.gateway.database, public_urls=[AUDIENCE])
    other.init()
    other.configure("anchors", [str(town.gateway.folder / "anchor.pem")])
    other.start()
    yield [town.gateway, other]
    if other.is_running():
        other.kill()


def witness_of(gateway):
    return gateway.data / "audit" / "witness.jsonl"


def dying(nodes, kill):
    """Who dies at this kill: each in turn, then all at once."""
    turns = [[node] for node in nodes] + ([nodes] if len(nodes) > 1 else [])
    return turns[kill % len(turns)]


@both_databases
def test_every_answer_received_is_audited_after_every_kill(town, nodes, request, rng, capsys):
    kills = request.config.getoption("--kills")
    total, lives_with_answers, lost_nodes, begun = 0, 0, 0, time.monotonic()
    for kill in range(kills):
        mark = town.gateway.audit_mark()
        load = Load(town, nodes, askers=4 // len(nodes))
        with load:
            time.sleep(rng.uniform(0.02, LONGEST_LIFE_S))
            victims = dying(nodes, kill)
            for node in victims:
                node.kill()
            for node in victims:
                node.start()  # the others go on answering meanwhile, and while the audit is verified
            if kill < VERIFIED_EACH or kill % 50 == 0 or kill == kills - 1:
                for node in nodes:
                    exit, said = node.verify_audit(witness_of(node))
                    assert exit == 0, f"after kill {kill + 1} of {kills}: {said}"
        assert load.others == []
        lost = missing(load.answered, nodes[kill % len(nodes)], mark)
        assert not lost, f"after kill {kill + 1}: {len(lost)} of {len(load.answered)} answers have no audit record"
        total += len(load.answered)
        lives_with_answers += bool(load.answered)
        lost_nodes += len(victims)
        if kills > VERIFIED_EACH and (kill + 1) % 50 == 0:
            with capsys.disabled():
                print(f"\n{kill + 1} of {kills} kills, {lost_nodes} nodes killed, {total} answers received whole, all "
                      f"audited; {time.monotonic() - begun:.0f} s", flush=True)
    assert lives_with_answers >= kills // 2, "too few lives under load to prove anything"


@both_databases
def test_an_edited_witness_is_found(town):
    """The judge of the test above can say no."""
    lines = witness_of(town.gateway).read_text().splitlines()
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
    alone, with_witness = town.gateway.verify_audit(), town.gateway.verify_audit(witness_of(town.gateway))
    shutil.copy(newer, database)
    town.gateway.start()
    assert (alone[0], with_witness[0]) == (0, 1), with_witness[1]
    assert town.gateway.verify_audit(witness_of(town.gateway))[0] == 0


@both_databases
def test_the_gateway_serves_as_before_when_all_is_over(town):
    assert town.gateway.is_running()
    found = town.ask(town.sender().patient_discovery(QUILL), path=PATHS["ITI-55"]).discovery
    assert found.query_response == "OK"
