"""H01, H08, H10, H11: clients that are slow in their thousands, break off anywhere, want what is not made, or claim to
be somebody else. After each of them a good request is answered and nothing is left open."""

import resource
import socket
import ssl
import struct
import time

import pytest

from peer.client import Closed, descriptors, resident_kib
from peer.gateway import PATHS
from peer.town import QUILL, riverside

CROWD = 4000


@pytest.fixture(scope="module")
def town(found_town):
    """With descriptors for a crowd, here and, inherited, in the gateway."""
    def roomy(gateway):
        gateway.configure("connections", 10_000)
        gateway.configure("accepts_per_second_per_address", 10_000)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    assert hard == resource.RLIM_INFINITY or hard > CROWD + 500, "too few descriptors for this test: ulimit -Hn"
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, CROWD + 500), hard))
    yield found_town("http-edges", at=None, configure=roomy)
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def question(town):
    return town.sender().patient_discovery(QUILL)


def ask(town, *fields, connection=None, method="POST", path=PATHS["ITI-55"]):
    """A good question with further header fields. @return its MessageID, and the answer"""
    message = question(town)
    content_type, body = message.wire()
    if connection is None:
        with town.gateway.connect(riverside().tls) as own:
            return message.message_id, own.request(method, path, content_type, body, fields)
    return message.message_id, connection.request(method, path, content_type, body, fields)


def raw(town):
    content_type, body = question(town).wire()
    return (f"POST {PATHS['ITI-55']} HTTP/1.1\r\nHost: localhost:{town.gateway.network_port}\r\n"
            f"Content-Type: {content_type}\r\nContent-Length: {len(body)}\r\n\r\n").encode() + body


def is_served(town):
    _, answer = ask(town)
    return answer.status == 200 and answer.discovery.query_response == "OK" and answer.seconds < 2


def settle(town, most, within_s=3):
    """Waits until no more descriptors than that are open."""
    deadline = time.monotonic() + within_s
    while descriptors(town.gateway.process.pid) > most:
        assert time.monotonic() < deadline, f"{descriptors(town.gateway.process.pid)} descriptors are open"
        time.sleep(0.05)


class TestH01:
    def test_h01_four_thousand_that_say_nothing_cost_little_and_are_ended(self, town):
        """TCP connections of many addresses, without a byte: handshakes that do not come."""
        assert is_served(town)
        pid = town.gateway.process.pid
        before, memory = descriptors(pid), resident_kib(pid)
        crowd = []
        try:
            for number in range(CROWD):
                source = f"127.0.{1 + number // 200}.{1 + number % 200}"
                crowd.append(socket.create_connection(("127.0.0.1", town.gateway.network_port), timeout=5,
                                                      source_address=(source, 0)))
            deadline = time.monotonic() + 4
            while descriptors(pid) - before < CROWD / 2:  # a slow machine lets them in by and by, and ends the first
                assert time.monotonic() < deadline, descriptors(pid)
                time.sleep(0.02)
            assert is_served(town), "others are served meanwhile"
            assert resident_kib(pid) - memory < CROWD * 64
            settle(town, before + 10, within_s=12)  # by the deadline of the handshake, 5 s
        finally:
            for connection in crowd:
                connection.close()
        assert is_served(town)


