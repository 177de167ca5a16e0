# SPDX-License-Identifier: MIT
"""The journal under SIGKILL, on a full disk, beside a service that runs (P29, P47, P53).

METERBRIDGE_KILLS=50 kills as often as the documentation says; a few times are enough for every day.
"""
import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import threading
import time

import pytest

from house import BINARY, House, Observer, wait_for
from test_nothing_lost import Feeder

KILLS = int(os.environ.get("METERBRIDGE_KILLS", "5"))
STATE = "meterbridge/p1/state"


def p1(house, extra=""):
    return f"{{id: p1, profile: p1, interval: 1s, publish: every, link: {{serial: {house.tty('p1')}}}{extra}}}"


def database(house):
    return house.folder / "state" / "meterbridge.journal.db"


def exported(house, *arguments):
    done = house.call("journal", "-c", str(house.file), "export", *arguments)
    assert done.returncode == 0, done.stderr.decode()
    return [json.loads(line) for line in done.stdout.decode().splitlines()]


def status(house):
    done = house.call("journal", "-c", str(house.file), "status", "--json")
    assert done.returncode == 0, done.stderr.decode()
    return json.loads(done.stdout)


def times(ear, begin=0):
    return [json.loads(p)["time"] for t, p, r in ear.messages[begin:] if t == STATE and not r]


