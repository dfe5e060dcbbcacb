"""Load on gateways that may die meanwhile: what was asked, what was answered whole and when, and what of it is audited.
"""

import threading
import time
from dataclasses import dataclass

from .client import Closed
from .gateway import PATHS
from .town import TEST_PATIENT, riverside


@dataclass(frozen=True)
class Answered:
    """A request whose answer was received whole. `at`: seconds of the monotonic clock."""
    message_id: str
    at: float


class Asker(threading.Thread):
    """Asks one gateway without pause, by turns on ITI-55 and ITI-39, until it is gone or the asker is told to stop."""

    def __init__(self, town, gateway=None, number=0, comes_back=False):
        """@param comes_back  whether it connects again where the connection was lost"""
        super().__init__(daemon=True)
        self.town, self.gateway, self.number, self.comes_back = town, gateway or town.gateway, number, comes_back
        self.answered, self.others, self.stopping = [], [], False

    def run(self):
        while True:
            try:
                with self.gateway.connect(riverside().tls) as connection:
                    while not self.stopping:
                        self._ask(connection)
            except (Closed, OSError):
                time.sleep(0.01)
            if self.stopping or not self.comes_back:
                return

    def _ask(self, connection):
        sender = self.town.sender()
        if self.number % 2:
            message, path = sender.patient_discovery(TEST_PATIENT), PATHS["ITI-55"]
        else:
            message, path = self.town.retrieve("2.999.1.7.2001", sender=sender), PATHS["ITI-39"]
        answer = self.gateway.send(message, riverside().tls, path, connection)
        if answer.status == 200 and answer.relates_to == message.message_id:
            self.answered.append(Answered(message.message_id, time.monotonic()))
        else:
            self.others.append((answer.status, answer.fault))


class Load:
    """Several askers on each gateway, from entering to leaving or end()."""

    def __init__(self, town, gateways=None, askers=4, comes_back=False):
        gateways = gateways or [town.gateway]
        self.askers = [Asker(town, gateway, number, comes_back) for number in range(askers) for gateway in gateways]

    def __enter__(self):
        for asker in self.askers:
            asker.start()
        return self

    def __exit__(self, *_):
        self.end()

    def end(self):
        for asker in self.askers:
            asker.stopping = True
        for asker in self.askers:
            asker.join(timeout=20)
            assert not asker.is_alive(), "an asker hangs on a dead gateway"
        return self

    @property
    def answered(self):
        return [answer for asker in self.askers for answer in asker.answered]

    @property
    def others(self):
        """(status, fault) of every answer that was not the one wanted."""
        return [other for asker in self.askers for other in asker.others]


def audited(gateway, since=None):
    """MessageIDs with an event whose request has a decision record too. @param since  an audit_mark()"""
    rows = gateway.audit(*(["--from", since] if since else []), kind=None)
    decided = {row["request"] for row in rows if row["kind"] == "decision"}
    return {row["payload"]["message_id"] for row in rows
            if row["kind"] == "event" and row["payload"].get("message_id") and row["request"] in decided}


def missing(answered, gateway, since=None):
    """Those of the answers that the audit knows nothing of."""
    known = audited(gateway, since)
    return [answer for answer in answered if answer.message_id not in known]


def found_after(gateway, answered, since):
    """What is wrong with a gateway that was started again: sentences.
    @param answered  the answers that had come before it ended"""
    wrong = []
    exit, said = gateway.verify_audit(gateway.data / "audit" / "witness.jsonl")
    if exit != 0:
        wrong.append(f"the audit does not verify: {said}")
    rows = gateway.audit("--from", since, kind=None)
    if lost := missing(answered, gateway, since):
        wrong.append(f"{len(lost)} of {len(answered)} answers have no audit record")
    released = [row["request"] for row in rows if row["kind"] == "event" and row["outcome"] == "released"]
    decided = [row["request"] for row in rows if row["kind"] == "decision"]
    if len(set(released)) != len(released):
        wrong.append("a release is written down twice")
    if set(released) - set(decided):
        wrong.append("a release is written down without its decision")
    return wrong
