"""HTTP/1.1 over mutual TLS, byte by byte: what a peer sends is exactly what the test wrote. [RFC 9112; IHE ITI-19]"""

import http.client
import os
import random
import socket
import ssl
import tempfile
import time
from functools import lru_cache
from pathlib import Path

from .answers import Answer

TIMEOUT_S = 15


class Closed(ConnectionError):
    """The gateway closed the connection, or refused the handshake, instead of answering."""


@lru_cache(maxsize=None)
def _files(credential):
    folder = Path(tempfile.mkdtemp(prefix="peer-"))
    return credential.write(folder / "client")


def tls_context(credential, version=None):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE  # pinned below: the gateway's clock need not be ours
    if version is not None:
        context.minimum_version = context.maximum_version = version
    if credential is not None:
        context.load_cert_chain(*_files(credential))
    return context


class Connection:
    """One keep-alive connection. @param server  DER of the certificate the gateway must show, or None to not ask"""

    def __init__(self, port, credential, server=None, context=None, host="localhost", session=None):
        self.port, self._buffer = port, bytearray()
        plain = socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT_S)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        context = context or tls_context(credential)
        try:
            self.socket = context.wrap_socket(plain, server_hostname=host, session=session)
        except (ssl.SSLError, ConnectionError, OSError) as refused:
            plain.close()
            raise Closed(str(refused)) from refused
        if server is not None and self.socket.getpeercert(binary_form=True) != server:
            raise Closed("the gateway shows another certificate than its own")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def send(self, data):
        try:
            self.socket.sendall(data)
        except (ssl.SSLError, ConnectionError) as gone:
            raise Closed(str(gone)) from gone

    def _more(self):
        try:
            data = self.socket.recv(65536)
        except (ssl.SSLError, ConnectionError, TimeoutError) as gone:
            raise Closed(str(gone)) from gone
        if not data:
            raise Closed("closed before the answer was complete")
        self._buffer += data

    def _until(self, mark):
        while mark not in self._buffer:
            self._more()
        head, _, self._buffer = self._buffer.partition(mark)
        return bytes(head)

    def _exactly(self, count):
        while len(self._buffer) < count:
            self._more()
        data = bytes(memoryview(self._buffer)[:count])
        del self._buffer[:count]
        return data

    def _chunks(self):
        body = b""
        while size := int(self._until(b"\r\n").split(b";")[0], 16):
            body += self._exactly(size)
            self._exactly(2)
        self._until(b"\r\n")
        return body

    def wait_for_answer(self):
        """Until the first octets of an answer are here, of which no more than these are read."""
        if not self._buffer:
            self._more()

    def read_answer(self):
        """@raise Closed where no complete answer came"""
        start = time.monotonic()
        lines = self._until(b"\r\n\r\n").split(b"\r\n")
        status = int(lines[0].split()[1])
        headers = {}
        for line in lines[1:]:
            name, _, value = line.decode("latin-1").partition(":")
            headers[name.strip().lower()] = value.strip()
        if headers.get("transfer-encoding", "").lower() == "chunked":
            body = self._chunks()
        else:
            body = self._exactly(int(headers.get("content-length", 0)))
        return Answer(status, headers, body, time.monotonic() - start)

    def request(self, method, path, content_type="", body=b"", extra=()):
        """Sends one well-formed request and reads its answer."""
        fields = [f"Host: localhost:{self.port}", f"Content-Length: {len(body)}", *extra]
        if content_type:
            fields.append(f"Content-Type: {content_type}")
        self.send(f"{method} {path} HTTP/1.1\r\n".encode() + "\r\n".join(fields).encode() + b"\r\n\r\n" + body)
        return self.read_answer()

    def post(self, path, content_type, body):
        return self.request("POST", path, content_type, body)

    def is_closed(self, within_s=2):
        """True if the gateway closes within that time without a further byte."""
        self.socket.settimeout(within_s)
        try:
            return self.socket.recv(1) == b""
        except (ssl.SSLError, ConnectionError):
            return True
        except TimeoutError:
            return False


def ask(port, credential, content_type, body, path="/ihe/xca/query", server=None):
    """One request on its own connection."""
    with Connection(port, credential, server) as connection:
        return connection.post(path, content_type, body)


def plain_get(port, path, host="127.0.0.1"):
    """GET without TLS, from the operator's door. @return Answer"""
    connection = http.client.HTTPConnection(host, port, timeout=TIMEOUT_S)
    connection.request("GET", path)
    response = connection.getresponse()
    headers = {name.lower(): value for name, value in response.getheaders()}
    return Answer(response.status, headers, response.read(), 0.0)


def free_port():
    """Below the ports that the kernel gives to outgoing connections: none of those gets it before it is listened on."""
    while True:
        port = random.SystemRandom().randrange(10_000, 32_000)
        with socket.socket() as probe:
            try:
                probe.bind(("0.0.0.0", port))
                return port
            except OSError:
                continue


def resident_kib(pid):
    """Memory of a process, from /proc."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    raise LookupError(f"process {pid} shows no memory")


def descriptors(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))
