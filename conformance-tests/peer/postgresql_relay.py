"""A relay before PostgreSQL that loses connections at a COMMIT: before it was sent on, or after it was answered.
[PostgreSQL 15, Frontend/Backend Protocol]"""

import socket
import struct
import threading

STARTUP = 196608  # version 3.0; other first messages ask for encryption and are followed by one more


class Relay:
    def __init__(self, port):
        """@param port  of the server"""
        self._server_port, self._lock = port, threading.Lock()
        self._lose, self.lost = None, 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]

    def __enter__(self):
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_):
        self._listener.close()

    def lose_commit(self, sent):
        """Loses the next connection that commits: where `sent`, after the server has done it, else before."""
        with self._lock:
            self._lose, self.lost = sent, 0

    def lose_none(self):
        with self._lock:
            self._lose = None

    def _is_to_be_lost(self):
        """@return None, or whether the COMMIT is still to be sent"""
        with self._lock:
            lose, self._lose = self._lose, None
            self.lost += lose is not None
            return lose

    def _accept(self):
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=_Connection(self, client, self._server_port).run, daemon=True).start()


class _Connection:
    def __init__(self, relay, client, server_port):
        self._relay, self._client, self._server_port = relay, client, server_port
        self._statements, self._started, self._buffer, self._losing = {}, False, b"", False

    def run(self):
        try:
            self._server = socket.create_connection(("127.0.0.1", self._server_port), timeout=5)
        except OSError:
            self._client.close()
            return
        self._server.settimeout(None)
        for end in (self._client, self._server):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        threading.Thread(target=self._answers, daemon=True).start()
        try:
            while data := self._client.recv(65536):
                if self._commits(data):
                    lose = self._relay._is_to_be_lost()
                    if lose is False:
                        break
                    self._losing = lose is True
                self._server.sendall(data)
        except OSError:
            pass
        self._end()

    def _answers(self):
        try:
            while data := self._server.recv(65536):
                if self._losing:
                    break  # the server has answered the COMMIT, and nobody hears it
                self._client.sendall(data)
        except OSError:
            pass
        self._end()

    def _end(self):
        for end in (self._client, self._server):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            end.close()

    def _commits(self, data):
        """Whether a COMMIT, as text or by its prepared statement, is among the messages that end in these octets."""
        self._buffer += data
        found = False
        while message := self._next():
            kind, body = message
            if kind == b"P":
                name, text = body.split(b"\0")[:2]
                self._statements[name] = text
            elif kind == b"B":
                found |= self._statements.get(body.split(b"\0")[1]) == b"COMMIT"
            elif kind == b"Q":
                found |= body.rstrip(b"\0") == b"COMMIT"
        return found

    def _next(self):
        """The first whole message of the buffer: its kind, empty for one of the beginning, and its body; or None."""
        first = 1 if self._started else 0
        if len(self._buffer) < first + 4:
            return None
        length = first + struct.unpack_from(">I", self._buffer, first)[0]
        if len(self._buffer) < length:
            return None
        kind, body = self._buffer[:first], self._buffer[first + 4:length]
        self._buffer = self._buffer[length:]
        if not self._started:
            self._started = struct.unpack_from(">I", body)[0] == STARTUP
        return kind, body
