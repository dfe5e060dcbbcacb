"""A throw-away PostgreSQL cluster for a run on the scale-out database."""

import os
import pwd
import shutil
import subprocess
import tempfile
from pathlib import Path

from .client import free_port

BINARIES = Path("/usr/lib/postgresql/15/bin")


def as_postgres(*command):
    """PostgreSQL refuses to run as root."""
    prefix = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    done = subprocess.run([*prefix, *map(str, command)], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, cwd="/",
                          text=True)
    assert done.returncode == 0, f"{command[0]} ended with {done.returncode}: {done.stderr.strip()}"


class Cluster:
    """Made on entering, gone on leaving."""

    def __init__(self):
        self._made = 0

    def __enter__(self):
        self.folder = Path(tempfile.mkdtemp(prefix="gatehouse-pg-"))
        if os.geteuid() == 0:
            user = pwd.getpwnam("postgres")
            os.chown(self.folder, user.pw_uid, user.pw_gid)
        self.port = free_port()
        data = self.folder / "data"
        as_postgres(BINARIES / "initdb", "-D", data, "-A", "trust", "-U", "gatehouse", "--no-sync", "-E", "UTF8")
        # Every town of a run stands to its end, and each gateway holds a connection for each of its threads.
        self._options = (f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={self.folder}"
                         " -c max_connections=1000")
        self.start()
        return self

    def __exit__(self, *_):
        self.stop("immediate")
        shutil.rmtree(self.folder, ignore_errors=True)

    def start(self):
        self._control("-w", "-o", self._options, "-l", self.folder / "log", "start")

    def stop(self, mode):
        """@param mode  fast or immediate, as pg_ctl knows them"""
        self._control("-m", mode, "stop")

    def _control(self, *arguments):
        as_postgres(BINARIES / "pg_ctl", "-D", self.folder / "data", *arguments)

    def new_database(self):
        """@return the URL of an empty database"""
        self._made += 1
        name = f"gatehouse{self._made}"
        as_postgres(BINARIES / "createdb", "-h", "127.0.0.1", "-p", self.port, "-U", "gatehouse", name)
        return f"postgresql://gatehouse@127.0.0.1:{self.port}/{name}"
