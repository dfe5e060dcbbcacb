#!/usr/bin/python3
"""Asks a gateway for a patient, for documents, or for their content, as another organization's gateway would.

examples:
  ask.py patient   --gateway https://localhost:8443 --credential riverside --home 2.999.20.4 --to 2.999.1
                   --family Quillfeather --given Odessa --birth-date 1971-08-14 --gender F
  ask.py documents --gateway https://localhost:8443 --credential riverside --home 2.999.20.4 --to 2.999.1
                   --patient 'HV-1001^^^&2.999.1&ISO'
  ask.py retrieve  --gateway https://localhost:8443 --credential riverside --home 2.999.20.4 --to 2.999.1
                   --repository 2.999.1.1 --document 2.999.1.7.2001 --save answers

The credential directory holds tls.pem and tls.key, and signing.pem and signing.key where messages are signed with
another key. Exit codes: 0 something was found, 1 nothing was found or it was refused, 2 bad usage.
"""

import argparse
import json
import sys
from pathlib import Path
from urllib.parse import urlsplit

if __package__ in (None, ""):
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from peer import ca
from peer.client import Closed, Connection
from peer.messages import Sender, Signing, Token, find_documents
from peer.records import Patient

PATHS = {"patient": "/ihe/xcpd", "documents": "/ihe/xca/query", "retrieve": "/ihe/xca/retrieve"}


def argument_parser():
    parser = argparse.ArgumentParser(prog="ask.py", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--gateway", required=True, metavar="URL", help="whom to ask, https://HOST:PORT")
    common.add_argument("--credential", required=True, type=Path, metavar="DIR", help="our keys and certificates")
    common.add_argument("--home", required=True, metavar="OID", help="our home community")
    common.add_argument("--to", required=True, metavar="OID", help="the home community asked")
    common.add_argument("--purpose", default="TREATMENT", help="NHIN purpose of use (default %(default)s)")
    common.add_argument("--organization", default="Riverside Hospital", help="our name (default %(default)s)")
    common.add_argument("--user", default="Jennifer Parker", help="who asks (default %(default)s)")
    common.add_argument("--audience", metavar="URL", help="what the gateway calls itself (default: --gateway)")
    common.add_argument("--server", type=Path, metavar="PEM", help="the certificate the gateway must show; "
                        "without it any is taken")
    common.add_argument("--json", action="store_true", help="print JSON for programs")
    common.add_argument("--save", type=Path, metavar="DIR", help="write the answer and its documents there")
    commands = parser.add_subparsers(dest="command", required=True)
    patient = commands.add_parser("patient", parents=[common], help="Cross Gateway Patient Discovery, ITI-55")
    for name in ("--family", "--given", "--birth-date"):
        patient.add_argument(name, required=True)
    patient.add_argument("--gender", choices=["M", "F", "UN"], required=True)
    for name in ("--street", "--city", "--state", "--postal-code", "--telephone"):
        patient.add_argument(name, default="")
    documents = commands.add_parser("documents", parents=[common], help="Cross Gateway Query, ITI-38")
    documents.add_argument("--patient", required=True, metavar="CX", help="id^^^&authority&ISO, as a match gave it")
    retrieve = commands.add_parser("retrieve", parents=[common], help="Cross Gateway Retrieve, ITI-39")
    retrieve.add_argument("--repository", required=True, metavar="OID")
    retrieve.add_argument("--document", required=True, nargs="+", metavar="UNIQUE_ID")
    return parser


def read_credentials(folder):
    """@return the TLS credential and the signing credential; one where there is only one"""
    tls = ca.read_credential(folder / "tls.pem", folder / "tls.key")
    if (folder / "signing.pem").is_file():
        return tls, ca.read_credential(folder / "signing.pem", folder / "signing.key")
    return tls, tls


def write_request(arguments, signer):
    address = (arguments.audience or arguments.gateway).rstrip("/")
    token = Token(arguments.home, organization=arguments.organization, user=arguments.user,
                  audience=address).asking_for(arguments.purpose)
    sender = Sender(token, Signing(signer), address, arguments.to)
    if arguments.command == "patient":
        return sender.patient_discovery(Patient("", arguments.family, arguments.given, arguments.gender,
                                                arguments.birth_date.replace("-", ""), arguments.street, arguments.city,
                                                arguments.state, arguments.postal_code, arguments.telephone))
    if arguments.command == "documents":
        return sender.cross_gateway_query(find_documents(arguments.patient))
    rows = [(f"urn:oid:{arguments.to}", arguments.repository, unique_id) for unique_id in arguments.document]
    return sender.cross_gateway_retrieve(rows)


def send(arguments, message, credential):
    url = urlsplit(arguments.gateway)
    server = ca.der_of(arguments.server.read_bytes()) if arguments.server else None
    with Connection(url.port or 443, credential, server, host=url.hostname) as connection:
        return connection.post(PATHS[arguments.command], *message.wire())


# ---------------------------------------------------------------- what it says

def described(command, answer):
    """@return the answer as plain values"""
    if answer.fault:
        return {"status": answer.status, "fault": answer.fault.code, "subcode": answer.fault.subcode,
                "reason": answer.fault.reason}
    if command == "patient":
        found = answer.discovery
        return {"acknowledgement": found.acknowledgement, "outcome": found.query_response,
                "problems": list(found.problems), "patients": [
                    {"id": f"{m.extension}^^^&{m.root}&ISO", "family": m.family, "given": " ".join(m.given),
                     "birth": m.birth, "home": m.custodian, "degree": m.degree} for m in found.matches]}
    if command == "documents":
        found = answer.query
        return {"outcome": found.status.rpartition(":")[2], "errors": [e.code for e in found.errors], "documents": [
            {"document": e.unique_id, "repository": e.repository, "home": e.home, "type": e.mime_type, "size": e.size}
            for e in found.entries]}
    found = answer.retrieve
    return {"outcome": found.status.rpartition(":")[2], "errors": [e.code for e in found.errors], "documents": [
        {"document": d.unique_id, "type": d.mime_type, "size": len(d.bytes)} for d in found.documents]}


def print_for_people(values):
    rows = values.get("patients", values.get("documents", []))
    for name, value in values.items():
        if not isinstance(value, list):
            print(f"{name}: {value}")
        elif name in ("errors", "problems") and value:
            print(f"{name}: {', '.join(value)}")
    for row in rows:
        print("  " + "  ".join(f"{name}: {value}" for name, value in row.items()))


def file_name(unique_id):
    return "".join(c if c.isalnum() or c in ".-_" else "_" for c in unique_id).lstrip(".") or "document"


def save(folder, command, answer):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{command}-answer.xml").write_bytes(answer.envelope)
    if command == "retrieve" and not answer.fault:
        for document in answer.retrieve.documents:
            (folder / f"{file_name(document.unique_id)}.xml").write_bytes(document.bytes)


def main(argv=None):
    arguments = argument_parser().parse_args(argv)
    try:
        tls, signer = read_credentials(arguments.credential)
        answer = send(arguments, write_request(arguments, signer), tls)
    except (Closed, OSError) as failed:
        print(f"ask.py: {arguments.gateway} did not answer: {failed}", file=sys.stderr)
        return 1
    if arguments.save:
        save(arguments.save, arguments.command, answer)
    values = described(arguments.command, answer)
    if arguments.json:
        print(json.dumps(values, ensure_ascii=False))
    else:
        print_for_people(values)
    return 0 if values.get("patients") or values.get("documents") else 1


if __name__ == "__main__":
    sys.exit(main())
