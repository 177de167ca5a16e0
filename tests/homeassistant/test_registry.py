# SPDX-License-Identifier: MIT
"""What a user finds in Home Assistant's registries and states once the bridge runs."""
import re

import values
from house import wait_for
from values import differences
from world import DISCOVERY, PATIENCE

GAS = "flat_gas_4730303132333435363738393031323334"
WATER = "flat_water_3853414731323334353637383930"
# unique id: entity id, name, device class, unit, state class, category, disabled by
EXPECTED = {
    "house_energy_import": ("sensor.house_energy_import", "House Energy import", "energy", "kWh", "total_increasing", None),
    "house_energy_import_t1": ("sensor.house_energy_import_t1", "House Day", "energy", "kWh", "total_increasing", None),
    "house_tariff": ("sensor.house_tariff", "House Tariff", None, None, None, None),
    "house_serial": ("sensor.house_serial", "House Serial number", None, None, None, "diagnostic"),
    "house_last_reading": ("sensor.house_last_reading", "House Last reading", "timestamp", None, None, "diagnostic"),
    "house_fault": ("sensor.house_fault", "House Fault", "enum", None, None, "diagnostic"),
    "house_poll_time": ("sensor.house_poll_time", "House Poll time", "duration", "ms", "measurement", "diagnostic"),
    "house_connectivity": ("binary_sensor.house_connectivity", "House Connectivity", "connectivity", None, None, "diagnostic"),
    "house_interval": ("number.house_interval", "House Interval", "duration", "s", None, "config"),
    "house_pause": ("switch.house_pause", "House Pause", None, None, None, "config"),
    "house_poll": ("button.house_poll", "House Poll now", None, None, None, None),
    "house_alarm_overload": ("binary_sensor.house_alarm_overload", "House Main switch", "problem", None, None, None),
    "house_alarm_silent": ("binary_sensor.house_alarm_silent", "House Silent", "problem", None, None, None),
    "flat_energy_import": ("sensor.flat_energy_import", "Flat in Ghent Energy import", "energy", "kWh", "total_increasing", None),
    "flat_energy_export": ("sensor.flat_energy_export", "Flat in Ghent Energy export", "energy", "kWh", "total_increasing", None),
    "flat_power": ("sensor.flat_power", "Flat in Ghent Power", "power", "W", "measurement", None),
    "flat_voltage_l1": ("sensor.flat_voltage_l1", "Flat in Ghent Voltage L1", "voltage", "V", "measurement", None),
    "flat_current_l1": ("sensor.flat_current_l1", "Flat in Ghent Current L1", "current", "A", "measurement", None),
    "flat_current_limit_l1": ("sensor.flat_current_limit_l1", "Flat in Ghent Current limit L1", "current", "A", None, "diagnostic"),
    f"{GAS}_gas": (f"sensor.{GAS}_gas", "Gas meter G0012345678901234 Gas", "gas", "m³", "total_increasing", None),
    f"{WATER}_water": (f"sensor.{WATER}_water", "Water meter 8SAG1234567890 Water", "water", "m³", "total_increasing", None),
    "bridge_version": ("sensor.meterbridge_bridge_version", "Meterbridge Version", None, None, None, "diagnostic"),
}
# What is there and switched off until somebody wants it.
SWITCHED_OFF = {"house_clock", "flat_clock", "bridge_uptime", "bridge_queue"}


def test_devices_are_those_of_the_house_below_their_bridge(world):
    world.known("house_energy_import", f"{GAS}_gas", f"{WATER}_water")
    devices = world.hass.devices()
    bridge = devices["meterbridge_bridge"]
    assert bridge["name"] == "Meterbridge" and bridge["sw_version"] and bridge["via_device_id"] is None
    facts = {name: tuple(devices[f"meterbridge_{name}"][key] for key in ("name", "manufacturer", "model"))
             for name in ("house", "flat", GAS, WATER)}
    assert facts == {"house": ("House", "Energomera", "CE307 R33"), "flat": ("Flat in Ghent", "Sagemcom", "51234567_A"),
                     GAS: ("Gas meter G0012345678901234", None, None), WATER: ("Water meter 8SAG1234567890", None, None)}
    assert all(devices[f"meterbridge_{name}"]["via_device_id"] == bridge["id"] for name in ("house", "flat", GAS, WATER, "glitch"))
    if world.hass.version() >= "2024.11":  # before, the registry had no serial numbers of MQTT devices
        assert devices["meterbridge_house"]["serial_number"] == "011791165800001"


