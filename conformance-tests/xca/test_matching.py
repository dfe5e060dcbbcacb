"""Who an ITI-55 query means, case by case: data/matching-cases.txt. [ITI TF-2 §3.55.4.2.2; design §4: ambiguity]"""

import json
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import escape

import pytest

from peer.gateway import PATHS
from peer.town import HOME

CASES = Path(__file__).resolve().parents[1] / "data" / "matching-cases.txt"
SSN = "2.16.840.1.113883.4.1"


@dataclass(frozen=True)
class Person:
    family: str
    given: str
    suffix: str
    born: str
    sex: str
    street: str
    telephone: str
    ssn: str

    @classmethod
    def read(cls, line):
        return cls(*("" if field.strip() == "-" else field.strip() for field in line.split(";")))


def read_cases():
    paragraphs = CASES.read_text().split("\n\n")[1:]
    for paragraph in paragraphs:
        head, *lines = paragraph.strip().splitlines()
        what, _, verdict = head.rpartition(": ")
        rows = [line.partition(":")[::2] for line in lines]
        records = [Person.read(line) for kind, line in rows if kind == "has"]
        (asked,) = [Person.read(line) for kind, line in rows if kind == "asks"]
        yield pytest.param(records, asked, verdict.split(), id=what)


def fhir(person, mrn):
    identifiers = [{"system": f"urn:oid:{HOME}", "value": mrn}]
    if person.ssn:
        identifiers.append({"system": "http://hl7.org/fhir/sid/us-ssn", "value": person.ssn})
    name = {"family": person.family, "given": person.given.split()}
    if person.suffix:
        name["suffix"] = [person.suffix]
    resource = {"resourceType": "Patient", "id": mrn.lower(), "identifier": identifiers, "name": [name],
                "gender": {"M": "male", "F": "female"}[person.sex],
                "birthDate": f"{person.born[:4]}-{person.born[4:6]}-{person.born[6:]}"}
    if person.street:
        resource["address"] = [{"line": [person.street], "city": "Fernhollow", "state": "OR", "postalCode": "97201"}]
    if person.telephone:
        resource["telecom"] = [{"system": "phone", "value": person.telephone}]
    return json.dumps(resource) + "\n"


def parameters(person):
    def one(name, value, semantics):
        return f"<{name}>{value}<semanticsText>{semantics}</semanticsText></{name}>"

    rows = []
    if person.sex:
        rows.append(one("livingSubjectAdministrativeGender", f'<value code="{person.sex}"'
                        ' codeSystem="2.16.840.1.113883.5.1"/>', "LivingSubject.administrativeGender"))
    rows.append(one("livingSubjectBirthTime", f'<value value="{person.born}"/>', "LivingSubject.birthTime"))
    if person.ssn:
        rows.append(one("livingSubjectId", f'<value root="{SSN}" extension="{person.ssn}"/>', "LivingSubject.id"))
    given = "".join(f"<given>{escape(name)}</given>" for name in person.given.split())
    suffix = f"<suffix>{person.suffix}</suffix>" if person.suffix else ""
    rows.append(one("livingSubjectName", f"<value><family>{escape(person.family)}</family>{given}{suffix}</value>",
                    "LivingSubject.name"))
    if person.street:
        rows.append(one("patientAddress", f"<value><streetAddressLine>{person.street}</streetAddressLine>"
                        "<city>Fernhollow</city><state>OR</state><postalCode>97201</postalCode></value>",
                        "Patient.addr"))
    if person.telephone:
        rows.append(one("patientTelecom", f'<value value="tel:{person.telephone}"/>', "Patient.telecom"))
    return "".join(rows)


@pytest.fixture(scope="module")
def matching_town(found_town):
    return found_town("matching-town")


@pytest.mark.parametrize("records, asked, verdict", read_cases())
def test_is_answered_as_the_table_says(matching_town, records, asked, verdict):
    town, gateway = matching_town, matching_town.gateway
    mrns = [f"MC-{number}" for number, _ in enumerate(records)]
    lines = "".join(fhir(person, mrn) for person, mrn in zip(records, mrns))
    gateway.command("patient", "import", gateway.write("case.ndjson", lines))
    try:
        message = town.sender().patient_discovery(None, parameters=parameters(asked))
        found = town.ask(message, path=PATHS["ITI-55"]).discovery
    finally:
        for mrn in mrns:
            gateway.command("patient", "delete", mrn, "--reason", "the case is over")
    given = [match.extension for match in found.matches]
    if verdict[0] == "match":
        assert (found.query_response, given) == ("OK", mrns[:1])
    elif verdict[0] == "none":
        assert (found.query_response, given) == ("NF", [])
    else:
        assert (found.query_response, given) == ("OK", [])
        assert set(verdict[1:]) <= set(found.problems)
