# SPDX-License-Identifier: MIT
"""Meters whose values come over MQTT: JSON documents of an ESP8266 and an ESP32 at a real mosquitto."""
import json
import subprocess
import threading

import house as parts
from house import House, Observer

OKOSMERO = ('{"MeterName":"AUX5x","MeterID":"3132333435","Time":"230724150730S","Tariff":2,"ImportPower":[%s,47.719,125.921],'
            '"ExportPower":627.177,"Voltage":[240.4,239.1,241.2],"CurrentImport":0.250,"CurrentExport":0.168,'
            '"LastMonth":{"Time":"230701000000S","MaxExport":[4.104,4.104,3.400]}"Message":"hello"}')
METERS = [
    "{id: roof, profile: okosmero-esp8266, link: {mqtt: tele/+/SENSOR}, interval: 1s, publish: every}",
    "{id: shop, profile: esp32-flat-json, link: {mqtt: shop/meter}, interval: 1s, publish: every,"
    " fields: [{pointer: /u, key: voltage_l2, unit: V, scale: 0.1}]}",
]
# Silent for three seconds is silent.
QUICK = ["{id: shop, profile: esp32-flat-json, link: {mqtt: shop/meter, silence: 3s}, interval: 1s, publish: every}"]


def test_two_sources_are_discovered_and_read_with_exact_digits(tmp_path):
    house = House(tmp_path, METERS)
    with house.broker(), Observer(house.port) as observer, house.bridge():
        observer.wait_topic("meterbridge/status", payload="online")
        observer.publish("tele/smartmeter/LWT", "Offline", retain=True)
        observer.publish("tele/smartmeter/SENSOR", OKOSMERO % "173.640")
        observer.publish("shop/meter", '{"energy_total":12.50,"voltage":230.10,"frequency":-1,"u":2298}')
        roof = observer.wait(lambda t, p: t == "meterbridge/roof/state" and "energy_import" in p, "the roof's state")[1]
        assert '"energy_import":173.640' in roof and '"power":82' in roof and '"voltage_l3":241.2' in roof, roof
        assert json.loads(roof)["serial"] == "12345" and json.loads(roof)["message"] == "hello"
        shop = observer.wait(lambda t, p: t == "meterbridge/shop/state" and "energy_import" in p, "the shop's state")[1]
        assert '"energy_import":12.50' in shop and '"voltage_l2":229.8' in shop and "frequency" not in shop, shop
        for meter, key in (("roof", "energy_export"), ("shop", "voltage")):
            document = observer.wait_json(f"homeassistant/device/meterbridge_{meter}/config",
                                          lambda d, k=key: f"meterbridge_{meter}_{k}" in json.dumps(d))
            assert f"meterbridge_{meter}" in document["dev"]["ids"], document["dev"]


def test_old_messages_are_no_life_and_silence_is_no_bytes_P39(tmp_path):
    house = House(tmp_path, QUICK)
    with house.broker() as broker, Observer(house.port) as observer:
        observer.publish("shop/meter", '{"energy_total":99.99,"voltage":1}', retain=True)
        with house.bridge():
            health = observer.wait_json("meterbridge/shop/health", lambda h: h.get("state") == "no_bytes")
            assert "the broker had kept an old message" in health["error"], health
            assert not any(t == "meterbridge/shop/state" and "99.99" in p for t, p, _ in observer.messages)
            observer.publish("shop/meter", '{"energy_total":100.25}')
            observer.wait_topic("meterbridge/shop/availability", payload="online")
            observer.wait(lambda t, p: t == "meterbridge/shop/state" and "100.25" in p, "the fresh value")
            before = observer.count()
            # A document that is cut says so; and what was heard is heard again after the broker was away.
            observer.publish("shop/meter", '{"energy_total":100.5')
            observer.wait_json("meterbridge/shop/health", lambda h: "no valid JSON" in (h.get("error") or ""), before)
        broker.stop()


def test_read_listens_at_the_broker_and_says_when_there_is_none(tmp_path):
    house = House(tmp_path, QUICK)
    refused = house.call("read", "-c", str(house.file))
    assert refused.returncode == 1 and b"127.0.0.1" in refused.stderr, refused
    with house.broker(), Observer(house.port) as observer:
        ended = threading.Event()

        def publish():
            while not ended.wait(0.1):
                observer.publish("shop/meter", '{"energy_total":7.125}')
        sender = threading.Thread(target=publish)
        sender.start()
        try:
            read = house.call("read", "-c", str(house.file), "--json")
        finally:
            ended.set()
            sender.join()
    assert read.returncode == 0 and b'"value":7.125' in read.stdout, read


