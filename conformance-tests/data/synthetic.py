#!/usr/bin/env python3
"""Invented patients (FHIR R4 NDJSON) and their C-CDA R2.1 documents, for the demo, the tests and the bench.

    synthetic.py patients --count 1000 --seed 7 > patients.ndjson
    synthetic.py ccda --patients patients.ndjson --out documents --per-patient 2 --seed 7

The same arguments give the same bytes on every machine, so a test can name what it expects. Nobody here exists:
telephone numbers are 555-01xx, mail is at example.org, social security numbers start with 9 (never issued),
cities are made up, and OIDs lie under 2.999 (the arc for examples). Names are drawn with the skew of a census,
because a patient matcher is only tested by a population in which many people are called the same.
"""

import argparse
import json
import random
import sys
import uuid
import xml.etree.ElementTree as ET
from datetime import date, datetime, timedelta
from pathlib import Path

ASSIGNING_AUTHORITY = "2.999.1.1"
CUSTODIAN = "2.999.1.2"
PROVIDERS = "2.999.1.3"
ENCOUNTERS = "2.999.1.4"
SSN_SYSTEM = "http://hl7.org/fhir/sid/us-ssn"
SSN_OID = "2.16.840.1.113883.4.1"
# Fixed, not today: the age of a patient and the bytes of a document must not depend on the day of the run.
NOW = date(2025, 6, 1)

# ---------------------------------------------------------------- people

# Frequency per 100,000 in rough proportion to the 2010 census; the tail stands for the many rare names.
FAMILIES = {
    "Smith": 828, "Johnson": 655, "Williams": 551, "Brown": 487, "Jones": 483, "Garcia": 395, "Miller": 393,
    "Davis": 378, "Rodriguez": 371, "Martinez": 359, "Hernandez": 354, "Lopez": 297, "Gonzalez": 285, "Wilson": 272,
    "Anderson": 266, "Thomas": 256, "Taylor": 255, "Moore": 245, "Jackson": 240, "Martin": 238, "Lee": 235,
    "Perez": 231, "Thompson": 225, "White": 224, "Harris": 212, "Sanchez": 208, "Clark": 191, "Ramirez": 189,
    "Lewis": 180, "Robinson": 180, "Walker": 177, "Young": 164, "Allen": 164, "King": 158, "Wright": 156,
    "Scott": 149, "Torres": 148, "Nguyen": 148, "Hill": 147, "Flores": 145, "Green": 145, "Adams": 144, "Nelson": 144,
    "Baker": 142, "Hall": 138, "Rivera": 133, "Campbell": 131, "Mitchell": 130, "Carter": 128, "Roberts": 127,
    "Patel": 78, "Kim": 89, "O'Brien": 41, "O'Connor": 24, "McDonald": 49, "MacLeod": 6, "Muñoz": 46, "Nuñez": 20,
    "De la Cruz": 30, "Van Dyke": 6, "St. John": 5, "Chang": 21, "Singh": 25, "Ibrahim": 7, "Müller": 3,
    "Szymanski": 5, "Okafor": 4, "Nakamura": 4, "Johansson": 2, "D'Angelo": 6, "Featherstonehaugh": 1, "Li": 20,
    "Begay": 6, "Kealoha": 2, "Nez": 3, "Abernathy": 8, "Quackenbush": 2, "Zwicker": 1, "Thistlewood": 1, "Ng": 9,
}
GIVEN = {
    "female": {
        "Mary": 260, "Patricia": 150, "Jennifer": 147, "Linda": 145, "Elizabeth": 140, "Barbara": 125, "Susan": 105,
        "Jessica": 104, "Sarah": 98, "Karen": 95, "Lisa": 94, "Nancy": 92, "Ashley": 83, "Emily": 82, "Maria": 80,
        "Sandra": 78, "Margaret": 77, "Kimberly": 77, "Donna": 70, "Michelle": 70, "Carol": 66, "Amanda": 66,
        "Olivia": 42, "Emma": 45, "Sophia": 40, "Guadalupe": 12, "Thuy": 4, "Aaliyah": 10, "Priya": 4, "Zoë": 3,
        "María José": 2, "Anne-Marie": 3, "Leilani": 2, "Wilhelmina": 1, "Xiu": 1, "Catherine": 51, "Katherine": 49,
    },
    "male": {
        "James": 330, "Robert": 305, "John": 300, "Michael": 290, "David": 240, "William": 235, "Richard": 160,
        "Joseph": 155, "Thomas": 140, "Christopher": 138, "Charles": 130, "Daniel": 128, "Matthew": 120,
        "Anthony": 105, "Mark": 100, "Donald": 95, "Steven": 90, "Andrew": 88, "Paul": 80, "Joshua": 80,
        "Kenneth": 75, "Kevin": 72, "Brian": 72, "Liam": 30, "Noah": 32, "José": 45, "Juan": 40, "Luis": 38,
        "Jesús": 18, "Wei": 3, "Mohammed": 8, "Raj": 3, "Björn": 1, "Kwame": 2, "Ezekiel": 5, "Barnaby": 1, "Jon": 12,
    },
}
MIDDLE = ["Ann", "Marie", "Lynn", "Lee", "James", "Rose", "Allen", "Jo", "Grace", "Ray", "A", "J", "M", "R", "Lou"]
SUFFIXES = {"Jr.": 6, "Sr.": 2, "III": 2, "II": 1}
STREETS = ["Maple", "Oak", "Cedar", "Second", "Third", "Main", "Lantern", "Quarry", "Heron", "Orchard", "Mill",
           "Juniper", "Bluebird", "Cannery", "Foxglove", "Prairie", "Ferry", "Old Station", "Windmill", "Larkspur"]
