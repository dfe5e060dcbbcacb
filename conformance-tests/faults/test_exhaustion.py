"""What runs out: descriptors, memory; and everybody at once after a restart. [threats O09, O10]"""

import resource
import threading
import time

import pytest

from peer.client import Closed, descriptors
from peer.gateway import PATHS
from peer.town import QUILL, riverside

HEALED_S = 5


@pytest.fixture(scope="module")
def town(found_town):
    return found_town("exhausted-town", at=None)


def discover(town, connection=None):
    return town.ask(town.sender().patient_discovery(QUILL), path=PATHS["ITI-55"], connection=connection)


def is_served(town):
    """@return whether a new connection is answered as it should be"""
    try:
        return discover(town).status == 200
    except (Closed, OSError):
        return False


def heals(town):
    begun = time.monotonic()
    while not is_served(town):
        assert time.monotonic() - begun < HEALED_S, "it did not heal by itself"
        time.sleep(0.1)


def cpu_seconds(pid):
    fields = open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / 100


class Limited:
    """A limit of the running process, for a while."""

    def __init__(self, town, kind, limit):
        self._pid, self._kind, self._limit = town.gateway.process.pid, kind, limit

    def __enter__(self):
        _, hard = resource.prlimit(self._pid, self._kind)
        self._before = resource.prlimit(self._pid, self._kind, (self._limit, hard))

    def __exit__(self, *_):
        resource.prlimit(self._pid, self._kind, self._before)


def test_o09_without_descriptors_open_connections_are_served_and_it_recovers(town):
    pid = town.gateway.process.pid
    fill_and_leave(town, pid)
    settled = descriptors(pid)  # every thread has opened its database
    fill_and_leave(town, pid)
    deadline = time.monotonic() + 5
    while descriptors(pid) > settled + 4 and time.monotonic() < deadline:
        time.sleep(0.1)
    assert descriptors(pid) <= settled + 4


def fill_and_leave(town, pid):
    with town.gateway.connect(riverside().tls) as bystander:
        assert discover(town, bystander).status == 200
        before = descriptors(pid)
        with Limited(town, resource.RLIMIT_NOFILE, before + 10):
            crowd, turned_away = [], 0
            for _ in range(40):
                try:
                    crowd.append(town.gateway.connect(riverside().tls))
                except (Closed, OSError):
                    turned_away += 1
            assert crowd and turned_away, (len(crowd), turned_away)
            assert discover(town, bystander).status == 200
            worked = cpu_seconds(pid)
            time.sleep(1.5)
            assert cpu_seconds(pid) - worked < 0.5, "it spins"
            for connection in crowd:
                connection.close()
            heals(town)
    heals(town)


def test_o09_without_memory_one_request_ends_and_others_are_served(town):
    """A message of 30 MB finds no room; the same message is read to its end when there is."""
    pid = town.gateway.process.pid
    content_type, body = town.sender().patient_discovery(QUILL).wire()
    large = body.replace(b"</soap:Envelope>", b"<!--" + b"x" * 30_000_000 + b"--></soap:Envelope>")

    def send_large():
        with town.gateway.connect(riverside().tls) as connection:
            return connection.post(PATHS["ITI-55"], content_type, large)
    pages = int(open(f"/proc/{pid}/statm").read().split()[0])
    with town.gateway.connect(riverside().tls) as bystander:
        with Limited(town, resource.RLIMIT_AS, pages * 4096 + (8 << 20)):
            try:
                assert send_large().status >= 500
            except Closed:
                pass
            assert town.gateway.is_running(), "one request without memory took all others with it"
            assert discover(town, bystander).status == 200
            assert is_served(town)
        assert send_large().status in (200, 400, 413)
        assert discover(town, bystander).status == 200


def test_o10_everybody_at_once_after_a_restart_is_answered(town):
    """Sixty partners' clients connect at the same instant, again and again until they are let in."""
    town.gateway.kill()
    messages = [town.sender().patient_discovery(QUILL) for _ in range(60)]
    took, wrong = [], []
    restarted = threading.Event()

    def insist(message):
        restarted.wait(20)
        begun = time.monotonic()
        while time.monotonic() - begun < 20:
            try:
                answer = town.ask(message, path=PATHS["ITI-55"])
                if answer.status == 200:
                    took.append(time.monotonic() - begun)
                    return
                if answer.status != 503:
                    wrong.append(answer.status)
                    return
            except (Closed, OSError):
                pass
            time.sleep(0.02)
    threads = [threading.Thread(target=insist, args=(message,)) for message in messages]
    for thread in threads:
        thread.start()
    restarted.set()
    town.gateway.start()
    for thread in threads:
        thread.join()
    assert wrong == [] and len(took) == 60 and max(took) < 10, (wrong, len(took), max(took))
    answered = {message.message_id for message in messages}
    events = [row["payload"]["message_id"] for row in town.gateway.audit(limit=2000)
              if row["outcome"] == "released" and row["payload"].get("message_id") in answered]
    assert set(events) == answered
