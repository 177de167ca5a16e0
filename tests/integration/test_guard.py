# SPDX-License-Identifier: MIT
"""What goes out when meters lie: the counter guard, end to end (P15), and its commands (P30)."""
import json

import pytest

from house import House, Observer

P1 = "{{id: p1, profile: p1, interval: 1s, publish: every, main_fuse: 3x25A, link: {{serial: {tty}}}}}"


def states(ear, begin=0):
    return [json.loads(p) for t, p, _ in ear.messages[begin:] if t == "meterbridge/p1/state"]


def test_P15_counters_that_fall_to_zero_or_leap_never_go_out(tmp_path):
    house = House(tmp_path, [])
    house.write([P1.format(tty=house.tty("p1"))])
    with house.broker(), Observer(house.port) as ear, \
            house.simulate("--profile", "p1", "--pty", house.tty("p1"), "--period", "100ms", "--speed", "10") as good, \
            house.bridge() as bridge:
        ear.wait_json("meterbridge/p1/state", lambda s: "energy_import" in s)
        good.stop()
        seen = ear.count()
        with house.simulate("--profile", "p1", "--pty", house.tty("p1"), "--period", "100ms",
                            "--fault", "zero=0.3", "--fault", "jump=0.3"):
            event = ear.wait_json("meterbridge/p1/event", lambda e: e["event_type"] == "value_refused", seen, patience=60)
            assert "refused" in event["text"]
            ear.wait_json("meterbridge/p1/health", lambda h: h["refused"] > 20, seen, patience=120)
        assert bridge.stop() == 0
        energies = [s["energy_import"] for s in states(ear) if s.get("energy_import") is not None]
        assert len(energies) > 5 and energies == sorted(energies) and energies[0] > 0
        assert energies[-1] - energies[0] < 50


def test_P15_a_restart_forgets_no_counter_and_the_user_has_the_last_word(tmp_path):
    house = House(tmp_path, [])
    house.write([P1.format(tty=house.tty("p1"))])
    with house.broker(), Observer(house.port) as ear:
        with house.simulate("--profile", "p1", "--pty", house.tty("p1"), "--period", "200ms"), house.bridge() as bridge:
            ear.wait_json("meterbridge/p1/state", lambda s: "energy_import" in s)
            assert bridge.stop() == 0
        remembered = json.loads((house.folder / "state" / "meterbridge.values.json").read_text())
        assert float(remembered["meters"]["p1"]["registers"]["energy_import"]["value"]) > 0
        seen = ear.count()
        with house.simulate("--profile", "p1", "--pty", house.tty("p1"), "--period", "200ms", "--fault", "zero=1"), \
                house.bridge() as bridge:
            event = ear.wait_json("meterbridge/p1/event", lambda e: e["event_type"] == "value_refused", seen, patience=60)
            assert "lower than" in event["text"]
            ear.wait_json("meterbridge/p1/health", lambda h: h["state"] == "refused", seen, patience=60)
            told = states(ear, seen)
            assert told and all(s.get("energy_import") is None for s in told)
            ear.publish("meterbridge/p1/set/accept", "no_such_key")
            ear.wait_json("meterbridge/p1/event", lambda e: e["event_type"] == "command_refused", seen)
            ear.publish("meterbridge/p1/set/accept", "")
            ear.wait_json("meterbridge/p1/state", lambda s: s.get("energy_import") == 0, seen, patience=60)
            ear.publish("meterbridge/p1/set/replace", "carry_on")
            ear.wait_json("meterbridge/p1/event", lambda e: "nothing is held back" in e["text"], seen)
            assert bridge.stop() == 0


@pytest.mark.parametrize("version", ["5", "3.1.1"])
def test_retained_commands_are_refused_in_words_and_their_removal_is_no_command(tmp_path, version):
    house = House(tmp_path, [])
    house.write([P1.format(tty=house.tty("p1"))], mqtt_extra=f", version: {version}")
    command = "meterbridge/p1/set/replace"
    with house.broker(), Observer(house.port) as ear:
        def events(begin):
            return [json.loads(p)["text"] for t, p, _ in ear.messages[begin:] if t == "meterbridge/p1/event"]

        def sent_and_refused(topic, payload, words, retain=False):
            seen = ear.count()
            ear.publish(topic, payload, retain=retain)
            ear.wait_json("meterbridge/p1/event", lambda e: e["event_type"] == "command_refused" and words in e["text"], seen)

        ear.publish(command, "new_cycle", retain=True)
        seen = ear.count()
        with house.bridge() as bridge:
            refused = ear.wait_json("meterbridge/p1/event", lambda e: e["event_type"] == "command_refused", seen)["text"]
            assert command in refused and "retain flag" in refused and "mosquitto_pub -r -n" in refused
            ear.publish(command, "", retain=True)
            # Commands are heard in order: whatever came of the removal is there before the answer to this one.
            sent_and_refused(command, "nonsense", "carry_on was expected")
            assert [text for text in events(seen) if "nothing is held back" in text] == []
            sent_and_refused(command, "", "nothing is held back")  # without a flag and a history it is a command
            if version == "5":  # before it nobody tells us that a command was retained just now
                sent_and_refused("meterbridge/p1/set/accept", "all", "retain flag", retain=True)
            assert bridge.stop() == 0