STREET_KINDS = {"Street": 8, "Avenue": 6, "Road": 4, "Lane": 3, "Court": 2, "Drive": 4}
# Invented places with the telephone area and postal prefix of their state, so that both look right to a validator.
CITIES = [
    ("Fernhollow", "OR", "503", "972"), ("Quillport", "OR", "541", "974"), ("Saltmarsh Bend", "WA", "206", "981"),
    ("Copperglen", "ID", "208", "837"), ("Larkmeadow", "NE", "402", "681"), ("New Thistle", "NE", "308", "688"),
    ("Pebblebrook Falls", "MN", "612", "554"), ("Marrowstone", "OH", "614", "432"), ("East Candlewick", "PA", "412", "152"),
    ("Dunmere", "NY", "518", "122"), ("Halcyon Springs", "TX", "512", "787"), ("Port Verity", "FL", "305", "331"),
]
CITY_WEIGHTS = [24, 6, 14, 4, 9, 2, 8, 7, 5, 6, 10, 5]


def drawn(rng, weighted):
    """One key of a name -> frequency table."""
    return rng.choices(list(weighted), weights=weighted.values())[0]


def birth_date(rng):
    """Ages of a clinic: few children, most between 18 and 65, some above 90."""
    low, high = rng.choices([(0, 17), (18, 39), (40, 64), (65, 84), (85, 99)], weights=[12, 34, 34, 17, 3])[0]
    return NOW - timedelta(days=rng.randint(low * 365 + 5, high * 365 + 364))


def home_address(rng):
    city, state, area, postal = rng.choices(CITIES, weights=CITY_WEIGHTS)[0]
    lines = [f"{rng.randint(1, 9899)} {rng.choice(STREETS)} {drawn(rng, STREET_KINDS)}"]
    if rng.random() < 0.2:
        lines.append(f"Apt. {rng.randint(1, 40)}{rng.choice(['', 'A', 'B', 'C'])}")
    address = {"use": "home", "line": lines, "city": city, "state": state,
               "postalCode": f"{postal}{rng.randint(1, 99):02d}", "country": "US"}
    return address, area


def family_name(rng):
    family = drawn(rng, FAMILIES)
    if rng.random() < 0.02:
        return f"{family}-{drawn(rng, FAMILIES)}"
    return family


def given_names(rng, sex):
    given = [drawn(rng, GIVEN[sex])]
    if rng.random() < 0.55:
        given.append(rng.choice(MIDDLE))
    return given


def telephone(rng, area):
    return f"+1-{area}-555-01{rng.randint(0, 99):02d}"


def social_security_number(rng, taken):
    """900-999 with a middle below 50: neither a number of a person nor one of a taxpayer (ITIN)."""
    while True:
        number = f"9{rng.randint(0, 99):02d}-{rng.randint(1, 49):02d}-{rng.randint(1, 9999):04d}"
        if number not in taken:
            taken.add(number)
            return number


