# SPDX-License-Identifier: MIT
"""P47, P48, P53: a meter that sends twenty telegrams a second, while everything behind it fails in turn.

At the end every place is compared, sample by sample, with what went over the wire: nothing twice, nothing changed, and
nothing missing but what a kill may cost (docs/journal.md states the window).

    METERBRIDGE_KILLS=50   how often the bridge itself is killed (3)
"""
import contextlib
import csv
import datetime
import decimal
import fcntl
import os
import pathlib
import signal
import subprocess
import threading
import time
import tty

import pytest

from house import House, wait_for
from servers import Influxd, VictoriaMetrics

KILLS = int(os.environ.get("METERBRIDGE_KILLS", "3"))
PACE = 0.05    # s between telegrams; the meter's own clock makes a second of it
WINDOW = 1.0   # s: journal.commit
SLACK = 1.0    # s for a telegram on its way, and a busy machine


def crc16(data):
    value = 0
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = value >> 1 ^ (0xA001 if value & 1 else 0)
    return value


class Feeder(threading.Thread):
    """A P1 meter on a pseudo-terminal. Telegram n has its own second and its own count."""

    def __init__(self, link):
        super().__init__(daemon=True)
        self.master, slave = os.openpty()
        tty.setraw(slave)
        self.slave = slave  # held, so that the terminal outlives the bridge
        os.symlink(os.ttyname(slave), link)
        flags = fcntl.fcntl(self.master, fcntl.F_GETFL)
        fcntl.fcntl(self.master, fcntl.F_SETFL, flags | os.O_NONBLOCK)
        self.start_time = int(time.time()) - 20 * 3600
        self.sent = {}  # n -> moment (monotonic)
        self.number = 0
        self.over = threading.Event()

    def at(self, number):
        return (self.start_time + number) * 1000

    @staticmethod
    def count(number):
        return decimal.Decimal(1000000 + number) / 1000

    def telegram(self, number):
        local = datetime.datetime.fromtimestamp(self.start_time + number + 3600, datetime.timezone.utc)
        text = (f"/MBR5FEEDER\r\n\r\n1-3:0.2.8(50)\r\n0-0:1.0.0({local:%y%m%d%H%M%S}W)\r\n"
                f"1-0:1.8.0({self.count(number):010.3f}*kWh)\r\n1-0:1.7.0(00.360*kW)\r\n!").encode()
        return text + f"{crc16(text):04X}\r\n".encode()

    def run(self):
        due = time.monotonic()
        while not self.over.is_set():
            self.number += 1
            rest = self.telegram(self.number)
            try:
                while rest:
                    rest = rest[os.write(self.master, rest):]
                self.sent[self.number] = time.monotonic()
            except BlockingIOError:
                pass  # nobody reads: this one never was, or is cut
            due += PACE
            self.over.wait(max(0.0, due - time.monotonic()))

    def stop(self):
        self.over.set()
        self.join()


class Run:
    """`places`: name -> the server of a sink."""

    def __init__(self, folder, places):
        self.feeder = Feeder(folder / "p1")
        self.places = places
        self.disk = folder / "csv"
        self.disk.mkdir()
        self.house = House(
            folder, [f"{{id: house, profile: p1, link: {{serial: {folder}/p1}}, country: nl, publish: every}}"],
            extra=f"journal: {{commit: {round(WINDOW * 1000)}ms}}\n"
                  "sinks:\n"
                  f"  csv: {{directory: {self.disk}, flush_interval: 2s, sync: 500ms}}\n"
                  + "".join(f"  {name}: {{{place.settings()}}}\n" for name, place in places.items()))
        self.mosquitto = self.house.broker()
        self.bridge = None
        self.gaps = []  # of numbers that a kill may have cost

    def csv_rows(self):
        rows = []
        for file in sorted(pathlib.Path(self.disk).rglob("*.csv")):
            # A line that is being written may be read in two parts where a page of the system's memory ends.
            lines = file.read_text().rpartition("\n")[0].splitlines()
            rows += [(row["time_utc"], row["energy_import"]) for row in csv.DictReader(lines)]
        return rows

    def arrived(self, number):
        """Whether a sample that was sent at or after `number` is in the files."""
        rows = self.csv_rows()
        return bool(rows) and decimal.Decimal(rows[-1][1]) >= self.feeder.count(number)

    def start_bridge(self):
        self.bridge = self.house.bridge()
        began = self.feeder.number
        wait_for(lambda: self.arrived(began + 1), "samples reach the files", 30 + WINDOW)

    def kill_bridge(self):
        before = self.feeder.number
        self.bridge.stop(signal.SIGKILL)
        self.start_bridge()
        first = min(n for n in self.numbers() if n > before)
        self.gaps.append((before - round((WINDOW + SLACK) / PACE), first))

    def numbers(self):
        return {int(decimal.Decimal(value) * 1000) - 1000000 for _, value in self.csv_rows()}

    def pass_by(self, count):
        """So many telegrams later."""
        wanted = self.feeder.number + count
        wait_for(lambda: self.feeder.number >= wanted, f"telegram {wanted}")

    def may_be_missing(self, number):
        return any(first <= number <= last for first, last in self.gaps)


