# SPDX-License-Identifier: MIT
"""Availability, restarts of everything, and meters that come, change and go, as Home Assistant shows them."""
import signal

import pytest

from house import wait_for
from values import switched_on, unavailable
from world import PATIENCE, RELEASE, spoken


def names_of(world, *meters):
    """unique id -> (entity id, id in the registry), of some meters."""
    return {unique_id: (entry["entity_id"], entry["id"]) for unique_id, entry in world.hass.entities().items()
            if unique_id.startswith(tuple(f"meterbridge_{meter}_" for meter in meters))}


def away(world, entities):
    """Those of names_of that have no value, though they are switched on."""
    off = {unique_id for unique_id, entry in world.hass.entities().items() if entry["disabled_by"]}
    return [entity for unique_id, (entity, _) in entities.items()
            if unique_id not in off and not entity.startswith("button.") and world.hass.state(entity) in (None, "unknown", "unavailable")]


def gone(world, meter):
    wait_for(lambda: f"meterbridge_{meter}" not in world.hass.devices(), f"the device of {meter} is gone", PATIENCE)
    assert names_of(world, meter) == {}


def test_P39_a_killed_bridge_takes_everything_with_it_and_returns_alone(world):
    house, = world.known("house_energy_import")
    everything = set(switched_on(world.hass, "house", "flat", "bridge")) - {"meterbridge_bridge_connectivity"}
    assert len(everything) > 60
    world.kill_bridge()
    wait_for(lambda: unavailable(world.hass, "house", "flat", "bridge") == everything, "all of it is away", 15)
    world.shown("binary_sensor.meterbridge_bridge_connectivity", "off")
    before = names_of(world, "house", "flat", "bridge")
    world.start_bridge()
    wait_for(lambda: world.hass.state(house) not in ("unavailable", "unknown"), "the value is there again", PATIENCE)
    world.shown("binary_sensor.meterbridge_bridge_connectivity", "on")
    wait_for(lambda: away(world, before) == [], "all of it is there again", PATIENCE)


def test_P39_a_bridge_that_hangs_is_noticed_within_its_keep_alive(world):
    house, = world.known("house_energy_import")
    world.bridge.process.send_signal(signal.SIGSTOP)
    try:
        world.shown(house, "unavailable", 25)  # one and a half times 10 s
    finally:
        world.bridge.process.send_signal(signal.SIGCONT)
    wait_for(lambda: world.hass.state(house) not in ("unavailable", "unknown"), "the value is there again", PATIENCE)


def test_P39_an_unplugged_meter_is_away_and_no_other(world):
    house, flat = world.known("house_energy_import", "flat_power")
    readings = {f"meterbridge_house_{key}" for key in world.state_document("house")} & set(switched_on(world.hass, "house"))
    assert len(readings) > 5
    plug_in = world.unplug("house")
    world.shown(house, "unavailable")

    def others():
        """What else is away: nothing but the alarms that watch values."""
        gone = unavailable(world.hass, "house", "flat", "bridge")
        return readings <= gone and {one for one in gone - readings if not one.startswith("meterbridge_house_alarm_")}
    wait_for(lambda: others() == set(), "its readings are away, and nothing else", PATIENCE)
    world.shown("binary_sensor.house_connectivity", "off")
    world.shown("sensor.house_fault", "no_device")  # why, is still readable
    world.shown("binary_sensor.house_alarm_silent", "on")
    assert world.hass.state("sensor.house_alarms") not in ("unavailable", "unknown")
    assert world.hass.state(flat) not in ("unavailable", "unknown")
    plug_in()
    wait_for(lambda: world.hass.state(house) not in ("unavailable", "unknown"), "the value is there again", PATIENCE)
    world.shown("binary_sensor.house_connectivity", "on")
    world.shown("sensor.house_fault", "ok")
    world.shown("binary_sensor.house_alarm_silent", "off")
    world.shown("binary_sensor.house_alarm_overload", "on")


