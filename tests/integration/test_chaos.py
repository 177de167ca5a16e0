# SPDX-License-Identifier: MIT
"""The short form of tests/chaos: every kind of fault once, and a few more."""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "chaos"))
from chaos import play  # noqa: E402
from compare import Comparison, csv_files  # noqa: E402
from schedule import KINDS, schedule  # noqa: E402

SEED = 8
# Those that test_databases.py kills, freezes and compares are left to it and to the long form.
SERVERS = ("influx", "maria")


def test_the_schedule_is_a_function_of_its_seed_alone():
    places = {"bridge": ["bridge"], "servers": ["influx", "broker"], "paths": ["plc"], "meters": ["p1"]}
    twice = [schedule(seed, 200, places, 1.0) for seed in (1, 1, 2)]
    assert twice[0] == twice[1] != twice[2]
    assert {fault.target for fault in twice[0]} == {"bridge", "influx", "broker", "plc", "p1"}
    assert {fault.kind for fault in schedule(1, 50, places, 1.0, ["path-hole"])} == {"path-hole"}


def spoil(town, player):
    """What is wrong at one place only is found, and called by its name."""
    whole = Comparison(town, player.windows, 1)
    assert whole.check_all() == []
    excused = [n for n, moment in town.meters["p1"].said.items() if whole.excuse("maria", "p1", moment)]
    certain = [n for n in town.meters["p1"].said if n not in excused]
    gone, other = certain[len(certain) // 2], certain[len(certain) // 3]
    shown = town.meters["p1"].count
    table = "meterbridge_samples WHERE value = "
    town.servers["maria"].query(f"DELETE FROM {table}{shown(gone)}")
    town.servers["maria"].query(f"UPDATE meterbridge_samples SET value = 7777.777 WHERE value = {shown(other)}")
    file = next(file for file in sorted((town.disks["files"] / "flat").glob("*.csv")) if len(file.read_text().splitlines()) > 4)
    lines = file.read_text().splitlines()
    file.write_text("\n".join([*lines[:2], lines[3], lines[2], lines[2], *lines[4:]]) + "\n")
    assert csv_files(town.disks["files"], "flat")
    found = "\n".join(Comparison(town, player.windows, 1).check_all())
    assert "maria, p1: 1 lost" in found or "maria, p1: 2 lost" in found or "maria, p1: number 6777777 at" in found, found
    assert "csv, flat: 1 numbers twice" in found and "csv, flat: a file is not in order" in found, found
    assert "influx" not in found, found


def test_P47_P48_P49_P50_P53_P55_every_sink_is_right_after_faults_that_overlap(tmp_path):
    said = []
    complaints = play(tmp_path, SEED, len(KINDS), 0.8, servers=SERVERS, say=said.append, then=spoil)
    assert complaints == [], "\n".join([*said, *complaints])
