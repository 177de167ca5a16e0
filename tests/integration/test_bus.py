# SPDX-License-Identifier: MIT
"""Meters that share one line: the real program, a real mosquitto, one pseudo-terminal with simulated meters."""
import json
import time

from house import House, Mosquitto, Observer, wait_for

LIVING = [f"m{n}" for n in range(1, 6)]
QUICK = "interval: 100ms, response_timeout: 150ms, retries: 0, gap: 10ms, telegram: true"


def meter(name, more=QUICK):
    return f"{{id: {name}, profile: energomera-ce307, address: {100 + int(name[1:])}, publish: every, link: cellar, {more}}}"


def shared_line(folder, names, port, more=QUICK):
    """A house whose meters are all on one line."""
    folder.mkdir()
    house = House(folder, [], port)
    house.write([meter(name, more) for name in names], extra=f"instance: {folder.name}\n" +
                f"links: {{cellar: {{serial: {folder}/line, baud: 115200, turnaround: 5ms}}}}")
    return house


def telegrams(ear, instance, names, after):
    """How many good polls each meter had since message number `after`."""
    with ear.changed:
        heard = [topic for topic, _, _ in ear.messages[after:]]
    return {name: heard.count(f"{instance}/{name}/telegram") for name in names}


def test_P06_three_dead_of_eight_slow_the_others_by_no_more_than_a_tenth(tmp_path):
    # Both lines at the same time, so that a busy machine slows both alike.
    (tmp_path / "broker").mkdir()
    with Mosquitto(tmp_path / "broker") as broker, Observer(broker.port) as ear:
        five = shared_line(tmp_path / "five", LIVING, broker.port)
        eight = shared_line(tmp_path / "eight", LIVING + ["m6", "m7", "m8"], broker.port)
        # m6 is not there, m7 answers as somebody else, half of what m8 says is missing.
        played = shared_line(tmp_path / "played", LIVING + ["m7", "m8"], broker.port)
        played.file.write_text(played.file.read_text().replace(f"{tmp_path}/played/line", f"{tmp_path}/eight/line"))
        with five.simulate("-c", str(five.file)), \
                played.simulate("-c", str(played.file), "--fault", "foreign=1@m7", "--fault", "cut=1@m8"), \
                five.bridge() as alone, eight.bridge() as shared:
            # The dead are found out by then: three failures each.
            wait_for(lambda: min(telegrams(ear, "eight", LIVING, 0).values()) >= 12, "12 polls of each living meter", 60)
            wait_for(lambda: min(telegrams(ear, "five", LIVING, 0).values()) >= 12, "12 polls of each meter alone", 60)
            after, begin = ear.count(), time.monotonic()
            wait_for(lambda: sum(telegrams(ear, "five", LIVING, after).values()) >= 150, "150 polls", 120)
            without = telegrams(ear, "five", LIVING, after)
            with_dead = telegrams(ear, "eight", LIVING, after)
            print(f"{time.monotonic() - begin:.1f} s: {without} alone, {with_dead} with three dead")
            # One poll of each meter is under way when the counting begins and ends.
            assert sum(without.values()) <= 1.10 * sum(with_dead.values()) + len(LIVING)
            assert max(with_dead.values()) - min(with_dead.values()) <= 3
            assert sum(telegrams(ear, "eight", ["m6", "m7", "m8"], 0).values()) == 0
            for name in ("m6", "m7", "m8"):
                health = ear.wait_json(f"eight/{name}/health", lambda h: h["state"] in ("no_bytes", "no_frame"))
                assert health["recoveries"].get("reopen", 0) <= 2
            assert alone.stop() == 0 and shared.stop() == 0


def test_P06_a_meter_that_returns_is_read_at_its_normal_pace(tmp_path):
    (tmp_path / "broker").mkdir()
    with Mosquitto(tmp_path / "broker") as broker, Observer(broker.port) as ear:
        house = shared_line(tmp_path / "house", ["m1", "m2"], broker.port)
        # m2 loses nine answers of ten at first: hardly a poll of five answers comes through.
        with house.bridge():
            with house.simulate("-c", str(house.file), "--fault", "silence=0.9@m2"):
                wait_for(lambda: telegrams(ear, "house", ["m1"], 0)["m1"] >= 30, "30 polls of the living one", 60)
                few = telegrams(ear, "house", ["m2"], 0)["m2"]
            assert few < 10
            with house.simulate("-c", str(house.file)):
                seen = ear.count()
                ear.wait_topic("house/m2/telegram", seen)
                seen = ear.count()
                wait_for(lambda: telegrams(ear, "house", ["m1"], seen)["m1"] >= 20, "20 polls more", 60)
                assert telegrams(ear, "house", ["m2"], seen)["m2"] >= 15


def test_P08_another_master_is_named_while_the_readings_go_on(tmp_path):
    (tmp_path / "broker").mkdir()
    with Mosquitto(tmp_path / "broker") as broker, Observer(broker.port) as ear:
        house = shared_line(tmp_path / "house", ["m1", "m2"], broker.port)
        with house.simulate("-c", str(house.file), "--fault", "master=0.5@m1"), house.bridge() as bridge:
            event = ear.wait_json("house/m1/event")
            assert event["event_type"] == "line_disturbed"
            assert event["text"] == "another master is talking on the line: it asks the address 102 as 1"
            wait_for(lambda: min(telegrams(ear, "house", ["m1", "m2"], 0).values()) >= 5, "readings of both", 60)
            assert 1 <= bridge.log().count("another master is talking") <= 2


def test_P07_answers_that_take_up_to_800_ms_go_to_the_right_meter(tmp_path):
    (tmp_path / "broker").mkdir()
    with Mosquitto(tmp_path / "broker") as broker, Observer(broker.port) as ear:
        slow = "interval: 100ms, response_timeout: 600ms, retries: 5, tariffs: 2, telegram: true"
        house = shared_line(tmp_path / "house", ["m1", "m2"], broker.port, slow)
        with house.simulate("-c", str(house.file)):
            read = house.call("read", "-c", str(house.file), "--json").stdout.decode().splitlines()
            truth = {sample["meter"]: {r["key"]: r["value"] for r in sample["readings"] if "value" in r}
                     for sample in map(json.loads, read)}
        with house.simulate("-c", str(house.file), "--delay", "0ms..800ms"), house.bridge():
            wait_for(lambda: min(telegrams(ear, "house", ["m1", "m2"], 0).values()) >= 2, "two polls of each", 120)
        with ear.changed:
            states = [(topic, json.loads(payload)) for topic, payload, _ in ear.messages if topic.endswith("/state")]
        # A value that is three of these short intervals old is null.
        states = [(topic, state) for topic, state in states if state["energy_import"] is not None]
        assert len(states) >= 4
        for topic, state in states:
            right = truth[topic.split("/")[1]]
            for key in ("energy_import", "energy_import_t1", "energy_import_t2"):
                # A house uses less than 1 kWh in a minute.
                assert 0 <= state[key] - right[key] < 1, (topic, key, state, right)