class Population:
    """Draws patients one by one and remembers what must not come twice."""

    def __init__(self, seed, assigning_authority):
        self._rng = random.Random(f"patients {seed}")
        self._seed = seed
        self._assigning_authority = assigning_authority
        self._people, self._numbers = set(), set()
        self._household = None

    def patient(self, index):
        while True:
            person = self._person()
            identity = (tuple(person["name"][0]["given"]), person["name"][0]["family"], person["birthDate"])
            if identity not in self._people:
                self._people.add(identity)
                return self._with_identifiers(person, index)

    def _person(self):
        rng = self._rng
        sex = rng.choice(["female", "male"])
        # Families share a name and a home, which is what makes matching on address and family name go wrong.
        if self._household and rng.random() < 0.2:
            family, (address, area) = self._household
        else:
            self._household = family, (address, area) = family_name(rng), home_address(rng)
        name = {"use": "official", "family": family, "given": given_names(rng, sex)}
        if sex == "male" and rng.random() < 0.05:
            name["suffix"] = [drawn(rng, SUFFIXES)]
        telecom = [{"system": "phone", "value": telephone(rng, area), "use": rng.choice(["home", "mobile"])}]
        if rng.random() < 0.4:
            telecom.append({"system": "email", "value": f"person{rng.randint(1000, 999999)}@example.org"})
        gender = rng.choices([sex, "other", "unknown"], weights=[97, 2, 1])[0]
        return {"name": [name], "telecom": telecom, "gender": gender, "birthDate": birth_date(rng).isoformat(),
                "address": [address]}

    def _with_identifiers(self, person, index):
        identifiers = [{"use": "usual", "system": f"urn:oid:{self._assigning_authority}", "value": f"S{self._seed}-{index:07d}"}]
        if self._rng.random() < 0.6:
            identifiers.append({"use": "official", "system": SSN_SYSTEM,
                                "value": social_security_number(self._rng, self._numbers)})
        # HTEST: test health data, so that a record that strays into a real system can be told from real ones.
        tag = {"system": "http://terminology.hl7.org/CodeSystem/v3-ActReason", "code": "HTEST"}
        return {"resourceType": "Patient", "id": f"synthetic-{self._seed}-{index:07d}", "meta": {"tag": [tag]},
                "identifier": identifiers, "active": True, **person}


def patients(count, seed, assigning_authority=ASSIGNING_AUTHORITY):
    """Yields `count` FHIR Patients; the first n of a longer run are those of a shorter one."""
    population = Population(seed, assigning_authority)
    for index in range(1, count + 1):
        yield population.patient(index)


# ---------------------------------------------------------------- what a chart says

# (name, SNOMED CT, ICD-10-CM, frequency, substance use)
PROBLEMS = [
    ("Major depressive disorder, recurrent", "66344007", "F33.1", 22, False),
    ("Generalized anxiety disorder", "21897009", "F41.1", 20, False),
    ("Posttraumatic stress disorder", "47505003", "F43.10", 11, False),
    ("Bipolar disorder", "13746004", "F31.9", 7, False),
    ("Panic disorder", "371631005", "F41.0", 6, False),
    ("Attention deficit hyperactivity disorder", "406506008", "F90.9", 9, False),
    ("Obsessive-compulsive disorder", "191736004", "F42.9", 3, False),
    ("Schizoaffective disorder", "68890003", "F25.9", 2, False),
    ("Insomnia", "193462001", "G47.00", 10, False),
    ("Opioid dependence", "75544000", "F11.20", 5, True),
    ("Alcohol dependence", "66590003", "F10.20", 6, True),
    ("Essential hypertension", "59621000", "I10", 14, False),
    ("Type 2 diabetes mellitus", "44054006", "E11.9", 9, False),
    ("Asthma", "195967001", "J45.909", 7, False),
    ("Hypothyroidism", "40930008", "E03.9", 5, False),
    ("Hyperlipidemia", "55822004", "E78.5", 9, False),
    ("Gastroesophageal reflux disease", "235595009", "K21.9", 6, False),
    ("Low back pain", "279039007", "M54.50", 7, False),
]
CHILD_PROBLEMS = {"Generalized anxiety disorder", "Attention deficit hyperactivity disorder", "Insomnia", "Asthma"}
MEDICATIONS = [
    ("Sertraline 50 mg oral tablet", "1 tablet by mouth every morning"),
    ("Escitalopram 10 mg oral tablet", "1 tablet by mouth once a day"),
    ("Bupropion XL 150 mg oral tablet", "1 tablet by mouth every morning"),
    ("Trazodone 50 mg oral tablet", "1 tablet by mouth at bedtime as needed for sleep"),
    ("Lithium carbonate 300 mg oral capsule", "1 capsule by mouth two times a day with food"),
    ("Quetiapine 100 mg oral tablet", "1 tablet by mouth at bedtime"),
    ("Prazosin 1 mg oral capsule", "1 capsule by mouth at bedtime for nightmares"),
    ("Hydroxyzine 25 mg oral tablet", "1 tablet by mouth every 6 hours as needed for anxiety"),
    ("Lisinopril 10 mg oral tablet", "1 tablet by mouth once a day"),
    ("Metformin 500 mg oral tablet", "1 tablet by mouth two times a day with meals"),
    ("Albuterol 90 mcg inhaler", "2 puffs every 4 hours as needed for wheezing"),
    ("Levothyroxine 50 mcg oral tablet", "1 tablet by mouth every morning before food"),
    ("Atorvastatin 20 mg oral tablet", "1 tablet by mouth every evening"),
]
ALLERGIES = [("Penicillin", "Hives", "Moderate"), ("Sulfonamide", "Rash", "Mild"), ("Peanut", "Anaphylaxis", "Severe"),
             ("Latex", "Contact dermatitis", "Mild"), ("Codeine", "Nausea", "Mild"), ("Bee venom", "Swelling", "Moderate")]
