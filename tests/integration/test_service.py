# SPDX-License-Identifier: MIT
"""The main job end to end: simulated meters, the real program, a real mosquitto."""
import json
import os
import re
import signal
import socket
import threading
import time

import pytest

from house import House, Mosquitto, Observer, free_port, retained, wait_for

CE307 = "{{id: house, name: House meter, profile: energomera-ce307, address: 13462, interval: {interval}, publish: every, link: {{serial: {tty}}}}}"
P1 = "{{id: p1, profile: p1, interval: 1s, publish: every, link: {{serial: {tty}}}{more}}}"


@pytest.fixture
def ce307(tmp_path):
    house = House(tmp_path, [])
    house.write([CE307.format(tty=house.tty("ce307"), interval="1s")])
    return house


def play_ce307(house):
    return house.simulate("--profile", "energomera-ce307", "--set", "address=13462", "--pty", house.tty("ce307"))


def play_p1(house, *more):
    return house.simulate("--profile", "p1", "--pty", house.tty("p1"), "--period", "1s", *more)


def test_values_and_discovery_of_a_ce307(ce307):
    with ce307.broker(), Observer(ce307.port) as ear, play_ce307(ce307), ce307.bridge() as bridge:
        state = ear.wait_json("meterbridge/house/state", lambda s: "energy_import" in s)
        assert state["energy_import"] > 0
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", state["time"])
        # The digits of the meter: hundredths of a kWh, written as such.
        raw = ear.wait(lambda t, p: t == "meterbridge/house/state", "state")[1]
        assert re.search(r'"energy_import":\d+\.\d\d[,}]', raw)
        document = ear.wait_json("homeassistant/device/meterbridge_house/config",
                                 lambda d: "energy_import" in d["cmps"])
        entity = document["cmps"]["energy_import"]
        assert entity["uniq_id"] == "meterbridge_house_energy_import"
        assert (entity["dev_cla"], entity["stat_cla"], entity["unit_of_meas"]) == ("energy", "total_increasing", "kWh")
        assert document["dev"]["ids"] in ("meterbridge_house", ["meterbridge_house"])
        assert document["dev"]["name"] == "House meter"
        assert ear.wait_topic("meterbridge/house/availability", payload="online")
        assert ear.wait_topic("meterbridge/status", payload="online")
        # Every value has an entity (P31), and every reading entity a value (P32).
        state = ear.wait_json("meterbridge/house/state", lambda s: "serial" in s)
        document = json.loads(retained(ce307.port)["homeassistant/device/meterbridge_house/config"])
        assert set(state) - {"time"} <= set(document["cmps"])
        assert bridge.stop() == 0
        assert retained(ce307.port)["meterbridge/status"] == "offline"
    with ce307.broker(), ce307.bridge() as bridge:  # what it was told before is announced at the start (P31)
        known = len(set(state) - {"time"})
        wait_for(lambda: f"announced {known} entities of 1 meters to broker 127.0.0.1:{ce307.port}" in bridge.log(), "the log counts them")


def test_order_is_discovery_then_availability_then_state(ce307):
    with ce307.broker(), Observer(ce307.port) as ear, play_ce307(ce307), ce307.bridge():
        ear.wait_topic("meterbridge/house/state")
        topics = [m[0] for m in ear.messages]
        first_state = topics.index("meterbridge/house/state")
        online = next(i for i, m in enumerate(ear.messages) if m[:2] == ("meterbridge/house/availability", "online"))
        document = next(i for i, m in enumerate(ear.messages)
                        if m[0] == "homeassistant/device/meterbridge_house/config" and "energy_import" in m[1])
        assert document < online < first_state


def test_status_goes_offline_by_the_will_after_sigkill(ce307):
    with ce307.broker(), Observer(ce307.port) as ear, play_ce307(ce307), ce307.bridge() as bridge:
        ear.wait_topic("meterbridge/house/availability", payload="online")
        seen = ear.count()
        bridge.stop(signal.SIGKILL)
        ear.wait_topic("meterbridge/status", seen, "offline")


