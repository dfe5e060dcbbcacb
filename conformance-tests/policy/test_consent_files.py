"""`gatehouse consent import` and `export`: existing opt-outs and consents come in all at once or not at all, and go out
as FHIR Consents. [design §4; facts/fhir §11; threats F14, U09]"""

import itertools
import json

import pytest

from peer import records
from peer.gateway import PATHS
from peer.oracle import complaints
from peer.records import Document, Patient
from peer.town import HOME, LAKESIDE, RIVERSIDE, Town

pytestmark = pytest.mark.both_databases

CONFIDENTIALITY = "2.16.840.1.113883.5.25"
TERMINOLOGY = "http://terminology.hl7.org/CodeSystem"
VERY_RESTRICTED = [{"system": f"{TERMINOLOGY}/v3-Confidentiality", "code": "V"}]
BY = ("--by", "Ruth Reception")
YESTERDAY, LAST_YEAR = "2026-11-20", "2025-11-20"  # of the town's clock
numbers = itertools.count(1)


@pytest.fixture(scope="module")
def town(found_town):
    return found_town("files-town")


class Case:
    """A patient of one test, with one document of confidentiality V where it is asked for."""

    def __init__(self, town, document=False):
        number = next(numbers)
        self.town, self.gateway = town, town.gateway
        self.patient = Patient(f"FI-{number}", f"Fileworth{number}", "Ivy", "F", f"19{40 + number % 50}0{number % 9 + 1}15")
        self.mrn = self.patient.mrn
        self.document = Document(f"2.999.1.9.{number}", self.patient)
        town.enter(self.patient)
        if document:
            normal, very = (f'code="{code}" codeSystem="{CONFIDENTIALITY}"'.encode() for code in "NV")
            bytes_ = records.ccda(self.document, HOME).replace(normal, very)
            self.gateway.command("document", "import", self.gateway.write("labelled.xml", bytes_))

    def is_found(self):
        """Whether ITI-55 finds the patient."""
        message = self.town.sender().patient_discovery(self.patient)
        return self.town.ask(message, path=PATHS["ITI-55"]).discovery.query_response == "OK"

    def is_listed(self):
        return bool(self.town.ask(self.town.find_documents(self.patient)).query.entries)

    def consents(self):
        return self.gateway.json("consent", "show", self.mrn)["consents"]

    def choice(self):
        shown = self.gateway.json("consent", "show", self.mrn)
        return shown["purposes"] if shown["counts"].startswith("the patient's own") else None

    def history(self):
        return self.gateway.json("consent", "history", self.mrn)["history"]


def load(town, text, *options, exit=0, name="consents.in"):
    """@return what the import says"""
    file = town.gateway.write(name, text)
    return town.gateway.command("consent", "import", file, *BY, *options, "--json", exit=exit).json


def csv(header, *rows):
    return "\n".join([header, *rows, ""])


def why(answer):
    return [(row["place"], row["why"]) for row in answer["why_not_accepted"]]


def purposes(*codes):
    return [{"system": f"{TERMINOLOGY}/v3-ActReason", "code": code} for code in codes]


def recipient(home):
    organization = {"system": "urn:ietf:rfc:3986", "value": f"urn:oid:{home}"}
    return {"role": {"coding": [{"system": f"{TERMINOLOGY}/v3-ParticipationType", "code": "IRCP"}]},
            "reference": {"type": "Organization", "identifier": organization}}


def permit_v(home=RIVERSIDE, **more):
    """A permit that opens documents of confidentiality V to one organization."""
    return {"type": "permit", "actor": [recipient(home)], "purpose": purposes("TREAT"),
            "securityLabel": VERY_RESTRICTED} | more


def consent(mrn, provision, *, identifier=None, given=YESTERDAY, status="active", **more):
    return {"resourceType": "Consent", "status": status,
            "identifier": [{"system": "urn:test:consents", "value": identifier or f"of {mrn}"}],
            "scope": {"coding": [{"system": f"{TERMINOLOGY}/consentscope", "code": "patient-privacy"}]},
            "category": [{"coding": [{"system": "http://loinc.org", "code": "59284-0"}]}],
            "patient": {"identifier": {"system": f"urn:oid:{HOME}", "value": mrn}}, "dateTime": given,
            "policy": [{"uri": "https://elsewhere.example/policy"}], "provision": provision} | more