# (name, LOINC, unit, low, high of the reference range, decimals)
RESULTS = [
    ("Sodium", "2951-2", "mmol/L", 135, 145, 0), ("Potassium", "2823-3", "mmol/L", 3.5, 5.1, 1),
    ("Creatinine", "2160-0", "mg/dL", 0.6, 1.2, 2), ("Glucose", "2345-7", "mg/dL", 70, 99, 0),
    ("Hemoglobin A1c", "4548-4", "%", 4.0, 5.6, 1), ("Thyrotropin", "3016-3", "m[IU]/L", 0.4, 4.5, 2),
    ("Hemoglobin", "718-7", "g/dL", 12.0, 16.0, 1), ("Lithium", "14334-7", "mmol/L", 0.6, 1.2, 2),
]
VITAL_SIGNS = [
    ("Systolic blood pressure", "8480-6", "mm[Hg]", 104, 148), ("Diastolic blood pressure", "8462-4", "mm[Hg]", 62, 94),
    ("Heart rate", "8867-4", "/min", 56, 98), ("Body weight", "29463-7", "kg", 52, 112),
    ("Respiratory rate", "9279-1", "/min", 12, 20), ("Oxygen saturation", "59408-5", "%", 94, 100),
]
IMMUNIZATIONS = [("Influenza, seasonal, injectable", "141"), ("COVID-19, mRNA", "308"), ("Tdap", "115"),
                 ("Hepatitis B, adult", "43"), ("Pneumococcal conjugate PCV20", "216"), ("Zoster recombinant", "187")]
PLANS = ["Continue weekly cognitive behavioral therapy", "Repeat PHQ-9 and GAD-7 at the next visit",
         "Basic metabolic panel before the next visit", "Safety plan reviewed; copy given to the patient",
         "Referral to the sleep clinic", "Follow-up with the prescriber", "Peer support group on Thursdays",
         "Reduce caffeine; sleep diary for two weeks", "Primary care visit for blood pressure"]
VISITS = [("Office visit", "99213"), ("Office visit, extended", "99214"), ("Psychotherapy, 45 minutes", "90834"),
          ("Psychiatric diagnostic evaluation", "90792")]
CLINICIANS = [("Imogen", "Testwright", "MD"), ("Casimir", "Placeholder", "PhD"), ("Oriel", "Samplesworth", "PMHNP"),
              ("Tobias", "Mockingham", "LCSW"), ("Henrietta", "Dummett", "DO")]
CLINICS = ["Riverbend Behavioral Health (invented)", "Fernhollow Community Clinic (invented)",
           "Quillport Counseling Center (invented)"]

# ---------------------------------------------------------------- C-CDA

NS = "urn:hl7-org:v3"
XSI = "http://www.w3.org/2001/XMLSchema-instance"
LOINC, SNOMED, ICD10, CVX = "2.16.840.1.113883.6.1", "2.16.840.1.113883.6.96", "2.16.840.1.113883.6.90", "2.16.840.1.113883.12.292"
CPT, ACT_CODE = "2.16.840.1.113883.6.12", "2.16.840.1.113883.5.4"
ADMINISTRATIVE_GENDER = {"male": ("M", "Male"), "female": ("F", "Female"), "other": ("UN", "Undifferentiated")}

