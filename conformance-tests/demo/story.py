#!/usr/bin/python3
"""The main job of the gateway as a story: a small clinic and a hospital, synthetic patients, every step checked.

  story.py run DIR [--once]   make both gateways in DIR, start them, tell the story; --once stops them afterwards
  story.py stop DIR           stop what a story left running

Each step says what was asked, what was answered, what was decided and why, and shows the audit line. The story fails
where a step does not hold. A patient and a marker drawn at random for each run must be found in the rendered document.
"""

import argparse
import html
import json
import os
import random
import re
import secrets
import signal
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "conformance-tests"))

from peer.directory import Organization, bundle  # noqa: E402
from peer.gateway import Gateway, program  # noqa: E402

CLINIC_HOME, HOSPITAL_HOME = "2.999.10", "2.999.20"
PATIENTS = 40
SYNTHETIC = ROOT / "conformance-tests" / "data" / "synthetic.py"
ASK = ROOT / "conformance-tests" / "peer" / "ask.py"
BOLD, DIM, PLAIN = ("\033[1m", "\033[2m", "\033[0m") if sys.stdout.isatty() else ("", "", "")


class Broken(Exception):
    """A step that did not hold."""


def expect(holds, sentence):
    if not holds:
        raise Broken(sentence)


def run(*words):
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, check=False)
    expect(done.returncode == 0, f"{' '.join(map(str, words))}\n{done.stdout}{done.stderr}")
    return done.stdout


class House:
    """One organization of the story: its gateway, its keys, and how it asks others."""

    def __init__(self, folder, home, name, organization):
        self.folder, self.home, self.name, self.organization = folder / name, home, name, organization
        self.keys = self.folder / "keys"
        self.requests = 0
        self.gateway = None

    def make(self, ca):
        self.keys.mkdir(parents=True)
        for use in ("tls", "signing"):
            run(program(), "certs", "issue", "--ca", ca, "--name", f"{self.name} {use}", "--organization",
                self.organization, "--dns", "localhost", "--ip", "127.0.0.1", "--out", self.keys / use)
        self.gateway = Gateway(self.folder / "gateway", self.home, name=self.organization, options=(
            "--node", self.name, "--purposes", "treatment,payment,operations",
            *(word for use in ("tls", "signing") for word in
              (f"--{use}-certificate", self.keys / f"{use}.pem", f"--{use}-key", self.keys / f"{use}.key"))))
        self.gateway.public_urls = (f"https://localhost:{self.gateway.network_port}",)
        self.gateway.init()
        self.gateway.configure("anchors", [str(ca / "ca.pem")])

    def meet(self, directory, other):
        """Takes the directory in and ties the other's certificates to its home community."""
        self.gateway.command("partner", "import", directory)
        for use in ("tls", "signing"):
            self.gateway.command("partner", "tie-subject", other.home, other.keys / f"{use}.pem")

    def ask(self, other, what, *options, purpose="TREATMENT", save=None):
        self.requests += 1
        extra = ["--save", save] if save else []
        done = subprocess.run(
            [sys.executable, str(ASK), what, "--gateway", other.gateway.url, "--credential", str(self.keys), "--home",
             self.home, "--to", other.home, "--organization", self.organization, "--purpose", purpose,
             "--server", str(other.keys / "tls.pem"), "--json", *map(str, options), *map(str, extra)],
            capture_output=True, text=True, check=False)
        expect(done.stdout.startswith("{"), f"ask.py {what}: {done.stdout}{done.stderr}")
        return json.loads(done.stdout)


def patient_options(patient):
    name, address = patient["name"][0], patient["address"][0]
    return ["--family", name["family"], "--given", name["given"][0], "--birth-date", patient["birthDate"], "--gender",
            {"male": "M", "female": "F"}.get(patient["gender"], "UN"), "--street", address["line"][0], "--city",
            address["city"], "--state", address["state"], "--postal-code", address["postalCode"]]


def record_number(patient, home):
    return next(i["value"] for i in patient["identifier"] if i["system"] == f"urn:oid:{home}")


def shown(patient):
    return f"{patient['name'][0]['given'][0]} {patient['name'][0]['family']}, born {patient['birthDate']}"


