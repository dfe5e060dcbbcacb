"""Replay over two nodes on one database: one insert wins, the limits are one for both, and a store that is down or a
clock that is set back opens nothing. [threat catalogue §5, R06]"""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from peer.database import BINARIES, Cluster
from peer.gateway import Clock
from peer.messages import cx, find_documents
from peer.town import HOME, QUILL, TEST_PATIENT, Town, lakeside, riverside

ROUNDS = 8  # of one resend to each node: sixteen in all


def entries(answer):
    assert answer.fault is None, answer.fault
    return {entry.unique_id for entry in answer.query.entries}


def at_once(nodes, wires, credential=None):
    """Sends each of the wires to the node of its number, all at the same instant. @return their answers"""
    credential = credential or riverside().tls
    connections = [node.connect(credential) for node in nodes]
    try:
        with ThreadPoolExecutor(len(nodes)) as pool:
            return list(pool.map(lambda node, wire, connection: node.send(wire, credential, connection=connection),
                                 nodes, wires, connections))
    finally:
        for connection in connections:
            connection.close()


def first_and_repeats(town, message):
    """Request ids of the one that was first and what the others say they repeat."""
    rows = [row for row in town.gateway.audit_of(message.message_id) if row["outcome"] == "released"]
    firsts = [row["request"] for row in rows if not row["payload"].get("repeat_of")]
    return firsts, [row["payload"]["repeat_of"] for row in rows if row["payload"].get("repeat_of")], rows


@pytest.mark.both_databases
class TestR06TwoNodes:
    @pytest.fixture(scope="class")
    def town(self, found_town):
        return found_town("two-nodes")

    @pytest.fixture(scope="class")
    def nodes(self, town, tmp_path_factory):
        second = town.gateway.twin(tmp_path_factory.mktemp("second"))
        second.start()
        yield town.gateway, second
        assert second.stop() == 0

    def test_r06_at_the_same_instant_one_wins_and_the_others_repeat_it(self, town, nodes):
        for _ in range(6):
            message = town.find_documents(TEST_PATIENT)
            for answer in at_once(nodes, [message.wire()] * 2):
                assert entries(answer) == {"1.2.3.4^1"}
            firsts, repeats, rows = first_and_repeats(town, message)
            assert len(firsts) == 1 and repeats == firsts
            assert len({row["node"] for row in rows}) == 2

    def test_r06_sixteen_resends_are_answered_by_both_together(self, town, nodes):
        """R02, spread over both; the seventeenth is refused by either."""
        message = town.find_documents(TEST_PATIENT)
        wire = message.wire()
        for _ in range(ROUNDS):
            for answer in at_once(nodes, [wire] * 2):
                assert entries(answer) == {"1.2.3.4^1"}
            town.gateway.clock.advance(seconds=100)
        for answer in at_once(nodes, [wire] * 2):
            assert (answer.status, answer.fault.subcode) == (400, "FailedCheck")
        firsts, repeats, _ = first_and_repeats(town, message)
        assert len(firsts) == 1 and repeats == firsts * (2 * ROUNDS - 1)
        assert {row["reason"] for row in town.gateway.audit_of(message.message_id) if row["outcome"] == "fault"} == {
            "replay-too-often"}
        for node in nodes:
            assert entries(node.send(town.find_documents(TEST_PATIENT), riverside().tls)) == {"1.2.3.4^1"}

    def test_r06_what_one_answered_is_a_relay_to_the_other(self, town, nodes):
        message = town.find_documents(TEST_PATIENT)
        assert entries(nodes[0].send(message, riverside().tls)) == {"1.2.3.4^1"}
        answer = nodes[1].send(message, lakeside().tls)
        assert (answer.status, answer.fault.subcode) == (400, "FailedAuthentication")
        assert entries(nodes[1].send(message, riverside().tls)) == {"1.2.3.4^1"}

    def test_r06_bodies_under_one_proof_are_counted_by_both_together(self, town, nodes):
        message = town.find_documents(TEST_PATIENT)

        def with_body(number):
            def change(twin):
                twin.body.clear()
                twin.body.append(find_documents(cx(f"HV-{number}", HOME)))
            return message.altered(change).wire()
        answers = []
        for number in range(0, 66, 2):
            answers += at_once(nodes, [with_body(number), with_body(number + 1)])
        assert [answer.fault.subcode for answer in answers if answer.fault] == ["FailedCheck"] * 2

    def test_r06_a_clock_set_back_after_pruning_opens_nothing(self, town, nodes, tmp_path):
        """The record is gone, and to the clock that was set back the message would be fresh."""
        first, second = nodes
        message = town.find_documents(TEST_PATIENT)
        for node in nodes:
            assert entries(node.send(message, riverside().tls)) == {"1.2.3.4^1"}
        first.clock.advance(minutes=22)
        assert entries(town.ask(town.find_documents(QUILL)))  # its commit deletes what has ended
        time.sleep(1)
        assert second.stop() == 0
        second.clock = Clock(tmp_path)
        second.clock.set(first.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ"))
        second.clock.advance(minutes=-10)
        second.start()
        of_its_time = town.find_documents(QUILL, town.sender().but(clock=second.clock.now))
        assert second.send(of_its_time, riverside().tls).status == 503, "decisions do not go back"
        assert second.stop() == 0
        second.serve_options = ["--accept-clock"]
        second.start()
        answer = second.send(message, riverside().tls)
        assert (answer.status, answer.fault.subcode) == (400, "FailedCheck")
        [refused] = [row for row in town.gateway.audit_of(message.message_id) if row["outcome"] == "fault"]
        assert refused["reason"] == "replay-too-often" and refused["node"] == "node-2"
        fresh = town.find_documents(QUILL, town.sender().but(clock=second.clock.now))
        assert entries(second.send(fresh, riverside().tls))


@pytest.mark.skipif(not BINARIES.is_dir(), reason="no PostgreSQL 15 (Debian package postgresql)")
def test_r06_a_store_that_is_down_answers_nothing(built, tmp_path):
    """Both nodes say so, and what was sent meanwhile is new to both afterwards."""
    with Cluster() as cluster:
        town = Town(tmp_path / "town", database=cluster.new_database(), at=None).build()
        second = town.gateway.twin(tmp_path)
        second.start()
        nodes = (town.gateway, second)
        try:
            message = town.find_documents(TEST_PATIENT)
            cluster.stop("fast")
            try:
                for answer in at_once(nodes, [message.wire()] * 2):
                    assert (answer.status, answer.fault.code) == (503, "Receiver")
                    assert int(answer.headers["retry-after"]) > 0
            finally:
                cluster.start()
            deadline = time.monotonic() + 5
            while any(node.operator("/readyz").status != 200 for node in nodes):
                assert time.monotonic() < deadline, "it did not heal by itself"
                time.sleep(0.1)
            for answer in at_once(nodes, [message.wire()] * 2):
                assert entries(answer) == {"1.2.3.4^1"}
            firsts, repeats, _ = first_and_repeats(town, message)
            assert len(firsts) == 1 and repeats == firsts
        finally:
            assert [node.stop() for node in nodes] == [0, 0]