def test_sigterm_ends_fast_in_every_state(ce307):
    # No broker, no device.
    with ce307.bridge() as bridge:
        wait_for(lambda: "started" in bridge.log(), "started")
        begin = time.monotonic()
        assert bridge.stop() == 0
        assert time.monotonic() - begin < 5
    # Broker, and a device that never answers.
    with ce307.broker(), Observer(ce307.port) as ear, \
            ce307.simulate("--profile", "energomera-ce307", "--set", "address=1", "--pty", ce307.tty("ce307")), \
            ce307.bridge() as bridge:
        ear.wait_topic("meterbridge/status", payload="online")
        assert bridge.stop() == 0
        ear.wait_topic("meterbridge/status", payload="offline")


def test_P05_starts_with_everything_absent_and_delivers_when_things_appear(ce307):
    with ce307.bridge() as bridge:
        wait_for(lambda: "no_device" in bridge.log() and "broker" in bridge.log(), "both absences are named")
        with play_ce307(ce307), ce307.broker(), Observer(ce307.port) as ear:
            ear.wait_json("meterbridge/house/state", lambda s: "energy_import" in s, patience=60)
            assert bridge.alive()


def test_P05_device_first_or_broker_first(ce307):
    with ce307.broker(), Observer(ce307.port) as ear, ce307.bridge() as bridge:
        health = ear.wait_json("meterbridge/house/health", lambda h: h["state"] == "no_device")
        assert ce307.tty("ce307") in health["error"]
        ear.wait_topic("meterbridge/house/availability", payload="offline")
        with play_ce307(ce307):
            ear.wait_topic("meterbridge/house/availability", payload="online")
            ear.wait_json("meterbridge/house/health", lambda h: h["state"] == "ok")
        assert bridge.alive()


@pytest.mark.parametrize("times", [5])
def test_P01_device_removed_and_returned(tmp_path, times):
    house = House(tmp_path, [])
    house.write([P1.format(tty=house.tty("p1"), more="")])
    with house.broker(), Observer(house.port) as ear, house.bridge() as bridge:
        for _ in range(times):
            with play_p1(house) as meter:
                returned = time.monotonic()
                seen = ear.count()
                ear.wait_topic("meterbridge/p1/state", seen)
                # Five seconds, and one period of a meter that pushes.
                assert time.monotonic() - returned < 6
                seen = ear.count()
                meter.stop()
            ear.wait_topic("meterbridge/p1/availability", seen, "offline")
        assert bridge.alive()


def test_P01_no_load_while_the_device_is_gone(ce307):
    with ce307.broker(), Observer(ce307.port) as ear, ce307.bridge() as bridge:
        ear.wait_json("meterbridge/house/health", lambda h: h["state"] == "no_device")

        def cpu():
            fields = open(f"/proc/{bridge.process.pid}/stat").read().rsplit(")", 1)[1].split()
            return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

        before, begin = cpu(), time.monotonic()
        threading.Event().wait(4)  # the measurement takes its time
        assert (cpu() - before) / (time.monotonic() - begin) < 0.02


class Gateway:
    """A TCP serial server that can vanish without a word: it goes on holding the connection and sends nothing."""

    def __init__(self, target):
        self.target = target
        self.server = socket.create_server(("127.0.0.1", 0))
        self.port = self.server.getsockname()[1]
        self.connections = 0
        self.mute = threading.Event()
        self.closed = False
        self.threads = threading.Thread(target=self._accept, daemon=True)
        self.threads.start()

    def _accept(self):
        while not self.closed:
            try:
                client, _ = self.server.accept()
            except OSError:
                return
            self.connections += 1
            if self.connections > 1:
                self.mute.clear()
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        meter = socket.create_connection(("127.0.0.1", self.target))
        mine = self.connections
        while not self.closed:
            data = meter.recv(4096)
            if not data:
                break
            if self.mute.is_set() or mine != self.connections:
                continue  # swallowed: the peer sees neither data nor an end
            try:
                client.sendall(data)
            except OSError:
                break

    def close(self):
        self.closed = True
        self.server.close()


