"""The disk under a running gateway: what it is told to write and to keep, calls that fail, a kill at the n-th call, and
the disk as it would be found after the power went off. The recorder is disk.c, preloaded. [threats O01–O03]

The model of a power cut: a write is on the disk for certain once a sync of its file began after it and succeeded. Of
the others any may be there, whole, by single sectors, or not at all; files that were made or removed in a folder that
was not synced since may be so or not, in their order. What a failed sync should have written is gone.
"""

import errno
import mmap
import struct
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

SOURCE = Path(__file__).with_name("disk.c")
OPEN, WRITE, SYNC, TRUNCATE, UNLINK, SEND, READ, SHORT = (1 << bit for bit in range(8))
CONTROL = struct.Struct("<QQIIiI")  # calls, kill_at, kill_after, failing, error, recording
RECORD = struct.Struct("<QQQQQIi")  # begun, ended, inode, offset, length, kind, error
SECTOR = 512


@dataclass(frozen=True)
class Call:
    """A call as it was made; `begun` and `ended` in seconds of the monotonic clock."""
    begun: float
    ended: float
    kind: int
    inode: int
    offset: int = 0
    length: int = 0
    error: int = 0
    data: bytes = b""


class Disk:
    """Given to a gateway (`gateway.disk = Disk(…)`) before its start; looks at its data directory."""

    def __init__(self, folder, data):
        self._folder, self.data = Path(folder), Path(data)
        self._folder.mkdir(parents=True, exist_ok=True)
        self._library = self._folder / "disk.so"
        subprocess.run(["cc", "-O1", "-shared", "-fPIC", "-o", self._library, SOURCE], check=True)
        self._log, control = self._folder / "calls", self._folder / "control"
        self._log.touch()
        control.write_bytes(bytes(CONTROL.size))
        with control.open("r+b") as file:
            self._control = mmap.mmap(file.fileno(), CONTROL.size)

    def environment(self):
        return {"LD_PRELOAD": str(self._library), "DISK_FOLDER": str(self.data), "DISK_LOG": str(self._log),
                "DISK_CONTROL": str(self._folder / "control")}

    def _set(self, **values):
        names = ("calls", "kill_at", "kill_after", "failing", "error", "recording")
        for name, value in values.items():
            offset = struct.calcsize("<" + "QQIIiI"[:names.index(name)])
            struct.pack_into("<" + "QQIIiI"[names.index(name)], self._control, offset, value)

    @property
    def calls(self):
        """How many calls were made since the last start."""
        return CONTROL.unpack_from(self._control)[0]

    def begin(self, kill_at=0, kill_after=False, recording=False):
        """Before a start: counts from 0, and kills before or after the call of this number."""
        self._set(calls=0, kill_at=kill_at, kill_after=int(kill_after), failing=0, error=0, recording=int(recording))
        if recording:
            self._log.write_bytes(b"")
            self._before = {path: path.read_bytes() for path in self.files()}
            self._inodes = {path: path.stat().st_ino for path in (*self._before, *self._folders())}

    def fail(self, kinds, error=errno.EIO):
        self._set(error=error, failing=kinds)

    def heal(self):
        self._set(failing=0)

    def files(self):
        """What is of worth after a crash."""
        return [path for path in self.data.rglob("*") if path.is_file() and not path.name.endswith("-shm")]

    def _folders(self):
        return [self.data, *(path for path in self.data.rglob("*") if path.is_dir())]

    def recorded(self):
        """All calls since begin(recording=True), in the order of their ends."""
        raw, at, calls = self._log.read_bytes(), 0, []
        while at + RECORD.size <= len(raw):
            begun, ended, inode, offset, length, kind, error = RECORD.unpack_from(raw, at)
            at += RECORD.size
            has_data = kind in (OPEN, WRITE, UNLINK)
            data = raw[at:at + length] if has_data else b""
            at += len(data)
            calls.append(Call(begun / 1e9, ended / 1e9, kind, inode, offset, length, error, data))
        return sorted(calls, key=lambda call: call.ended)

    def after_power_cut(self, calls, at, rng, kept=None, honest=True):
        """What is found when the power went off at this instant: path -> bytes.
        @param kept  of what was not synced: "nothing", or some of the "writes" or "sectors"; drawn where it is None
        @param honest  False for a disk that never did what it was told by a sync"""
        calls = [call for call in calls if call.begun <= at]
        kept = kept or rng.choice(["nothing", "writes", "sectors"])
        return _Found(self._before, self._inodes, calls, at, rng, kept, honest).files()

    def put(self, files):
        """Makes the data directory hold these files and no others. No gateway may be running on it."""
        for path in self.data.rglob("*"):
            if path.is_file() and path not in files:
                path.unlink()
        for path, content in files.items():
            if not path.exists() or path.read_bytes() != content:
                path.write_bytes(content)


