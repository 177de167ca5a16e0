# SPDX-License-Identifier: MIT
"""The configuration is read again on SIGHUP: what did not change must not notice."""
import json
import os
import pathlib
import re
import signal
import socket

from house import House, Mosquitto, Observer, free_port, retained, wait_for

P1 = "{{id: {id}, profile: p1, interval: 1s, publish: every, telegram: true, link: {{serial: {tty}}}}}"
CE307 = "{{id: house, profile: energomera-ce307, address: 13462, interval: {interval}, publish: every, link: {{serial: {tty}}}}}"
POLLED_OVER_TCP = "{{id: {id}, profile: energomera-ce307, address: {address}, interval: 1s, publish: every, link: {link}}}"


def reload(bridge, what):
    """SIGHUP, and the line that says what came of it."""
    before = len(bridge.log())
    bridge.process.send_signal(signal.SIGHUP)
    wait_for(lambda: what in bridge.log()[before:], f"the log says: {what}")
    return bridge.log()[before:]


def play_p1(house, name):
    return house.simulate("--profile", "p1", "--pty", house.tty(name), "--period", "1s")


def play_ce307(house):
    return house.simulate("--profile", "energomera-ce307", "--set", "address=13462", "--pty", house.tty("ce307"))


def descriptors(bridge, target):
    """The descriptors that the program has open on a device."""
    folder = pathlib.Path(f"/proc/{bridge.process.pid}/fd")
    return {fd.name for fd in folder.iterdir() if os.readlink(fd) == target}


def second_of(telegram):
    hours, minutes, seconds = re.search(r"T(\d\d):(\d\d):(\d\d)", json.loads(telegram)["time"]).groups()
    return int(hours) * 3600 + int(minutes) * 60 + int(seconds)


def test_reload_touches_only_what_changed(tmp_path):
    house = House(tmp_path, [])
    keep, old, new = (P1.format(id=name, tty=house.tty(name)) for name in ("keep", "old", "new"))
    house.write([keep, old, CE307.format(tty=house.tty("ce307"), interval="1s")])
    with house.broker(), Observer(house.port) as ear, play_p1(house, "keep"), play_p1(house, "old"), \
            play_p1(house, "new"), play_ce307(house), house.bridge() as bridge:
        for meter in ("keep", "old", "house"):
            ear.wait_topic(f"meterbridge/{meter}/state")
        device = os.path.realpath(house.tty("keep"))
        before = descriptors(bridge, device)
        assert len(before) == 1
        # Without its link the port cannot be opened again: who closes it loses the meter.
        os.unlink(house.tty("keep"))
        seen = ear.count()
        house.write([keep, new, CE307.format(tty=house.tty("ce307"), interval="3s")])
        log = reload(bridge, "configuration taken over")
        assert "removed old; changed house; new new (1 meters go on undisturbed)" in log

        # The removed one has left Home Assistant, the new one is there, the changed one has its new interval.
        ear.wait_topic("homeassistant/device/meterbridge_old/config", seen, "")
        wait_for(lambda: not [t for t in retained(house.port) if "/old/" in t or "_old/" in t], "nothing is left of it")
        ear.wait_topic("meterbridge/new/state", seen)
        ear.wait_json("meterbridge/house/health", lambda h: h["interval"] == 3, seen)
        ear.wait_topic("meterbridge/house/state", seen)
        ear.wait_topic("meterbridge/house/availability", seen, "online")

        # The unchanged one kept its port and lost no telegram.
        for _ in range(3):
            ear.wait_topic("meterbridge/keep/telegram", ear.count())
        assert descriptors(bridge, device) == before
        seconds = [second_of(p) for t, p, _ in ear.messages if t == "meterbridge/keep/telegram"]
        steps = [(b - a) % 86400 for a, b in zip(seconds, seconds[1:])]
        assert steps and set(steps) == {1}
        assert not [p for t, p, _ in ear.messages[seen:] if t == "meterbridge/keep/availability"]
        assert bridge.stop() == 0


