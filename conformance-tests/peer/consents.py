"""What patients and staff say beyond purposes, by the program's commands: consents, labels of documents, rules of the
clinic; and what a partner then finds."""

from .gateway import PATHS
from .town import RIVERSIDE

STAFF = ("--by", "Olga Staff", "--as", "staff", "--basis", "asked at the desk")


def give(town, patient, *words, gateway=None, by=STAFF):
    """@param words  options of `consent give`. @return the consent's id"""
    return (gateway or town.gateway).json("consent", "give", patient.mrn, *words, *by)["id"]


def permit(town, patient, label, *words, to=RIVERSIDE, purpose="treatment", **options):
    """A consent that names label, purpose and recipient. @return its id"""
    return give(town, patient, "--label", label, "--purpose", purpose, "--to", to, *words, **options)


def revoke(town, patient, consent, gateway=None):
    (gateway or town.gateway).command("consent", "revoke", patient.mrn, consent, *STAFF)


def set_up(town, *assignments, gateway=None):
    """`set_up(town, "gate=HIV")`"""
    (gateway or town.gateway).command("settings", "set", *assignments, "--by", "Dana Admin")


def label(town, document, *words, gateway=None):
    """`label(town, DOCUMENT, "--add", "V")`"""
    (gateway or town.gateway).command("document", "label", document.unique_id, *words, "--by", "Records Office",
                                      "--reason", "looked at again")


# ---------------------------------------------------------------- what a partner finds

def outcome(town, patient, sender=None, **how):
    """ITI-55's outcome code."""
    message = (sender or town.sender()).patient_discovery(patient)
    return town.ask(message, path=PATHS["ITI-55"], **how).discovery.query_response


def listed(town, patient, sender=None, **how):
    """Unique ids of ITI-38."""
    answer = town.ask(town.find_documents(patient, sender), **how).query
    return {entry.unique_id for entry in answer.entries}


def retrieved(town, *documents, sender=None, **how):
    """Unique ids of ITI-39."""
    message = town.retrieve(*(document.unique_id for document in documents), sender=sender)
    return {given.unique_id for given in town.ask(message, path=PATHS["ITI-39"], **how).retrieve.documents}


def given(town, document, sender=None, **how):
    """Whether a document is listed and retrieved; both say the same."""
    found = document.unique_id in listed(town, document.patient, sender, **how)
    assert retrieved(town, document, sender=sender, **how) == ({document.unique_id} if found else set())
    return found


def decision(town, message):
    """The decision record of a request, its payload."""
    request = town.gateway.audit_of(message.message_id)[0]["request"]
    return [row for row in town.gateway.audit(kind="decision", limit=400) if row["request"] == request][-1]["payload"]


def refusals(town, message):
    """The reasons for which anything was withheld from a request, one for each resource: of the first gate that
    refuses."""
    found = [[finding["reason"] for finding in verdict["findings"] if finding["reason"] != "permitted"]
             for verdict in decision(town, message)["verdicts"]]
    return {reasons[0] for reasons in found if reasons}
