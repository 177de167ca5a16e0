#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Real servers, four meters and the real program, while everything fails: see README.md here.

    METERBRIDGE_BINARY=build/debug/src/meterbridge /usr/bin/python3 tests/chaos/chaos.py --faults 1000 --seed 8
"""
import argparse
import collections
import pathlib
import shutil
import signal
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "integration")]
from compare import Comparison, last_of, last_words  # noqa: E402
from faults import Player  # noqa: E402
from house import BINARY, wait_for  # noqa: E402
from schedule import KINDS, METERS, schedule  # noqa: E402
from town import SERVERS, Town  # noqa: E402

DRAIN = 240.0         # s: every place has everything, at the end
LINES = 12            # of log for each fault, and
MORE_LINES = 60       # for each start of the bridge
MEMORY = 64_000_000 if "asan" not in BINARY else 1_000_000_000  # bytes: an unstripped debug build included
SANITIZERS = ("ERROR: AddressSanitizer", "ERROR: LeakSanitizer", "runtime error:")


def drain(town):
    """Every meter is heard, then silent, and every place gets the last word. What did not come."""
    marks = {name: town.meters[name].number for name in METERS}

    def heard():
        try:
            words = last_words(town)
        except (OSError, ValueError):
            return False
        return all(min(words.get(name, 0), town.meters[name].last) > marks[name] + 2 for name in METERS)

    try:
        wait_for(heard, "every meter is heard again", DRAIN)
    except AssertionError as problem:
        return [f"{problem}; heard: {last_words(town)}, sent: {marks}"]
    for meter in town.meters.values():
        meter.stop()
    late = []
    end = time.monotonic() + DRAIN
    for name in ("csv", *town.servers):
        for meter in METERS:
            last = town.meters[meter].last
            try:
                wait_for(lambda n=name, m=meter, l=last: last_of(town, n, m) >= l, "", max(5.0, end - time.monotonic()))
            except AssertionError:
                late.append(f"{name}, {meter}: the newest is {last_of(town, name, meter)}, said was {last}")
    return late


def growth(town):
    """Of the lives of the bridge that were long enough: memory, descriptors, log."""
    found = []
    lives = [life for life in town.lives if len(life) > 10]
    memory = max((glance.memory for life in lives for glance in life), default=0)
    if memory > MEMORY:
        found.append(f"{memory} bytes of memory")
    return memory, found


def log_figures(town, count):
    texts = [file.read_text(errors="replace") for file in town.logs()]
    lines = sum(text.count("\n") for text in texts)
    found = [f"{file}: {word}" for file, text in zip(town.logs(), texts) for word in SANITIZERS if word in text]
    if lines > LINES * count + MORE_LINES * len(texts):
        found.append(f"{lines} lines of log for {count} faults and {len(texts)} starts")
    return lines, found


def play(folder, seed, count, gap, kinds=KINDS, servers=tuple(SERVERS), say=print, then=None):
    """Complaints; none is what must be. Figures are said. `then` may look at what is there before it goes."""
    town = Town(folder, servers)
    began = time.monotonic()
    with town.running():
        wait_for(lambda: town.lives[-1] and town.meters["p1"].last > 10, "the bridge runs")
        idle = town.lives[-1][-1]
        faults = schedule(seed, count, town.places(), gap, kinds)
        player = Player(town, faults)
        player.play(lambda number, fault: say(f"{number:5} {fault}") if number % max(1, count // 20) == 0 else None)
        healed = time.monotonic()
        late = drain(town)
        drained = time.monotonic()
        last = town.lives[-1][-1]
        code = town.end_of_life(signal.SIGTERM)
        # Given while the clock was ahead, and forgotten by a damaged file: docs/journal.md.
        kinds_played = collections.Counter(fault.kind for fault, _, _ in player.played)
        comparison = Comparison(town, player.windows, kinds_played["journal-damage"] if kinds_played["clock-step"] else 0)
        complaints = [*town.complaints, *late, *comparison.check_all()]
        if code != 0:
            complaints.append(f"the last bridge ended with code {code}")
        if last.descriptors > idle.descriptors + len(servers) + 3:
            complaints.append(f"{last.descriptors} descriptors at the end, {idle.descriptors} at the beginning")
        memory, more = growth(town)
        lines, wrong = log_figures(town, count)
        complaints += more + wrong
        say(comparison.table())
        say(f"seed {seed}, {len(player.played)} faults in {healed - began:.0f} s: "
            + ", ".join(f"{kind} {kinds_played[kind]}" for kind in sorted(kinds_played)))
        say(f"{len(town.lives)} lives of the bridge, at most {memory / 1e6:.1f} MB, descriptors {idle.descriptors} to {last.descriptors}, "
            f"{lines} lines of log; a meter was heard again after {comparison.back:.1f} s at most; all was drained after "
            f"{drained - healed:.1f} s; refused {last.refused}, dropped {last.dropped}")
        if complaints:
            say(f"began at {player.begin:.2f} (monotonic); the last faults:")
            for fault, start, end in sorted(player.played, key=lambda one: one[1])[-25:]:
                say(f"   {start:7.1f} to {end:7.1f}: {fault}")
            (folder / "faults.txt").write_text("".join(f"{player.begin + s:.2f} {player.begin + e:.2f} {f}\n" for f, s, e in player.played)
                                               + "".join(f"{w}\n" for w in player.windows))
            for name, place in town.disks.items():
                shutil.copytree(place, folder / f"kept-{name}")
            say(f"logs and contents: {folder}")
        if then:
            then(town, player)
    return complaints


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=int(time.time()), help="plays the same schedule again")
    parser.add_argument("--faults", type=int, default=1000)
    parser.add_argument("--gap", type=float, default=1.0, help="seconds between the beginnings of two faults, on average (1)")
    parser.add_argument("--only", action="append", choices=KINDS, help="this kind only; repeatable")
    parser.add_argument("--without", action="append", choices=KINDS, default=[], help="not this kind; repeatable")
    parser.add_argument("--servers", nargs="*", choices=list(SERVERS), default=list(SERVERS))
    arguments = parser.parse_args()
    kinds = [kind for kind in arguments.only or KINDS if kind not in arguments.without]
    folder = pathlib.Path(tempfile.mkdtemp(prefix="meterbridge-chaos-"))
    print(f"{BINARY}: seed {arguments.seed}", flush=True)
    complaints = play(folder, arguments.seed, arguments.faults, arguments.gap, kinds, arguments.servers,
                      lambda line: print(line, flush=True))
    print("\n".join(complaints) or "nothing lost beyond the window, nothing twice, nothing changed, order kept")
    if not complaints:
        shutil.rmtree(folder, ignore_errors=True)
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
