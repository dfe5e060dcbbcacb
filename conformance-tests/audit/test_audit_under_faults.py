"""What happens to the audit when something fails: the repository stops, hangs, lies about who it is or takes nothing for
days; the gateway is killed; the disk is full. No message is lost, and nothing leaves that could not be written down.
[design: nothing is lost; threats O03, O05]"""

import os
import subprocess
import threading
import time

import pytest

from peer import ca
from peer.audit_repository import RSYSLOGD, AuditRepository
from peer.client import Closed
from peer.gateway import PATHS, CommandFailed, Gateway
from peer.messages import cx
from peer.names import NHIN_PURPOSES
from peer.town import HOME, QUILL, STRANGER, Town, riverside

both_databases = pytest.mark.both_databases
pytestmark = pytest.mark.skipif(not RSYSLOGD.is_file(), reason="no rsyslogd (Debian package rsyslog)")
HEALED_S = 5


def discover(town, patient=QUILL, **options):
    return town.ask(town.sender().patient_discovery(patient), path=PATHS["ITI-55"], **options)


def reported(town, outcomes=("released", "no-match", "withheld", "refused", "fault")):
    """(node, seq) of every event of an exchange in the gateway's own trail, in its order."""
    rows = [row for row in town.gateway.audit() if row["outcome"] in outcomes]
    return sorted((row["node"], row["seq"]) for row in rows)


def received(messages):
    """(node, seq) of every message of an exchange or refusal, in the order of arrival."""
    own = {("110100", "DCM"), ("110101", "DCM")}
    return [message.entry for message in messages if message.event not in own]


def all_arrive(town, repository, within_s=20):
    expected = reported(town)
    repository.wait_for(lambda messages: set(expected) <= set(received(messages)), within_s)
    arrived = received(repository.messages())
    assert set(arrived) == set(expected)
    first = list(dict.fromkeys(arrived))
    assert first == sorted(first), "messages came out of their order"
    return expected


@pytest.fixture
def audited(found_town, tmp_path):
    """Makes a repository and a town that tells it; with a clock of the machine."""
    made = []

    def make(start=True, **options):
        repository = AuditRepository(tmp_path / f"repository-{len(made)}", **options.pop("repository", {}))
        made.append(repository)
        if start:
            repository.start()
        spool = options.pop("spool", 100_000)
        town = found_town("audit-faults", at=None, configure=lambda gateway: repository.tell(gateway, spool=spool),
                          **options)
        return town, repository
    yield make
    for repository in made:
        repository.__exit__()


class Asker(threading.Thread):
    """Asks without pause until told to stop."""

    def __init__(self, town):
        super().__init__(daemon=True)
        self.town, self.stopping, self.answers = town, False, 0

    def run(self):
        while not self.stopping:
            try:
                with self.town.gateway.connect(riverside().tls) as connection:
                    while not self.stopping:
                        discover(self.town, connection=connection)
                        self.answers += 1
            except (Closed, OSError):
                time.sleep(0.02)

    def end(self):
        self.stopping = True
        self.join(timeout=20)
        assert not self.is_alive()
        return self.answers


@both_databases
@pytest.mark.parametrize("driver", ["ossl", "gtls"])
def test_nothing_is_lost_when_the_repository_is_restarted_again_and_again(audited, driver):
    town, repository = audited(repository={"driver": driver})
    asker = Asker(town)
    asker.start()
    for _ in range(3):
        time.sleep(0.7)
        repository.stop()
        time.sleep(0.4)
        repository.start()
    answers = asker.end()
    assert answers > 20
    assert len(all_arrive(town, repository)) >= answers


@both_databases
def test_nothing_is_lost_when_the_gateway_is_killed_meanwhile(audited, rng):
    town, repository = audited()
    for _ in range(3):
        asker = Asker(town)
        asker.start()
        time.sleep(rng.uniform(0.3, 1.5))
        town.gateway.kill()
        asker.end()
        town.gateway.start()
    all_arrive(town, repository)


@both_databases
def test_both_at_once(audited):
    town, repository = audited()
    asker = Asker(town)
    asker.start()
    time.sleep(0.5)
    repository.stop()
    time.sleep(0.3)
    town.gateway.kill()
    asker.end()
    town.gateway.start()
    discover(town)
    repository.start()
    all_arrive(town, repository)


def test_a_repository_that_reads_nothing_holds_up_no_answer_and_loses_nothing(audited):
    town, repository = audited()
    discover(town)
    repository.freeze()
    slowest = max(discover(town).seconds for _ in range(300))
    assert slowest < 1, "an answer waited for the repository"
    repository.thaw()
    all_arrive(town, repository, within_s=40)


def metric(town, name):
    text = town.gateway.operator("/metrics").body.decode()
    return next(float(line.split()[-1]) for line in text.splitlines() if line.startswith(f"gatehouse_{name} "))


