"""Who is called back: an HTTPS server with mutual TLS that keeps what it is sent. [WS-Addressing 1.0; facts §1.5]"""

import ssl
import tempfile
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from .answers import Answer
from .client import free_port

WAIT_S = 15


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        receiver = self.server.receiver
        body = self.rfile.read(int(self.headers["Content-Length"]))
        headers = {name.lower(): value for name, value in self.headers.items()}
        status = receiver.take(self.path, Answer(200, headers, body))
        if status is None:
            return  # hangs up
        self.send_response(status)
        for name, value in receiver.headers:
            self.send_header(name, value)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        pass  # a caller that was refused in the handshake, or has hung up


class Receiver:
    """Listens while in use. `statuses` are given one after the other, the last one for ever; None hangs up.
    @param caller  PEM of the only client certificate that is let in
    @param before  called with each message before its status is given"""

    def __init__(self, credential, caller, port=None, statuses=(202,), headers=(), before=lambda answer: None):
        self.port, self.headers, self.before = port or free_port(), headers, before
        self._statuses, self._calls, self._changed = list(statuses), [], threading.Condition()
        folder = Path(tempfile.mkdtemp(prefix="receiver-"))
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(*credential.write(folder / "server"))
        self._context.verify_mode = ssl.CERT_REQUIRED
        self._context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        self._context.load_verify_locations(cadata=caller.decode())

    def __enter__(self):
        self._server = _Server(("127.0.0.1", self.port), _Handler)
        self._server.receiver = self
        self._server.socket = self._context.wrap_socket(self._server.socket, server_side=True)
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()

    def take(self, path, answer):
        self.before(answer)
        with self._changed:
            status = self._statuses.pop(0) if len(self._statuses) > 1 else self._statuses[0]
            self._calls.append((path, answer, time.monotonic(), status))
            self._changed.notify_all()
        return status

    @property
    def calls(self):
        """(path, Answer, instant, status given) of each call."""
        with self._changed:
            return list(self._calls)

    def answers(self, count=1, within_s=WAIT_S):
        """The messages of the first `count` calls. @raise AssertionError where fewer came in time"""
        with self._changed:
            came = self._changed.wait_for(lambda: len(self._calls) >= count, within_s)
            assert came, f"{len(self._calls)} of {count} call-backs within {within_s} s"
            return [answer for _, answer, _, _ in self._calls[:count]]

    def url(self, path="/answers", host="localhost"):
        return f"https://{host}:{self.port}{path}"
