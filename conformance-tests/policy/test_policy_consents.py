"""C07, C09, C10 and F14: merged patients and their consents, consents that contradict each other, broken glasses, and
what may not be written down as a consent. [design §4; threats C07, C09, C10, F14]"""

import itertools

import pytest

from peer import consents
from peer.gateway import PATHS
from peer.messages import cx, find_documents
from peer.names import ACT_REASON, NHIN_PURPOSES
from peer.records import ACT_CODE, CONFIDENTIALITY, Document, Patient
from peer.town import HOME, LAKESIDE, QUILL, RIVERSIDE, TEST_PATIENT, lakeside

pytestmark = pytest.mark.both_databases

GATED, PART2 = (CONFIDENTIALITY, "V"), (ACT_CODE, "42CFRPart2")


@pytest.fixture(scope="module")
def town(found_town):
    return found_town("consenting-town")


class People:
    """New patients, each with a document that opens only to a consent."""

    def __init__(self, town):
        self.town, self.count = town, 0

    def new(self, header=GATED):
        """Nobody in town is like them: every name is of other letters, every birth date of another day."""
        self.count += 1
        letters = "".join(chr(ord("a") + (self.count * 7 + place * 11) % 26) for place in range(7))
        born = f"{1930 + self.count % 60}{1 + self.count % 12:02}{1 + self.count % 28:02}"
        patient = Patient(f"PC-{self.count}", letters.capitalize(), letters[::-1].capitalize(), "F", born,
                          f"{self.count} {letters[2:5].capitalize()} Yard", telephone=f"+1-503-555-{self.count:04}")
        document = Document(f"2.999.1.14.{self.count}", patient, header=header)
        self.town.enter(patient)
        self.town.file(document)
        return patient, document


@pytest.fixture(scope="module")
def people(town):
    return People(town)


def listed_by_id(town, patient):
    return {entry.unique_id for entry in
            town.ask(town.sender().cross_gateway_query(find_documents(cx(patient.mrn, HOME)))).query.entries}