# Documents, values on topics of their own, a telegram as it is, and one in hex: all played by the simulator.
PLAYED = [
    "{id: shop, profile: esp32-flat-json, link: {mqtt: shop/+/meter}, interval: 1s, publish: every}",
    "{id: plug, profile: generic-plain, link: {mqtt: 'shellies/#'}, interval: 1s, publish: every, fields: ["
    "{topic: 0/power, key: power_l1, unit: W}, {topic: 0/total, key: energy_import, unit: Wh}]}",
    "{id: grid, profile: p1, link: {mqtt: p1/raw}, interval: 1s, publish: every}",
    "{id: coded, profile: generic-telegram, link: {mqtt: p1/coded}, carried_as: hex, interval: 1s, publish: every}",
]


def test_the_simulator_publishes_and_run_once_read_and_console_listen(tmp_path):
    house = House(tmp_path, PLAYED)
    meters = ("shop", "plug", "grid", "coded")
    with house.broker(), Observer(house.port) as observer:
        simulator = house.simulate("-c", str(house.file), "--period", "200ms")
        with simulator:
            assert "shop: esp32-flat-json on topic shop/shop/meter of 127.0.0.1" in simulator.log(), simulator.log()
            with house.bridge():
                for meter in meters:
                    observer.wait_json(f"meterbridge/{meter}/state", lambda state: state.get("energy_import"))
                observer.wait_json("meterbridge/plug/state", lambda state: state.get("power_l1"))
                raw = observer.wait(lambda t, _: t == "shellies/0/power", "the value on its topic")
                assert float(raw[1]) and not raw[2], raw
            before = observer.count()
            once = house.call("run", "--once", "-c", str(house.file))
            assert once.returncode == 0, once
            for meter in meters:
                observer.wait_json(f"meterbridge/{meter}/state", lambda state: "time" in state, before)
            read = house.call("read", "-c", str(house.file), "--json")
            assert read.returncode == 0 and read.stdout.count(b'"readings"') == 4, read
            record = tmp_path / "shop.json"
            script = f"b\nt {record}\nw 2\nl 9600 8N1\nt\nm grid\nq\n"
            seen = subprocess.run([parts.BINARY, "console", "shop", "-c", str(house.file)], input=script.encode(),
                                  capture_output=True, timeout=parts.PATIENCE)
            text = seen.stdout.decode()
            assert seen.returncode == 0 and text.count("< shop/shop/meter {") == 2, seen
            assert "energy_import" in text and "messages have no speed" in text, text
            decoded = house.call("decode", "--profile", "esp32-flat-json", "--json", str(record))
            assert decoded.returncode == 0 and decoded.stdout.count(b'"status":"ok"') == 2, decoded
        assert simulator.process.returncode == 0
    refused = subprocess.run([parts.BINARY, "console", "shop", "-c", str(house.file)], input=b"r\n", capture_output=True,
                             timeout=parts.PATIENCE)
    assert refused.returncode == 1 and b"127.0.0.1" in refused.stderr, refused


def test_a_profile_is_played_at_a_broker_and_wrong_words_are_refused(tmp_path):
    house = House(tmp_path, [])
    with house.broker(), Observer(house.port) as observer:
        done = house.call("simulate", "--profile", "esp32-flat-json", "--mqtt", f"127.0.0.1:{house.port}", "--topic",
                          "shop/meter", "--period", "20ms", "--count", "3")
        assert done.returncode == 0 and b"3 sent" in done.stdout, done
        observer.wait(lambda t, _: t == "shop/meter", "what it published")
        assert len([m for m in observer.messages if m[0] == "shop/meter"]) == 3
    for words, said in ((("p1", "--mqtt", "127.0.0.1:1"), b"go together"),
                        (("p1", "--tcp", ":0", "--mqtt", ":1", "--topic", "a"), b"needs one of"),
                        (("p1", "--mqtt", "127.0.0.1:1", "--topic", "a/+"), b"no topic to publish on"),
                        (("energomera-ce307", "--mqtt", ":1", "--topic", "a"), b"must be asked")):
        refused = house.call("simulate", "--profile", *words)
        assert refused.returncode == 2 and said in refused.stderr, refused