def test_P02_half_open_connection_is_noticed_and_replaced(tmp_path):
    house = House(tmp_path, [])
    meter_port = free_port()
    with house.simulate("--profile", "p1", "--tcp", f"127.0.0.1:{meter_port}", "--period", "1s"):
        gateway = Gateway(meter_port)
        house.write([f"{{id: p1, profile: p1, interval: 1s, publish: every, link: {{tcp: '127.0.0.1:{gateway.port}', silence: 3s}}}}"])
        with house.broker(), Observer(house.port) as ear, house.bridge():
            ear.wait_topic("meterbridge/p1/state")
            seen = ear.count()
            gateway.mute.set()
            begin = time.monotonic()
            wait_for(lambda: gateway.connections > 1, "a second connection")
            ear.wait(lambda t, p: t == "meterbridge/p1/state", "a reading over it", seen)
            assert time.monotonic() - begin < 3 + 5
        gateway.close()


def test_P03_a_refusing_peer_is_not_stormed(tmp_path):
    port = free_port()
    house = House(tmp_path, [f"{{id: p1, profile: p1, publish: every, link: {{tcp: '127.0.0.1:{port}'}}}}"])
    with house.broker(), Observer(house.port) as ear, house.bridge("--log-level", "debug") as bridge:
        health = ear.wait_json("meterbridge/p1/health", lambda h: h["state"] == "no_device")
        assert f"127.0.0.1:{port}" in health["error"]
        # The first retries come early; how they spread out later is proved with a manual clock in tests/unit/io.
        with house.simulate("--profile", "p1", "--tcp", f"127.0.0.1:{port}", "--period", "1s"):
            ear.wait_topic("meterbridge/p1/state", patience=60)
        assert bridge.alive()


def test_P04_a_silent_meter_is_named_and_goes_offline(tmp_path):
    house = House(tmp_path, [])
    house.write([f"{{id: p1, profile: p1, interval: 1s, publish: every, link: {{serial: {house.tty('p1')}, silence: 3s}}}}"])
    with house.broker(), Observer(house.port) as ear, play_p1(house) as meter, house.bridge() as bridge:
        ear.wait_topic("meterbridge/p1/availability", payload="online")
        seen = ear.count()
        meter.process.send_signal(signal.SIGSTOP)
        try:
            ear.wait_topic("meterbridge/p1/availability", seen, "offline")
            health = ear.wait_json("meterbridge/p1/health", lambda h: h["state"] == "no_bytes", seen)
            assert "not one byte" in health["error"]
        finally:
            meter.process.send_signal(signal.SIGCONT)
        ear.wait_topic("meterbridge/p1/availability", seen, "online")
        ear.wait_json("meterbridge/p1/health", lambda h: h["state"] == "ok", seen)
        assert bridge.log().count("no_bytes") == 1 and "good again" in bridge.log()


def test_P37_broker_restarted_without_persistence(ce307):
    broker = ce307.broker()
    with broker, play_ce307(ce307), ce307.bridge():
        with Observer(ce307.port) as ear:
            ear.wait_json("meterbridge/house/state", lambda s: "energy_import" in s)
        broker.stop()
        broker.start()
        with Observer(ce307.port) as ear:
            ear.wait_topic("meterbridge/house/state", patience=60)
            found = retained(ce307.port)
        assert found["meterbridge/status"] == "online"
        assert found["meterbridge/house/availability"] == "online"
        assert "energy_import" in json.loads(found["homeassistant/device/meterbridge_house/config"])["cmps"]
        assert "homeassistant/device/meterbridge_bridge/config" in found