class TestC07:
    """Two records, of which the second is merged into the first."""

    @pytest.fixture()
    def two(self, people):
        return people.new(), people.new()

    def merge(self, town, survivor, retired, exit=0):
        town.gateway.command("patient", "merge", survivor.mrn, retired.mrn, "--reason", "registered twice", exit=exit)

    def unmerge(self, town, retired):
        town.gateway.command("patient", "unmerge", retired.mrn, "--reason", "two after all")

    @pytest.mark.parametrize("whose", [0, 1])
    def test_c07_what_either_record_forbids_is_forbidden_by_both_ids(self, town, two, whose):
        (survivor, _), (retired, _) = two
        consents.give(town, (survivor, retired)[whose], "--deny", "--to", RIVERSIDE)
        self.merge(town, survivor, retired)
        for patient in (survivor, retired):
            assert consents.outcome(town, patient) == "NF"
            assert listed_by_id(town, patient) == set()
        assert consents.outcome(town, survivor, town.sender(lakeside()), credential=lakeside().tls) == "OK"

    @pytest.mark.parametrize("whose", [0, 1])
    def test_c07_what_either_record_permits_opens_the_documents_of_both(self, town, two, whose):
        (survivor, hers), (retired, theirs) = two
        consents.permit(town, (survivor, retired)[whose], "V")
        self.merge(town, survivor, retired)
        for patient in (survivor, retired):
            assert listed_by_id(town, patient) == {hers.unique_id, theirs.unique_id}
        assert consents.retrieved(town, hers, theirs) == {hers.unique_id, theirs.unique_id}

    def test_c07_a_permit_of_one_and_a_denial_of_the_other_is_a_denial(self, town, two):
        (survivor, hers), (retired, theirs) = two
        consents.permit(town, survivor, "V")
        consents.give(town, retired, "--deny", "--label", "V")
        assert consents.given(town, hers)
        self.merge(town, survivor, retired)
        assert consents.retrieved(town, hers, theirs) == set()
        assert listed_by_id(town, survivor) == set()

    def test_c07_a_merge_between_query_and_retrieve_counts_at_the_retrieve(self, town, two):
        (survivor, hers), (retired, _) = two
        consents.permit(town, survivor, "V")
        consents.give(town, retired, "--deny", "--to", RIVERSIDE)
        assert listed_by_id(town, survivor) == {hers.unique_id}
        self.merge(town, survivor, retired)
        assert consents.retrieved(town, hers) == set()

    def test_c07_taken_back_what_was_forbidden_meanwhile_is_forbidden_by_both(self, town, two):
        (survivor, hers), (retired, theirs) = two
        consents.permit(town, survivor, "V")
        self.merge(town, survivor, retired)
        consents.give(town, retired, "--deny", "--to", RIVERSIDE)
        self.unmerge(town, retired)
        assert consents.outcome(town, survivor) == consents.outcome(town, retired) == "NF"
        assert consents.retrieved(town, hers, theirs) == set()

    def test_c07_taken_back_what_was_permitted_meanwhile_stays_with_the_survivor(self, town, two):
        (survivor, hers), (retired, theirs) = two
        self.merge(town, survivor, retired)
        consents.permit(town, retired, "V")
        assert consents.retrieved(town, hers, theirs) == {hers.unique_id, theirs.unique_id}
        self.unmerge(town, retired)
        assert consents.given(town, hers) and not consents.given(town, theirs)
        assert consents.outcome(town, retired) == "OK"

    def test_c07_in_a_chain_of_three_the_last_word_of_each_counts(self, town, people):
        rows = [people.new() for _ in range(4)]
        consents.permit(town, rows[0][0], "V")
        for retired, _ in rows[1:]:
            self.merge(town, rows[0][0], retired)
        assert listed_by_id(town, rows[3][0]) == {document.unique_id for _, document in rows}
        consents.give(town, rows[3][0], "--deny", "--label", "V")
        assert listed_by_id(town, rows[3][0]) == listed_by_id(town, rows[0][0]) == set()

    def test_c07_a_circle_is_refused_and_one_that_somebody_made_opens_nothing(self, town, two):
        (survivor, hers), (retired, _) = two
        consents.permit(town, survivor, "V")
        self.merge(town, survivor, retired)
        self.merge(town, retired, survivor, exit=1)
        assert consents.given(town, hers)
        town.gateway.alter("UPDATE patients SET survivor = (SELECT id FROM patients p WHERE p.mrn = "
                           f"'{retired.mrn}') WHERE mrn = '{survivor.mrn}'")
        assert consents.retrieved(town, hers) == set()
        assert consents.outcome(town, survivor) == consents.outcome(town, retired) == "NF"


ABOUT_V = ("--label", "V", "--purpose", "treatment", "--to")
SAID = {"permits Riverside": (*ABOUT_V, RIVERSIDE), "permits whoever treats": (*ABOUT_V, "treating-providers"),
        "forbids Riverside": ("--deny", "--label", "V", "--to", RIVERSIDE)}