def test_reload_reports_a_broken_file_and_goes_on(tmp_path):
    house = House(tmp_path, [])
    good = P1.format(id="keep", tty=house.tty("keep"))
    house.write([good])
    with house.broker(), Observer(house.port) as ear, play_p1(house, "keep"), house.bridge() as bridge:
        ear.wait_topic("meterbridge/keep/state")
        for broken, words in (("mqtt: {hots: localhost}\nmeters: []\n", r"meterbridge\.yaml:1:8: error: mqtt\.hots"),
                              ("meters: [\n", r"meterbridge\.yaml:\d+:\d+: error: ")):
            house.file.write_text(broken)
            log = reload(bridge, "was not taken over: everything goes on")
            assert re.search(words, log[log.index("meterbridge.yaml"):]), log
        os.unlink(house.file)
        assert "there is no such file" in reload(bridge, "was not taken over")
        seen = ear.count()
        ear.wait_topic("meterbridge/keep/state", seen)
        assert not [m for m in ear.messages if m[:2] == ("meterbridge/keep/availability", "offline")][1:]
        house.write([good])
        assert "nothing has changed (1 meters go on undisturbed)" in reload(bridge, "configuration taken over")
        assert bridge.stop() == 0


def test_reload_of_a_link_concerns_all_its_meters_and_no_other(tmp_path):
    ports = {name: free_port() for name in ("bus", "solo")}
    house = House(tmp_path, [])
    meters = [POLLED_OVER_TCP.format(id="one", address=1, link="bus"), POLLED_OVER_TCP.format(id="two", address=2, link="bus"),
              POLLED_OVER_TCP.format(id="solo", address=3, link=f"{{tcp: '127.0.0.1:{ports['solo']}'}}")]

    def links(turnaround):
        return f"links: {{bus: {{tcp: '127.0.0.1:{ports['bus']}', turnaround: {turnaround}}}}}"

    house.write(meters, extra=links("50ms"))
    simulated = tmp_path / "simulated.yaml"
    simulated.write_text(house.file.read_text())
    with house.broker(), Observer(house.port) as ear, house.simulate("-c", str(simulated)), house.bridge() as bridge:
        for meter in ("one", "two", "solo"):
            ear.wait_json(f"meterbridge/{meter}/state", lambda s: "energy_import" in s)
        # A command of the user survives for who is not concerned.
        ear.publish("meterbridge/solo/set/interval", "2")
        ear.publish("meterbridge/one/set/interval", "2")
        for meter in ("one", "solo"):
            ear.wait_json(f"meterbridge/{meter}/health", lambda h: h["interval"] == 2)
        seen = ear.count()
        house.write(meters, extra=links("60ms"))
        assert "changed one, two (1 meters go on undisturbed)" in reload(bridge, "configuration taken over")
        for meter in ("one", "two"):
            ear.wait_json(f"meterbridge/{meter}/health", lambda h: h["interval"] == 1, seen)
            ear.wait_topic(f"meterbridge/{meter}/availability", seen, "online")
        ear.wait_topic("meterbridge/solo/state", ear.count())
        assert not [p for t, p, _ in ear.messages[seen:] if t == "meterbridge/solo/availability"]
        assert json.loads(retained(house.port)["meterbridge/solo/health"])["interval"] == 2
        assert bridge.stop() == 0


def test_reload_moves_to_another_broker_without_touching_the_meters(tmp_path):
    house = House(tmp_path, [])
    meter = P1.format(id="keep", tty=house.tty("keep"))
    house.write([meter])
    with house.broker(), Mosquitto(tmp_path) as other, Observer(house.port) as ear, Observer(other.port) as there, \
            play_p1(house, "keep"), house.bridge() as bridge:
        ear.wait_topic("meterbridge/keep/state")
        os.unlink(house.tty("keep"))
        seen = ear.count()
        house.file.write_text(house.file.read_text().replace(str(house.port), str(other.port)))
        assert "the broker's settings (1 meters go on undisturbed)" in reload(bridge, "configuration taken over")
        ear.wait_topic("meterbridge/status", seen, "offline")
        there.wait_topic("meterbridge/status", payload="online")
        there.wait_topic("meterbridge/keep/availability", payload="online")
        for _ in range(2):
            there.wait_topic("meterbridge/keep/state", there.count())
        assert "homeassistant/device/meterbridge_keep/config" in retained(other.port)
        # Commands arrive over the new connection, too.
        there.publish("meterbridge/keep/set/pause", "ON")
        there.wait_json("meterbridge/keep/health", lambda h: h["paused"])
        assert bridge.stop() == 0


