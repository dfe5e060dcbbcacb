"""`gatehouse policy breakglass` and `review`: emergencies of our own people. [threats C10; design §4, sensitivity]"""

import itertools

import pytest

from peer import records
from peer.gateway import PATHS
from peer.records import Document, Patient
from peer.town import HOME, RIVERSIDE

pytestmark = pytest.mark.both_databases

CONFIDENTIALITY, ACT_CODE = "2.16.840.1.113883.5.25", "2.16.840.1.113883.5.4"
REASON = "unconscious in the emergency department"
numbers = itertools.count(1)


@pytest.fixture(scope="module")
def town(found_town):
    return found_town("glass-town")


class Emergency:
    """A patient of one test with a document that only a consent opens, and a doctor of that test."""

    def __init__(self, town, label="V", system=CONFIDENTIALITY):
        number = next(numbers)
        self.town, self.gateway, self.doctor = town, town.gateway, f"Dr. Ada Quill {number}"
        self.patient = Patient(f"BG-{number}", f"Glasswright{number}", "Ivo", "M", "19660606")
        document = Document(f"2.999.1.9.{number}", self.patient)
        town.enter(self.patient)
        bytes_ = records.ccda(document, HOME).replace(f'code="N" codeSystem="{CONFIDENTIALITY}"'.encode(),
                                                      f'code="{label}" codeSystem="{system}"'.encode())
        self.gateway.command("document", "import", self.gateway.write("labelled.xml", bytes_))
        self.document = document.unique_id

    def breaks(self, *, user=None, role="emergency physician", reason=REASON, minutes=60, exit=0):
        return self.gateway.command("policy", "breakglass", self.patient.mrn, "--user", user or self.doctor, "--role",
                                    role, "--reason", reason, "--minutes", minutes, "--json", exit=exit).json

    def decides(self, user=None, home=HOME):
        """The verdict on the document, for one of our own people or else for a partner."""
        who = ("--user", user) if user else ()
        ran = self.gateway.run("policy", "decide", "--patient", self.patient.mrn, "--home", home, "--purpose",
                               "TREATMENT", "--document", self.document, *who, "--json", "--config",
                               self.gateway.config)
        return ran.json["reason"]

    def review(self, grant, by="Petra Privacy", finding="justified", exit=0):
        return self.gateway.command("policy", "review", grant["id"], "--finding", finding, "--by", by, "--json",
                                    exit=exit).json


class TestABrokenGlass:
    def test_opens_to_whom_it_lets_in_and_to_nobody_else(self, town):
        case = Emergency(town)
        assert case.decides(case.doctor) == "sensitive-no-consent"
        case.breaks()
        assert case.decides(case.doctor) == "permitted"
        assert case.decides("Dr. Somebody Else") == "sensitive-no-consent"
        assert case.decides(home=RIVERSIDE) == "sensitive-no-consent"
        assert not town.ask(town.retrieve(case.document), path=PATHS["ITI-39"]).retrieve.documents
        assert not town.ask(town.find_documents(case.patient)).query.entries

    def test_is_for_minutes(self, town):
        case = Emergency(town)
        case.breaks(minutes=2)
        assert case.decides(case.doctor) == "permitted"
        town.gateway.clock.advance(minutes=2)
        assert case.decides(case.doctor) == "sensitive-no-consent"

    def test_opens_records_of_a_substance_use_program_only_where_the_clinic_says_so(self, town):
        case = Emergency(town, "ETH", ACT_CODE)
        case.breaks()
        assert case.decides(case.doctor) == "sensitive-no-consent"
        town.gateway.command("settings", "set", "part2-emergencies=on", "--by", "Dana Admin")
        assert case.decides(case.doctor) == "permitted"
        town.gateway.command("settings", "set", "part2-emergencies=off", "--by", "Dana Admin")
        assert case.decides(case.doctor) == "sensitive-no-consent"

    def test_does_not_stand_for_a_home_that_is_not_ours(self, town):
        case = Emergency(town)
        assert case.decides(home=HOME) == "caller-unknown", "nobody asks in our name but our own people"

    @pytest.mark.parametrize("wrong, reason", [
        ({"role": " "}, "role-missing"), ({"reason": "x"}, "reason-too-thin"),
        ({"reason": "a b c d e f g"}, "reason-too-thin"), ({"minutes": 0}, "bad-grant-time"),
        ({"minutes": 241}, "bad-grant-time"), ({"user": " "}, "actor-missing")])
    def test_is_refused_without_all_that_a_reviewer_needs(self, town, wrong, reason):
        case = Emergency(town)
        answer = case.breaks(**wrong, exit=1)
        assert answer["reason"] == reason and answer["error"].endswith(".")
        assert case.decides(case.doctor) == "sensitive-no-consent"

    def test_is_bad_usage_without_a_role(self, town):
        town.gateway.command("policy", "breakglass", "PID-1", "--user", "A", "--reason", REASON, "--minutes", 5, exit=2)
        assert town.gateway.command("policy", "breakglass", "PID-1", "--user", "A", "--role", "nurse", "--reason",
                                    REASON, "--minutes", "soon", exit=1).errors.count("\n") == 1

    def test_is_not_broken_twice_at_once(self, town):
        case = Emergency(town)
        case.breaks()
        assert case.breaks(user=case.doctor.lower(), exit=1)["reason"] == "grant-open"
        case.breaks(user="Dr. Somebody Else")
        town.gateway.clock.advance(minutes=10)
        case.breaks()

    def test_of_one_patient_after_the_other_ends_with_an_alarm(self, town):
        cases = [Emergency(town) for _ in range(6)]
        for case in cases[:5]:
            case.breaks(user="Dr. Curious")
        mark = town.gateway.audit_mark()
        assert cases[5].breaks(user="Dr. Curious", exit=1)["reason"] == "break-glass-rate"
        alarm, = town.gateway.audit_since(mark)
        assert (alarm["reason"], alarm["outcome"], alarm["payload"]["user"]) == ("break-glass-rate", "refused",
                                                                                "Dr. Curious")
        assert alarm["payload"]["patients"]
        assert cases[5].decides("Dr. Curious") == "sensitive-no-consent"
        cases[5].breaks(user="Dr. Calm")
        town.gateway.clock.advance(hours=1)
        cases[5].breaks(user="Dr. Curious")

    def test_and_each_use_are_in_the_patients_trail(self, town):
        case = Emergency(town)
        mark = town.gateway.audit_mark()
        grant = case.breaks()
        case.decides(case.doctor)
        patient = town.gateway.audit_since(mark)[0]["patient"]
        rows = [row for row in town.gateway.audit("--patient", patient, "--from", mark)]
        assert [(row["payload"]["transaction"], row["payload"]["user"]) for row in rows] == [
            ("policy breakglass", case.doctor), ("policy decide", case.doctor)]
        assert all(grant["id"] in row["payload"]["note"] for row in rows)
        assert REASON in rows[0]["payload"]["sentence"]


