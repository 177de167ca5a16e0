# SPDX-License-Identifier: MIT
"""A simulated meter of every profile, announced to Home Assistant by a second instance of the bridge, and removed again."""
import json
import subprocess

import house as parts
import instance
import values
from house import wait_for
from test_classes import JUDGE
from test_every_profile import OF_OTHERS, configured
from world import DISCOVERY, PATIENCE, RELEASE

NAME = "catalogue"


def test_P31_P33_of_every_profile_each_value_is_an_entity_with_its_value_and_a_class_that_fits(world):
    folder = world.folder / NAME
    folder.mkdir()
    house = parts.House(folder, [], port=world.port)
    extra = f"instance: {NAME}\nhomeassistant: {{discovery: {DISCOVERY}}}"
    meters = set(configured(house, "interval: 60s, publish: 10m", extra).values()) - OF_OTHERS
    with house.simulate("-c", str(house.file)), house.bridge() as bridge:
        wait_for(lambda: meters <= set(values.said(world.ear, NAME)), "each meter was read", 2 * PATIENCE)
        delivered = values.said(world.ear, NAME)  # sub-meters, too
        assert sum(map(len, delivered.values())) > 3000
        try:
            wait_for(lambda: values.differences(world.hass, world.ear, delivered, NAME) == {}, "every value is shown", 4 * PATIENCE)
        finally:
            print(values.differences(world.hass, world.ear, delivered, NAME))
        entities, states = world.hass.entities(), world.hass.states()
        listed = []  # those that are switched off have no unit to look at
        for unique_id, entry in entities.items():
            facts = states.get(entry["entity_id"], {}).get("attributes")
            if facts and unique_id.startswith(f"{NAME}_") and entry["entity_id"].startswith("sensor."):
                listed.append((unique_id, facts.get("device_class"), facts.get("unit_of_measurement"), facts.get("state_class")))
        assert len(listed) > 3000
        judged = subprocess.run([str(instance.CACHE / f"ha-{RELEASE}" / "bin" / "python"), "-c", JUDGE], input=json.dumps(listed), text=True,
                                capture_output=True, timeout=120, check=True)
        assert judged.stdout == ""
        # No entity id has a number behind it because two meters want the same.
        ids = {unique_id: entry["entity_id"].split(".")[1] for unique_id, entry in entities.items() if unique_id.startswith(f"{NAME}_")}
        doubled = [entity for unique_id, entity in ids.items() if f"{NAME}_{entity}" != unique_id and entity != unique_id]
        assert doubled == []
        assert world.hass.complaints() == []
        assert bridge.stop() == 0
    # All of it goes when none of them is configured any more.
    house.write([], extra=extra)
    with house.bridge() as bridge:
        wait_for(lambda: [one for one in world.hass.devices() if one.startswith(f"{NAME}_")] == [f"{NAME}_bridge"], "the devices are gone",
                 4 * PATIENCE)
        wait_for(lambda: [topic for topic in parts.retained(world.port) if NAME in topic and "bridge" not in topic] == [f"{NAME}/status"],
                 "nothing is kept at the broker", PATIENCE)
        assert bridge.stop() == 0
