# SPDX-License-Identifier: MIT
"""Clients on raw sockets that say exactly what became of every request. Nothing is retried."""

import socket
import ssl
import struct

READING = b'{"equipment_id":"press 1","temperature":80,"mode":"press"}'
LOCALHOST = "127.0.0.1"


class Lost(Exception):
    """A request went out on an established connection and got no complete answer."""


def free_port():
    with socket.socket() as probe:
        probe.bind((LOCALHOST, 0))
        return probe.getsockname()[1]


def connect(port, authority=None, protocol=None):
    """A connection, over TLS where an authority's certificate is named."""
    connection = socket.create_connection((LOCALHOST, port), timeout=20)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if authority is None:
        return connection
    context = ssl.create_default_context(cafile=authority)
    if protocol:
        context.set_alpn_protocols([protocol])
    return context.wrap_socket(connection, server_hostname="localhost")


def http1_request(target="/predict", body=READING, fields=b""):
    method = b"POST" if body else b"GET"
    head = b"%s %s HTTP/1.1\r\nHost: x\r\n" % (method, target.encode())
    if body:
        head += b"Content-Type: application/json\r\nContent-Length: %d\r\n" % len(body)
    return head + fields + b"\r\n" + body


class HTTP1Client:
    """One connection that asks one thing after the other."""

    def __init__(self, port, authority=None):
        self.socket = connect(port, authority)
        self.rest = b""

    def ask(self, data):
        """The status, and whether another request may follow."""
        try:
            self.socket.sendall(data)
            while b"\r\n\r\n" not in self.rest:
                self._receive()
            head, self.rest = self.rest.split(b"\r\n\r\n", 1)
            head = head.lower()
            length = int(head.split(b"content-length: ")[1].split(b"\r\n")[0])
            while len(self.rest) < length:
                self._receive()
        except OSError as error:
            raise Lost(repr(error)) from error
        self.rest = self.rest[length:]
        return int(head.split(b" ")[1]), b"connection: close" not in head

    def _receive(self):
        block = self.socket.recv(65536)
        if not block:
            raise Lost(f"the connection ended after {self.rest[:100]!r}")
        self.rest += block

    def close(self):
        self.socket.close()


def frame(kind, flags, stream, payload=b""):
    """A frame of HTTP/2 (RFC 9113, section 4.1)."""
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload


DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = (
    0, 1, 3, 4, 6, 7, 8, 9,
)  # fmt: skip
END_STREAM, END_HEADERS, ACK = 1, 4, 1
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(SETTINGS, 0, 0)


def literal(name, value):
    """A field without indexing (RFC 7541, section 6.2.2); lengths below 127 only."""
    return bytes([0, len(name)]) + name + bytes([len(value)]) + value


def http2_head(target="/predict", is_post=True):
    # Static table: 3 POST, 2 GET, 6 http.
    fields = bytes([0x83 if is_post else 0x82, 0x86])
    fields += literal(b":path", target.encode()) + literal(b":authority", b"x")
    return fields + (literal(b"content-type", b"application/json") if is_post else b"")


class HTTP2Client:
    """One connection with one stream after the other."""

    def __init__(self, port, authority=None):
        self.socket = connect(port, authority, "h2" if authority else None)
        self.rest = b""
        self.stream = -1
        self.is_ending = False
        self.socket.sendall(PREFACE)

    def ask(self, body):
        """The status, and whether another request may follow; 0 where GOAWAY left it out."""
        self.stream += 2
        message = frame(HEADERS, END_HEADERS, self.stream, http2_head())
        message += frame(DATA, END_STREAM, self.stream, body)
        status = None
        try:
            self.socket.sendall(message)
            while True:
                kind, flags, stream, payload = self._frame()
                if kind == SETTINGS and not flags & ACK:
                    self.socket.sendall(frame(SETTINGS, ACK, 0))
                elif kind == GOAWAY:
                    self.is_ending = True
                    last = struct.unpack(">I", payload[:4])[0]
                    if last < self.stream and status is None:
                        return 0, False
                elif stream != self.stream:
                    continue
                elif kind == RST_STREAM:
                    raise Lost(f"stream {stream} was reset: {payload.hex()}")
                elif kind == HEADERS:
                    status = 200 if payload[:1] == b"\x88" else 500
                elif kind == DATA and payload:
                    # Given back, so that the connection's window never closes.
                    size = struct.pack(">I", len(payload))
                    self.socket.sendall(frame(WINDOW_UPDATE, 0, 0, size))
                if kind in (HEADERS, DATA) and flags & END_STREAM:
                    return status, not self.is_ending
        except OSError as error:
            raise Lost(repr(error)) from error

    def _frame(self):
        head = self._take(9)
        length = int.from_bytes(head[:3], "big")
        kind, flags, stream = struct.unpack(">BBI", head[3:])
        return kind, flags, stream & 0x7FFFFFFF, self._take(length)

    def _take(self, count):
        while len(self.rest) < count:
            block = self.socket.recv(65536)
            if not block:
                raise Lost(f"the connection ended in stream {self.stream}")
            self.rest += block
        taken, self.rest = self.rest[:count], self.rest[count:]
        return taken

    def close(self):
        self.socket.close()
