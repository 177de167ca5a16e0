# SPDX-License-Identifier: MIT
"""Software of others that speaks our protocols: pymodbus as a device, and brokers that are not mosquitto.

The brokers are made by tests/brokers/prepare; without them their tests are skipped, in words.
"""
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import tempfile
import threading

import paho.mqtt.client as mqtt
import pytest

import house as parts

CACHE = pathlib.Path(os.environ.get("METERBRIDGE_BROKERS_CACHE") or pathlib.Path(
    os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "meterbridge" / "brokers").absolute()
UNITS = (3, 4)

PROFILE = """format: 1
id: theirs
vendor: Them
model: One
protocol: modbus
interval: 10s
registers:
  - {key: voltage_l1, function: 3, address: 0, type: f32, order: ABCD}
  - {key: energy_import, function: 4, address: 2, type: u32, order: CDAB, unit: Wh}
  - {key: power, function: 3, address: 4, type: s32, order: BADC}
  - {key: frequency, function: 4, address: 6, type: f32, order: DCBA}
  - {key: tariff, function: 3, address: 101}
"""
EXPECTED = {"voltage_l1": 230.2, "energy_import": 4000.123, "power": -1234, "frequency": 49.98}


def device():
    """The numbers as pymodbus lays them out, in the four orders."""
    pytest.importorskip("pymodbus", reason="skipped: python3-pymodbus is not there")
    from pymodbus.constants import Endian
    from pymodbus.payload import BinaryPayloadBuilder
    from pymodbus_device import Device

    words = []
    for byte, word, add, number in ((Endian.Big, Endian.Big, "add_32bit_float", 230.2),
                                    (Endian.Big, Endian.Little, "add_32bit_uint", 4_000_123),
                                    (Endian.Little, Endian.Big, "add_32bit_int", -1234),
                                    (Endian.Little, Endian.Little, "add_32bit_float", 49.98)):
        builder = BinaryPayloadBuilder(byteorder=byte, wordorder=word)
        getattr(builder, add)(number)
        words += builder.to_registers()
    return Device(UNITS[0], words)


@pytest.mark.parametrize("way", ["a serial line", "TCP"])
def test_pymodbus_is_read_in_every_order_and_cut_as_it_comes(tmp_path, way):
    with device() as peer:
        port = parts.free_port()
        link = f"{{serial: {peer.on_line(UNITS)}}}"
        if way == "TCP":
            peer.listen(port, UNITS)
            link = f'{{tcp: "127.0.0.1:{port}"}}'
        (tmp_path / "profiles").mkdir()
        (tmp_path / "profiles" / "theirs.yaml").write_text(PROFILE)
        file = tmp_path / "house.yaml"
        file.write_text(f"links:\n  line: {link}\nmeters:\n" + "".join(
            f"  - {{id: m{unit}, profile: theirs, link: line, address: {unit}, retries: 0, response_timeout: 1s}}\n" for unit in UNITS))
        done = subprocess.run([parts.BINARY, "read", "-c", str(file), "--json"], capture_output=True, text=True, timeout=60)
        found = {row["meter"]: row for row in map(json.loads, done.stdout.splitlines())}
        # The other unit is not there: its silence costs only itself.
        assert done.returncode == 1 and "readings" not in found["m4"], done.stdout + done.stderr
        assert {row["key"]: row["value"] for row in found["m3"]["readings"]} == EXPECTED
    assert set(peer.functions) == {3, 4}


# The first keeps its speed, the second says in its sign-on that 9600 follow.
@pytest.mark.parametrize("profile,speeds", [("energomera-ce102m", [9600]), ("iskra-mt174", [300, 9600])])
def test_a_meter_of_7E1_behind_a_server_of_rfc_2217_is_read_at_its_own_speeds(tmp_path, profile, speeds):
    pytest.importorskip("serial.rfc2217", reason="skipped: python3-serial is not there")
    from rfc2217_server import Server

    house = parts.House(tmp_path, [])
    port = parts.free_port()
    house.write([f"{{id: m, profile: {profile}, link: {{tcp: 'rfc2217://127.0.0.1:{port}'}}}}"])
    with house.simulate("--profile", profile, "--pty", house.tty("tty")), Server(house.tty("tty"), port) as server:
        assert house.call("check", "-c", str(house.file)).returncode == 0
        for _ in range(2):  # the second poll begins with the first speed again
            server.serial.asked.clear()
            done = house.call("read", "-c", str(house.file), "--json", patience=90)
            assert done.returncode == 0, done.stdout + done.stderr
            assert any(row["key"] == "energy_import" for row in json.loads(done.stdout)["readings"])
            asked = server.serial.asked
            assert ("bytesize", 7) in asked and ("parity", "E") in asked and ("stopbits", 1) in asked
            assert [value for name, value in asked if name == "baudrate"][:len(speeds)] == speeds


def test_a_server_that_only_passes_bytes_is_told_from_one_of_rfc_2217(tmp_path):
    house = parts.House(tmp_path, [])
    port = parts.free_port()
    house.write([f"{{id: m, profile: p1, link: {{tcp: 'rfc2217://127.0.0.1:{port}'}}}}"])
    with house.simulate("--profile", "p1", "--tcp", f"127.0.0.1:{port}", "--period", "500ms"):
        done = house.call("read", "-c", str(house.file))
        assert done.returncode == 1 and b"does not speak RFC 2217" in done.stdout + done.stderr, done.stdout + done.stderr


ACCOUNT = ("meter", "reads")  # ejabberd wants one; the others ask nobody


def ejabberd(folder, port, kept):
    """Command and environment; what it keeps is in `kept`."""
    root = CACHE / "ejabberd" / "usr/lib/erlang"
    program = next(root.glob("erts-*/bin/erlexec"), root)
    settings = folder / f"ejabberd-{port}.yml"
    settings.write_text((parts.ROOT / "tests/brokers/ejabberd/ejabberd.yml").read_text().replace("PORT", str(port)))
    environment = {"ROOTDIR": str(root), "BINDIR": str(program.parent), "EMU": "beam", "PROGNAME": "erl", "HOME": str(folder),
                   "ERL_LIBS": str(next(root.parent.glob("*-linux-gnu*"), root)), "EJABBERD_CONFIG_PATH": str(settings),
                   "EJABBERD_LOG_PATH": str(folder / f"ejabberd-{port}.log")}
    return [str(program), "-noinput", "-boot", str(root / "bin/start_clean"), "-mnesia", "dir",
            f'"{kept}/database"', "-s", "ejabberd"], environment


class Broker:
    """Not mosquitto. It keeps nothing when it ends."""

    def __init__(self, name, port, folder):
        if name == "ejabberd":
            program = CACHE / "ejabberd"
        elif name == "mochi":
            program = CACHE / "mochi"
        else:
            program = CACHE / "aedes" / "node_modules" / "aedes"
        if not program.exists():
            pytest.skip(f"skipped: the broker {name} is not there (tests/brokers/prepare gets it)")
        self.name = name
        self.port = port
        self.folder = folder
        self.log = folder / "broker.log"
        self.kept = None
        self.process = None

    def command(self):
        if self.name == "ejabberd":
            return ejabberd(self.folder, self.port, self.kept.name)
        if self.name == "mochi":
            return [str(CACHE / "mochi"), f"127.0.0.1:{self.port}"], {}
        return (["node", str(parts.ROOT / "tests" / "brokers" / "aedes" / "broker.mjs"), "127.0.0.1", str(self.port)],
                {"AEDES_FOLDER": str(CACHE / "aedes")})

    def __enter__(self):
        # In memory where that is possible: it makes a dozen tables, and waits for the disk after each.
        self.kept = tempfile.TemporaryDirectory(dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else self.folder)
        arguments, environment = self.command()
        with open(self.log, "ab") as log:
            # Erlang leaves a picture of itself where it is killed.
            self.process = subprocess.Popen(arguments, stdout=log, stderr=log, stdin=subprocess.DEVNULL, cwd=self.folder,
                                            env={**os.environ, **environment})
        try:
            parts.wait_for(self.answers, "the broker listens")
        except AssertionError:
            self.__exit__()
            raise
        return self

    def answers(self):
        assert self.process.poll() is None, self.log.read_text()
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
            return True
        except OSError:
            return False

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.kept.cleanup()

    def versions(self):
        """Of MQTT, as we came with them; mochi says so."""
        return set(re.findall(r'^client="meterbridge-[^"]*" version=([0-9]+)$', self.log.read_text(), re.MULTILINE))


NUMBER = {"5": "5", "3.1.1": "4"}  # as the protocol counts


BROKERS = pytest.mark.parametrize("name,version", [("ejabberd", "5"), ("mochi", "5"), ("mochi", "3.1.1"), ("aedes", "3.1.1")])
CONFIG = "homeassistant/device/meterbridge_house/config"


def house_with(folder, version, extra=""):
    meters = [f"{{id: house, profile: energomera-ce307, interval: 1s, address: 1, link: {{serial: {folder}/tty}}}}"]
    return parts.House(folder, meters, mqtt_extra=f", version: '{version}', username: {ACCOUNT[0]}, password: {ACCOUNT[1]}", extra=extra)


@BROKERS
def test_P37_another_broker_has_everything_also_after_it_lost_it_and_when_we_are_killed(tmp_path, name, version):
    house = house_with(tmp_path, version)
    broker = Broker(name, house.port, tmp_path)
    with house.simulate("--profile", "energomera-ce307", "--pty", house.tty("tty")), house.bridge() as bridge:
        for last in (False, True):  # the second broker knows nothing of the first
            with broker:
                with parts.Observer(house.port, ACCOUNT) as observer:
                    observer.wait_topic("meterbridge/house/availability", payload="online")
                    state = observer.wait_json("meterbridge/house/state")
                    assert "energy_import" in state and "time" in state
                kept = parts.retained(house.port, account=ACCOUNT)
                assert kept["meterbridge/status"] == "online" and kept["meterbridge/house/availability"] == "online"
                assert json.loads(kept[CONFIG])["cmps"]["energy_import"]["dev_cla"] == "energy"
                if name == "mochi":
                    assert broker.versions() == {NUMBER[version]}
                if not last:
                    continue
                bridge.process.send_signal(signal.SIGKILL)
                with parts.Observer(house.port, ACCOUNT) as observer:
                    observer.wait_topic("meterbridge/status", payload="offline")
                assert parts.retained(house.port, account=ACCOUNT)["meterbridge/status"] == "offline"


def test_a_broker_that_speaks_only_311_is_named(tmp_path):
    house = house_with(tmp_path, "5")
    with Broker("aedes", house.port, tmp_path), house.bridge() as bridge:
        parts.wait_for(lambda: "3.1.1" in bridge.log(), "the log says what to change")


@BROKERS
def test_P51_another_broker_at_the_far_end_of_a_bridge_gets_it_with_qos_1_and_commands_us(tmp_path, name, version):
    far = parts.free_port()
    extra = f"bridges:\n  - {{name: far, host: 127.0.0.1, port: {far}, preset: homeassistant, version: '{version}', " \
            f"username: {ACCOUNT[0]}, password: {ACCOUNT[1]}}}\n"
    house = house_with(tmp_path, "5", extra)
    heard = []
    with house.simulate("--profile", "energomera-ce307", "--pty", house.tty("tty")), house.broker(), \
            Broker(name, far, tmp_path) as broker, house.bridge():
        ready = threading.Event()
        client = mqtt.Client(client_id="far", protocol=mqtt.MQTTv5 if version == "5" else mqtt.MQTTv311)
        client.username_pw_set(*ACCOUNT)
        client.on_connect = lambda c, *_: c.subscribe("meterbridge/#", 1)
        client.on_subscribe = lambda *_: ready.set()
        client.on_message = lambda _c, _d, message: heard.append((message.topic, message.payload, message.qos))
        client.connect("127.0.0.1", far)
        client.loop_start()
        assert ready.wait(parts.PATIENCE)
        try:
            parts.wait_for(lambda: any(topic == "meterbridge/house/state" and qos == 1 for topic, _, qos in heard),
                           "states arrive, with QoS 1")
            client.publish("meterbridge/house/set/interval", "30", qos=1)
            parts.wait_for(lambda: any(topic == "meterbridge/house/health" and json.loads(payload).get("interval") == 30
                                       for topic, payload, _ in heard if payload), "the command came back over the bridge")
        finally:
            client.loop_stop()
            client.disconnect()
        assert parts.wait_for(lambda: parts.retained(far, account=ACCOUNT).get(CONFIG), "discovery is kept there")
        if name == "mochi":
            assert broker.versions() == {NUMBER[version]}