class TestC09:
    @pytest.mark.parametrize("order", list(itertools.permutations(SAID)), ids=lambda order: ", ".join(order))
    def test_c09_a_denial_wins_in_whatever_order_they_were_saved(self, town, people, order):
        patient, document = people.new()
        saved = {name: consents.give(town, patient, *SAID[name]) for name in order}
        assert not consents.given(town, document)
        consents.revoke(town, patient, saved["forbids Riverside"])
        assert consents.given(town, document) == (order[-1] != "forbids Riverside" or True)

    @pytest.mark.parametrize("order", list(itertools.permutations(list(SAID)[:2])), ids=lambda order: ", ".join(order))
    def test_c09_permits_alone_open_in_whatever_order(self, town, people, order):
        patient, document = people.new()
        for name in order:
            consents.give(town, patient, *SAID[name])
        assert consents.given(town, document)

    DENIALS = {
        "another organization": (("--to", LAKESIDE), True), "another purpose": (("--purpose", "payment"), True),
        "another label": (("--label", "HIV"), True), "another class": (("--class", "2.16.840.1.113883.6.1|11488-4"), True),
        "care of another time": (("--data-from", "2024-01-01"), True), "a time that is over": (("--until", "OVER"), True),
        "a time to come": (("--from", "2026-12-24"), True), "this organization": (("--to", RIVERSIDE), False),
        "this purpose": (("--purpose", "treatment"), False), "this label": (("--label", "V"), False),
        "this class": (("--class", "2.16.840.1.113883.6.1|34133-9"), False), "this document": (("--document", "IT"), False),
        "care of this time": (("--data-until", "2024-01-01"), False), "everything": ((), False)}

    @pytest.mark.parametrize("about", DENIALS)
    def test_c09_a_denial_counts_for_what_it_is_about(self, town, people, about):
        words, opens = self.DENIALS[about]
        patient, document = people.new()
        consents.permit(town, patient, "V")
        assert consents.given(town, document)
        words = [document.unique_id if word == "IT" else word for word in words]
        if "OVER" in words:
            soon = (town.gateway.clock.now()).strftime("%Y-%m-%dT%H:%M:59Z")
            words[words.index("OVER")] = soon
        consents.give(town, patient, "--deny", *words)
        if soon_over := about == "a time that is over":
            town.gateway.clock.advance(minutes=1)
        assert consents.given(town, document) == opens, soon_over

    def test_c09_the_older_denial_beats_the_newer_permit(self, town, people):
        patient, document = people.new()
        denial = consents.give(town, patient, "--deny", "--label", "V")
        consents.permit(town, patient, "V")
        assert not consents.given(town, document)
        consents.revoke(town, patient, denial)
        assert consents.given(town, document)

    def test_c09_what_staff_revoked_says_nothing_any_more_and_an_older_one_is_no_way_back(self, town, people):
        patient, document = people.new()
        consents.permit(town, patient, "V")
        last = consents.permit(town, patient, "V")
        assert consents.given(town, document)
        consents.revoke(town, patient, last)
        message = town.find_documents(patient)
        assert (town.ask(message).query.entries, consents.refusals(town, message)) == ((), {"consent-revoked"})
        consents.permit(town, patient, "V")
        assert consents.given(town, document)

    def test_c09_a_permit_that_lies_ahead_opens_nothing_yet(self, town, people):
        patient, document = people.new()
        consents.permit(town, patient, "V", "--from", "2026-12-24")
        message = town.find_documents(patient)
        assert (town.ask(message).query.entries, consents.refusals(town, message)) == ((), {"consent-future"})

    @pytest.mark.parametrize("column, value", [("status", "'draft'"), ("status", "''"), ("provision", "'{'"),
                                               ("provision", "'{\"type\":\"permit\",\"odd\":1}'")])
    def test_c09_one_that_cannot_be_understood_closes_everything(self, town, people, column, value):
        patient, document = people.new()
        consents.permit(town, patient, "V")
        town.gateway.alter(f"UPDATE consents SET {column} = {value} WHERE patient = "
                           f"(SELECT id FROM patients WHERE mrn = '{patient.mrn}')")
        assert not consents.given(town, document)

    @pytest.mark.parametrize("status", ["proposed", "entered-in-error", "revoked"])
    def test_c09_one_that_is_not_in_force_permits_and_forbids_nothing(self, town, people, status):
        open_patient, open_document = people.new((CONFIDENTIALITY, "N"))
        consents.give(town, open_patient, "--deny")
        gated_patient, gated_document = people.new()
        consents.permit(town, gated_patient, "V")
        assert not consents.given(town, open_document) and consents.given(town, gated_document)
        for patient in (open_patient, gated_patient):
            town.gateway.alter(f"UPDATE consents SET status = '{status}' WHERE patient = "
                               f"(SELECT id FROM patients WHERE mrn = '{patient.mrn}')")
        assert consents.given(town, open_document) and not consents.given(town, gated_document)


