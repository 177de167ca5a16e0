# SPDX-License-Identifier: MIT
"""The menu for one line: by hand on a pseudo-terminal, and by a script on a pipe, with simulated meters."""
import fcntl
import os
import pty
import select
import signal
import subprocess
import termios
import time

import house
from house import House, Observer

CE307 = ("simulate", "--profile", "energomera-ce307", "--set", "address=13462")


def console(script, *arguments):
    return subprocess.run([house.BINARY, "console", *arguments], input=script.encode(), capture_output=True,
                          timeout=house.PATIENCE)


class Person:
    """Sits at a terminal in front of the console."""

    def __init__(self, *arguments):
        self.end, inner = pty.openpty()
        self.before = termios.tcgetattr(inner)
        self.inner = inner
        self.process = subprocess.Popen([house.BINARY, "console", *arguments], stdin=inner, stdout=inner, stderr=inner,
                                        preexec_fn=self._own_terminal)
        self.seen = ""

    @staticmethod
    def _own_terminal():
        os.setsid()
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)

    def types(self, text):
        self.seen = ""
        os.write(self.end, text.encode())

    def sees(self, *texts):
        deadline = time.monotonic() + house.PATIENCE
        while not all(text in self.seen for text in texts):
            left = deadline - time.monotonic()
            assert left > 0, f"not seen: {texts} in {self.seen!r}"
            ready, _, _ = select.select([self.end], [], [], left)
            if ready:
                self.seen += os.read(self.end, 65536).decode(errors="replace")
        return self.seen

    def leaves(self):
        code = self.process.wait(house.PATIENCE)
        after = termios.tcgetattr(self.inner)
        os.close(self.inner)
        os.close(self.end)
        assert after == self.before, "the terminal is not as it was"
        return code


def test_a_person_reads_watches_and_leaves_with_the_terminal_as_it_was(tmp_path):
    scratch = House(tmp_path, [])
    port = scratch.tty("meter")
    with scratch.simulate(*CE307[1:], "--pty", port):
        person = Person("--serial", port)
        person.sees("pick a meter", "> ")
        person.types("m energomera-ce307\n")
        person.sees("address of the meter:")
        person.types("13462\n")
        person.sees("meter: energomera-ce307", "9600 8N1")
        person.types("r\n")
        person.sees("energy_import_t1", "kWh", "energomera-ce307> ")
        person.types("w\n")
        person.sees("a key ends it", "energy_import")
        person.types("x")  # without Enter
        person.sees("energomera-ce307> ")
        person.types("l 1200 7e1\n")
        person.sees("at 1200 7E1 now")
        person.types("w\n")
        person.sees("watching")
        person.process.send_signal(signal.SIGINT)
        assert person.leaves() == 0
        again = Person("--serial", port)
        again.sees("> ")
        again.types("\x04")  # the end of the input
        assert again.leaves() == 0


def test_a_script_records_a_transcript_that_decode_reads(tmp_path):
    scratch = House(tmp_path, [])
    port = scratch.tty("meter")
    record = tmp_path / "ce307.txt"
    with scratch.simulate(*CE307[1:], "--pty", port):
        done = console(f"m energomera-ce307 address=13462\nt {record}\ng energy\ng volume\nb\nr\nt\nnonsense\nq\n",
                       "--serial", port)
        text = done.stdout.decode()
        assert done.returncode == 0, done
        assert "energy_import_t2" in text and "no values of the group volume" in text, text
        assert "\n> c048" in text and "\n< c048" in text and "0130:01" in text, text
        assert '"nonsense" is not understood' in text
        decoded = scratch.call("decode", "--profile", "energomera-ce307", "--json", str(record))
        assert decoded.returncode == 0 and b'"status":"ok"' in decoded.stdout, decoded
        assert b'"key":"energy_import"' in decoded.stdout
        twice = console(f"m energomera-ce307 address=13462\nt {record}\n", "--serial", port)
        assert "File exists" in twice.stdout.decode(), twice
        silent = console("m energomera-ce307 address=1\nr\n", "--serial", port)
        assert silent.returncode == 0 and "error: " in silent.stdout.decode(), silent


def test_a_password_is_neither_shown_nor_recorded(tmp_path):
    scratch = House(tmp_path, [])
    port = scratch.tty("meter")
    record = tmp_path / "mercury.txt"
    meter = ("--profile", "mercury-230", "--set", "address=42", "--set", "password=314159")
    with scratch.simulate(*meter, "--pty", port):
        done = console(f"m mercury-230 address=42 password=314159\nt {record}\nb\nr\nt\n", "--serial", port)
    text = done.stdout.decode()
    assert done.returncode == 0 and "energy_import" in text and "> ***" in text and "\n> 2a0816" in text, text
    shown = text + record.read_text()
    for form in ("030104010509", "333134313539", "314159"):
        assert form not in shown, shown
    decoded = scratch.call("decode", "--profile", "mercury-230", "--json", str(record))
    assert decoded.returncode == 0 and b'"mismatch"' not in decoded.stdout, decoded


def test_a_refused_password_is_not_sent_again_however_often_the_meter_is_picked(tmp_path):
    scratch = House(tmp_path, [])
    port = scratch.tty("meter")
    meter = ("--profile", "mercury-230", "--set", "address=42", "--set", "password=314159")
    with scratch.simulate(*meter, "--pty", port):
        wrong = "m mercury-230 address=42 password=271828\nr\nr\n"
        # The third one would lock the meter.
        done = console(4 * wrong + "m mercury-230 address=42 password=314159\ng energy\n", "--serial", port)
    text = done.stdout.decode()
    assert text.count("it is not tried again") == 7 and "energy_import" in text, text


def test_a_meter_that_sends_by_itself_is_watched_over_tcp(tmp_path):
    scratch = House(tmp_path, [])
    record = tmp_path / "p1.bin"
    address = f"127.0.0.1:{house.free_port()}"
    with scratch.simulate("--profile", "p1", "--tcp", address, "--period", "300ms"):
        done = console(f"m p1\nt {record}\nw 2\nl 9600 8N1\nt\n", "--tcp", address)
    text = done.stdout.decode()
    assert done.returncode == 0 and text.count("p1     power  ") == 2, text
    assert "set at the gateway" in text, text
    decoded = scratch.call("decode", "--profile", "p1", str(record))
    assert decoded.returncode == 0, decoded


def test_configured_meters_are_picked_by_name_and_a_held_port_is_refused_in_words(tmp_path):
    scratch = House(tmp_path, [f"{{id: cellar, profile: energomera-ce307, address: 13462, link: {{serial: {tmp_path}/meter}}}}"])
    with scratch.simulate(*CE307[1:], "--pty", scratch.tty("meter")):
        done = console("g energy\n", "cellar", "-c", str(scratch.file))
        assert done.returncode == 0 and "cellar  energy_import_t1" in done.stdout.decode(), done
        assert console("", "celar", "-c", str(scratch.file)).returncode == 2
        with scratch.broker(), Observer(scratch.port) as observer, scratch.bridge():
            observer.wait_json("meterbridge/cellar/state", lambda state: "energy_import" in state)
            held = console("r\n", "--serial", scratch.tty("meter"))
            assert held.returncode == 1 and "another program (pid" in held.stderr.decode(), held
