# SPDX-License-Identifier: MIT
"""Meters of three protocols on one line: two of Incotex and one of Energomera, and one that refuses its password."""
import json

from house import House, Mosquitto, Observer, wait_for

SHARED = "link: cellar, publish: every, telegram: true, interval: 200ms, response_timeout: 500ms"
METERS = [f"{{id: main, profile: mercury-234, address: 34, {SHARED}}}",
          f"{{id: flat, profile: mercury-206, serial: 41234567, {SHARED}}}",
          f"{{id: shed, profile: energomera-ce307, address: 13462, {SHARED}}}",
          f"{{id: lift, profile: mercury-230, address: 65, {SHARED}}}"]
KEYS = {"main": {"energy_import", "energy_import_t4", "energy_export", "reactive_energy_import", "energy_import_l3",
                 "power_l1", "reactive_power", "apparent_power_l2", "power_factor", "voltage_l3", "current_l2", "frequency",
                 "phase_angle_l1_l2", "status", "serial", "firmware", "clock", "message"},
        "flat": {"energy_import", "energy_import_t2", "reactive_energy_import", "voltage", "current", "power", "frequency",
                 "tariff", "status", "serial", "firmware", "clock"},
        "shed": {"energy_import", "energy_import_t4", "tariff", "serial"}}


def test_P06_three_protocols_share_a_line_and_a_refused_password_is_told_once(tmp_path):
    house = House(tmp_path, [])
    links = f"links: {{cellar: {{serial: {tmp_path}/line, baud: 9600, mode: 8N1}}}}"
    house.write(METERS, extra=links)
    played = tmp_path / "played.yaml"
    played.write_text(house.file.read_text())
    house.write([*METERS[:3], METERS[3].replace("address: 65", 'address: 65, password: "654321"')], extra=links)
    with house.broker() as broker, Observer(broker.port) as ear:
        with house.simulate("-c", str(played)), house.bridge() as bridge:
            for meter, keys in KEYS.items():
                topic = f"homeassistant/device/meterbridge_{meter}/config"
                document = ear.wait_json(topic, lambda d, keys=keys: keys <= set(d["cmps"]))
                state = ear.wait_json(f"meterbridge/{meter}/state", lambda s, keys=keys: keys <= set(s))
                assert state["energy_import"] > 10000
                assert document["dev"]["sn"] in {"41906034", "41234567", "011791165813462"}
            health = ear.wait_json("meterbridge/lift/health", lambda h: h["state"] == "not_understood")
            assert "password" in json.dumps(health) and "654321" not in json.dumps(health)
            ear.wait_topic("meterbridge/lift/availability", payload="offline")
            after = ear.count()
            for meter in KEYS:  # supervised, and still read beside the one that is told nothing more
                wait_for(lambda meter=meter: sum(m[0] == f"meterbridge/{meter}/telegram" for m in ear.messages[after:]) >= 2,
                         f"two polls more of {meter}", 60)
            assert bridge.log().count("access level too low") == 1
            assert bridge.stop() == 0
