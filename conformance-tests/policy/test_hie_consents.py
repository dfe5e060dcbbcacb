"""Consents to what is sent to the HIE: what staff record, what it means now, and what the clinic sets about it.
[design §4: HIE consent]"""

from itertools import count

import pytest

from peer.records import Patient

pytestmark = pytest.mark.both_databases

HIE = "records@direct.hie.example"
STAFF = ("--by", "Olga Staff", "--basis", "signed form")
NUMBERS = count(7100)


@pytest.fixture(scope="module")
def clinic(found_town):
    """A town of its own, in New York: its clock is moved, and a history cannot be put back."""
    town = found_town("hie-town")
    set_hie(town, "enabled=on", f"to={HIE}")
    return town


@pytest.fixture(autouse=True)
def as_it_was(clinic):
    yield
    clinic.gateway.clock.set("2026-11-21T19:31:00Z")
    set_hie(clinic, "enabled=on", f"to={HIE}", "opt-in-by-default=off", "expire-in-days=0")


@pytest.fixture
def patient(clinic):
    """Somebody new."""
    return enter(clinic)


def enter(town, **changes):
    number = next(NUMBERS)
    one = Patient(f"HC-{number}", f"Quillfeather{number}", "Odessa", "F", "19710814").but(**changes)
    town.enter(one)
    return one


def set_hie(town, *assignments, exit=0):
    return town.gateway.command("settings", "set", *[f"hie.{one}" for one in assignments], "--by", "Dana Admin",
                                exit=exit)


def settings(town):
    return town.gateway.json("settings", "show")


def consent(town, what, patient, *options, exit=0):
    return town.gateway.command("consent", f"hie-{what}", patient.mrn, *options, "--json", exit=exit)


def give(town, patient, *options, exit=0):
    return consent(town, "give", patient, *options, *STAFF, exit=exit)


def revoke(town, patient, *options, exit=0):
    return consent(town, "revoke", patient, *options, *STAFF, exit=exit)


def state(town, patient):
    """Status of the latest, and the reason code of a send now."""
    shown = consent(town, "show", patient).json
    return shown["status"], shown["reason"]


def history(town, patient):
    return consent(town, "history", patient).json["consents"]


def statuses(town, patient):
    return [row["status"] for row in history(town, patient)]


class TestAConsent:
    def test_is_none_before_one_is_given(self, clinic, patient):
        assert state(clinic, patient) == ("none", "hie-none")
        assert history(clinic, patient) == []

    def test_given_now_is_active_for_a_calendar_year(self, clinic, patient):
        given = give(clinic, patient).json
        assert (given["status"], given["hie"]) == ("Active", HIE)
        assert given["given_at"].startswith("2026-11-21T19:3")
        assert given["expires_at"] == given["given_at"].replace("2026", "2027")
        assert state(clinic, patient) == ("Active", "permitted")

    def test_means_midnight_in_the_clinics_zone(self, clinic, patient):
        given = give(clinic, patient, "--given", "2026-11-22", "--expires", "2026-11-23").json
        assert (given["given_on"], given["given_at"]) == ("2026-11-22", "2026-11-22T05:00:00.000000Z")
        assert given["expires_at"] == "2026-11-23T05:00:00.000000Z"
        for at, expected in (("2026-11-22T04:59:00Z", ("Inactive", "hie-future")),
                             ("2026-11-22T05:00:00Z", ("Active", "permitted")),
                             ("2026-11-23T04:59:00Z", ("Active", "permitted")),
                             ("2026-11-23T05:00:00Z", ("Expired", "hie-expired"))):
            clinic.gateway.clock.set(at)
            assert state(clinic, patient) == expected, at

    def test_keeps_a_time_that_was_entered(self, clinic, patient):
        given = give(clinic, patient, "--given", "2026-11-21T09:30", "--expires", "never").json
        assert (given["given_on"], given["given_at"]) == ("2026-11-21T09:30:00-05:00", "2026-11-21T14:30:00.000000Z")
        assert (given["expires_on"], given["expires_at"]) == ("never", None)

    @pytest.mark.parametrize("expires", ["2026-11-21", "2026-11-20", "2026-11-21T00:00", "2026-11-21T05:00:00Z"])
    def test_expires_after_it_is_given(self, clinic, patient, expires):
        give(clinic, patient, "--given", "2026-11-21", "--expires", expires, exit=1)
        assert history(clinic, patient) == []
        give(clinic, patient, "--given", "2026-11-21", "--expires", "2026-11-22")

    @pytest.mark.parametrize("option", ["--given", "--expires"])
    @pytest.mark.parametrize("text", ["tomorrow", "2026-02-30", "21.11.2026"])
    def test_needs_dates_that_exist(self, clinic, patient, option, text):
        give(clinic, patient, option, text, exit=1)
        assert history(clinic, patient) == []

    def test_overrides_the_one_before(self, clinic, patient):
        give(clinic, patient)
        give(clinic, patient)
        assert statuses(clinic, patient) == ["Inactive", "Active"]

    def test_needs_a_patient(self, clinic):
        give(clinic, Patient("nobody", "A", "B", "F", "19710814"), exit=1)