ET.register_namespace("", NS)
ET.register_namespace("xsi", XSI)


def el(tag, *children, **attributes):
    """An element of CDA; children are elements or text, `xsi_type` stands for xsi:type, None is left out."""
    kind = attributes.pop("xsi_type", None)
    element = ET.Element(f"{{{NS}}}{tag}", {name: value for name, value in attributes.items() if value is not None})
    if kind:
        element.set(f"{{{XSI}}}type", kind)
    for child in children:
        if isinstance(child, str):
            element.text = (element.text or "") + child
        elif child is not None:
            element.append(child)
    return element


def template(root, extension=None):
    return el("templateId", root=f"2.16.840.1.113883.10.20.22.{root}", extension=extension)


def code(value, system, name, tag="code", **more):
    return el(tag, code=value, codeSystem=system, displayName=name, **more)


def day(when):
    return when.strftime("%Y%m%d")


def moment(when):
    return when.strftime("%Y%m%d%H%M%S-0500")


def named_uuid(*parts):
    return str(uuid.uuid5(uuid.NAMESPACE_URL, "https://example.org/synthetic/" + "/".join(map(str, parts))))


class Chart:
    """One visit of one patient: everything drawn at random for a document, before any XML is written."""

    def __init__(self, patient, index, seed):
        self.key = (seed, patient["id"], index)
        rng = self.rng = random.Random("ccda " + " ".join(map(str, self.key)))
        born = date.fromisoformat(patient["birthDate"])
        earliest = max(born, NOW - timedelta(days=900))
        self.visit = datetime.combine(earliest, datetime.min.time()) + timedelta(
            days=rng.randint(0, (NOW - earliest).days), hours=rng.randint(8, 16), minutes=rng.choice([0, 15, 30, 45]))
        self.visit_kind = rng.choice(VISITS)
        self.clinician = rng.choice(CLINICIANS)
        self.clinic = rng.choice(CLINICS)
        self.born = born
        self.problems = self._problems()
        self.medications = [(*row, self.past(1500), rng.random() < 0.85) for row in rng.sample(MEDICATIONS, rng.randint(1, 5))]
        self.allergies = rng.sample(ALLERGIES, rng.choices([0, 1, 2, 3], weights=[4, 4, 2, 1])[0])
        self.results = [(self.past(700), rng.sample(RESULTS, rng.randint(3, 6))) for _ in range(rng.randint(1, 3))]
        self.vital_signs = [self.visit.date()] + sorted((self.past(500) for _ in range(rng.randint(1, 3))), reverse=True)
        self.immunizations = [(*row, self.past(3000)) for row in rng.sample(IMMUNIZATIONS, rng.randint(1, 4))]
        self.plans = rng.sample(PLANS, rng.randint(2, 5))

    def past(self, days):
        """A day before the visit, but not before birth."""
        span = min(days, (self.visit.date() - self.born).days)
        return self.visit.date() - timedelta(days=self.rng.randint(0, max(span, 0)))

    def _problems(self):
        child = (self.visit.date() - self.born).days < 15 * 365
        pool = [problem for problem in PROBLEMS if not child or problem[0] in CHILD_PROBLEMS]
        rows = []
        for _ in range(self.rng.randint(2, min(6, len(pool)))):
            row = self.rng.choices(pool, weights=[problem[3] for problem in pool])[0]
            pool.remove(row)
            rows.append((row, self.past(4000), self.rng.random() < 0.8))
        return rows

    def mentions_substance_use(self):
        return any(row[4] for row, _, _ in self.problems)


def person_name(given, family, suffix=()):
    return el("name", *[el("given", name) for name in given], el("family", family), *[el("suffix", s) for s in suffix])


def clinic_address():
    return el("addr", el("streetAddressLine", "100 Example Plaza"), el("city", "Fernhollow"), el("state", "OR"),
              el("postalCode", "97201"), el("country", "US"), use="WP")


def clinic_phone():
    return el("telecom", value="tel:+1-503-555-0100", use="WP")


def patient_ids(patient):
    for identifier in patient["identifier"]:
        root = SSN_OID if identifier["system"] == SSN_SYSTEM else identifier["system"].removeprefix("urn:oid:")
        yield el("id", root=root, extension=identifier["value"])


