# SPDX-License-Identifier: MIT
"""Bridges to a further broker (P51): two real mosquittos, the program, and a path between them that can be cut.

METERBRIDGE_LONG_TESTS=1 makes the outages as long as they are in life (a minute; a freeze beyond the keepalive).
"""
import os
import pathlib
import queue
import re
import signal
import subprocess
import threading
import time

import paho.mqtt.client as mqtt
import pytest

from house import BINARY, PATIENCE, House, Mosquitto, Observer, free_port, wait_for
from two_brokers import Site

LONG = bool(os.environ.get("METERBRIDGE_LONG_TESTS"))
P1 = "{{id: p1, profile: p1, interval: 1s, publish: every, link: {{serial: {tty}}}}}"
PRESET = "preset: homeassistant"


def linked(ear, after=0):
    ear.wait_topic("meterbridge-link/ha/state", after, "1")


def unlinked(ear, after=0):
    ear.wait_topic("meterbridge-link/ha/state", after, "0")


def retained(port, quiet=0.4):
    """What a newcomer finds: topic -> payload. Live messages go on all the time here."""
    found = {}
    last = [time.monotonic() + 1]

    def take(_client, _data, message):
        if message.retain:
            found[message.topic] = message.payload.decode("utf-8", "replace")
            last[0] = time.monotonic() + quiet

    client = mqtt.Client(client_id="", protocol=mqtt.MQTTv311)
    client.on_connect = lambda c, *_: c.subscribe("#", 1)
    client.on_subscribe = lambda *_: last.__setitem__(0, time.monotonic() + quiet)
    client.on_message = take
    client.connect("127.0.0.1", port)
    client.loop_start()
    while time.monotonic() < last[0]:
        threading.Event().wait(0.02)
    client.loop_stop()
    client.disconnect()
    return found


def payloads(ear, topic):
    with ear.changed:
        return [p for t, p, _ in ear.messages if t == topic]


def resident(process):
    """Of its own, in kB: without the program's text and the libraries."""
    status = pathlib.Path(f"/proc/{process.process.pid}/status").read_text()
    return int(re.search(r"RssAnon:\s+(\d+) kB", status)[1])


def test_P51_home_assistant_at_the_other_broker_sees_and_commands_the_meters(tmp_path):
    with Site(tmp_path, PRESET, [P1]) as site, Observer(site.far.port) as ear, Observer(site.near.port) as home:
        home.publish("homeassistant/device/zigbee/config", "{}", retain=True)
        with site.house.simulate("--profile", "p1", "--pty", site.house.tty("p1"), "--period", "200ms"), site.run() as bridge:
            linked(home)
            document = ear.wait_json("homeassistant/device/meterbridge_p1/config")
            assert document["dev"]["ids"]
            first = ear.wait_topic("meterbridge/p1/state")
            ear.wait(lambda t, p: t == "meterbridge/p1/state" and p != first, "live values follow")
            ear.wait_topic("meterbridge/p1/availability", payload="online")
            # The flag survives the way, also of what was published while the bridge listened.
            wait_for(lambda: {"meterbridge/status", "meterbridge/p1/state", "meterbridge/p1/health",
                              "homeassistant/device/meterbridge_p1/config"} <= set(retained(site.far.port)), "retained there")
            assert "homeassistant/device/zigbee/config" not in retained(site.far.port)
            # Birth of the Home Assistant there, and its commands.
            seen = ear.count()
            ear.publish("homeassistant/status", "online")
            ear.wait_topic("homeassistant/device/meterbridge_p1/config", seen, patience=15)
            seen = ear.count()
            ear.publish("meterbridge/p1/set/poll", "")
            assert "sends by itself" in ear.wait_topic("meterbridge/p1/event", seen)
            link = ear.wait_json("homeassistant/device/meterbridge_bridge/config")["cmps"]["bridge_ha"]
            assert link["dev_cla"] == "connectivity" and link["ent_cat"] == "diagnostic"
            assert "get('ha'" in link["val_tpl"] and link["stat_t"] == "meterbridge/bridge/health"
            health = home.wait_json("meterbridge/bridge/health",
                                    lambda h: h["bridges"]["ha"]["state"] == "connected")["bridges"]["ha"]
            assert health["dropped"] == 0 and health["error"] == ""
            # Gone without a word: both brokers tell it.
            seen = ear.count(), home.count()
            bridge.process.kill()
            ear.wait_topic("meterbridge/status", seen[0], "offline")
            unlinked(home, seen[1])
            assert retained(site.far.port)["meterbridge/status"] == "offline"
        seen = ear.count()
        with site.run() as bridge:
            ear.wait_topic("meterbridge/status", seen, "online")
            seen = ear.count()
            assert bridge.stop() == 0
            ear.wait_topic("meterbridge/status", seen, "offline")


