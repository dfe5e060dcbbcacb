"""Purposes decide what leaves: the clinic's defaults, the patient's own choice, and a changed mind on the very next
request. [design §4: gates purpose and choice]"""

import pytest

from peer.gateway import PATHS
from peer.names import ACT_REASON, NHIN_PURPOSES
from peer.town import QUILL, TEST_PATIENT, riverside

pytestmark = pytest.mark.both_databases

CODES = {"treatment": "TREATMENT", "payment": "PAYMENT", "operations": "OPERATIONS", "public-health": "PUBLICHEALTH",
         "patient-request": "REQUEST"}


@pytest.fixture(autouse=True)
def as_it_was(town):
    yield
    town.defaults("treatment")
    for patient in (QUILL, TEST_PATIENT):
        town.forget_choice(patient)


def outcome(town, patient, sender, connection=None):
    """ITI-55's outcome code for a patient."""
    message = sender.patient_discovery(patient)
    return town.ask(message, path=PATHS["ITI-55"], connection=connection).discovery.query_response


def asking(town, *codes, system=NHIN_PURPOSES):
    sender = town.sender()
    return sender.but(token=sender.token.but(purposes=tuple((system, code) for code in codes)))


class TestTheClinicsDefaults:
    @pytest.mark.parametrize("purpose", CODES)
    def test_permit_the_purposes_they_name_and_no_other(self, town, purpose):
        town.defaults(purpose)
        for other, code in CODES.items():
            assert outcome(town, QUILL, asking(town, code)) == ("OK" if other == purpose else "NF")

    def test_none_of_them_makes_the_clinic_opt_in(self, town):
        town.defaults()
        assert outcome(town, QUILL, asking(town, "TREATMENT")) == "NF"
        town.choose(QUILL, "treatment")
        assert outcome(town, QUILL, asking(town, "TREATMENT")) == "OK"
        assert outcome(town, TEST_PATIENT, asking(town, "TREATMENT")) == "NF"

    def test_are_the_current_ones_for_whoever_made_no_choice(self, town):
        assert outcome(town, QUILL, asking(town, "PAYMENT")) == "NF"
        town.defaults("treatment", "payment")
        assert outcome(town, QUILL, asking(town, "PAYMENT")) == "OK"


class TestThePatientsChoice:
    def test_replaces_the_defaults_entirely(self, town):
        town.choose(QUILL, "payment")
        assert outcome(town, QUILL, asking(town, "PAYMENT")) == "OK"
        assert outcome(town, QUILL, asking(town, "TREATMENT")) == "NF"

    def test_of_nothing_permits_nothing(self, town):
        town.defaults(*CODES)
        town.choose(QUILL)
        assert {outcome(town, QUILL, asking(town, code)) for code in CODES.values()} == {"NF"}

    def test_does_not_move_with_the_defaults(self, town):
        town.choose(QUILL, "treatment")
        town.defaults("payment")
        assert outcome(town, QUILL, asking(town, "TREATMENT")) == "OK"
        assert outcome(town, QUILL, asking(town, "PAYMENT")) == "NF"

    def test_taken_back_leaves_the_defaults(self, town):
        town.choose(QUILL)
        town.forget_choice(QUILL)
        assert outcome(town, QUILL, asking(town, "TREATMENT")) == "OK"

    def test_is_the_reason_in_the_audit(self, town):
        town.choose(QUILL, "payment")
        message = town.sender().patient_discovery(QUILL)
        town.ask(message, path=PATHS["ITI-55"])
        assert [row["reason"] for row in town.gateway.audit_of(message.message_id)] == ["patient-purpose"]

    def test_is_what_the_command_said_it_would_be(self, town):
        town.choose(QUILL, "payment")
        asked = ("policy", "decide", "--patient", QUILL.mrn, "--home", town.sender().token.home, "--purpose")
        assert town.gateway.json(*asked, "PAYMENT")["verdict"] == "permit"
        denied = town.gateway.command(*asked, "TREATMENT", "--json", exit=1).json
        assert (denied["verdict"], denied["reason"]) == ("deny", "patient-purpose")


class TestAChangedMind:
    def test_counts_on_the_next_request_of_an_open_connection(self, town):
        sender = town.sender()
        with town.gateway.connect(riverside().tls) as connection:
            assert outcome(town, QUILL, sender, connection) == "OK"
            for _ in range(3):
                town.choose(QUILL)
                assert outcome(town, QUILL, sender, connection) == "NF"
                town.choose(QUILL, "treatment")
                assert outcome(town, QUILL, sender, connection) == "OK"

    def test_counts_between_query_and_retrieve(self, town):
        with town.gateway.connect(riverside().tls) as connection:
            listed = town.ask(town.find_documents(QUILL), connection=connection).query
            assert len(listed.entries) == 2
            town.choose(QUILL)
            unique_id = listed.entries[0].unique_id
            answer = town.ask(town.retrieve(unique_id), connection=connection, path=PATHS["ITI-39"]).retrieve
            assert (answer.documents, [e.code for e in answer.errors]) == ((), ["XDSDocumentUniqueIdError"])


class TestThePurposeOfTheToken:
    def test_counts_by_code_and_code_system(self, town):
        assert outcome(town, QUILL, asking(town, "TREAT", system=ACT_REASON)) == "OK"
        assert outcome(town, QUILL, asking(town, "TREATMENT", system=ACT_REASON)) == "AE"
        assert outcome(town, QUILL, asking(town, "treatment")) == "AE"

    def test_must_be_permitted_each_where_there_are_several(self, town):
        assert outcome(town, QUILL, asking(town, "TREATMENT", "PAYMENT")) == "NF"
        town.defaults("treatment", "payment")
        assert outcome(town, QUILL, asking(town, "TREATMENT", "PAYMENT")) == "OK"

    def test_is_never_treatment_by_default(self, town):
        message = asking(town).patient_discovery(QUILL)
        answer = town.ask(message, path=PATHS["ITI-55"])
        assert (answer.status, answer.fault.code) == (400, "Sender")
        assert [row["reason"] for row in town.gateway.audit_of(message.message_id)][0] in ("purpose-missing",
                                                                                           "attribute-missing")

    def test_is_read_from_the_older_element_too(self, town):
        sender = town.sender()
        assert outcome(town, QUILL, sender.but(token=sender.token.but(purpose_element="PurposeForUse"))) == "OK"

    def test_emergency_is_no_purpose_of_ours(self, town):
        assert outcome(town, QUILL, asking(town, "EMERGENCY")) == "AE"

    def test_coverage_needs_a_reference_to_an_authorization(self, town):
        town.choose(QUILL, "coverage")
        assert outcome(town, QUILL, asking(town, "COVERAGE")) != "OK"
        sender = asking(town, "COVERAGE")
        assert outcome(town, QUILL, sender.but(token=sender.token.but(references=("urn:oid:2.999.5.1",)))) == "OK"
