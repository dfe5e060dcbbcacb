"""L01–L05, L08, L10: TLS of the network door as clients, careless authorities and attackers meet it."""

import hashlib
import socket
import ssl
import subprocess
import threading
import time

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509.oid import ExtendedKeyUsageOID

from peer import ca
from peer.canary import Canary
from peer.client import Closed, Connection, descriptors, resident_kib, tls_context
from peer.messages import Signing
from peer.town import AFTERWARDS, DORMANT, RIVERSIDE, TEST_PATIENT, authority, riverside

KEY = ca.rsa_key("clients of test_tls")


@pytest.fixture(scope="module")
def door(found_town):
    """A town of its own, by the machine's clock; its authority has revoked one certificate."""
    town = found_town("tls-town", at=None)
    town.gateway.stop()
    crl = authority().crl([revoked()])
    town.gateway.configure("crls", [str(town.gateway.write("network.crl", crl))])
    town.gateway.start()
    return town


_made = {}


def revoked():
    return _made.setdefault("revoked", authority().issue("revoked.example", "Client", key=KEY))


def lax(credential, version=None):
    """A client that shows certificates which OpenSSL would not show by itself."""
    context = tls_context(None, version)
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.load_cert_chain(*written(credential))
    return context


def written(credential, _folders={}):
    import tempfile
    if credential not in _folders:
        _folders[credential] = credential.write(tempfile.mkdtemp(prefix="tls-") + "/client")
    return _folders[credential]


def ask(town, credential, version=None):
    """@return the answer, or None where the connection was ended without one"""
    try:
        with town.gateway.connect(None, context=lax(credential, version)) as connection:
            return town.ask(town.find_documents(TEST_PATIENT), connection=connection)
    except Closed:
        return None


def audited(town, mark, credential=None):
    """The one reason for which handshakes since `mark` (with this certificate) were refused."""
    note = "certificate " + hashlib.sha256(credential.der).hexdigest() if credential else None
    for _ in range(30):
        rows = [row for row in town.gateway.audit_since(mark) if row["payload"].get("transaction") == "TLS"
                and (note is None or row["payload"].get("note") == note)]
        if rows:
            assert {row["outcome"] for row in rows} == {"refused"}
            [reason] = {row["reason"] for row in rows}
            return reason
        time.sleep(0.1)
    return "not audited"


class TestL01Versions:
    @pytest.mark.parametrize("version, taken", [
        (ssl.TLSVersion.TLSv1, False), (ssl.TLSVersion.TLSv1_1, False), (ssl.TLSVersion.TLSv1_2, True),
        (ssl.TLSVersion.TLSv1_3, True)], ids=["1.0", "1.1", "1.2", "1.3"])
    @pytest.mark.filterwarnings("ignore::DeprecationWarning")
    def test_l01_from_1_2_on(self, door, version, taken):
        answer = ask(door, riverside().tls, version)
        assert (answer is not None and answer.status == 200) == taken

    def test_l01_a_client_that_fell_back_although_it_need_not_is_told(self, door):
        certificate, key = written(riverside().tls)
        common = ["openssl", "s_client", "-connect", f"127.0.0.1:{door.gateway.network_port}", "-tls1_2", "-cert",
                  certificate, "-key", key]
        fallen = subprocess.run([*common, "-fallback_scsv"], input=b"", capture_output=True, timeout=20, check=False)
        assert b"inappropriate fallback" in fallen.stderr
        twin = subprocess.run(common, input=b"", capture_output=True, timeout=20, check=False)
        assert b"Cipher is ECDHE" in twin.stdout

    @pytest.mark.parametrize("offered, taken", [(["h2"], False), (["h2", "http/1.1"], True), (["http/1.1"], True)])
    def test_l01_alpn_is_http_1_1_or_an_alert(self, door, offered, taken):
        context = tls_context(riverside().tls)
        context.set_alpn_protocols(offered)
        try:
            with Connection(door.gateway.network_port, None, context=context) as connection:
                assert taken and connection.socket.selected_alpn_protocol() == "http/1.1"
        except Closed as refused:
            assert not taken and "no application protocol" in str(refused)


