# SPDX-License-Identifier: MIT
"""A serial adapter with a P1 meter that is pulled out and plugged in again, under names that change.

test_recovery.py does it a few times, tests/soak/removal.py a hundred times.
"""
import json
import os
import threading
import time

from house import PATIENCE, House, Observer, wait_for

ABSENT = "is absent: unplugged"  # one line for each attempt to open, with --log-level debug
PERIOD = 1.0                     # of the meter, in seconds


def cpu_seconds(pid):
    fields = open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def wait_reading(ear, meter, after, patience=PATIENCE):
    """A state of another time than the last one: one that only says that values are too old has the old time."""
    topic = f"meterbridge/{meter}/state"
    times = [json.loads(m[1])["time"] for m in list(ear.messages)[:after] if m[0] == topic and m[1]]
    return ear.wait_json(topic, lambda s: s["time"] not in times[-1:], after, patience)


class Adapter:
    """Below a scratch folder as udev lays it out: dev/ttyUSBn and dev/serial/by-id/usb-meter that points to it."""

    def __init__(self, house):
        self.house = house
        self.dev = house.folder / "dev"
        self.by_id = self.dev / "serial" / "by-id" / "usb-meter"
        self.by_id.parent.mkdir(parents=True)
        self.meter = None

    def plug(self, tty):
        self.meter = self.house.simulate("--profile", "p1", "--pty", str(self.dev / tty), "--period", f"{PERIOD:g}s")
        self.by_id.symlink_to(f"../../{tty}")
        return os.readlink(self.dev / tty)

    def unplug(self):
        self.by_id.unlink(missing_ok=True)
        if self.meter:
            self.meter.stop()
            self.meter.__exit__()
        self.meter = None


def remove_and_return(folder, rounds, by_id, attempts=2, absence=0.0, say=print):
    """Figures of `rounds` removals: how long the first reading took after each return, attempts to open and CPU time
    while the device was gone. It is gone until so many attempts were made, and for `absence` seconds at least."""
    house = House(folder, [])
    adapter = Adapter(house)
    port = adapter.by_id if by_id else adapter.dev / "ttyUSB0"
    house.write([f"{{id: p1, profile: p1, interval: 1s, publish: every, link: {{serial: {port}}}}}"])
    figures = {"returns": [], "attempts": 0, "gone": 0.0, "cpu": 0.0, "terminals": set()}
    spare = []
    try:
        with house.broker(), Observer(house.port) as ear, house.bridge("--log-level", "debug") as bridge:
            pid = bridge.process.pid
            for number in range(rounds):
                before = bridge.log().count(ABSENT)
                gone, cpu = time.monotonic(), cpu_seconds(pid)
                wait_for(lambda: bridge.log().count(ABSENT) >= before + attempts, f"round {number}: the device is looked for")
                threading.Event().wait(max(0.0, gone + absence - time.monotonic()))
                figures["cpu"] += cpu_seconds(pid) - cpu
                figures["gone"] += time.monotonic() - gone
                figures["attempts"] += bridge.log().count(ABSENT) - before
                seen = ear.count()
                terminal = adapter.plug(f"ttyUSB{number % 3 if by_id else 0}")
                figures["terminals"].add(terminal)
                returned = time.monotonic()
                wait_reading(ear, "p1", seen)
                figures["returns"].append(time.monotonic() - returned)
                seen = ear.count()
                # Whoever takes the number that is free now makes the next terminal another one.
                adapter.unplug()
                for descriptor in spare:
                    os.close(descriptor)
                spare = list(os.openpty()) if number % 2 == 0 else []
                ear.wait_topic("meterbridge/p1/availability", seen, "offline")
                if (number + 1) % 10 == 0:
                    say(f"{number + 1} of {rounds}: latest first reading {max(figures['returns']):.2f} s after its return")
            assert bridge.alive()
            figures["log"] = bridge.log()
    finally:
        adapter.unplug()
        for descriptor in spare:
            os.close(descriptor)
    say(f"{rounds} removals ({'by-id, three names' if by_id else 'one name'}, {len(figures['terminals'])} terminals): "
        f"first reading {min(figures['returns']):.2f} to {max(figures['returns']):.2f} s after the return; gone for "
        f"{figures['gone']:.1f} s with {figures['attempts']} attempts to open and {figures['cpu']:.2f} s of CPU "
        f"({100 * figures['cpu'] / figures['gone']:.2f} %)")
    return figures


def check(figures, rounds, slack=PATIENCE / 30):
    assert len(figures["returns"]) == rounds
    # 0.5, 1, 2, 2, ... seconds apart, a quarter less by the jitter: looked for often enough, and not in a tight loop.
    most = rounds * 3 + figures["gone"] / 1.5
    assert figures["attempts"] <= most, f"{figures['attempts']} attempts to open in {figures['gone']:.1f} s"
    assert max(figures["returns"]) < (5 + PERIOD) * slack
