"""The synthetic population: same arguments, same bytes; nobody twice; documents that the CDA schema accepts."""

import json
import os
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections import Counter
from datetime import date
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
SHARED = Path(os.environ.get("GATEHOUSE_SHARED", HERE.parents[2] / "shared"))
SCHEMA = SHARED / "schemas/cda/sdtc/infrastructure/cda/CDA_SDTC.xsd"
CDA = "{urn:hl7-org:v3}"
MARKER = "Marker <7> & more"


def run(*arguments):
    return subprocess.run([sys.executable, HERE / "synthetic.py", *map(str, arguments)], capture_output=True, check=True,
                          env={**os.environ, "LC_ALL": "C", "PYTHONHASHSEED": "random"}).stdout


@pytest.fixture(scope="module")
def population(tmp_path_factory):
    path = tmp_path_factory.mktemp("patients") / "patients.ndjson"
    path.write_bytes(run("patients", "--count", 2000, "--seed", 7))
    return path


@pytest.fixture(scope="module")
def people(population):
    return [json.loads(line) for line in population.read_text(encoding="utf-8").splitlines()]


def write_documents(population, folder, *more, count=20):
    few = folder / "few.ndjson"
    few.write_text("".join(population.read_text(encoding="utf-8").splitlines(keepends=True)[:count]), encoding="utf-8")
    run("ccda", "--patients", few, "--out", folder / "out", "--per-patient", 2, "--seed", 7, *more)
    return sorted((folder / "out").glob("*.xml"))


@pytest.fixture(scope="module")
def documents(population, tmp_path_factory):
    return write_documents(population, tmp_path_factory.mktemp("documents"), "--marker", MARKER)


def identifiers(patient, system):
    return [identifier["value"] for identifier in patient["identifier"] if identifier["system"] == system]


def test_same_seed_gives_the_same_patients_and_another_seed_others(population):
    again = run("patients", "--count", 2000, "--seed", 7)
    assert again == population.read_bytes()
    assert run("patients", "--count", 5, "--seed", 8).splitlines()[0] not in again


def test_a_longer_run_begins_with_the_shorter_one(population):
    assert population.read_bytes().startswith(run("patients", "--count", 50, "--seed", 7))


def test_ids_and_people_are_unique(people):
    ids = [patient["id"] for patient in people]
    assert len(set(ids)) == len(people) == 2000
    assert all(re.fullmatch(r"[A-Za-z0-9.-]{1,64}", value) for value in ids)
    local = [value for patient in people for value in identifiers(patient, "urn:oid:2.999.1.1")]
    numbers = [value for patient in people for value in identifiers(patient, "http://hl7.org/fhir/sid/us-ssn")]
    assert len(set(local)) == 2000
    assert len(set(numbers)) == len(numbers) and 800 < len(numbers) < 1600
    assert len({(patient["name"][0]["family"], *patient["name"][0]["given"], patient["birthDate"]) for patient in people}) == 2000


def test_people_are_obviously_invented(people):
    for patient in people:
        for number in identifiers(patient, "http://hl7.org/fhir/sid/us-ssn"):
            assert re.fullmatch(r"9\d\d-(0[1-9]|[1-4]\d)-\d{4}", number)
        for telecom in patient["telecom"]:
            assert "-555-01" in telecom["value"] or telecom["value"].endswith("@example.org")
        assert patient["meta"]["tag"][0]["code"] == "HTEST"


def test_every_patient_has_what_discovery_asks_for(people):
    for patient in people:
        assert patient["resourceType"] == "Patient"
        assert patient["gender"] in ("female", "male", "other", "unknown")
        assert date(1920, 1, 1) < date.fromisoformat(patient["birthDate"]) <= date(2025, 6, 1)
        assert patient["name"][0]["family"] and patient["name"][0]["given"]
        address = patient["address"][0]
        assert address["line"] and address["city"] and re.fullmatch("[A-Z]{2}", address["state"])
        assert re.fullmatch(r"\d{5}", address["postalCode"]) and address["country"] == "US"


def test_names_are_skewed_and_not_all_plain(people):
    families = Counter(patient["name"][0]["family"] for patient in people)
    assert families.most_common(1)[0][1] > 5 * sorted(families.values())[len(families) // 2]
    assert any("'" in family for family in families) and any(not family.isascii() for family in families)
    assert any("suffix" in patient["name"][0] for patient in people)


def test_assigning_authority_can_be_chosen():
    patient = json.loads(run("patients", "--count", 1, "--seed", 1, "--assigning-authority", "2.999.77"))
    assert patient["identifier"][0]["system"] == "urn:oid:2.999.77"


def test_same_seed_gives_the_same_documents(population, documents, tmp_path):
    again = write_documents(population, tmp_path, "--marker", MARKER)
    assert [path.name for path in again] == [path.name for path in documents]
    assert all(one.read_bytes() == other.read_bytes() for one, other in zip(again, documents))


@pytest.mark.skipif(not SCHEMA.exists() or not shutil.which("xmllint"), reason="no shared schemas or no xmllint")
def test_documents_are_valid_against_the_cda_schema(documents):
    done = subprocess.run(["xmllint", "--nonet", "--noout", "--schema", SCHEMA, *documents], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]


def test_document_ids_are_unique_and_sizes_are_those_of_real_ones(documents):
    roots = [ET.parse(path).getroot() for path in documents]
    assert len({root.find(CDA + "id").get("root") for root in roots}) == len(documents) == 40
    sizes = [path.stat().st_size for path in documents]
    assert min(sizes) > 10_000 and max(sizes) < 32_000


def test_document_names_its_patient(documents, people):
    for path in documents:
        patient = next(person for person in people if path.name.startswith(person["id"] + "-"))
        role = ET.parse(path).getroot().find(f"{CDA}recordTarget/{CDA}patientRole")
        assert role.find(CDA + "id").get("extension") == patient["identifier"][0]["value"]
        assert role.find(CDA + "id").get("root") == "2.999.1.1"
        assert role.find(f"{CDA}patient/{CDA}name/{CDA}family").text == patient["name"][0]["family"]


def test_document_has_its_sections_and_the_marker_in_a_paragraph(documents):
    for path in documents:
        root = ET.parse(path).getroot()
        codes = [section.find(CDA + "code").get("code") for section in root.iter(CDA + "section")]
        assert codes == ["48765-2", "10160-0", "11450-4", "30954-2", "8716-3", "11369-6", "18776-5"]
        assert [paragraph.text for paragraph in root.iter(CDA + "paragraph")].count(MARKER) == 1


def test_restricted_label_is_given_on_request_to_documents_that_mention_substance_use(population, documents, tmp_path):
    plain = {ET.parse(path).getroot().find(CDA + "confidentialityCode").get("code") for path in documents}
    assert plain == {"N"}
    for path in write_documents(population, tmp_path, "--label-substance-use"):
        text = path.read_text(encoding="utf-8")
        mentions = "Opioid dependence" in text or "Alcohol dependence" in text
        assert f'confidentialityCode code="{"R" if mentions else "N"}"' in text