def every_fault(run):
    run.pass_by(20)
    for server in run.places.values():
        server.kill()
        run.pass_by(40)
        server.start()
        server.freeze()
        run.pass_by(60)
        server.thaw()
    run.mosquitto.stop(signal.SIGKILL)
    run.pass_by(20)
    run.mosquitto.start()
    for _ in range(KILLS):
        run.pass_by(25)
        run.kill_bridge()


def full_disk(run):
    """The folder of the files becomes a file system of 2 MB, which somebody else fills."""
    filler = run.disk / "filler"
    file = os.open(filler, os.O_WRONLY | os.O_CREAT)
    with pytest.raises(OSError, match="No space"):
        while True:
            os.write(file, bytes(4096))
    os.close(file)
    run.pass_by(60)
    filler.unlink()
    run.pass_by(20)


def compare(run, name, points):
    """`points`: (time in ms, count) as the place gives them back, in its order."""
    numbers = []
    for at, value in points:
        number = round((decimal.Decimal(str(value)) - 1000) * 1000)
        assert decimal.Decimal(str(value)) == run.feeder.count(number), f"{name}: {value} was never sent"
        assert at == run.feeder.at(number), f"{name}: telegram {number} at {at}, not {run.feeder.at(number)}"
        numbers.append(number)
    assert numbers == sorted(set(numbers)), f"{name}: repeated, or not in order"
    known = set(numbers)
    missing = [n for n in run.feeder.sent if numbers[0] <= n <= numbers[-1] and n not in known]
    lost = [n for n in missing if not run.may_be_missing(n)]
    assert not lost, f"{name}: lost {lost}; kills may cost {run.gaps}"
    return known


def in_ms(text):
    return round(datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp() * 1000)


@contextlib.contextmanager
def started(run):
    """All of it is running, but for the bridge. What ran before goes on afterwards: other tests share it."""
    with contextlib.ExitStack() as servers:
        for server in (*run.places.values(), run.mosquitto):
            if not getattr(server, "process", None):
                servers.enter_context(server)
        run.feeder.start()
        try:
            yield run
        finally:
            run.feeder.stop()
            if run.bridge:
                with run.bridge:
                    pass


def finish(run):
    """Everything arrives; what each place has is compared with what was sent, and with the others."""
    run.pass_by(20)
    run.feeder.stop()
    last = max(run.feeder.sent)
    wait_for(lambda: run.arrived(last), "the last sample is in the files", 60)
    newest = (run.feeder.at(last), float(run.feeder.count(last)))
    for name, server in run.places.items():
        wait_for(lambda: [(at, float(value)) for at, value in server.points("house", "energy_import")[-1:]] == [newest],
                 f"the last sample is in {name}", 60)
    assert run.bridge.stop() == 0
    files = compare(run, "CSV", [(in_ms(at), value) for at, value in run.csv_rows()])
    for name, server in run.places.items():
        assert compare(run, name, server.points("house", "energy_import")) == files, name
    assert len(files) > 100


@pytest.fixture
def run(tmp_path):
    run = Run(tmp_path, {"old": Influxd(tmp_path), "new": VictoriaMetrics(tmp_path)})
    mounted = os.geteuid() == 0 and subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "none", run.disk],
                                                   capture_output=True).returncode == 0
    run.mounted = mounted
    try:
        with started(run):
            yield run
    finally:
        if mounted:
            subprocess.run(["umount", "-l", run.disk], check=False)


def test_P47_P48_P53_every_place_has_every_sample_after_every_fault(run):
    run.start_bridge()
    every_fault(run)
    if run.mounted:
        full_disk(run)
    finish(run)
