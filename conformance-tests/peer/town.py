"""A gateway with partners, patients and documents: what most tests start from.

The clinic bears the home community that the production client's requests name, so that they too find their patient.
"""

from dataclasses import dataclass
from functools import lru_cache

from . import ca, directory, records
from .gateway import PATHS, Gateway
from .judges import SHARED, leak
from .messages import Sender, Signing, Token, cx, find_documents
from .records import TEST_PATIENT, Document, Patient

HOME = "2.16.840.1.113883.3.787.0.0"
REPOSITORY = HOME + ".1"
CLIENT_NOW = "2026-11-21T19:31:00Z"      # within the validity of the production client's requests
AUDIENCE = "https://localhost:8443"      # what those requests call us

RIVERSIDE = "2.999.20.4"                 # its certificates are pinned
RIVERSIDE_CLINIC = "2.999.20.4.1"        # managed by Riverside
LAKESIDE = "2.999.30.5"                  # its certificates are tied by subject, under a trusted authority
DORMANT = "2.999.40.6"                   # in the directory, not active
CLIENT = "2.16.840.1.113883.3.9621"      # the production client's implementer, and the organization that asks
CLIENT_ORGANIZATION = "2.16.840.1.113883.3.9621.5.213"

QUILL = Patient("HV-1001", "Quillfeather", "Odessa", "F", "19710814")
STRANGER = Patient("HV-9999", "Featherstone", "Barnaby", "M", "19440229")
DOCUMENTS = (Document("1.2.3.4^1", TEST_PATIENT, "20230415093000+0000", text="Cough, better since Tuesday."),
             Document("2.999.1.7.2001", QUILL, text="Knee pain after skating."),
             Document("2.999.1.7.2002", QUILL, created="20240110080000+0000", text="Knee healed."))
PATIENT_WORDS = ("NWHINZZZ", "NWHINONE", "Quillfeather", "Odessa", "19710814", "Lantern Row", "HV-1001")
GOOD_ANSWER_S = 2
AFTERWARDS = ("sent", "aborted", "looked", "changed")  # events that are no answer to a request


@lru_cache(maxsize=None)
def authority():
    return ca.Authority()


@dataclass(frozen=True)
class Partner:
    """An organization outside. `tls` and `signing` are different certificates of it."""
    home: str
    name: str
    tls: ca.Credential
    signing: ca.Credential
    spare: ca.Credential  # a second TLS certificate


@lru_cache(maxsize=None)
def riverside():
    name, key = "Riverside Hospital", ca.rsa_key("Riverside's TLS")
    return Partner(RIVERSIDE, name, ca.self_signed("tls.riverside.example", name, key=key),
                   ca.self_signed("sign.riverside.example", name),
                   ca.self_signed("spare.riverside.example", name, key=key))


@lru_cache(maxsize=None)
def lakeside():
    name, key = "Lakeside Clinic", ca.rsa_key("Lakeside's TLS")
    return Partner(LAKESIDE, name, authority().issue("tls.lakeside.example", name, key=key),
                   authority().issue("sign.lakeside.example", name),
                   authority().issue("spare.lakeside.example", name, key=key))


@lru_cache(maxsize=None)
def client_tls():
    """Another certificate of the production client's organization: the key of its own is not at hand."""
    return ca.self_signed("tls.client.example", "Test Gateway")


@lru_cache(maxsize=None)
def client_own():
    """One certificate for TLS and signatures, for the client's requests signed anew."""
    return ca.self_signed("localhost", "Test Gateway")


