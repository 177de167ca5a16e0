# SPDX-License-Identifier: MIT
"""Plays a schedule: each lane in a thread of its own. Keeps what each fault may cost, and no more than that (docs/journal.md)."""
import collections
import os
import random
import signal
import threading
import time
import traceback
from typing import NamedTuple, Optional

from town import COMMIT, Town, fill
from wrong_clock import UNSET, step

SLACK = 1.5        # s: a telegram on its way, on a busy machine
DISK_RETRY = 12.0  # s: so long what waited in memory for a full disk may still wait after there is room
CARBON = 10.0      # s: what carbon-cache holds in memory; documented is the minute of `repeat`
STEPS = (5, -5, 90, -90, 3600, -3600, UNSET)


class Window(NamedTuple):
    """What may be missing: from `begin` until the first that arrived after `heal`."""
    begin: float
    heal: float
    why: str
    meter: Optional[str] = None  # all of them
    sink: Optional[str] = None


class Player:
    def __init__(self, town: Town, faults):
        self.town = town
        self.faults = faults
        self.windows = []
        self.played = []
        self.lock = threading.Lock()
        self.trouble = {}                # "state", "clock" -> (begin, end or None)
        self.safe = {}                   # sink -> what was said before is at its place
        self.bridge_ends = []
        self.carbon_kills = []           # (killed, started again)
        self.begin = 0.0

    def play(self, say):
        lanes = collections.defaultdict(list)
        for fault in self.faults:
            lanes[fault.lane].append(fault)
        self.begin = time.monotonic()
        self.windows.append(Window(0.0, self.begin, "the start"))
        threads = [threading.Thread(target=self.lane, args=(mine, say), daemon=True) for mine in lanes.values()]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.carbon_windows()

    def lane(self, faults, say):
        for fault in faults:
            self.wait(max(0.0, self.begin + fault.at - time.monotonic()))
            started = time.monotonic()
            try:
                getattr(self, fault.kind.replace("-", "_"))(fault)
            except Exception:  # a thread: nobody else would tell
                self.town.complaints.append(f"{fault}: {traceback.format_exc()}")
            with self.lock:
                self.played.append((fault, started - self.begin, time.monotonic() - self.begin))
                say(len(self.played), fault)

    def wait(self, seconds):
        self.town.over.wait(seconds)

    def may_cost(self, begin, why, meter=None, sink=None, later=0.0):
        with self.lock:
            self.windows.append(Window(begin, time.monotonic() + later, why, meter, sink))

    # The bridge

    def oldest_in_memory(self, now):
        """From when on samples may be in no file: since a full disk, or a clock that was not set."""
        begin = now - COMMIT - SLACK
        with self.lock:
            for since, until in self.trouble.values():
                if until is None or now < until + DISK_RETRY:
                    begin = min(begin, since - COMMIT - SLACK)
        return begin

    def note_safe(self):
        """Per sink the last moment at which everything that it had been given then is known to be written by now."""
        life = self.town.lives[-1]
        for name in life[-1].sinks if life else ():
            written = life[-1].sinks[name][0]
            moments = [glance.moment for glance in life if name in glance.sinks and sum(glance.sinks[name]) <= written]
            if moments:
                self.safe[name] = moments[-1]

    def bridge_kill(self, fault):
        now = time.monotonic()
        begin = self.oldest_in_memory(now)
        self.town.end_of_life(signal.SIGKILL)
        self.bridge_ends.append(time.monotonic())
        self.note_safe()
        self.wait(fault.length)
        self.town.start_bridge()
        self.may_cost(begin, str(fault))

    def bridge_freeze(self, fault):
        now = time.monotonic()
        self.town.bridge.process.send_signal(signal.SIGSTOP)
        self.wait(fault.length)
        self.town.bridge.process.send_signal(signal.SIGCONT)
        self.may_cost(now - SLACK, str(fault))

    def journal_damage(self, fault):
        dice = random.Random(fault.detail)
        now = time.monotonic()
        begin = self.oldest_in_memory(now)
        self.town.end_of_life(signal.SIGKILL)
        self.bridge_ends.append(time.monotonic())
        self.note_safe()
        files = [file for file in sorted(self.town.disks["state"].glob("*.journal.db*"))
                 if "damaged" not in file.name and not file.name.endswith("-shm") and file.stat().st_size]
        for file in dice.sample(files, min(len(files), dice.choice((1, 1, 2)))):
            where = dice.randrange(file.stat().st_size)
            with open(file, "r+b") as there:
                there.seek(where - where % 4096 if dice.random() < 0.5 else where)
                there.write(dice.randbytes(dice.choice((1, 40, 4096))))
        self.wait(fault.length)
        self.town.start_bridge()
        for sink in ("csv", *self.town.servers):
            self.may_cost(min(begin, self.safe.get(sink, self.begin) - COMMIT - SLACK), str(fault), sink=sink)

    # What is around it

    def clock_step(self, fault):
        seconds = STEPS[fault.detail % len(STEPS)]
        begin = time.monotonic()
        if seconds == UNSET:
            with self.lock:
                self.trouble["clock"] = (begin, None)
        step(self.town.clock, seconds)
        self.wait(fault.length)
        step(self.town.clock, 0)
        if seconds == UNSET:
            with self.lock:
                self.trouble["clock"] = (begin, time.monotonic())

    def disk_full(self, fault):
        with self.lock:
            self.trouble[fault.target] = (time.monotonic(), None)
        fill(self.town.disks[fault.target])
        self.wait(fault.length)
        os.unlink(self.town.disks[fault.target] / "filler")
        with self.lock:
            self.trouble[fault.target] = (self.trouble[fault.target][0], time.monotonic())
            if fault.target != "state":
                del self.trouble[fault.target]

    def end_server(self, name):
        if name == "broker":
            self.town.broker.stop(signal.SIGKILL)
        else:
            self.town.servers[name].kill()

    def around_server(self, fault, begin, ended=None):
        if fault.target == "broker":
            self.may_cost(begin - SLACK, str(fault), meter="shop")
        if fault.target == "carbon" and ended:
            self.carbon_kills.append((ended, time.monotonic()))

    def server_kill(self, fault):
        begin = time.monotonic()
        self.end_server(fault.target)
        self.wait(fault.length)
        self.town.server(fault.target).start()
        self.around_server(fault, begin, begin)

    def send(self, name, what):
        if name == "broker":
            self.town.broker.process.send_signal(what)
        elif what == signal.SIGSTOP:
            self.town.servers[name].freeze()
        else:
            self.town.servers[name].thaw()

    def server_freeze(self, fault):
        begin = time.monotonic()
        self.send(fault.target, signal.SIGSTOP)
        self.wait(fault.length)
        self.send(fault.target, signal.SIGCONT)
        self.around_server(fault, begin)

    def server_freeze_kill(self, fault):
        begin = time.monotonic()
        self.send(fault.target, signal.SIGSTOP)
        self.wait(fault.length)
        if fault.target == "victoria":  # which is asked to end, and forgets when it is not
            self.send(fault.target, signal.SIGCONT)
        self.end_server(fault.target)
        ended = time.monotonic()
        self.town.server(fault.target).start()
        self.around_server(fault, begin, ended)

    def carbon_windows(self):
        """Carbon and the bridge gone within a short time: what carbon had in memory nobody sends again."""
        for killed, started in self.carbon_kills:
            for end in self.bridge_ends:
                if killed - CARBON <= end <= started + CARBON:
                    with self.lock:
                        self.windows.append(Window(min(killed, end) - CARBON, max(started, end), "carbon and bridge", sink="carbon"))

    def path_meter(self, fault):
        return {"broker": "shop", "plc": "plc"}.get(fault.target)

    def path_cut(self, fault):
        begin = time.monotonic()
        self.town.paths[fault.target].cut()
        self.wait(fault.length)
        self.town.paths[fault.target].mend()
        if self.path_meter(fault):
            self.may_cost(begin - SLACK, str(fault), meter=self.path_meter(fault))

    def hole(self, fault, forget):
        begin = time.monotonic()
        self.town.paths[fault.target].drop()
        self.wait(fault.length)
        self.town.paths[fault.target].resume(forget)
        if self.path_meter(fault):  # questions that were given up long ago are answered now
            self.may_cost(begin - SLACK, str(fault), meter=self.path_meter(fault), later=SLACK)

    def path_hole(self, fault):
        self.hole(fault, False)

    def path_forget(self, fault):
        self.hole(fault, True)

    def unplug(self, fault):
        begin = time.monotonic()
        meter = self.town.meters[fault.target]
        meter.unplug()
        self.wait(fault.length)
        meter.plug()
        self.may_cost(begin - SLACK, str(fault), meter=fault.target)

    def hostile(self, fault):
        begin = time.monotonic()
        meter = self.town.meters[fault.target]
        meter.hostile = random.Random(fault.detail)
        self.wait(fault.length)
        meter.hostile = None
        self.may_cost(begin - SLACK, str(fault), meter=fault.target)