def ndjson(*resources):
    return "".join(json.dumps(resource) + "\n" for resource in resources)


class TestAnImport:
    def test_of_opt_outs_acts_on_the_next_request(self, town):
        case, other = Case(town), Case(town)
        assert case.is_found() and other.is_found()
        answer = load(town, csv("mrn,kind", f"{case.mrn},opt-out"))
        assert (answer["imported"], answer["sets_purposes"], answer["not_accepted"]) == (True, 1, 0)
        assert not case.is_found() and other.is_found()
        answer = load(town, csv("mrn,kind,given,basis", f"{case.mrn},opt-in,{YESTERDAY},by letter"), exit=1)
        assert "not newer" in why(answer)[0][1]
        town.gateway.clock.advance(days=2)
        assert load(town, csv("mrn,kind,given", f"{case.mrn},opt-in,2026-11-22"))["sets_purposes"] == 1
        assert case.is_found()

    def test_of_a_permit_opens_what_it_names_and_a_revocation_closes_it(self, town):
        case = Case(town, document=True)
        assert not case.is_listed()
        load(town, csv("mrn,kind,labels,purposes,to,until,given",
                       f"{case.mrn},permit,V,treatment,{RIVERSIDE},2027-12-31,{YESTERDAY}"))
        assert case.is_listed()
        load(town, csv("mrn,kind,given", f"{case.mrn},revoke,2026-11-21"))
        assert not case.is_listed()

    def test_of_a_deny_shuts_out_whom_it_names(self, town):
        case = Case(town)
        load(town, csv("mrn,kind,to", f"{case.mrn},deny,{LAKESIDE}"))
        assert case.is_found()
        load(town, csv("mrn,kind,to", f"{case.mrn},deny,{RIVERSIDE}"))
        assert not case.is_found()

    def test_of_a_deny_by_class_shuts_out_that_class_and_by_codes_within_everything(self, town):
        loinc, fhir = "http://loinc.org", "http://hl7.org/fhir"
        for more, listed in (({"class": [{"system": loinc, "code": "11111-1"}]}, True),
                             ({"class": [{"system": loinc, "code": "34133-9"}]}, False),
                             ({"class": [{"system": f"{fhir}/resource-types", "code": "Observation"}]}, False),
                             ({"code": [{"coding": [{"system": f"{fhir}/sid/icd-10-cm", "code": "B20"}]}]}, False)):
            case = Case(town, document=True)
            load(town, ndjson(consent(case.mrn, permit_v(), identifier=f"yes {case.mrn}")))
            assert case.is_listed()
            answer = load(town, ndjson(consent(case.mrn, {"type": "deny"} | more)))
            assert (answer["not_accepted"], case.is_listed()) == (0, listed), more

    def test_of_the_same_file_again_changes_nothing(self, town):
        case, other = Case(town), Case(town)
        rows = [f"{case.mrn},opt-out,,", f"{case.mrn},deny,{LAKESIDE},", f"{other.mrn},deny,,"]
        files = [csv("mrn,kind,to,given", *rows),
                 ndjson(consent(other.mrn, {"type": "deny"}), consent(case.mrn, permit_v()))]
        for file in files:
            load(town, file)
        before = case.history(), other.history()
        for file in files:
            answer = load(town, file)
            assert answer["unchanged"] == len(file.splitlines()) - file.startswith("mrn")
            assert not any(answer[does] for does in ("sets_purposes", "gives_a_consent", "changes_a_consent"))
        assert (case.history(), other.history()) == before

    def test_of_spreadsheet_files_takes_marks_and_line_ends_and_formulas_as_text(self, town):
        case = Case(town)
        formula = '"=HYPERLINK(""http://x.example"",""a"")"'
        text = f"\ufeffmrn,kind,basis,actor\r\n{case.mrn},opt-out,{formula},+1\r\n"
        load(town, text)
        row, = case.history()
        assert (row["basis"], row["actor"]) == ('=HYPERLINK("http://x.example","a")', "+1")

    def test_follows_a_merge(self, town):
        case, retired = Case(town), Case(town)
        town.gateway.command("patient", "merge", case.mrn, retired.mrn, "--reason", "registered twice")
        load(town, csv("mrn,kind", f"{retired.mrn},opt-out"))
        assert case.choice() == "none" and not case.is_found()

    def test_of_purposes_alone_is_the_patients_choice(self, town):
        case = Case(town)
        load(town, ndjson(consent(case.mrn, {"type": "permit", "purpose": purposes("HPAYMT")})))
        assert case.choice() == "payment" and case.consents() == [] and not case.is_found()
        load(town, ndjson(consent(case.mrn, {"type": "permit", "purpose": purposes("HPAYMT")}, status="inactive")))
        assert case.choice() is None and case.is_found()

    def test_of_purposes_alone_never_widens_what_another_consent_narrowed(self, town):
        def says(case, name, provision, given=YESTERDAY, exit=0):
            said = consent(case.mrn, provision, identifier=f"{name} {case.mrn}", given=given)
            return load(town, ndjson(said), exit=exit)

        refused, treat = {"type": "deny"}, {"type": "permit", "purpose": purposes("TREAT")}
        case, other = Case(town), Case(town)
        says(case, "a", refused)
        answer = says(case, "b", treat, "2026-11-21", exit=1)
        assert "end the other consent first" in why(answer)[0][1]
        assert case.choice() == "none" and not case.is_found()
        says(case, "a", treat, "2026-11-21")
        assert case.is_found()
        says(other, "b", treat)
        assert other.is_found()
        says(other, "a", refused, "2026-11-21")
        assert other.choice() == "none" and not other.is_found()

    @pytest.mark.parametrize("status, state", [
        ("active", "in force"), ("inactive", "revoked"), ("proposed", "proposed"), ("draft", "proposed"),
        ("entered-in-error", "entered in error")])
    def test_keeps_the_status(self, town, status, state):
        case = Case(town, document=True)
        load(town, ndjson(consent(case.mrn, permit_v(), status=status)))
        assert [one["state"] for one in case.consents()] == [state]
        assert case.is_listed() == (status == "active")

    def test_ends_what_it_gave_before(self, town):
        case = Case(town, document=True)
        load(town, ndjson(consent(case.mrn, permit_v())))
        assert case.is_listed()
        assert load(town, ndjson(consent(case.mrn, permit_v(), status="inactive")))["ends_a_consent"] == 1
        shown, = case.consents()
        assert (shown["state"], shown["version"]) == ("revoked", 2) and not case.is_listed()

    def test_is_written_down_once_with_its_patients(self, town):
        cases = [Case(town), Case(town)]
        mark = town.gateway.audit_mark()
        load(town, csv("mrn,kind", *(f"{case.mrn},opt-out" for case in cases)))
        event, = [row["payload"] for row in town.gateway.audit_since(mark)]
        assert (event["transaction"], event["outcome"]) == ("consent import", "changed")
        assert event["user"] == "Ruth Reception"
        assert len(event["patients"]) == 2 and event["sentence"] == "2 sets purposes"
        assert town.gateway.verify_audit()[0] == 0

    def test_of_ten_thousand_rows_is_one_change(self, town):
        people = [Patient(f"TT-{number}", f"Crowd{number}", "Ann", "F", "19700101") for number in range(10_000)]
        town.enter(*people)
        rows = [f"{person.mrn},{'opt-out' if number % 2 else 'deny'},{RIVERSIDE if number % 2 == 0 else ''}"
                for number, person in enumerate(people)]
        spoilt = load(town, csv("mrn,kind,to", *rows, "TT-none,opt-out,"), exit=1)
        assert (spoilt["imported"], spoilt["not_accepted"]) == (False, 1)
        assert town.gateway.json("consent", "history", "TT-0")["history"] == []
        answer = load(town, csv("mrn,kind,to", *rows))
        assert (answer["sets_purposes"], answer["gives_a_consent"]) == (5000, 5000)
        assert load(town, csv("mrn,kind,to", *rows))["unchanged"] == 10_000