def test_P37_birth_message_brings_everything_again_in_order(ce307):
    # So seldom read that what comes again is no new reading.
    ce307.write([CE307.format(tty=ce307.tty("ce307"), interval="1h")])
    with ce307.broker(), Observer(ce307.port) as ear, play_ce307(ce307), ce307.bridge():
        ear.wait_json("meterbridge/house/state", lambda s: "energy_import" in s)
        ear.wait_json("homeassistant/device/meterbridge_house/config", lambda d: "energy_import" in d["cmps"])
        ear.publish("homeassistant/device/meterbridge_house/config", "", retain=True)  # as if it had been lost
        seen = ear.count()
        ear.publish("homeassistant/status", "online")
        ear.wait_topic("meterbridge/house/state", seen)
        again = [(topic, payload) for topic, payload, _ in ear.messages[seen:]]
        topics = [topic for topic, _ in again]
        document = topics.index("homeassistant/device/meterbridge_house/config")
        assert "energy_import" in again[document][1]
        assert document < again.index(("meterbridge/house/availability", "online")) < topics.index("meterbridge/house/state")


def test_P36_a_meter_removed_while_stopped_leaves_nothing(ce307):
    other = P1.format(tty=ce307.tty("p1"), more="")
    house = CE307.format(tty=ce307.tty("ce307"), interval="1s")
    ce307.write([house, other])
    with ce307.broker(), Observer(ce307.port) as ear, play_ce307(ce307), play_p1(ce307):
        with ce307.bridge() as bridge:
            ear.wait_topic("meterbridge/house/state")
            ear.wait_topic("meterbridge/p1/state")
            assert bridge.stop() == 0
        assert "homeassistant/device/meterbridge_house/config" in retained(ce307.port)
        ce307.write([other])
        seen = ear.count()
        with ce307.bridge() as bridge:
            ear.wait_topic("meterbridge/p1/state", seen)
            ear.wait_topic("homeassistant/device/meterbridge_house/config", seen, "")
            wait_for(lambda: not [t for t in retained(ce307.port) if "house" in t], "no retained message of the meter")
            assert bridge.stop() == 0


def test_P36_clear_lists_and_clears_only_our_leftovers(ce307):
    with ce307.broker(), Observer(ce307.port) as ear:
        ours = '{"avty":[{"t":"meterbridge/status"}]}'
        ear.publish("homeassistant/device/meterbridge_old/config", ours, retain=True)
        ear.publish("meterbridge/old/state", "{}", retain=True)
        ear.publish("homeassistant/device/meterbridge_2_house/config", '{"avty":[{"t":"meterbridge_2/status"}]}', retain=True)
        ear.publish("zigbee2mqtt/lamp", "on", retain=True)
        # An own availability proves a meter, too; a component document as well.
        ear.publish("meterbridge/older/availability", "offline", retain=True)
        ear.publish("meterbridge/older/health", "{}", retain=True)
        ear.publish("homeassistant/sensor/meterbridge_oldest/energy/config", '{"avty_t":"meterbridge/status"}', retain=True)
        ear.publish("meterbridge/oldest/state", "{}", retain=True)
        # Of others who use the same base, and of ourselves.
        foreign = {"meterbridge/kitchen/light/state": "on", "meterbridge/kitchen/state": "on",
                   "meterbridge/kitchen/health": "good", "meterbridge/cellar/availability": "yes",
                   "meterbridge/old/light/state": "on", "meterbridge/old/note": "x", "meterbridge/plan": "x",
                   "homeassistant/device/meterbridge_kitchen/config": '{"avty":[{"t":"other/status"}]}',
                   "meterbridge/house/state": "{}", "meterbridge/house_gas/availability": "online"}
        for topic, payload in foreign.items():
            ear.publish(topic, payload, retain=True)
        listed = ce307.call("clear", "-c", str(ce307.file))
        assert listed.returncode == 0, listed.stderr
        assert sorted(listed.stdout.decode().split()) == [
            "homeassistant/device/meterbridge_old/config", "homeassistant/sensor/meterbridge_oldest/energy/config",
            "meterbridge/old/state", "meterbridge/older/availability", "meterbridge/older/health",
            "meterbridge/oldest/state"]
        assert "meterbridge/old/state" in retained(ce307.port)
        assert ce307.call("clear", "-c", str(ce307.file), "--yes").returncode == 0
        assert set(retained(ce307.port)) == {"homeassistant/device/meterbridge_2_house/config", "zigbee2mqtt/lamp",
                                             *foreign}