class TestAFutureConsent:
    def test_is_not_saved_unasked_where_sending_would_stop(self, clinic, patient):
        give(clinic, patient)
        asked = give(clinic, patient, "--given", "2026-12-01", exit=1)
        assert f"Sending to {HIE} would stop until 2026-12-01: give --yes to save it" in asked.json["error"]
        assert state(clinic, patient) == ("Active", "permitted")
        give(clinic, patient, "--given", "2026-12-01", "--yes")
        assert state(clinic, patient) == ("Inactive", "hie-future")
        assert statuses(clinic, patient) == ["Inactive", "Inactive"]
        clinic.gateway.clock.set("2026-12-01T05:00:00Z")
        assert state(clinic, patient) == ("Active", "permitted")

    def test_is_saved_where_nothing_stops(self, clinic, patient):
        give(clinic, patient, "--given", "2026-12-01")
        assert state(clinic, patient) == ("Inactive", "hie-future")

    def test_that_is_over_already_is_asked_about_too(self, clinic, patient):
        give(clinic, patient)
        asked = give(clinic, patient, "--given", "2025-01-01", exit=1)
        assert "would stop now" in asked.json["error"]
        give(clinic, patient, "--given", "2025-01-01", "--yes")
        assert state(clinic, patient) == ("Expired", "hie-expired")


class TestARevocation:
    def test_asks_first(self, clinic, patient):
        give(clinic, patient)
        assert "--yes" in revoke(clinic, patient, exit=1).json["error"]
        assert state(clinic, patient) == ("Active", "permitted")
        revoke(clinic, patient, "--yes")
        assert state(clinic, patient) == ("Revoked", "hie-revoked")

    def test_is_a_row_more(self, clinic, patient):
        give(clinic, patient)
        revoke(clinic, patient, "--yes")
        rows = history(clinic, patient)
        assert [row["kind"] for row in rows] == ["given", "revoked"]
        assert [row["status"] for row in rows] == ["Revoked", "Revoked"]
        assert rows[1]["actor"] == "Olga Staff"

    def test_is_for_active_and_future_ones_alone(self, clinic, patient):
        revoke(clinic, patient, "--yes", exit=1)
        give(clinic, patient, "--given", "2026-12-01", "--expires", "2026-12-02")
        clinic.gateway.clock.set("2026-12-02T05:00:00Z")
        revoke(clinic, patient, "--yes", exit=1)
        clinic.gateway.clock.set("2026-11-21T19:31:00Z")
        revoke(clinic, patient, "--yes")
        revoke(clinic, patient, "--yes", exit=1)

    def test_ends_with_a_new_consent(self, clinic, patient):
        give(clinic, patient)
        revoke(clinic, patient, "--yes")
        give(clinic, patient)
        assert statuses(clinic, patient) == ["Revoked", "Revoked", "Active"]

    def test_of_the_patient_in_person_is_not_undone_without_a_basis(self, clinic, patient):
        give(clinic, patient)
        consent(clinic, "revoke", patient, "--yes", "--by", "herself", "--as", "patient", "--basis", "in the portal")
        consent(clinic, "give", patient, "--by", "Olga Staff", exit=1)
        assert state(clinic, patient) == ("Revoked", "hie-revoked")
        give(clinic, patient)
        assert state(clinic, patient) == ("Active", "permitted")


