# SPDX-License-Identifier: MIT
"""Meters whose values come over MQTT: JSON documents of an ESP8266 and an ESP32 at a real mosquitto."""
import json
import threading

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
