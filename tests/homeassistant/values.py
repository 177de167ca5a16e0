# SPDX-License-Identifier: MIT
"""What went over the wire, and what Home Assistant makes of it."""
import datetime
import json


def said(ear, base="meterbridge", newest=10):
    """meter -> key -> values of its newest states."""
    with ear.changed:
        messages = [(topic, payload) for topic, payload, _ in ear.messages if payload]
    states = {}
    for topic, payload in messages:
        start, _, end = topic.partition("/")
        if start == base and end.count("/") == 1 and end.endswith("/state"):
            states.setdefault(end.removesuffix("/state"), []).append(payload)
    found = {}
    for meter, payloads in states.items():
        keys = found[meter] = {}
        for payload in payloads[-newest:]:
            for key, value in json.loads(payload).items():
                if key != "time":
                    keys.setdefault(key, []).append(value)
    return found


def same(state, value):
    if value is None or isinstance(value, bool):
        return state == {None: "unknown", True: "on", False: "off"}[value]
    if isinstance(value, str):
        return state == value or moment(state) == (moment(value) or "no time")
    try:
        return float(state) == value
    except (TypeError, ValueError):
        return False


def moment(text):
    """Of a time, to the second: Home Assistant shows no more."""
    try:
        return datetime.datetime.fromisoformat(text).replace(microsecond=0)
    except (TypeError, ValueError):
        return None


def differences(hass, ear, meters, base="meterbridge"):
    """Values of these meters without an entity, and entities that show what was not said."""
    entities, states, spoken = hass.entities(), hass.states(), said(ear, base)
    found = {}
    for meter in meters:
        for key, values in spoken.get(meter, {"any state": []}).items():
            entry = entities.get(f"{base}_{meter}_{key}")
            state = entry and states.get(entry["entity_id"], {}).get("state")
            if entry is None or not (entry["disabled_by"] or any(same(state, value) for value in values)):
                found[f"{meter} {key}"] = (entry and entry["entity_id"], state, values[-1:])
    return found


def switched_on(hass, *meters):
    """unique id -> entity id, of those that are not switched off."""
    return {unique_id: entry["entity_id"] for unique_id, entry in hass.entities().items()
            if not entry["disabled_by"] and unique_id.startswith(tuple(f"meterbridge_{meter}_" for meter in meters))}


def unavailable(hass, *meters):
    states = hass.states()
    return {unique_id for unique_id, entity in switched_on(hass, *meters).items() if states.get(entity, {}).get("state") == "unavailable"}