class TestTheReview:
    def waiting(self, town, *more):
        return town.gateway.json("policy", "review", *more)["grants"]

    def test_is_by_somebody_else_and_closes_a_grant_once(self, town):
        case = Emergency(town)
        grant = case.breaks()
        assert grant["id"] in [row["id"] for row in self.waiting(town)]
        for same in (case.doctor, f" {case.doctor.upper()} "):
            assert case.review(grant, by=same, exit=1)["reason"] == "own-review"
        assert case.review(grant, finding=" ", exit=1)["reason"] == "finding-missing"
        assert case.review(grant, by=" ", exit=1)["reason"] == "actor-missing"
        assert case.review({"id": "nothing"}, exit=1)["reason"] == "no-such-grant"
        assert grant["id"] in [row["id"] for row in self.waiting(town)]
        closed = case.review(grant)
        assert (closed["reviewer"], closed["finding"], closed["state"]) == ("Petra Privacy", "justified", "reviewed")
        assert closed["reviewed_at"]
        assert case.review(grant, exit=1)["reason"] == "reviewed-already"
        assert grant["id"] not in [row["id"] for row in self.waiting(town)]
        row, = [row for row in self.waiting(town, "--all") if row["id"] == grant["id"]]
        assert row == closed
        assert case.decides(case.doctor) == "sensitive-no-consent", "a review ends what is still open"

    def test_names_the_patients_it_shows_in_its_event(self, town):
        cases = [Emergency(town), Emergency(town)]
        grants = [case.breaks() for case in cases]
        mark = town.gateway.audit_mark()
        shown = self.waiting(town)
        event, = town.gateway.audit_since(mark)
        assert len(event["payload"]["patients"]) == len({row["mrn"] for row in shown})
        mark = town.gateway.audit_mark()
        cases[0].review(grants[0])
        event, = town.gateway.audit_since(mark)
        assert event["outcome"] == "changed" and len(event["payload"]["patients"]) == 1
        assert event["payload"]["user"] == "Petra Privacy"

    def test_of_no_grant_in_particular_has_no_finding(self, town):
        assert "ID" in town.gateway.command("policy", "review", "--finding", "fine", "--by", "Petra", exit=1).errors

    def test_must_come_before_its_patient_is_deleted(self, town):
        case = Emergency(town)
        grant = case.breaks()
        mark = town.gateway.audit_mark()
        delete = ("patient", "delete", case.patient.mrn, "--reason", "entered twice")
        assert "policy review" in town.gateway.command(*delete, exit=1).errors
        assert town.gateway.audit_since(mark) == [], "what was not done is not written down as done"
        assert town.gateway.json("patient", "show", case.patient.mrn)["mrn"] == case.patient.mrn
        case.review(grant)
        town.gateway.command(*delete)
        town.gateway.command("patient", "show", case.patient.mrn, exit=1)
