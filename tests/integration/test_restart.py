# SPDX-License-Identifier: MIT
"""What restarts of the bridge must not do to values (P21)."""
import json

from house import House, Observer


def test_P21_a_restart_invents_and_repeats_nothing(tmp_path):
    house = House(tmp_path, [])
    house.write([f"{{id: p1, profile: p1, interval: 1s, telegram: true, publish: every, link: {{serial: {house.tty('p1')}}}}}"])
    earlier = set()
    with house.broker(), Observer(house.port) as ear, \
            house.simulate("--profile", "p1", "--pty", house.tty("p1"), "--period", "1s"):
        for _ in range(4):
            begin = ear.count()
            with house.bridge() as bridge:
                seen = begin
                for _ in range(2):
                    ear.wait_topic("meterbridge/p1/telegram", seen)
                    seen = ear.count()
                assert bridge.stop() == 0
            ear.wait_topic("meterbridge/status", seen, "offline")
            heard = ear.messages[begin:]
            read = [json.loads(p)["time"][:19] for t, p, _ in heard if t == "meterbridge/p1/telegram"]
            states = [json.loads(p) for t, p, _ in heard if t == "meterbridge/p1/state"]
            # One state for each telegram, of its time; the last value of the run before is not new.
            assert [state["time"][:19] for state in states] == read
            assert len(set(read)) == len(read) and not earlier & set(read)
            earlier |= set(read)