class TestC10:
    """By command: our own people ask through screens that are still to come."""

    REASON = "unconscious in the emergency department"

    def break_glass(self, town, patient, user="Dr. Ada Quill", role="emergency physician", reason=REASON, minutes=60,
                    exit=0):
        return town.gateway.command("policy", "breakglass", patient.mrn, "--user", user, "--role", role, "--reason",
                                    reason, "--minutes", minutes, "--json", exit=exit)

    def decide(self, town, document, user="Dr. Ada Quill", home=HOME):
        """@return verdict, reason and obligations for one of our own people"""
        ran = town.gateway.run("policy", "decide", "--patient", document.patient.mrn, "--document", document.unique_id,
                               "--home", home, "--purpose", "TREATMENT", *(("--user", user) if user else ()), "--json",
                               "--config", town.gateway.config)
        assert ran.exit in (0, 1), ran.errors
        return ran.json["verdict"], ran.json["reason"]

    def test_c10_opens_what_is_gated_to_the_one_who_broke_it(self, town, people):
        patient, document = people.new()
        assert self.decide(town, document) == ("deny", "sensitive-no-consent")
        self.break_glass(town, patient)
        assert self.decide(town, document) == ("permit", "permitted")
        assert self.decide(town, document, user="Dr. Otto Other") == ("deny", "sensitive-no-consent")

    def test_c10_opens_nothing_to_a_partner(self, town, people):
        patient, document = people.new()
        self.break_glass(town, patient)
        assert not consents.given(town, document)
        assert self.decide(town, document, user=None, home=RIVERSIDE) == ("deny", "sensitive-no-consent")
        sender = town.sender()
        named = sender.but(token=sender.token.but(user="Dr. Ada Quill"))
        assert not consents.given(town, document, sender=named)
        consents.permit(town, patient, "V")
        assert consents.given(town, document)

    @pytest.mark.parametrize("pair", [(NHIN_PURPOSES, "EMERGENCY"), (ACT_REASON, "BTG"), (ACT_REASON, "ETREAT")])
    @pytest.mark.parametrize("beside", [(), ((NHIN_PURPOSES, "TREATMENT"),)], ids=["alone", "beside treatment"])
    def test_c10_a_partner_that_says_emergency_is_not_believed(self, town, people, pair, beside):
        patient, document = people.new()
        self.break_glass(town, patient)
        sender = town.sender()
        urgent = sender.but(token=sender.token.but(purposes=(*beside, pair)))
        assert consents.listed(town, patient, urgent) == set()
        assert consents.retrieved(town, document, sender=urgent) == set()
        twin = sender.but(token=sender.token.but(purposes=((ACT_REASON, "TREAT"),)))
        assert consents.outcome(town, patient, twin) == "OK"

    @pytest.mark.parametrize("changes, exit", [({"role": ""}, 1), ({"role": "  "}, 1), ({"user": " "}, 1),
                                               ({"reason": "x"}, 1), ({"reason": "a b c d e f g"}, 1),
                                               ({"reason": "          "}, 1), ({"minutes": 0}, 1), ({"minutes": 241}, 1),
                                               ({"minutes": "soon"}, 1)])
    def test_c10_without_role_or_reason_or_for_too_long_is_refused(self, town, people, changes, exit):
        patient, document = people.new()
        self.break_glass(town, patient, exit=exit, **changes)
        assert self.decide(town, document) == ("deny", "sensitive-no-consent")
        assert patient.mrn not in [grant["mrn"] for grant in town.gateway.json("policy", "review")["grants"]]

    def test_c10_a_second_time_within_ten_minutes_is_refused(self, town, people):
        patient, document = people.new()
        self.break_glass(town, patient)
        self.break_glass(town, patient, exit=1)
        self.break_glass(town, patient, user=" dr ada quill ", exit=1)
        self.break_glass(town, patient, user="Dr. Otto Other")
        town.gateway.clock.advance(minutes=11)
        self.break_glass(town, patient)
        assert self.decide(town, document) == ("permit", "permitted")

    def test_c10_one_glass_after_another_is_refused_and_raises_an_alarm(self, town, people):
        user = "Dr. Hasty"
        mark = town.gateway.audit_mark()
        rows = [people.new() for _ in range(6)]
        for patient, _ in rows[:5]:
            self.break_glass(town, patient, user=user)
        self.break_glass(town, rows[5][0], user=user, exit=1)
        assert self.decide(town, rows[5][1], user=user) == ("deny", "sensitive-no-consent")
        refused = [row for row in town.gateway.audit_since(mark) if row["outcome"] == "refused"]
        assert [(row["payload"]["user"], row["reason"]) for row in refused] == [(user, "glass-rate")]
        town.gateway.clock.advance(minutes=61)
        self.break_glass(town, rows[5][0], user=user)

    def test_c10_part_2_opens_only_where_the_clinic_has_set_it(self, town, people):
        patient, document = people.new(PART2)
        ran = self.break_glass(town, patient, user="Dr. Night")
        assert self.decide(town, document, user="Dr. Night") == ("deny", "sensitive-no-consent")
        consents.set_up(town, "part2-emergencies=on")
        try:
            assert self.decide(town, document, user="Dr. Night") == ("permit", "permitted")
        finally:
            consents.set_up(town, "part2-emergencies=off")
        assert self.decide(town, document, user="Dr. Night") == ("deny", "sensitive-no-consent")
        assert ran.json["state"] == "open, waits for review"

    def test_c10_is_written_down_for_the_patient_and_reviewed_by_somebody_else(self, town, people):
        patient, document = people.new()
        mark = town.gateway.audit_mark()
        grant = self.break_glass(town, patient, user="Dr. Late").json
        self.decide(town, document, user="Dr. Late")
        events = [row["payload"] for row in town.gateway.audit_since(mark)]
        broken, looked = ([event for event in events if event["transaction"] == name]
                          for name in ("policy breakglass", "policy decide"))
        assert [(event["user"], event["patients"] == looked[0]["patients"]) for event in broken] == [("Dr. Late", True)]
        assert grant["id"] in broken[0]["note"] and grant["id"] in looked[0]["note"]
        assert self.REASON in broken[0]["sentence"]
        waiting = [one["id"] for one in town.gateway.json("policy", "review")["grants"]]
        assert grant["id"] in waiting
        review = ("policy", "review", grant["id"], "--finding", "justified", "--by")
        town.gateway.command(*review, "dr. late", exit=1)
        assert self.decide(town, document, user="Dr. Late") == ("permit", "permitted")
        town.gateway.command(*review, "Petra Privacy")
        assert self.decide(town, document, user="Dr. Late") == ("deny", "sensitive-no-consent")
        assert grant["id"] not in [one["id"] for one in town.gateway.json("policy", "review")["grants"]]

    def test_c10_ends_with_its_time(self, town, people):
        patient, document = people.new()
        self.break_glass(town, patient, user="Dr. Brief", minutes=1)
        assert self.decide(town, document, user="Dr. Brief") == ("permit", "permitted")
        town.gateway.clock.advance(seconds=61)
        assert self.decide(town, document, user="Dr. Brief") == ("deny", "sensitive-no-consent")


