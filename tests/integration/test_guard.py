# SPDX-License-Identifier: MIT
"""What goes out when meters lie: the counter guard, end to end (P15), and its commands (P30)."""
import json

from house import House, Observer

P1 = "{{id: p1, profile: p1, interval: 1s, publish: every, main_fuse: 3x25A, link: {{serial: {tty}}}}}"


def states(ear, begin=0):
    return [json.loads(p) for t, p, _ in ear.messages[begin:] if t == "meterbridge/p1/state"]


def test_P15_counters_that_fall_to_zero_or_leap_never_go_out(tmp_path):
    house = House(tmp_path, [])
    house.write([P1.format(tty=house.tty("p1"))])
    with house.broker(), Observer(house.port) as ear, \
            house.simulate("--profile", "p1", "--pty", house.tty("p1"), "--period", "100ms", "--speed", "10") as good, \
            house.bridge() as bridge:
        ear.wait_json("meterbridge/p1/state", lambda s: "energy_import" in s)
        good.stop()
        seen = ear.count()
        with house.simulate("--profile", "p1", "--pty", house.tty("p1"), "--period", "100ms",
                            "--fault", "zero=0.3", "--fault", "jump=0.3"):
            event = ear.wait_json("meterbridge/p1/event", lambda e: e["event_type"] == "value_refused", seen, patience=60)
            assert "refused" in event["text"]
            ear.wait_json("meterbridge/p1/health", lambda h: h["refused"] > 20, seen, patience=120)
        assert bridge.stop() == 0
        energies = [s["energy_import"] for s in states(ear) if s.get("energy_import") is not None]
        assert len(energies) > 5 and energies == sorted(energies) and energies[0] > 0
        assert energies[-1] - energies[0] < 50


def test_P15_a_restart_forgets_no_counter_and_the_user_has_the_last_word(tmp_path):
    house = House(tmp_path, [])
    house.write([P1.format(tty=house.tty("p1"))])
    with house.broker(), Observer(house.port) as ear:
        with house.simulate("--profile", "p1", "--pty", house.tty("p1"), "--period", "200ms"), house.bridge() as bridge:
            ear.wait_json("meterbridge/p1/state", lambda s: "energy_import" in s)
            assert bridge.stop() == 0
        remembered = json.loads((house.folder / "state" / "meterbridge.values.json").read_text())
        assert float(remembered["meters"]["p1"]["registers"]["energy_import"]["value"]) > 0
        seen = ear.count()
        with house.simulate("--profile", "p1", "--pty", house.tty("p1"), "--period", "200ms", "--fault", "zero=1"), \
                house.bridge() as bridge:
            event = ear.wait_json("meterbridge/p1/event", lambda e: e["event_type"] == "value_refused", seen, patience=60)
            assert "lower than" in event["text"]
            ear.wait_json("meterbridge/p1/health", lambda h: h["state"] == "refused", seen, patience=60)
            told = states(ear, seen)
            assert told and all(s.get("energy_import") is None for s in told)
            ear.publish("meterbridge/p1/set/accept", "no_such_key")
            ear.wait_json("meterbridge/p1/event", lambda e: e["event_type"] == "command_refused", seen)
            ear.publish("meterbridge/p1/set/accept", "")
            ear.wait_json("meterbridge/p1/state", lambda s: s.get("energy_import") == 0, seen, patience=60)
            ear.publish("meterbridge/p1/set/replace", "carry_on")
            ear.wait_json("meterbridge/p1/event", lambda e: "nothing is held back" in e["text"], seen)
            assert bridge.stop() == 0
