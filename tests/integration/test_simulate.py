# SPDX-License-Identifier: MIT
"""`simulate` from outside: names that come and go, exit codes, and meters that can be decoded."""
import os
import pathlib
import re
import select
import signal
import socket
import subprocess
import time

import pytest

from house import BINARY, PATIENCE, Process, wait_for


def simulator(folder, *arguments):
    process = Process(["simulate", *arguments], folder / "simulate.log")
    wait_for(lambda: re.search(r"^READY$", process.log(), re.M) or not process.alive(), "READY")
    assert process.alive(), process.log()
    return process


def refused(*arguments):
    done = subprocess.run([BINARY, "simulate", *arguments], capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert done.returncode == 2, done
    assert "READY" not in done.stdout
    return done.stderr


def read_for(fd, enough):
    """Bytes until `enough` says so."""
    heard = b""
    end = time.monotonic() + PATIENCE
    while not enough(heard):
        assert time.monotonic() < end, f"only {len(heard)} bytes came"
        if select.select([fd], [], [], 0.1)[0]:
            block = os.read(fd, 65536)
            if not block:
                break
            heard += block
    return heard


def decode(protocol, data, *arguments):
    return subprocess.run([BINARY, "decode", "--protocol", protocol, "--json", *arguments, "-"], input=data,
                          capture_output=True, timeout=PATIENCE, check=False)


def test_a_meter_pushes_on_a_pseudo_terminal_until_sigterm(tmp_path):
    port = tmp_path / "ttyA"
    with simulator(tmp_path, "--profile", "p1", "--pty", str(port), "--period", "100ms") as process:
        assert f"p1: p1 on {port}" in process.log()
        assert port.is_symlink()
        fd = os.open(port, os.O_RDWR | os.O_NOCTTY)
        heard = read_for(fd, lambda data: data.count(b"\r\n!") >= 3)
        os.close(fd)
        assert process.stop(signal.SIGTERM) == 0
    assert not port.is_symlink()
    assert decode("p1", heard).returncode == 0


def test_count_ends_it_and_the_telegrams_are_whole(tmp_path):
    # Port 0: the system chooses, and the line says which.
    with simulator(tmp_path, "--profile", "p1", "--tcp", "127.0.0.1:0", "--period", "50ms", "--count", "3") as process:
        port = int(re.search(r"on 127\.0\.0\.1:(\d+)", process.log()).group(1))
        with socket.create_connection(("127.0.0.1", port), PATIENCE) as client:
            heard = read_for(client.fileno(), lambda _: False)
        assert process.process.wait(PATIENCE) == 0
    done = decode("p1", heard)
    assert done.stdout.count(b'"status":"ok"') == 3, done.stdout
    assert "3 sent" in process.log()


def test_the_same_seed_gives_the_same_faults_and_they_are_counted(tmp_path):
    with simulator(tmp_path, "--profile", "p1", "--tcp", "127.0.0.1:0", "--period", "20ms", "--count", "20", "--fault",
                   "flip=0.5", "--fault", "cut=0.3", "--seed", "7") as process:
        port = int(re.search(r":(\d+)$", process.log(), re.M).group(1))
        with socket.create_connection(("127.0.0.1", port), PATIENCE) as client:
            heard = read_for(client.fileno(), lambda _: False)
        assert process.process.wait(PATIENCE) == 0
    flips, cuts = (int(re.search(rf"{kind} (\d+)", process.log()).group(1)) for kind in ("flip", "cut"))
    assert 3 <= flips <= 17 and 1 <= cuts <= 14
    good = decode("p1", heard).stdout.count(b'"status":"ok"')
    assert 20 - flips - cuts <= good < 20


def test_every_meter_of_a_configuration_has_its_own_link(tmp_path):
    file = tmp_path / "meterbridge.yaml"
    file.write_text(f"""
links:
  bus: {{serial: {tmp_path}/bus, baud: 9600, mode: 8N1}}
meters:
  - {{id: cellar, profile: energomera-ce307, link: bus, address: 1}}
  - {{id: attic, profile: energomera-ce307, link: bus, address: 2}}
  - {{id: p1, profile: p1, link: {{serial: {tmp_path}/p1}}}}
""")
    with simulator(tmp_path, "-c", str(file)) as process:
        for line in (f"cellar: energomera-ce307 on {tmp_path}/bus", f"attic: energomera-ce307 on {tmp_path}/bus",
                     f"p1: p1 on {tmp_path}/p1"):
            assert line in process.log()
        read = subprocess.run([BINARY, "read", "-c", str(file), "--json", "cellar", "attic"], capture_output=True,
                              text=True, timeout=PATIENCE, check=False)
        assert read.returncode == 0, read.stdout + read.stderr
        assert '"cellar"' in read.stdout and '"attic"' in read.stdout
        assert process.stop(signal.SIGINT) == 0
    assert sorted(os.listdir(tmp_path)) == ["meterbridge.yaml", "simulate.log"]


def test_a_file_at_the_path_is_left_alone(tmp_path):
    mine = tmp_path / "mine"
    mine.write_text("keep me")
    assert "left alone" in refused("--profile", "p1", "--pty", str(mine))
    assert mine.read_text() == "keep me"


@pytest.mark.parametrize("arguments, word", [
    (["--profile", "p1"], "--pty"),
    (["--profile", "p1", "--pty", "/nowhere/at/all"], "/nowhere/at/all"),
    (["--profile", "pl", "--pty", "x"], "p1"),
    (["--profile", "p1", "--tcp", "nonsense"], "HOST:PORT"),
    (["--profile", "p1", "--tcp", "203.0.113.7:8899"], "203.0.113.7"),
    (["--profile", "p1", "--pty", "x", "--fault", "silense"], "silence"),
    (["--profile", "p1", "--pty", "x", "--fault", "flip=2"], "0 to 1"),
    (["--profile", "p1", "--pty", "x", "--fault", "echo=1@p1"], "fault of the line"),
    (["--profile", "p1", "--pty", "x", "--period", "10"], "--period"),
    (["--profile", "p1", "--pty", "x", "--count", "0"], "--count"),
    (["--profile", "p1", "--pty", "x", "--set", "country=atlantis"], "country"),
    (["--profile", "p1", "--pty", "x", "--set", "nonsense"], "KEY=VALUE"),
    (["-c", "/no/such/file.yaml"], "/no/such/file.yaml"),
])
def test_what_is_wrong_is_said_in_words_with_exit_code_2(arguments, word):
    assert word in refused(*arguments)


def test_secrets_in_settings_are_not_repeated():
    assert "0123secret" not in refused("--profile", "p1", "--pty", str(pathlib.Path("x")), "--set", "key=0123secret")