class Story:
    def __init__(self, folder):
        self.folder = folder
        self.number = 0
        self.seed = secrets.randbelow(10**9)
        self.marker = f"MARKER-{secrets.token_hex(6)}"
        self.clinic = House(folder, CLINIC_HOME, "clinic", "Hill Valley Behavioral Health")
        self.hospital = House(folder, HOSPITAL_HOME, "hospital", "Riverside Hospital")

    # ------------------------------------------------ telling

    def step(self, title):
        self.number += 1
        print(f"\n{BOLD}{self.number}. {title}{PLAIN}")

    def say(self, text):
        print(f"   {text}")

    def explain(self, patient, purpose="TREATMENT"):
        decided = self.clinic.gateway.run(
            "policy", "decide", "--patient", record_number(patient, CLINIC_HOME), "--home", HOSPITAL_HOME, "--purpose",
            purpose, "--config", self.clinic.gateway.config, "--json").json
        choice = next(f for f in decided["findings"] if f["gate"] == "choice")
        self.say(f"decision: {decided['verdict']} ({decided['reason']}). {choice['because']}")
        if choice["would_change"]:
            self.say(f"          It would change with: {choice['would_change']}")
        return decided

    def audit_line(self):
        """The event of the newest answer, as the clinic's staff see it."""
        answered = [row for row in self.clinic.gateway.audit(limit=50)
                    if row["payload"].get("transaction", "").startswith("ITI") and row["outcome"] != "sent"]
        event = answered[-1]
        self.say(f"{DIM}audit: {event['at']} {event['payload']['transaction']} {event['outcome']} "
                 f"{event['reason']} for {event['payload'].get('organization', '')} (request {event['request'][:8]}…)"
                 f"{PLAIN}")
        return event

    # ------------------------------------------------ the steps

    def prepare(self):
        self.step("A clinic and a hospital, each with a gateway of its own")
        ca = self.folder / "ca"
        run(program(), "certs", "init-demo-ca", ca)
        directory = self.folder / "directory.json"
        directory.write_text(bundle(Organization(CLINIC_HOME, self.clinic.organization),
                                    Organization(HOSPITAL_HOME, self.hospital.organization)))
        for house in (self.clinic, self.hospital):
            house.make(ca)
        self.clinic.meet(directory, self.hospital)
        self.hospital.meet(directory, self.clinic)
        self.patients = self.fill(self.clinic, PATIENTS, self.seed)
        self.away = self.fill(self.hospital, 5, self.seed + 1)
        draw = random.Random(self.seed)
        self.found, self.opted_out = draw.sample(self.patients, 2)
        self.mark_document()
        for house in (self.clinic, self.hospital):
            house.gateway.start()
            (house.folder / "pid").write_text(str(house.gateway.process.pid))
        self.say(f"{PATIENTS} synthetic patients and documents at the clinic (seed {self.seed}).")
        self.say(f"Default purposes of the clinic: "
                 f"{self.clinic.gateway.json('settings', 'show')['purposes']}.")

    def fill(self, house, count, seed):
        patients = house.folder / "patients.ndjson"
        patients.write_text(run(sys.executable, SYNTHETIC, "patients", "--count", count, "--seed", seed,
                                "--assigning-authority", house.home))
        documents = house.folder / "documents"
        run(sys.executable, SYNTHETIC, "ccda", "--patients", patients, "--out", documents, "--seed", seed)
        house.gateway.command("patient", "import", patients)
        house.gateway.command("document", "import", *sorted(documents.glob("*.xml")))
        return [json.loads(line) for line in patients.read_text().splitlines()]

    def mark_document(self):
        """One more document for the patient drawn, with a text nobody can have known before this run."""
        one = self.folder / "one.ndjson"
        one.write_text(json.dumps(self.found) + "\n")
        marked = self.folder / "marked"
        run(sys.executable, SYNTHETIC, "ccda", "--patients", one, "--out", marked, "--seed", self.seed + 2, "--marker",
            self.marker)
        self.clinic.gateway.command("document", "import", *sorted(marked.glob("*.xml")))

    def match(self):
        self.step(f"The hospital asks for {shown(self.found)}, for treatment (ITI-55)")
        answer = self.hospital.ask(self.clinic, "patient", *patient_options(self.found))
        expect(answer["outcome"] == "OK" and len(answer["patients"]) == 1, f"one match was expected: {answer}")
        match = answer["patients"][0]
        expect(match["family"] == self.found["name"][0]["family"], f"another person was found: {match}")
        self.say(f"answer: one match, {match['given']} {match['family']}, confidence {match['degree']} of 100, id {match['id']}")
        self.explain(self.found)
        expect(self.audit_line()["outcome"] == "released", "the match must be audited as released")
        self.patient_id = match["id"]

    def document(self):
        self.step("It asks which documents there are (ITI-38) and retrieves the newest over MTOM (ITI-39)")
        listed = self.hospital.ask(self.clinic, "documents", "--patient", self.patient_id)
        expect(len(listed["documents"]) >= 2, f"documents were expected: {listed}")
        self.say(f"answer: {len(listed['documents'])} documents")
        self.audit_line()
        saved = self.folder / "answers"
        answer = self.hospital.ask(
            self.clinic, "retrieve", "--repository", listed["documents"][0]["repository"], "--document",
            *[one["document"] for one in listed["documents"]], save=saved)
        expect(len(answer["documents"]) == len(listed["documents"]), f"every document was expected: {answer}")
        self.audit_line()
        pages = []
        for file in sorted(saved.glob("*.xml")):
            if file.name == "retrieve-answer.xml":
                continue
            page = file.with_suffix(".html")
            self.clinic.gateway.command("document", "render", "--file", file, "--out", page)
            pages.append((page, html.unescape(re.sub(r"<[^>]*>", " ", page.read_text()))))
        holding = [page for page, text in pages if self.marker in text and self.found["name"][0]["family"] in text]
        expect(len(holding) == 1, f"{self.marker} and the patient's name must be on one rendered page")
        self.say(f"rendered: {holding[0]}")
        self.say(f"The page names the patient and holds this run's marker {self.marker}.")

    def opt_out(self):
        self.step(f"{shown(self.opted_out)} opts out in the portal; the hospital asks")
        number = record_number(self.opted_out, CLINIC_HOME)
        self.clinic.gateway.command("policy", "set", number, "--purposes", "none", "--as", "patient", "--by",
                                    shown(self.opted_out), "--basis", "portal")
        denied = self.hospital.ask(self.clinic, "patient", *patient_options(self.opted_out))
        expect(denied["outcome"] == "NF", f"an opted-out patient must not be there: {denied}")
        self.explain(self.opted_out)
        event = self.audit_line()
        expect((event["outcome"], event["reason"]) == ("withheld", "patient-purpose"), f"withheld was expected: {event}")
        unknown = self.hospital.ask(self.clinic, "patient", "--family", "Nobodyatall", "--given", "Nemo", "--birth-date",
                                    "1901-01-01", "--gender", "M")
        expect(unknown == denied, "a patient who opted out must look like one who was never there")
        self.say("answer: no match; to the hospital it reads exactly as for a person the clinic never saw.")
        expect(self.audit_line()["outcome"] == "no-match", "an unknown person must be audited as no match")

    def purpose(self):
        self.step("The hospital asks for a purpose the clinic does not allow")
        answer = self.hospital.ask(self.clinic, "patient", *patient_options(self.found), purpose="PUBLICHEALTH")
        expect(answer["outcome"] == "NF", f"not for this purpose: {answer}")
        self.say("answer: no match")
        self.explain(self.found, "PUBLICHEALTH")
        expect(self.audit_line()["reason"] == "clinic-purpose", "the clinic's defaults must be the reason")

    def changed_mind(self):
        self.step(f"{shown(self.opted_out)} changes their mind; the very next request sees it")
        number = record_number(self.opted_out, CLINIC_HOME)
        for purposes, outcome in (("treatment", "OK"), ("none", "NF")):
            self.clinic.gateway.command("policy", "set", number, "--purposes", purposes, "--as", "patient", "--by",
                                        shown(self.opted_out), "--basis", "portal")
            answer = self.hospital.ask(self.clinic, "patient", *patient_options(self.opted_out))
            expect(answer["outcome"] == outcome, f"after choosing {purposes}: {answer}")
            self.say(f"purposes now {purposes}: {'found' if outcome == 'OK' else 'not there'}")
            self.explain(self.opted_out)
            self.audit_line()

    def other_way(self):
        self.step("And the other way round: the clinic asks the hospital's gateway")
        answer = self.clinic.ask(self.hospital, "patient", *patient_options(self.away[0]))
        expect(answer["outcome"] == "OK", f"a match was expected: {answer}")
        self.say(f"answer: one match at {self.hospital.organization}")

    def proof(self):
        self.step("What the audit trail proves")
        answered = [row for row in self.clinic.gateway.audit()
                    if row["payload"].get("transaction", "").startswith("ITI") and row["outcome"] not in ("sent", "aborted")]
        expect(len(answered) == self.hospital.requests,
               f"{self.hospital.requests} requests were sent, {len(answered)} answers are audited")
        self.say(f"{self.hospital.requests} requests were sent, {len(answered)} answers are audited.")
        witness = self.clinic.gateway.data / "audit" / "witness.jsonl"
        verified = self.clinic.gateway.json("audit", "verify", "--witness", witness)
        expect(verified["sound"], f"the chain must verify: {verified}")
        self.say(f"The chain verifies: {verified['entries']} entries, {verified['checkpoints']} signed checkpoints, "
                 f"{verified['witnessed']} of them witnessed.")

    def tell(self):
        for part in (self.prepare, self.match, self.document, self.opt_out, self.purpose, self.changed_mind,
                     self.other_way, self.proof):
            part()

    def how_to_go_on(self):
        keys, gateway = self.hospital.keys, self.clinic.gateway
        question = " ".join(f"'{word}'" if " " in word else word for word in patient_options(self.found))
        print(f"""
{BOLD}Both gateways are still running.{PLAIN}
  clinic    {gateway.url}  health and metrics http://127.0.0.1:{gateway.operator_port}/metrics
  hospital  {self.hospital.gateway.url}  health and metrics http://127.0.0.1:{self.hospital.gateway.operator_port}/metrics
Ask something yourself:
  {ASK.relative_to(ROOT)} patient --gateway {gateway.url} --credential {keys} \\
    --home {HOSPITAL_HOME} --to {CLINIC_HOME} {question}
Change a mind, and ask again:
  build/release/gatehouse policy set {record_number(self.found, CLINIC_HOME)} --purposes none --by you --config {gateway.config}
See what was written down:
  build/release/gatehouse audit search --config {gateway.config}
Stop both: ./demo.sh stop      Begin anew: ./demo.sh reset""")

    def stop(self):
        for house in (self.clinic, self.hospital):
            if house.gateway and house.gateway.is_running():
                house.gateway.stop()


def stop(folder):
    """Ends the gateways that a story in this folder left running, and only those."""
    for pid_file in folder.glob("*/pid"):
        pid = int(pid_file.read_text())
        try:
            if "gatehouse" in Path(f"/proc/{pid}/cmdline").read_text():
                os.kill(pid, signal.SIGTERM)
                while "gatehouse" in Path(f"/proc/{pid}/cmdline").read_text():
                    time.sleep(0.1)
        except (FileNotFoundError, ProcessLookupError):
            pass
        pid_file.unlink()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["run", "stop"])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--once", action="store_true", help="stop both gateways at the end")
    arguments = parser.parse_args()
    if arguments.what == "stop":
        stop(arguments.folder)
        return 0
    story = Story(arguments.folder.resolve())
    try:
        story.tell()
    except Broken as broken:
        print(f"\n{BOLD}The story broke at step {story.number}:{PLAIN} {broken}", file=sys.stderr)
        story.stop()
        return 1
    if arguments.once:
        story.stop()
        print(f"\n{BOLD}Every step held.{PLAIN}")
    else:
        story.how_to_go_on()
    return 0


if __name__ == "__main__":
    sys.exit(main())
