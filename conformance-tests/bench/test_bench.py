"""`gatehouse bench`: the form of what it writes, and that what it measured was right. Never how fast it was."""

import json
import shutil
import subprocess

import pytest


@pytest.fixture(scope="module")
def bench(built, tmp_path_factory):
    """Runs a short bench of one figure. @return (completed process, folder)"""
    folder = tmp_path_factory.mktemp("bench")

    def run(*arguments):
        return subprocess.run([str(built), "bench", "--quick", "--scratch", str(folder), *arguments], cwd=folder,
                              capture_output=True, text=True, timeout=300), folder
    return run


@pytest.fixture(scope="module")
def measured(bench):
    done, folder = bench("--only", "iti55_inprocess", "--json", "bench.json")
    assert done.returncode == 0, done.stderr
    return json.loads((folder / "bench.json").read_text()), done.stdout


def figures(document):
    return {figure["name"]: figure for figure in document["figures"]}


def test_every_figure_has_the_five_members(measured):
    for figure in measured[0]["figures"]:
        assert list(figure) == ["name", "value", "unit", "reference", "ratio"]
        assert figure["value"] > 0


def test_a_figure_stands_beside_what_was_measured_in_the_same_run(measured):
    figure = figures(measured[0])["iti55_inprocess"]
    assert figure["ratio"] == pytest.approx(figure["reference"] / figure["value"], abs=0.002)
    assert figure["reference"] == pytest.approx(figures(measured[0])["rsa_sign"]["value"], rel=0.9)


def test_only_the_figure_asked_for_is_measured_beside_r(measured):
    assert set(figures(measured[0])) <= {"rsa_sign", "openssl_speed_sign", "iti55_inprocess",
                                         "iti55_inprocess_audit_batch"}


def test_people_get_a_table_in_words(measured):
    assert "beside R" in measured[1]
    assert "{" not in measured[1]


def test_xmlsec1_verifies_the_sampled_answers(measured):
    if not shutil.which("xmlsec1"):
        pytest.skip("no xmlsec1 here (Debian package xmlsec1)")
    assert measured[0]["sample"] == {"verified": 10, "of": 10, "reason": ""}


def test_nothing_is_left_behind(bench):
    done, folder = bench("--only", "iti55_single_client", "--json", "-")
    assert done.returncode == 0, done.stderr
    assert "iti55_single_client_p99" in figures(json.loads(done.stdout))
    assert not list(folder.glob("gatehouse-bench-*"))


def test_queries_and_documents_are_measured_over_the_wire(bench):
    done, _ = bench("--only", "iti38_20,iti39_5mb", "--json", "-")
    assert done.returncode == 0, done.stderr
    measured = figures(json.loads(done.stdout))
    assert measured["iti38_20"]["reference"] == pytest.approx(measured["rsa_sign"]["value"], rel=0.9)
    assert measured["iti39_5mb"]["ratio"] < 1, "sending alone is the reference"
    assert 0 < measured["iti39_5mb_memory"]["value"] <= 1024, "KiB for each transfer"


def test_matching_finds_noisy_queries_and_never_the_twin(bench):
    done, _ = bench("--only", "match_1m", "--json", "-")
    assert done.returncode == 0, done.stderr
    measured = figures(json.loads(done.stdout))
    assert measured["match_recall"]["value"] >= 95
    for among in ("noisy", "twins", "fathers", "housemates", "other_ssn"):
        assert measured[f"match_wrong_{among}"]["value"] == 0
    assert "match_10k_name_p99" in measured


def test_what_takes_a_million_patients_is_measured_by_name_alone(bench, built):
    shown = subprocess.run([str(built), "bench", "--help"], capture_output=True, text=True, check=True).stdout
    assert "by name alone, because they take minutes with their million patients, match_1m and denial" \
        in " ".join(shown.split())


def test_the_started_program_is_weighed(bench):
    done, _ = bench("--only", "cores,start", "--json", "-")
    assert done.returncode == 0, done.stderr
    measured = figures(json.loads(done.stdout))
    assert {"cores", "start", "start_idle_memory", "start_connection_memory"} <= set(measured)
    assert 5 < measured["start_idle_memory"]["value"] < 500


def test_bad_signatures_are_refused_and_honest_requests_answered(bench):
    done, _ = bench("--only", "refuse", "--json", "-")
    assert done.returncode == 0, done.stderr
    assert {"refuse", "refuse_honest_p99"} <= set(figures(json.loads(done.stdout)))


@pytest.mark.both_databases
def test_denied_and_absent_are_asked_for_and_held_against_each_other(bench, databases):
    """Few questions, on a machine that does other things: that they are answered alike, not how alike in time."""
    url = databases()
    done, _ = bench("--only", "denial", "--json", "-", *(["--postgresql", url] if url else []))
    assert done.returncode == 0, done.stderr
    measured = figures(json.loads(done.stdout))
    for database in ("sqlite", "postgresql") if url else ("sqlite",):
        for condition in ("warm_1", "warm_16", "cold_1", "cold_16"):
            assert 0 < measured[f"denial_{database}_{condition}_auc"]["value"] < 1


@pytest.mark.parametrize("arguments", [("--only", "iti55"), ("--only", ""), ("--rounds", "0"), ("--rounds", "many")])
def test_what_cannot_be_measured_is_refused_before_anything_is(bench, arguments):
    done, folder = bench(*arguments)
    assert done.returncode == 1
    assert done.stderr.startswith("gatehouse bench: ")
    assert not list(folder.glob("gatehouse-bench-*"))
