#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A week of four meters with faults in compressed time: the real program, a real mosquitto, simulated meters.

    METERBRIDGE_BINARY=build/release/src/meterbridge tests/soak/week.py [--days 7] [--interval 0.1]

What is compressed: the pause between two polls, 100 ms instead of 30 s. A day is 2880 intervals. The meter that sends by itself
comes to as many telegrams as in a week at 30 s; a poll takes its time, so a polled meter with a line of its own comes to about two
thirds, and two on one line to half of that (the table says it). What grows with polls, retries, messages and recoveries grows
here. What is not compressed: answer times, back-off, availability, the minute of the health topic, and the hours that the log counts. That
the log of a real week stays short is proved with handed-in time (tests/unit/app/fault_log_test.cpp); here the whole log of
the run is counted. Things that grow with time alone are not seen.

Each fault of the list below is played alone until the health topic, an event or the log names it, then the meter must come
back.
Between them the lines are never clean: one transmission in two hundred is damaged, late or lost.
"""
import argparse
import json
import os
import pathlib
import signal
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "integration"))
from house import BINARY, House, Process, free_port, wait_for  # noqa: E402
import paho.mqtt.client as mqtt  # noqa: E402

KEY = "2b7e151628aed2a6abf7158809cf4f3c"
POLLS_A_DAY = 2880  # one in 30 s
SPORADIC = [f"--fault={kind}=0.00125" for kind in ("flip", "silence", "late", "cut")]
PATIENCE = float(os.environ.get("METERBRIDGE_TEST_PATIENCE", "30")) * 4


class Ear:
    """Counts what is said, and keeps the newest health of each meter and a few events."""

    def __init__(self, port):
        self.port = port
        self.lock = threading.Lock()
        self.counts = {}
        self.health = {}
        self.events = []
        self.client = mqtt.Client(client_id="", protocol=mqtt.MQTTv311)
        self.client.on_connect = lambda client, *_: client.subscribe("#", 1)
        self.client.on_message = self._take
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()

    def _take(self, _client, _data, message):
        with self.lock:
            self.counts[message.topic] = self.counts.get(message.topic, 0) + 1
            parts = message.topic.split("/")
            if parts[-1] == "health" and parts[1] != "bridge" and message.payload:
                self.health[parts[1]] = (json.loads(message.payload), time.monotonic())
            elif parts[-1] == "event":
                self.events = self.events[-200:] + [(parts[1], json.loads(message.payload), time.monotonic())]

    def states(self, meter):
        with self.lock:
            return self.counts.get(f"meterbridge/{meter}/state", 0)

    def said(self, meter, since, states, words):
        """What the health topic or an event said since then in the wanted state, or with the words."""
        with self.lock:
            health, at = self.health.get(meter, ({}, 0))
            if at >= since and (health.get("state") in states or (words and words in health.get("error", ""))):
                return f"{health['state']}: {health.get('error', '')}"
            for who, event, when in self.events:
                if who == meter and when >= since and words and words in event.get("text", ""):
                    return f"{event['event_type']}: {event['text']}"
        return None

    def stop(self):
        self.client.loop_stop()
        self.client.disconnect()


class Fault:
    """On a line: options of its simulator, or what is done to it; the meter, and how it must be named there."""

    def __init__(self, line, what, meter, states, words="", do=None):
        self.line, self.what, self.meter, self.states, self.words, self.do = line, what, meter, states, words, do


FAULTS = [
    Fault("line", ["--fault=silence=1@flat"], "flat", {"no_bytes"}),
    Fault("garage", ["--fault=flip=1"], "garage", {"bad_checksum", "no_frame"}),
    Fault("p1", ["--fault=wrong-key=1"], "p1", {"wrong_key"}),
    Fault("line", ["--fault=cut=1@shop"], "shop", {"no_frame"}),
    Fault("p1", ["--fault=flip=1"], "p1", {"bad_checksum", "no_frame", "wrong_key"}),
    Fault("garage", ["--fault=late=1"], "garage", {"no_bytes"}),
    Fault("line", ["--fault=foreign=1@flat"], "flat", {"no_frame"}, "only an answer of the address"),
    Fault("garage", [], "garage", {"no_device"}, do="kill"),
    Fault("line", ["--fault=master=1@shop"], "shop", set(), "another master is talking"),
    Fault("p1", ["--fault=hangup=1"], "p1", {"no_device"}),
    Fault("line", ["--fault=swap=1@flat"], "flat", {"no_frame"}),
    Fault("p1", [], "p1", {"no_bytes"}, do="freeze"),
    Fault("line", [], "shop", {"no_device"}, do="kill"),
    Fault("p1", ["--fault=cut=1"], "p1", {"no_frame", "bad_checksum", "wrong_key"}),
    Fault("garage", ["--fault=noise=1", "--fault=cut=1"], "garage", {"no_frame", "bad_checksum"}),
    Fault("garage", [], "garage", {"no_bytes"}, do="freeze"),
    Fault("garage", ["--fault=zero=1"], "garage", {"refused"}),
    Fault("p1", ["--fault=jump=1"], "p1", {"refused"}),
]
# The day of a CI run: one of each sort.
FEW = [FAULTS[0], FAULTS[1], FAULTS[2], FAULTS[8], FAULTS[12]]


class Week:
    def __init__(self, folder, interval):
        self.interval = interval
        self.house = House(folder, [])
        self.lines = self._lines()
        for name, (link, meters) in self.lines.items():
            part = folder / f"play-{name}"
            part.mkdir()
            House(part, meters, self.house.port, extra=f"links: {{{name}: {link}}}")
        every = [meter for _, meters in self.lines.values() for meter in meters]
        links = ", ".join(f"{name}: {link}" for name, (link, _) in self.lines.items())
        self.house.write(every, extra=f"links: {{{links}}}")
        self.meters = {"flat": "line", "shop": "line", "garage": "garage", "p1": "p1"}
        self.simulators = {}
        self.rows = []
        self.named = []

    def _lines(self):
        ms = int(self.interval * 1000)
        quick = f"publish: every, interval: {ms}ms, response_timeout: 300ms, retries: 1, gap: 1ms"
        wire = "baud: 115200, turnaround: 1ms"
        return {
            "line": (f"{{serial: {self.house.tty('line')}, {wire}}}",
                     [f"{{id: flat, profile: energomera-ce307, address: 101, link: line, {quick}}}",
                      f"{{id: shop, profile: energomera-ce102, address: 102, decimals: 2, link: line, {quick}}}"]),
            "garage": (f"{{serial: {self.house.tty('garage')}, {wire}}}",
                       [f"{{id: garage, profile: energomera-ce307, address: 103, link: garage, {quick}}}"]),
            "p1": (f"{{tcp: '127.0.0.1:{free_port()}', silence: 5s}}",
                   [f"{{id: p1, profile: p1, interval: {max(ms, 100)}ms, publish: every, country: lu, key: {KEY}, link: p1}}"]),
        }

    def simulate(self, line, *options):
        self.stop_simulator(line)
        folder = self.house.folder / f"play-{line}"
        log = folder / "simulate.log"
        log.unlink(missing_ok=True)
        process = Process(["simulate", "-c", str(folder / "meterbridge.yaml"), *SPORADIC, *options], log)
        wait_for(lambda: "READY" in process.log() or not process.alive(), "the simulator is ready")
        assert process.alive(), process.log()
        self.simulators[line] = process

    def stop_simulator(self, line):
        process = self.simulators.pop(line, None)
        if process is not None:
            process.stop()

    def bad(self, fault, ear):
        """Plays the fault until it is named, and then until the meter is back."""
        begun, written = time.monotonic(), len(self.log.read_text())
        if fault.do == "freeze":
            self.simulators[fault.line].process.send_signal(signal.SIGSTOP)
        elif fault.do == "kill":
            self.stop_simulator(fault.line)
        else:
            self.simulate(fault.line, *fault.what)
        what = fault.do or " ".join(fault.what)
        words = wait_for(lambda: ear.said(fault.meter, begun, fault.states, fault.words)
                         or self.logged(fault, written), f"{fault.meter}: {what} is named", PATIENCE)
        if fault.do == "freeze":
            self.simulators[fault.line].process.send_signal(signal.SIGCONT)
        else:
            self.simulate(fault.line)
        took = time.monotonic() - begun
        self.named.append((fault.meter, what, took, words))
        for meter, line in self.meters.items():
            if line != fault.line:
                continue
            seen = ear.states(meter)
            wait_for(lambda: ear.states(meter) > seen, f"{meter} is back after {what}", PATIENCE)

    def logged(self, fault, written):
        for line in self.log.read_text()[written:].splitlines():
            for state in fault.states:
                if f"{fault.meter}: {state}: " in line:
                    return line[line.index(f"{state}: "):]
        return None

    def measure(self, day, ear, pid):
        status = pathlib.Path(f"/proc/{pid}/status").read_text()
        field = {name: int(line.split()[1]) for line in status.splitlines()
                 for name in ("VmRSS", "Threads") if line.startswith(name + ":")}
        stat = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        self.rows.append({"day": day, "rss": field["VmRSS"], "threads": field["Threads"],
                          "fds": len(os.listdir(f"/proc/{pid}/fd")),
                          "cpu": (int(stat[11]) + int(stat[12])) / os.sysconf("SC_CLK_TCK"),
                          "readings": {meter: ear.states(meter) for meter in self.meters},
                          "log": len(self.log.read_text().splitlines())})

    def play(self, days, faults, day_length):
        """Faults are spread over the days; a broker restart and a broker that hangs come in the middle."""
        with self.house.broker() as broker:
            ear = Ear(self.house.port)
            bridge = self.house.bridge()
            self.log = bridge.log_path
            try:
                for line in self.lines:
                    self.simulate(line)
                for meter in self.meters:
                    wait_for(lambda: ear.states(meter) > 0, f"{meter} is read", PATIENCE)
                begin = time.monotonic()
                self.measure(0, ear, bridge.process.pid)
                for day in range(days):
                    today = faults[day * len(faults) // days:(day + 1) * len(faults) // days]
                    end = begin + (day + 1) * day_length
                    for number, fault in enumerate(today):
                        due = begin + day * day_length + (number + 0.5) * day_length / len(today)
                        wait_for(lambda: time.monotonic() >= due, "the hour of the fault", day_length + 1)
                        self.bad(fault, ear)
                    if day == days // 2:
                        self.broker_trouble(broker, ear)
                    wait_for(lambda: time.monotonic() >= end or not bridge.alive(), "the end of the day",
                             day_length * 2 + 1)
                    assert bridge.alive(), bridge.log()[-2000:]
                    self.measure(day + 1, ear, bridge.process.pid)
                self.code = bridge.stop()
            finally:
                for line in list(self.simulators):
                    self.simulators[line].process.send_signal(signal.SIGCONT)
                    self.stop_simulator(line)
                ear.stop()
                if bridge.alive():
                    bridge.process.kill()
                    bridge.process.wait()

    def broker_trouble(self, broker, ear):
        begun = time.monotonic()
        broker.process.send_signal(signal.SIGSTOP)
        wait_for(lambda: time.monotonic() > begun + 5, "five seconds of a broker that hangs")
        broker.process.send_signal(signal.SIGCONT)
        broker.stop()
        broker.start()
        for meter in self.meters:
            seen = ear.states(meter)
            wait_for(lambda: ear.states(meter) > seen, f"{meter} at the new broker", PATIENCE)

    def table(self):
        lines = ["day   VmRSS kB  descriptors  threads  CPU s  log lines  readings " + " ".join(self.meters)]
        for row in self.rows:
            lines.append(f"{row['day']:3}   {row['rss']:8}  {row['fds']:11}  {row['threads']:7}  {row['cpu']:5.1f}"
                         f"  {row['log']:9}  {' '.join(str(n) for n in row['readings'].values())}")
        lines.append("")
        for meter, what, took, words in self.named:
            lines.append(f"{meter:7} {what:32} {took:6.1f} s  {words[:100]}")
        return "\n".join(lines)

    def complaints(self, most_growth, most_lines):
        """What is not as it must be. The first day is for warming up."""
        found = []
        settled = self.rows[1:] or self.rows
        growth = self.rows[-1]["rss"] - settled[0]["rss"]
        if growth > most_growth:
            found.append(f"memory grew by {growth} kB")
        if self.rows[-1]["fds"] > self.rows[0]["fds"]:
            found.append(f"{self.rows[-1]['fds'] - self.rows[0]['fds']} descriptors more than at the beginning")
        lines = len(self.log.read_text().splitlines())
        if lines >= most_lines:
            found.append(f"{lines} lines of log")
        if self.code != 0:
            found.append(f"exit code {self.code}")
        return found


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--days", type=int, default=7)
    parser.add_argument("--interval", type=float, default=0.1, help="seconds between two polls (0.1)")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        week = Week(pathlib.Path(folder), arguments.interval)
        print(f"{BINARY}: {arguments.days} days of {POLLS_A_DAY} intervals of {arguments.interval} s", flush=True)
        try:
            week.play(arguments.days, FAULTS, POLLS_A_DAY * arguments.interval)
        except AssertionError:
            print(week.table())
            print(week.log.read_text()[-4000:])
            raise
        print(week.table())
        print("\nlog:\n" + week.log.read_text())
        found = week.complaints(most_growth=256, most_lines=200)
        print("\n".join(found) or "memory flat, no descriptor lost, every fault named")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