def test_P37_P38_home_assistant_restarted_knows_everything_at_once_also_slow_meters(world):
    world.meters["slow"] = spoken("slow").replace("interval: 5s", "interval: 10m")
    world.reload()
    world.known("slow_connectivity")
    wait_for(lambda: world.say("slow", "77.7", "S1") or world.hass.state("sensor.slow_energy_import") == "77.7", "the slow meter was heard",
             PATIENCE)
    before = names_of(world, "house", "flat", "slow", "bridge")
    seen = world.ear.count()
    world.hass.restart()
    world.ear.wait_topic("homeassistant/status", seen, "online", PATIENCE)
    world.ear.wait(lambda topic, payload: topic.startswith("homeassistant/") and topic.endswith("/config") and "house" in topic and payload,
                   "announced again", seen, PATIENCE)

    wait_for(lambda: away(world, before) == [], "nothing is unknown", 10)
    assert world.hass.state("sensor.slow_energy_import") == "77.7"
    assert names_of(world, "house", "flat", "slow", "bridge") == before
    # The same when it is the bridge that begins anew: the slow meter has said nothing since.
    world.stop_bridge()
    world.shown("sensor.slow_energy_import", "unavailable")
    world.start_bridge()
    world.shown("sensor.slow_energy_import", "77.7", 20)
    assert world.hass.complaints() == []


def test_P37_a_restarted_broker_without_memory_gets_everything_again(world):
    house, = world.known("house_energy_import")
    before = names_of(world, "house", "flat", "bridge")
    world.broker.stop(signal.SIGKILL)
    world.shown(house, "unavailable")
    world.broker.start()
    wait_for(lambda: away(world, before) == [], "all of it is there again", PATIENCE)
    assert names_of(world, "house", "flat", "bridge") == before


def test_P37_P38_whatever_comes_back_first_after_all_were_away_everything_is_known(world):
    """Home Assistant before the broker, the broker before the bridge, and nobody remembers but the bridge."""
    world.meters["slow"] = spoken("slow").replace("interval: 5s", "interval: 10m")
    world.reload()
    world.known("slow_connectivity")
    wait_for(lambda: world.say("slow", "88.8", "S1") or world.hass.state("sensor.slow_energy_import") == "88.8", "the slow meter was heard",
             PATIENCE)
    before = names_of(world, "house", "flat", "slow", "bridge")
    world.stop_bridge()
    world.broker.stop(signal.SIGKILL)
    world.hass.restart()
    world.broker.start()
    world.ear = world.new_ear()
    world.ear.wait_topic("homeassistant/status", payload="online", patience=PATIENCE)
    world.start_bridge()
    wait_for(lambda: away(world, before) == [], "nothing is unknown", PATIENCE)
    assert world.hass.state("sensor.slow_energy_import") == "88.8"
    assert names_of(world, "house", "flat", "slow", "bridge") == before
    assert world.hass.complaints() == []


def test_P35_a_meter_with_another_name_link_and_topic_stays_the_same_entities(world):
    world.meters["moves"] = spoken("moves", "name: Barn, ")
    world.reload()
    wait_for(lambda: world.say("moves", "5.5") or world.hass.state("sensor.moves_energy_import") == "5.5", "the meter was heard", PATIENCE)
    world.known("moves_power", "moves_serial")
    before = names_of(world, "moves")
    device = world.hass.devices()["meterbridge_moves"]
    world.meters["moves"] = spoken("moves", "name: Stable, ").replace("test/moves", "test/elsewhere")
    world.reload()
    wait_for(lambda: world.hass.devices()["meterbridge_moves"]["name"] == "Stable", "the device has its new name", PATIENCE)
    wait_for(lambda: world.say("elsewhere", "6.5") or world.hass.state("sensor.moves_energy_import") == "6.5", "heard elsewhere", PATIENCE)
    assert names_of(world, "moves") == before
    assert world.hass.devices()["meterbridge_moves"]["id"] == device["id"]
    assert world.hass.get("/api/states/sensor.moves_power")["attributes"]["friendly_name"] == "Stable Power"


def test_P35_what_the_user_renamed_in_home_assistant_stays_renamed(world):
    world.meters["moves"] = spoken("moves", "name: Barn, ")
    world.reload()
    wait_for(lambda: world.say("moves", "7.5") or world.hass.state("sensor.moves_energy_import") == "7.5", "the meter was heard", PATIENCE)
    world.hass.ask("config/entity_registry/update", entity_id="sensor.moves_energy_import", new_entity_id="sensor.main_meter", name="Main meter")
    world.stop_bridge()
    world.start_bridge()
    wait_for(lambda: world.say("moves", "8.5") or world.hass.state("sensor.main_meter") == "8.5", "heard under its new name", PATIENCE)
    assert world.hass.get("/api/states/sensor.main_meter")["attributes"]["friendly_name"] in ("Main meter", "Barn Main meter")  # of 2024, of 2026
    assert world.hass.state("sensor.moves_energy_import") is None