def test_reload_with_the_right_password_ends_a_refusal(tmp_path):
    house = House(tmp_path, [])
    meter = CE307.format(tty=house.tty("ce307"), interval="1s")
    house.write([meter.replace("interval", "password: 21, interval")])
    with house.broker(), Observer(house.port) as ear, house.bridge() as bridge, house.simulate(
            "--profile", "energomera-ce307", "--set", "address=13462", "--set", "password=42", "--pty", house.tty("ce307")):
        ear.wait_json("meterbridge/house/health", lambda h: h["error"] and "refuses the password" in h["error"])
        seen = ear.count()
        house.write([meter.replace("interval", "password: 42, interval")])
        assert "changed house" in reload(bridge, "configuration taken over")
        ear.wait_topic("meterbridge/house/availability", seen, "online")
        assert bridge.stop() == 0


def test_reload_says_what_only_a_restart_can_change(tmp_path):
    house = House(tmp_path, [])
    meter = P1.format(id="keep", tty=house.tty("keep"))
    house.write([meter])
    with house.broker(), Observer(house.port) as ear, house.bridge() as bridge:
        ear.wait_topic("meterbridge/status", payload="online")
        house.write([meter], extra="instance: other")
        log = reload(bridge, "configuration taken over")
        assert 'instance cannot be changed while running: it stays "meterbridge"' in log
        assert bridge.stop() == 0
        assert not [m for m in ear.messages if m[0].startswith("other/")]


def test_reload_speaks_another_language_with_the_same_identities(tmp_path):
    house = House(tmp_path, [])
    meter = CE307.format(tty=house.tty("ce307"), interval="1s")
    house.write([meter])
    topic = "homeassistant/device/meterbridge_house/config"
    with house.broker(), Observer(house.port) as ear, play_ce307(house), house.bridge() as bridge:
        english = ear.wait_json(topic, lambda d: "energy_import" in d["cmps"])["cmps"]
        ids = {key: component["uniq_id"] for key, component in english.items()}
        for code, name, button in (("de", "Bezug", "Jetzt abfragen"), ("hu", "Fogyasztás", "Lekérdezés most"),
                                   ("ru", "Потреблённая энергия", "Опросить сейчас")):
            seen = ear.count()
            house.write([meter], extra=f"homeassistant: {{language: {code}}}")
            assert "what Home Assistant is told (1 meters" in reload(bridge, "configuration taken over")
            document = ear.wait_json(topic, lambda d: d["cmps"]["energy_import"]["name"] == name, seen)["cmps"]
            assert document["poll"]["name"] == button
            assert {key: document[key]["uniq_id"] for key in ids} == ids
        assert bridge.stop() == 0


def test_reload_again_and_again_ends_with_the_last_file(tmp_path):
    house = House(tmp_path, [])
    meters = [CE307.format(tty=house.tty("ce307"), interval="1s"), P1.format(id="p1", tty=house.tty("p1"))]
    house.write(meters)
    with house.broker(), Observer(house.port) as ear, play_ce307(house), play_p1(house, "p1"), house.bridge() as bridge:
        ear.wait_topic("meterbridge/house/state")
        for turn in range(12):
            house.write(meters[: 1 + turn % 2], mqtt_extra=f", keepalive: {10 + turn}s" if turn % 3 == 0 else "")
            bridge.process.send_signal(signal.SIGHUP)
            wait_for(lambda: bridge.log().count("taken over") > turn // 4, "they are not all one")
        seen = ear.count()
        house.write([meters[0].replace("1s", "7s"), meters[1]])
        bridge.process.send_signal(signal.SIGHUP)
        ear.wait_json("meterbridge/house/health", lambda h: h["interval"] == 7, seen)
        ear.wait_topic("meterbridge/p1/state", ear.count())
        ear.wait_topic("meterbridge/house/availability", seen, "online")
        # In the middle of a reload the way out is as short as ever.
        house.write([])
        bridge.process.send_signal(signal.SIGHUP)
        assert bridge.stop() == 0
        ear.wait_topic("meterbridge/status", seen, "offline")


def test_reload_tells_the_service_manager(tmp_path):
    house = House(tmp_path, [])
    house.write([P1.format(id="keep", tty=house.tty("keep"))])
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(30)

        def heard(key):
            while True:
                text = manager.recv(4096).decode()
                if key in text:
                    return text

        with house.bridge(environment={"NOTIFY_SOCKET": str(tmp_path / "notify")}) as bridge:
            heard("READY=1")
            bridge.process.send_signal(signal.SIGHUP)
            assert re.fullmatch(r"RELOADING=1\nMONOTONIC_USEC=\d+\n?", heard("RELOADING=1"))
            heard("READY=1")
            assert bridge.stop() == 0
