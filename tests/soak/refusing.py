#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""A network peer refuses for an hour: counts the attempts, then lets it appear. Run by hand:

    METERBRIDGE_BINARY=build/release/src/meterbridge tests/soak/refusing.py [--minutes 60]
"""
import argparse
import pathlib
import re
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "integration"))

from adapter import cpu_seconds  # noqa: E402
from house import House, Observer, free_port  # noqa: E402

arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
arguments.add_argument("--minutes", type=float, default=60)
options = arguments.parse_args()
with tempfile.TemporaryDirectory() as folder:
    port = free_port()
    house = House(pathlib.Path(folder), [f"{{id: p1, profile: p1, interval: 1s, publish: every, link: {{tcp: '127.0.0.1:{port}'}}}}"])
    with house.broker(), house.bridge("--log-level", "debug") as bridge:
        begin = time.monotonic()
        threading.Event().wait(options.minutes * 60)
        attempts = len(re.findall("debug.*refuses the connection", bridge.log()))
        named = len(re.findall("warn.*refuses the connection", bridge.log()))
        cpu = cpu_seconds(bridge.process.pid)
        print(f"{options.minutes:g} minutes: {attempts} attempts, named {named} times, {cpu:.2f} s of CPU "
              f"({100 * cpu / (time.monotonic() - begin):.2f} %)", flush=True)
        with Observer(house.port) as ear, house.simulate("--profile", "p1", "--tcp", f"127.0.0.1:{port}", "--period", "1s"):
            begin = time.monotonic()
            ear.wait_topic("meterbridge/p1/state", patience=90)
            print(f"first reading {time.monotonic() - begin:.1f} s after the peer appeared", flush=True)
    assert attempts < 100 * max(1, options.minutes / 60)
    assert bridge.log().count("good again") == 1
