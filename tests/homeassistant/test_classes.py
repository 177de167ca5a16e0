# SPDX-License-Identifier: MIT
"""Every quantity that there is, judged by Home Assistant's own tables; and how often its recorder writes."""
import contextlib
import json
import sqlite3
import subprocess
import time

import instance
from counters import doubts
from house import wait_for
from world import PATIENCE, RELEASE

# key: unit as sent
QUANTITIES = {
    **{f"energy_{way}": "kWh" for way in ("import", "export", "net", "total")}, "energy_import_t1": "kWh", "battery_energy_export": "kWh",
    **{f"reactive_energy_{way}": "kvarh" for way in ("import", "export", "net", "q1", "q4")},
    **{f"apparent_energy_{way}": "kVAh" for way in ("import", "export")},
    **{key: "W" for key in ("power", "power_import", "power_export", "power_import_demand", "power_import_peak", "power_limit", "pv_power", "dc_power")},
    **{key: "var" for key in ("reactive_power", "reactive_power_import", "reactive_power_l1")}, "apparent_power": "VA",
    "voltage": "V", "voltage_l1_l2": "V", "dc_voltage": "V", "current": "A", "current_n": "A", "dc_current": "A", "frequency": "Hz",
    "power_factor": None, "phase_angle": "°", "thd_voltage": "%", "thd_current": "%", "state_of_charge": "%",
    "gas": "m³", "water": "m³", "volume": "m³", "heat": "GJ", "flow": "m³/h",
    "temperature": "°C", "temperature_flow": "°C", "temperature_return": "°C",
    "tariff": None, "counter_1": None, "value_1": "bar", "input_1": None, "message": None,
}
JUDGE = """
import json, sys
import homeassistant
from homeassistant.components.sensor import const
for name, kind, unit, state_class in json.load(sys.stdin):
    if kind is None:
        continue
    kind = const.SensorDeviceClass(kind)
    units = const.DEVICE_CLASS_UNITS.get(kind)
    if units is not None and unit not in units:
        print(name, "unit", unit, "is none of", units)
    classes = const.DEVICE_CLASS_STATE_CLASSES.get(kind)
    if state_class and classes is not None and state_class not in classes:
        print(name, "state class", state_class, "is none of", classes)
"""


def said():
    values = {key: 10 + number / 4 for number, key in enumerate(QUANTITIES)}
    return {**values, "power_factor": 0.9, "power_import": 500, "power_export": 0, "frequency": 50, "tariff": 2, "counter_1": 7, "input_1": True,
            "message": "a word of the operator", "voltage": 230.1}


def test_P33_every_quantity_has_a_class_and_a_unit_that_home_assistant_knows(world):
    fields = ", ".join(f"{{pointer: /{key}, key: {key}{f', unit: {json.dumps(unit)}' if unit else ''}}}" for key, unit in QUANTITIES.items())
    world.meters["all"] = f"{{id: all, name: All, profile: generic-json, link: {{mqtt: test/all}}, interval: 5s, publish: every, fields: [{fields}]}}"
    world.reload()
    world.known("all_connectivity")
    wait_for(lambda: world.ear.publish("test/all", json.dumps(said())) or world.hass.state("sensor.all_energy_import") == "10.0", "heard", PATIENCE)
    world.known(*(f"all_{key}" for key in QUANTITIES))
    states = world.hass.states()
    sensors = {name: states[name]["attributes"] for name in states if name.startswith("sensor.all_")}
    shown = {key for key in QUANTITIES if states.get(f"sensor.all_{key}", {}).get("state") not in (None, "unknown", "unavailable")}
    entities = world.hass.entities()
    off = {key for key in QUANTITIES if entities[f"meterbridge_all_{key}"]["disabled_by"]}
    assert set(QUANTITIES) - shown - off == {"input_1"} and states["binary_sensor.all_input_1"]["state"] == "on"
    listed = [(name, facts.get("device_class"), facts.get("unit_of_measurement"), facts.get("state_class")) for name, facts in sensors.items()]
    # Those that are switched off until somebody wants them have no state to look at.
    for key in off:
        entry = entities[f"meterbridge_all_{key}"]
        listed.append((entry["entity_id"], entry["original_device_class"], QUANTITIES[key], (entry["capabilities"] or {}).get("state_class")))
    judged = subprocess.run([str(instance.CACHE / f"ha-{RELEASE}" / "bin" / "python"), "-c", JUDGE], input=json.dumps(listed), text=True,
                            capture_output=True, timeout=120, check=True)
    assert judged.stdout == ""
    classes = {name.removeprefix("sensor.all_"): kind for name, kind, _, _ in listed}
    assert classes["heat"] == "energy" and classes["gas"] == "gas" and classes["water"] == "water" and classes["state_of_charge"] == "battery"
    if RELEASE == "new":
        assert classes["reactive_energy_import"] == "reactive_energy"
    assert world.hass.complaints() == []
    assert doubts(world) == {}
    del world.meters["all"]
    world.reload()
    wait_for(lambda: "meterbridge_all" not in world.hass.devices(), "the device is gone", PATIENCE)


def written(world, name):
    """When the recorder wrote a state of this entity, and how many different attributes it had."""
    query = ("select s.last_updated_ts, s.attributes_id from states s join states_meta m on m.metadata_id = s.metadata_id "
             "where m.entity_id = ? and s.state not in ('unavailable', 'unknown') order by s.last_updated_ts")
    with contextlib.closing(sqlite3.connect(f"file:{world.hass.folder}/home-assistant_v2.db?mode=ro", uri=True)) as database:
        return database.execute(query, (name,)).fetchall()


def test_P41_a_meter_that_speaks_each_second_is_recorded_at_its_rates(world):
    world.simulate("rates", "p1", "--set", "country=hu", "--period", "1s")
    world.meters["rates"] = f"{{id: rates, profile: p1, country: hu, interval: 1s, link: {{serial: {world.folder}/rates}}}}"
    world.reload()
    world.known("rates_power", "rates_energy_import")
    begin, seen = time.monotonic(), world.ear.count()
    wait_for(lambda: len(written(world, "sensor.rates_power")) > 9, "ten values of power are recorded", 150)
    # Nor is there a message with each telegram, though serial number and breaker are in all of them.
    said = [topic for topic, _, _ in world.ear.messages[seen:] if topic == "meterbridge/rates/state"]
    assert len(said) <= (time.monotonic() - begin) / 5 + 5
    times = [moment for moment, _ in written(world, "sensor.rates_power")]
    assert min(later - former for former, later in zip(times[1:], times[2:])) > 8.5, times
    minutes = (times[-1] - times[0]) / 60
    for quiet in ("energy_import", "last_reading", "error_rate", "error", "recoveries", "connectivity"):
        kind = "binary_sensor" if quiet == "connectivity" else "sensor"
        assert len(written(world, f"{kind}.rates_{quiet}")) <= minutes + 2, quiet
    assert all(len({attributes for _, attributes in written(world, f"sensor.rates_{key}")}) == 1 for key in ("power", "energy_import"))
    del world.meters["rates"]
    world.reload()
    wait_for(lambda: "meterbridge_rates" not in world.hass.devices(), "the device is gone", PATIENCE)
    world.simulators.pop("rates")[0].stop()
