# SPDX-License-Identifier: MIT
"""Each profile that there is, simulated and read in one house: what is delivered and what is announced are the same."""
import json
import re
import subprocess

import house as parts

# Not a value of the meter; test P32_Discovery.AnnouncesOnlyWhatWasDeliveredBesidesTheDiagnostics has them by name.
OURS = {"connectivity", "error", "error_rate", "fault", "interval", "last_reading", "pause", "poll", "poll_time", "recoveries"}
# These pass on the meters of others, by topics or numbers that a user names; test_mqtt_senders.py and test_leaf_hub.py have them.
OF_OTHERS = {"meterbridge", "rtl_433", "vzlogger", "wmbusmeters"}
NEEDED = (("address", "address: 1"), ("`registers`", "registers: [{key: power, function: 3, address: 0, unit: W}]"))


def configured(house, settings="interval: 5s, publish: every", extra=""):
    """Writes a configuration with a meter of each profile; gives profile -> id."""
    listed = subprocess.run([parts.BINARY, "profiles", "list"], capture_output=True, text=True, timeout=parts.PATIENCE, check=True).stdout
    names = [line.split()[0] for line in listed.splitlines()]
    assert len(names) > 150
    ids = {name: re.sub(r"[^a-z0-9]", "_", name) for name in names}
    more = dict.fromkeys(names, "")

    def write():
        house.write((f"{{id: {ids[name]}, profile: {name}, {settings}, link: {{serial: {house.folder}/{name}}}{more[name]}}}"
                     for name in names), extra=extra)
        return house.call("check", "-c", str(house.file)).stdout.decode()

    # What a meter cannot be without, the program says; the simulated one is the same.
    for number, text in re.findall(r"meters\[(\d+)\]: (.*)", write()):
        more[names[int(number)]] += "".join(f", {setting}" for word, setting in NEEDED if word in text and "battery" not in text)
    assert f"valid, {len(names)} meters" in write()
    return ids


def test_P31_of_every_profile_each_value_is_an_entity_and_no_other(tmp_path):
    house = parts.House(tmp_path, [])
    ids = configured(house)
    delivered, announced = {}, {}

    def complete():
        with ear.changed:
            messages = list(ear.messages)
        for topic, payload, _ in messages:
            if topic.endswith("/state") and payload:
                delivered.setdefault(topic.split("/")[1], set()).update(key for key in json.loads(payload) if key != "time")
            elif topic.startswith("homeassistant/device/meterbridge_") and payload:
                announced[topic.split("/")[2].removeprefix("meterbridge_")] = set(json.loads(payload)["cmps"]) - OURS
        # Sub-meters are devices of their own, beside those of the house.
        return set(ids.values()) - OF_OTHERS <= set(delivered) and all(announced.get(meter) == keys for meter, keys in delivered.items())

    with house.broker(), parts.Observer(house.port) as ear, house.simulate("-c", str(house.file)), house.bridge() as bridge:
        try:
            parts.wait_for(complete, "every value of every profile is announced", 2 * parts.PATIENCE)
        finally:
            print({meter: (keys ^ announced.get(meter, set())) for meter, keys in delivered.items() if keys != announced.get(meter)},
                  set(ids.values()) - set(delivered))
        assert bridge.stop() == 0
    assert sum(map(len, delivered.values())) > 3000
    assert not set(ids.values()) & OF_OTHERS & set(delivered)
