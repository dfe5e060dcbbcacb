"""L07, L12, T17: new keys, new bundles and withdrawn partners while the gateway is under load.

The plain run reloads 10 times in about 6 s; with GATEHOUSE_LONG=1 it is 100 times in 60 s.
"""

import os
import signal
import threading
import time

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from peer import ca, directory
from peer.client import Closed, Connection
from peer.messages import Signing
from peer.town import LAKESIDE, RIVERSIDE, TEST_PATIENT, authority, lakeside, riverside

RELOADS = 100 if os.environ.get("GATEHOUSE_LONG") else 10
PAUSE_S = 0.6


@pytest.fixture(scope="module")
def rolling(found_town):
    town = found_town("rolling-town", at=None)
    town.gateway.stop()
    town.gateway.configure("look_seconds", 1)
    town.gateway.start()
    return town


def reload(town):
    """SIGHUP, and wait for what the log says of it. @return its last word"""
    start = len(town.gateway.log.read_text())
    town.gateway.process.send_signal(signal.SIGHUP)
    for _ in range(100):
        said = town.gateway.log.read_text()[start:]
        words = [word for word in ("reload refused", "bundles reloaded") if word in said]
        if words:
            return words[-1]
        time.sleep(0.05)
    return "nothing"


class Load:
    """Partners who ask all the time: over new connections, and over ones they keep while it lasts."""

    def __init__(self, town):
        self._town, self._stop, self.good, self.failed = town, threading.Event(), 0, []
        self._lock = threading.Lock()

    def __enter__(self):
        plans = [(riverside(), False), (riverside(), True), (lakeside(), False), (lakeside(), True)]
        self._threads = [threading.Thread(target=self._ask, args=plan) for plan in plans]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _ask(self, partner, keeps):
        town, kept = self._town, None
        while not self._stop.is_set():
            try:
                connection = kept or Connection(town.gateway.network_port, partner.tls)
                answer = town.ask(town.find_documents(TEST_PATIENT, town.sender(partner)), connection=connection)
                good, why = len(answer.query.entries) == 1, answer.status
            except Exception as error:  # whatever it is, it is a failed good request
                good, why, connection = False, repr(error), None
            with self._lock:
                self.good += good
                if not good:
                    self.failed.append(why)
            kept = connection if keeps and good else None
            if connection is not None and not kept:
                connection.close()


def test_l12_no_good_request_fails_over_many_reloads_under_load(rolling):
    """New TLS and signing keys, and a new bundle, each time; partners come with old certificates and with new ones."""
    keys, anchors = rolling.gateway.data / "keys", rolling.gateway.folder / "anchor.pem"
    fresh = [ca.self_signed("localhost", f"Hill Valley {number}") for number in range(2)]
    bundles = [authority().credential.pem, authority().credential.pem + ca.Authority("Another CA").credential.pem]
    shown = set()
    with Load(rolling) as load:
        for number in range(RELOADS):
            for name in ("tls", "signing"):
                write_both(keys / name, fresh[number % 2], at_once=number % 3 != 0)
            anchors.write_bytes(bundles[number % 2])
            assert reload(rolling) in ("bundles reloaded", "reload refused")
            time.sleep(PAUSE_S)
            with Connection(rolling.gateway.network_port, riverside().tls) as connection:
                shown.add(connection.socket.getpeercert(binary_form=True))
    assert load.failed == []
    assert load.good > RELOADS
    assert shown == {one.certificate.public_bytes(Encoding.DER) for one in fresh}
    print(f"{load.good} good requests over {RELOADS} reloads")


def write_both(prefix, credential, at_once):
    """Key and certificate, by renaming as an operator should, or one after the other as operators do."""
    for ending, content in ((".key", credential.key_pem), (".pem", credential.pem)):
        path = prefix.with_suffix(ending)
        target = path.with_suffix(ending + ".new") if at_once else path
        target.touch(mode=0o600)
        target.write_bytes(content)
        if at_once:
            target.replace(path)


