"""C05 and C06: periods of consents begin and end at their very instants, whatever zone the machine is in; and a clock
that jumps opens nothing that was closed. And what a denial of some time's care means for a document's own time.
[design §4; threats C05, C06]"""

import datetime
import time
from zoneinfo import ZoneInfo

import pytest

from peer import consents
from peer.database import BINARIES, Cluster
from peer.records import CONFIDENTIALITY, Document, Patient
from peer.town import QUILL, TEST_PATIENT, Town

GATED = (CONFIDENTIALITY, "V")
NEW_YORK, KIRITIMATI = "America/New_York", "Pacific/Kiritimati"

# What --from and --until say, and when that is. In the order of the calendar: no clock goes back here.
PERIODS = {
    NEW_YORK: {
        "a day": ("2027-02-12", "2027-02-13", "2027-02-12T05:00:00Z", "2027-02-13T05:00:00Z"),
        "an hour that is skipped": ("2027-03-14T02:30", "2027-03-14T04:00", "2027-03-14T07:00:00Z",
                                    "2027-03-14T08:00:00Z"),
        "an hour that is repeated": ("2027-11-07T01:30", "2027-11-07T02:30", "2027-11-07T05:30:00Z",
                                     "2027-11-07T07:30:00Z"),
        "29 February": ("2028-02-29", "2028-03-01", "2028-02-29T05:00:00Z", "2028-03-01T05:00:00Z"),
        "a zone of its own, one second": ("2028-03-02T10:00:00+05:30", "2028-03-02T10:00:01+05:30",
                                          "2028-03-02T04:30:00Z", "2028-03-02T04:30:01Z"),
        "without end": ("2028-03-03", None, "2028-03-03T05:00:00Z", None),
    },
    KIRITIMATI: {
        "a day": ("2027-02-12", "2027-02-13", "2027-02-11T10:00:00Z", "2027-02-12T10:00:00Z"),
        "29 February": ("2028-02-29", "2028-03-01", "2028-02-28T10:00:00Z", "2028-02-29T10:00:00Z"),
    },
}
START = "2027-02-10T12:00:00Z"  # our own certificates last 397 days from here
PLACES = [("UTC", NEW_YORK), (NEW_YORK, NEW_YORK), ("Asia/Kolkata", NEW_YORK), (KIRITIMATI, NEW_YORK),
          (NEW_YORK, KIRITIMATI), ("UTC", KIRITIMATI)]


def moment(text):
    return datetime.datetime.fromisoformat(text.removesuffix("Z"))


def is_repeated(instant, zone):
    local = instant.replace(tzinfo=datetime.timezone.utc).astimezone(ZoneInfo(zone))
    return local.replace(fold=0).utcoffset() != local.replace(fold=1).utcoffset()


def people(zone):
    """Two for each period: one who forbids everything meanwhile, one who permits what is gated meanwhile."""
    families = ("Ashdown", "Birchall", "Coldwell", "Dunmore", "Elphick", "Farthing")
    rows = {}
    for number, (name, family) in enumerate(zip(PERIODS[zone], families)):
        forbids = Patient(f"C5-{number}", family, "Leopold", "M", f"193{number}0203", f"{number + 1} Mill Lane")
        permits = Patient(f"C5-{number}p", family + "son", "Ottilie", "F", f"194{number}0506", f"{number + 1} Weir Row")
        rows[name] = (forbids, permits, Document(f"2.999.1.12.{number}", permits, header=GATED))
    return rows


# What a C-CDA says of its creation, and two denials in New York: one that is about that time, one that is about the
# time beside it. Of the hour that clocks repeat, and of a day, the whole day is meant.
CREATED = {
    "an evening": ("20240101223000", ("2024-01-01T22:00", "2024-01-02"), ("2024-01-01T17:00", "2024-01-01T18:00")),
    "an evening to the hour": ("2024010122", ("2024-01-01T22:59", "2024-01-02"), ("2024-01-01T23:00", "2024-01-02")),
    "a zone of its own": ("20240101223000+0000", ("2024-01-01T17:00", "2024-01-01T18:00"),
                          ("2024-01-01T22:00", "2024-01-02")),
    "a day": ("20240101", ("2024-01-01T23:00", "2024-01-02"), ("2023-12-31", "2024-01-01")),
    "an hour that is repeated": ("20231105013000", ("2023-11-05T01:45-05:00", "2023-11-06"),
                                 ("2023-11-06", "2023-11-07")),
    "an hour that is skipped": ("20230312023000", ("2023-03-12T03:15", "2023-03-13"), ("2023-03-13", "2023-03-14")),
}