class TestL02Suites:
    CONFIGURED = {"ECDHE-RSA-AES256-GCM-SHA384", "ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-RSA-CHACHA20-POLY1305",
                  "DHE-RSA-AES256-GCM-SHA384", "DHE-RSA-AES128-GCM-SHA256", "DHE-RSA-CHACHA20-POLY1305"}

    def test_l02_of_tls_1_2_are_exactly_the_configured_ones(self, door):
        """Everything OpenSSL's client knows, offered alone; the server's key is RSA."""
        listed = subprocess.run(["openssl", "ciphers", "-tls1_2", "ALL:COMPLEMENTOFALL:eNULL:@SECLEVEL=0"],
                                capture_output=True, text=True, check=True).stdout.strip().split(":")
        suites = [suite for suite in listed if not suite.startswith("TLS_")]
        assert len(suites) > 60 and self.CONFIGURED <= set(suites)
        taken = set()
        for suite in suites:
            context = lax(riverside().tls, ssl.TLSVersion.TLSv1_2)
            try:
                context.set_ciphers(f"{suite}:@SECLEVEL=0")
            except ssl.SSLError:
                continue  # this OpenSSL names it and cannot speak it
            try:
                with Connection(door.gateway.network_port, None, context=context) as connection:
                    taken.add(connection.socket.cipher()[0])
            except Closed:
                pass
        assert taken == self.CONFIGURED

    def test_l02_of_tls_1_3_are_the_three_without_ccm(self, door):
        certificate, key = written(riverside().tls)
        taken = set()
        for suite in ("TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256", "TLS_AES_128_GCM_SHA256",
                      "TLS_AES_128_CCM_SHA256", "TLS_AES_128_CCM_8_SHA256"):
            ran = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{door.gateway.network_port}",
                                  "-tls1_3", "-ciphersuites", suite, "-cert", certificate, "-key", key], input=b"",
                                 capture_output=True, timeout=20, check=False)
            if f"Cipher is {suite}".encode() in ran.stdout:
                taken.add(suite)
        assert taken == {"TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256", "TLS_AES_128_GCM_SHA256"}


class TestL03Records:
    @pytest.mark.parametrize("octets", [
        b"\x16\x03\x01\x44\x00" + b"\x01" * 0x4400, b"\x18\x03\x03\x00\x03\x01\x40\x00", b"\x17\x03\x03\x00\x10" + b"x" * 16,
        b"\x16\x03\x01\x00\x01\x01" * 2000 + b"\x16\x03\x01\x00\x00", b"\x80\x2e\x01\x00\x02" + b"\0" * 41,
    ], ids=["a record of 17 KB", "a heartbeat", "data before the handshake", "records of one octet", "SSLv2"])
    def test_l03_odd_ones_end_the_connection_and_nothing_else(self, door, octets):
        with socket.create_connection(("127.0.0.1", door.gateway.network_port), timeout=8) as plain:
            plain.sendall(octets)
            got = b""
            try:
                while part := plain.recv(4096):
                    got += part
            except ConnectionError:
                pass
            assert len(got) < 100 and not got.startswith(b"HTTP")
        assert ask(door, riverside().tls).status == 200

    def test_l03_early_data_is_never_taken(self, door, tmp_path):
        certificate, key = written(riverside().tls)
        common = ["openssl", "s_client", "-connect", f"127.0.0.1:{door.gateway.network_port}", "-tls1_3", "-cert",
                  certificate, "-key", key]
        ran = subprocess.run([*common, "-sess_out", tmp_path / "session"], input=b"", capture_output=True, timeout=20,
                             check=False)
        assert b"Max Early Data: 0" in ran.stdout or not (tmp_path / "session").exists()