def patient_telecoms(patient):
    uses = {"home": "HP", "mobile": "MC", "work": "WP"}
    for telecom in patient.get("telecom", []):
        scheme = "mailto:" if telecom["system"] == "email" else "tel:"
        yield el("telecom", value=scheme + telecom["value"], use=uses.get(telecom.get("use")))


def record_target(patient):
    name, address = patient["name"][0], patient["address"][0]
    gender = ADMINISTRATIVE_GENDER.get(patient["gender"])
    return el("recordTarget", el(
        "patientRole",
        *patient_ids(patient),
        el("addr", *[el("streetAddressLine", line) for line in address["line"]], el("city", address["city"]),
           el("state", address["state"]), el("postalCode", address["postalCode"]), el("country", address["country"]), use="HP"),
        *patient_telecoms(patient),
        el("patient",
           person_name(name["given"], name["family"], name.get("suffix", ())),
           code(gender[0], "2.16.840.1.113883.5.1", gender[1], "administrativeGenderCode") if gender
           else el("administrativeGenderCode", nullFlavor="UNK"),
           el("birthTime", value=patient["birthDate"].replace("-", "")),
           el("raceCode", nullFlavor="ASKU"), el("ethnicGroupCode", nullFlavor="ASKU"),
           el("languageCommunication", el("languageCode", code="en")))))


def clinician_id(chart):
    return el("id", root=PROVIDERS, extension=chart.clinician[1].lower())


def clinician_person(chart):
    given, family, credential = chart.clinician
    return el("assignedPerson", person_name([given], family, [credential]))


def assigned_entity(chart):
    return el("assignedEntity", clinician_id(chart), clinic_address(), clinic_phone(), clinician_person(chart))


def author(chart):
    return el("author", el("time", value=moment(chart.visit)), el(
        "assignedAuthor", clinician_id(chart), clinic_address(), clinic_phone(), clinician_person(chart),
        el("representedOrganization", el("id", root=CUSTODIAN), el("name", chart.clinic), clinic_phone(), clinic_address())))


def custodian(chart):
    return el("custodian", el("assignedCustodian", el(
        "representedCustodianOrganization", el("id", root=CUSTODIAN), el("name", chart.clinic), clinic_phone(), clinic_address())))


def legal_authenticator(chart):
    return el("legalAuthenticator", el("time", value=moment(chart.visit + timedelta(hours=1))),
              el("signatureCode", code="S"), assigned_entity(chart))


def documentation_of(chart):
    start = min([since for _, since, _ in chart.problems] + [chart.visit.date()])
    return el("documentationOf", el(
        "serviceEvent", el("effectiveTime", el("low", value=day(start)), el("high", value=day(chart.visit))),
        el("performer", assigned_entity(chart), typeCode="PRF"), classCode="PCPR"))


def component_of(chart):
    name, cpt = chart.visit_kind
    return el("componentOf", el(
        "encompassingEncounter", el("id", root=ENCOUNTERS, extension=named_uuid("encounter", *chart.key)),
        code(cpt, CPT, name),
        el("effectiveTime", el("low", value=moment(chart.visit)), el("high", value=moment(chart.visit + timedelta(minutes=45)))),
        el("location", el("healthCareFacility", el("location", el("name", chart.clinic), clinic_address())))))


# ---------------------------------------------------------------- sections

def table(headings, rows):
    return el("table", el("thead", el("tr", *[el("th", heading) for heading in headings])),
              el("tbody", *[el("tr", *[el("td", cell) for cell in row]) for row in rows]))


def section(root, extension, loinc, title, narrative, entries=()):
    return el("component", el("section", template(root, extension), code(loinc, LOINC, title), el("title", title),
                              el("text", *narrative), *entries))


def allergies(chart):
    rows = [(substance, reaction, severity, "Active") for substance, reaction, severity in chart.allergies]
    narrative = table(["Substance", "Reaction", "Severity", "Status"], rows) if rows else el("paragraph", "No known allergies.")
    return section("2.6", "2015-08-01", "48765-2", "Allergies and adverse reactions", [narrative])


def medications(chart):
    rows = [(name, directions, since.isoformat(), "Active" if active else "Stopped")
            for name, directions, since, active in chart.medications]
    return section("2.1", "2014-06-09", "10160-0", "Medications", [table(["Medication", "Directions", "Start", "Status"], rows)])


