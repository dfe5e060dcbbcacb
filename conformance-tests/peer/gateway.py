"""The built program in a scratch directory: made, started, stopped, killed, and told what to do by its commands.

Its clock is set from outside by libfaketime: the release program has no option for that.
"""

import atexit
import datetime
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from zoneinfo import ZoneInfo

from .ca import der_of
from .client import Connection, free_port, plain_get

ROOT = Path(__file__).resolve().parents[2]
LIBFAKETIME = "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1"
START_S = 20
PATHS = {"ITI-55": "/ihe/xcpd", "ITI-38": "/ihe/xca/query", "ITI-39": "/ihe/xca/retrieve"}


def program():
    """$GATEHOUSE, else the release build."""
    return Path(os.environ.get("GATEHOUSE") or ROOT / "build" / "release" / "gatehouse")


@lru_cache(maxsize=None)
def real_timers():
    """A library to stand before libfaketime, which moves absolute timers of the monotonic clock although it is told to
    leave that clock alone: a timer due at once is then due in days, and all timers of its thread behind it."""
    folder = Path(tempfile.mkdtemp(prefix="gatehouse-timers-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    source, library = folder / "timers.c", folder / "timers.so"
    source.write_text(TIMERS)
    subprocess.run(["cc", "-shared", "-fPIC", "-o", str(library), str(source)], check=True)
    return library


TIMERS = r"""
#define _GNU_SOURCE
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <unistd.h>

int timerfd_settime(int fd, int flags, const struct itimerspec *fresh, struct itimerspec *old) {
  return (int)syscall(SYS_timerfd_settime, fd, flags, fresh, old);
}
int timerfd_gettime(int fd, struct itimerspec *now) { return (int)syscall(SYS_timerfd_gettime, fd, now); }
"""


class Clock:
    """The clock of one gateway and its commands; it runs on from where it is set. Without setting it is the machine's.
    Only the calendar is moved: time-outs go by the monotonic clock, which is left alone."""

    def __init__(self, folder):
        self._file = Path(folder) / "clock"
        self._ahead = datetime.timedelta()
        self._stands_at = None
        self.is_set = False

    def set(self, text):
        """@param text  `2026-11-21T19:31:00Z`"""
        wanted = datetime.datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ")
        self._write(wanted - datetime.datetime.utcnow())

    def advance(self, **delta):
        """`advance(seconds=121)`"""
        self._write(self._ahead + datetime.timedelta(**delta))

    def freeze(self, text, zone="UTC"):
        """It stands still there. @param text  `2026-11-21T19:30:59.999Z`  @param zone  of the machine, in which no hour
        that is repeated may be meant"""
        self._stands_at = datetime.datetime.fromisoformat(text.removesuffix("Z"))
        self._ahead, self.is_set = self._stands_at - datetime.datetime.utcnow(), True
        local = self._stands_at.replace(tzinfo=datetime.timezone.utc).astimezone(ZoneInfo(zone))
        self._say(local.strftime("%Y-%m-%d %H:%M:%S.%f"))

    def _write(self, ahead):
        self._ahead, self._stands_at, self.is_set = ahead, None, True
        self._say(f"{ahead.total_seconds():+.3f}")

    def _say(self, text):
        # Written beside and renamed: a process that reads the clock meanwhile must not find an empty file.
        fresh = self._file.with_suffix(".new")
        fresh.write_text(text + "\n")
        fresh.replace(self._file)

    def now(self):
        return self._stands_at or datetime.datetime.utcnow() + self._ahead

    def environment(self):
        if not self.is_set:
            return {}
        return {"LD_PRELOAD": f"{real_timers()} {LIBFAKETIME}", "FAKETIME_TIMESTAMP_FILE": str(self._file),
                "FAKETIME_NO_CACHE": "1",
                "FAKETIME_DONT_FAKE_MONOTONIC": "1", "DONT_FAKE_MONOTONIC": "1"}


@dataclass(frozen=True)
class Ran:
    """A command that has ended."""
    exit: int
    output: str
    errors: str

    @property
    def json(self):
        return json.loads(self.output)


class CommandFailed(AssertionError):
    pass


class Gateway:
    """One data directory with the program that works on it."""

    def __init__(self, folder, home, *, name="Hill Valley Behavioral Health", time_zone="America/New_York",
                 database=None, public_urls=(), at=None, options=()):
        self.folder, self.home, self.name, self.time_zone = Path(folder), home, name, time_zone
        self.folder.mkdir(parents=True, exist_ok=True)
        self.data = self.folder / "data"
        self.config = self.data / "gatehouse.toml"
        self.log = self.folder / "serve.log"
        self.database, self.public_urls, self.options = database, tuple(public_urls), tuple(options)
        self.network_port, self.operator_port = free_port(), free_port()
        self.clock = Clock(self.folder)
        if at:
            self.clock.set(at)
        self.disk = None  # a peer.disk.Disk under the running program, by the machine's clock only
        self.zone = "UTC"  # of its machine
        self.serve_options = ()
        self.process = None

    # ------------------------------------------------ commands

    def _environment(self):
        return {**os.environ, "LC_ALL": "C.UTF-8", "TZ": self.zone, **self.clock.environment()}

    def run(self, *arguments, seconds=120):
        """Runs `gatehouse ARGUMENTS…` as given, whatever comes of it."""
        done = subprocess.run([str(program()), *map(str, arguments)], capture_output=True, text=True, timeout=seconds,
                              env=self._environment(), cwd=self.folder)
        return Ran(done.returncode, done.stdout, done.stderr)

    def command(self, *arguments, exit=0):
        """Runs a command on this gateway's configuration. @raise CommandFailed where it ends otherwise than `exit`"""
        ran = self.run(*arguments, "--config", self.config)
        if ran.exit != exit:
            raise CommandFailed(f"gatehouse {' '.join(map(str, arguments))}: exit {ran.exit}\n{ran.output}{ran.errors}")
        return ran

    def begin(self, *arguments):
        """Starts a command and waits until it has said what it did, its process not ended yet.
        @return the process, and what it said in JSON"""
        command = [str(program()), *map(str, arguments), "--config", str(self.config), "--json"]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                   env=self._environment(), cwd=self.folder)
        said = process.stdout.readline()
        if not said:
            raise CommandFailed(f"gatehouse {' '.join(map(str, arguments))}: {process.communicate()[1]}")
        return process, json.loads(said)

    def json(self, *arguments):
        return self.command(*arguments, "--json").json

    def init(self):
        database = ["--database", self.database] if self.database else []
        urls = [text for url in self.public_urls for text in ("--public-url", url)]
        ran = self.run("init", self.data, "--home", self.home, "--name", self.name, "--time-zone", self.time_zone,
                       "--network-port", self.network_port, "--operator-port", self.operator_port, *database, *urls,
                       *self.options)
        if ran.exit != 0:
            raise CommandFailed(f"gatehouse init: exit {ran.exit}\n{ran.output}{ran.errors}")
        return self

    def configure(self, key, value):
        """Sets one key of the configuration file; it counts from the next start."""
        text, found = re.subn(rf"(?m)^#? ?{re.escape(key)} *=.*$", f"{key} = {json.dumps(value)}",
                              self.config.read_text())
        if found != 1:
            raise CommandFailed(f"the configuration has {found} lines for {key}")
        self.config.write_text(text)

    def write(self, name, content):
        """A file beside the data directory, for commands that take one."""
        path = self.folder / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    def twin(self, folder):
        """A second node on the same database, with the same keys but an audit chain of its own."""
        twin = Gateway(Path(folder) / "twin", self.home, database=self.database, public_urls=self.public_urls)
        twin.clock = self.clock
        shutil.copytree(self.data, twin.data)
        text = re.sub(r"(?m)^node = .*$", 'node = "node-2"', twin.config.read_text())
        text = text.replace("sqlite:gatehouse.db", f"sqlite:{self.data / 'gatehouse.db'}")
        text = text.replace(f"port = {self.network_port}", f"port = {twin.network_port}")
        text = text.replace(f"port = {self.operator_port}", f"port = {twin.operator_port}")
        twin.config.write_text(text)
        return twin

    # ------------------------------------------------ the running program

    def start(self):
        for attempt in range(10):
            try:
                return self._start()
            except CommandFailed as refused:
                # The port was free when it was chosen; since then somebody's outgoing connection may have got it.
                if "Address already in use" not in str(refused) or attempt == 9:
                    raise
                time.sleep(0.5)

    def _start(self):
        with self.log.open("ab") as log:
            start = log.tell()
            environment = self._environment() | (self.disk.environment() if self.disk else {})
            command = [str(program()), "serve", *self.serve_options, "--config", str(self.config)]
            self.process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, env=environment,
                                            cwd=self.folder)
        ready = self._wait_for_ready(start)
        self.network_port, self.operator_port = ready["network"], ready["operator"]
        return self

    def _wait_for_ready(self, start):
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline:
            for line in self.log.read_bytes()[start:].splitlines():
                if line.startswith(b"{") and b'"ready"' in line and line.rstrip().endswith(b"}"):
                    return json.loads(line)
            if self.process.poll() is not None:
                break
            time.sleep(0.02)
        raise CommandFailed(f"the gateway did not start: exit {self.process.poll()}\n"
                            + self.log.read_bytes()[start:][-3000:].decode(errors="replace"))

    def stop(self):
        """As an operator stops it. @return its exit code"""
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(timeout=45)
        return self.process.returncode if self.process else 0

    def kill(self):
        """kill -9"""
        self.process.kill()
        self.process.wait()

    def is_running(self):
        return self.process is not None and self.process.poll() is None

    # ------------------------------------------------ what can be seen of it

    @property
    def url(self):
        return f"https://localhost:{self.network_port}"

    def certificate(self, name):
        """PEM of `tls` or `signing`."""
        return (self.data / "keys" / f"{name}.pem").read_bytes()

    @property
    def tls_der(self):
        return der_of(self.certificate("tls"))

    def connect(self, credential, **options):
        return Connection(self.network_port, credential, options.pop("server", self.tls_der), **options)

    def send(self, message, credential, path="/ihe/xca/query", connection=None):
        """Sends a message (or a pair of content type and bytes). @return Answer"""
        content_type, body = message if isinstance(message, tuple) else message.wire()
        if connection is not None:
            return connection.post(path, content_type, body)
        with self.connect(credential) as own:
            return own.post(path, content_type, body)

    def alter(self, statement):
        """Changes the database behind the program's back, as a fault or an intruder would."""
        if self.database:
            command = ["psql", "-q", "-v", "ON_ERROR_STOP=1", "-d", self.database, "-c", statement]
        else:
            command = ["sqlite3", "-cmd", ".timeout 10000", str(self.data / "gatehouse.db"), statement]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)

    def operator(self, path):
        return plain_get(self.operator_port, path)

    def audit(self, *arguments, kind="event", limit=100_000):
        """Rows of `audit search`, oldest first, each with its payload; the newest where there are more than `limit`.
        @param kind  event, decision, or None for all"""
        narrowed = ["--kind", kind] if kind else []
        rows = self.json("audit", "search", "--limit", limit, *narrowed, *arguments)["events"]
        return rows[::-1]

    def audit_of(self, message_id):
        """Audit events of the request with this wsa:MessageID."""
        return [row for row in self.audit(limit=400) if row["payload"].get("message_id") == message_id]

    def audit_mark(self):
        """The instant from which audit_since is to count."""
        return self.clock.now().strftime("%Y-%m-%dT%H:%M:%S.%fZ")

    def audit_since(self, mark):
        return self.audit("--from", mark, limit=400)

    def verify_audit(self, witness=None):
        """@return (exit code, what the command said)"""
        extra = ["--witness", witness] if witness else []
        ran = self.run("audit", "verify", *extra, "--config", self.config, seconds=900)  # of a thousand kills
        return ran.exit, ran.output + ran.errors
