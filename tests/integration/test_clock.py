# SPDX-License-Identifier: MIT
"""Our own clock in 1971: the real program, with a clock that is put right while it runs."""
import datetime
import json

import pytest

from house import BINARY, House, Observer, wait_for
from wrong_clock import UNSET, preload, step


def late_clock(tmp_path):
    """The environment of a program whose clock is not set, and the file whose removal puts it right."""
    environment, unset = preload(tmp_path)
    step(unset, UNSET)
    return environment, unset


@pytest.mark.skipif("asan" in BINARY, reason="a preloaded library and the sanitizer exclude each other")
def test_P29_readings_wait_until_our_clock_is_set(tmp_path):
    late, unset = late_clock(tmp_path)
    house = House(tmp_path, [])
    house.write([f"{{id: house, profile: energomera-ce307, address: 13462, interval: 1s, link: {{serial: {house.tty('m')}}}}}"])
    with house.broker(), Observer(house.port) as ear, \
            house.simulate("--profile", "energomera-ce307", "--set", "address=13462", "--pty", house.tty("m")), \
            house.bridge(environment=late) as bridge:
        event = ear.wait_json("meterbridge/house/event")
        assert "the clock of this machine is not set" in event["text"]
        wait_for(lambda: "not set" in bridge.log(), "the log says so")
        with ear.changed:
            assert not [topic for topic, _, _ in ear.messages if topic == "meterbridge/house/state"]
        begin = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(seconds=30)
        unset.unlink()
        state = ear.wait_json("meterbridge/house/state")
        assert datetime.datetime.fromisoformat(state["time"].replace("Z", "+00:00")) > begin
        assert ear.wait_topic("meterbridge/house/availability", payload="online")
        with ear.changed:
            times = [json.loads(payload)["time"] for topic, payload, _ in ear.messages if topic.endswith("house/state")]
        assert all(time > "2026" for time in times)


@pytest.mark.skipif("asan" in BINARY, reason="a preloaded library and the sanitizer exclude each other")
def test_P29_every_reading_of_that_time_is_in_the_journal_with_its_own(tmp_path):
    late, unset = late_clock(tmp_path)
    house = House(tmp_path, [])
    house.write(["{id: shop, profile: esp32-flat-json, link: {mqtt: shop/meter}, interval: 1s, publish: every}"],
                extra="journal: {store: on, commit: 0s}")
    with house.broker(), Observer(house.port) as ear, house.bridge(environment=late) as bridge:
        ear.wait_topic("meterbridge/status", payload="online")
        begin = datetime.datetime.now(datetime.timezone.utc)
        begin = begin.replace(microsecond=begin.microsecond // 1000 * 1000)  # as times are written
        for volts in range(210, 230):
            ear.publish("shop/meter", '{"energy_total":12.50,"voltage":%d}' % volts)
        ear.wait_json("meterbridge/shop/event")
        unset.unlink()
        ear.publish("shop/meter", '{"energy_total":12.50,"voltage":230}')
        ear.wait_json("meterbridge/shop/state", lambda state: state.get("voltage") == 230)
        end = datetime.datetime.now(datetime.timezone.utc)
        assert bridge.stop() == 0
    done = house.call("journal", "-c", str(house.file), "export")
    entries = [json.loads(line) for line in done.stdout.decode().splitlines()]
    assert [reading["value"] for entry in entries for reading in entry["readings"] if reading["key"] == "voltage"] == \
        list(range(210, 231))
    for entry in entries:
        assert begin <= datetime.datetime.fromisoformat(entry["time"].replace("Z", "+00:00")) <= end, entry
    # One run that does not last until the clock is set files nothing under 1971.
    step(unset, UNSET)
    with house.broker(), house.simulate("--profile", "energomera-ce307", "--set", "address=13462", "--pty", house.tty("m")):
        house.write([f"{{id: house, profile: energomera-ce307, address: 13462, interval: 1s, link: {{serial: {house.tty('m')}}}}}"],
                    extra="journal: {store: on, commit: 0s}")
        once = house.call("run", "--once", "-c", str(house.file), environment=late)
        assert once.returncode == 1 and b"the clock of this machine is not set" in once.stderr, once.stderr
    after = house.call("journal", "-c", str(house.file), "export").stdout
    assert len(after.splitlines()) == len(entries)
