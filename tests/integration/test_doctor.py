# SPDX-License-Identifier: MIT
"""`doctor` names what is wrong, and says nothing of what works: real brokers, simulated meters and their faults."""
import fcntl
import json
import os
import re
import socket
import subprocess
import termios
import threading

import house as parts
from test_pages import get

CE307 = "energomera-ce307"


def doctor(file, *arguments, expect):
    """All findings, by kind and name."""
    got = subprocess.run([parts.BINARY, "doctor", "-c", str(file), "--json", *arguments], capture_output=True,
                         timeout=4 * parts.PATIENCE)
    assert got.returncode == expect, (got.returncode, got.stdout.decode(), got.stderr.decode())
    found = {}
    for line in got.stdout.decode().splitlines():
        row = json.loads(line)
        found.setdefault(f"{row['kind']} {row['name']}".strip(), row)
    return found


def test_a_healthy_house_is_healthy_and_only_read(tmp_path):
    pages = parts.free_port()
    house = parts.House(tmp_path, [f"{{id: house, profile: {CE307}, address: 1, link: {{serial: {tmp_path}/tty}}}}",
                                   f"{{id: p1, profile: p1, interval: 1s, link: {{serial: {tmp_path}/p1}}}}"],
                        extra=f"http: {{listen: '127.0.0.1:{pages}'}}\n"
                              f"sinks: {{csv: {{type: csv, directory: {tmp_path}/csv}}}}")
    with house.broker(), parts.Observer(house.port) as ear, \
            house.simulate("--profile", CE307, "--set", "address=1", "--pty", house.tty("tty")), \
            house.simulate("--profile", "p1", "--period", "1s", "--pty", house.tty("p1")) as phone:
        found = doctor(house.file, expect=0)
        assert {row["health"] for row in found.values()} == {"ok"}, found
        assert "readings in" in found["meter house"]["text"] and found["meter p1"]["fault"] == "ok"
        assert f"127.0.0.1:{house.port} lets us in" in found["broker"]["text"]
        assert "not there yet and will be made" in found["sink csv"]["text"]
        assert not (tmp_path / "csv").exists() and not (tmp_path / "state").exists(), "doctor has written something"
        assert ear.count() == 0, ear.messages
        words = house.call("doctor", "-c", str(house.file)).stdout.decode()
        assert "ok    meter house: " in words and words.endswith("all that was looked at works\n"), words
        # While a service runs, it has the ports, and is asked: by its page, or by what it keeps at the broker.
        with house.bridge() as bridge:
            parts.wait_for(lambda: '"fault":"ok"' in get(pages, "/api/status")[1] and
                           "starting" not in get(pages, "/api/status")[1], "the service has read both")
            found = doctor(house.file, expect=0)
            assert f"is from its page http://127.0.0.1:{pages}" in found["service meterbridge"]["text"]
            assert found["meter house"]["fault"] == "ok" and found["sink csv"]["health"] == "ok"
            hidden = tmp_path / "hidden.yaml"
            hidden.write_text(house.file.read_text().replace("http:", "# http:"))
            # What it keeps at the broker follows within seconds.
            parts.wait_for(lambda: house.call("doctor", "-c", str(hidden)).returncode == 0, "the broker has both")
            found = doctor(hidden, expect=0)
            assert "is from its health topics at the broker" in found["service meterbridge"]["text"]
            assert found["meter p1"]["fault"] == "ok", found
            newer = tmp_path / "newer.yaml"
            newer.write_text(house.file.read_text().replace("id: p1,", "id: new,"))
            found = doctor(newer, expect=1)
            assert "runs with another configuration" in found["meter new"]["text"], found
            # Of links there is no topic: the meter's line says what to do.
            assert phone.stop() == 0
            ear.wait_json("meterbridge/p1/health", lambda health: health["state"] == "no_device")
            found = doctor(hidden, expect=1)
            assert (found["meter p1"]["fault"], found["meter p1"]["advice"]) == ("no_device", "plug the adapter in"), found
            assert bridge.stop() == 0


