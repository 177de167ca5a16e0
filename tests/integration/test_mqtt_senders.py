# SPDX-License-Identifier: MIT
"""Programs and firmwares that read meters themselves, as they publish at a real mosquitto: Tasmota, ESPHome, wmbusmeters, rtl_433
and vzlogger."""
import json

from house import House, Observer

METERS = [
    "{id: plug, profile: tasmota, link: {mqtt: tele/plug/SENSOR}, interval: 1s, publish: every}",
    "{id: node, profile: esphome, link: {mqtt: 'cellar/#'}, interval: 1s, publish: every}",
    "{id: wmbus, profile: wmbusmeters, link: {mqtt: 'wmbusmeters/#'}, interval: 1s, publish: every}",
    "{id: radio, profile: rtl-433, link: {mqtt: rtl_433/+/events}, ids: '77', interval: 1s, publish: every}",
    "{id: vz, profile: vzlogger, link: {mqtt: 'vzlogger/#'}, counts_in: Wh, interval: 1s, publish: every}",
]
PUBLISHED = [
    ("tele/plug/LWT", "Offline"),
    ("tele/plug/SENSOR", '{"Time":"2026-11-20T18:30:00","ENERGY":{"Total":3.185,"Power":[12,-2.5,0],"Voltage":[230,231,232]}}'),
    ("cellar/status", "online"),
    ("cellar/sensor/power/state", "nan"),
    ("cellar/sensor/energy_import/state", "1234.560"),
    ("wmbusmeters/MyWater", '{"media":"water","meter":"multical21","name":"MyWater","id":"12345678","total_m3":6.408,"target_m3":6.4}'),
    ("wmbusmeters/Heat", '{"media":"heat","meter":"kamheat","name":"Heat","id":"87654321","total_energy_consumption_kwh":593}'),
    ("rtl_433/host/events", '{"time":"2026-11-20 18:30:00","model":"SCMplus","id":77,"Consumption":6883,"MeterType":"Gas"}'),
    ("rtl_433/host/events", '{"time":"2026-11-20 18:30:00","model":"SCMplus","id":99,"Consumption":1,"MeterType":"Gas"}'),
    ("vzlogger/chn0/raw", "1234.500000"),
]
# Of which meter, what its state says, with its digits.
EXPECTED = {
    "plug": '"power":9.5', "node": '"energy_import":1234.560', "wmbus_water_12345678": '"water":6.408',
    "wmbus_heat_87654321": '"heat":593', "radio_ert_77": '"counter_1":6883', "vz": '"energy_import":1.2345',
}


def test_P26_what_programs_publish_is_discovered_meter_by_meter_with_exact_digits(tmp_path):
    house = House(tmp_path, METERS)
    with house.broker(), Observer(house.port) as observer:
        # The register of a channel is kept by the broker from long ago.
        observer.publish("vzlogger/chn0/id", "1-0:1.8.0", retain=True)
        with house.bridge():
            observer.wait_topic("meterbridge/status", payload="online")
            # A retained id and a value may come in any order: what publishes does so again and again.
            for meter, value in EXPECTED.items():
                for topic, payload in PUBLISHED:
                    observer.publish(topic, payload)
                observer.wait(lambda t, p, m=meter, v=value: t == f"meterbridge/{m}/state" and v in p, f"{value} of {meter}")
                document = observer.wait_json(f"homeassistant/device/meterbridge_{meter}/config",
                                              lambda d, v=value: v.split('"')[1] in json.dumps(d))
                assert f"meterbridge_{meter}" in document["dev"]["ids"], document["dev"]
            water = observer.wait_json("homeassistant/device/meterbridge_wmbus_water_12345678/config")
            assert water["dev"]["sn"] == "12345678" and "multical21" in water["dev"]["mdl"], water["dev"]
            # What brings meters is there while they come, and a stranger's meter is no device.
            observer.wait_topic("meterbridge/wmbus/availability", payload="online")
            assert not any("ert_99" in topic for topic, _, _ in observer.messages)
            assert not any('"nan"' in payload or "target" in payload for topic, payload, _ in observer.messages
                           if topic.startswith("meterbridge/") and topic.endswith("/state"))


def test_P36_a_meter_that_is_taken_off_the_list_leaves_home_assistant(tmp_path):
    house = House(tmp_path, [METERS[3]])
    gone = "homeassistant/device/meterbridge_radio_ert_77/config"
    with house.broker(), Observer(house.port) as observer:
        with house.bridge():
            observer.wait_topic("meterbridge/status", payload="online")
            observer.publish(*PUBLISHED[7])
            observer.wait(lambda t, p: t == gone and p, "the meter is announced")
        before = observer.count()
        house.write([METERS[3].replace("'77'", "'078, 99'")])
        with house.bridge():
            observer.wait_topic(gone, after=before, payload="")
            observer.wait_topic("meterbridge/radio_ert_77/state", after=before, payload="")


def test_the_simulator_plays_each_of_them(tmp_path):
    house = House(tmp_path, METERS + [
        "{id: head, profile: tasmota-sml, link: {mqtt: tele/head/SENSOR}, root: /MT681, interval: 1s, publish: every}"])
    with house.broker(), Observer(house.port) as observer:
        with house.simulate("-c", str(house.file), "--period", "200ms"), house.bridge():
            for meter in ("plug", "node", "vz", "head"):
                observer.wait_json(f"meterbridge/{meter}/state", lambda state: state.get("energy_import"))
            observer.wait_json("meterbridge/wmbus_heat_87654321/state", lambda state: "heat" in state)
            observer.wait_json("meterbridge/radio_ert_77/state", lambda state: "counter_1" in state)
