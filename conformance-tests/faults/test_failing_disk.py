"""A disk that is full, fails, may not be written or takes half: nothing leaves that was not written down, the gateway
says that it is not ready, lives, and heals by itself. [threats O03; design: nothing is lost]"""

import errno
import os
import subprocess
import time

import pytest

from peer.client import plain_get
from peer.disk import OPEN, READ, SHORT, SYNC, TRUNCATE, UNLINK, WRITE
from peer.gateway import PATHS, CommandFailed, program
from peer.judges import leak
from peer.load import audited
from peer.town import PATIENT_WORDS, QUILL, Town

HEALED_S = 5
FAULTS = {
    "syncs fail": (SYNC, errno.EIO), "the disk fails at writes": (WRITE, errno.EIO),
    "it is full": (WRITE, errno.ENOSPC), "the quota is used up": (WRITE, errno.EDQUOT),
    "writes are half done": (SHORT, 0), "it became read-only": (OPEN | WRITE | TRUNCATE | UNLINK, errno.EROFS),
    "the disk fails at reads": (READ, errno.EIO),
    "it fails at everything": (OPEN | WRITE | SYNC | TRUNCATE | READ, errno.EIO),
}


@pytest.fixture(scope="module")
def town(town_on_disk):
    """It keeps next to nothing of its database in memory."""
    town = town_on_disk("town-on-a-bad-disk", "cache_size=5")
    town.gateway.stop()
    town.gateway.disk = town.disk
    town.disk.begin()
    town.gateway.start()
    return town


def discover(town):
    message = town.sender().patient_discovery(QUILL)
    return message.message_id, town.ask(message, path=PATHS["ITI-55"])


def heals(town):
    begun = time.monotonic()
    while discover(town)[1].status != 200 or town.gateway.operator("/readyz").status != 200:
        assert time.monotonic() - begun < HEALED_S, "it did not heal by itself"
        time.sleep(0.1)


@pytest.mark.parametrize("fault", FAULTS)
def test_o03_nothing_leaves_that_is_not_written_down_and_it_heals_by_itself(town, fault):
    assert discover(town)[1].status == 200
    mark = town.gateway.audit_mark()
    town.disk.fail(*FAULTS[fault])
    try:
        answers = [discover(town) for _ in range(4)]
        # SQLite calls a page that cannot be read a corrupt database at first: 500.
        assert {answer.status for _, answer in answers[1:]} <= ({500, 503} if FAULTS[fault][0] & READ else {503})
        for _, answer in answers:
            assert answer.status == 200 or leak(answer, PATIENT_WORDS) == ""
        assert town.gateway.operator("/healthz").status == 200 and town.gateway.operator("/readyz").status == 503
    finally:
        town.disk.heal()
    heals(town)
    exit, said = town.gateway.verify_audit(town.gateway.data / "audit" / "witness.jsonl")
    assert exit == 0, said
    answered = {message_id for message_id, answer in answers if answer.status == 200}
    assert answered <= audited(town.gateway, mark)


@pytest.mark.parametrize("fault", ["it is full", "it became read-only", "syncs fail"])
def test_o03_it_does_not_start_on_such_a_disk_and_says_why(town, fault):
    assert town.gateway.stop() == 0
    town.disk.begin()
    town.disk.fail(*FAULTS[fault])
    with pytest.raises(CommandFailed, match="exit 1\n.*(database|witness)"):
        town.gateway.start()
    town.disk.begin()
    town.gateway.start()
    assert discover(town)[1].status == 200


def test_o03_a_log_that_cannot_be_written_holds_up_no_answer(town):
    assert town.gateway.stop() == 0
    with open("/dev/full", "wb") as full:
        process = subprocess.Popen([program(), "serve", "--config", town.gateway.config], stdout=full, stderr=full)
    try:
        deadline = time.monotonic() + 10
        while True:
            try:
                if plain_get(town.gateway.operator_port, "/readyz").status == 200:
                    break
            except OSError:
                pass
            assert process.poll() is None and time.monotonic() < deadline, f"it did not start: {process.poll()}"
            time.sleep(0.05)
        assert discover(town)[1].status == 200
        refused = town.sender(audience="https://somebody.else.example").patient_discovery(QUILL)
        assert town.ask(refused, path=PATHS["ITI-55"]).status == 400
        assert discover(town)[1].status == 200
    finally:
        process.terminate()
        assert process.wait(timeout=20) == 0
        town.gateway.start()


def test_o03_without_inodes_it_serves_from_the_files_it_has(built, tmp_path):
    if os.geteuid() != 0:
        pytest.fail("a file system of its own takes root")
    disk = tmp_path / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m,nr_inodes=200", "tmpfs", disk], check=True)
    town = Town(disk / "town", at=None)
    try:
        town.build()
        made = 0
        try:
            while True:
                (disk / f"file-{made}").touch()
                made += 1
        except OSError as refused:
            assert refused.errno == errno.ENOSPC and made > 10
        assert [discover(town)[1].status for _ in range(3)] == [200] * 3
        assert town.gateway.operator("/readyz").status == 200
        (disk / "file-0").unlink()
    finally:
        town.gateway.stop()
        subprocess.run(["umount", "-l", disk], check=False)
