# SPDX-License-Identifier: MIT
"""The value templates of the approved discovery documents, rendered as Home Assistant does (P32)."""
import pathlib
import re

import pytest

sandbox = pytest.importorskip("jinja2.sandbox")
import jinja2  # noqa: E402

APPROVED = pathlib.Path(__file__).parents[1] / "unit" / "homeassistant" / "approved"
LINE = re.compile(r'/cmps/(?P<key>[^/]+)/(?P<what>val_tpl|p|ops/\d+) = "(?P<text>.*)"$')


def entities():
    found = {}
    for file in sorted(APPROVED.glob("*_device.txt")):
        for line in file.read_text(encoding="utf-8").splitlines():
            match = LINE.search(line)
            if match:
                entity = found.setdefault((file.stem, match["key"]), {"ops": []})
                if match["what"].startswith("ops/"):
                    entity["ops"].append(match["text"])
                else:
                    entity[match["what"]] = match["text"]
    return {place: entity for place, entity in found.items() if "val_tpl" in entity}


ENTITIES = entities()


def rendered(template, message):
    # StrictUndefined raises where Home Assistant would log "Template variable warning".
    environment = sandbox.ImmutableSandboxedEnvironment(undefined=jinja2.StrictUndefined)
    return environment.from_string(template).render(value_json=message)


def test_there_are_templates():
    assert len(ENTITIES) > 60


@pytest.mark.parametrize("place", ENTITIES, ids="-".join)
def test_p32_absent_and_null_are_unknown_without_a_warning(place):
    entity = ENTITIES[place]
    member = {"fault": "state", "memory": "memory", "pause": "paused"}.get(place[1], place[1])
    if place == ("gas_device", "last_reading"):
        member = "time"
    nothing = {"recoveries": "0", "error": "none", "alarms": "none"}.get(place[1], "None")
    assert rendered(entity["val_tpl"], {}) == nothing
    if place[1] != "recoveries":  # always an object
        assert rendered(entity["val_tpl"], {member: None}) == nothing


@pytest.mark.parametrize(
    ("place", "message", "expected"),
    [
        (("polled_device", "energy_import"), {"energy_import": 173.64}, "173.64"),
        (("polled_device", "serial"), {"serial": "0110"}, "0110"),
        (("polled_device", "clock"), {"clock": "2026-11-20T18:30:00Z"}, "2026-11-20T18:30:00Z"),
        (("polled_device", "fault"), {"state": "no_bytes"}, "no_bytes"),
        (("polled_device", "error"), {"error": "no answer"}, "no answer"),
        (("polled_device", "recoveries"), {"recoveries": {"flush": 2, "reopen": 1}}, "3"),
        (("polled_device", "pause"), {"paused": True}, "ON"),
        (("polled_device", "pause"), {"paused": False}, "OFF"),
        (("p1_device", "status"), {"status": True}, "ON"),
        (("p1_device", "status"), {"status": False}, "OFF"),
        (("alarms_device", "alarms"), {"alarm": "power 16 W above 15 W"}, "power 16 W above 15 W"),
        (("alarms_device", "alarm_away"), {"alarms": {"away": {"active": True}}}, "ON"),
        (("alarms_device", "alarm_away"), {"alarms": {"away": {"active": False}}}, "OFF"),
        (("alarms_device", "alarm_away"), {"alarms": {"away": {"active": None}, "main_overload": {"active": True}}}, "None"),
        (("bridge_device", "memory"), {"memory": 6291456}, "6.0"),
        (("bridge_device", "uptime"), {"uptime": 90}, "90"),
    ],
)
def test_values_come_through(place, message, expected):
    assert rendered(ENTITIES[place]["val_tpl"], message) == expected