@pytest.mark.parametrize("who", ["by nobody we know", "for another name", "for clients only"])
def test_a_repository_with_the_wrong_certificate_is_told_nothing(audited, who, tmp_path):
    """What waits goes to the right one when it is back."""
    right = ca.Authority("Audit Network CA")
    server = {"by nobody we know": lambda: ca.Authority("Someone else's CA", key=ca.rsa_key("other CA"))
              .issue("localhost", "Audit Repository"),
              "for another name": lambda: right.issue("audit.example", "Audit Repository", dns=("audit.example",)),
              "for clients only": lambda: ca.self_signed("localhost", "Audit Repository")}[who]()
    town, repository = audited(repository={"authority": right, "server": server})
    discover(town)
    time.sleep(2.5)
    assert repository.lines() == []
    log = town.gateway.log.read_text()
    assert "does not take messages" in log and "is not believed" in log
    assert metric(town, "audit_syslog_connected") == 0 and metric(town, "audit_syslog_waiting") > 0
    repository.stop()
    right.issue("localhost", "Audit Repository").write(repository.folder / "server")
    repository.start()
    all_arrive(town, repository)


@pytest.mark.parametrize("key, value, says", [
    ("syslog.trust", [], "syslog.trust must name"), ("syslog.address", "localhost", "syslog.address must be"),
    ("syslog.key", "/nowhere.key", "/nowhere.key")])
def test_a_gateway_that_cannot_tell_it_does_not_start_and_says_why(tmp_path, key, value, says):
    repository = AuditRepository(tmp_path / "repository")
    gateway = Gateway(tmp_path / "gateway", HOME).init()
    repository.tell(gateway)
    gateway.configure(key, value)
    with pytest.raises(CommandFailed, match=says):
        gateway.start()


def test_a_full_spool_ends_disclosure_and_refusals_go_on(audited):
    """At four fifths an alarm; at the limit 503 for all who may ask, whoever they ask for; and back by itself."""
    town, repository = audited(start=False, spool=40)
    answers = []
    for _ in range(40):
        answers.append(discover(town).status)
        if answers[-1] != 200:
            break
    assert answers[0] == 200 and answers[-1] == 503, answers
    deadline = time.monotonic() + 3
    while "spool of the audit repository is full" not in town.gateway.log.read_text():
        assert time.monotonic() < deadline, "no alarm"
        time.sleep(0.1)
    assert "nearly full" in town.gateway.log.read_text()
    assert metric(town, "audit_syslog_alarm") == 1
    full = discover(town, QUILL), discover(town, STRANGER)
    assert [answer.status for answer in full] == [503, 503]
    refused = town.sender(audience="https://somebody.else.example").patient_discovery(QUILL)
    assert town.ask(refused, path=PATHS["ITI-55"]).status not in (200, 503)
    unsupported = town.sender(purposes=((NHIN_PURPOSES, "MARKETING"),)).patient_discovery(QUILL)
    assert town.ask(unsupported, path=PATHS["ITI-55"]).status == 200
    reasons = {row["reason"] for row in town.gateway.audit(limit=400)}
    assert {"audit-spool-full", "audience-not-us"} <= reasons
    repository.start()
    deadline = time.monotonic() + 15
    while discover(town).status != 200:
        assert time.monotonic() < deadline, "disclosure did not come back"
        time.sleep(0.3)
    all_arrive(town, repository)
    assert metric(town, "audit_syslog_alarm") == 0


@pytest.mark.parametrize("codes", [100, 1000])
def test_a_query_too_long_for_the_repository_is_told_by_its_hash(audited, codes):
    town, repository = audited()
    values = [f"('{number}{'x' * 80}^^2.16.840.1.113883.6.1')" for number in range(codes)]
    message = town.find_documents(QUILL, TypeCode=values)
    assert town.ask(message).status == 200
    all_arrive(town, repository)
    (told,) = [m for m in repository.messages() if m.query]
    _, _, query, details = told.query
    if codes == 1000:
        assert query is None and len(details["gatehouse:querySha256"]) == 64
    else:
        assert query.count(b"x" * 80) == 100 and "gatehouse:querySha256" not in details
    assert told.patients == [cx(QUILL.mrn, HOME)]


# ---------------------------------------------------------------- a full disk

@pytest.fixture
def small_disk(tmp_path):
    """A file system of 24 MB of its own."""
    if os.geteuid() != 0:
        pytest.fail("a file system of its own takes root")
    disk = tmp_path / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", disk], check=True)
    yield disk
    subprocess.run(["umount", "-l", disk], check=False)


def test_on_a_full_disk_nothing_leaves_and_it_heals_by_itself(small_disk, built):
    town = Town(small_disk / "town", at=None).build()
    try:
        assert discover(town).status == 200
        ballast = small_disk / "ballast"
        with ballast.open("wb", buffering=0) as file:
            try:
                while True:
                    file.write(b"\0" * 4096)
            except OSError:
                pass
        statuses = []
        deadline = time.monotonic() + 20
        while statuses[-3:] != [503] * 3 and time.monotonic() < deadline:
            statuses.append(discover(town).status)  # pages that were free already may still take some
        assert statuses[-3:] == [503] * 3 and set(statuses) <= {200, 503}
        assert town.gateway.operator("/readyz").status == 503 and town.gateway.operator("/healthz").status == 200
        answer = discover(town)
        assert b"Quillfeather" not in answer.body
        ballast.unlink()
        freed = time.monotonic()
        while discover(town).status != 200:
            assert time.monotonic() - freed < HEALED_S, "it did not heal by itself"
            time.sleep(0.1)
        assert town.gateway.operator("/readyz").status == 200
        exit_code, said = town.gateway.verify_audit(town.gateway.data / "audit" / "witness.jsonl")
        assert exit_code == 0, said
    finally:
        town.gateway.stop()