def client_hello(extension=0, record=16384):
    """A good ClientHello in records of so many octets. @param extension  size of one more extension, which nobody knows"""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    outgoing = ssl.MemoryBIO()
    with pytest.raises(ssl.SSLWantReadError):
        context.wrap_bio(ssl.MemoryBIO(), outgoing).do_handshake()
    body = bytearray(outgoing.read()[9:])
    at = 2 + 32
    at += 1 + body[at]
    at += 2 + int.from_bytes(body[at:at + 2], "big")
    at += 1 + body[at]
    if extension:
        body[at:at + 2] = (int.from_bytes(body[at:at + 2], "big") + 4 + extension).to_bytes(2, "big")
        body += b"\xfd\xe8" + extension.to_bytes(2, "big") + bytes(extension)
    message = b"\x01" + len(body).to_bytes(3, "big") + bytes(body)
    parts = (message[begin:begin + record] for begin in range(0, len(message), record))
    return b"".join(b"\x16\x03\x01" + len(part).to_bytes(2, "big") + part for part in parts)


class TestL03Hellos:
    def first_octets(self, door, *pieces):
        """What the server says first: \\x16 for a ServerHello, \\x15 for an alert, nothing where it hangs up."""
        with socket.create_connection(("127.0.0.1", door.gateway.network_port), timeout=8) as plain:
            try:
                for piece in pieces:
                    plain.sendall(piece)
                return plain.recv(1)
            except ConnectionError:
                return b""

    @pytest.mark.parametrize("extension, record", [(0, 16384), (100, 16384), (60_000, 16384), (100, 1), (2000, 7)])
    def test_l03_a_hello_that_is_large_or_in_fragments_is_a_hello(self, door, extension, record):
        memory = resident_kib(door.gateway.process.pid)
        assert self.first_octets(door, client_hello(extension, record)) == b"\x16"
        assert resident_kib(door.gateway.process.pid) - memory < 8 * 1024
        assert ask(door, riverside().tls).status == 200

    def test_l03_one_that_announces_megabytes_is_ended_at_once(self, door):
        memory, begun = resident_kib(door.gateway.process.pid), time.monotonic()
        head = b"\x16\x03\x01\x40\x00\x01\xff\xff\xff\x03\x03" + bytes(16384 - 6)
        more = [b"\x16\x03\x01\x40\x00" + bytes(16384)] * 100
        assert self.first_octets(door, head, *more) in (b"", b"\x15")
        assert time.monotonic() - begun < 4 and resident_kib(door.gateway.process.pid) - memory < 8 * 1024
        assert ask(door, riverside().tls).status == 200


def chain_of_others(count):
    names = [ca.Authority(f"Nobody {number}", key=KEY).credential.certificate for number in range(count)]
    return ca.Credential(KEY, authority().issue("long.example", "Client", key=KEY).certificate, tuple(names))