@dataclass
class _File:
    """Content before, and the calls on it."""
    content: bytearray = field(default_factory=bytearray)
    calls: list = field(default_factory=list)


class _Found:
    def __init__(self, before, inodes, calls, at, rng, kept, honest):
        self._at, self._rng, self._kept, self._honest, self._calls = at, rng, kept, honest, calls
        self._inodes = inodes
        self._files = {inodes[path]: _File(bytearray(content)) for path, content in before.items()}
        for call in calls:
            if call.kind in (OPEN, WRITE, TRUNCATE):
                self._files.setdefault(call.inode, _File()).calls.append(call)

    def _syncs(self, inode):
        return [call for call in self._calls
                if call.kind == SYNC and call.inode == inode and call.ended <= self._at and self._honest]

    def files(self):
        names = {path: inode for path, inode in self._inodes.items() if inode in self._files}
        for call in self._changes_of_folders():
            path = Path(call.data.decode())
            if call.kind == OPEN:
                names[path] = call.inode
            else:
                names.pop(path, None)
        return {path: self._content(inode) for path, inode in names.items()}

    def _changes_of_folders(self):
        """Those that are on the disk: what was synced, and of the rest the first few."""
        changes = [call for call in self._calls if call.kind in (OPEN, UNLINK)]
        safe = 0
        for number, call in enumerate(changes, 1):
            folder = self._inodes[Path(call.data.decode()).parent]
            if any(sync.begun >= call.ended and not sync.error for sync in self._syncs(folder)):
                safe = number
        more = self._rng.randint(0, len(changes) - safe) if self._kept != "nothing" else 0
        return changes[:safe + more]

    def _content(self, inode):
        file, syncs = self._files[inode], self._syncs(inode)
        content = bytearray(file.content)
        for call in file.calls:
            if call.kind == OPEN:
                content.clear()  # made anew, perhaps under the number of one that was removed
                continue
            first = next((sync for sync in syncs if sync.begun >= call.ended), None)
            if first is not None and first.error:
                continue  # the kernel has dropped it, and says so once
            if first is not None:
                self._apply(content, call, whole=True)
            elif self._kept == "writes" and self._rng.random() < 0.5:
                self._apply(content, call, whole=True)
            elif self._kept == "sectors":
                self._apply(content, call, whole=False)
        return bytes(content)

    def _apply(self, content, call, whole):
        if call.kind == TRUNCATE:
            if whole or self._rng.random() < 0.5:
                del content[call.offset:]
                content.extend(bytes(max(0, call.offset - len(content))))
            return
        if whole:
            self._write(content, call.offset, call.data)
            return
        at, end = call.offset, call.offset + len(call.data)
        while at < end:
            sector_end = min(end, (at // SECTOR + 1) * SECTOR)
            if self._rng.random() < 0.5:
                self._write(content, at, call.data[at - call.offset:sector_end - call.offset])
            at = sector_end

    @staticmethod
    def _write(content, offset, data):
        content.extend(bytes(max(0, offset + len(data) - len(content))))
        content[offset:offset + len(data)] = data