class TestADryRun:
    def test_lists_what_each_row_would_do_and_changes_nothing(self, town):
        case, other = Case(town), Case(town)
        text = csv("mrn,kind,to", f"{case.mrn},opt-out,", f"{other.mrn},deny,{RIVERSIDE}", f"{case.mrn},opt-out,")
        answer = load(town, text, "--dry-run")
        assert (answer["dry_run"], answer["imported"]) == (True, False)
        assert [(row["place"], row["mrn"], row["does"]) for row in answer["rows"]] == [
            ("line 2", case.mrn, "sets purposes"), ("line 3", other.mrn, "gives a consent"),
            ("line 4", case.mrn, "unchanged")]
        assert answer["rows"][0]["says"] == ["none"]
        assert answer["rows"][1]["says"] == [f"Forbids giving anything to organization {RIVERSIDE} for any purpose."]
        assert case.history() == other.history() == []
        text_for_people = town.gateway.command("consent", "import", town.gateway.write("dry.csv", text), *BY,
                                               "--dry-run").output
        assert "sets purposes" in text_for_people and "line 3" in text_for_people

    def test_lists_every_row_that_would_not_be_accepted_with_line_and_reason(self, town):
        case = Case(town)
        rows = ["opt-out,,,,", "vanish,,,,", "purposes,research,,,", "deny,,SECRET,,", "deny,,,2027-02-01,2027-01-01",
                "permit,treatment,,,", "opt-out"]
        answer = load(town, csv("mrn,kind,purposes,labels,from,until", *(f"{case.mrn},{row}" for row in rows),
                                "NOBODY,opt-out,,,,"), "--dry-run", exit=1)
        assert [place for place, _ in why(answer)] == [f"line {number}" for number in range(3, 10)]
        told = " ".join(sentence for _, sentence in why(answer))
        for word in ("kind", "no patient", "no purpose", "label", "later than", "open nothing", "cells"):
            assert word in told
        assert not any(word in told for word in ("vanish", "NOBODY", "SECRET", "research", case.mrn))
        assert len(answer["rows"]) == 1 and case.history() == []

    def test_is_written_down_as_a_look(self, town):
        case = Case(town)
        mark = town.gateway.audit_mark()
        load(town, csv("mrn,kind", f"{case.mrn},opt-out"), "--dry-run")
        event, = [row["payload"] for row in town.gateway.audit_since(mark)]
        assert (event["outcome"], event["sentence"]) == ("looked", "dry run: 1 sets purposes")
        assert len(event["patients"]) == 1
        row = csv("mrn,kind", f"{case.mrn},opt-out")
        load(town, row)
        mark = town.gateway.audit_mark()
        load(town, row, "--dry-run")  # tells that the patient has opted out already
        again, = [row["payload"] for row in town.gateway.audit_since(mark)]
        assert (again["sentence"], again["patients"]) == ("dry run: 1 unchanged", event["patients"])


