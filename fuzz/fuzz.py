#!/usr/bin/python3
"""Runs the fuzz targets over messages of others and our own. [threats.md X17]

    ./fuzz.py                   the short form, in every ./test.sh: the seeds and a fixed number of changes of them
    ./fuzz.py --long            libFuzzer for 20 minutes each, then how much of the code it has reached
    ./fuzz.py --long --seconds 60 --only saml,parsers

Ends with 1 for a finding, and after --long also where a target reaches less than 80 % of the branches of its files:
both outcomes of every condition in the source, as llvm-cov counts them. An input that was found stands in
build/fuzz-corpus/TARGET; `build/dev/fuzz/fuzz_TARGET FILE` runs it again.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
CORPUS = ROOT / "build/fuzz-corpus"
SHARED = os.environ.get("GATEHOUSE_SHARED", str(ROOT / "../shared"))
SEED = 20261125
RUNS = 4000  # changed inputs of the short form
SECONDS = 20 * 60
PROGRESS_SECONDS = 120  # between two words of a target that runs
BRANCHES_PERCENT_MIN = 80
# What one input may cost before it is a finding.
INPUT_SECONDS_MAX = 25
INPUT_BYTES_MAX = 64 << 10
LLVM = "-16"

# target -> the files whose branches it is to reach
TARGETS = {
    "envelope": ("base/xml/gate.cpp", "base/xml/document.cpp", "base/xml/canonical.cpp", "xca/soap/envelope.cpp",
                 "xca/soap/hidden.cpp"),
    "mtom": ("xca/soap/multipart.cpp", "xca/soap/envelope.cpp"),
    "hl7v3": ("xca/hl7v3/read_query.cpp", "xca/hl7v3/echo.cpp", "xca/hl7v3/echo_types.cpp", "xca/hl7v3/lexical.cpp",
              "xca/hl7v3/write_answer.cpp"),
    "ebxml": ("xca/ebxml/read_stored_query.cpp", "xca/ebxml/parameters.cpp", "xca/ebxml/queries.cpp",
              "xca/ebxml/filters.cpp", "xca/ebxml/evaluators.cpp", "xca/ebxml/repository.cpp",
              "xca/ebxml/read_objects.cpp", "xca/ebxml/check_submission.cpp"),
    "saml": ("xca/wss/security.cpp", "xca/wss/assertion.cpp", "certs/xmldsig.cpp"),
    "certificates": ("certs/x509.cpp", "certs/trust.cpp", "certs/revocation.cpp", "certs/ocsp.cpp", "certs/bundle.cpp",
                     "certs/evidence.cpp"),
    "parsers": ("base/xml/gate.cpp", "base/xml/document.cpp"),
}


@dataclass
class Outcome:
    target: str
    line: str
    passed: bool
    seconds: float


def run(*command, **more):
    return subprocess.run([str(part) for part in command], cwd=ROOT, text=True, errors="replace",
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **more)


def must(*command):
    ran = run(*command)
    if ran.returncode:
        sys.exit(ran.stdout[-4000:])
    return ran.stdout


def build(preset, targets):
    if not (ROOT / "build" / preset / "build.ninja").is_file():
        must("cmake", "--preset", preset)
    must("ninja", "-C", f"build/{preset}", *(f"fuzz_{target}" for target in targets))


def program(preset, target):
    return ROOT / "build" / preset / "fuzz" / f"fuzz_{target}"


def complaint(text):
    """The lines of a log that say what was found."""
    said = [line for line in text.splitlines()
            if any(word in line for word in ("FOUND:", "ERROR:", "runtime error:", "what():", "SUMMARY:"))]
    return "; ".join(said[:3]) or text[-300:]


def environment(**more):
    return os.environ | {"GATEHOUSE_SHARED": SHARED, "LLVM_PROFILE_FILE": "/dev/null",
                         "ASAN_SYMBOLIZER_PATH": f"/usr/bin/llvm-symbolizer{LLVM}"} | more


def replay(target):
    began = time.monotonic()
    folder = CORPUS / target
    folder.mkdir(parents=True, exist_ok=True)
    ran = run(program("dev", target), "--runs", RUNS, "--seed", SEED, "--last", folder / "last", env=environment())
    said = ran.stdout.strip().splitlines()[-1:] or ["nothing"]
    line = said[0] if ran.returncode == 0 else f"{complaint(ran.stdout)} (input: {folder / 'last'})"
    return Outcome(target, line, ran.returncode == 0, time.monotonic() - began)


def fuzz(target, seconds):
    began = time.monotonic()
    folder = CORPUS / target
    (folder / "corpus").mkdir(parents=True, exist_ok=True)
    must("rm", "-rf", folder / "seeds")
    ran = run(program("dev", target), "--seeds", folder / "seeds", env=environment())
    if ran.returncode:
        return Outcome(target, complaint(ran.stdout), False, time.monotonic() - began)
    exit_code, said = watched(target, folder / "log", [
        program("fuzz", target), folder / "corpus", folder / "seeds", f"-seed={SEED}", f"-max_total_time={seconds}",
        f"-max_len={INPUT_BYTES_MAX}", f"-timeout={INPUT_SECONDS_MAX}", "-rss_limit_mb=4096",
        f"-artifact_prefix={folder}/", "-print_final_stats=1"])
    stats = dict(line.removeprefix("stat::").split(":", 1) for line in said.splitlines() if line.startswith("stat::"))
    line = f"{int(stats.get('number_of_executed_units', 0)):,} runs in {seconds} s"
    if exit_code:
        return Outcome(target, f"{line}: {complaint(said)}", False, time.monotonic() - began)
    covered, share = coverage(target)
    return Outcome(target, f"{line}; {covered}", share >= BRANCHES_PERCENT_MIN, time.monotonic() - began)


def watched(target, log, command):
    """Exit code and output of libFuzzer, whose progress is told meanwhile."""
    began = time.monotonic()
    with log.open("wb") as out:
        running = subprocess.Popen([str(part) for part in command], cwd=ROOT, stdout=out, stderr=subprocess.STDOUT,
                                   env=environment())
        while running.poll() is None:
            try:
                running.wait(PROGRESS_SECONDS)
            except subprocess.TimeoutExpired:
                words = re.findall(r"^#(\d+)\t.*? cov: (\d+) ft: (\d+)", log.read_text(errors="replace"), re.M)
                runs, edges, features = words[-1] if words else (0, 0, 0)
                print(f"    {target}: {int(runs):,} runs, {edges} edges, {features} features "
                      f"({time.monotonic() - began:.0f} s)", flush=True)
    return running.returncode, log.read_text(errors="replace")


def coverage(target):
    """What seeds and corpus reach together of the target's files: a sentence, and the per cent of branches."""
    folder = CORPUS / target
    raw, merged = folder / "reached.profraw", folder / "reached.profdata"
    ran = run(program("fuzz", target), folder / "corpus", folder / "seeds", "-runs=0", "-detect_leaks=0",
              env=environment(LLVM_PROFILE_FILE=str(raw)))
    if ran.returncode:
        return complaint(ran.stdout), 0
    must(f"llvm-profdata{LLVM}", "merge", "-o", merged, raw)
    exported = subprocess.run([f"llvm-cov{LLVM}", "export", "-summary-only", f"-instr-profile={merged}",
                               str(program("fuzz", target)), *TARGETS[target]], cwd=ROOT, text=True, check=True,
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout
    data = json.loads(exported)["data"][0]
    for file in data["files"]:
        part = file["summary"]["branches"]
        print(f"    {target} {Path(file['filename']).resolve().relative_to(ROOT)}: "
              f"{part['covered']}/{part['count']} branches", flush=True)
    total = data["totals"]
    share = total["branches"]["percent"]
    return (f"branches {total['branches']['covered']}/{total['branches']['count']} = {share:.1f} %, regions "
            f"{total['regions']['percent']:.1f} %, lines {total['lines']['percent']:.1f} %"), share


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--long", action="store_true")
    parser.add_argument("--seconds", type=int, default=SECONDS, help="of libFuzzer for each target")
    parser.add_argument("--only", default="", help="targets, with commas")
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    targets = [name for name in TARGETS if not options.only or name in options.only.split(",")]
    if not targets:
        parser.error(f"the targets are {', '.join(TARGETS)}")
    build("dev", targets)
    if options.long:
        build("fuzz", targets)
    print(f"fuzz targets, seed {SEED}", flush=True)
    outcomes = []
    with ThreadPoolExecutor(options.jobs) as jobs:
        for one in jobs.map(lambda name: fuzz(name, options.seconds) if options.long else replay(name), targets):
            print(f"{one.target}: {'' if one.passed else 'FAILED: '}{one.line} ({one.seconds:.0f} s)", flush=True)
            outcomes.append(one)
    return 0 if all(one.passed for one in outcomes) else 1


if __name__ == "__main__":
    sys.exit(main())