def test_P08_each_thing_that_is_wrong_has_its_name_and_one_thing_to_do(tmp_path):
    gone, held = parts.free_port(), tmp_path / "held"
    wrong_key = "0102030405060708090A0B0C0D0E0F10"
    meters = [
        f"{{id: absent, profile: {CE307}, address: 1, link: {{serial: {tmp_path}/no-such}}}}",
        f"{{id: held, profile: {CE307}, address: 1, timeout: 3s, link: {{serial: {held}}}}}",
        f"{{id: refused, profile: {CE307}, address: 1, link: {{tcp: '127.0.0.1:{gone}'}}}}",
        f"{{id: unknown, profile: {CE307}, address: 1, link: {{tcp: 'no-such-host.invalid:502'}}}}",
        f"{{id: key, profile: p1, interval: 1s, key: '{wrong_key}', link: {{serial: {tmp_path}/key}}}}",
        f"{{id: silent, profile: {CE307}, address: 9, timeout: 3s, link: {{serial: {tmp_path}/two}}}}",
    ]
    house = parts.House(tmp_path, meters, None, ", username: somebody, password: geheim",
                        f"sinks:\n  csv: {{type: csv, directory: {tmp_path}/file/csv}}\n"
                        f"  influx: {{type: influxdb, url: 'http://127.0.0.1:{gone}', bucket: b, token: t0psecret}}")
    (tmp_path / "file").write_text("")
    users = tmp_path / "users"
    users.touch()
    subprocess.run(["mosquitto_passwd", "-b", str(users), "somebody", "another"], check=True, capture_output=True)
    with house.broker(f"password_file {users}\n"), \
            house.simulate("--profile", CE307, "--set", "address=1", "--pty", str(held)), \
            house.simulate("--profile", "p1", "--set", "key=00112233445566778899AABBCCDDEEFE", "--period", "1s",
                           "--pty", house.tty("key")), \
            house.simulate("--profile", CE307, "--set", "address=1", "--pty", house.tty("two")), \
            open(held, "rb+", buffering=0) as port:
        fcntl.flock(port, fcntl.LOCK_EX)
        found = doctor(house.file, "--quick", expect=1)
        said = {name: row["text"] + " | " + row["advice"] for name, row in found.items()}
        for name, words, advice in [
                ("link absent", "is absent", "plug the adapter in"),
                ("link held", f"(pid {os.getpid()}, ", "end that program"),
                ("link refused", "refuses the connection", "TCP server on"),
                ("link unknown", "no-such-host.invalid", "address in numbers"),
                ("meter key", "", "key"),
                ("meter silent", "", "compare the meter's address"),
                ("broker", "refuses the login", "compare `username` and `password`"),
                ("sink csv", f"{tmp_path}/file is a file", "name another directory"),
                ("sink influx", "refuses the connection", "start the server"),
        ]:
            text, _, do = said[name].partition(" | ")
            assert words in text and advice in do and found[name]["health"] == "bad", (name, said[name])
        assert found["meter key"]["fault"] == "wrong_key" and found["meter silent"]["fault"] == "no_bytes"
        assert found["meter absent"]["fault"] == "no_device"
        everything = json.dumps(said)
        assert "geheim" not in everything and "t0psecret" not in everything and wrong_key not in everything


def test_P08_other_masters_and_echoes_are_named_while_readings_come(tmp_path):
    house = parts.House(tmp_path, [f"{{id: shared, profile: {CE307}, address: 1, link: {{serial: {tmp_path}/shared}}}}",
                                   f"{{id: echo, profile: {CE307}, address: 1, link: {{serial: {tmp_path}/echo}}}}"])
    with house.broker(), \
            house.simulate("--profile", CE307, "--set", "address=1", "--fault", "master=1", "--pty", house.tty("shared")), \
            house.simulate("--profile", CE307, "--set", "address=1", "--fault", "echo=1", "--pty", house.tty("echo")):
        found = doctor(house.file, "--quick", expect=0)
        assert found["meter shared"]["health"] == "note" and "another master" in found["meter shared"]["text"], found
        assert "only one program" in found["meter shared"]["advice"]
        assert found["meter echo"]["health"] == "note" and "echo: true" in found["meter echo"]["advice"], found