@pytest.mark.parametrize("version", ["5", "3.1.1"])
def test_P51_P47_an_outage_loses_nothing_and_doubles_nothing(tmp_path, version):
    with Site(tmp_path, "topics: ['data/# both 1 \"\" site1/']", version=version) as site, \
            Observer(site.near.port) as home, Observer(site.far.port) as ear:
        with site.run() as bridge:
            linked(home)
            for topic in ("data/kept", "data/removed"):
                home.publish(topic, "old", retain=True)
                ear.wait_topic(f"site1/{topic}", payload="old")
            site.path.cut()
            unlinked(home)
            if LONG:
                threading.Event().wait(60)
            for n in range(40):
                home.publish("data/events", str(n))
            for n in range(3):
                home.publish("data/kept", f"new {n}", retain=True)
            home.publish("data/removed", "", retain=True)
            ear.publish("site1/data/back", "while you were away")
            # The process is killed in the outage: what waited is on the disk.
            threading.Event().wait(1.5)  # the removal is written once a second
            bridge.process.kill()
            bridge.process.wait()
        home.publish("data/events", "40")  # nobody listens; the broker keeps it for the session
        with site.run() as bridge:
            wait_for(lambda: "bridge ha: broker 127.0.0.1" in bridge.log(), "the second run misses the far broker")
            home.publish("data/events", "41")
            site.path.mend()
            ear.wait_topic("site1/data/events", payload="41")
            ear.wait_topic("site1/data/kept", payload="new 2")
            ear.wait_topic("site1/data/removed", payload="")
            home.wait_topic("data/back", payload="while you were away")
            assert payloads(ear, "site1/data/events") == [str(n) for n in range(42)]
            there = retained(site.far.port)
            assert "site1/data/removed" not in there
            if version == "5":
                assert there["site1/data/kept"] == "new 2"
            assert payloads(home, "data/events") == [str(n) for n in range(42)]  # nothing came back
            assert "data/removed" not in retained(site.near.port)
            assert bridge.stop() == 0


def test_P51_a_removed_topic_does_not_come_back_by_the_first_of_several_lines(tmp_path):
    """With MQTT 3.1.1 the other broker says what it has retained before the last subscription is confirmed."""
    lines = ["'data/# both 1'"] + [f"'other{n}/# both 1'" for n in range(30)]
    with Site(tmp_path, f"topics: [{', '.join(lines)}]", version="3.1.1") as site, Observer(site.near.port) as home, \
            Observer(site.far.port) as ear:
        with site.run() as bridge:
            linked(home)
            ear.publish("data/removed", "old", retain=True)
            home.wait_topic("data/removed", payload="old")
            site.path.cut()
            unlinked(home)
            home.publish("data/removed", "", retain=True)
            memory = tmp_path / "state" / "meterbridge.bridge-ha.json"
            wait_for(lambda: memory.exists() and "data/removed" in memory.read_text(), "it is remembered")
            assert bridge.stop() == 0
        seen = home.count()
        site.path.pieces = 8
        site.path.mend()
        with site.run() as bridge:
            linked(home, seen)
            ear.wait_topic("data/removed", payload="")
            home.publish("data/end", "")
            ear.wait_topic("data/end", payload="")
            assert "data/removed" not in retained(site.near.port) | retained(site.far.port)
            assert bridge.stop() == 0


