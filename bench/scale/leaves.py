#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""A thousand leaves at a real mosquitto, and a real hub that takes their samples: what that costs, and how fast an outage is made good.

  METERBRIDGE_BINARY=build/release/src/meterbridge bench/scale/leaves.py [--leaves 1000] [--period 10] [--seconds 60] [--outage 600]
                                                                          [--hubs 1]

The leaves are one program with few connections that says what leaves say, message by message, and answers set/resend as they do. With
--outage their journals hold so many seconds of samples that the hub has not got when it connects again.
"""
import argparse
import collections
import datetime
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import threading
import time

import paho.mqtt.client as mqtt

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tests/integration"))
from house import Mosquitto, Process  # noqa: E402

KEYS = (["energy_import", "energy_export"] + [f"energy_import_t{t}" for t in (1, 2)] + ["power"] +
        [f"{q}_l{p}" for q in ("voltage", "current", "power") for p in (1, 2, 3)])
UNIT = {"energy": "kWh", "power": "W", "voltage": "V", "current": "A"}
START = 1_790_000_000_000


def iso(seconds):
    return datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.000Z")


class Leaves:
    """Sample n of each leaf is number START + n, read `period` seconds after the one before."""

    def __init__(self, port, count, period):
        self.count, self.period = count, period
        self.begin = time.time()
        self.newest = [0] * count
        self.sent = self.bytes = self.asked = 0
        self.free = threading.Semaphore(500)
        self.client = mqtt.Client(client_id="leaves", protocol=mqtt.MQTTv311)
        self.client.max_inflight_messages_set(500)
        self.client.on_publish = lambda *_: self.free.release()
        self.client.on_connect = lambda c, *_: c.subscribe("+/house/set/resend", 1)
        self.questions = collections.deque()
        self.client.on_message = lambda _c, _d, m: self.questions.append((m.topic, m.payload))
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()

    def head(self, leaf, number, previous):
        return {"sequence": START + number, "previous": START + previous, "journal": f"{leaf:016x}",
                "instance": f"leaf{leaf}", "meter": "house"}

    def say(self, leaf, document):
        self.free.acquire()
        text = json.dumps(document, separators=(",", ":"))
        self.client.publish(f"leaf{leaf}/house/sample", text, qos=1)
        self.sent += 1
        self.bytes += len(text)

    def sample(self, leaf, number):
        values = [{"key": k, "value": number * 3 + i, "unit": UNIT[k.split("_")[0]]} for i, k in enumerate(KEYS)]
        self.say(leaf, {**self.head(leaf, number, number - 1), "time": iso(self.begin + number * self.period),
                        "origin": "meter", "readings": values})

    def answer(self):
        while self.questions:
            topic, payload = self.questions.popleft()
            self.asked += 1
            leaf, wish = int(topic.split("/")[0][4:]), json.loads(payload)
            first = max(wish["from"] - START, 1)
            last = min(wish.get("to", START + self.newest[leaf]) - START, self.newest[leaf], first + 1999)
            for number in range(first, last + 1):
                self.sample(leaf, number)
            last = max(last, first - 1)
            self.say(leaf, {**self.head(leaf, last, last), "newest": START + self.newest[leaf]})


def used(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    ticks = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return ticks, int(status.split("VmRSS:")[1].split()[0]) / 1000


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--leaves", type=int, default=1000)
    parser.add_argument("--period", type=float, default=10)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--outage", type=float, default=600)
    parser.add_argument("--hubs", type=int, default=1)
    wanted = parser.parse_args()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="meterbridge-scale-"))
    topic = "+/+/sample" if wanted.hubs == 1 else "$share/hubs/+/+/sample"
    files = []
    with Mosquitto(folder) as broker:
        for n in range(wanted.hubs):
            place = folder / f"hub{n}"
            place.mkdir()
            files.append(place / "meterbridge.yaml")
            files[-1].write_text(f"""instance: hub{n}
state_directory: {place}/state
mqtt: {{host: 127.0.0.1, port: {broker.port}}}
homeassistant: {{discovery: off}}
journal: {{store: on, size: 10GB}}
meters:
  - {{id: leaves, profile: meterbridge, interval: {int(wanted.period)}s, link: {{mqtt: '{topic}'}}}}
""")
        run = lambda: [Process(["run", "-c", str(f)], f.parent / "log") for f in files]  # noqa: E731
        leaves = Leaves(broker.port, wanted.leaves, wanted.period)
        kept = lambda: sum(held(f)["samples"] for f in files)  # noqa: E731
        hubs = run()
        time.sleep(2)
        begin, spent = time.time(), [used(h.process.pid)[0] for h in hubs]
        rounds = max(int(wanted.seconds / wanted.period), 1)
        for r in range(rounds):
            for leaf in range(wanted.leaves):
                leaves.newest[leaf] += 1
                leaves.sample(leaf, leaves.newest[leaf])
                leaves.answer()
                pause = begin + (r + leaf / wanted.leaves) * wanted.period - time.time()
                if pause > 0.01:
                    time.sleep(pause)
        took = time.time() - begin
        for hub, before in zip(hubs, spent):
            cpu, memory = used(hub.process.pid)
            print(f"live: {wanted.leaves} leaves, {leaves.sent / took:.0f} messages/s of {leaves.bytes / leaves.sent:.0f} "
                  f"bytes; a hub: {(cpu - before) / took * 100:.1f} % of a core, {memory:.0f} MB")
        for hub in hubs:
            hub.stop()
        print(f"live: {kept()} of {leaves.sent} samples in the hubs' journals, {leaves.asked} questions")
        if wanted.outage > 0:
            for leaf in range(wanted.leaves):
                leaves.newest[leaf] += int(wanted.outage / wanted.period)
            before, begin = leaves.sent, time.time()
            hubs = run()
            last, said = time.time(), 0
            # Hubs that share learn of it by the samples that come next, and what one lost that went the other asks for
            # after three minutes.
            while time.time() - last < (15 if wanted.hubs == 1 else 200):
                if wanted.hubs > 1 and said < 3 and time.time() > begin + (said + 1) * wanted.period:
                    said += 1
                    for leaf in range(wanted.leaves):
                        leaves.newest[leaf] += 1
                        leaves.sample(leaf, leaves.newest[leaf])
                        leaves.answer()
                if leaves.questions:
                    leaves.answer()
                    last = time.time()
                time.sleep(0.01)
            took = last - begin
            memory = max(used(h.process.pid)[1] for h in hubs)
            for hub in hubs:
                hub.stop()
            print(f"outage: {leaves.sent - before} messages in {took:.0f} s ({(leaves.sent - before) / took:.0f}/s), "
                  f"{memory:.0f} MB; {kept()} of {sum(leaves.newest)} samples in the hubs' journals")
        for f in files:
            state = held(f)
            print(f"{f.parent.name}: {state['samples']} samples, {state['bytes'] / max(state['samples'], 1):.0f} bytes each")
        complete = kept() == sum(leaves.newest)
    return 0 if complete else 1


def held(file):
    out = subprocess.run([os.environ.get("METERBRIDGE_BINARY", "meterbridge"), "journal", "status", "--json", "-c", str(file)],
                         capture_output=True, text=True, check=True).stdout
    return json.loads(out)


if __name__ == "__main__":
    sys.exit(main())