@pytest.mark.parametrize("commit,window", [("0s", 0), ("1s", 2)])
def test_P53_killed_at_any_moment_it_loses_the_window_and_nothing_else(tmp_path, commit, window):
    house = House(tmp_path, [], extra=f"journal: {{store: on, commit: {commit}}}")
    house.write([p1(house)], extra=f"journal: {{store: on, commit: {commit}}}")
    chance = random.Random(53)
    runs = []
    with house.broker(), Observer(house.port) as ear, \
            house.simulate("--profile", "p1", "--pty", house.tty("p1"), "--period", "1s"):
        for _ in range(KILLS if window == 0 else max(KILLS // 2, 1)):
            begin = ear.count()
            with house.bridge() as bridge:
                ear.wait_topic(STATE, begin)
                threading.Event().wait(chance.uniform(0, 1.5) if window == 0 else chance.uniform(2, 4))
                bridge.stop(signal.SIGKILL)
            # What is on its way through the broker arrives before its will does.
            ear.wait_topic("meterbridge/status", begin, "offline")
            runs.append(times(ear, begin))
    entries = exported(house)
    kept = [entry["time"] for entry in entries]
    numbers = [entry["sequence"] for entry in entries]
    assert numbers == sorted(set(numbers)), "in order, none twice"
    assert kept == sorted(set(kept)), "in order, none twice"
    lost = 0
    for run in runs:
        missing = [t for t in run if t not in set(kept)]
        # Only the last ones of a run.
        assert missing == run[len(run) - len(missing):], "what is lost is the end of the run"
        assert not missing or seconds(run[-1]) - seconds(missing[0]) <= window, f"more than {window} s are lost"
        lost += len(missing)
    assert sum(len(run) for run in runs) > 0 and (window > 0 or lost == 0)


def seconds(text):
    hours, minutes, rest = text.split("T")[1].rstrip("Z").split(":")
    return int(hours) * 3600 + int(minutes) * 60 + float(rest)


def test_P47_the_command_line_reads_beside_the_service(tmp_path):
    house = House(tmp_path, [])
    house.write([p1(house)], extra="journal: {store: on, commit: 0s}")
    with house.broker(), Observer(house.port) as ear, \
            house.simulate("--profile", "p1", "--pty", house.tty("p1"), "--period", "200ms"), house.bridge() as bridge:
        wait_for(lambda: len(set(times(ear))) >= 3, "samples of three seconds")
        seen = sorted(set(times(ear)))
        assert set(seen) <= {entry["time"] for entry in exported(house)}
        assert {e["time"] for e in exported(house, "--from", seen[1], "--to", seen[2])} == {seen[1]}
        nobody = house.call("journal", "-c", str(house.file), "export", "--meter", "other")
        assert nobody.returncode == 1 and b'no meter "other"' in nobody.stderr and nobody.stdout == b""
        lines = house.call("journal", "-c", str(house.file), "export", "--format", "influx").stdout.decode().splitlines()
        assert len(lines) >= 3 and all(line.startswith("p1") for line in lines)
        assert status(house)["samples"] >= 3
        text = house.call("journal", "-c", str(house.file), "status").stdout.decode()
        assert "samples" in text and "oldest" in text
        health = ear.wait_json("meterbridge/bridge/health")
        assert set(health["journal"]) >= {"entries", "bytes", "dropped", "damaged", "last_commit"}
        assert bridge.stop() == 0
    whole = exported(house)
    assert {entry["time"] for entry in whole} == set(times(ear)), "with its end everything is committed"


def test_journal_refuses_in_words(tmp_path):
    house = House(tmp_path, ["{id: p1, profile: p1, link: {replay: /dev/null}}"])
    for words, code, text in [
            (["status"], 1, "there is no journal"),
            (["import"], 2, "name the files"),
            (["export", "--from", "yesterday"], 2, "is no time"),
            (["export", "--format", "xml"], 2, "csv, json, influx"),
            (["export", "--from", "1h", "--to", "2h"], 2, "not before"),
            (["nonsense"], 2, "journal status")]:
        done = house.call("journal", "-c", str(house.file), *words)
        assert (done.returncode, text in done.stderr.decode()) == (code, True), (words, done)
    house.write(["{id: p1, profile: p1, link: {replay: /dev/null}}"], extra="journal: memory")
    done = house.call("journal", "-c", str(house.file), "status")
    assert done.returncode == 2 and "in memory" in done.stderr.decode()


def test_P53_a_damaged_journal_does_not_stop_the_reading(tmp_path):
    house = House(tmp_path, [])
    house.write([p1(house)], extra="journal: {store: on, commit: 0s}")
    database(house).parent.mkdir()
    database(house).write_bytes(b"SQLite format 3\0" + b"\xff" * 5000)
    with house.broker(), Observer(house.port) as ear, \
            house.simulate("--profile", "p1", "--pty", house.tty("p1"), "--period", "200ms"), house.bridge() as bridge:
        wait_for(lambda: len(times(ear)) >= 2, "two samples")
        assert "was moved to" in bridge.log()
        assert bridge.stop() == 0
    assert len(exported(house)) >= 2
    assert len(list(database(house).parent.glob("*.damaged-*"))) == 1
    with sqlite3.connect(database(house)) as check:
        assert check.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_P47_a_full_disk_does_not_stop_the_reading(tmp_path):
    if os.geteuid() != 0:
        pytest.skip("needs root for a small file system")
    house = House(tmp_path, [])
    house.write([p1(house)], extra="journal: {store: on, commit: 0s}")
    place = tmp_path / "state"
    place.mkdir()
    # Too small for what lies before the database and has its room from the start.
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=120k", "tmpfs", str(place)], check=False).returncode:
        pytest.skip("no file system can be mounted here")
    try:
        with house.broker(), Observer(house.port) as ear, \
                house.simulate("--profile", "p1", "--pty", house.tty("p1"), "--period", "50ms"):
            with house.bridge() as bridge:
                ear.wait_topic(STATE)
                with open(place / "ballast", "wb", buffering=0) as ballast:
                    try:
                        while ballast.write(b"x" * 4096) == 4096:
                            pass
                    except OSError:
                        pass
                wait_for(lambda: "cannot be written" in bridge.log(), "the journal says that the disk is full")
                before = len(times(ear))
                wait_for(lambda: len(times(ear)) > before + 5, "the reading goes on")
                (place / "ballast").unlink()
                wait_for(lambda: "can be written again" in bridge.log(), "the journal says that there is room")
                assert bridge.stop() == 0
        assert "nothing was lost" in bridge.log()
        assert {entry["time"] for entry in exported(house)} >= set(times(ear))
    finally:
        subprocess.run(["umount", str(place)], check=True)


def test_P48_replay_fills_a_sink_that_lost_its_files_and_repeats_nothing(tmp_path):
    house = House(tmp_path, [])
    house.write([p1(house)], extra="journal: {store: on, commit: 0s}\n"
                                   f"sinks: {{csv: {{directory: {tmp_path}/csv, flush_interval: 100ms, sync: 100ms}}}}")

    def lines():
        return [line for file in sorted((tmp_path / "csv").rglob("*.csv")) for line in file.read_text().splitlines()[1:]]

    with house.broker(), house.simulate("--profile", "p1", "--pty", house.tty("p1"), "--period", "1s"), \
            house.bridge() as bridge:
        wait_for(lambda: len(lines()) >= 3, "three lines")
        assert bridge.stop() == 0
    before = lines()
    shutil.rmtree(tmp_path / "csv")
    for _ in range(2):
        done = house.call("journal", "-c", str(house.file), "replay", "--sink", "csv", "--from", "1h")
        assert done.returncode == 0, done.stderr.decode()
        assert b"100 %" in done.stderr + done.stdout
        assert lines() == before
    done = house.call("journal", "-c", str(house.file), "replay", "--sink", "influx", "--from", "1h")
    assert done.returncode == 2 and b'no sink "influx"' in done.stderr
    table = house.call("journal", "-c", str(house.file), "export", "--format", "csv").stdout.decode().splitlines()
    assert table[1:] == before


class Seconds:
    """A telegram for each second of the last hour."""
    start_time = int(time.time()) - 3600
    count = staticmethod(Feeder.count)


def test_P53_killed_at_every_write_of_its_state_it_goes_on_with_a_whole_one(tmp_path):
    """SIGKILL with the n-th call that makes something safe, for every n; the next run finds the old state or the new one."""
    tracer = ["strace", "-f", "-qq", "-o", os.devnull]
    if not shutil.which("strace") or subprocess.run([*tracer, "-e", "inject=/rename:signal=SIGKILL:when=1", "true"]).returncode != 0:
        pytest.skip("no strace that may trace")
    telegram = tmp_path / "telegram"
    house = House(tmp_path, [f"{{id: p1, profile: p1, country: nl, link: {{replay: {telegram}}}}}"],
                  extra=f"sinks: {{csv: {{directory: {tmp_path}/csv}}}}")
    state = tmp_path / "state/meterbridge.state.json"
    count = iter(range(1, 1000))

    def run(*tracing):
        telegram.write_bytes(Feeder.telegram(Seconds, next(count)))
        # A sanitizer cannot look for leaks while it is traced.
        return subprocess.run([*tracing, BINARY, "run", "--once", "-c", str(house.file)], capture_output=True, timeout=60,
                              env={**os.environ, "ASAN_OPTIONS": "detect_leaks=0"})

    kills = 0
    with house.broker():
        assert run().returncode == 0
        for call in ("/rename", "/^f(data)?sync$"):
            for number in range(1, 40):
                killed = run(*tracer, "-e", f"trace={call}", "-e", f"inject={call}:signal=SIGKILL:when={number}")
                if killed.returncode == 0:
                    break  # it makes fewer such calls
                kills += 1
                json.loads(state.read_bytes())
                done = run()
                assert done.returncode == 0 and b"damaged" not in done.stderr, (call, number, done.stderr.decode())
            else:
                raise AssertionError(f"{call} never ends")
    assert kills >= 6, kills
    lines = [line for file in (tmp_path / "csv/p1").glob("*.csv") for line in file.read_text().splitlines()[1:]]
    assert len(lines) == len(set(lines)) >= kills + 1, lines