def test_P51_a_loss_in_the_middle_of_qos_2_loses_no_message(tmp_path):
    with Site(tmp_path, "topics: ['data/# in 2']") as site, Observer(site.near.port) as home, site.run() as bridge:
        linked(home)
        # The broker's "you may forget it": the content was sent before, and is never sent again.
        cut = []
        site.path.sees = lambda data: data[0] == 0x62 and not cut and not cut.append(data)
        client = mqtt.Client(client_id="", protocol=mqtt.MQTTv311)
        client.connect("127.0.0.1", site.far.port)
        client.loop_start()
        for n in range(3):
            client.publish("data/x", str(n), qos=2).wait_for_publish()
        client.loop_stop()
        client.disconnect()
        home.wait_topic("data/x", payload="2")
        assert payloads(home, "data/x") == ["0", "1", "2"]
        assert bridge.stop() == 0


def test_P51_a_bridge_that_is_taken_out_leaves_nothing(tmp_path):
    with Site(tmp_path, "topics: ['data/# out 1']", [P1]) as site, Observer(site.near.port) as home, site.run() as bridge:
        linked(home)
        config = home.wait_json("homeassistant/device/meterbridge_bridge/config")
        assert "bridge_ha" in config["cmps"]
        files = lambda: list(tmp_path.rglob("meterbridge.bridge-ha.*"))
        wait_for(files, "its files")
        seen = home.count()
        site.house.write([P1.format(tty=site.house.tty("p1"))])
        bridge.process.send_signal(signal.SIGHUP)
        unlinked(home, seen)
        wait_for(lambda: "bridge ha: no longer configured; 0 messages" in bridge.log(), "it is said")
        removal = home.wait_json("homeassistant/device/meterbridge_bridge/config",
                                 lambda c: c["cmps"].get("bridge_ha") == {"p": "binary_sensor"}, after=seen)
        assert removal["cmps"]["connectivity"]["uniq_id"]
        home.wait_json("homeassistant/device/meterbridge_bridge/config", lambda c: "bridge_ha" not in c["cmps"], after=seen)
        assert not files()
        assert bridge.stop() == 0
        # Taken out while the program is stopped, with a message that waits.
        site.house.write([P1.format(tty=site.house.tty("p1"))], "", site.bridge_lines)
        seen = home.count()
        with site.run() as other:
            linked(home, seen)
            seen = home.count()
            site.path.cut()
            unlinked(home, seen)
            home.publish("data/x", "waits")
            wait_for(lambda: any(b"waits" in f.read_bytes() for f in files()), "it waits on the disk")
            assert other.stop() == 0
        site.house.write([P1.format(tty=site.house.tty("p1"))])
        with site.run() as last:
            wait_for(lambda: "bridge ha: no longer configured; 1 messages" in last.log(), "it is said")
            assert not files()
            assert last.stop() == 0