class TestTheSettings:
    def test_are_shown(self, clinic):
        set_hie(clinic, "opt-in-by-default=on", "expire-in-days=30")
        now = settings(clinic)
        assert (now["hie"], now["hie_to"], now["hie_opt_in_by_default"], now["hie_expire_in_days"]) == \
            ("on", HIE, "on", "30")

    def test_of_one_command_are_one_change(self, clinic):
        before = int(settings(clinic)["version"])
        set_hie(clinic, "opt-in-by-default=on", "expire-in-days=30")
        assert int(settings(clinic)["version"]) == before + 1
        set_hie(clinic, "opt-in-by-default=off", "expire-in-days=many", exit=1)
        assert settings(clinic)["hie_opt_in_by_default"] == "on"

    @pytest.mark.parametrize("assignment", ["to=nobody", "to=", "enabled=yes", "expire-in-days=-1", "expire-in-days=1.5",
                                            "opt-in=on", "explanation=/nowhere", "enabled"])
    def test_that_cannot_be_are_refused(self, clinic, assignment):
        before = settings(clinic)
        set_hie(clinic, assignment, exit=1)
        assert settings(clinic) == before

    def test_propose_when_a_consent_expires(self, clinic, patient):
        set_hie(clinic, "expire-in-days=30")
        given = give(clinic, patient, "--given", "2026-11-21").json
        assert given["expires_on"] == "2026-12-21"

    def test_keep_the_versions_of_the_explanation(self, clinic, patient):
        for number, text in enumerate(("We send summaries.", "We send summaries and letters.")):
            set_hie(clinic, f"explanation={clinic.gateway.write(f'explanation-{number}.txt', text)}")
        version = settings(clinic)["hie_explanation"]
        by_patient = ("--by", "herself", "--as", "patient")
        assert consent(clinic, "give", patient, *by_patient).json["explanation"] == version
        assert consent(clinic, "give", patient, *by_patient, "--seen", version - 1).json["explanation"] == version - 1
        assert give(clinic, patient).json["explanation"] == 0
        give(clinic, patient, "--seen", version + 1, exit=1)

    def test_name_another_hie_by_another_address(self, clinic, patient):
        give(clinic, patient)
        said = set_hie(clinic, "to=desk@other.example").output
        assert f"Consents given so far are to {HIE} alone" in said
        assert state(clinic, patient) == ("none", "hie-none")
        assert [(row["hie"], row["current"]) for row in history(clinic, patient)] == [(HIE, False)]
        set_hie(clinic, f"to={HIE}")
        assert state(clinic, patient) == ("Active", "permitted")

    def test_that_cannot_be_read_let_nothing_be_sent(self, clinic, patient):
        give(clinic, patient)
        clinic.gateway.alter("UPDATE clinics SET hie = hie || '}'")
        try:
            assert state(clinic, patient)[1] == "policy-error"
            assert settings(clinic)["hie"] == "unreadable: nothing is sent"
            give(clinic, patient, exit=1)
        finally:
            clinic.gateway.alter("UPDATE clinics SET hie = substr(hie, 1, length(hie) - 1)")
        assert state(clinic, patient) == ("Active", "permitted")


