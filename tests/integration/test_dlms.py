# SPDX-License-Identifier: MIT
"""Meters that push DLMS lists, from the line to the broker."""
import json
import os
import socketserver
import threading
import tty as terminal

from house import House, Observer, free_port, wait_for

RIGHT = "2b7e151628aed2a6abf7158809cf4f3c"
WRONG = "2b7e151628aed2a6abf7158809cf4f3d"
METER = "{{id: noe, profile: kaifa-ma309m, interval: 1s, publish: every, link: {{serial: {tty}}}{more}}}"


def play(house, *more, profile="kaifa-ma309m"):
    return house.simulate("--profile", profile, "--pty", house.tty("noe"), "--period", "1s", "--set", f"key={RIGHT}",
                          *more)


def test_P23_a_dlms_meter_with_right_wrong_and_missing_key(tmp_path):
    house = House(tmp_path, [])
    tty = house.tty("noe")
    house.write([METER.format(tty=tty, more=f", key: {WRONG}")])
    with house.broker(), Observer(house.port) as ear, play(house), house.bridge() as bridge:
        health = ear.wait_json("meterbridge/noe/health", lambda h: h["state"] == "wrong_key")
        assert health["last_frame"] and not health.get("last_reading")
        assert health["recoveries"].get("reopen", 0) == 0
        # SIGHUP with the next key: the meter itself never stops.
        for more, state in (("", "wrong_key"), (f", key: {RIGHT}", "ok")):
            house.write([METER.format(tty=tty, more=more)])
            seen = ear.count()
            bridge.process.send_signal(1)
            ear.wait_json("meterbridge/noe/health", lambda h, s=state: h["state"] == s, after=seen)
        state = ear.wait_json("meterbridge/noe/state", lambda s: "energy_import" in s)
        assert state["serial"] == "181220000001" and state["power_factor"] == 0.968
        assert {"voltage_l1", "current_l3", "power"} <= set(state)
        assert RIGHT not in bridge.log() and WRONG not in bridge.log()
        assert bridge.stop() == 0


def test_read_shows_a_kaifa_and_names_its_missing_key(tmp_path):
    house = House(tmp_path, [])
    tty = house.tty("noe")
    with play(house):
        house.write([METER.format(tty=tty, more=f", key: {RIGHT}")])
        shown = wait_for(lambda: call(house, "read", "--json"), "readings")
        assert json.loads(shown.splitlines()[0])
        assert "energy_import" in shown
        house.write([METER.format(tty=tty, more="")])
        answer = house.call("read", "-c", str(house.file))
        assert answer.returncode == 1
        assert b"no key is set" in answer.stdout + answer.stderr


def call(house, *arguments):
    answer = house.call(*arguments, "-c", str(house.file))
    return answer.stdout.decode() if answer.returncode == 0 else ""


def test_faults_of_the_line_cost_telegrams_and_never_a_wrong_value(tmp_path):
    house = House(tmp_path, [])
    house.write([METER.format(tty=house.tty("noe"), more=f", key: {RIGHT}")])
    faults = [argument for kind in ("noise", "flip", "cut", "silence", "swap", "wrong-key")
              for argument in ("--fault", f"{kind}=0.1")]
    with house.broker(), Observer(house.port) as ear, \
            play(house, "--seed", "5", *faults), house.bridge() as bridge:
        before = 0
        for _ in range(6):
            seen = ear.count()
            state = ear.wait_json("meterbridge/noe/state", lambda s: s.get("energy_import") is not None, after=seen)
            assert before <= state["energy_import"] < before + 100 or before == 0
            assert state["power_factor"] == 0.968 and 180 < state["voltage_l1"] < 260
            before = state["energy_import"]
        assert bridge.stop() == 0


class Repeater:
    """A gateway whose meter sends one telegram again and again."""

    def __init__(self, telegram):
        over = self.over = threading.Event()

        class Handler(socketserver.BaseRequestHandler):
            def handle(self):
                try:
                    while not over.wait(0.3):
                        self.request.sendall(telegram)
                except OSError:
                    pass  # the other end is gone
        self.server = socketserver.ThreadingTCPServer(("127.0.0.1", free_port()), Handler)
        self.server.daemon_threads = True
        self.address = f"127.0.0.1:{self.server.server_address[1]}"

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.server.shutdown()
        self.server.server_close()


def captured(house):
    """One telegram of the simulated meter, as it comes over the line."""
    with play(house, "--count", "1", "--speed", "1"):
        port = os.open(house.tty("noe"), os.O_RDWR | os.O_NOCTTY)
        terminal.setraw(port)
        telegram = b""
        while len(telegram) < 282:
            telegram += os.read(port, 4096)
        os.close(port)
    return telegram


def test_a_telegram_from_before_a_restart_is_a_replay_after_it(tmp_path):
    house = House(tmp_path, [])
    with Repeater(captured(house)) as gateway, house.broker(), Observer(house.port) as ear:
        house.write([f"{{id: noe, profile: kaifa-ma309m, interval: 1s, publish: every, link: {{tcp: '{gateway.address}'}},"
                     f" key: {RIGHT}}}"])
        with house.bridge() as bridge:
            ear.wait_json("meterbridge/noe/state", lambda s: "energy_import" in s)
            assert bridge.stop() == 0
        seen = ear.count()
        with house.bridge() as bridge:
            ear.wait_json("meterbridge/noe/health", lambda h: "not above the last one" in (h.get("error") or ""), seen)
            online = [m for m in ear.messages[seen:] if m[:2] == ("meterbridge/noe/availability", "online")]
            assert not online, ear.messages[seen:]
            assert bridge.stop() == 0