def test_P51_a_broker_that_is_killed_frozen_or_new_gets_everything_again(tmp_path):
    with Site(tmp_path, PRESET, [P1]) as site, Observer(site.near.port) as home, \
            site.house.simulate("--profile", "p1", "--pty", site.house.tty("p1"), "--period", "200ms"), site.run() as bridge:
        linked(home)
        wanted = {"meterbridge/status", "meterbridge/p1/state", "meterbridge/p1/availability", "meterbridge/p1/health",
                  "homeassistant/device/meterbridge_p1/config"}
        wait_for(lambda: wanted <= set(retained(site.far.port)), "retained there")
        seen = home.count()
        site.far.stop(signal.SIGKILL)
        unlinked(home, seen)
        site.far.start()  # without anything of what it knew
        linked(home, seen)
        wait_for(lambda: wanted <= set(retained(site.far.port)), "retained there again")
        assert retained(site.far.port)["meterbridge/status"] == "online"
        # Frozen: the meters go on, and the rest follows when it thaws.
        seen = home.count()
        site.far.process.send_signal(signal.SIGSTOP)
        started = time.monotonic()
        for _ in range(5):
            home.wait_topic("meterbridge/p1/state", home.count(), patience=5)
        assert time.monotonic() - started < 5
        if LONG:
            unlinked(home, seen)
        site.far.process.send_signal(signal.SIGCONT)
        if LONG:
            linked(home, seen)
        with Observer(site.far.port) as ear:
            ear.wait_topic("meterbridge/p1/state", ear.count() + 1)
        # Our own broker: gone, the entities at the other one are unavailable; back, they are there again.
        with Observer(site.far.port) as ear:
            seen = ear.count()
            site.near.stop(signal.SIGKILL)
            ear.wait_topic("meterbridge/status", seen, "offline")
            seen = ear.count()
            site.near.start()
            ear.wait_topic("meterbridge/status", seen, "online")
        assert bridge.stop() == 0


def test_P51_a_circle_is_stopped_within_a_second_and_the_rest_goes_on(tmp_path):
    near_port = free_port()
    back = (f"connection back\naddress 127.0.0.1:{near_port}\ntopic ring/# both 0\nrestart_timeout 1\n"
            "bridge_protocol_version mqttv311\n")
    house, far = House(tmp_path, [], near_port), Mosquitto(tmp_path, extra=back)
    house.write([P1.format(tty=house.tty("p1"))], "", f"bridges:\n  - {{name: ha, host: 127.0.0.1, port: {far.port}, "
                "topics: ['ring/# both 0'], storm_limit: 50}\n")
    with house.broker(), far, Observer(near_port) as home, \
            house.simulate("--profile", "p1", "--pty", house.tty("p1"), "--period", "200ms"), house.bridge() as bridge:
        linked(home)
        # Until the other bridge stands a message makes no circle, and is seen at most once and once more.
        end = time.monotonic() + PATIENCE
        while "in a circle" not in bridge.log():
            assert time.monotonic() < end
            published = time.monotonic()
            seen = len(payloads(home, "ring/x"))
            home.publish("ring/x", "round and round")
            while "in a circle" not in bridge.log() and time.monotonic() < published + 1:
                threading.Event().wait(0.01)
            took = time.monotonic() - published
            assert took < 1 or len(payloads(home, "ring/x")) <= seen + 2
        unlinked(home)
        print(f"stopped {took:.3f} s after the message, which was seen {len(payloads(home, 'ring/x'))} times")
        assert len(payloads(home, "ring/x")) < 2000
        assert bridge.log().count("in a circle") == 1 and "SIGHUP" in bridge.log()
        home.wait_topic("meterbridge/p1/state", home.count())
        far.stop()
        seen = home.count()
        free = Mosquitto(tmp_path, far.port)
        with free:
            bridge.process.send_signal(signal.SIGHUP)
            linked(home, seen)
            assert bridge.stop() == 0


def test_P51_two_programs_that_make_a_ring_end_it_by_counting_hops(tmp_path):
    with Site(tmp_path, "topics: ['ring/# both 1']", [P1]) as site, Observer(site.near.port) as home:
        (tmp_path / "second").mkdir()
        second = House(tmp_path / "second", [], port=site.near.port)
        second.write([], "", "instance: second\n" + site.bridge_lines)
        with site.run() as one, second.bridge() as two:
            linked(home)
            home.wait_topic("second-link/ha/state", payload="1")
            home.publish("ring/x", "once")
            wait_for(lambda: "make a ring" in one.log() + two.log(), "one of them counts")
            home.publish("ring/end", "")
            home.wait_topic("ring/end")
            assert len(payloads(home, "ring/x")) <= 10
            assert one.stop() == 0 and two.stop() == 0