def problem_entry(chart, number, problem, since, active):
    """A Problem Concern Act around a Problem Observation. [C-CDA R2.1 §3.78, §3.79]"""
    name, snomed, icd, _, _ = problem
    observation = el(
        "observation", template("4.4", "2015-08-01"), el("id", root=named_uuid("problem", number, *chart.key)),
        code("64572001", SNOMED, "Condition"), el("statusCode", code="completed"),
        el("effectiveTime", el("low", value=day(since))),
        code(snomed, SNOMED, name, "value", xsi_type="CD"), classCode="OBS", moodCode="EVN")
    observation[-1].append(code(icd, ICD10, name, "translation"))
    return el("entry", el(
        "act", template("4.3", "2015-08-01"), el("id", root=named_uuid("concern", number, *chart.key)),
        el("code", code="CONC", codeSystem="2.16.840.1.113883.5.6"), el("statusCode", code="active" if active else "completed"),
        el("effectiveTime", el("low", value=day(since)), None if active else el("high", value=day(chart.visit))),
        el("entryRelationship", observation, typeCode="SUBJ"), classCode="ACT", moodCode="EVN"), typeCode="DRIV")


def problems(chart):
    rows = [(problem[0], problem[2], since.isoformat(), "Active" if active else "Resolved")
            for problem, since, active in chart.problems]
    entries = [problem_entry(chart, number, *row) for number, row in enumerate(chart.problems)]
    return section("2.5", "2015-08-01", "11450-4", "Problems", [table(["Problem", "ICD-10-CM", "Since", "Status"], rows)], entries)


def measurement(chart, kind, number, root, loinc, name, when, value, unit):
    return el("component", el(
        "observation", template(root, "2015-08-01" if root == "4.2" else "2014-06-09"),
        el("id", root=named_uuid(kind, number, loinc, *chart.key)), code(loinc, LOINC, name),
        el("statusCode", code="completed"), el("effectiveTime", value=day(when)),
        el("value", value=value, unit=unit, xsi_type="PQ"), classCode="OBS", moodCode="EVN"))


def result_value(rng, low, high, decimals):
    """Most values lie inside the reference range, some a little outside."""
    return f"{rng.uniform(low * 0.8, high * 1.2):.{decimals}f}"


def results(chart):
    rows, entries = [], []
    for number, (when, panel) in enumerate(chart.results):
        observations = []
        for name, loinc, unit, low, high, decimals in panel:
            value = result_value(chart.rng, low, high, decimals)
            flag = "Low" if float(value) < low else "High" if float(value) > high else ""
            rows.append((when.isoformat(), name, f"{value} {unit}", f"{low}–{high} {unit}", flag))
            observations.append(measurement(chart, "result", number, "4.2", loinc, name, when, value, unit))
        entries.append(el("entry", el(
            "organizer", template("4.1", "2015-08-01"), el("id", root=named_uuid("panel", number, *chart.key)),
            code("26436-6", LOINC, "Laboratory studies"), el("statusCode", code="completed"), *observations,
            classCode="BATTERY", moodCode="EVN"), typeCode="DRIV"))
    narrative = table(["Date", "Test", "Result", "Reference range", "Flag"], rows)
    return section("2.3", "2015-08-01", "30954-2", "Results", [narrative], entries)


def vital_signs(chart):
    rows, observations = [], []
    for number, when in enumerate(chart.vital_signs):
        values = [str(chart.rng.randint(low, high)) for _, _, _, low, high in VITAL_SIGNS]
        rows.append((when.isoformat(), *[f"{value} {sign[2]}" for value, sign in zip(values, VITAL_SIGNS)]))
        if number == 0:
            observations = [measurement(chart, "vital", number, "4.27", sign[1], sign[0], when, value, sign[2])
                            for value, sign in zip(values, VITAL_SIGNS)]
    organizer = el("organizer", template("4.26", "2015-08-01"), el("id", root=named_uuid("vitals", *chart.key)),
                   code("46680005", SNOMED, "Vital signs"), el("statusCode", code="completed"),
                   el("effectiveTime", value=day(chart.vital_signs[0])), *observations, classCode="CLUSTER", moodCode="EVN")
    narrative = table(["Date", *[sign[0] for sign in VITAL_SIGNS]], rows)
    return section("2.4", "2015-08-01", "8716-3", "Vital signs", [narrative], [el("entry", organizer, typeCode="DRIV")])