class TestOptInByDefault:
    def test_is_for_those_who_are_entered_from_then_on(self, clinic, patient):
        set_hie(clinic, "opt-in-by-default=on")
        clinic.enter(patient)
        clinic.enter(patient.but(street="1 Other Street"))
        assert state(clinic, patient) == ("none", "hie-none")
        newcomer = enter(clinic)
        assert state(clinic, newcomer) == ("Active", "permitted")
        assert [row["set_by"] for row in history(clinic, newcomer)] == ["default"]

    def test_is_off_unless_it_is_switched_on(self, clinic):
        assert state(clinic, enter(clinic)) == ("none", "hie-none")

    def test_never_undoes_a_revocation(self, clinic):
        set_hie(clinic, "opt-in-by-default=on")
        newcomer = enter(clinic)
        revoke(clinic, newcomer, "--yes")
        clinic.enter(newcomer)
        clinic.enter(newcomer.but(street="1 Other Street"))
        set_hie(clinic, "opt-in-by-default=off")
        set_hie(clinic, "opt-in-by-default=on")
        clinic.enter(newcomer)
        assert state(clinic, newcomer) == ("Revoked", "hie-revoked")

    def test_is_not_for_who_was_deleted_and_is_entered_again(self, clinic):
        set_hie(clinic, "opt-in-by-default=on")
        newcomer = enter(clinic)
        revoke(clinic, newcomer, "--yes")
        clinic.gateway.command("patient", "delete", newcomer.mrn, "--reason", "entered by mistake")
        clinic.enter(newcomer)
        assert state(clinic, newcomer) == ("none", "hie-none")

    def test_is_none_of_a_person_who_was_here_before(self, clinic, patient):
        set_hie(clinic, "opt-in-by-default=on")
        double = enter(clinic)
        merge = ("--reason", "registered twice")
        clinic.gateway.command("patient", "merge", patient.mrn, double.mrn, *merge)
        assert state(clinic, patient) == ("none", "hie-none")
        clinic.gateway.command("patient", "unmerge", double.mrn, *merge)
        assert state(clinic, double) == ("Active", "permitted")


class TestMergedRecords:
    @pytest.fixture
    def two(self, clinic, patient):
        other = enter(clinic)
        give(clinic, patient)
        give(clinic, other)
        clinic.gateway.command("patient", "merge", patient.mrn, other.mrn, "--reason", "registered twice")
        return patient, other

    def take_apart(self, clinic, other):
        clinic.gateway.command("patient", "unmerge", other.mrn, "--reason", "two persons after all")

    def test_have_one_history(self, clinic, two):
        assert statuses(clinic, two[0]) == statuses(clinic, two[1]) == ["Inactive", "Active"]
        assert [row["mrn"] for row in history(clinic, two[1])] == [two[0].mrn, two[1].mrn]

    def test_have_each_its_own_again(self, clinic, two):
        self.take_apart(clinic, two[1])
        assert [statuses(clinic, one) for one in two] == [["Active"], ["Active"]]

    def test_stay_revoked_each(self, clinic, two):
        revoke(clinic, two[1], "--yes")
        assert [state(clinic, one) for one in two] == [("Revoked", "hie-revoked")] * 2
        self.take_apart(clinic, two[1])
        assert [state(clinic, one) for one in two] == [("Revoked", "hie-revoked")] * 2


class TestTheAudit:
    def since(self, clinic, before):
        """What was written down that is not in `before`; the clock that stamps it goes back between tests."""
        return sorted((row["payload"]["transaction"], row["outcome"]) for row in clinic.gateway.audit()
                      if row not in before and row["payload"]["transaction"] != "audit search")

    def test_tells_of_every_change_and_every_look(self, clinic, patient):
        before = clinic.gateway.audit()
        give(clinic, patient)
        revoke(clinic, patient, "--yes")
        state(clinic, patient)
        history(clinic, patient)
        set_hie(clinic, "expire-in-days=30")
        assert self.since(clinic, before) == [("consent give", "changed"), ("consent history", "looked"),
                                              ("consent revoke", "changed"), ("consent show", "looked"),
                                              ("settings set", "changed")]

    def test_tells_of_no_change_that_was_refused(self, clinic, patient):
        give(clinic, patient)
        before = clinic.gateway.audit()
        give(clinic, patient, "--given", "2026-12-01", exit=1)
        revoke(clinic, patient, exit=1)
        set_hie(clinic, "to=nobody", exit=1)
        assert self.since(clinic, before) == []


@pytest.mark.parametrize("what", ["give", "revoke", "show", "history"])
def test_every_command_has_an_example(clinic, what):
    assert f"Example:\n  gatehouse consent hie-{what} " in clinic.gateway.run("consent", f"hie-{what}", "--help").output
