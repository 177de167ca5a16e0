# SPDX-License-Identifier: MIT
"""The counters of the meters that the test speaks for, and what Home Assistant keeps of them."""
import datetime

from house import wait_for
from world import PATIENCE


def entity(meter):
    return f"sensor.{meter}_energy_import"


def rows(world, statistic, period="5minute"):
    start = (datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(hours=2)).isoformat()
    found = world.hass.ask("recorder/statistics_during_period", start_time=start, statistic_ids=[statistic], period=period,
                           types=["state", "sum"])
    return found.get(statistic, [])


def history(world, name):
    start = (datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(hours=2)).strftime("%Y-%m-%dT%H:%M:%SZ")
    found = world.hass.get(f"/api/history/period/{start}?filter_entity_id={name}&minimal_response&no_attributes")
    return [state["state"] for state in (found[0] if found else [])]


def speak(world, meter, kwh, serial="A1", shown=None):
    """Says it as often as it takes; a meter does, too."""
    wanted = str(float(shown or kwh))
    wait_for(lambda: world.say(meter, kwh, serial) or world.hass.state(entity(meter)) == wanted, f"{entity(meter)} is {wanted}", PATIENCE)


def grown(found):
    return round(found[-1]["sum"] - found[0]["sum"], 6)


def doubts(world):
    """What Home Assistant finds wrong with its statistics. It keeps those of removed meters, and says that they have no state."""
    there = {entry["entity_id"] for entry in world.hass.entities().values()}
    found = world.hass.ask("recorder/validate_statistics")
    assert all(issue["type"] == "no_state" for name, issues in found.items() if name not in there for issue in issues), found
    return {name: issues for name, issues in found.items() if name in there}