class TestADocumentsTime:
    @pytest.fixture(scope="class")
    def town(self, found_town):
        return found_town("document-times", zone=NEW_YORK)

    @pytest.mark.parametrize("created", CREATED)
    def test_is_the_clinics_where_no_zone_is_written(self, town, created):
        number = list(CREATED).index(created)
        family = ("Gainsborough", "Hepplewhite", "Inkpen", "Jessop", "Kettlewell", "Lytton")[number]
        patient = Patient(f"DT-{number}", family, "Leopold", "M", f"193{number}0203", f"{number + 1} Mill Lane")
        written, about_it, beside_it = CREATED[created]
        document = Document(f"2.999.1.17.{number}", patient, created=written)
        town.enter(patient)
        town.file(document)
        consents.give(town, patient, "--deny", "--data-from", beside_it[0], "--data-until", beside_it[1])
        assert consents.given(town, document)
        consents.give(town, patient, "--deny", "--data-from", about_it[0], "--data-until", about_it[1])
        assert not consents.given(town, document)


class TestC05:
    @pytest.mark.parametrize("machine, clinic", PLACES, ids=lambda zone: zone.rpartition("/")[2])
    def test_c05_a_period_begins_and_ends_at_its_very_millisecond(self, found_town, machine, clinic):
        town = found_town("zones", zone=clinic, at=START, configure=lambda gateway: setattr(gateway, "zone", machine))
        rows = people(clinic)
        town.enter(*(patient for forbids, permits, _ in rows.values() for patient in (forbids, permits)))
        town.file(*(document for _, _, document in rows.values()))
        for name, (begins, ends, *_) in PERIODS[clinic].items():
            forbids, permits, _ = rows[name]
            words = ("--from", begins, *(("--until", ends) if ends else ()))
            consents.give(town, forbids, "--deny", "--everything", *words)
            consents.permit(town, permits, "V", *words)

        def is_in_force(name, instant):
            if is_repeated(instant, machine):  # the machine's clock cannot be made to stand in it
                town.gateway.clock.set(instant.strftime("%Y-%m-%dT%H:%M:%SZ"))
            else:
                town.gateway.clock.freeze(instant.isoformat(timespec="milliseconds") + "Z", machine)
            forbids, _, document = rows[name]
            found = consents.outcome(town, forbids), consents.given(town, document)
            assert found in (("OK", False), ("NF", True)), f"{name} at {instant}: {found}"
            return found == ("NF", True)

        millisecond = datetime.timedelta(milliseconds=1)
        for name, (*_, begin, end) in PERIODS[clinic].items():
            steps = [(moment(begin) - datetime.timedelta(seconds=1), False), (moment(begin) - millisecond, False),
                     (moment(begin), True), (moment(begin) + millisecond, True)]
            if end:
                steps += [(moment(end) - millisecond, True), (moment(end), False), (moment(end) + millisecond, False)]
            else:
                steps += [(moment(begin) + datetime.timedelta(days=5), True)]
            for instant, expected in steps:
                if is_repeated(instant, machine) and instant.microsecond:
                    continue
                assert is_in_force(name, instant) == expected, f"{name} at {instant}"

    @pytest.mark.parametrize("words", [("--from", "2026-12-02", "--until", "2026-12-01"),
                                       ("--from", "2026-12-02", "--until", "2026-12-02"), ("--until", "2026-11-01"),
                                       ("--until", "2026-02-29"), ("--until", "tomorrow"), ("--from", "2026-13-01")])
    def test_c05_a_period_that_never_counts_is_not_kept(self, town, words):
        refused = town.gateway.command("consent", "give", QUILL.mrn, "--deny", "--everything", *words, *consents.STAFF,
                                       exit=1)
        assert words[-2] in refused.errors or words[0] in refused.errors
        assert town.gateway.json("consent", "show", QUILL.mrn)["consents"] == []
        assert consents.outcome(town, QUILL) == "OK"

    def test_c05_its_twin_is(self, town):
        consent = consents.give(town, QUILL, "--deny", "--everything", "--until", "2026-11-23")
        assert consents.outcome(town, QUILL) == "NF"
        consents.revoke(town, QUILL, consent)
        assert consents.outcome(town, QUILL) == "OK"


SECRET = Document("2.999.1.13.1", QUILL, header=GATED)
LASTING = Document("2.999.1.13.2", TEST_PATIENT, header=GATED)