def immunizations(chart):
    rows = [(name, f"CVX {cvx}", when.isoformat(), "Completed") for name, cvx, when in chart.immunizations]
    return section("2.2", "2015-08-01", "11369-6", "Immunizations", [table(["Vaccine", "Code", "Date", "Status"], rows)])


def plan(chart, marker):
    narrative = [el("paragraph", marker)] if marker else []
    rows = [(text, (chart.visit.date() + timedelta(days=chart.rng.randint(7, 60))).isoformat()) for text in chart.plans]
    return section("2.10", "2014-06-09", "18776-5", "Plan of treatment", [*narrative, table(["Planned", "By"], rows)])


def ccd(patient, index=0, seed=0, marker=None, label_substance_use=False):
    """The Continuity of Care Document of a patient's visit number `index`, as an element. [C-CDA R2.1 §1.1, §1.2.5]

    `label_substance_use` gives documents that mention substance use the label R, as a Part 2 program would.
    """
    chart = Chart(patient, index, seed)
    label = "R" if label_substance_use and chart.mentions_substance_use() else "N"
    parts = [allergies(chart), medications(chart), problems(chart), results(chart), vital_signs(chart),
             immunizations(chart), plan(chart, marker)]
    return el(
        "ClinicalDocument", el("realmCode", code="US"), el("typeId", root="2.16.840.1.113883.1.3", extension="POCD_HD000040"),
        template("1.1", "2015-08-01"), template("1.1"), template("1.2", "2015-08-01"), template("1.2"),
        el("id", root=named_uuid("document", *chart.key)),
        code("34133-9", LOINC, "Summarization of Episode Note"),
        el("title", f"Continuity of Care Document, visit of {chart.visit:%Y-%m-%d}"),
        el("effectiveTime", value=moment(chart.visit + timedelta(hours=1))),
        el("confidentialityCode", code=label, codeSystem="2.16.840.1.113883.5.25"), el("languageCode", code="en-US"),
        record_target(patient), author(chart), custodian(chart), legal_authenticator(chart), documentation_of(chart),
        component_of(chart), el("component", el("structuredBody", *parts)))


def xml_bytes(document):
    # Line ends without indentation: readable in a diff, at the size of what real systems send.
    ET.indent(document, space="")
    return ET.tostring(document, encoding="UTF-8", xml_declaration=True) + b"\n"


# ---------------------------------------------------------------- command line

def write_patients(arguments):
    for patient in patients(arguments.count, arguments.seed, arguments.assigning_authority):
        sys.stdout.write(json.dumps(patient, ensure_ascii=False, separators=(",", ":")) + "\n")


def write_documents(arguments):
    arguments.out.mkdir(parents=True, exist_ok=True)
    with arguments.patients.open(encoding="utf-8") as lines:
        for patient in map(json.loads, filter(str.strip, lines)):
            for index in range(arguments.per_patient):
                document = ccd(patient, index, arguments.seed, arguments.marker, arguments.label_substance_use)
                (arguments.out / f"{patient['id']}-{index + 1}.xml").write_bytes(xml_bytes(document))


def parsed(argv):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)

    people = commands.add_parser("patients", help="write FHIR R4 Patients as NDJSON to standard output")
    people.add_argument("--count", type=int, required=True)
    people.add_argument("--seed", type=int, required=True)
    people.add_argument("--assigning-authority", default=ASSIGNING_AUTHORITY, metavar="OID")
    people.set_defaults(run=write_patients)

    documents = commands.add_parser("ccda", help="write C-CDA documents, one file each")
    documents.add_argument("--patients", type=Path, required=True, metavar="FILE.ndjson")
    documents.add_argument("--out", type=Path, required=True, metavar="DIR")
    documents.add_argument("--per-patient", type=int, default=1, metavar="K")
    documents.add_argument("--seed", type=int, default=0)
    documents.add_argument("--marker", metavar="TEXT", help="a paragraph to look for in the rendered page")
    documents.add_argument("--label-substance-use", action="store_true",
                           help="label documents that mention substance use as restricted (R)")
    documents.set_defaults(run=write_documents)
    return parser.parse_args(argv)


def main(argv=None):
    # The output is UTF-8 whatever the terminal says; the names have accents.
    sys.stdout.reconfigure(encoding="utf-8", newline="\n")
    arguments = parsed(argv)
    arguments.run(arguments)


if __name__ == "__main__":
    main()
