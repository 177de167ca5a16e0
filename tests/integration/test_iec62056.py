# SPDX-License-Identifier: MIT
"""IEC 62056-21 from outside: simulated meters on one line, read by the real program."""
import json
import os
import re
import subprocess
import termios
import threading
import time
import tty

from house import BINARY, House, Observer, PATIENCE, Process, wait_for

QUICK = "pause: 20ms, response_timeout: 300ms, identification_timeout: 300ms, retries: 1"


def config(folder, meters, line="baud: 4800, mode: 7E1"):
    file = folder / "meterbridge.yaml"
    file.write_text(f"state_directory: {folder}\nmqtt: {{host: 127.0.0.1, port: 1}}\nlinks: {{rs485: {{serial: {folder}/line, {line}, turnaround: 5ms}}}}\nmeters:\n" +
                    "".join(f"  - {{{meter}}}\n" for meter in meters))
    return file


def simulate(folder, file, *arguments):
    process = Process(["simulate", "-c", str(file), *arguments], folder / "simulate.log")
    wait_for(lambda: re.search(r"^READY$", process.log(), re.M) or not process.alive(), "READY")
    assert process.alive(), process.log()
    return process


def read(file, *arguments):
    done = subprocess.run([BINARY, "read", "-c", str(file), "--json", *arguments], capture_output=True, text=True,
                          timeout=PATIENCE, check=False)
    return done, {line["meter"]: line for line in map(json.loads, done.stdout.splitlines())}


def value(meter, key):
    return next((reading["value"] for reading in meter["readings"] if reading["key"] == key), None)


def saiman(number, more=""):
    return f"id: m{number}, profile: saiman-orman-ci, link: rs485, address: {100 + number}, {QUICK}{more}"


def test_P06_three_saiman_on_one_line_and_a_table_that_the_user_corrects(tmp_path):
    played = config(tmp_path, [saiman(n) for n in (1, 2, 3)])
    with simulate(tmp_path, played):
        done, meters = read(played)
        assert done.returncode == 0, done.stdout + done.stderr
        assert sorted(meters) == ["m1", "m2", "m3"]
        assert len({value(meters[name], "energy_import") for name in meters}) == 3  # three different houses
        # A scale and a code of one's own, without a profile of one's own.
        own = tmp_path / "own"
        own.mkdir()
        table = ", codes: [{code: C910, key: current_l2, form: counts, scale: 0.1}]"
        file = config(own, [saiman(1, table)])
        file.write_text(file.read_text().replace(f"{own}/line", f"{tmp_path}/line"))
        done, meters = read(file)
        assert done.returncode == 0, done.stdout + done.stderr
        assert value(meters["m1"], "current_l2") is not None and value(meters["m1"], "current_l1") is None


def test_a_wrong_password_and_an_absent_meter_are_named(tmp_path):
    played = config(tmp_path, [saiman(1), saiman(2)])
    asked = tmp_path / "asked"
    asked.mkdir()
    file = config(asked, [saiman(1, ", password: '11111111'"), saiman(2), saiman(3)])
    file.write_text(file.read_text().replace(f"{asked}/line", f"{tmp_path}/line"))
    with simulate(tmp_path, played):
        done, _ = read(file)
    assert done.returncode == 1
    said = done.stdout + done.stderr
    assert "refuses the password" in said and "11111111" not in said
    assert re.search(r"the sign-on: no answer", said), said
    assert "voltage_l1" in done.stdout  # the second one was read


def test_P09_a_disturbed_line_gives_right_values_or_none(tmp_path):
    meters = ["id: house, profile: energomera-ce303, link: rs485, pause: 10ms, response_timeout: 100ms, identification_timeout: 100ms"]
    file = config(tmp_path, meters, "baud: 9600, mode: 7E1")
    faults = ["noise", "flip", "cut", "silence", "swap", "echo", "foreign", "master"]
    with simulate(tmp_path, file, *[part for fault in faults for part in ("--fault", f"{fault}=0.03")], "--seed", "7"):
        good = 0
        for _ in range(3):
            done, answered = read(file)
            if done.returncode != 0:
                continue
            good += 1
            volts = [value(answered["house"], f"voltage_l{phase}") for phase in (1, 2, 3)]
            assert all(v is None or 200 < v < 260 for v in volts), volts
        assert good >= 1


FAST = "pause: 5ms, response_timeout: 600ms, identification_timeout: 600ms, interval: 500ms, publish: every"