class TestF14:
    """By command: FHIR writes come with a door of their own."""

    @pytest.mark.parametrize("words, says", [
        (("--label", "NoSuchLabel"), "--label"), (("--label", "V"), "--purpose"),
        (("--label", "V", "--purpose", "treatment"), "--to"), (("--to", "riverside"), "--to"),
        (("--purpose", "TREATMENT"), "--purpose"), (("--purpose", "none"), "--purpose"), (("--class", "34133-9"), "--class"),
        (("--document", "2.999.1.7.2001"), "--document"), (("--until", "2026-11-01"), "--until")])
    def test_f14_what_would_not_do_what_it_says_is_refused(self, town, people, words, says):
        patient, document = people.new()
        refused = town.gateway.command("consent", "give", patient.mrn, *words, *consents.STAFF, exit=1)
        assert says in refused.errors
        assert town.gateway.json("consent", "show", patient.mrn)["consents"] == []
        assert not consents.given(town, document)

    def test_f14_its_twin_is_kept(self, town, people):
        patient, document = people.new()
        consents.permit(town, patient, "V", "--document", document.unique_id, "--class", "2.16.840.1.113883.6.1|34133-9",
                        "--until", "2027-11-01")
        assert consents.given(town, document)

    def test_f14_nobody_writes_without_a_name_nor_about_a_patient_who_is_not_there(self, town, people):
        patient, _ = people.new()
        town.gateway.command("consent", "give", patient.mrn, "--deny", exit=2)
        town.gateway.command("consent", "give", patient.mrn, "--deny", "--by", " ", exit=1)
        town.gateway.command("consent", "give", "NOBODY", "--deny", *consents.STAFF, exit=1)
        assert consents.outcome(town, patient) == "OK"

    def test_f14_a_consent_is_revoked_in_its_own_patients_name_alone(self, town, people):
        (one, _), (other, _) = people.new(), people.new()
        consent = consents.give(town, one, "--deny")
        town.gateway.command("consent", "revoke", other.mrn, consent, *consents.STAFF, exit=1)
        town.gateway.command("consent", "revoke", one.mrn, "no-such-consent", *consents.STAFF, exit=1)
        assert consents.outcome(town, one) == "NF"
        consents.revoke(town, one, consent)
        assert consents.outcome(town, one) == "OK"
        town.gateway.command("consent", "revoke", one.mrn, consent, *consents.STAFF, exit=1)

    def test_f14_staff_take_back_a_patients_word_only_with_a_basis(self, town, people):
        patient, _ = people.new()
        consent = consents.give(town, patient, "--deny", by=("--by", "The patient", "--as", "patient"))
        revoke = ("consent", "revoke", patient.mrn, consent, "--by", "Olga Staff")
        assert "basis" in town.gateway.command(*revoke, exit=1).errors
        assert consents.outcome(town, patient) == "NF"
        town.gateway.command(*revoke, "--basis", "asked by phone")
        assert consents.outcome(town, patient) == "OK"

    def test_f14_one_that_opens_nothing_says_so_when_it_is_saved(self, town, people):
        patient, document = people.new()
        said = town.gateway.json("consent", "give", patient.mrn, *consents.STAFF)
        assert "opens nothing" in said["opens_nothing"][0]
        assert not consents.given(town, document)
        said = town.gateway.json("consent", "give", patient.mrn, *ABOUT_V, "2.999.77.7", *consents.STAFF)
        assert (said["opens_nothing"], said["not_in_the_directory"]) == ([], ["2.999.77.7"])
        assert not consents.given(town, document)

    def test_f14_back_dated_it_changes_nothing_that_was(self, town, people):
        """What was answered stays answered, and the history says when it was written."""
        patient, document = people.new()
        message = town.find_documents(patient)
        town.ask(message)
        consents.permit(town, patient, "V", "--from", "2020-01-01")
        assert consents.given(town, document)
        assert consents.refusals(town, message) == {"sensitive-no-consent"}
        assert town.gateway.json("consent", "history", patient.mrn)["history"][-1]["set_at"].startswith("2026-11-2")


def test_c07_c09_nobody_else_was_touched(town):
    for patient in (QUILL, TEST_PATIENT):
        message = town.sender().patient_discovery(patient)
        assert town.ask(message, path=PATHS["ITI-55"]).discovery.query_response == "OK"
