# SPDX-License-Identifier: MIT
"""The Energy dashboard, and statistics after a glitch, an exchanged meter and an outage.

Home Assistant counts every five minutes, and the clock is the real one: the outage is as long as the tests before this one and
one such period; test_hour.py has a longer one.
"""
import datetime

import pytest

from counters import doubts, entity, grown, history, rows, speak
from house import wait_for
from world import PATIENCE, FIRST, RELEASE

# What the user wants after another meter hangs there, and what is shown then.
EXCHANGED = {"exchange": ("new_cycle", "3.40"), "carried": ("carry_on", "1000.2")}
PERIOD = 320  # seconds until the next statistics are there, with some left
GAS = "sensor.flat_gas_4730303132333435363738393031323334_gas"
WATER = "sensor.flat_water_3853414731323334353637383930_water"


def identities(world, meter):
    return {unique_id: (entry["entity_id"], entry["id"], entry["device_id"]) for unique_id, entry in world.hass.entities().items()
            if unique_id.startswith(f"meterbridge_{meter}_")}


@pytest.fixture(scope="module")
def before(world):
    """The meters that will be exchanged, as the registry has them with their first serial number."""
    for meter in EXCHANGED:
        speak(world, meter, "1000.00")
        world.shown(f"sensor.{meter}_serial", "A1")
    return {meter: identities(world, meter) for meter in EXCHANGED}


@pytest.fixture(scope="module")
def counted(world, before):
    """A glitch, two exchanged meters, an outage; then Home Assistant's statistics of all that."""
    wait_for(lambda: all(rows(world, entity(meter)) for meter in FIRST), "statistics of the first readings", PERIOD)
    # It says 0 for a while, with a good check sum.
    speak(world, "glitch", "1000.50")
    seen = world.ear.count()
    for _ in range(5):
        world.say("glitch", "0")
    world.ear.wait_json("meterbridge/glitch/event", lambda event: event["event_type"] == "value_refused", seen)
    speak(world, "glitch", "1001.25")
    # Another meter hangs there; for one the user wants a new cycle, for the other the old count.
    for meter, (choice, shown) in EXCHANGED.items():
        speak(world, meter, "1000.00")
        seen = world.ear.count()
        world.say(meter, "3.20", "B2")
        world.ear.wait_json(f"meterbridge/{meter}/event", lambda event: event["event_type"] == "meter_replaced", seen)
        world.ear.publish(f"meterbridge/{meter}/set/replace", choice)
        speak(world, meter, "3.40", "B2", shown)
    # Silent since the first reading; its consumption went on.
    world.shown(entity("outage"), "unavailable")
    speak(world, "outage", "1007.5")
    at = datetime.datetime.now().timestamp() * 1000

    def ready():
        return all((found := rows(world, entity(meter))) and found[-1]["end"] > at for meter in FIRST)
    wait_for(ready, "statistics after all that", PERIOD)
    return {meter: rows(world, entity(meter)) for meter in FIRST}


def test_a_glitch_to_zero_is_in_no_state_and_no_statistic_P15(world, counted):
    assert grown(counted["glitch"]) == 1.25, counted["glitch"]
    assert not {"0", "0.0"} & set(history(world, entity("glitch")))


def test_an_exchanged_meter_is_counted_on_from_its_own_zero_or_from_the_old_count_P30(world, counted):
    assert grown(counted["exchange"]) == 3.4, counted["exchange"]
    assert counted["exchange"][-1]["state"] == 3.4
    assert grown(counted["carried"]) == 0.2, counted["carried"]
    assert counted["carried"][-1]["state"] == 1000.2


def test_an_exchanged_meter_keeps_its_device_and_entities_under_its_new_number_P30(world, before, counted):
    for meter, known in before.items():
        speak(world, meter, "3.40", "B2", EXCHANGED[meter][1])
        world.shown(f"sensor.{meter}_serial", "B2")
        assert len(known) > 8 and identities(world, meter) == known
        if world.hass.version() >= "2024.11":
            assert world.hass.devices()[f"meterbridge_{meter}"]["serial_number"] == "B2"


def test_P40_after_an_outage_the_sum_has_what_the_meter_counted_and_no_more(world, counted):
    found = counted["outage"]
    assert grown(found) == 7.5, found
    assert {row["sum"] for row in found} == {found[0]["sum"], found[-1]["sum"]}  # one step, and nothing in between
    assert not {"0", "0.0"} & set(history(world, entity("outage")))


def test_simulated_meters_grow_by_exactly_what_they_showed(world, counted):
    growth = {}
    for name in ("sensor.house_energy_import", "sensor.flat_energy_import", "sensor.flat_energy_export", GAS, WATER):
        # What was being announced anew when a period ended is not in that one.
        found = wait_for(lambda n=name: len(some := rows(world, n)) > 1 and some, f"two periods of {name}", PERIOD)
        growth[name] = grown(found)
        assert growth[name] == round(found[-1]["state"] - found[0]["state"], 6), found
    # By the sun of the simulated day it is the one or the other.
    assert growth["sensor.flat_energy_import"] + growth["sensor.flat_energy_export"] > 0, growth


def test_P33_the_energy_dashboard_takes_import_export_gas_and_water(world, counted):
    bought, sold = "sensor.flat_energy_import", "sensor.flat_energy_export"
    flat = {"type": "grid", "stat_energy_from": bought, "stat_energy_to": sold, "stat_cost": None, "entity_energy_price": None,
            "number_energy_price": 0.3, "stat_compensation": None, "entity_energy_price_export": None, "number_energy_price_export": 0.05,
            "stat_rate": "sensor.flat_power", "cost_adjustment_day": 0}
    nested = {"type": "grid", "cost_adjustment_day": 0,
              "flow_from": [{"stat_energy_from": bought, "stat_cost": None, "entity_energy_price": None, "number_energy_price": 0.3}],
              "flow_to": [{"stat_energy_to": sold, "stat_compensation": None, "entity_energy_price": None, "number_energy_price": 0.05}]}
    others = [{"type": kind, "stat_energy_from": name, "stat_cost": None, "entity_energy_price": None, "number_energy_price": 2}
              for kind, name in (("gas", GAS), ("water", WATER))]
    world.hass.ask("energy/save_prefs", energy_sources=[nested if RELEASE == "old" else flat, *others])
    world.hass.ask("energy/save_prefs", device_consumption=[{"stat_consumption": "sensor.house_energy_import"}])
    verdict = world.hass.ask("energy/validate")
    assert len(verdict["energy_sources"]) == 3 and len(verdict["device_consumption"]) == 1
    assert all(found == [] for part in verdict.values() for found in part), verdict
    costs = world.hass.ask("energy/info")["cost_sensors"]
    assert {bought, sold, GAS, WATER} <= set(costs)
    wait_for(lambda: all(world.hass.state(cost) not in (None, "unknown", "unavailable") for cost in costs.values()), "costs are counted", PATIENCE)
    assert doubts(world) == {}