def house_meters(folder, password="00000000"):
    """One line each: both tables of Saiman, one of them through an adapter that knows only 8N1, Energomera, a readout."""
    return [
        f"{{id: ci, profile: saiman-orman-ci, link: {{serial: {folder}/ci, mode: 8N1}}, software_parity: true, {FAST}}}",
        f"{{id: cu, profile: saiman-orman-cu, link: {{serial: {folder}/cu}}, {FAST}}}",
        f"{{id: ce301, profile: energomera-ce301, address: '054000312', link: {{serial: {folder}/ce301}}, {FAST}}}",
        f"{{id: ce303, profile: energomera-ce303, address: '054000303', link: {{serial: {folder}/ce303}}, {FAST}}}",
        f"{{id: head, profile: iec62056-21, speed: fixed, link: {{serial: {folder}/head, baud: 9600}}, {FAST}}}",
        f"{{id: locked, profile: saiman-orman-ci, password: '{password}', link: {{serial: {folder}/locked}}, {FAST}}}",
    ]


def test_P23_run_with_a_broker_reads_each_kind_and_sends_a_refused_password_once(tmp_path):
    played = House(tmp_path, house_meters(tmp_path))
    simulator = played.simulate("-c", str(played.file))
    house = House(tmp_path, house_meters(tmp_path, "11111111"), port=played.port)
    with simulator, house.broker(), Observer(house.port) as observer:
        with house.bridge() as bridge:
            wanted = {"ci": ("voltage_l1", "power", "energy_import"), "cu": ("voltage_l3", "energy_import_t2"),
                      "ce301": ("energy_import", "current_l2", "power"), "ce303": ("energy_import_t1", "frequency"),
                      "head": ("energy_import", "voltage_l2")}
            for meter, keys in wanted.items():
                state = observer.wait_json(f"meterbridge/{meter}/state", lambda s, k=keys: all(key in s for key in k))
                assert state["energy_import"] > 0, state
                document = observer.wait_json(f"homeassistant/device/meterbridge_{meter}/config",
                                              lambda d, m=meter, k=keys: all(f"meterbridge_{m}_{key}" in json.dumps(d)
                                                                             for key in k))
                assert document["dev"]["ids"], document
                observer.wait_topic(f"meterbridge/{meter}/availability", payload="online")
            health = observer.wait_json("meterbridge/locked/health", lambda h: "password" in (h.get("error") or ""))
            assert "refuses the password (NAK)" in bridge.log() and "11111111" not in bridge.log(), health
            # Asked for by hand, polled on, started again: it is not sent a second time.
            observer.publish("meterbridge/locked/set/poll", "")
            before = observer.count()
            observer.wait_json("meterbridge/ci/state", after=before)
            observer.wait_json("meterbridge/ci/state", after=before + 1)
            assert bridge.stop() == 0
        before = observer.count()
        with house.bridge() as bridge:
            observer.wait_json("meterbridge/ci/state", lambda s: "power" in s, before)
            observer.wait_json("meterbridge/locked/health", lambda h: "not tried again" in (h.get("error") or ""), before)
            assert bridge.stop() == 0
    answers = re.search(r"^locked: (\d+) sent", simulator.log(), re.M)
    assert answers and int(answers[1]) == 3, simulator.log()  # identification, P0, NAK: one session, one password


SPEEDS = {300: termios.B300, 2400: termios.B2400, 9600: termios.B9600}


def bcc(text, rule):
    covered = text.encode() + b"\x03"
    value = 0
    for byte in covered:
        value = value + byte if rule == "sum" else value ^ byte
    return b"\x02" + covered + bytes([value & 0x7F])