def l04_cases():
    """name -> (credential, reason), or no reason where it is good: the twins"""
    now, second = ca.datetime.datetime.utcnow(), ca.datetime.timedelta(seconds=1)
    issue = authority().issue

    def client(name, **order):
        return issue(f"{name}.example", "Client", key=KEY, **order)
    end_entity = ca.Authority("Own", key=KEY).issue("own.example", "Client", key=KEY)
    same_name = ca.Authority("Test Network CA", key=ca.rsa_key("same name, other key"))
    subordinate = authority().subordinate("Middle")
    unseen = authority().subordinate("Unseen")
    missing = unseen.issue("missing.example", "Client", key=KEY)
    only_names = x509.NameConstraints([x509.DNSName("elsewhere.example")], None)
    odd = x509.UnrecognizedExtension(x509.ObjectIdentifier("2.999.1"), b"\x05\x00")
    return {
        "good": (client("good"), None),
        "good, through an intermediate": (subordinate.issue("middle.example", "Client", key=KEY), None),
        "good, without extended usage": (client("no-eku", usage=()), None),
        "self-signed": (ca.self_signed("alone.example", "Client", key=KEY), "certificate-path-bad"),
        "of an unknown authority": (end_entity, "issuer-unknown"),
        "of an authority of the same name": (same_name.issue("same.example", "Client", key=KEY), "issuer-unknown"),
        "expired a second ago": (client("old", not_after=now - second), "certificate-expired"),
        "not yet valid": (client("new", not_before=now + 3600 * second), "certificate-not-yet-valid"),
        "revoked": (revoked(), "certificate-revoked"),
        "for servers only": (client("server", usage=[ExtendedKeyUsageOID.SERVER_AUTH]), "certificate-not-for-this-use"),
        "not for signatures": (client("no-ku", key_usage=False), "certificate-not-for-this-use"),
        "RSA of 1024 bit": (issue("weak.example", "Client", key=ca.rsa_key("weak", bits=1024)), "key-too-weak"),
        "signed with SHA-1": (client("sha1", digest=hashes.SHA1()), "certificate-signature-weak"),
        "of an authority without the flag": (authority().subordinate("No CA", certifies=False)
                                             .issue("noca.example", "Client", key=KEY), "certificate-path-bad"),
        "of an authority of version 1": (authority().subordinate_of_version_1("Old")
                                         .issue("v1.example", "Client", key=KEY), "certificate-path-bad"),
        "below too many authorities": (subordinate.subordinate("Lower").issue("low.example", "Client", key=KEY),
                                       "certificate-path-bad"),
        "outside its authority's names": (authority().subordinate("Named", further=[only_names])
                                          .issue("out.example", "Client", key=KEY), "certificate-path-bad"),
        "with an unknown critical extension": (client("odd", critical=[odd]), "certificate-path-bad"),
        "without its intermediate": (ca.Credential(KEY, missing.certificate), "issuer-unknown"),
        "with 20 more certificates": (chain_of_others(20), "client-certificates-too-large"),
        "with 100 KB of certificates": (chain_of_others(140), "client-certificates-too-large"),
    }


L04 = ["good", "good, through an intermediate", "good, without extended usage", "self-signed",
       "of an unknown authority", "of an authority of the same name", "expired a second ago", "not yet valid",
       "revoked", "for servers only", "not for signatures", "RSA of 1024 bit", "signed with SHA-1",
       "of an authority without the flag", "of an authority of version 1", "below too many authorities", "outside its authority's names",
       "with an unknown critical extension", "without its intermediate", "with 20 more certificates",
       "with 100 KB of certificates"]


class TestL04ClientCertificates:
    @pytest.fixture(scope="class")
    def cases(self, door):
        made = l04_cases()
        assert set(made) == set(L04)
        return made

    @pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3], ids=["1.2", "1.3"])
    @pytest.mark.parametrize("name", L04)
    def test_l04_each_is_refused_for_its_own_reason(self, door, cases, name, version):
        credential, reason = cases[name]
        mark = door.gateway.audit_mark()
        answer = ask(door, credential, version)
        if reason is None:
            assert answer is not None, "TLS completes; whether the organization is known is another question"
            return
        assert answer is None
        unread = reason == "client-certificates-too-large"
        assert audited(door, mark, None if unread else credential) == reason

    def test_l04_none_at_all(self, door):
        mark = door.gateway.audit_mark()
        with pytest.raises(Closed), door.gateway.connect(None) as connection:
            door.ask(door.find_documents(TEST_PATIENT), connection=connection)
        assert audited(door, mark) == "client-certificate-missing"

    def test_l04_an_issuers_address_is_never_called(self, found_town):
        with Canary() as canary:
            town = found_town("aia-town", at=None)
            town.gateway.stop()
            town.gateway.configure("fetch_allow", ["127.0.0.1"])
            town.gateway.start()
            unseen = authority().subordinate("Unseen")
            missing = unseen.issue("aia.example", "Client", key=KEY, further=ca.evidence_at(issuers=[canary.url]))
            shown = authority().issue("aia-2.example", "Client", key=KEY, further=ca.evidence_at(issuers=[canary.url]))
            assert ask(town, ca.Credential(KEY, missing.certificate)) is None
            assert ask(town, shown) is not None
            time.sleep(1)
            assert canary.connections == 0


