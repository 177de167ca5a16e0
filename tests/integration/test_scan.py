# SPDX-License-Identifier: MIT
"""The scan of a real line: pseudo-terminals and TCP, simulated meters, and what `check` says of its result."""
import json
import os
import pty
import re
import shutil
import signal
import subprocess
import threading
import tty

import house
import pytest
from house import House

NARROW = ("--quick", "--protocol", "modbus", "--baud", "9600", "--addresses", "3")


def scan(*arguments, **more):
    return subprocess.run([house.BINARY, "scan", *arguments], capture_output=True, text=True, timeout=4 * house.PATIENCE,
                          stdin=subprocess.DEVNULL, **more)


def checked(tmp_path, text):
    file = tmp_path / "found.yaml"
    file.write_text(text)
    return subprocess.run([house.BINARY, "check", "-c", file], capture_output=True, text=True, timeout=house.PATIENCE)


def test_a_meter_on_a_serial_line_is_found_and_its_configuration_reads_it(tmp_path):
    scratch = House(tmp_path, [])
    port = scratch.tty("meter")
    with scratch.simulate("--profile", "eastron-sdm630", "--set", "address=3", "--pty", port):
        done = scan("--serial", port, *NARROW)
        assert done.returncode == 0, done.stderr
        assert "asks Modbus RTU at 9600 8N1" in done.stderr
        assert "profile: eastron-sdm630" in done.stdout and "address: 3" in done.stdout
        verdict = checked(tmp_path, done.stdout)
        assert verdict.returncode == 0, verdict.stdout + verdict.stderr
        read = subprocess.run([house.BINARY, "read", "-c", tmp_path / "found.yaml"], capture_output=True, text=True,
                              timeout=house.PATIENCE)
        assert read.returncode == 0 and "voltage_l1" in read.stdout


def test_a_meter_that_sends_by_itself_is_heard_over_tcp_and_nothing_is_sent(tmp_path):
    scratch = House(tmp_path, [])
    port = house.free_port()
    with scratch.simulate("--profile", "p1", "--tcp", f"127.0.0.1:{port}", "--period", "300ms"):
        done = scan("--tcp", f"127.0.0.1:{port}", "--json")
    assert done.returncode == 0, done.stderr
    found, last = [json.loads(line) for line in done.stdout.splitlines()]
    assert found["protocol"] == "p1" and found["profiles"] == ["p1"] and not found["encrypted"]
    assert last["found"] == 1
    assert checked(tmp_path, last["configuration"]).returncode == 0


class Wire:
    """A line with somebody on it: says what it is told, and keeps what comes."""

    def __init__(self, says):
        self.outer, inner = pty.openpty()
        tty.setraw(inner)
        self.inner = inner  # held, or the first who leaves would end it
        self.name = os.ttyname(inner)
        self.heard = b""
        os.write(self.outer, says)
        threading.Thread(target=self._hear, daemon=True).start()

    def _hear(self):
        try:
            while block := os.read(self.outer, 4096):
                self.heard += block
        except OSError:
            pass

    def close(self):
        os.close(self.inner)
        os.close(self.outer)


def test_P08_another_master_is_heard_and_the_line_is_left_alone():
    line = Wire(bytes.fromhex("010400000050f036"))
    done = scan("--serial", line.name, *NARROW)
    assert done.returncode == 1 and done.stdout == ""
    assert "another master talks here: requests of Modbus" in done.stderr
    assert line.heard == b""
    line.close()


@pytest.mark.parametrize("arguments,words", [
    (("--serial",), "--serial needs a value"),
    (("--serial", ""), "--serial names no port"),
    (("--serail", "/dev/ttyUSB0"), "did you mean --serial?"),
    (("--tcp", ":502"), "--tcp: \":502\" names no host"),
    (("--tcp", "502"), "names no host"),
    (("--tcp", "gateway:0"), "names no port"),
    (("--tcp", "gateway"), "HOST:PORT"),
    (("--serial", "/dev/null", "--protocol", "modbuss"), "did you mean modbus?"),
    (("--serial", "/dev/null", "--addresses", "300..2"), "goes backwards"),
    (("--serial", "/dev/null", "--addresses", "1-5"), "no range like 1..32"),
    (("--serial", "/dev/null", "--protocol", "modbus", "--addresses", "999"), "nobody can be asked at these numbers"),
    (("--serial", "/dev/null", "--mode", "8E1"), "--mode goes with --baud"),
])
def test_wrong_input_is_named_and_nothing_is_opened(arguments, words):
    done = scan(*arguments)
    assert done.returncode == 2 and words in done.stderr and done.stdout == "", done.stderr


def test_a_place_that_is_no_port_is_named_and_json_is_a_document_in_any_case(tmp_path):
    for place, words in (("/dev/null", "not a serial port"), (str(tmp_path), "not a serial port"), ("/nowhere/port", "is absent")):
        done = scan("--serial", place, "--json", "--quick")
        assert done.returncode == 1, done.stderr
        last = json.loads(done.stdout)
        assert last["found"] == 0 and words in last["problem"] and last["problem"] in done.stderr
        assert checked(tmp_path, last["configuration"]).returncode == 0


def test_P12_no_port_is_opened_that_was_not_named():
    for arguments in ((), ("--tcp", "127.0.0.1:1", "--serial", "/dev/null"), ("/dev/ttyUSB0",)):
        done = scan(*arguments)
        assert done.returncode == 2, arguments
        assert "--serial" in done.stderr
    planned = scan("--serial", "/nowhere/port", "--plan")
    assert planned.returncode == 0 and "only requests that read" in planned.stderr
    absent = scan("--serial", "/nowhere/port")
    assert absent.returncode == 1 and "/nowhere/port" in absent.stderr


def test_P12_the_system_calls_of_a_scan_open_only_the_named_port(tmp_path):
    """What is traced is a scan that asks and gets no answer."""
    calls = tmp_path / "calls"
    tracer = ["strace", "-f", "-e", "trace=open,openat,openat2", "-o", str(calls)]
    if not shutil.which("strace") or subprocess.run([*tracer, "true"], capture_output=True).returncode != 0:
        pytest.skip("skipped: nothing can be traced here")
    line = Wire(b"")
    # A sanitizer cannot look for leaks while it is traced.
    traced = subprocess.run([*tracer, house.BINARY, "scan", "--serial", line.name, *NARROW], capture_output=True, text=True,
                            timeout=4 * house.PATIENCE, env={**os.environ, "ASAN_OPTIONS": "detect_leaks=0"})
    assert traced.returncode == 1 and "nobody answered" in traced.stderr, traced.stderr
    opened = [call for call in calls.read_text().splitlines() if '"/dev/' in call and "O_DIRECTORY" not in call]
    assert any(f'"{line.name}"' in call for call in opened)
    others = [call for call in opened if not re.search(rf'"({line.name}|/dev/null|/dev/u?random)"', call)]
    assert others == []
    assert line.heard.hex() == "0304000000027029" "03030000000185e8"
    line.close()


def test_ctrl_c_ends_it_and_silence_is_explained():
    line = Wire(b"")
    process = subprocess.Popen([house.BINARY, "scan", "--serial", line.name], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                               text=True)
    for told in process.stderr:
        if told.startswith("listens at"):
            break
    process.send_signal(signal.SIGINT)
    _, rest = process.communicate(timeout=house.PATIENCE)
    assert process.returncode == 1
    assert "ended early" in rest and "nobody answered" in rest
    line.close()
