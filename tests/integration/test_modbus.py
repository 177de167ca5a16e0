# SPDX-License-Identifier: MIT
"""Modbus against libmodbus, on a serial line and on TCP, and a configuration that is simulated and read."""
import json
import subprocess

from house import BINARY, House, Observer, free_port
from modbus_server import Device

PROFILE = """format: 1
id: mine
vendor: Me
model: One
protocol: modbus
interval: 10s
registers:
  - {key: voltage_l1, function: 4, address: 0, type: f32}
  - {key: power, function: 3, address: 10, type: s32, order: CDAB, scale: 0.1}
  - {key: energy_import, function: 3, address: 12, type: u64, unit: Wh}
  - {key: frequency, function: 3, address: 99, scale: 0.01}
  - {key: tariff, function: 3, address: 101}
  - {key: input_1, function: 2, address: 5}
"""


def profile_beside(folder):
    (folder / "profiles").mkdir()
    (folder / "profiles" / "mine.yaml").write_text(PROFILE)


def fill(device):
    device.input_registers[0], device.input_registers[1] = 0x4366, 0x3333
    device.registers[10], device.registers[11] = 0xFFFE, 0xFFFF
    device.registers[13], device.registers[14], device.registers[15] = 1, 2, 3
    device.registers[99] = 4998
    device.input_bits[5] = 1


def read(folder, link):
    profile_beside(folder)
    file = folder / "house.yaml"
    file.write_text(f"meters:\n  - {{id: m, profile: mine, link: {link}, address: 17}}\n")
    done = subprocess.run([BINARY, "read", "-c", str(file), "--json"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr + done.stdout
    return values_of(json.loads(done.stdout))


def values_of(meter):
    return {r["key"]: r.get("value", r.get("text")) for r in meter["readings"]}


EXPECTED = {"voltage_l1": 230.2, "power": -0.2, "energy_import": 4295098.371, "frequency": 49.98, "input_1": "on"}


def test_libmodbus_on_a_serial_line_is_read(tmp_path):
    with Device() as device:
        fill(device)
        path = device.on_line(17)
        values = read(tmp_path, f"{{serial: {path}, baud: 19200}}")
    # Register 101 does not exist there: it was found, the others came all the same.
    assert values == EXPECTED
    assert {request[1] for request in device.requests} <= {2, 3, 4}


def test_libmodbus_on_tcp_is_read(tmp_path):
    with Device() as device:
        fill(device)
        port = free_port()
        device.listen(port)
        values = read(tmp_path, f'{{tcp: "127.0.0.1:{port}"}}')
    assert values == EXPECTED


def test_meters_of_one_simulated_line_and_of_ports_of_their_own_are_read(tmp_path):
    ports = [free_port() for _ in range(2)]
    profile = "profile: mine"
    profile_beside(tmp_path)
    house = House(tmp_path, [], 1)
    house.write([f"{{id: a{n}, {profile}, address: {n}, link: line}}" for n in (1, 2)]
                + [f"{{id: t{n}, {profile}, link: {{tcp: \"127.0.0.1:{port}\"}}}}" for n, port in enumerate(ports)]
                + [f"{{id: r1, {profile}, framing: rtu, link: {{tcp: \"127.0.0.1:{free_port()}\"}}}}"],
                extra=f"links: {{line: {{serial: {tmp_path}/line, baud: 115200}}}}")
    with house.simulate("-c", str(house.file)):
        done = house.call("read", "-c", str(house.file), "--json")
        assert done.returncode == 0, done.stderr + done.stdout
        meters = [json.loads(line) for line in done.stdout.splitlines()]
        assert len(meters) == 5
        for meter in meters:
            values = values_of(meter)
            assert len(values) == 6 and 220 < values["voltage_l1"] < 240, meter["meter"]


COUNTERS = """format: 1
id: pulses
vendor: Me
model: Pulses
protocol: modbus
interval: 200ms
registers:
  - {{key: counter_1, address: 0, type: u32, wraps: {wraps}}}
  - {{key: counter_2, address: 2, type: u32}}
  - {{key: value_1, address: 4, scale: 0.001, unit: bar}}
"""


def test_P10_a_register_that_is_not_there_is_left_out_and_named_in_the_health_topic(tmp_path):
    port = free_port()
    house = House(tmp_path, [f"{{id: m, profile: mine, interval: 1s, publish: every, address: 17, link: {{tcp: '127.0.0.1:{port}'}}}}"])
    profile_beside(tmp_path)
    with Device() as device, house.broker(), Observer(house.port) as ear:
        fill(device)
        device.listen(port)
        with house.bridge() as bridge:
            state = ear.wait_json("meterbridge/m/state")
            assert {key: state.get(key) for key in ("voltage_l1", "power", "energy_import", "frequency")} == {
                key: EXPECTED[key] for key in ("voltage_l1", "power", "energy_import", "frequency")}, state
            assert state["input_1"] is True, state
            health = ear.wait_json("meterbridge/m/health", lambda h: "left_out" in h)
            assert health["left_out"] == ["tariff (3:0x0065): refused, or never answered"], health
            before = ear.count()
            asked = len(device.requests)
            ear.wait_json("meterbridge/m/state", after=before)
            ear.wait_json("meterbridge/m/state", after=ear.count())
            assert not any(request[7] == 3 and request[8:10] == b"\0\x65" for request in device.requests[asked:]), device.requests
            assert bridge.stop() == 0


def test_P15_a_counter_that_begins_again_is_counted_on_exactly_over_a_restart(tmp_path):
    """Both counters have the same pulses, and the second one never begins again: it knows the truth."""
    (tmp_path / "profiles").mkdir()
    profile = tmp_path / "profiles" / "pulses.yaml"
    profile.write_text(COUNTERS.format(wraps=2 ** 32))
    house = House(tmp_path, [])
    house.write([f"{{id: m, profile: pulses, publish: every, link: {{tcp: \"127.0.0.1:{free_port()}\"}}}}"])
    with house.simulate("-c", str(house.file)):
        done = house.call("read", "-c", str(house.file), "--json")
        assert done.returncode == 0, done.stderr
        turn = values_of(json.loads(done.stdout))["counter_2"] + 100
    profile.write_text(COUNTERS.format(wraps=turn))
    state = "meterbridge/m/state"

    def counted_on(values):
        return values.get("counter_1") is not None and values["counter_1"] == values["counter_2"] > turn

    with house.broker(), Observer(house.port) as ear, house.simulate("-c", str(house.file), "--speed", "360"):
        with house.bridge() as bridge:
            first = ear.wait_json(state, lambda s: s.get("counter_1") is not None)
            assert first["counter_1"] == first["counter_2"] < turn
            ear.wait_json(state, counted_on, patience=60)
            assert bridge.stop() == 0
        seen = ear.count()
        with house.bridge() as bridge:
            ear.wait_json(state, counted_on, seen)
            assert bridge.stop() == 0
        counts = [json.loads(p).get("counter_1") for t, p, _ in ear.messages if t == state]
        counts = [count for count in counts if count is not None]
        assert counts == sorted(counts)
        assert [p for t, p, _ in ear.messages if t == "meterbridge/m/event"] == []
        value = json.loads(ear.wait_topic("homeassistant/device/meterbridge_m/config", seen))["cmps"]["value_1"]
        assert value["unit_of_meas"] == "bar" and value["stat_cla"] == "measurement" and "dev_cla" not in value
