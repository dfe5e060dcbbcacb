"""Fixtures of the conformance tests: a peer that speaks to the built program from outside.

    GATEHOUSE=PATH          the program (default: build/release/gatehouse)
    GATEHOUSE_SHARED=DIR    official schemas and samples of others (default: ../shared); tests that need them skip
    --kills N               how often tests of faults kill the program (default 20, or GATEHOUSE_KILLS)
    --seed N                of what is drawn at random (default: drawn, and printed)
    --database postgresql   run the tests marked both_databases on a throw-away PostgreSQL cluster
"""

import os
import random
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))

from peer import gateway as program_under_test  # noqa: E402
from peer.database import BINARIES, Cluster  # noqa: E402
from peer.judges import SHARED  # noqa: E402
from peer.town import PATIENT_WORDS, Town  # noqa: E402


def pytest_addoption(parser):
    parser.addoption("--kills", type=int, default=int(os.environ.get("GATEHOUSE_KILLS", "20")))
    parser.addoption("--seed", type=int, default=random.SystemRandom().randrange(10 ** 6))
    parser.addoption("--database", choices=["sqlite", "postgresql"], default="sqlite")


def pytest_report_header(config):
    return [f"gatehouse: {program_under_test.program()}", f"shared: {SHARED if SHARED.is_dir() else 'absent'}",
            f"database: {config.getoption('--database')}, kills: {config.getoption('--kills')}, "
            f"seed: {config.getoption('--seed')}"]


def pytest_collection_modifyitems(config, items):
    if config.getoption("--database") == "sqlite":
        return
    chosen = [item for item in items if item.get_closest_marker("both_databases")]
    config.hook.pytest_deselected(items=[item for item in items if item not in chosen])
    items[:] = chosen


def pytest_runtest_logreport(report):
    """Which tests failed, for scripts/tests.py."""
    if report.failed and "GATEHOUSE_FAILED" in os.environ:
        with open(os.environ["GATEHOUSE_FAILED"], "a") as log:
            print(report.nodeid, file=log)


@pytest.fixture(scope="session")
def built():
    path = program_under_test.program()
    if not path.is_file():
        pytest.fail(f"there is no program at {path}: build it, or name it in GATEHOUSE")
    return path


@pytest.fixture(scope="session")
def shared():
    if not SHARED.is_dir():
        pytest.skip(f"no samples of others at {SHARED}")
    return SHARED


@pytest.fixture(scope="session")
def client_requests(shared):
    """The production client's four requests: name -> (content type, bytes)."""
    folder = shared / "samples" / "production-client"
    soap = "application/soap+xml; charset=UTF-8"
    requests = {name: (soap, (folder / f"{name}.xml").read_bytes())
                for name in ("iti55-request", "iti55-request-legacy-body", "iti38-request")}
    content_type = (folder / "iti39-request.content-type.txt").read_text().strip()
    return requests | {"iti39-request": (content_type, (folder / "iti39-request.mtom").read_bytes())}


@pytest.fixture(scope="session")
def databases(request):
    """Gives the URL of an empty database, or None for the embedded one."""
    if request.config.getoption("--database") == "sqlite":
        yield lambda: None
        return
    if not BINARIES.is_dir():
        pytest.skip("no PostgreSQL 15 here (Debian package postgresql)")
    with Cluster() as cluster:
        yield cluster.new_database


@pytest.fixture(scope="session")
def found_town(built, databases, tmp_path_factory):
    """Makes running towns; all are stopped at the end, must stop cleanly, and have named no patient in their logs."""
    towns = []

    def found(name="town", **options):
        town = Town(tmp_path_factory.mktemp(name), database=databases(), **options)
        towns.append(town)
        return town.build()
    yield found
    exits = [town.gateway.stop() for town in towns if town.gateway.is_running()]
    assert set(exits) <= {0}, "a gateway did not stop cleanly"
    logs = [town.gateway.log for town in towns if town.gateway.log.exists()]
    assert [log for log in logs if any(word in log.read_text(errors="replace") for word in PATIENT_WORDS)] == []


@pytest.fixture(scope="session")
def town(found_town):
    """The town that tests share: who changes it puts it back."""
    return found_town("shared-town")


@pytest.fixture(scope="session")
def rng(request):
    return random.Random(request.config.getoption("--seed"))