class TestA10SignersOfMessages:
    """The certificate that signed Timestamp and assertion is judged by the same rules, but for extended usage."""

    NAMES = ["good", "for servers only", "of an unknown authority", "of an authority of the same name", "self-signed",
             "expired a second ago", "not yet valid", "revoked", "not for signatures", "RSA of 1024 bit",
             "signed with SHA-1", "with an unknown critical extension"]

    @pytest.fixture(scope="class")
    def cases(self, door):
        door.gateway.command("partner", "tie-key", RIVERSIDE, door.gateway.write("any.pem", revoked().pem))
        yield l04_cases()
        door.gateway.command("partner", "untie", "key", hashlib.sha256(KEY.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)).hexdigest())

    @pytest.mark.parametrize("name", NAMES)
    def test_a10_are_refused_for_the_same_reasons(self, door, cases, name):
        credential, reason = cases[name]
        message = door.find_documents(TEST_PATIENT, door.sender().but(plan=Signing(credential)))
        mark = door.gateway.audit_mark()
        answer = door.ask(message)
        if reason is None or name == "for servers only":
            assert len(answer.query.entries) == 1
            return
        assert answer.status == 400 and "InvalidSecurityToken" in str(answer.fault)
        assert {row["reason"] for row in door.gateway.audit_since(mark) if row["outcome"] not in AFTERWARDS} == {reason}


class TestL05WhoIsNotInTheDirectory:
    def refused(self, town, answer):
        assert answer.status == 400 and "FailedAuthentication" in str(answer.fault)
        return answer

    def test_l05_a_good_chain_of_nobody_authorises_nothing(self, door):
        message = door.find_documents(TEST_PATIENT)
        answer = self.refused(door, door.ask(message, credential=authority().issue("n.example", "Nobody", key=KEY)))
        [event] = door.gateway.audit_of(message.message_id)
        assert event["reason"].startswith("caller-") and answer.fault
        assert door.ask(door.find_documents(TEST_PATIENT)).status == 200

    def test_l05_an_organization_that_is_not_active(self, door):
        sender = door.sender().but(token=door.sender().token.but(home=DORMANT))
        self.refused(door, door.ask(door.find_documents(TEST_PATIENT, sender)))

    def test_l05_one_that_the_last_refresh_took_away(self, door):
        leaving = authority().issue("leaving.example", "Riverside", key=KEY)
        door.gateway.command("partner", "tie-subject", RIVERSIDE, leaving.subject)
        assert door.ask(door.find_documents(TEST_PATIENT), credential=leaving).status == 200
        door.gateway.command("partner", "untie", "subject", leaving.subject)
        self.refused(door, door.ask(door.find_documents(TEST_PATIENT), credential=leaving))

    def test_l05_a_certificate_of_the_staging_environment(self, door):
        staging = ca.Authority("Test Network Staging CA").issue("tls.riverside.example", "Riverside Hospital", key=KEY)
        mark = door.gateway.audit_mark()
        assert ask(door, staging) is None
        assert audited(door, mark, staging) == "issuer-unknown"


