# SPDX-License-Identifier: MIT
"""Home Assistant's HTTP and WebSocket API, as much as the tests need, without another package."""
import base64
import json
import os
import socket
import struct
import urllib.error
import urllib.parse
import urllib.request

PATIENCE = 60


class Refused(Exception):
    """Home Assistant answered, and not with success."""


def http(method, address, body=None, token=None, form=False):
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    data = None
    if body is not None:
        data = urllib.parse.urlencode(body).encode() if form else json.dumps(body).encode()
        headers["Content-Type"] = "application/x-www-form-urlencoded" if form else "application/json"
    request = urllib.request.Request(address, data=data, headers=headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            text = answer.read().decode()
    except urllib.error.HTTPError as error:
        raise Refused(f"{method} {address}: {error.code} {error.read().decode(errors='replace')[:500]}") from error
    return json.loads(text) if text else None


class WebSocket:
    """A client for text messages (RFC 6455)."""

    def __init__(self, port, path):
        self.socket = socket.create_connection(("127.0.0.1", port), PATIENCE)
        self.buffer = b""
        key = base64.b64encode(os.urandom(16)).decode()
        self.socket.sendall((f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                             f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n").encode())
        while b"\r\n\r\n" not in self.buffer:
            self._more()
        head, self.buffer = self.buffer.split(b"\r\n\r\n", 1)
        if b" 101 " not in head.split(b"\r\n")[0]:
            raise Refused(head.decode(errors="replace"))

    def _more(self):
        block = self.socket.recv(65536)
        if not block:
            raise ConnectionError("Home Assistant closed the connection")
        self.buffer += block

    def _take(self, count):
        while len(self.buffer) < count:
            self._more()
        taken, self.buffer = self.buffer[:count], self.buffer[count:]
        return taken

    def _send(self, opcode, payload):
        mask = os.urandom(4)
        length = len(payload)
        size = bytes([0x80 | length]) if length < 126 else (
            struct.pack("!BH", 0xFE, length) if length < 65536 else struct.pack("!BQ", 0xFF, length))
        self.socket.sendall(bytes([0x80 | opcode]) + size + mask + bytes(b ^ mask[i % 4] for i, b in enumerate(payload)))

    def _frame(self):
        first, second = self._take(2)
        length = second & 0x7F
        if length == 126:
            length, = struct.unpack("!H", self._take(2))
        elif length == 127:
            length, = struct.unpack("!Q", self._take(8))
        return first, self._take(length)

    def send(self, message):
        self._send(1, json.dumps(message).encode())

    def receive(self):
        text = b""
        while True:
            first, payload = self._frame()
            opcode = first & 0x0F
            if opcode == 8:
                raise ConnectionError("Home Assistant closed the connection")
            if opcode == 9:
                self._send(10, payload)
            elif opcode in (0, 1):
                text += payload
                if first & 0x80:
                    return json.loads(text)

    def close(self):
        self.socket.close()


class Commands:
    """Numbered commands over an authenticated WebSocket."""

    def __init__(self, port, token):
        self.wire = WebSocket(port, "/api/websocket")
        self.number = 0
        self.wire.receive()
        self.wire.send({"type": "auth", "access_token": token})
        answer = self.wire.receive()
        if answer["type"] != "auth_ok":
            raise Refused(str(answer))

    def __call__(self, kind, **fields):
        self.number += 1
        self.wire.send({"id": self.number, "type": kind, **fields})
        while True:
            answer = self.wire.receive()
            if answer.get("id") == self.number and answer["type"] == "result":
                break
        if not answer["success"]:
            raise Refused(f"{kind}: {answer['error']}")
        return answer["result"]

    def close(self):
        self.wire.close()
