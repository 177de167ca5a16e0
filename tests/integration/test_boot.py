# SPDX-License-Identifier: MIT
"""A machine boots: broker, device and Home Assistant appear in every order (P42), and ports have other names (P11)."""
import concurrent.futures
import contextlib
import itertools
import json
import os
import pathlib

import pytest

from house import House, Observer, wait_for

P1 = "{{id: p1, profile: p1, interval: 1s, publish: every, link: {{serial: {tty}}}}}"


def home_assistant(port):
    """Waits for its broker as the real one does, listens, and says that it is there."""
    def connected():
        try:
            return Observer(port)
        except OSError:
            return None

    ear = wait_for(connected, "Home Assistant's broker")
    ear.publish("homeassistant/status", "online")
    return ear


@pytest.mark.parametrize("order", list(itertools.permutations(("broker", "device", "home_assistant"))), ids="-".join)
def test_P42_whatever_comes_first_everything_is_there_in_the_end(tmp_path, order):
    house = House(tmp_path, [])
    house.write([P1.format(tty=house.tty("p1"))])
    with contextlib.ExitStack() as running:
        bridge = running.enter_context(house.bridge())
        wait_for(lambda: "no_device" in bridge.log() and "broker" in bridge.log(), "both absences are named")
        pool = running.enter_context(concurrent.futures.ThreadPoolExecutor())
        for part in order:
            if part == "broker":
                running.enter_context(house.broker())
                wait_for(lambda: "announced" in bridge.log(), "the bridge is at the broker")
            elif part == "device":
                running.enter_context(house.simulate("--profile", "p1", "--pty", house.tty("p1"), "--period", "1s"))
                wait_for(lambda: "good again" in bridge.log(), "the device is read")
            else:
                ear = pool.submit(home_assistant, house.port)
        ear = running.enter_context(ear.result())
        document = ear.wait_json("homeassistant/device/meterbridge_p1/config", lambda d: "energy_import_t1" in d["cmps"])
        ear.wait_topic("meterbridge/status", payload="online")
        ear.wait_topic("meterbridge/p1/availability", payload="online")
        state = ear.wait_json("meterbridge/p1/state", lambda s: "energy_import_t1" in s)
        assert set(state) - {"time"} <= set(document["cmps"])
        assert bridge.alive()
        assert bridge.stop() == 0


@contextlib.contextmanager
def by_id(name, target):
    """A stable name for a port, as udev makes it."""
    folder = pathlib.Path("/dev/serial/by-id")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / name).symlink_to(target)
    except OSError as error:
        pytest.skip(f"no rights in /dev: {error}")
    try:
        yield folder / name
    finally:
        (folder / name).unlink()
        with contextlib.suppress(OSError):
            folder.rmdir()
            folder.parent.rmdir()


def test_P11_an_unstable_name_works_and_its_stable_one_is_proposed_once(tmp_path):
    house = House(tmp_path, [])
    house.write([P1.format(tty=house.tty("ttyUSB0"))])

    @contextlib.contextmanager
    def plugged_in():
        with house.simulate("--profile", "p1", "--pty", house.tty("ttyUSB0"), "--period", "1s"), \
                by_id(f"meterbridge-test-{os.getpid()}", os.path.realpath(house.tty("ttyUSB0"))) as stable:
            yield stable

    with house.broker(), Observer(house.port) as ear, contextlib.ExitStack() as running:
        with plugged_in() as stable:
            bridge = running.enter_context(house.bridge())
            ear.wait_topic("meterbridge/p1/availability", payload="online")
            seen = ear.count()
        ear.wait_topic("meterbridge/p1/availability", seen, "offline")
        with plugged_in():
            ear.wait_topic("meterbridge/p1/availability", seen, "online")
        proposals = [line for line in bridge.log().splitlines() if str(stable) in line]
        assert bridge.stop() == 0
    assert len(proposals) == 1 and house.tty("ttyUSB0") in proposals[0] and "configure" in proposals[0]


def test_P11_a_stable_name_is_found_again_under_another_device(tmp_path):
    house = House(tmp_path, [])
    stable = house.tty("by-id")
    house.write([P1.format(tty=stable)])
    with house.broker(), Observer(house.port) as ear, house.bridge() as bridge:
        for device in ("ttyUSB0", "ttyUSB1"):
            with house.simulate("--profile", "p1", "--pty", house.tty(device), "--period", "1s") as meter:
                seen = ear.count()
                os.symlink(house.tty(device), stable)
                ear.wait_topic("meterbridge/p1/availability", seen, "online")
                assert json.loads(ear.wait_topic("meterbridge/p1/state", seen))
                os.unlink(stable)
                meter.stop()
                ear.wait_topic("meterbridge/p1/availability", seen, "offline")
        assert "configure" not in bridge.log()
        assert bridge.stop() == 0
