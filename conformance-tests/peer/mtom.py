"""MTOM packages: one root part with the envelope, further parts with the documents. [MTOM; XOP; RFC 2387]"""

import re
from dataclasses import dataclass

BOUNDARY = "MIMEBoundary782a6cafc4cf4aab9dbf291522804454"
ROOT_ID = "root@peer.example"


@dataclass(frozen=True)
class Part:
    headers: dict  # names in lower case
    body: bytes

    @property
    def content_id(self):
        return self.headers.get("content-id", "").strip("<>")


def pack(root, boundary=BOUNDARY, root_id=ROOT_ID, parts=()):
    """@param parts  triples (content id, content type, bytes). @return content type and bytes"""
    pieces = [(root_id, 'application/xop+xml; charset=UTF-8; type="application/soap+xml"', root), *parts]
    body = b"".join(f"--{boundary}\r\nContent-ID: <{content_id}>\r\nContent-Type: {content_type}\r\n"
                    "Content-Transfer-Encoding: binary\r\n\r\n".encode() + data + b"\r\n"
                    for content_id, content_type, data in pieces)
    content_type = (f'multipart/related; type="application/xop+xml"; start="<{root_id}>"; boundary="{boundary}"; '
                    'start-info="application/soap+xml"')
    return content_type, body + f"--{boundary}--\r\n".encode()


def parameter(content_type, name):
    """A parameter of a media type, quoted or not; empty where absent."""
    found = re.search(rf';\s*{name}\s*=\s*(?:"([^"]*)"|([^;\s]+))', content_type, re.IGNORECASE)
    return (found.group(1) or found.group(2)) if found else ""


def _read_part(raw):
    head, _, body = raw.partition(b"\r\n\r\n")
    lines = [line.decode("latin-1").partition(":") for line in head.split(b"\r\n") if line]
    return Part({name.strip().lower(): value.strip() for name, _, value in lines}, body)


def unpack(content_type, data):
    """@return the parts, the root first. Strict: what is not exactly RFC 2046 raises ValueError."""
    delimiter = b"--" + parameter(content_type, "boundary").encode()
    if not data.startswith(delimiter + b"\r\n") or not data.rstrip(b"\r\n").endswith(b"\r\n" + delimiter + b"--"):
        raise ValueError("the package does not begin and end with its boundary")
    inside = data[len(delimiter) + 2:data.rindex(b"\r\n" + delimiter + b"--")]
    parts = [_read_part(raw) for raw in inside.split(b"\r\n" + delimiter + b"\r\n")]
    start = parameter(content_type, "start").strip("<>")
    root = next((part for part in parts if part.content_id == start), None)
    if root is None:
        raise ValueError("start names no part")
    return [root] + [part for part in parts if part is not root]
