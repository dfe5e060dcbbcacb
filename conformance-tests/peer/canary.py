"""A listener that nobody may ever call: it counts who does."""

import socket
import threading


class Canary:
    """Listens on a loopback port while in use."""

    def __enter__(self):
        self.connections = 0
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        threading.Thread(target=self._listen, daemon=True).start()
        return self

    def __exit__(self, *_):
        self._socket.close()

    def _listen(self):
        while True:
            try:
                caller, _ = self._socket.accept()
            except OSError:
                return
            self.connections += 1
            caller.close()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}/"
