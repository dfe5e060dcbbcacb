"""A clock that is set forward and back while the program runs, the end of 32-bit time, dates far away, machines in
other zones: only the calendar moves, connections and deadlines go by the steady clock. [threats O11]"""

import datetime
import time

import pytest

from peer import records
from peer.gateway import PATHS
from peer.load import Load
from peer.records import Document
from peer.town import HOME, QUILL, Town, riverside


@pytest.fixture(scope="module")
def town(found_town):
    return found_town("town-out-of-time")


def discover(town, connection=None):
    message = town.sender().patient_discovery(QUILL)
    return message.message_id, town.ask(message, path=PATHS["ITI-55"], connection=connection)


def is_sound(town):
    exit, said = town.gateway.verify_audit(town.gateway.data / "audit" / "witness.jsonl")
    assert exit == 0, said
    rows = town.gateway.audit(kind=None)
    assert len({(row["node"], row["seq"]) for row in rows}) == len(rows)
    requests = [row["request"] for row in rows if row["kind"] == "event" and row["outcome"] == "released"]
    assert len(set(requests)) == len(requests), "an id was given twice"
    return True


def test_o11_small_steps_back_and_forth_under_load_fail_no_request(town):
    with Load(town) as load:
        for seconds in (-1, 1, -30, 30, 45, -45):
            time.sleep(0.25)
            town.gateway.clock.advance(seconds=seconds)
    assert len(load.answered) > 20 and load.others == []
    assert is_sound(town)


def test_o11_hours_forward_open_connections_go_on(town):
    with town.gateway.connect(riverside().tls) as connection:
        assert discover(town, connection)[1].status == 200
        town.gateway.clock.advance(hours=2)
        assert discover(town, connection)[1].status == 200
        time.sleep(1.2)  # those that look after connections have looked
        assert discover(town, connection)[1].status == 200
    assert town.gateway.operator("/readyz").status == 200


def test_o11_hours_back_a_window_that_was_forgotten_is_refused_and_says_so(town):
    """What replays of that time were is no longer known: fail closed, and well again with the clock."""
    assert discover(town)[1].status == 200  # those who ended before this hour are forgotten
    town.gateway.clock.advance(hours=-2)
    try:
        message_id, answer = discover(town)
        [event] = [row for row in town.gateway.audit_of(message_id) if row["outcome"] not in ("sent", "looked")]
        assert answer.status == 400 and event["reason"] == "replay-too-often", event
    finally:
        town.gateway.clock.advance(hours=2)
    assert discover(town)[1].status == 200
    assert is_sound(town)


def test_o11_the_end_of_32_bit_time_passes_unnoticed(built, tmp_path):
    town = Town(tmp_path / "town-of-2038", at="2038-01-19T03:14:04Z").build()
    try:
        with town.gateway.connect(riverside().tls) as connection:
            first, _ = discover(town, connection)
            town.gateway.clock.set("2038-01-19T03:14:09Z")
            second, answer = discover(town, connection)
            assert answer.status == 200
        at = [town.gateway.audit_of(message_id)[0]["at"] for message_id in (first, second)]
        assert at[0] < at[1] and at[1].startswith("2038-01-19T03:14:09")
        assert is_sound(town)
    finally:
        assert town.gateway.stop() == 0


@pytest.mark.parametrize("created", ["21991231235959+0000", "21060207062816+0000", "20380119031408+0000"])
def test_o11_dates_far_away_are_found_as_they_were_written(town, created):
    unique_id = "2.999.1.7." + created[:8]
    town.file(Document(unique_id, QUILL, created=created))
    answer = town.ask(town.find_documents(QUILL))
    assert unique_id in [entry.unique_id for entry in answer.query.entries]
    assert f"<rim:Value>{created[:14]}</rim:Value>".encode() in answer.body


def test_o11_a_date_beyond_every_calendar_of_ours_is_refused(town):
    """Years 1900 to 2200 are read: what comes near the ends of any number is not taken in."""
    path = town.gateway.write("far.xml", records.ccda(Document("2.999.1.7.9999", QUILL, created="99991231235959+0000"),
                                                      HOME))
    assert "effectiveTime" in town.gateway.command("document", "import", path, exit=1).output
    assert town.ask(town.find_documents(QUILL)).status == 200


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "America/St_Johns"])
def test_o11_the_zone_of_the_machine_plays_no_part(town, zone):
    assert town.gateway.stop() == 0
    town.gateway.zone = zone
    try:
        town.gateway.start()
        message_id, answer = discover(town)
        assert answer.status == 200
        [event] = [row for row in town.gateway.audit_of(message_id) if row["outcome"] == "released"]
        at = datetime.datetime.fromisoformat(event["at"].removesuffix("Z"))
        assert abs((town.gateway.clock.now() - at).total_seconds()) < 60
    finally:
        assert town.gateway.stop() == 0
        town.gateway.zone = "UTC"
        town.gateway.start()