def test_entities_have_names_ids_classes_units_and_categories_P33(world):
    world.known(*EXPECTED)
    entities, states = world.hass.entities(), world.hass.states()
    found = {}
    for unique_id in EXPECTED:
        entry = entities[f"meterbridge_{unique_id}"]
        attributes = states[entry["entity_id"]]["attributes"]
        found[unique_id] = (entry["entity_id"], attributes["friendly_name"], entry["original_device_class"],
                            attributes.get("unit_of_measurement"), attributes.get("state_class"), entry["entity_category"])
    assert found == EXPECTED
    off = {unique_id.removeprefix("meterbridge_") for unique_id, entry in entities.items() if entry["disabled_by"]}
    assert off == SWITCHED_OFF
    assert [entry["entity_id"] for entry in entities.values() if re.search(r"_\d$", entry["entity_id"])
            and not re.search(r"_(t|l)\d$", entry["unique_id"])] == []


def test_P31_every_value_that_is_delivered_has_an_entity_with_this_value(world):
    world.known("house_energy_import", "flat_energy_export", f"{GAS}_gas")
    meters = ("house", "flat", GAS, WATER)
    try:
        wait_for(lambda: differences(world.hass, world.ear, meters) == {}, "every value is shown", PATIENCE)
    finally:
        print(differences(world.hass, world.ear, meters))
    spoken = values.said(world.ear)
    assert {"energy_import", "serial", "tariff"} <= set(spoken["house"]) and {"power", "voltage_l1", "status"} <= set(spoken["flat"])


def test_nothing_is_unknown_after_one_round_of_polls(world):
    world.known("house_energy_import", "flat_energy_export", f"{GAS}_gas")

    def unknown():
        return [name for unique_id, name in ((u, e["entity_id"]) for u, e in world.hass.entities().items() if not e["disabled_by"])
                if unique_id.startswith(("meterbridge_house_", "meterbridge_flat_")) and not name.startswith("button.")
                and world.hass.state(name) in (None, "unknown", "unavailable")]
    wait_for(lambda: unknown() == [], "everything is known", PATIENCE)


def test_P34_home_assistant_proposes_no_repair_and_complains_of_nothing(world):
    world.known("house_energy_import", "flat_energy_export")
    ours = [issue for issue in world.hass.ask("repairs/list_issues")["issues"] if issue["domain"] in ("mqtt", "sensor", "recorder", "energy")]
    assert ours == []
    assert world.hass.complaints() == []
    assert world.hass.ask("recorder/validate_statistics") == {}


def test_commands_of_the_controls_reach_the_meter(world):
    world.known("house_interval", "house_pause", "house_poll")
    service = world.hass.post
    service("/api/services/number/set_value", {"entity_id": "number.house_interval", "value": 600})
    world.shown("number.house_interval", "600")
    for _ in range(3):  # one of them may be a poll that was under way
        seen = world.ear.count()
        service("/api/services/button/press", {"entity_id": "button.house_poll"})
        world.ear.wait_topic("meterbridge/house/state", seen)
    service("/api/services/number/set_value", {"entity_id": "number.house_interval", "value": 2})
    world.shown("number.house_interval", "2")
    service("/api/services/switch/turn_on", {"entity_id": "switch.house_pause"})
    world.shown("switch.house_pause", "on")
    world.shown("sensor.house_energy_import", "unavailable")  # nothing is read any more
    service("/api/services/switch/turn_off", {"entity_id": "switch.house_pause"})
    world.shown("switch.house_pause", "off")
    wait_for(lambda: world.hass.state("sensor.house_energy_import") not in ("unavailable", "unknown"), "it is read again", PATIENCE)
    assert world.hass.complaints() == []


def test_discovery_is_of_the_kind_that_this_release_understands(world):
    topics = {topic for topic, payload, _ in world.ear.messages if topic.endswith("/config") and payload}
    kinds = {topic.split("/")[1] for topic in topics}
    assert kinds == {"device"} if DISCOVERY == "device" else kinds >= {"sensor", "binary_sensor"} and "device" not in kinds, kinds