def test_clear_ends_while_others_publish_and_takes_only_what_is_retained(ce307):
    with ce307.broker(), Observer(ce307.port) as ear:
        ear.publish("meterbridge/old/availability", "offline", retain=True)
        enough = threading.Event()

        def chatter():
            while not enough.wait(0.05):
                ear.publish("meterbridge/live/availability", "online")

        thread = threading.Thread(target=chatter)
        thread.start()
        try:
            listed = ce307.call("clear", "-c", str(ce307.file))
        finally:
            enough.set()
            thread.join()
        assert listed.returncode == 0, listed.stderr
        assert listed.stdout.decode().split() == ["meterbridge/old/availability"]


def test_commands_poll_interval_and_pause(tmp_path):
    house = House(tmp_path, [])
    house.write([CE307.format(tty=house.tty("ce307"), interval="1h")])
    with house.broker(), Observer(house.port) as ear, play_ce307(house), house.bridge():
        ear.wait_topic("meterbridge/house/state")
        seen = ear.count()
        ear.publish("meterbridge/house/set/poll", "PRESS")
        ear.wait_topic("meterbridge/house/state", seen)
        seen = ear.count()
        ear.publish("meterbridge/house/set/interval", "1")
        assert ear.wait_json("meterbridge/house/health", lambda h: h["interval"] == 1, seen)
        ear.wait_topic("meterbridge/house/state", seen)
        seen = ear.count()
        ear.publish("meterbridge/house/set/pause", "ON")
        assert ear.wait_json("meterbridge/house/health", lambda h: h["paused"], seen)
        ear.wait_topic("meterbridge/house/availability", seen, "offline")
        ear.publish("meterbridge/house/set/pause", "OFF")
        ear.wait_topic("meterbridge/house/availability", seen, "online")
        seen = ear.count()
        ear.publish("meterbridge/house/set/interval", "0")
        assert ear.wait_json("meterbridge/house/event", after=seen)["event_type"] == "command_refused"


def test_labels_hidden_readings_and_factors(tmp_path):
    house = House(tmp_path, [])
    house.write(["{id: house, profile: energomera-ce307, address: 13462, interval: 1s, publish: every, link: {serial: %s}, "
                 "readings: {energy_import_t1: {name: Day}, energy_import_t2: hidden, energy_import: {factor: 40}}}"
                 % house.tty("ce307")])
    with house.broker(), Observer(house.port) as ear, play_ce307(house), house.bridge():
        state = ear.wait_json("meterbridge/house/state", lambda s: "energy_import" in s)
        assert "energy_import_t2" not in state
        assert abs(state["energy_import"] - 40 * (state["energy_import_t1"] + state.get("energy_import_t3", 0))) \
            < state["energy_import"]
        document = ear.wait_json("homeassistant/device/meterbridge_house/config", lambda d: "energy_import_t1" in d["cmps"])
        assert document["cmps"]["energy_import_t1"]["name"] == "Day"
        assert "energy_import_t2" not in document["cmps"]


def test_component_discovery_and_back(ce307):
    meter = CE307.format(tty=ce307.tty("ce307"), interval="1s")
    with ce307.broker(), Observer(ce307.port) as ear, play_ce307(ce307):
        with ce307.bridge() as bridge:
            ear.wait_topic("meterbridge/house/state")
            assert bridge.stop() == 0
        ce307.write([meter], extra="homeassistant: {discovery: component}")
        seen = ear.count()
        with ce307.bridge() as bridge:
            ear.wait(lambda t, p: re.fullmatch(r"homeassistant/sensor/.*energy_import/config", t) and p, "component", seen)
            ear.wait_topic("homeassistant/device/meterbridge_house/config", seen, '{"migrate_discovery":true}')
            ear.wait_topic("homeassistant/device/meterbridge_house/config", seen, "")
            assert bridge.stop() == 0
        ce307.write([meter])
        seen = ear.count()
        with ce307.bridge() as bridge:
            ear.wait(lambda t, p: t == "homeassistant/device/meterbridge_house/config" and p, "document", seen)
            ear.wait(lambda t, p: re.fullmatch(r"homeassistant/sensor/.*energy_import/config", t) and p == "", "removed", seen)
            assert bridge.stop() == 0