class TestNothingIsHalfImported:
    def test_where_the_last_row_is_bad(self, town):
        case, other = Case(town), Case(town)
        good = [f"{case.mrn},opt-out,", f"{other.mrn},deny,{RIVERSIDE}"]
        answer = load(town, csv("mrn,kind,to", *good, "NOBODY,opt-out,"), exit=1)
        assert (answer["imported"], why(answer)) == (False, [("line 4", "this clinic has no patient of that number")])
        assert case.history() == other.history() == [] and case.is_found() and other.is_found()
        assert load(town, csv("mrn,kind,to", *good))["imported"]
        assert not case.is_found() and not other.is_found()

    @pytest.mark.parametrize("header, named", [("mrn,kind,colour", "column 3"), ("mrn,kind,mrn", "mrn"), ("mrn", "kind")])
    def test_where_a_column_is_unknown_twice_or_missing(self, town, header, named):
        case = Case(town)
        file = town.gateway.write("x.csv", csv(header, f"{case.mrn},opt-out,x"))
        ran = town.gateway.command("consent", "import", file, *BY, exit=1)
        assert named in ran.errors and ran.errors.count("\n") == 1
        assert case.history() == []

    def test_where_the_file_is_no_file_of_consents(self, town):
        for text in ("{}", "[]", "{\"resourceType\":\"Bundle\",\"entry\":7}", "", "\x00"):
            town.gateway.command("consent", "import", town.gateway.write("x", text), *BY, exit=1)
        town.gateway.command("consent", "import", "/nowhere", *BY, exit=1)
        town.gateway.command("consent", "import", town.gateway.write("x", "mrn,kind\n"), exit=2)

    def test_where_staff_would_overwrite_the_patients_own_word(self, town):
        case = Case(town)
        town.gateway.command("policy", "set", case.mrn, "--purposes", "payment", "--by", "herself", "--as", "patient")
        town.gateway.clock.advance(days=2)
        today = town.gateway.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")
        row = csv("mrn,kind,given", f"{case.mrn},opt-in,{today}")
        assert "no basis" in why(load(town, row, exit=1))[0][1]
        assert case.choice() == "payment"
        load(town, row, "--basis", "by letter")
        assert case.is_found()