def test_P36_a_value_that_is_taken_out_is_gone_whether_the_bridge_ran_or_not(world):
    flow = ", {pointer: /w, key: flow, unit: m³/h}"  # a reading that the profile itself does not name
    whole = spoken("fewer").replace(", {pointer: /w, key: power, unit: W}", flow)
    for running, first, second in ((True, "3.5", "3.6"), (False, "3.7", "3.8")):
        world.meters["fewer"] = whole
        world.reload()
        wait_for(lambda: world.say("fewer", first) or world.hass.state("sensor.fewer_flow") == "100", "the flow is shown", PATIENCE)
        world.known(*(f"fewer_{key}" for key in ("connectivity", "error", "error_rate", "fault", "last_reading", "recoveries", "serial",
                                                 "energy_import", "flow")))
        before = names_of(world, "fewer")
        if not running:
            world.stop_bridge()
        world.meters["fewer"] = whole.replace(flow, "")
        if running:
            world.reload()
        else:
            world.write()
            world.start_bridge()
        del before["meterbridge_fewer_flow"]
        wait_for(lambda: names_of(world, "fewer") == before, "the flow is gone, and nothing else", PATIENCE)
        wait_for(lambda: world.say("fewer", second) or world.hass.state("sensor.fewer_energy_import") == second, "the rest goes on", PATIENCE)
        assert names_of(world, "fewer") == before
    del world.meters["fewer"]
    world.reload()
    gone(world, "fewer")
    assert world.hass.complaints() == []


def test_P36_removed_meters_are_gone_whether_the_bridge_ran_or_not(world):
    for name in ("moves", "slow"):
        world.meters.setdefault(name, spoken(name))
    world.reload()
    world.known("moves_connectivity", "slow_connectivity")
    del world.meters["moves"]
    world.reload()
    gone(world, "moves")
    world.stop_bridge()
    del world.meters["slow"]
    world.write()
    assert "meterbridge_slow" in world.hass.devices()
    world.start_bridge()
    gone(world, "slow")
    assert "meterbridge_house" in world.hass.devices()
    world.hass.restart()  # and they do not come back from its memory or the broker's
    world.known("house_energy_import")
    assert not {"meterbridge_moves", "meterbridge_slow"} & set(world.hass.devices())


def test_P32_absent_and_null_values_are_unknown_without_a_word(world):
    world.known("glitch_connectivity")
    wait_for(lambda: world.say("glitch", "1000.00") or world.hass.state("sensor.glitch_power") == "100", "power is shown", PATIENCE)
    wait_for(lambda: world.say("glitch", "1000.00", power=None) or world.hass.state("sensor.glitch_power") == "unknown",
             "power is not known any more", PATIENCE)
    assert world.hass.state("sensor.glitch_energy_import") == "1000.0"
    wait_for(lambda: world.say("glitch", "1000.00", power=50) or world.hass.state("sensor.glitch_power") == "50", "power is back", PATIENCE)
    assert world.hass.complaints() == []


@pytest.mark.skipif(RELEASE == "old", reason="2024.3 knows single messages only")
def test_changing_the_kind_of_discovery_keeps_every_entity_P35(world):
    world.known("house_energy_import", "flat_power")
    before = names_of(world, "house", "flat", "bridge")
    assert len(before) > 60
    for kind in ("component", "device"):
        world.stop_bridge()
        world.discovery = kind
        world.write()
        seen = world.ear.count()
        world.start_bridge()
        world.ear.wait(lambda topic, payload: topic.endswith("/config") and payload and (topic.split("/")[1] == "device") is (kind == "device"),
                       f"announced as {kind}", seen, PATIENCE)
        wait_for(lambda: world.hass.state("sensor.house_energy_import") not in (None, "unavailable", "unknown"), "values are back", PATIENCE)
        wait_for(lambda: names_of(world, "house", "flat", "bridge") == before, f"the same entities as {kind}", PATIENCE)
        wait_for(lambda: away(world, before) == [], f"each of them lives as {kind}", 20)
    assert world.hass.complaints() == []
