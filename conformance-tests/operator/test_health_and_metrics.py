"""The operator's door: health, readiness and metrics, on loopback only and without a word about patients."""

import pytest

from peer.client import Closed
from peer.gateway import PATHS
from peer.metrics import metrics, total
from peer.town import PATIENT_WORDS, QUILL, STRANGER, TEST_PATIENT, riverside


class TestHealth:
    @pytest.mark.parametrize("path", ["/healthz", "/readyz"])
    def test_of_a_running_gateway_is_well(self, town, path):
        assert town.gateway.operator(path).status == 200

    def test_is_not_told_on_the_network_door(self, town):
        for path in ("/healthz", "/readyz", "/metrics"):
            with town.gateway.connect(riverside().tls) as connection:
                assert connection.request("GET", path).status in (404, 405)

    def test_knows_no_other_path(self, town):
        assert town.gateway.operator("/").status == 404
        assert town.gateway.operator("/../etc/passwd").status in (400, 404)


class TestMetrics:
    def test_are_prometheus_text(self, town):
        answer = town.gateway.operator("/metrics")
        assert answer.status == 200 and answer.content_type.startswith("text/plain")
        assert metrics(town)

    def test_count_answers_by_transaction_and_outcome(self, town):
        before = metrics(town)
        town.ask(town.sender().patient_discovery(QUILL), path=PATHS["ITI-55"])
        town.ask(town.sender().patient_discovery(STRANGER), path=PATHS["ITI-55"])
        after = metrics(town)
        for outcome in ("released", "no-match"):
            assert total(after, "ITI-55", outcome) == total(before, "ITI-55", outcome) + 1

    def test_name_no_patient(self, town):
        town.ask(town.sender().patient_discovery(TEST_PATIENT), path=PATHS["ITI-55"])
        text = town.gateway.operator("/metrics").body.decode()
        assert [word for word in PATIENT_WORDS if word in text] == []


class TestTheLog:
    def test_names_no_patient(self, town):
        town.ask(town.find_documents(QUILL))
        town.ask(("text/plain", b"Quillfeather"))
        text = town.gateway.log.read_text()
        assert [word for word in PATIENT_WORDS if word in text] == []

    def test_is_one_json_object_a_line(self, town):
        lines = town.gateway.log.read_text().splitlines()
        assert lines and all(line.startswith("{") and line.endswith("}") for line in lines)


class TestTheNetworkDoor:
    @pytest.mark.parametrize("method, path, statuses", [
        ("GET", PATHS["ITI-55"], (405,)), ("PUT", PATHS["ITI-55"], (405,)), ("POST", "/", (404,)),
        ("POST", "/ihe/xcpd/", (404,)), ("POST", "/ihe/../ihe/xcpd", (400, 404)), ("TRACE", PATHS["ITI-55"], (405,)),
    ])
    def test_answers_exactly_its_table(self, town, method, path, statuses):
        with town.gateway.connect(riverside().tls) as connection:
            assert connection.request(method, path, "application/soap+xml").status in statuses

    def test_takes_any_transaction_at_any_of_its_paths(self, town):
        for path in PATHS.values():
            found = town.ask(town.sender().patient_discovery(QUILL), path=path).discovery
            assert found.query_response == "OK"

    def test_refuses_other_media_types(self, town):
        assert town.ask(("application/json", b"{}")).status == 415

    def test_keeps_a_connection_for_many_requests(self, town):
        with town.gateway.connect(riverside().tls) as connection:
            for _ in range(5):
                assert town.ask(town.find_documents(QUILL), connection=connection).status == 200


def test_it_stops_when_asked_and_lets_nobody_in_afterwards(found_town):
    town = found_town("stopping-town", at=None)
    assert town.gateway.stop() == 0
    with pytest.raises((Closed, ConnectionError)):
        town.gateway.connect(riverside().tls)
