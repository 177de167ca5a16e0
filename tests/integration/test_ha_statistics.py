# SPDX-License-Identifier: MIT
"""`ha-statistics` against a stand-in that checks what Home Assistant would check. With a real one: tests/homeassistant."""
import base64
import datetime
import decimal
import hashlib
import json
import socket
import ssl
import struct
import subprocess
import threading

import pytest

from house import House

HOUR = 3600
UTC = datetime.timezone.utc
D = decimal.Decimal


class StandIn:
    """Home Assistant's WebSocket API, as far as it is asked."""

    def __init__(self, version="2024.3.3", tls=None):
        self.tls = tls
        self.version = version
        self.token = "secret-token-of-anna"
        self.admin = True
        self.entities = [{"platform": "mqtt", "unique_id": "meterbridge_house_energy_import", "entity_id": "sensor.renamed_one"}]
        self.unit = "kWh"
        self.rows = {}
        self.seen = []
        self.heads = 0  # requests
        self.door = socket.create_server(("127.0.0.1", 0))
        self.port = self.door.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                link, _ = self.door.accept()
            except OSError:
                return
            try:
                if self.tls:
                    link = self.tls.wrap_socket(link, server_side=True)
                self.talk(link)
            except (ConnectionError, EOFError, OSError):
                pass
            link.close()

    def talk(self, link):
        head = b""
        while b"\r\n\r\n" not in head:
            got = link.recv(4096)
            if not got:
                return
            head += got
        self.heads += 1
        fields = dict(line.split(": ", 1) for line in head.decode().split("\r\n")[1:] if ": " in line)
        assert head.startswith(b"GET /api/websocket HTTP/1.1\r\n"), head
        accept = base64.b64encode(hashlib.sha1((fields["Sec-WebSocket-Key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest())
        link.sendall(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: upgrade\r\nSec-WebSocket-Accept: " + accept
                     + b"\r\n\r\n")
        self.send(link, {"type": "auth_required", "ha_version": self.version})
        stream = link.makefile("rb")
        if self.take(stream) != {"type": "auth", "access_token": self.token}:
            self.send(link, {"type": "auth_invalid", "message": "Invalid access token or password"})
            return
        self.send(link, {"type": "auth_ok", "ha_version": self.version})
        last = 0
        while True:
            message = self.take(stream)
            assert message["id"] > last
            last = message["id"]
            link.sendall(b"\x89\x02hi")  # a ping in between
            try:
                answer = {"success": True, "result": self.answer(message)}
            except PermissionError:
                answer = {"success": False, "error": {"code": "unauthorized", "message": "Unauthorized"}}
            self.send(link, {"id": last, "type": "result", **answer})

    @staticmethod
    def send(link, what):
        text = json.dumps(what).encode()
        half = len(text) // 2  # in two frames
        for first, part in ((0x01, text[:half]), (0x80, text[half:])):
            size = bytes([len(part)]) if len(part) < 126 else b"\x7e" + struct.pack(">H", len(part)) if len(part) < 65536 \
                else b"\x7f" + struct.pack(">Q", len(part))
            link.sendall(bytes([first]) + size + part)

    @staticmethod
    def take(stream):
        while True:
            first, second = stream.read(1), stream.read(1)
            if not first or not second:
                raise EOFError
            size = second[0] & 0x7F
            assert second[0] & 0x80, "who asks must mask"
            size = struct.unpack(">H", stream.read(2))[0] if size == 126 else struct.unpack(">Q", stream.read(8))[0] if size == 127 else size
            mask = stream.read(4)
            body = bytes(b ^ mask[i % 4] for i, b in enumerate(stream.read(size)))
            if first[0] == 0x8A:
                assert body == b"hi"
                continue
            return json.loads(body, parse_float=D)

    def answer(self, message):
        kind = message["type"]
        self.seen.append(kind)
        if kind == "config/entity_registry/list":
            return self.entities
        if kind == "recorder/list_statistic_ids":
            return [{"statistic_id": "sensor.renamed_one", "has_mean": False, "mean_type": 0, "has_sum": True, "name": None,
                     "source": "recorder", "statistics_unit_of_measurement": self.unit, "unit_class": "energy"}]
        if kind == "recorder/statistics_during_period":
            assert message["units"] == {"energy": self.unit} and message["types"] == ["state", "sum"]
            start = datetime.datetime.fromisoformat(message["start_time"].replace("Z", "+00:00")).timestamp()
            rows = [{"start": at * 1000, "end": (at + HOUR) * 1000, "state": float(state), "sum": float(total)}
                    for at, (state, total) in sorted(self.rows.items()) if at >= start]
            return {"sensor.renamed_one": rows} if rows else {}
        if not self.admin:
            raise PermissionError
        if kind == "recorder/import_statistics":
            new = self.version >= "2025.11"
            assert message["metadata"] == {
                "has_sum": True, "name": None, "source": "recorder", "statistic_id": "sensor.renamed_one", "unit_of_measurement": self.unit,
                **({"mean_type": 0, "unit_class": "energy"} if new else {"has_mean": False})}, message["metadata"]
            for row in message["stats"]:
                assert set(row) == {"start", "state", "sum"}
                at = datetime.datetime.fromisoformat(row["start"].replace("Z", "+00:00"))
                assert at.minute == at.second == 0
                self.rows[int(at.timestamp())] = (row["state"], row["sum"])
            return None
        assert kind == "recorder/adjust_sum_statistics", kind
        start = datetime.datetime.fromisoformat(message["start_time"].replace("Z", "+00:00")).timestamp()
        for at, (state, total) in self.rows.items():
            if at >= start:
                self.rows[at] = (state, total + D(message["adjustment"]))
        return None


class Place:
    def __init__(self, folder, **more):
        self.house = House(folder, [f"{{id: house, profile: p1, link: {{serial: {folder}/tty}}}}"])
        self.folder = folder
        self.other = StandIn(**more)
        (folder / "token").write_text(self.other.token + "\n")
        self.first = int(datetime.datetime.now(UTC).timestamp()) // HOUR * HOUR - 48 * HOUR
        lines = ["time_utc,time_local,meter,energy_import"]
        self.truth = {}
        for minute in range(40 * 60):
            at = self.first + minute * 60
            value = D(1234500 + minute * 7 + minute // 60 * 13).scaleb(-3)
            self.truth[at // HOUR * HOUR] = value
            stamp = datetime.datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
            lines.append(f"{stamp},x,house,{value}")
            if minute == 10 * 60 + 20:
                self.last_of_gap_hour = value
        (folder / "old.csv").write_text("\n".join(lines) + "\n")
        done = self.house.call("journal", "import", "-c", str(self.house.file), str(folder / "old.csv"))
        assert done.returncode == 0, done.stderr
        # Home Assistant was away from 10:20 to 15:30 of that day.
        start = self.truth[self.first] - D("0.4")
        for at, value in self.truth.items():
            hour = (at - self.first) // HOUR
            if hour == 10:
                value = self.last_of_gap_hour
            if not 11 <= hour < 15:
                self.other.rows[at] = (value, value - start)
        self.start = start
        self.before = dict(self.other.rows)

    def fill(self, *arguments, code=0, token="token", scheme="http", host="127.0.0.1"):
        done = self.house.call("ha-statistics", "-c", str(self.house.file), "--url", f"{scheme}://{host}:{self.other.port}",
                               "--token-file", str(self.folder / token), *arguments)
        text = (done.stdout + done.stderr).decode()
        assert done.returncode == code, text
        assert self.other.token not in text
        return text


@pytest.mark.parametrize("version", ["2024.3.3", "2026.11.0"])
def test_P40_a_gap_of_five_hours_becomes_five_bars(tmp_path, version):
    place = Place(tmp_path, version=version)
    rows = place.other.rows
    jump = rows[place.first + 15 * HOUR][1] - rows[place.first + 10 * HOUR][1]
    assert jump > 5 * D("0.4"), "one bar for all"
    assert "5 hours" in place.fill("--dry-run") and rows == place.before
    text = place.fill()
    assert "sensor.renamed_one (house energy_import): 5 hours, kWh" in text, text
    for at, value in place.truth.items():
        assert rows[at] == (value, value - place.start), f"hour {(at - place.first) // HOUR}"
    changed = {(at - place.first) // HOUR for at in rows if rows[at] != place.before.get(at)}
    assert changed == {10, 11, 12, 13, 14}, "the others stay as they were"
    assert "nothing is missing" in place.fill()
    assert set(place.other.seen) == {"config/entity_registry/list", "recorder/list_statistic_ids", "recorder/statistics_during_period",
                                     "recorder/import_statistics"}, "nothing but statistics"


def test_P40_sums_that_do_not_go_on_are_moved_only_on_request(tmp_path):
    place = Place(tmp_path)
    rows = place.other.rows
    for at in rows:
        if at >= place.first + 15 * HOUR:
            rows[at] = (rows[at][0], rows[at][1] + D("1000"))  # a wrong zero in Home Assistant
    before = dict(rows)
    assert "with --adjust it is moved as shown" in place.fill(code=1)
    assert rows == before
    place.fill("--adjust")
    for at, value in place.truth.items():
        assert rows[at] == (value, value - place.start)


def test_P40_the_token_goes_only_to_whom_the_certificate_names(tmp_path):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=ha", "-keyout", "ha.key",
                    "-out", "ha.pem", "-addext", "subjectAltName=IP:127.0.0.1"], cwd=tmp_path, check=True, capture_output=True)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(tmp_path / "ha.pem", tmp_path / "ha.key")
    place = Place(tmp_path, tls=tls)
    own = ("--tls-ca", str(tmp_path / "ha.pem"))
    assert "certificate" in place.fill(code=1, scheme="https")
    assert "certificate" in place.fill(*own, code=1, scheme="https", host="localhost"), "it names another host"
    assert place.fill(*own, code=1, scheme="http"), "no WebSocket without TLS"
    assert not place.other.heads, "nothing was asked, and no token told"
    assert "5 hours" in place.fill(*own, scheme="https")
    assert place.other.rows[place.first + 12 * HOUR][0] == place.truth[place.first + 12 * HOUR]


def test_P40_whatever_is_wrong_is_told(tmp_path):
    place = Place(tmp_path)
    (tmp_path / "wrong").write_text("wrong-token")
    assert "refuses the token" in place.fill(code=1, token="wrong")
    assert "none" in place.fill(code=2, token="none")
    assert "no counter" in place.fill("--meter", "other", code=1)
    assert "is no counter" in place.fill("--key", "power", code=2)
    assert "--from is not before --to" in place.fill("--from", "2026-01-02", "--to", "2026-01-01", code=2)
    place.other.admin = False
    assert "no administrator" in place.fill(code=1)
    place.other.admin, place.other.unit = True, "m³"
    assert "Home Assistant counts it in m³, the journal in kWh" in place.fill(code=1)
    place.other.unit = "MWh"
    place.other.entities[0]["unique_id"] = "other"
    assert "no entity with the unique id meterbridge_house_energy_import" in place.fill(code=1)
    place.other.door.close()
    assert "Home Assistant" in place.fill(code=1)
    assert place.other.rows == place.before