class Head(threading.Thread):
    """A meter with an optical head on a pseudo-terminal. It hears and sends at its own speeds only: what comes at another
    one it does not understand, and it waits with its data until the line has their speed."""

    def __init__(self, path, identification, data, mode, speed=300):
        super().__init__(daemon=True)
        self.master, slave = os.openpty()
        tty.setraw(slave)
        path.symlink_to(os.ttyname(slave))
        self.slave = slave  # kept open: the other end may come and go
        self.identification, self.data, self.mode, self.speed = identification, data, mode, speed
        self.heard, self.deaf, self.over = [], [], threading.Event()
        self.start()

    def at(self, baud):
        return termios.tcgetattr(self.slave)[5] == SPEEDS[baud]

    def wait_speed(self):
        deadline = time.monotonic() + PATIENCE
        while not self.at(self.speed) and not self.over.is_set() and time.monotonic() < deadline:
            self.over.wait(0.01)
        return self.at(self.speed)

    def send(self, data):
        for i in range(0, len(data), 16):
            os.write(self.master, data[i:i + 16])

    def run(self):
        while self.mode == "D" and not self.over.wait(0.3):
            if self.at(self.speed):
                self.send(self.identification + self.data)
        while not self.over.is_set():
            try:
                got = os.read(self.master, 64)
            except OSError:
                return
            # A terminal takes no time: what was sent at 300 may be looked at when the line has its next speed.
            right = self.at(300) or (got.startswith(b"\x06") and self.at(self.speed))
            (self.heard if right else self.deaf).append(got)
            if not right:
                continue
            if b"/?" in got and b"\n" in got:
                self.send(b"\x7f" + self.identification)
                if self.mode == "A":
                    self.send(self.data)
                if self.mode == "B" and self.wait_speed():
                    self.send(self.data)
            elif got.startswith(b"\x06") and self.mode == "C" and self.wait_speed():
                self.send(self.data)

    def end(self):
        self.over.set()
        os.close(self.slave)
        os.close(self.master)


def test_modes_a_b_c_and_d_on_real_terminals_with_their_speeds(tmp_path):
    heads = {
        "a": Head(tmp_path / "a", b"/KAM MC\r\n", bcc("6.8(00433.65*GJ)\r\n6.26(03052.95*m3)!\r\n", "sum"), "A"),
        "b": Head(tmp_path / "b", b"/LUGCUH50\r\n", bcc("6.8(0328.871*GJ)6.26(03329.67*m3)\r\n!\r\n", "xor"), "B", 2400),
        "c": Head(tmp_path / "c", b"/ISk5MT174-0002\r\n", bcc("1-0:1.8.0*255(0000502.853*kWh)\r\n!\r\n", "xor"), "C", 9600),
        "d": Head(tmp_path / "d", b"/LOG5LK13BE803049\r\n\r\n", b"1-0:1.8.0*255(000471.6452*kWh)\r\n!\r\n", "D", 9600),
    }
    profiles = {"a": "kamstrup-multical-66", "b": "landisgyr-ultraheat", "c": "iskra-mt174", "d": "logarex-lk13be"}
    file = tmp_path / "meterbridge.yaml"
    file.write_text(f"state_directory: {tmp_path}\nmqtt: {{host: 127.0.0.1, port: 1}}\nmeters:\n" + "".join(
        f"  - {{id: {name}, profile: {profiles[name]}, link: {{serial: {tmp_path}/{name}}}"
        f"{', wakeup_pause: 100ms' if name == 'b' else ''}}}\n" for name in heads))
    try:
        done, meters = read(file)
        assert done.returncode == 0, done.stdout + done.stderr
    finally:
        for head in heads.values():
            head.end()
    assert value(meters["a"], "heat") == 433.65 and value(meters["b"], "heat") == 328.871
    assert value(meters["c"], "energy_import") == 502.853 and value(meters["d"], "energy_import") == 471.6452
    assert not any(head.deaf for head in heads.values()), {name: head.deaf for name, head in heads.items()}
    assert heads["d"].heard == []  # nothing is ever sent to a meter that pushes
    assert b"\x06050\r\n" in b"".join(heads["c"].heard) and b"\x00" * 60 in b"".join(heads["b"].heard)


def test_the_simulator_plays_each_mode_at_its_speeds(tmp_path):
    played = {"ultraheat": "landisgyr-ultraheat", "ce208": "energomera-ce208", "lk13be": "logarex-lk13be", "neva": "neva-mt123"}
    meters = [f"id: {name}, profile: {profile}, link: {{serial: {tmp_path}/{name}}}"
              f"{', wakeup: 5, wakeup_pause: 10ms' if name == 'ultraheat' else ''}{', read: fast' if name == 'ce208' else ''}"
              for name, profile in played.items()]
    file = tmp_path / "meterbridge.yaml"
    file.write_text(f"state_directory: {tmp_path}\nmqtt: {{host: 127.0.0.1, port: 1}}\nmeters:\n" +
                    "".join(f"  - {{{meter}}}\n" for meter in meters))
    with simulate(tmp_path, file, "--period", "300ms"):
        done, answered = read(file)
    assert done.returncode == 0, done.stdout + done.stderr
    assert value(answered["ultraheat"], "heat") > 0 and value(answered["lk13be"], "energy_import") > 0
    assert value(answered["ce208"], "current_n") is not None and value(answered["ce208"], "energy_import") > 0
    assert value(answered["neva"], "energy_total") > 0 and value(answered["neva"], "voltage_l2") is None