def bombs():
    names = x509.SubjectAlternativeName([x509.DNSName(f"n{number}.example") for number in range(2500)])
    policies = x509.CertificatePolicies([x509.PolicyInformation(x509.ObjectIdentifier(f"2.999.{number}"), None)
                                         for number in range(3500)])
    constraints = x509.NameConstraints(None, [x509.DNSName(f"n{number}.example") for number in range(2500)])
    issue = authority().issue
    return {"2,500 names": issue("names.example", "Client", key=KEY, dns=[name.value for name in names]),
            "3,500 policies": issue("policies.example", "Client", key=KEY, further=[policies]),
            "2,500 name constraints against 2,500 names": authority().subordinate("Bound", further=[constraints])
            .issue("bound.example", "Client", key=KEY, dns=[f"x{name.value}" for name in names][:2000]),
            "10,000 names": issue("more.example", "Client", key=KEY,
                                  dns=[f"n{number}.example" for number in range(10_000)]),
            "140 authorities": chain_of_others(140)}


def cpu_seconds(pid):
    fields = open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / 100


class TestL08ChainBombs:
    @pytest.fixture(scope="class")
    def made(self, door):
        return bombs()

    @pytest.mark.parametrize("name", ["2,500 names", "3,500 policies", "2,500 name constraints against 2,500 names",
                                      "10,000 names", "140 authorities"])
    def test_l08_cost_little_and_others_are_served(self, door, made, name):
        pid = door.gateway.process.pid
        memory, time_before, files = resident_kib(pid), cpu_seconds(pid), descriptors(pid)
        begun = time.monotonic()
        for _ in range(5):
            ask(door, made[name])
        assert cpu_seconds(pid) - time_before < 5 and time.monotonic() - begun < 15
        assert resident_kib(pid) - memory < 64 * 1024
        assert ask(door, riverside().tls).status == 200
        assert descriptors(pid) <= files + 8  # a thread may have opened its database, three files


class TestL10HandshakeFlood:
    """Connections that are opened and dropped after the server has paid for its signature."""

    def flood(self, town, seconds, source="127.0.0.1"):
        """@return how often the server answered, and the slowest good handshake meanwhile"""
        port, ends, paid = town.gateway.network_port, time.monotonic() + seconds, []
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE

        def drop():
            while time.monotonic() < ends:
                incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
                client = context.wrap_bio(incoming, outgoing)
                try:
                    client.do_handshake()
                except ssl.SSLWantReadError:
                    pass
                try:
                    with socket.create_connection(("127.0.0.1", port), timeout=5, source_address=(source, 0)) as plain:
                        plain.sendall(outgoing.read())
                        paid.extend(plain.recv(1))
                except ConnectionError:
                    pass
        threads = [threading.Thread(target=drop) for _ in range(4)]
        for thread in threads:
            thread.start()
        slowest = 0.0
        while time.monotonic() < ends - 0.5:
            begun = time.monotonic()
            with town.gateway.connect(riverside().tls):
                slowest = max(slowest, time.monotonic() - begun)
        for thread in threads:
            thread.join()
        assert ask(town, riverside().tls).status == 200
        return len(paid), slowest

    def test_l10_a_good_handshake_takes_less_than_a_second_meanwhile(self, door):
        paid, slowest = self.flood(door, 4, source="127.0.0.2")
        assert paid > 100 and slowest < 1

    def test_l10_who_comes_too_fast_is_turned_away_and_others_are_not(self, found_town):
        town = found_town("flooded-town", at=None)
        town.gateway.stop()
        town.gateway.configure("accepts_per_second_per_address", 20)
        town.gateway.start()
        port, paid, context = town.gateway.network_port, 0, lax(riverside().tls)
        for _ in range(200):
            with socket.create_connection(("127.0.0.1", port), source_address=("127.0.0.2", 0)) as plain:
                try:
                    context.wrap_socket(plain, server_hostname="localhost").close()
                    paid += 1
                except (ssl.SSLError, ConnectionError):
                    pass
        begun = time.monotonic()
        assert ask(town, riverside().tls).status == 200 and time.monotonic() - begun < 1
        text = town.gateway.operator("/metrics").body.decode()
        assert 'what="too-fast"' in text and paid < 150
