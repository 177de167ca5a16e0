# SPDX-License-Identifier: MIT
"""Which faults, when, where and for how long: a pure function of the seed."""
import random
from typing import NamedTuple

METERS = ("p1", "flat", "plc", "shop")  # pushed on a line, polled on a line, polled over TCP, from MQTT
LINES = ("p1", "flat")


class Sort(NamedTuple):
    kind: str
    where: str      # "bridge", "disks", ...: a key of the places that are handed in
    weight: int
    shortest: float  # s
    longest: float


SORTS = (
    Sort("bridge-kill", "bridge", 3, 0.0, 2.0),
    Sort("bridge-freeze", "bridge", 1, 0.5, 6.0),
    Sort("journal-damage", "bridge", 1, 0.0, 1.0),
    Sort("clock-step", "clock", 2, 0.5, 8.0),
    Sort("disk-full", "disks", 2, 0.5, 8.0),
    Sort("server-kill", "servers", 5, 0.0, 4.0),
    Sort("server-freeze", "servers", 4, 0.5, 8.0),
    Sort("server-freeze-kill", "servers", 3, 0.5, 6.0),
    Sort("path-cut", "paths", 4, 0.0, 4.0),
    Sort("path-hole", "paths", 4, 0.5, 8.0),     # nothing passes, nothing is closed, then all goes on
    Sort("path-forget", "paths", 4, 0.5, 8.0),   # and what was open then never hears of the other end again
    Sort("unplug", "lines", 3, 0.0, 4.0),
    Sort("hostile", "meters", 5, 0.3, 4.0),
)
KINDS = tuple(sort.kind for sort in SORTS)


class Fault(NamedTuple):
    number: int
    at: float       # s after the beginning, at the earliest
    kind: str
    target: str
    length: float   # s
    detail: int     # dice of its own

    @property
    def lane(self):
        """Faults of one lane never overlap; those of different ones do."""
        side = "path" if self.kind.startswith("path") else "hostile" if self.kind == "hostile" else "own"
        return f"{self.target} {side}"

    def __str__(self):
        return f"#{self.number} {self.at:.1f} s: {self.kind} of {self.target} for {self.length:.1f} s ({self.detail})"


def schedule(seed, count, places, gap, kinds=KINDS):
    """`places`: where -> names of targets; `gap`: mean time between two beginnings in seconds."""
    dice = random.Random(seed)
    sorts = [sort for sort in SORTS if sort.kind in kinds and places.get(sort.where)]
    faults, at = [], 0.0
    for number in range(1, count + 1):
        at += dice.expovariate(1 / gap)
        # Each kind once before anything comes twice by chance.
        sort = sorts[number - 1] if number <= len(sorts) else dice.choices(sorts, [s.weight for s in sorts])[0]
        target = dice.choice(places[sort.where])
        faults.append(Fault(number, at, sort.kind, target, dice.uniform(sort.shortest, sort.longest), dice.randrange(1 << 30)))
    return faults