class TestH08:
    @pytest.mark.parametrize("layer", ["TCP", "TLS"])
    def test_h08_a_half_closed_client_gets_its_answer(self, town, layer):
        with town.gateway.connect(riverside().tls) as connection:
            connection.send(raw(town))
            if layer == "TCP":
                socket.socket.shutdown(connection.socket, socket.SHUT_WR)
            else:
                connection.socket.setblocking(False)
                with pytest.raises(ssl.SSLWantReadError):  # its own end is not waited for
                    connection.socket._sslobj.shutdown()
                connection.socket.settimeout(5)
            assert connection.read_answer().status == 200
            assert connection.is_closed()
        assert is_served(town)

    def test_h08_a_reset_at_every_kilobyte_of_a_request_leaves_nothing_behind(self, town):
        assert is_served(town)
        before, whole = descriptors(town.gateway.process.pid), raw(town)
        cuts = [*range(0, len(whole), 1024), len(whole) - 1]
        for cut in cuts:
            reset_after(town, whole[:cut])
        assert len(cuts) > 10
        settle(town, before + 4)
        assert is_served(town)

    def test_h08_a_reset_at_every_kilobyte_of_an_answer_leaves_nothing_behind_and_is_noted(self, town):
        mark, before = town.gateway.audit_mark(), descriptors(town.gateway.process.pid)
        for cut in range(0, 8):
            reset_after(town, raw(town), read=cut * 1024)
        settle(town, before + 4)
        time.sleep(0.2)
        rows = town.gateway.audit_since(mark)
        released = {row["request"] for row in rows if row["outcome"] == "released"}
        noted = [row["request"] for row in rows if row["outcome"] in ("sent", "aborted") and row["request"] in released]
        assert len(released) == 8 and sorted(noted) == sorted(released)
        assert is_served(town)

    def test_h08_a_thousand_requests_in_one_breath_are_answered_in_order_or_not_at_all(self, town):
        with town.gateway.connect(riverside().tls) as connection:
            connection.socket.settimeout(10)
            try:
                connection.send(b"GET /nowhere HTTP/1.1\r\nHost: localhost\r\n\r\n" * 1000)
                for _ in range(1000):
                    assert connection.read_answer().status in (400, 404, 421)
            except Closed:
                pass
        assert is_served(town)


def reset_after(town, octets, read=0):
    """Sends, reads so many octets of what comes, and resets the connection."""
    connection = town.gateway.connect(riverside().tls)
    if octets:
        connection.send(octets)
    got = 0
    while got < read:
        part = connection.socket.recv(min(1024, read - got))
        if not part:
            break
        got += len(part)
    if octets and not read:
        time.sleep(0.02)
    connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


class TestH10:
    """What a client says it would accept is not looked at [RFC 9110 §12.5.1]: SOAP clients write odd lists."""

    @pytest.mark.parametrize("accept", ["image/png", "text/html, */*;q=0.1", "application/soap+xml;q=0", "x" * 5000])
    def test_h10_accept_is_not_looked_at(self, town, accept):
        _, answer = ask(town, f"Accept: {accept}")
        assert (answer.status, answer.discovery.query_response) == (200, "OK")


class TestH11:
    CLAIMS = ("X-Forwarded-For: 203.0.113.77", "X-Real-IP: 203.0.113.77", "Forwarded: for=203.0.113.77;host=evil",
              "X-Original-URL: /metrics", "X-Rewrite-URL: /metrics", "X-Forwarded-Host: evil.example",
              "Via: 1.1 evil.example")

    @pytest.mark.parametrize("field", [*CLAIMS, "Upgrade: h2c", "Upgrade: websocket", "Range: bytes=0-1",
                                       "Range: bytes=" + ",".join(f"{n}-{n}" for n in range(1000)),
                                       "If-None-Match: " + "x" * 7000,
                                       "If-Modified-Since: Sat, 01 Jan 2050 00:00:00 GMT"],
                             ids=lambda field: field[:30])
    def test_h11_what_is_not_for_us_changes_nothing(self, town, field):
        message_id, answer = ask(town, field)
        assert (answer.status, answer.discovery.query_response) == (200, "OK")
        [event] = [row for row in town.gateway.audit_of(message_id) if row["outcome"] == "released"]
        assert event["payload"]["address"] == "127.0.0.1"
        assert "203.0.113.77" not in str(event) and "evil" not in str(event)

    def test_h11_a_proxy_line_before_the_handshake_is_no_handshake(self, town):
        with socket.create_connection(("127.0.0.1", town.gateway.network_port), timeout=8) as plain:
            plain.sendall(b"PROXY TCP4 203.0.113.77 127.0.0.1 1 443\r\n")
            try:
                assert len(plain.recv(100)) < 100 and plain.recv(100) == b""
            except ConnectionError:
                pass
        assert is_served(town)

    @pytest.mark.parametrize("line, statuses", [
        ("CONNECT evil.example:443 HTTP/1.1", (400, 405)), ("OPTIONS * HTTP/1.1", (400, 404, 405)),
        ("TRACE /ihe/xcpd HTTP/1.1", (405,)), ("PRI * HTTP/2.0", (400, 505))])
    def test_h11_methods_of_others_are_refused(self, town, line, statuses):
        with town.gateway.connect(riverside().tls) as connection:
            connection.send(f"{line}\r\nHost: localhost:{town.gateway.network_port}\r\n\r\n".encode())
            assert connection.read_answer().status in statuses
        assert is_served(town)