def test_P25_what_the_profile_knows_and_the_meter_did_not_send_is_listed(tmp_path):
    telegram = b"/KFM5KAIFA-METER\r\n\r\n1-3:0.2.8(42)\r\n1-0:1.8.1(000671.578*kWh)\r\n1-0:1.8.2(000842.472*kWh)\r\n!"
    short = tmp_path / "short.bin"
    crc = 0
    for byte in telegram:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0xA001 if crc & 1 else 0)
    short.write_bytes(telegram + f"{crc:04X}\r\n".encode())
    pages = parts.free_port()
    house = parts.House(tmp_path, [f"{{id: p1, profile: p1, interval: 1s, link: {{replay: {short}}}}}"],
                        extra=f"http: {{listen: '127.0.0.1:{pages}'}}")
    with house.broker():
        found = doctor(house.file, "--quick", expect=0)
        unseen = {row["key"]: row["reason"] for row in found["meter p1"]["unseen"]}
        assert "energy_import_t1" not in unseen and "grid operator" in unseen["power"], found
        assert "one phase" in unseen["voltage_l2"]
        words = house.call("doctor", "--quick", "-c", str(house.file)).stdout.decode()
        assert "not seen: " in words and "voltage_l2" in words, words
        with house.bridge() as bridge:
            def listed():
                status, body = get(pages, "/api/meters/p1")
                return status == 200 and {row["key"]: row["reason"] for row in json.loads(body)["unseen"]}
            assert parts.wait_for(listed, "the page lists what was not seen") == unseen
            assert bridge.stop() == 0


class SlowUart(threading.Thread):
    """A P1 meter at 115200 Bd behind an adapter: at any other speed its bytes are garbage, as on a real line."""

    def __init__(self, path, telegram):
        super().__init__(daemon=True)
        self.end, inner = os.openpty()
        os.symlink(os.ttyname(inner), path)
        self.inner = inner
        self.telegram = telegram
        self.over = threading.Event()

    def run(self):
        while not self.over.is_set():
            speed = termios.tcgetattr(self.end)[4]
            bytes_now = self.telegram if speed == termios.B115200 else self.received_at_9600()
            os.set_blocking(self.end, False)
            try:
                os.write(self.end, bytes_now)
            except BlockingIOError:
                pass  # nobody listens
            self.over.wait(0.3)

    def received_at_9600(self):
        """Twelve bits of the line become one: the UART of the adapter sees what is there in the middle of its bits."""
        levels = [1, 1]
        for byte in self.telegram:
            levels += [0, *[byte >> i & 1 for i in range(8)], 1]
        levels += [1] * 150
        out, at = bytearray(), 1
        while at < len(levels):
            if levels[at - 1] == 1 and levels[at] == 0:
                middle = at + 6
                sampled = [levels[min(middle + 12 * i, len(levels) - 1)] for i in range(1, 9)]
                out.append(sum(bit << i for i, bit in enumerate(sampled)))
                at = middle + 12 * 9
            at += 1
        return bytes(out)


def test_another_speed_is_found_by_trying(tmp_path):
    port = parts.free_port()
    with parts.House(tmp_path, []).simulate("--profile", "p1", "--period", "1s", "--tcp", f"127.0.0.1:{port}"):
        with socket.create_connection(("127.0.0.1", port), parts.PATIENCE) as source:
            telegram = b""
            while not re.search(rb"![0-9A-F]{4}\r\n$", telegram):
                telegram += source.recv(4096)
    telegram = telegram[telegram.index(b"/"):]
    uart = SlowUart(tmp_path / "tty", telegram)
    uart.start()
    house = parts.House(tmp_path, [f"{{id: p1, profile: p1, interval: 1s, link: {{serial: {tmp_path}/tty, baud: 9600}}}}"])
    try:
        with house.broker():
            found = doctor(house.file, expect=1)
            assert "at 115200 8N1 it is understood" in found["meter p1"]["text"], found["meter p1"]
            assert "`baud: 115200`" in found["meter p1"]["advice"]
    finally:
        uart.over.set()
        uart.join()
        os.close(uart.end)
        os.close(uart.inner)
