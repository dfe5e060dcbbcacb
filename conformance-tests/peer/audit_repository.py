"""A real audit repository: rsyslog over mutual TLS, writing what it received to a file; and its messages read back.
[RFC 5424, RFC 5425; IHE ITI-20; DICOM PS3.15 §A.5]"""

import base64
import json
import os
import re
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from lxml import etree

from . import ca
from .client import free_port

RSYSLOGD = Path("/usr/sbin/rsyslogd")
START_S = 10
CONFIG = """
global(workDirectory="{folder}" maxMessageSize="512k" parser.escapeControlCharactersOnReceive="off"
       defaultNetstreamDriverCAFile="{anchor}" defaultNetstreamDriverCertFile="{certificate}"
       defaultNetstreamDriverKeyFile="{key}")
module(load="{modules}/imtcp" streamDriver.name="{driver}" streamDriver.mode="1" streamDriver.authMode="x509/certvalid"
       maxFrameSize="524288")
template(name="raw" type="string" string="%rawmsg%\\n")
input(type="imtcp" port="{port}" address="127.0.0.1" ruleset="keep")
ruleset(name="keep") {{ action(type="omfile" file="{file}" template="raw") }}
"""
HEADER = re.compile(r"<(\d+)>1 (\S+) (\S+) (\S+) (\S+) (\S+) - ")


@dataclass(frozen=True)
class Received:
    """One line of the repository: a syslog message with its header's fields."""
    pri: int
    timestamp: str
    application: str
    process: str
    msgid: str
    text: str

    @staticmethod
    def read(line):
        header = HEADER.match(line)
        assert header, f"no RFC 5424 header: {line[:200]}"
        pri, timestamp, _, application, process, msgid = header.groups()
        return Received(int(pri), timestamp, application, process, msgid, line[header.end():])


class AuditMessage:
    """An AuditMessage in the DICOM form, by the names of the form."""

    def __init__(self, xml):
        self.xml, self.root = xml, etree.fromstring(xml.encode())

    def _code(self, path, node=None):
        found = (self.root if node is None else node).find(path)
        return None if found is None else (found.get("csd-code"), found.get("codeSystemName"))

    @property
    def event(self):
        return self._code("EventIdentification/EventID")

    @property
    def type(self):
        return self._code("EventIdentification/EventTypeCode")

    @property
    def action(self):
        return self.root.find("EventIdentification").get("EventActionCode")

    @property
    def outcome(self):
        return self.root.find("EventIdentification").get("EventOutcomeIndicator")

    @property
    def description(self):
        return self.root.findtext("EventIdentification/EventOutcomeDescription") or ""

    @property
    def purposes(self):
        return [(node.get("csd-code"), node.get("codeSystemName"))
                for node in self.root.iterfind("EventIdentification/PurposeOfUse")]

    def participant(self, role):
        """Attributes of the participant with this RoleIDCode; None: the one without or with another code system."""
        for node in self.root.iterfind("ActiveParticipant"):
            code = self._code("RoleIDCode", node)
            if (code == (role, "DCM")) if role else (code is None or code[1] != "DCM"):
                return dict(node.attrib) | {"role": code}
        return None

    def objects(self, kind, role):
        """Objects of this type code and role, each as (id, IDTypeCode, query, details)."""
        found = []
        for node in self.root.iterfind("ParticipantObjectIdentification"):
            if (node.get("ParticipantObjectTypeCode"), node.get("ParticipantObjectTypeCodeRole")) == (kind, role):
                details = {detail.get("type"): base64.b64decode(detail.get("value")).decode()
                           for detail in node.iterfind("ParticipantObjectDetail")}
                query = node.findtext("ParticipantObjectQuery")
                found.append((node.get("ParticipantObjectID"), self._code("ParticipantObjectIDTypeCode", node),
                              base64.b64decode(query) if query else None, details))
        return found

    @property
    def patients(self):
        return [found[0] for found in self.objects("1", "1")]

    @property
    def documents(self):
        return [found[0] for found in self.objects("2", "3")]

    @property
    def query(self):
        found = self.objects("2", "24")
        return found[0] if found else None

    @property
    def entry(self):
        """Node and sequence number in the gateway's chain."""
        node, _, seq = self.objects("4", "26")[0][0].rpartition("/")
        return node, int(seq)


class AuditRepository:
    """rsyslogd on a free port of loopback. `authority` vouches for both sides."""

    def __init__(self, folder, driver="ossl", authority=None, server=None):
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.authority = authority or ca.Authority("Audit Network CA")
        self.port, self.driver, self.process = free_port(), driver, None
        self.file = self.folder / "received"
        self.anchor = self.authority.write(self.folder / "anchor.pem")
        server = server or self.authority.issue("audit.example", "Audit Repository")
        self.certificate, self.key = server.write(self.folder / "server")
        self.client = self.authority.issue("gateway.example", "Gateway").write(self.folder / "client")
        self._config = self.folder / "rsyslog.conf"

    def configuration(self, spool=100_000):
        """The gateway's settings, as lines for its section [audit]."""
        return {"syslog.address": f"localhost:{self.port}", "syslog.trust": [str(self.anchor)],
                "syslog.certificate": str(self.client[0]), "syslog.key": str(self.client[1]), "syslog.spool": spool}

    def tell(self, gateway, **options):
        """Configures a gateway to send here from its next start."""
        for key, value in self.configuration(**options).items():
            gateway.configure(key, value)

    def start(self):
        modules = "/usr/lib/x86_64-linux-gnu/rsyslog"
        self._config.write_text(CONFIG.format(folder=self.folder, anchor=self.anchor, certificate=self.certificate,
                                              key=self.key, driver=self.driver, port=self.port, file=self.file,
                                              modules=modules))
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen([str(RSYSLOGD), "-n", "-f", str(self._config), "-i",
                                             str(self.folder / "pid")], stdout=log, stderr=log)
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline and self.process.poll() is None:
            if f":{self.port:04X} 00000000:0000 0A" in Path("/proc/net/tcp").read_text():
                return self
            time.sleep(0.02)
        raise AssertionError("rsyslogd does not listen:\n" + (self.folder / "log").read_text()[-2000:])

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(timeout=20)

    def freeze(self):
        """It lives, and reads nothing."""
        os.kill(self.process.pid, signal.SIGSTOP)

    def thaw(self):
        os.kill(self.process.pid, signal.SIGCONT)

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        if self.process and self.process.poll() is None:
            self.thaw()
        self.stop()

    # ------------------------------------------------ what it received

    def lines(self):
        if not self.file.exists():
            return []
        whole, _, _ = self.file.read_bytes().rpartition(b"\n")  # of what is still being written, nothing
        # Split as the strictest reader of logs would: also at U+0085 and U+2028.
        return [Received.read(line) for line in whole.decode().splitlines()]

    def messages(self):
        """AuditMessages in the order of arrival, each once: syslog may bring one twice."""
        seen, fresh = set(), []
        for line in self.lines():
            if line.msgid != "gatehouse-checkpoint" and line.text not in seen:
                seen.add(line.text)
                fresh.append(AuditMessage(line.text))
        return fresh

    def checkpoints(self):
        return [json.loads(line.text) for line in self.lines() if line.msgid == "gatehouse-checkpoint"]

    def wait_for(self, condition, within_s=15):
        """Until `condition(messages)` gives something, which is returned."""
        deadline = time.monotonic() + within_s
        while True:
            found = condition(self.messages())
            if found or time.monotonic() > deadline:
                assert found, f"not received within {within_s} s; {len(self.messages())} messages came"
                return found
            time.sleep(0.1)
