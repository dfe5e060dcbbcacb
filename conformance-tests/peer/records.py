"""Synthetic patients and documents to load into a gateway: FHIR R4 Patients and small C-CDA documents."""

import json
from dataclasses import dataclass, replace
from xml.sax.saxutils import escape, quoteattr

CONFIDENTIALITY, ACT_CODE = "2.16.840.1.113883.5.25", "2.16.840.1.113883.5.4"
FHIR_GENDER = {"M": "male", "F": "female", "UN": "other"}


@dataclass(frozen=True)
class Patient:
    """A person as a record describes one and as a query looks for one. `birth` is YYYYMMDD."""
    mrn: str
    family: str
    given: str
    gender: str
    birth: str
    street: str = "12 Lantern Row"
    city: str = "Fernhollow"
    state: str = "OR"
    postal_code: str = "97201"
    telephone: str = "+1-503-555-0142"

    def but(self, **changes):
        return replace(self, **changes)


# Who production clients look for in every test environment.
TEST_PATIENT = Patient("PID-1", "NWHINZZZTESTPATIENT", "NWHINONE", "M", "19810101", "1100 Test Street", "Helena", "AL",
                       "35080", "+1-205-555-1234")


def fhir_patient(patient, assigning_authority):
    born = f"{patient.birth[:4]}-{patient.birth[4:6]}-{patient.birth[6:]}"
    return {
        "resourceType": "Patient", "id": patient.mrn.lower(),
        "identifier": [{"use": "usual", "system": f"urn:oid:{assigning_authority}", "value": patient.mrn}],
        "active": True,
        "name": [{"use": "official", "family": patient.family, "given": [patient.given]}],
        "telecom": [{"system": "phone", "value": patient.telephone, "use": "home"}],
        "gender": FHIR_GENDER[patient.gender], "birthDate": born,
        "address": [{"use": "home", "line": [patient.street], "city": patient.city, "state": patient.state,
                     "postalCode": patient.postal_code, "country": "US"}],
    }


def ndjson(patients, assigning_authority):
    return "".join(json.dumps(fhir_patient(p, assigning_authority)) + "\n" for p in patients)


@dataclass(frozen=True)
class Document:
    """A C-CDA document. `unique_id` is `root` or `root^extension`; `text` stands in its narrative. `header`, `section`
    and `entry` are labels written there, as pairs (code system, code); `author` is a code of the author's organization,
    `replaces` the unique id of the document it is a new version of."""
    unique_id: str
    patient: Patient
    created: str = "20230415093000+0000"
    title: str = "Continuity of Care Document"
    text: str = "Nothing of note."
    header: tuple = (CONFIDENTIALITY, "N")
    section: tuple = ()
    entry: tuple = ()
    author: tuple = ()
    replaces: str = ""  # unique ids with blanks between

    def but(self, **changes):
        return replace(self, **changes)


def _identifier(unique_id):
    root, _, extension = unique_id.partition("^")
    return f"root={quoteattr(root)}" + (f" extension={quoteattr(extension)}" if extension else "")


def _coded(element, pair):
    return f'<{element} code="{pair[1]}" codeSystem="{pair[0]}"/>' if pair else ""


def _wrote(document):
    return f"""
      <representedOrganization>
        <name>Where it was written</name>{_coded("standardIndustryClassCode", document.author)}
      </representedOrganization>""" if document.author else ""


def _markings(document):
    """Of the section and of an entry in it: there a privacy annotation. [HL7 DS4P CDA R1]"""
    section = "\n          " + _coded("confidentialityCode", document.section) if document.section else ""
    return section + (f"""
          <entry>
            <observation classCode="OBS" moodCode="EVN">
              <code code="SECCATOBS" codeSystem="{ACT_CODE}"/>
              <value xsi:type="CE" code="{document.entry[1]}" codeSystem="{document.entry[0]}"/>
            </observation>
          </entry>""" if document.entry else "")


def _parents(unique_ids):
    return "".join(f"""
  <relatedDocument typeCode="RPLC">
    <parentDocument><id {_identifier(unique_id)}/></parentDocument>
  </relatedDocument>""" for unique_id in unique_ids.split())


def ccda(document, assigning_authority):
    """@return the document's bytes"""
    patient = document.patient
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<ClinicalDocument xmlns="urn:hl7-org:v3" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
  <realmCode code="US"/>
  <typeId root="2.16.840.1.113883.1.3" extension="POCD_HD000040"/>
  <templateId root="2.16.840.1.113883.10.20.22.1.1" extension="2015-08-01"/>
  <templateId root="2.16.840.1.113883.10.20.22.1.2" extension="2015-08-01"/>
  <id {_identifier(document.unique_id)}/>
  <code code="34133-9" codeSystem="2.16.840.1.113883.6.1" displayName="Summarization of Episode Note"/>
  <title>{escape(document.title)}</title>
  <effectiveTime value="{document.created}"/>
  {_coded("confidentialityCode", document.header)}
  <languageCode code="en-US"/>
  <recordTarget>
    <patientRole>
      <id root="{assigning_authority}" extension={quoteattr(patient.mrn)}/>
      <addr use="HP">
        <streetAddressLine>{escape(patient.street)}</streetAddressLine><city>{escape(patient.city)}</city>
        <state>{patient.state}</state><postalCode>{patient.postal_code}</postalCode><country>US</country>
      </addr>
      <telecom value="tel:{patient.telephone}" use="HP"/>
      <patient>
        <name use="L"><given>{escape(patient.given)}</given><family>{escape(patient.family)}</family></name>
        <administrativeGenderCode code="{patient.gender}" codeSystem="2.16.840.1.113883.5.1"/>
        <birthTime value="{patient.birth}"/>
      </patient>
    </patientRole>
  </recordTarget>
  <author>
    <time value="{document.created}"/>
    <assignedAuthor>
      <id root="2.999.1.3" extension="17"/>
      <addr nullFlavor="NI"/>
      <telecom nullFlavor="NI"/>
      <assignedPerson><name><given>Ada</given><family>Quill</family></name></assignedPerson>{_wrote(document)}
    </assignedAuthor>
  </author>
  <custodian>
    <assignedCustodian>
      <representedCustodianOrganization>
        <id root="2.999.1.2"/>
        <name>Hill Valley Behavioral Health</name>
        <telecom nullFlavor="NI"/>
        <addr nullFlavor="NI"/>
      </representedCustodianOrganization>
    </assignedCustodian>
  </custodian>{_parents(document.replaces)}
  <component>
    <structuredBody>
      <component>
        <section>
          <code code="10164-2" codeSystem="2.16.840.1.113883.6.1"/>
          <title>History</title>
          <text><paragraph>{escape(document.text)}</paragraph></text>{_markings(document)}
        </section>
      </component>
    </structuredBody>
  </component>
</ClinicalDocument>
""".encode()