def test_P23_a_wrong_key_is_named_and_not_no_data(tmp_path):
    house = House(tmp_path, [])
    right = "2b7e151628aed2a6abf7158809cf4f3c"
    wrong = "2b7e151628aed2a6abf7158809cf4f3d"
    house.write([P1.format(tty=house.tty("p1"), more=f", key: {wrong}")])
    with house.broker(), Observer(house.port) as ear, play_p1(house, "--set", "country=lu", "--set", f"key={right}"), \
            house.bridge("--log-level", "trace") as bridge:
        health = ear.wait_json("meterbridge/p1/health", lambda h: h["state"] == "wrong_key")
        assert health["last_frame"] and not health.get("last_reading")
        assert health["recoveries"].get("reopen", 0) == 0  # the line works: a wrong key never resets an adapter
        assert wrong not in bridge.log() and right not in bridge.log()
        assert bridge.stop() == 0


def test_P26_gas_meter_is_a_device_of_its_own(tmp_path):
    house = House(tmp_path, [])
    house.write([P1.format(tty=house.tty("p1"), more="")])
    with house.broker(), Observer(house.port) as ear, play_p1(house, "--set", "country=nl"), house.bridge():
        topic, payload, _ = ear.wait(lambda t, p: re.fullmatch(r"meterbridge/p1_gas_\w+/state", t), "a gas meter")
        assert json.loads(payload)["gas"] > 0
        meter = topic.split("/")[1]
        document = ear.wait_json(f"homeassistant/device/meterbridge_{meter}/config", lambda d: "gas" in d["cmps"])
        gas = document["cmps"]["gas"]
        assert (gas["dev_cla"], gas["unit_of_meas"], gas["stat_cla"]) == ("gas", "m³", "total_increasing")
        ear.wait_topic(f"meterbridge/{meter}/availability", payload="online")


def test_whole_telegrams_in_our_form_and_in_the_old_one(tmp_path):
    house = House(tmp_path, [])
    house.write([P1.format(tty=house.tty("p1"), more=", telegram: true"),
                 P1.format(tty=house.tty("old"), more=", telegram: {topic: tele/smartmeter/SENSOR, layout: okosmero}")
                 .replace("id: p1", "id: old")])
    with house.broker(), Observer(house.port) as ear, play_p1(house), \
            house.simulate("--profile", "p1", "--pty", house.tty("old"), "--period", "1s"), house.bridge():
        ours = ear.wait_json("meterbridge/p1/telegram")
        assert ours["protocol"] == "p1" and ours["items"] and ours["readings"]
        old = ear.wait_json("tele/smartmeter/SENSOR")
        assert old["MeterName"] and re.fullmatch(r"\d{12}[SW]", old["Time"])


def test_run_once_delivers_and_ends(ce307):
    with ce307.broker(), Observer(ce307.port) as ear, play_ce307(ce307):
        done = ce307.call("run", "--once", "-c", str(ce307.file))
        assert done.returncode == 0, done.stderr
        ear.wait_json("meterbridge/house/state", lambda s: "energy_import" in s)
        assert retained(ce307.port)["meterbridge/house/availability"] == "online"
    failed = ce307.call("run", "--once", "-c", str(ce307.file), patience=60)
    assert failed.returncode == 1


def test_a_paused_meter_is_asked_only_when_it_is_named(ce307):
    ce307.write([CE307.format(tty=ce307.tty("ce307"), interval="1s").replace("{id: house,", "{id: house, paused: true,")])
    with ce307.broker(), play_ce307(ce307):
        for how in (("read",), ("run", "--once")):
            done = ce307.call(*how, "-c", str(ce307.file))
            assert done.returncode == 0 and done.stdout == b"" and b"house: is paused in the configuration" in done.stderr, done
        found = retained(ce307.port)
        assert "meterbridge/house/state" not in found and found["meterbridge/house/availability"] == "offline"
        named = ce307.call("read", "-c", str(ce307.file), "house")
        assert named.returncode == 0 and b"energy_import" in named.stdout, named