class TestF14:
    def refused(self, town, case, text, word, place="entry 1"):
        before = case.history()
        answer = load(town, text, exit=1)
        (where, sentence), = why(answer)
        assert where == place and word in sentence
        assert answer["imported"] is False and case.history() == before and not case.is_listed()

    def test_f14_a_back_dated_permit_revives_nothing_that_was_revoked_here(self, town):
        case = Case(town, document=True)
        load(town, ndjson(consent(case.mrn, permit_v(), given=LAST_YEAR)))
        assert case.is_listed()
        town.gateway.command("consent", "revoke", case.mrn, case.consents()[0]["id"], *BY)
        assert not case.is_listed()
        town.gateway.clock.advance(days=2)
        today = town.gateway.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")
        self.refused(town, case, ndjson(consent(case.mrn, permit_v(), given=YESTERDAY)), "revocation")
        another = consent(case.mrn, permit_v(), identifier="another", given=YESTERDAY)
        self.refused(town, case, ndjson(another), "revocation")
        self.refused(town, case, ndjson(consent(case.mrn, permit_v(), given="2031-01-01")), "future")
        load(town, ndjson(consent(case.mrn, permit_v(), given=today)))
        assert case.is_listed()

    def test_f14_a_permit_for_everybody_with_no_period(self, town):
        case = Case(town, document=True)
        for provision in ({"type": "permit"}, {"type": "permit", "securityLabel": VERY_RESTRICTED},
                          {"type": "permit", "securityLabel": VERY_RESTRICTED, "purpose": purposes("TREAT")}):
            self.refused(town, case, ndjson(consent(case.mrn, provision)), "open nothing")
        load(town, ndjson(consent(case.mrn, permit_v(period={"end": "2027-01-01"}))))
        assert case.is_listed()

    def test_f14_provisions_nested_too_deep(self, town):
        case = Case(town, document=True)

        def nested(depth, innermost=permit_v()):
            return nested(depth - 1, {"type": "permit", "provision": [innermost]}) if depth else innermost
        good = consent(Case(town).mrn, {"type": "deny"})
        for depth in (9, 25, 50):
            self.refused(town, case, ndjson(good, consent(case.mrn, nested(depth))), "nested", place="line 2")
        load(town, ndjson(consent(case.mrn, nested(8))))
        assert case.is_listed()

    def test_f14_an_unknown_code_in_a_permit(self, town):
        case, twin = Case(town, document=True), Case(town, document=True)
        answer = load(town, ndjson(consent(case.mrn, permit_v(purpose=purposes("HRESCH"))),
                                   consent(twin.mrn, permit_v(purpose=purposes("TREAT")))))
        note, = answer["not_evaluated"]
        assert note["place"] == "line 1" and note["why"].startswith("provision.purpose ")
        assert twin.is_listed() and not case.is_listed()
        shown, = case.consents()
        assert shown["state"] == "in force" and "cannot be evaluated" in shown["statements"][0]

    def test_f14_an_unknown_code_in_a_deny_denies_all_the_more(self, town):
        case, twin = Case(town), Case(town)
        odd = {"type": "deny", "actor": [recipient(LAKESIDE)], "purpose": purposes("HRESCH")}
        known = odd | {"purpose": purposes("HPAYMT")}
        odd["actor"] = [{"role": {"text": "friend"}, "reference": {"display": "somebody"}}]
        answer = load(town, ndjson(consent(case.mrn, odd), consent(twin.mrn, known)))
        assert {note["why"].split()[0] for note in answer["not_evaluated"]} == {"provision.actor", "provision.purpose"}
        assert twin.is_found() and not case.is_found()

    def test_f14_a_consent_of_another_patient(self, town):
        case, other = Case(town, document=True), Case(town)
        load(town, ndjson(consent(other.mrn, permit_v(), identifier="theirs")))
        self.refused(town, case, ndjson(consent(case.mrn, permit_v(), identifier="theirs")), "another patient")
        ours = town.gateway.json("consent", "show", other.mrn)["consents"][0]["id"]
        own = consent(case.mrn, permit_v())
        own["identifier"] = [{"system": "urn:gatehouse:consent", "value": ours}]
        self.refused(town, case, ndjson(own), "another patient")
        export = json.loads(town.gateway.command("consent", "export", other.mrn, "--out", "-").output)
        their_id = export["entry"][0]["resource"]["patient"]["reference"]
        mixed = consent(case.mrn, permit_v())
        mixed["patient"]["reference"] = their_id
        self.refused(town, case, ndjson(mixed), "two patients")
        mixed["patient"]["reference"] = "Patient/of-another-server"
        load(town, ndjson(mixed))
        assert case.is_listed()

    def test_f14_a_reference_of_another_server_is_nobody_here(self, town):
        case = Case(town, document=True)
        bare = consent(case.mrn, permit_v(), patient={"reference": f"Patient/{case.mrn}"})
        self.refused(town, case, ndjson(bare), "identifier")
        load(town, ndjson(consent(case.mrn, permit_v())))
        assert case.is_listed()