class TestC06:
    """A permit that ends in half an hour, and one that does not."""

    @pytest.fixture()
    def town(self, found_town):
        town = found_town("jumping-clock")
        town.file(SECRET, LASTING)
        town.start = town.gateway.clock.now()
        until = (town.start + datetime.timedelta(minutes=30)).strftime("%Y-%m-%dT%H:%MZ")
        consents.permit(town, QUILL, "V", "--until", until)
        consents.permit(town, TEST_PATIENT, "V")
        assert consents.given(town, SECRET) and consents.given(town, LASTING)
        return town

    def nothing_is_decided(self, town):
        """Of whatever patient, by whatever transaction."""
        for message in (*town.three_questions(QUILL, SECRET).values(), town.find_documents(TEST_PATIENT)):
            answer = town.ask(message)
            assert (answer.status, answer.fault.code) == (503, "Receiver")
            assert [row["reason"] for row in town.gateway.audit_of(message.message_id)] == ["clock-went-back"]

    def test_c06_an_hour_ahead_ends_what_ends_and_nothing_else(self, town):
        town.gateway.clock.advance(hours=1)
        message = town.find_documents(QUILL)
        assert SECRET.unique_id not in {entry.unique_id for entry in town.ask(message).query.entries}
        assert consents.refusals(town, message) == {"consent-expired"}
        assert consents.given(town, LASTING)

    def test_c06_an_hour_back_nothing_is_decided_until_the_clock_is_right(self, town):
        town.gateway.clock.advance(hours=1)
        assert not consents.given(town, SECRET)
        town.gateway.clock.advance(hours=-1)
        self.nothing_is_decided(town)
        town.gateway.clock.advance(hours=1)
        assert not consents.given(town, SECRET)
        assert consents.given(town, LASTING)

    def test_c06_a_restart_alone_changes_nothing_and_the_operators_word_does(self, town):
        town.gateway.clock.advance(hours=1)
        assert not consents.given(town, SECRET)
        assert town.gateway.stop() == 0
        town.gateway.clock.advance(hours=-1)
        town.gateway.start()
        self.nothing_is_decided(town)
        assert town.gateway.stop() == 0
        town.gateway.serve_options = ("--accept-clock",)
        town.gateway.start()
        assert consents.given(town, SECRET), "the operator vouches for this clock"
        assert consents.given(town, LASTING)
        assert "clock accepted" in [row["payload"]["transaction"] for row in town.gateway.audit(limit=400)]

    @pytest.mark.parametrize("back", [1, 30, 55])
    def test_c06_small_steps_back_never_revive_what_was_seen_to_end(self, town, back):
        town.gateway.clock.freeze((town.start + datetime.timedelta(minutes=30)).strftime("%Y-%m-%dT%H:%M:00.000Z"))
        assert not consents.given(town, SECRET)
        before = town.gateway.clock.now() - datetime.timedelta(seconds=back)
        town.gateway.clock.freeze(before.isoformat(timespec="milliseconds"))
        assert not consents.given(town, SECRET)
        assert consents.given(town, LASTING)

    def test_c06_what_was_not_seen_to_end_goes_on_in_a_small_step_back(self, town):
        """The twin: the same clock, and nobody had looked at the end."""
        end = (town.start + datetime.timedelta(minutes=30)).replace(second=0, microsecond=0)
        for seconds in (-20, -50):
            town.gateway.clock.freeze((end + datetime.timedelta(seconds=seconds)).isoformat(timespec="milliseconds"))
            assert consents.given(town, SECRET)

    def test_c06_a_clock_that_stands_still_decides_at_one_instant(self, town):
        town.gateway.clock.freeze("2026-11-21T19:40:00.000Z")
        messages = [town.find_documents(QUILL) for _ in range(5)]
        for message in messages:
            assert SECRET.unique_id in {entry.unique_id for entry in town.ask(message).query.entries}
        assert len({consents.decision(town, message)["at"] for message in messages}) == 1

    def test_c06_over_midnight_of_the_clinic_each_request_has_its_own_day(self, town):
        patient = Patient("C6-1", "Greenhalgh", "Isidore", "M", "19560606", "2 Weir Lane")
        town.enter(patient)
        consents.give(town, patient, "--deny", "--everything", "--from", "2026-11-22")
        town.gateway.clock.freeze("2026-11-22T04:59:59.999Z")
        assert consents.outcome(town, patient) == "OK"
        town.gateway.clock.freeze("2026-11-22T05:00:00.000Z")
        assert consents.outcome(town, patient) == "NF"

    def test_c06_a_jump_of_months_is_not_undone_by_itself(self, town):
        town.gateway.clock.advance(days=300)
        assert not consents.given(town, SECRET)
        assert consents.given(town, LASTING)
        town.gateway.clock.advance(days=-300)
        self.nothing_is_decided(town)

    @pytest.mark.parametrize("seconds, alarms", [(61, 1), (3600, 1), (-61, 1), (20, 0)])
    def test_c06_a_step_of_more_than_a_minute_raises_an_alarm(self, town, seconds, alarms):
        time.sleep(1.5)  # until it is watched
        town.gateway.clock.advance(seconds=seconds)
        time.sleep(2.5)
        assert town.gateway.log.read_text().count("the machine's clock was set") == alarms


@pytest.mark.skipif(not BINARIES.is_dir(), reason="no PostgreSQL 15 (Debian package postgresql)")
def test_c06_a_node_whose_clock_is_off_the_databases_is_not_ready(built, tmp_path):
    """A consent that one node has seen to end must not go on at another whose clock is behind."""
    with Cluster() as cluster:
        town = Town(tmp_path / "town", database=cluster.new_database(), at=None)
        town.gateway.clock.advance(seconds=0)
        town.build()
        try:
            for seconds, status in ((0, 200), (10, 503), (-10, 200), (-10, 503), (10, 200)):
                town.gateway.clock.advance(seconds=seconds)
                answer = town.gateway.operator("/readyz")
                assert answer.status == status, answer.body
                assert (b"clock" in answer.body) == (status == 503)
        finally:
            assert town.gateway.stop() == 0