class Town:
    """A running gateway and those who live around it."""

    def __init__(self, folder, database=None, at=CLIENT_NOW, options=(), configure=None, zone="America/New_York"):
        """@param configure  given the gateway before its first start, to change its configuration
        @param zone  of the clinic"""
        self._configure = configure
        own = ("--assigning-authority", HOME, "--repository", REPOSITORY)
        self.gateway = Gateway(folder, HOME, database=database, at=at, public_urls=[AUDIENCE], time_zone=zone,
                               options=(*own, *options))

    def build(self):
        self.gateway.init()
        if self._configure:
            self._configure(self.gateway)
        self.defaults("treatment")
        self._tell_of_partners()
        self.enter(TEST_PATIENT, QUILL)
        self.file(*DOCUMENTS)
        self.gateway.start()
        return self

    # ------------------------------------------------ what is loaded

    def _tell_of_partners(self):
        gateway = self.gateway
        organizations = [directory.Organization(RIVERSIDE, "Riverside Hospital"),
                         directory.Organization(RIVERSIDE_CLINIC, "Riverside Walk-in", implementer=RIVERSIDE),
                         directory.Organization(LAKESIDE, "Lakeside Clinic"),
                         directory.Organization(DORMANT, "Dormant Hospital", implementer=RIVERSIDE, active=False),
                         directory.Organization(CLIENT, "Metriport"),
                         directory.Organization(CLIENT_ORGANIZATION, "Client Clinic", implementer=CLIENT)]
        gateway.command("partner", "import", gateway.write("directory.json", directory.bundle(*organizations)))
        for credential in (riverside().tls, riverside().signing, riverside().spare):
            self.pin(RIVERSIDE, credential.pem)
        gateway.configure("anchors", [str(gateway.write("anchor.pem", authority().credential.pem))])
        for credential in (lakeside().tls, lakeside().signing, lakeside().spare):
            gateway.command("partner", "tie-subject", LAKESIDE, credential.subject)
        for credential in (client_tls(), client_own()):
            self.pin(CLIENT, credential.pem)
        sample = SHARED / "samples" / "production-client" / "cert.pem"
        if sample.is_file():
            self.pin(CLIENT, sample.read_bytes())

    def pin(self, home, pem):
        self.gateway.command("partner", "pin", home, self.gateway.write("pin.pem", pem))

    def enter(self, *patients, authority=HOME, clinic=HOME):
        text = records.ndjson(patients, authority)
        self.gateway.command("patient", "import", self.gateway.write("patients.ndjson", text), "--clinic", clinic)

    def file(self, *documents):
        for number, document in enumerate(documents):
            path = self.gateway.write(f"document-{number}.xml", records.ccda(document, HOME))
            self.gateway.command("document", "import", path)

    # ------------------------------------------------ choices

    def choose(self, patient, *purposes, by="Olga Staff"):
        """The patient's own set of purposes; none at all is a choice too."""
        self.gateway.command("policy", "set", patient.mrn, "--purposes", ",".join(purposes) or "none", "--by", by,
                             "--as", "staff", "--basis", "asked at the desk")

    def forget_choice(self, patient):
        self.gateway.command("policy", "clear", patient.mrn, "--by", "Olga Staff", "--basis", "asked at the desk")

    def defaults(self, *purposes):
        self.gateway.command("settings", "set", "purposes=" + (",".join(purposes) or "none"), "--by", "Olga Staff")

    def delete(self, patient):
        self.gateway.command("patient", "delete", patient.mrn, "--reason", "entered in error")

    # ------------------------------------------------ asking

    def sender(self, partner=None, **token):
        """An organization ready to ask, the clock of its messages being the gateway's."""
        partner = partner or riverside()
        values = {"organization": partner.name, "audience": AUDIENCE} | token
        return Sender(Token(partner.home, **values), Signing(partner.signing), AUDIENCE, HOME, self.gateway.clock.now)

    def ask(self, message, partner=None, credential=None, connection=None, path=None):
        """Sends over the partner's TLS certificate. @return Answer"""
        credential = credential or (partner or riverside()).tls
        return self.gateway.send(message, credential, path or PATHS["ITI-38"], connection)

    def find_documents(self, patient, sender=None, **slots):
        return (sender or self.sender()).cross_gateway_query(find_documents(cx(patient.mrn, HOME), **slots))

    def retrieve(self, *unique_ids, sender=None, **options):
        rows = [(f"urn:oid:{HOME}", REPOSITORY, unique_id) for unique_id in unique_ids]
        return (sender or self.sender()).cross_gateway_retrieve(rows, **options)

    def three_questions(self, patient, document, sender=None):
        """ITI-55, ITI-38 and ITI-39 for one patient and one document."""
        sender = sender or self.sender()
        return {"ITI-55": sender.patient_discovery(patient), "ITI-38": self.find_documents(patient, sender),
                "ITI-39": self.retrieve(document.unique_id, sender=sender)}


# ---------------------------------------------------------------- the invariants after an attack

class Aftermath:
    """Looks at a town before an attack, and judges it afterwards: nothing leaked (L), audited for the right reason (A),
    still serving others (S), nothing changed and nobody called (N)."""

    def __init__(self, town, canary=None):
        self.town, self.canary = town, canary
        self._bystander = town.gateway.connect(riverside().tls)
        self._mark = town.gateway.audit_mark()

    def check(self, answer, reasons, outcomes=("refused", "fault")):
        """@param answer  what the attack got, None where the connection was closed
        @param reasons  the reason codes this attack may be refused for
        @return the audit events of the attack"""
        events = [row for row in self.town.gateway.audit_since(self._mark) if row["outcome"] not in AFTERWARDS]
        if answer is not None:
            assert leak(answer, PATIENT_WORDS) == "", "the answer leaks"
        assert events, "the refusal was not audited"
        for event in events:
            assert event["outcome"] in outcomes, event
            assert event["reason"] in reasons, f"refused for {event['reason']}, not for one of {sorted(reasons)}"
        self._others_are_served()
        if self.canary is not None:
            assert self.canary.connections == 0, "somebody was called"
        return events

    def _others_are_served(self):
        for connection in (self._bystander, None):
            message = self.town.find_documents(TEST_PATIENT)
            answer = self.town.ask(message, connection=connection)
            assert [entry.unique_id for entry in answer.query.entries] == ["1.2.3.4^1"]
            assert answer.seconds < GOOD_ANSWER_S
        self._bystander.close()
