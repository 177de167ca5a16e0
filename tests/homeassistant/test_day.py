# SPDX-License-Identifier: MIT
"""A day of mixed telegrams, as fast as a real Home Assistant takes them (P32): each telegram carries some of what its meter knows, some
say null, some are no telegrams at all. Home Assistant has no word to say about any of them, and shows what the last one said."""
import datetime
import json
import os
import random

from house import wait_for
from test_nothing_lost import Feeder, crc16
from world import PATIENCE

TELEGRAMS = int(os.environ.get("METERBRIDGE_HA_DAY", "8640"))  # of each meter: one every ten seconds
TOGETHER = 90
STEP = 86400 // TELEGRAMS or 1
UNKNOWN = ("unknown", "unavailable")

# What the telegrams of a meter may leave out: OBIS line, key, unit; values count up so that each is told from the one before.
LINES = [("1-0:2.8.0({:010.3f}*kWh)", "energy_export"), ("1-0:1.7.0({:06.3f}*kW)", "power"), ("1-0:32.7.0({:05.1f}*V)", "voltage_l1"),
         ("1-0:52.7.0({:05.1f}*V)", "voltage_l2")]


class Phone(Feeder):
    """A P1 meter that leaves lines out, and sometimes half of everything."""

    def __init__(self, link, dice):
        super().__init__(link)
        os.set_blocking(self.master, True)  # who sends waits for the bridge
        self.dice = dice
        self.start_time -= 4 * 3600

    def say(self, number, whole):
        local = datetime.datetime.fromtimestamp(self.start_time + number * STEP + 3600, datetime.timezone.utc)
        values = (number / 1000, number % 90 / 10, 220 + number % 200 / 10, 221 + number % 190 / 10)
        kept = [line.format(value) for (line, _), value in zip(LINES, values) if whole or self.dice.random() < 0.7]
        text = "\r\n".join(["/MBR5MIXED", "", "1-3:0.2.8(50)", f"0-0:1.0.0({local:%y%m%d%H%M%S}W)", "0-0:96.1.1(4242)",
                            f"1-0:1.8.0({self.count(number):010.3f}*kWh)", *kept, "!"]).encode()
        text += f"{crc16(text):04X}\r\n".encode()
        if not whole and self.dice.random() < 0.05:
            text = text[:self.dice.randrange(len(text))] + b"\r\n"
        rest = text
        while rest:
            rest = rest[os.write(self.master, rest):]


def kwh(number):
    """Slowly: a hundred telegrams a second must not be more than a house can use (the guard refuses that)."""
    return f"{number / 100000:.5f}"


def some(dice, document, whole):
    """A document with members missing, null, or text where numbers belong; now and then no document."""
    if whole:
        return json.dumps(document)
    if dice.random() < 0.03:
        return dice.choice(["", "null", "[]", "{", "offline", '{"id":', "\x00\x01", '"NaN"'])
    kept = {key: value for key, value in document.items() if key in ("id", "media", "meter", "name") or dice.random() < 0.75}
    for key in kept:
        if key not in ("id", "media", "meter", "name") and dice.random() < 0.1:
            kept[key] = dice.choice([None, "", "unknown", {}, [], True])
    return json.dumps(kept)


def spoken_by_all(number, dice, phone, world, whole):
    phone.say(number, whole)
    said = {
        "test/mixed": {"id": "M1", "kwh": kwh(number), "w": number % 3000, "v": 230 + number % 10},
        "wmbusmeters/Cellar": {"media": "water", "meter": "multical21", "name": "Cellar", "id": "11112222", "total_m3": number / 1000000,
                               "flow_temperature_c": 5 + number % 9, "current_status": "DRY" if number % 5 else "OK"},
        "wmbusmeters/Roof": {"media": "heat", "meter": "kamheat", "name": "Roof", "id": "33334444", "total_energy_consumption_kwh": number / 100000,
                             "volume_flow_m3h": number % 7 / 10, "t1_temperature_c": 60 + number % 9, "t2_temperature_c": 30 + number % 9}}
    for topic, document in said.items():
        world.ear.publish(topic, some(dice, document, whole))