def test_P51_foreign_bytes_and_two_bridges_pass_unchanged(tmp_path):
    with Site(tmp_path, "topics: ['raw/# out 1', '\"\" in 1 here/one there/two']") as site:
        got = queue.Queue()
        client = mqtt.Client(client_id="", protocol=mqtt.MQTTv311)
        client.on_connect = lambda c, *_: c.subscribe("raw/#", 1)
        client.on_message = lambda _c, _d, m: got.put(m.payload)
        client.connect("127.0.0.1", site.far.port)
        client.loop_start()
        with Observer(site.near.port) as home, Observer(site.far.port) as ear, site.run() as bridge:
            linked(home)
            raw = bytes(range(256)) * 3
            home.client.publish("raw/bytes", raw, qos=1).wait_for_publish()
            assert got.get(timeout=PATIENCE) == raw
            ear.publish("there/two", "mapped")
            home.wait_topic("here/one", payload="mapped")
            assert bridge.stop() == 0
        client.loop_stop()


def test_P51_ten_thousand_retained_messages_fit_the_memory(tmp_path):
    with Site(tmp_path, "topics: ['many/# out 1']") as site, Observer(site.near.port) as home:
        with site.run() as empty:
            linked(home)
            before = resident(empty)
            assert empty.stop() == 0
        client = mqtt.Client(client_id="", protocol=mqtt.MQTTv311)
        client.max_inflight_messages_set(1000)
        client.connect("127.0.0.1", site.near.port)
        client.loop_start()
        sent = [client.publish(f"many/{n}", f"{n}:" + "x" * 300, qos=1, retain=True) for n in range(10000)]
        for one in sent:
            one.wait_for_publish()
        client.loop_stop()
        client.disconnect()
        site.path.cut()  # so that all of them wait at once
        with site.run() as bridge:
            wait_for(lambda: "bridge ha: broker 127.0.0.1" in bridge.log(), "the far broker is missed")
            waiting = 0
            while waiting < 10000:  # the birth of Home Assistant makes it say its health
                seen = home.count()
                home.publish("homeassistant/status", "online")
                waiting = home.wait_json("meterbridge/bridge/health", after=seen)["bridges"]["ha"]["waiting"]
            all_wait = resident(bridge) - before
            site.path.mend()
            wait_for(lambda: sum(t.startswith("many/") for t in retained(site.far.port)) == 10000, "all arrived")
            grown = resident(bridge) - before
            print(f"10000 retained messages of 300 bytes: {before} kB without, {all_wait} kB more while they wait, {grown} kB afterwards")
            if "asan" not in BINARY:  # the sanitizer keeps what is freed, and a border around each block
                assert max(all_wait, grown) < 16 * 1024
            assert bridge.stop() == 0


def test_P51_a_ring_in_the_configuration_is_refused_in_words(tmp_path):
    house = House(tmp_path, [])
    house.write([P1.format(tty="/dev/null")], "", "bridges:\n"
                "  - {name: one, host: 10.0.0.9, topics: ['x/# both 1']}\n"
                "  - {name: two, host: 10.0.0.9, topics: ['x/y both 1']}\n")
    told = house.call("run", "-c", str(house.file))
    assert told.returncode == 2
    assert 'meterbridge.yaml:5:5: error: bridges[1]: makes a ring with the bridge "one"' in (told.stdout + told.stderr).decode()


