"""Where revocation evidence comes from: a small HTTP server for lists, and OpenSSL's own OCSP responder."""

import datetime
import subprocess
import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from cryptography.hazmat.primitives.serialization import Encoding

from .client import free_port


class ListServer:
    """Serves what its table says: path -> DER, or a function of the handler. Counts who asks."""

    def __init__(self, address="127.0.0.1"):
        self.pages, self.hits, self._address = {}, Counter(), address

    def __enter__(self):
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                server.hits[self.path] += 1
                page = server.pages.get(self.path)
                if callable(page):
                    return page(self)
                self.send_response(404 if page is None else 200)
                self.send_header("Content-Length", str(len(page or b"")))
                self.end_headers()
                self.wfile.write(page or b"")
                return None

            do_POST = do_GET

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer((self._address, 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()

    def url(self, path):
        return f"http://{self._address}:{self._server.server_address[1]}{path}"


def redirect_to(url):
    def page(handler):
        handler.send_response(302)
        handler.send_header("Location", url)
        handler.send_header("Content-Length", "0")
        handler.end_headers()
    return page


def hang(handler):
    time.sleep(20)


def endless(handler):
    """Octets without end and without a length."""
    handler.send_response(200)
    handler.end_headers()
    try:
        while True:
            handler.wfile.write(b"x" * 65536)
    except OSError:
        pass


class Responder:
    """`openssl ocsp` on a port of its own. @param signer  whose word it gives: the authority, or a delegate
    @param known, revoked  credentials it answers about; others are unknown to it"""

    def __init__(self, folder, authority, known=(), revoked=(), signer=None):
        self.folder, self.port = folder, free_port()
        folder.mkdir(parents=True, exist_ok=True)
        self._authority = folder / "ca.pem"
        self._authority.write_bytes(authority.credential.certificate.public_bytes(Encoding.PEM))
        self._signer = (signer or authority.credential).write(folder / "signer")
        self.tell(known, revoked)

    def tell(self, known, revoked):
        """Writes the index that `openssl ca` would keep; the responder reads it at its start."""
        lines = []
        for state, credentials in (("V", known), ("R", revoked)):
            for credential in credentials:
                ends = credential.certificate.not_valid_after.strftime("%y%m%d%H%M%SZ")
                since = (datetime.datetime.utcnow() - datetime.timedelta(hours=1)).strftime("%y%m%d%H%M%SZ")
                serial = f"{credential.certificate.serial_number:X}"
                lines.append("\t".join([state, ends, since if state == "R" else "",
                                        serial if len(serial) % 2 == 0 else "0" + serial, "unknown", "/CN=any"]))
        (self.folder / "index.txt").write_text("".join(line + "\n" for line in lines))

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}/"

    def __enter__(self):
        certificate, key = self._signer
        self._process = subprocess.Popen(
            ["openssl", "ocsp", "-port", str(self.port), "-index", self.folder / "index.txt", "-CA", self._authority,
             "-rsigner", certificate, "-rkey", key, "-nmin", "60", "-ignore_err"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        return self

    def __exit__(self, *_):
        self._process.terminate()
        self._process.wait()