class TestAnExport:
    @pytest.fixture(scope="class")
    def cases(self, town):
        """Patients of whom anything is said that can be."""
        cases = [Case(town, document=True) for _ in range(6)]
        loud, quiet, odd, staff, merged, ended = cases
        deep = permit_v(provision=[{"type": "deny", "purpose": purposes("HPAYMT"), "dataPeriod": {"start": "2020"}}])
        load(town, ndjson(
            consent(loud.mrn, deep, identifier="deep"), consent(loud.mrn, {"type": "deny"}, identifier="out"),
            consent(odd.mrn, permit_v(**{"class": [{"system": "http://loinc.org", "code": "34133-9"}]})),
            consent(odd.mrn, {"type": "permit", "action": [{"text": "x"}]}, identifier="odd"),
            consent(ended.mrn, permit_v(), status="inactive")))
        by = ("--by", "Olga Staff", "--as", "patient")
        town.gateway.command("consent", "give", staff.mrn, "--label", "V", "--purpose", "treatment", "--to",
                             "treating-providers", "--by", "Olga Staff")
        town.gateway.command("consent", "give", staff.mrn, "--deny", "--to", "health-plans", "--document",
                             staff.document.unique_id, *by)
        town.gateway.command("consent", "give", quiet.mrn, "--deny", "--purpose", "payment", *by)
        town.choose(staff.patient, "treatment", "payment")
        town.gateway.command("patient", "merge", quiet.mrn, merged.mrn, "--reason", "registered twice")
        return cases

    def export(self, town, *options):
        file = town.gateway.folder / "exported.json"
        answer = town.gateway.json("consent", "export", *options, "--out", file)
        return answer, file.read_text()

    def test_passes_the_oracle_entry_by_entry(self, town, cases, shared, tmp_path):
        _, text = self.export(town, *(case.mrn for case in cases))
        bundle = json.loads(text)
        assert len(bundle["entry"]) == 9
        assert complaints(text, tmp_path) == ""
        profiles = set()
        for entry in bundle["entry"]:
            assert complaints(json.dumps(entry["resource"]), tmp_path) == ""
            profiles |= {name.rpartition(".")[2] for name in entry["resource"]["meta"].get("profile", [])}
        assert profiles == {"consentBasic", "consentIntermediate", "consentAdvanced"}

    def test_the_oracle_sees_what_is_missing(self, town, cases, shared, tmp_path):
        _, text = self.export(town, cases[0].mrn)
        resource = json.loads(text)["entry"][0]["resource"]
        del resource["organization"]  # the base standard does not ask for it
        assert "PCF" in complaints(json.dumps(resource), tmp_path)

    def test_decides_elsewhere_as_it_decides_here(self, town, cases, databases, tmp_path):
        answer, text = self.export(town, *(case.mrn for case in cases))
        assert (answer["patients"], answer["consents"], answer["choices"]) == (5, 7, 2)
        elsewhere = Town(tmp_path / "elsewhere", database=databases(), at="2026-12-24T12:00:00Z")
        elsewhere.gateway.init()
        elsewhere.defaults("treatment")
        elsewhere._tell_of_partners()
        survivors = [case for case in cases if case is not cases[4]]
        elsewhere.enter(*(case.patient for case in survivors))
        loaded = load(elsewhere, text)
        assert (loaded["gives_a_consent"], loaded["sets_purposes"], loaded["unchanged"]) == (7, 2, 0)
        assert load(elsewhere, text)["unchanged"] == 9
        again = json.loads(elsewhere.gateway.command("consent", "export", "--out", "-").output)
        assert load(town, json.dumps(again))["unchanged"] == 9, "and back"
        asked = [(case.mrn, home, purpose) for case in survivors for home in (RIVERSIDE, LAKESIDE)
                 for purpose in ("TREATMENT", "PAYMENT", "COVERAGE")]
        for mrn, home, purpose in asked:
            verdicts = [each.gateway.run("policy", "decide", "--patient", mrn, "--home", home, "--purpose", purpose,
                                         "--json", "--config", each.gateway.config).json for each in (town, elsewhere)]
            assert [(one["verdict"], one.get("reason")) for one in verdicts[:1]] == [
                (one["verdict"], one.get("reason")) for one in verdicts[1:]], (mrn, home, purpose)

    def test_says_who_gave_it(self, town, cases):
        _, text = self.export(town, cases[3].mrn)
        performers = [entry["resource"]["performer"][0] for entry in json.loads(text)["entry"]]
        assert [performer.get("display", "the patient") for performer in performers] == [
            "Olga Staff", "Olga Staff", "the patient"]

    def test_is_of_the_clinic_or_of_those_named_or_since_a_day(self, town, cases):
        everything, _ = self.export(town)
        some, text = self.export(town, cases[0].mrn)
        assert everything["patients"] > some["patients"] == 1
        assert {entry["resource"]["patient"]["identifier"]["value"] for entry in json.loads(text)["entry"]} == {
            cases[0].mrn}
        none, _ = self.export(town, "--since", "2031-01-01")
        assert none["patients"] == 0
        assert self.export(town, "--since", "2026-11-01")[0]["patients"] == everything["patients"]
        town.gateway.command("consent", "export", "NOBODY", "--out", "-", exit=1)
        town.gateway.command("consent", "export", "--since", "lately", "--out", "-", exit=1)
        town.gateway.command("consent", "export", exit=2)

    def test_is_for_its_owner_alone_and_written_down_with_its_patients(self, town, cases):
        mark = town.gateway.audit_mark()
        self.export(town, cases[0].mrn)
        assert (town.gateway.folder / "exported.json").stat().st_mode & 0o077 == 0
        event, = [row["payload"] for row in town.gateway.audit_since(mark)]
        assert (event["transaction"], event["outcome"], len(event["patients"])) == ("consent export", "looked", 1)
        assert event["sentence"] == "1 consents and 1 choices of 1 patients"

    def test_of_others_goes_on_where_one_cannot_be_read(self, town, cases):
        case = Case(town)
        load(town, csv("mrn,kind,to", f"{case.mrn},opt-out,", f"{case.mrn},deny,{LAKESIDE}"))
        everything, _ = self.export(town)
        of_case = f"WHERE patient = (SELECT id FROM patients WHERE mrn = '{case.mrn}')"
        town.gateway.alter(f"UPDATE consents SET status = 'x' {of_case}")
        try:
            file = town.gateway.folder / "exported.json"
            ran = town.gateway.command("consent", "export", "--out", file, "--json", exit=1)
            assert (ran.json["unreadable"], ran.json["patients"]) == ([case.mrn], everything["patients"] - 1)
            entries = json.loads(file.read_text())["entry"]
            numbers = {entry["resource"]["patient"]["identifier"]["value"] for entry in entries}
            assert case.mrn not in numbers and cases[0].mrn in numbers
            assert ran.errors.count("\n") == 1 and f"consent history {case.mrn}" in ran.errors
            piped = town.gateway.command("consent", "export", "--out", "-", exit=1)
            assert (piped.output, piped.errors) == (file.read_text(), ran.errors)
            assert town.gateway.command("consent", "export", cases[0].mrn, "--out", "-").errors == ""
        finally:
            town.gateway.alter(f"UPDATE consents SET status = 'active' {of_case}")

    def test_without_any_is_an_empty_bundle(self, town, shared, tmp_path):
        case = Case(town)
        text = town.gateway.command("consent", "export", case.mrn, "--out", "-").output
        assert "entry" not in json.loads(text) and complaints(text, tmp_path) == ""
