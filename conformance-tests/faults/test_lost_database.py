"""PostgreSQL stops, is restarted under load, drops a connection before or after the COMMIT it was sent, is of another
schema, has another clock: 503 at once, nothing lost, nothing twice, and it heals by itself. [threats O04]"""

import threading
import time

import pytest

from peer.database import BINARIES, Cluster, as_postgres
from peer.gateway import PATHS, CommandFailed
from peer.load import Load, found_after
from peer.postgresql_relay import Relay
from peer.town import QUILL, Town, riverside

pytestmark = pytest.mark.skipif(not BINARIES.is_dir(), reason="no PostgreSQL 15 (Debian package postgresql)")
HEALED_S = 5
ANSWERED_S = 1


@pytest.fixture(scope="module")
def cluster():
    with Cluster() as cluster:
        yield cluster


@pytest.fixture(scope="module")
def relay(cluster):
    with Relay(cluster.port) as relay:
        yield relay


@pytest.fixture(scope="module")
def town(built, cluster, relay, tmp_path_factory):
    """Its gateway reaches the database through the relay; its commands go there directly."""
    town = Town(tmp_path_factory.mktemp("lost-database"), database=cluster.new_database(), at=None).build()
    town.gateway.stop()
    town.directly = town.gateway.database
    town.relayed = town.directly.replace(f":{cluster.port}/", f":{relay.port}/")
    start(town)
    yield town
    if town.gateway.is_running():
        assert town.gateway.stop() == 0


def start(town):
    town.gateway.configure("database", town.relayed)
    try:
        town.gateway.start()
    finally:
        town.gateway.configure("database", town.directly)


def discover(town, **options):
    message = town.sender().patient_discovery(QUILL)
    begun = time.monotonic()
    answer = town.ask(message, path=PATHS["ITI-55"], **options)
    return message.message_id, answer, time.monotonic() - begun


def heals(town):
    begun = time.monotonic()
    while discover(town)[1].status != 200 or town.gateway.operator("/readyz").status != 200:
        assert time.monotonic() - begun < HEALED_S, "it did not heal by itself"
        time.sleep(0.1)


def sql(cluster, town, text):
    name = town.directly.rsplit("/", 1)[1]
    as_postgres(BINARIES / "psql", "-h", "127.0.0.1", "-p", cluster.port, "-U", "gatehouse", "-c", text, name)


@pytest.mark.parametrize("mode", ["fast", "immediate"])
def test_o04_restarted_under_load_nothing_is_lost_and_it_heals_by_itself(town, cluster, mode):
    mark = town.gateway.audit_mark()
    with Load(town, comes_back=True) as load:
        time.sleep(0.5)
        cluster.stop(mode)
        time.sleep(0.3)
        cluster.start()
        time.sleep(1.5)
    heals(town)
    assert len(load.answered) > 20 and {status for status, _ in load.others} <= {503}
    assert found_after(town.gateway, load.answered, mark) == []


def test_o04_while_it_is_down_all_are_told_to_come_back_at_once(town, cluster):
    with town.gateway.connect(riverside().tls) as connection:
        assert discover(town, connection=connection)[1].status == 200
        cluster.stop("fast")
        try:
            for options in ({"connection": connection}, {}, {}):
                _, answer, seconds = discover(town, **options)
                assert answer.status == 503 and seconds < ANSWERED_S and int(answer.headers["retry-after"]) > 0
            assert town.gateway.operator("/healthz").status == 200 and town.gateway.operator("/readyz").status == 503
        finally:
            cluster.start()
        heals(town)
        assert discover(town, connection=connection)[1].status == 200


def is_quiet(town):
    """Notes of answers that were sent are committed a moment later: none of those may come in between."""
    heals(town)
    time.sleep(0.3)


def events_of(town, message_id):
    return [row["outcome"] for row in town.gateway.audit_of(message_id) if row["outcome"] not in ("sent", "aborted")]


def test_o04_a_connection_lost_after_its_commit_was_sent_is_found_to_be_committed(town, relay):
    """Nobody knows, but the database does: its checkpoint is there. Answered, and written down once."""
    is_quiet(town)
    relay.lose_commit(sent=True)
    message_id, answer, _ = discover(town)
    assert relay.lost == 1 and answer.status == 200
    assert events_of(town, message_id) == ["released"]


def test_o04_a_connection_lost_before_its_commit_is_told_to_come_back(town, relay):
    is_quiet(town)
    relay.lose_commit(sent=False)
    message_id, answer, _ = discover(town)
    assert relay.lost == 1 and answer.status == 503
    assert "released" not in events_of(town, message_id)
    heals(town)


def test_o04_every_second_commit_lost_under_load_loses_nothing(town, relay):
    heals(town)
    mark, stopping = town.gateway.audit_mark(), threading.Event()

    def lose():
        for number in range(1000):
            if stopping.wait(0.15):
                return
            relay.lose_commit(sent=bool(number % 2))
    loser = threading.Thread(target=lose)
    loser.start()
    with Load(town, comes_back=True) as load:
        time.sleep(2.5)
    stopping.set()
    loser.join()
    relay.lose_none()
    heals(town)
    assert len(load.answered) > 20 and {status for status, _ in load.others} <= {503}
    assert found_after(town.gateway, load.answered, mark) == []


@pytest.mark.parametrize("seconds, status", [(-10, 503), (10, 503), (1, 200)])
def test_o04_a_clock_that_is_not_the_databases_is_not_ready(town, seconds, status):
    assert town.gateway.stop() == 0
    town.gateway.clock.advance(seconds=seconds)
    start(town)
    ready = town.gateway.operator("/readyz")
    assert ready.status == status and (status == 200) != (b"clock" in ready.body)
    assert town.gateway.operator("/healthz").status == 200
    assert town.gateway.stop() == 0
    town.gateway.clock.advance(seconds=-seconds)
    start(town)


def test_o04_down_at_the_start_or_of_another_schema_it_does_not_start_and_says_why(town, cluster):
    assert town.gateway.stop() == 0
    cluster.stop("fast")
    with pytest.raises(CommandFailed, match="exit 1\n.*database cannot be reached"):
        start(town)
    cluster.start()
    sql(cluster, town, "INSERT INTO schema_version VALUES (999)")
    with pytest.raises(CommandFailed, match="exit 1\n.*schema 999"):
        start(town)
    sql(cluster, town, "DELETE FROM schema_version WHERE version = 999")
    sql(cluster, town, "CREATE TABLE kept AS SELECT max(version) AS version FROM schema_version")
    sql(cluster, town, "DELETE FROM schema_version WHERE version = (SELECT version FROM kept)")
    with pytest.raises(CommandFailed, match="exit 1\n.*schema"):
        start(town)
    sql(cluster, town, "INSERT INTO schema_version SELECT version FROM kept")
    start(town)
    assert discover(town)[1].status == 200