def test_commands_that_nobody_can_carry_out_are_refused_in_words_and_named_once(tmp_path):
    house = House(tmp_path, [])
    house.write([P1.format(tty=house.tty("p1"))])
    with house.broker(), Observer(house.port) as ear, \
            house.simulate("--profile", "p1", "--pty", house.tty("p1"), "--period", "200ms", "--set", "country=nl"), \
            house.bridge() as bridge:
        gas = ear.wait(lambda t, _: t.startswith("meterbridge/p1_gas_") and t.endswith("/state"), "a gas meter")[0].split("/")[1]
        ear.publish(f"meterbridge/{gas}/set/poll", "")
        refused = ear.wait_json(f"meterbridge/{gas}/event", lambda e: e["event_type"] == "command_refused")["text"]
        assert f"{gas}/set/poll" in refused and 'read by the meter "p1"' in refused
        seen = ear.count()
        for _ in range(5):
            ear.publish("meterbridge/cellar/set/poll", "")
        ear.publish("meterbridge/p1/set/poll", "")  # the answer to this one comes behind the others
        ear.wait_json("meterbridge/p1/event", lambda e: "cannot be asked" in e["text"], seen)
        assert bridge.log().count("unknown meter: meterbridge/cellar/set/poll") == 1
        assert bridge.stop() == 0


def test_P30_after_a_meter_is_replaced_entities_and_files_go_on(tmp_path):
    house = House(tmp_path, [])
    house.write(["{id: em, profile: generic-json, link: {mqtt: garage/em}, interval: 1s, publish: every, fields: ["
                 "{pointer: /id, key: serial}, {pointer: /kwh, key: energy_import, unit: kWh}]}"],
                extra=f"sinks: {{csv: {{directory: {tmp_path}/csv, flush_interval: 100ms, sync: 100ms}}}}")
    state, event, discovery = ("meterbridge/em/state", "meterbridge/em/event", "homeassistant/device/meterbridge_em/config")

    def tell(serial, kwh):
        ear.publish("garage/em", json.dumps({"id": serial, "kwh": kwh}))

    def announced():
        document = json.loads([p for t, p, _ in ear.messages if t == discovery][-1])
        return {key: part["uniq_id"] for key, part in document["cmps"].items()}

    with house.broker(), Observer(house.port) as ear, house.bridge() as bridge:
        ear.wait_json("meterbridge/em/health", lambda h: h["state"])
        tell("A1", "1000.50")
        ear.wait_json(state, lambda s: s.get("energy_import") == 1000.5 and s.get("serial") == "A1")
        before = announced()
        seen = ear.count()
        tell("B2", "3.20")
        told = ear.wait_json(event, lambda e: e["event_type"] == "meter_replaced", seen)
        assert "A1" in told["text"] and "B2" in told["text"]
        ear.publish("meterbridge/em/set/replace", "carry_on")
        tell("B2", "3.40")
        ear.wait_json(state, lambda s: s.get("energy_import") == 1000.7 and s.get("serial") == "B2", seen)
        assert announced() == before
        assert bridge.stop() == 0
    lines = [line.split(",") for file in sorted((tmp_path / "csv").rglob("*.csv")) for line in file.read_text().splitlines()]
    columns = lines[0]
    counted = [float(row[columns.index("energy_import")]) for row in lines[1:] if row[columns.index("energy_import")]]
    assert counted[0] == 1000.5 and counted[-1] == 1000.7 and counted == sorted(counted), lines
    remembered = json.loads((house.folder / "state" / "meterbridge.values.json").read_text())
    assert "A1" in json.dumps(remembered["meters"]["em"]["earlier_serials"])