@pytest.mark.parametrize("side", ["far", "near"])
def test_P51_printed_mosquitto_sections_work_on_either_side(tmp_path, side):
    house = House(tmp_path, [])
    far = Mosquitto(tmp_path)
    house.write([P1.format(tty=house.tty("p1"))], ", username: meter, password: planted-secret",
                f"bridges: [{{name: ha, host: 127.0.0.1, port: {far.port}, username: ha, password: planted-secret, {PRESET}}}]\n"
                f"sinks: {{csv: {{directory: {tmp_path}/csv}}}}")
    told = house.call("mosquitto-conf", "-c", str(house.file), "--address", "127.0.0.1", "--side", side)
    assert told.returncode == 0, told.stderr
    section = told.stdout.decode().replace("restart_timeout 5 30", "restart_timeout 1 2")
    assert "remote_password ***" in section and "planted" not in section
    assert section in house.call("mosquitto-conf", "-c", str(house.file), "--address", "127.0.0.1").stdout.decode().replace(
        "restart_timeout 5 30", "restart_timeout 1 2")
    house.write([P1.format(tty=house.tty("p1"))])  # Mosquitto does it now
    near = Mosquitto(tmp_path, house.port, section if side == "near" else "")
    far = Mosquitto(tmp_path, far.port, section if side == "far" else "")
    with near, far, Observer(far.port) as ear, house.bridge() as bridge, \
            house.simulate("--profile", "p1", "--pty", house.tty("p1"), "--period", "200ms"):
        ear.wait_json("homeassistant/device/meterbridge_p1/config")
        ear.wait_topic("meterbridge/p1/state")
        ear.wait_topic("meterbridge-link/ha/state", payload="1")
        assert {"meterbridge/status", "meterbridge/p1/state"} <= set(retained(far.port))
        seen = ear.count()
        ear.publish("homeassistant/status", "online")
        ear.wait_topic("homeassistant/device/meterbridge_p1/config", seen, patience=15)
        seen = ear.count()
        ear.publish("meterbridge/p1/set/poll", "")
        ear.wait_topic("meterbridge/p1/event", seen)
        bridge.process.kill()
        ear.wait_topic("meterbridge/status", seen, "offline")


def certificates(folder):
    """An authority, and one certificate of it that serves for either side."""
    def openssl(*words):
        subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)

    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    openssl("req", "-x509", *key, "-keyout", "ca.key", "-out", "ca.pem", "-days", "2", "-subj", "/CN=authority")
    openssl("req", *key, "-keyout", "end.key", "-out", "end.csr", "-subj", "/CN=end")
    (folder / "names").write_text("subjectAltName=IP:127.0.0.1\n")
    openssl("x509", "-req", "-in", "end.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-out", "end.pem",
            "-days", "2", "-extfile", "names")


def test_P51_a_bridge_over_tls_shows_its_certificate(tmp_path):
    certificates(tmp_path)
    secure = free_port()
    extra = (f"listener {secure} 127.0.0.1\ncafile {tmp_path}/ca.pem\ncertfile {tmp_path}/end.pem\n"
             f"keyfile {tmp_path}/end.key\nrequire_certificate true\n")
    house, far = House(tmp_path, []), Mosquitto(tmp_path, extra=extra)
    end = f"certificate: {tmp_path}/end.pem, key: {tmp_path}/end.key, "
    line = "bridges: [{{name: ha, host: 127.0.0.1, port: {}, tls: {{{}ca: {}/ca.pem}}, topics: ['x both 1']}}]"
    house.write([], "", line.format(secure, "", tmp_path))
    with house.broker(), far, Observer(house.port) as home, Observer(far.port) as ear, house.bridge() as bridge:
        wait_for(lambda: "bridge ha: broker 127.0.0.1" in bridge.log(), "without a certificate it is refused")
        assert "certificate" in bridge.log()
        house.write([], "", line.format(secure, end, tmp_path))
        bridge.process.send_signal(signal.SIGHUP)
        linked(home)
        home.publish("x", "out")
        ear.wait_topic("x", payload="out")
        ear.publish("x", "back")
        home.wait_topic("x", payload="back")
        assert bridge.stop() == 0