def test_read_prints_a_table_and_json_and_needs_no_broker(ce307):
    with play_ce307(ce307):
        table = ce307.call("read", "-c", str(ce307.file))
        assert table.returncode == 0, table.stderr
        assert re.search(r"^house +energy_import +\d+\.\d\d +kWh$", table.stdout.decode(), re.M)
        lines = ce307.call("read", "-c", str(ce307.file), "--json", "house").stdout.decode().splitlines()
        sample = json.loads(lines[0])
        assert sample["meter"] == "house" and any(r["key"] == "energy_import" for r in sample["readings"])
    assert ce307.call("read", "-c", str(ce307.file), patience=60).returncode == 1
    unknown = ce307.call("read", "-c", str(ce307.file), "hous")
    assert unknown.returncode == 2 and b"did you mean house" in unknown.stderr


def test_read_beside_a_running_service_says_who_holds_the_port(ce307):
    with ce307.broker(), Observer(ce307.port) as ear, play_ce307(ce307), ce307.bridge():
        ear.wait_json("meterbridge/house/state", lambda s: "energy_import" in s)
        beside = ce307.call("read", "-c", str(ce307.file))
        assert beside.returncode == 1
        assert ce307.tty("ce307") in beside.stderr.decode() and "meterbridge" in beside.stderr.decode()
        assert "energy_import" in beside.stdout.decode()


def test_read_falls_back_to_the_values_of_the_failed_meter_only(ce307):
    second = CE307.format(tty=ce307.tty("second"), interval="1s").replace("id: house,", "id: house_2,")
    ce307.write([CE307.format(tty=ce307.tty("ce307"), interval="1s"), second])
    with ce307.broker(), Observer(ce307.port) as ear:
        ear.publish("meterbridge/status", "online", retain=True)
        for meter in ("house", "house_gas", "house_2", "house_2_gas", "houses"):
            ear.publish(f"meterbridge/{meter}/state", '{"energy_import":1.50}', retain=True)
        failed = ce307.call("read", "-c", str(ce307.file), "--json", "house", patience=60)
        assert failed.returncode == 1
        lines = [json.loads(line) for line in failed.stdout.decode().splitlines()]
        assert lines[0]["meter"] == "house" and "error" in lines[0]
        assert lines[1:] == [{"meter": "house", "service": {"energy_import": 1.5}},
                             {"meter": "house_gas", "service": {"energy_import": 1.5}}]


def test_P35_the_identity_survives_other_name_link_and_address(ce307):
    def ids():
        return sorted(c.get("uniq_id") for c in
                      json.loads(retained(ce307.port)["homeassistant/device/meterbridge_house/config"])["cmps"].values())

    with ce307.broker(), Observer(ce307.port) as ear:
        with play_ce307(ce307), ce307.bridge() as bridge:
            ear.wait_json("meterbridge/house/state", lambda s: "serial" in s)
            assert bridge.stop() == 0
        before = ids()
        ce307.write([CE307.format(tty=ce307.tty("other"), interval="1s").replace("13462", "77").replace("House meter", "Cellar")])
        seen = ear.count()
        with ce307.simulate("--profile", "energomera-ce307", "--set", "address=77", "--pty", ce307.tty("other")), \
                ce307.bridge() as bridge:
            ear.wait_json("meterbridge/house/state", lambda s: "serial" in s, seen)
            assert bridge.stop() == 0
        assert ids() == before


def test_an_invalid_configuration_ends_with_2_and_names_the_place(ce307):
    ce307.file.write_text("mqtt: {hots: localhost}\nmeters: []\n")
    for command in ("run", "check", "read"):
        refused = ce307.call(command, "-c", str(ce307.file))
        assert refused.returncode == 2
        assert re.search(r"meterbridge\.yaml:1:\d+: error: mqtt\.hots: .*host", refused.stderr.decode() + refused.stdout.decode())
