"""Private keys in a PKCS#11 token (SoftHSM): TLS, signed answers and the audit chain with keys no file holds."""

import os
import ssl
import subprocess
from pathlib import Path

import pytest

from peer import ca
from peer.client import tls_context
from peer.judges import signature_complaint
from peer.town import TEST_PATIENT, riverside

MODULE = Path("/usr/lib/softhsm/libsofthsm2.so")
PIN = "s;e/c?r%t 1"


class Token:
    """A SoftHSM token in a folder of its own."""

    def __init__(self, folder):
        self._folder = folder
        (folder / "tokens").mkdir(parents=True)
        self.configuration = folder / "softhsm2.conf"
        self.configuration.write_text(f"directories.tokendir = {folder}/tokens\nlog.level = ERROR\n")
        self._run("--init-token", "--free", "--label", "gatehouse", "--so-pin", "12345678", "--pin", PIN)

    def _run(self, *arguments):
        subprocess.run(["softhsm2-util", *arguments], check=True, capture_output=True,
                       env={**os.environ, "SOFTHSM2_CONF": str(self.configuration)})

    def take(self, name, number, key_pem):
        path = self._folder / f"{name}.key"
        path.write_bytes(key_pem)
        self._run("--import", str(path), "--token", "gatehouse", "--label", name, "--id", number, "--pin", PIN)
        path.unlink()
        return f"pkcs11:token=gatehouse;object={name};type=private"


@pytest.fixture(scope="module")
def tokens(found_town, tmp_path_factory):
    if not MODULE.is_file():
        pytest.skip("no SoftHSM here (Debian package softhsm2)")
    token = Token(tmp_path_factory.mktemp("token"))
    os.environ["SOFTHSM2_CONF"] = str(token.configuration)  # for the gateways started from here on
    town = found_town("token-town", at=None)
    town.gateway.stop()
    yield town, token
    del os.environ["SOFTHSM2_CONF"]


def configure(town, key_of, uri):
    """Sets `key` of one section of the configuration."""
    text = town.gateway.config.read_text()
    begin = text.index(f"[{key_of}]")
    at = text.index("\nkey = ", begin) + 1
    town.gateway.config.write_text(text[:at] + f'key = "{uri}"' + text[text.index("\n", at):])


def configured(tokens, pin_mode=0o600):
    town, token = tokens
    keys = town.gateway.data / "keys"
    pin = town.gateway.write("pin", PIN + "\n")
    pin.chmod(pin_mode)
    town.gateway.configure("module", str(MODULE))
    town.gateway.configure("pin_file", str(pin))
    return town, token, keys


def test_the_program_serves_and_signs_with_keys_of_a_token(tokens):
    town, token, keys = configured(tokens)
    for number, (section, name) in enumerate((("network", "tls"), ("signing", "signing"), ("audit", "audit")), 1):
        uri = token.take(name, f"0{number}", (keys / f"{name}.key").read_bytes())
        (keys / f"{name}.key").unlink()
        configure(town, section, uri)
    assert town.gateway.command("certs", "check").exit == 0
    town.gateway.start()
    for version in ("TLSv1.2", "TLSv1.3"):
        with town.gateway.connect(riverside().tls, context=context(version)) as connection:
            assert connection.socket.version() == version
            answer = town.ask(town.find_documents(TEST_PATIENT), connection=connection)
            assert len(answer.query.entries) == 1
            assert signature_complaint(answer.envelope, town.gateway.certificate("signing")) == ""
    assert town.gateway.verify_audit()[0] == 0
    assert PIN not in town.gateway.log.read_text()
    assert town.gateway.stop() == 0


def context(version):
    wanted = {"TLSv1.2": ssl.TLSVersion.TLSv1_2, "TLSv1.3": ssl.TLSVersion.TLSv1_3}[version]
    return tls_context(riverside().tls, wanted)


def refused(town):
    ran = town.gateway.run("serve", "--config", town.gateway.config)
    assert ran.exit == 1 and PIN not in ran.errors + ran.output
    return ran.errors


class TestStart:
    """One sentence for each thing that can be wrong; the test above is the twin."""

    def test_refuses_a_wrong_pin(self, tokens):
        town, _, _ = configured(tokens)
        town.gateway.write("pin", "0000\n")
        assert "wrong PIN" in refused(town)

    def test_takes_the_pin_from_the_environment_before_the_file(self, tokens, monkeypatch):
        town, _, _ = configured(tokens)
        town.gateway.write("pin", "0000\n")
        monkeypatch.setenv("GATEHOUSE_PKCS11_PIN", PIN)
        assert town.gateway.command("certs", "check").exit == 0

    def test_refuses_a_pin_file_that_others_may_read(self, tokens):
        town, _, _ = configured(tokens, pin_mode=0o644)
        assert "chmod 600" in refused(town)

    def test_refuses_a_key_that_is_not_there(self, tokens):
        town, _, _ = configured(tokens)
        before = town.gateway.config.read_text()
        configure(town, "network", "pkcs11:token=gatehouse;object=nobody")
        assert "no such key" in refused(town)
        town.gateway.config.write_text(before)

    def test_refuses_a_pin_in_the_uri(self, tokens):
        town, _, _ = configured(tokens)
        before = town.gateway.config.read_text()
        configure(town, "network", "pkcs11:token=gatehouse;object=tls;pin-value=1234")
        assert "pin_file" in refused(town)
        town.gateway.config.write_text(before)

    def test_refuses_without_a_module(self, tokens):
        town, _, _ = configured(tokens)
        town.gateway.configure("module", "")
        assert "pkcs11.module" in refused(town)
        town.gateway.configure("module", "/nowhere.so")
        assert "/nowhere.so" in refused(town)

    def test_refuses_a_certificate_of_another_key(self, tokens):
        town, _, keys = configured(tokens)
        before = (keys / "tls.pem").read_bytes()
        (keys / "tls.pem").write_bytes(ca.self_signed("localhost", "Other").pem)
        assert "do not belong together" in refused(town)
        (keys / "tls.pem").write_bytes(before)