@pytest.mark.parametrize("what", ["keys/tls.pem", "keys/tls.key", "keys/signing.key", "anchor.pem"])
def test_l12_a_broken_file_keeps_the_old_state_and_says_so(rolling, what):
    gateway = rolling.gateway
    path = gateway.folder / what if what == "anchor.pem" else gateway.data / what
    before = path.read_bytes()
    with Load(rolling) as load:
        path.write_bytes(before[: len(before) // 3])
        try:
            assert reload(rolling) == "reload refused"
            time.sleep(0.5)
        finally:
            path.write_bytes(before)
        assert reload(rolling) == "bundles reloaded"
        time.sleep(0.3)
    assert load.failed == [] and load.good > 0
    said = [line for line in gateway.log.read_text().splitlines() if "reload refused" in line][-1]
    assert path.name in said, "the sentence names the file"


def test_l12_and_a_file_change_alone_is_enough(rolling):
    fresh = ca.self_signed("localhost", "Hill Valley by itself")
    write_both(rolling.gateway.data / "keys/tls", fresh, at_once=True)
    deadline = time.monotonic() + 8
    while True:
        with Connection(rolling.gateway.network_port, riverside().tls) as connection:
            if connection.socket.getpeercert(binary_form=True) == fresh.der:
                return
        assert time.monotonic() < deadline
        time.sleep(0.2)


class TestT17AnOverlapOfKeys:
    def test_t17_old_and_new_of_a_partner_are_both_believed_until_the_old_is_withdrawn(self, rolling):
        old = riverside()
        new_tls = ca.self_signed("tls-2.riverside.example", old.name)
        new_signing = ca.self_signed("sign-2.riverside.example", old.name)

        def answered(tls, signing):
            message = rolling.find_documents(TEST_PATIENT, rolling.sender().but(plan=Signing(signing)))
            try:
                with Connection(rolling.gateway.network_port, tls) as connection:
                    answer = rolling.ask(message, connection=connection)
            except Closed:
                return False
            return not answer.fault and len(answer.query.entries) == 1
        pairs = {"old": (old.tls, old.signing), "new": (new_tls, new_signing), "mixed": (old.tls, new_signing)}

        def who():
            return {name for name, pair in pairs.items() if answered(*pair)}
        assert who() == {"old"}, "the new key is not in the directory yet"
        for one in (new_tls, new_signing):
            rolling.pin(RIVERSIDE, one.pem)
        assert who() == {"old", "new", "mixed"}
        withdrawn = rolling.gateway.write("old.pem", old.signing.pem)
        sha256 = rolling.gateway.run("certs", "inspect", withdrawn, "--json").json["certificates"][0]["sha256"]
        rolling.gateway.command("partner", "untie", "certificate", sha256)
        try:
            assert who() == {"new", "mixed"}
        finally:
            rolling.pin(RIVERSIDE, old.signing.pem)


class TestL07OpenConnections:
    """An idle connection ends within look_seconds (here 1, at most 60); those of others stay."""

    def ends(self, town, partner, change, put_back):
        other = riverside() if partner is lakeside() else lakeside()
        with Connection(town.gateway.network_port, partner.tls) as gone, \
                Connection(town.gateway.network_port, other.tls) as stays:
            for connection, one in ((gone, partner), (stays, other)):
                answer = town.ask(town.find_documents(TEST_PATIENT, town.sender(one)), connection=connection)
                assert answer.status == 200
            change()
            try:
                assert gone.is_closed(within_s=5)
                assert not stays.is_closed(within_s=0.2)
                stays.socket.settimeout(10)
                message = town.find_documents(TEST_PATIENT, town.sender(other))
                assert town.ask(message, connection=stays).status == 200
            finally:
                put_back()

    def test_l07_of_a_partner_whose_certificate_was_untied(self, rolling):
        inspect = rolling.gateway.run("certs", "inspect", rolling.gateway.write("tls.pem", riverside().tls.pem), "--json")
        sha256 = inspect.json["certificates"][0]["sha256"]
        self.ends(rolling, riverside(), lambda: rolling.gateway.command("partner", "untie", "certificate", sha256),
                  lambda: rolling.pin(RIVERSIDE, riverside().tls.pem))

    def test_l07_of_a_partner_that_is_no_longer_active(self, rolling):
        def tell(active):
            bundle = directory.bundle(directory.Organization(LAKESIDE, "Lakeside Clinic", active=active))
            rolling.gateway.command("partner", "import", rolling.gateway.write("lakeside.json", bundle))
        self.ends(rolling, lakeside(), lambda: tell(False), lambda: tell(True))

    def test_l07_of_an_authority_that_was_removed(self, rolling):
        anchors = rolling.gateway.folder / "anchor.pem"
        before = anchors.read_bytes()
        self.ends(rolling, lakeside(), lambda: anchors.write_bytes(ca.Authority("Another CA").credential.pem),
                  lambda: (anchors.write_bytes(before), reload(rolling)))

    def test_l07_of_a_certificate_on_a_new_list(self, found_town):
        town = found_town("listed-town", at=None)
        town.gateway.stop()
        crl = town.gateway.write("network.crl", authority().crl())
        town.gateway.configure("crls", [str(crl)])
        town.gateway.configure("look_seconds", 1)
        town.gateway.start()
        self.ends(town, lakeside(), lambda: crl.write_bytes(authority().crl([lakeside().tls])),
                  lambda: crl.write_bytes(authority().crl()))
