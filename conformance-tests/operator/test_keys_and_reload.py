"""Keys, certificates and settings of a running gateway: what start refuses, what a reload changes, who is let in."""

import os
import signal
import ssl
import time

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from peer import ca
from peer.client import Closed, Connection
from peer.gateway import PATHS
from peer.town import QUILL, RIVERSIDE, riverside


@pytest.fixture(scope="module")
def own_town(found_town):
    return found_town("reload-town")


def shown_certificate(town):
    with Connection(town.gateway.network_port, riverside().tls) as connection:
        return connection.socket.getpeercert(binary_form=True)


def wait_until(holds, seconds=10):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if holds():
            return True
        time.sleep(0.1)
    return False


def asks_and_is_answered(town, credential=None):
    return town.ask(town.sender().patient_discovery(QUILL), path=PATHS["ITI-55"], credential=credential)


class TestStart:
    @pytest.mark.parametrize("key", ["tls", "signing", "audit"])
    def test_refuses_a_key_that_others_may_read(self, own_town, key):
        file = own_town.gateway.data / "keys" / f"{key}.key"
        os.chmod(file, 0o644)
        try:
            ran = own_town.gateway.run("serve", "--config", own_town.gateway.config)
            assert ran.exit == 1 and "chmod 600" in ran.errors
        finally:
            os.chmod(file, 0o600)

    def test_refuses_a_key_of_another_certificate(self, own_town):
        other = ca.self_signed("other", "Other")
        file = own_town.gateway.data / "keys" / "tls.pem"
        before = file.read_bytes()
        file.write_bytes(other.pem)
        try:
            ran = own_town.gateway.run("certs", "check", "--config", own_town.gateway.config)
            assert ran.exit == 1 and "do not belong together" in ran.errors
        finally:
            file.write_bytes(before)


class TestReload:
    def test_changes_the_tls_certificate_and_keeps_open_connections(self, own_town):
        keys = own_town.gateway.data / "keys"
        fresh = ca.self_signed("localhost", "Hill Valley renewed")
        with own_town.gateway.connect(riverside().tls) as open_connection:
            own_town.ask(own_town.find_documents(QUILL), connection=open_connection)
            (keys / "tls.key").write_bytes(fresh.key_pem)
            (keys / "tls.pem").write_bytes(fresh.pem)
            own_town.gateway.process.send_signal(signal.SIGHUP)
            wanted = fresh.certificate.public_bytes(Encoding.DER)
            assert wait_until(lambda: shown_certificate(own_town) == wanted)
            answer = own_town.ask(own_town.find_documents(QUILL), connection=open_connection)
            assert answer.status == 200 and not answer.fault

    def test_with_a_broken_file_keeps_everything_as_it_was(self, own_town):
        file = own_town.gateway.data / "keys" / "tls.pem"
        before, shown = file.read_bytes(), shown_certificate(own_town)
        file.write_bytes(b"no certificate")
        try:
            own_town.gateway.process.send_signal(signal.SIGHUP)
            assert wait_until(lambda: "reload refused" in own_town.gateway.log.read_text())
            assert shown_certificate(own_town) == shown
        finally:
            file.write_bytes(before)
        assert asks_and_is_answered(own_town).status == 200


class TestWhoIsLetIn:
    def test_a_stranger_is_refused_during_the_handshake_and_that_is_audited(self, own_town):
        mark = own_town.gateway.audit_mark()
        stranger = ca.self_signed("stranger.example", "Stranger")
        with pytest.raises((Closed, ssl.SSLError, OSError)):
            asks_and_is_answered(own_town, credential=stranger)
        assert wait_until(lambda: any(row["payload"].get("transaction") == "TLS"
                                      for row in own_town.gateway.audit_since(mark)))
        refused = [row for row in own_town.gateway.audit_since(mark) if row["payload"].get("transaction") == "TLS"]
        assert {row["reason"] for row in refused} <= {"issuer-unknown", "certificate-path-bad"}

    def test_a_withdrawn_partner_is_answered_nothing_on_an_open_connection(self, own_town):
        with own_town.gateway.connect(riverside().spare) as connection:
            message = own_town.find_documents(QUILL)
            assert own_town.ask(message, connection=connection).status == 200
            sha256 = own_town.gateway.run("certs", "inspect", own_town.gateway.write(
                "spare.pem", riverside().spare.pem), "--json").json["certificates"][0]["sha256"]
            own_town.gateway.command("partner", "untie", "certificate", sha256)
            try:
                after = own_town.ask(own_town.find_documents(QUILL), connection=connection)
                assert after.status == 400 and after.fault
            finally:
                own_town.pin(RIVERSIDE, riverside().spare.pem)


class TestPartnerSettings:
    def test_strict_schema_refuses_what_is_otherwise_only_counted(self, own_town):
        odd = own_town.sender().patient_discovery(QUILL)
        content_type, data = odd.wire()
        data = data.replace(b"<livingSubjectBirthTime>", b"<livingSubjectBirthTime extra='1'>", 1)
        assert b"extra=" in data
        assert not own_town.ask((content_type, data), path=PATHS["ITI-55"]).fault
        own_town.gateway.command("partner", "set", RIVERSIDE, "schema", "strict", "--reason", "test")
        try:
            assert own_town.ask((content_type, data), path=PATHS["ITI-55"]).fault
            assert not asks_and_is_answered(own_town).fault
        finally:
            own_town.gateway.command("partner", "clear", RIVERSIDE, "schema")
