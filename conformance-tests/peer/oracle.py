"""The FHIR oracle of others: base R4 and IHE profiles. It is copied beside what it needs, fetched once for a user."""

import hashlib
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from .judges import SHARED

SOURCE = SHARED / "oracle" / "fhir"
NODE = "node@20"  # the oracle asks for it; Debian 12 has 18


def _prepared():
    """@return a folder with the oracle and everything it needs"""
    digest = hashlib.sha256(b"".join(file.read_bytes() for file in sorted(SOURCE.glob("*.*")))).hexdigest()[:16]
    folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / f"gatehouse-oracle-{digest}"
    if not (folder / "ready").exists():
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(SOURCE, folder, copy_function=shutil.copyfile)
        for path in (folder, folder / "profiles"):
            path.chmod(0o755)
        run = subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--silent", NODE], cwd=folder,
                             capture_output=True, text=True, timeout=600)
        if run.returncode != 0:
            pytest.skip(f"what the FHIR oracle needs could not be fetched: {run.stderr[-200:]}")
        (folder / "ready").touch()
    return folder


def complaints(text, tmp_path, profile=None):
    """@return what the oracle says against a resource; empty where it is valid"""
    if not SOURCE.is_dir() or not shutil.which("npm"):
        pytest.skip("no FHIR oracle here, or no npm to fetch what it needs")
    folder, file = _prepared(), tmp_path / "resource.json"
    file.write_text(text)
    run = subprocess.run([folder / "node_modules" / ".bin" / "node", folder / "validate.mjs",
                          *(["--profile", profile] if profile else []), file], capture_output=True, text=True,
                         timeout=120)
    assert run.returncode in (0, 1) and not run.stderr, run.stderr
    return "" if run.returncode == 0 else run.stdout