def differences(world, meter):
    """Values of the entities of a meter that are not those of its newest state document."""
    document = world.state_document(meter)
    entities = {unique_id.removeprefix(f"meterbridge_{meter}_"): entry["entity_id"] for unique_id, entry in world.hass.entities().items()
                if unique_id.startswith(f"meterbridge_{meter}_") and not entry["disabled_by"] and entry["entity_category"] is None}
    shown = {key: world.hass.state(entity) for key, entity in entities.items()}
    assert len(set(shown) & set(document)) >= 2, (shown, document)

    def same(key, value):
        if document.get(key) is None:
            return value == "unknown"
        try:
            return float(value) == float(document[key])
        except ValueError:
            return value == str(document[key])
    return [(key, value, document.get(key)) for key, value in shown.items() if not same(key, value)]


def test_P32_a_day_of_mixed_telegrams_and_not_a_word(world):
    seed = int(os.environ.get("METERBRIDGE_SEED", "32"))
    dice = random.Random(seed)
    complaints = len(world.hass.complaints())
    phone = Phone(world.house.tty("phone"), dice)
    world.meters["phone"] = f"{{id: phone, profile: p1, country: nl, interval: 1s, publish: every, link: {{serial: {world.folder}/phone}}}}"
    world.meters["mixed"] = ("{id: mixed, profile: generic-json, link: {mqtt: test/mixed}, interval: 5s, publish: every, fields: ["
                             "{pointer: /id, key: serial}, {pointer: /kwh, key: energy_import, unit: kWh}, {pointer: /w, key: power, unit: W}, "
                             "{pointer: /v, key: voltage, unit: V}]}")
    world.meters["air"] = "{id: air, profile: wmbusmeters, link: {mqtt: \"wmbusmeters/#\"}, interval: 30m, publish: every}"
    world.reload()
    mixed, = world.known("mixed_connectivity")
    wait_for(lambda: spoken_by_all(1, dice, phone, world, True) or
             all(world.hass.state(f"sensor.{meter}_energy_import") not in (None, *UNKNOWN) for meter in ("mixed", "phone")),
             "the meters were heard", PATIENCE)
    start = world.ear.count()
    for first in range(2, TELEGRAMS + 2, TOGETHER):
        last = min(first + TOGETHER, TELEGRAMS + 2) - 1
        for number in range(first, last):
            spoken_by_all(number, dice, phone, world, False)
        # All of them at the end of each handful: Home Assistant has seen what came before.
        spoken_by_all(last, dice, phone, world, True)
        world.shown("sensor.mixed_energy_import", str(float(kwh(last))))
        world.shown("sensor.phone_energy_import", str(float(Feeder.count(last))))
    heard = [(topic, payload) for topic, payload, _ in world.ear.messages[start:] if topic.endswith("/state")]
    counts = {meter: sum(topic == f"meterbridge/{meter}/state" for topic, _ in heard) for meter in ("phone", "mixed")}
    assert min(counts.values()) > TELEGRAMS * 0.8, counts
    # A handful that ends with pieces: what the last telegram left out is not known, what it said is shown.
    end = TELEGRAMS + 12
    for number in range(TELEGRAMS + 2, end):
        spoken_by_all(number, dice, phone, world, False)
    world.ear.publish("test/mixed", json.dumps({"id": "M1", "kwh": kwh(end), "v": None}))
    world.shown("sensor.mixed_energy_import", str(float(kwh(end))))
    wait_for(lambda: differences(world, "mixed") == [], f"Home Assistant shows what the last telegrams said; seed {seed}", PATIENCE)
    for meter in ("phone", "air_water_11112222", "air_heat_33334444"):
        wait_for(lambda m=meter: differences(world, m) == [], f"{meter} in Home Assistant is {meter} on the wire; seed {seed}", PATIENCE)
    assert world.hass.complaints()[complaints:] == [], f"seed {seed}"
