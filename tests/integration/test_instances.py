# SPDX-License-Identifier: MIT
"""Two instances that should be one (P60)."""
import shutil
import threading

import pytest

from house import House, Observer, retained, wait_for

P1 = "{{id: p1, profile: p1, interval: 1s, publish: every, link: {{serial: {tty}}}}}"


def twin(house, folder, state):
    """The same configuration in another folder, with or without a copy of the state."""
    folder.mkdir()
    copy = House(folder, [], port=house.port)
    copy.file.write_text(house.file.read_text().replace(f"{house.folder}/state", f"{folder}/state"))
    if state:
        shutil.copytree(house.folder / "state", folder / "state")
    return copy


@pytest.mark.parametrize("version", ["5", "3.1.1"])
def test_P60_copied_configuration_and_state_are_named_and_do_not_hammer(tmp_path, version):
    house = House(tmp_path, [])
    house.write([P1.format(tty=house.tty("p1"))], mqtt_extra=f", version: {version}")
    with house.broker(), Observer(house.port) as ear:
        with house.bridge() as bridge:  # the installation that is copied
            ear.wait_topic("meterbridge/status", payload="online")
            assert bridge.stop() == 0
        copy = twin(house, tmp_path / "copy", state=True)
        with house.bridge() as one, copy.bridge() as two:
            def named(bridge):
                return [line for line in bridge.log().splitlines() if "client id \"meterbridge-" in line and "in a row" in line]

            wait_for(lambda: named(one) and named(two), "both name the contest", 90)
            assert "state directory" in named(one)[0] and "mqtt.client_id" in named(one)[0]
            seen = ear.count()
            lines = len(one.log().splitlines())
            threading.Event().wait(8)  # the measurement takes its time
            assert len([m for m in ear.messages[seen:] if m[:2] == ("meterbridge/status", "online")]) <= 4
            assert len(one.log().splitlines()) - lines <= 2
            assert len(named(one)) == 1
            # The other one is gone: the connection stays, without help.
            assert two.stop() == 0
            wait_for(lambda: retained(house.port)["meterbridge/status"] == "online", "the one that is left is in", 90)
            assert one.stop() == 0


def test_P60_a_second_instance_with_the_same_base_topic_is_noticed_by_both(tmp_path):
    house = House(tmp_path, [])
    house.write([P1.format(tty=house.tty("p1"))])
    words = 'publishes under our base topic "meterbridge"'
    with house.broker(), Observer(house.port) as ear, house.bridge() as one:
        ear.wait_topic("meterbridge/bridge/health")
        copy = twin(house, tmp_path / "copy", state=False)
        with copy.bridge() as two:
            wait_for(lambda: words in one.log() and words in two.log(), "both name the other")
            assert "instance name" in one.log()
            assert two.stop() == 0
        assert one.stop() == 0
        # What is retained of an earlier run, even of one that was killed, is no second instance.
        with house.bridge() as killed:
            ear.wait_json("meterbridge/bridge/health", after=ear.count())
            killed.process.kill()
        seen = ear.count()
        with house.bridge() as again:
            ear.wait_json("meterbridge/bridge/health", after=seen)
            seen = ear.count()
            ear.publish("meterbridge/p1/set/resend", "")
            ear.wait_topic("meterbridge/p1/health", seen)
            assert words not in again.log()
            assert again.stop() == 0


@pytest.mark.parametrize("discovery", ["device", "component"])
def test_P60_one_instance_name_under_two_base_topics_is_noticed_by_both(tmp_path, discovery):
    house = House(tmp_path, [])
    house.write([P1.format(tty=house.tty("p1"))], extra=f"homeassistant: {{discovery: {discovery}}}")
    words = 'with our instance name "meterbridge"'
    with house.broker(), Observer(house.port) as ear:
        copy = twin(house, tmp_path / "copy", state=False)
        copy.file.write_text(copy.file.read_text().replace(f"port: {house.port}", f"port: {house.port}, base_topic: second"))
        with house.bridge() as one:
            ear.wait_topic("meterbridge/bridge/health")
            with copy.bridge() as two:
                wait_for(lambda: words in one.log() and words in two.log(), "both name the other")
                assert 'base topic "second" (ours is "meterbridge")' in one.log()
                assert 'base topic "meterbridge" (ours is "second")' in two.log()
                assert two.stop() == 0
            assert one.log().count(words) == 1
            assert one.stop() == 0
        # What is retained of an earlier base topic is no second instance.
        with copy.bridge() as moved:
            seen = ear.count()
            ear.wait_topic("second/p1/health", seen)
            seen = ear.count()
            ear.publish("second/p1/set/resend", "")
            ear.wait_topic("second/p1/health", seen)
            assert words not in moved.log()
            assert moved.stop() == 0


def test_P60_run_once_leaves_a_service_of_the_same_instance_alone(tmp_path):
    house = House(tmp_path, [])
    house.write([P1.format(tty=house.tty("p1"))])
    with house.broker(), Observer(house.port) as ear, \
            house.simulate("--profile", "p1", "--pty", house.tty("p1"), "--period", "200ms"):
        with house.bridge() as service:
            ear.wait_topic("meterbridge/p1/availability", payload="online")
            done = house.call("run", "--once", "-c", str(house.file))
            assert done.returncode == 1 and f"is running already: another program (pid {service.process.pid}" in done.stderr.decode()
            ear.wait_topic("meterbridge/p1/state", ear.count())  # what it may have said is heard by now
            assert [p for t, p, _ in ear.messages if t == "meterbridge/p1/availability"][-1] == "online"
            assert "client id" not in service.log() and "broker:" not in service.log()
            with house.bridge() as second:
                wait_for(lambda: "is running already" in second.log(), "the second service says so")
            assert service.stop() == 0
        assert house.call("run", "--once", "-c", str(house.file)).returncode == 0
