"""kill -9 before and after each write, sync, truncation and removal of a file, and each send, of a gateway's life: its
start, a few answers, its end. It starts again by itself, and what was answered is written down, once and whole.
[threats O01; design: nothing is lost]"""

import os
import statistics
import time

import pytest

from peer.client import Closed
from peer.gateway import PATHS, CommandFailed
from peer.load import Answered, found_after
from peer.town import QUILL, TEST_PATIENT, riverside

POINTS = 100_000 if os.environ.get("GATEHOUSE_LONG") else 10  # the plain run draws some
SERVING_S = 2


@pytest.fixture(scope="module")
def town(town_on_disk):
    return town_on_disk("town-of-points", "wal_autocheckpoint=20")


def life(town, **how):
    """Starts, asks for three answers and stops. @return those that came"""
    town.disk.begin(**how)
    answered = []
    town.gateway.disk = town.disk
    try:
        town.gateway.start()
        with town.gateway.connect(riverside().tls) as connection:
            for message, path in ((town.sender().patient_discovery(QUILL), "ITI-55"),
                                  (town.find_documents(TEST_PATIENT), "ITI-38"),
                                  (town.retrieve("2.999.1.7.2001"), "ITI-39")):
                answer = town.ask(message, connection=connection, path=PATHS[path])
                assert (answer.status, answer.relates_to) == (200, message.message_id)
                answered.append(Answered(message.message_id, time.monotonic()))
        town.gateway.stop()
    except (Closed, OSError):
        town.gateway.process.wait(timeout=20)
    except CommandFailed:
        assert town.gateway.process.poll() == -9, "it ended otherwise than by the kill"
    town.gateway.disk = None
    return answered


def test_o01_killed_at_any_call_it_starts_again_and_what_was_answered_is_there(town, rng, capsys):
    town.gateway.stop()
    assert len(life(town)) == 3 and town.gateway.process.returncode == 0
    count = town.disk.calls
    assert count > 60, "fewer calls than one life takes"
    points = [(number, after) for number in range(1, count + 1) for after in (False, True)]
    points = sorted(rng.sample(points, min(POINTS, len(points))))
    killed, total, seconds = 0, 0, []
    for done, (number, after) in enumerate(points, 1):
        mark = town.gateway.audit_mark()
        answered = life(town, kill_at=number, kill_after=after)
        killed += town.gateway.process.returncode == -9
        begun = time.monotonic()
        town.gateway.start()
        seconds.append(time.monotonic() - begun)
        where = f"killed {'after' if after else 'before'} call {number} of {count}"
        assert found_after(town.gateway, answered, mark) == [], where
        assert town.gateway.stop() == 0, where
        total += len(answered)
        if len(points) > 100 and done % 50 == 0:
            with capsys.disabled():
                print(f"\n{done} of {len(points)} points, {killed} kills, {total} answers received whole, all audited; "
                      f"it served after {max(seconds):.1f} s at most", flush=True)
    assert killed >= len(points) * 0.8  # a life differs a little from another: its last numbers may not come
    assert statistics.median(seconds) < SERVING_S  # not the slowest: others may use the machine
    town.gateway.start()
    assert town.ask(town.find_documents(QUILL)).status == 200
