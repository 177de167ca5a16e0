# SPDX-License-Identifier: MIT
"""What breaks and comes back, with the real program: devices, gateways, brokers, and the program itself."""
import ctypes
import itertools
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import threading
import time

import pytest

import adapter
from house import PATIENCE, House, Observer, free_port, retained, wait_for

SLACK = PATIENCE / 30
CE307 = "{{id: house, profile: energomera-ce307, address: 13462, interval: 1s, timeout: 5s, publish: every, link: {{{link}}}}}"
P1 = "{{id: p1, profile: p1, interval: 1s, publish: every, link: {{{link}}}}}"


@pytest.mark.parametrize("by_id", [False, True], ids=["one_name", "by_id"])
def test_P01_P11_device_removed_and_returned_under_another_name(tmp_path, by_id):
    rounds = 4
    figures = adapter.remove_and_return(tmp_path, rounds, by_id)
    adapter.check(figures, rounds)
    assert len(figures["terminals"]) > 1  # the kernel called it otherwise meanwhile


def test_P05_things_appear_in_every_order(tmp_path):
    for number, order in enumerate(itertools.permutations(["serial", "gateway", "broker"])):
        folder = tmp_path / str(number)
        folder.mkdir()
        house = House(folder, [])
        gateway = free_port()
        house.write([CE307.format(link=f"serial: {house.tty('ce307')}"), P1.format(link=f"tcp: '127.0.0.1:{gateway}'")])
        things = {
            "serial": lambda: house.simulate("--profile", "energomera-ce307", "--set", "address=13462", "--pty",
                                             house.tty("ce307")),
            "gateway": lambda: house.simulate("--profile", "p1", "--tcp", f"127.0.0.1:{gateway}", "--period", "1s"),
            "broker": lambda: house.broker().start()}
        present = []
        try:
            with house.bridge() as bridge:
                wait_for(lambda: bridge.log().count("no_device") == 2 and "broker" in bridge.log(), "all are missed")
                for thing in order:
                    present.append(things[thing]())
                with Observer(house.port) as ear:
                    for meter in ("house", "p1"):
                        ear.wait_json(f"meterbridge/{meter}/state", lambda s: "energy_import" in s, patience=60 * SLACK)
                assert bridge.stop() == 0, order
        finally:
            for thing in present:
                thing.__exit__(None, None, None)


class Proxy:
    """A gateway in front of a meter that can stop forwarding without closing anything: each side goes on being read."""

    def __init__(self, target):
        self.target = target
        self.server = socket.create_server(("127.0.0.1", 0))
        self.port = self.server.getsockname()[1]
        self.connections = 0
        self.dead = set()  # numbers of connections that are swallowed
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                client, _ = self.server.accept()
                meter = socket.create_connection(("127.0.0.1", self.target))
            except OSError:
                return
            self.connections += 1
            for source, sink in ((client, meter), (meter, client)):
                threading.Thread(target=self._forward, args=(source, sink, self.connections), daemon=True).start()

    def _forward(self, source, sink, number):
        while True:
            try:
                data = source.recv(4096)
                if not data:
                    break
                if number not in self.dead:
                    sink.sendall(data)
            except OSError:
                break
        for end in (source, sink):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def die(self):
        self.dead.update(range(1, self.connections + 1))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.close()


def test_P02_a_polled_meter_behind_a_half_open_connection(tmp_path):
    house = House(tmp_path, [])
    target = free_port()
    with house.simulate("--profile", "energomera-ce307", "--set", "address=13462", "--tcp", f"127.0.0.1:{target}"), \
            Proxy(target) as proxy:
        house.write([CE307.format(link=f"tcp: '127.0.0.1:{proxy.port}', silence: 3s")])
        with house.broker(), Observer(house.port) as ear, house.bridge() as bridge:
            ear.wait_topic("meterbridge/house/state")
            proxy.die()
            begin = time.monotonic()
            wait_for(lambda: proxy.connections > 1, "a second connection")
            took = time.monotonic() - begin
            assert took < (3 + 5) * SLACK
            seen = ear.count()
            adapter.wait_reading(ear, "house", seen)
            # On the new connection late answers to the old question are waited for, before the next one is asked.
            print(f"half open: connected anew after {took:.1f} s, read again after {time.monotonic() - begin:.1f} s "
                  "(silence limit 3 s)")
            wait_for(lambda: "good again" in bridge.log(), "the end is named")
            assert bridge.log().count("no_bytes") == 1 and bridge.log().count("good again") == 1


class OtherHost:
    """A host of its own (a network namespace) that can vanish: what it sends is dropped, and nobody says so."""

    made = 0

    def __init__(self):
        # A namespace goes a moment after it was deleted: each test has names of its own.
        OtherHost.made += 1
        self.name = f"mb{os.getpid()}-{self.made}"
        net = f"198.18.{(os.getpid() + self.made) % 250}"
        self.ours, self.theirs = f"{net}.1", f"{net}.2"
        self.within = ("ip", "netns", "exec", self.name)

    def ip(self, *words, inside=False):
        return subprocess.run([*(self.within if inside else ()), "ip", *words], capture_output=True).returncode == 0

    def __enter__(self):
        veth = f"v{os.getpid()}-{self.made}"
        if not (shutil.which("ip") and self.ip("netns", "add", self.name)):
            pytest.skip("no right to make network namespaces here")
        made = (self.ip("link", "add", veth, "type", "veth", "peer", "name", "up0", "netns", self.name)
                and self.ip("addr", "add", f"{self.ours}/30", "dev", veth) and self.ip("link", "set", veth, "up")
                and self.ip("addr", "add", f"{self.theirs}/30", "dev", "up0", inside=True)
                and self.ip("link", "set", "up0", "up", inside=True))
        if not made:
            self.__exit__()
            pytest.skip("no right to join network namespaces here")
        return self

    def vanish(self):
        assert self.ip("route", "add", "blackhole", f"{self.ours}/32", inside=True)

    def come_back(self):
        assert self.ip("route", "del", "blackhole", f"{self.ours}/32", inside=True)

    def __exit__(self, *_):
        self.ip("netns", "del", self.name)


@pytest.mark.parametrize("meter,profile", [("house", "energomera-ce307"), ("p1", "p1")])
def test_P02_a_host_that_vanishes_without_a_packet(tmp_path, meter, profile):
    house = House(tmp_path, [])
    with OtherHost() as host:
        place = f"{host.theirs}:8899"
        how = ["--set", "address=13462"] if profile != "p1" else ["--period", "1s"]
        house.write([(P1 if profile == "p1" else CE307).format(link=f"tcp: '{place}', silence: 3s")])
        with house.simulate("--profile", profile, "--tcp", place, *how, within=host.within), \
                house.broker(), Observer(house.port) as ear, house.bridge() as bridge:
            ear.wait_topic(f"meterbridge/{meter}/state")
            seen = ear.count()
            host.vanish()
            begin = time.monotonic()
            wait_for(lambda: "no_bytes" in bridge.log(), "the silence is named")
            noticed = time.monotonic() - begin
            # The next connection is not answered either: now the host itself is missed.
            wait_for(lambda: "does not answer" in bridge.log(), "the absence is named", 40 * SLACK)
            ear.wait_topic(f"meterbridge/{meter}/availability", seen, "offline")
            host.come_back()
            begin = time.monotonic()
            seen = ear.count()
            adapter.wait_reading(ear, meter, seen, 60 * SLACK)
            print(f"{profile}: silence named after {noticed:.1f} s, read again {time.monotonic() - begin:.1f} s after the return")
            wait_for(lambda: "good again" in bridge.log(), "the end is named")
            for once in ("no_bytes", "does not answer", "good again"):
                assert bridge.log().count(once) == 1, bridge.log()


def least_time(attempts):
    """Back-off from 0.5 s, doubled, up to 55 s, a quarter less by the jitter: the first attempt comes at once."""
    return sum(0.75 * min(55, 0.5 * 2 ** n) for n in range(attempts - 1))


def test_P03_a_peer_that_refuses_is_asked_ever_more_rarely(tmp_path):
    port = free_port()
    house = House(tmp_path, [P1.format(link=f"tcp: '127.0.0.1:{port}'")])
    begin = time.monotonic()
    with house.bridge("--log-level", "debug") as bridge:
        # With --log-level debug a line for each attempt; the fault itself is named once.
        wait_for(lambda: len(re.findall(r"debug.*refuses the connection", bridge.log())) >= 6, "six attempts")
        assert time.monotonic() - begin >= least_time(6)
        assert len(re.findall(r"warn.*refuses the connection", bridge.log())) == 1


@pytest.mark.parametrize("profile", ["p1", "energomera-ce307"])
def test_P03_a_peer_that_accepts_and_hangs_up_is_no_success(tmp_path, profile):
    server = socket.create_server(("127.0.0.1", 0))
    link = f"tcp: '127.0.0.1:{server.getsockname()[1]}'"
    house = House(tmp_path, [(P1 if profile == "p1" else CE307).format(link=link)])
    begin = time.monotonic()
    with house.bridge() as bridge, server:
        server.settimeout(PATIENCE)
        for _ in range(6):
            server.accept()[0].close()
        assert time.monotonic() - begin >= least_time(6)
        assert bridge.log().count("no_device") == 1


def test_P50_a_hung_broker_is_named_and_the_meters_go_on_being_read(tmp_path):
    house = House(tmp_path, [], mqtt_extra=", keepalive: 10s")
    house.write([P1.format(link=f"serial: {house.tty('p1')}")], mqtt_extra=", keepalive: 10s")
    broker = house.broker()

    def bytes_read():
        return int(re.search(r"rchar: (\d+)", open(f"/proc/{bridge.process.pid}/io").read())[1])

    with house.simulate("--profile", "p1", "--pty", house.tty("p1"), "--period", "1s"), broker, house.bridge() as bridge:
        with Observer(house.port) as ear:
            ear.wait_topic("meterbridge/p1/state")
        broker.process.send_signal(signal.SIGSTOP)
        try:
            begin = time.monotonic()
            wait_for(lambda: "within the keepalive time of 10 s" in bridge.log(), "the broker is missed")
            print(f"hung broker named after {time.monotonic() - begin:.1f} s (keepalive 10 s)")
            assert time.monotonic() - begin < (10 + 2) * SLACK
            # Telegrams of some 700 bytes go on being taken from the line.
            before = bytes_read()
            wait_for(lambda: bytes_read() > before + 3 * 500, "the meter is read")
        finally:
            thawed = time.time()
            broker.process.send_signal(signal.SIGCONT)
        wait_for(lambda: "broker: good again after" in bridge.log(), "the end is named", 60 * SLACK)

        def newest():
            state = json.loads(retained(house.port).get("meterbridge/p1/state", "{}"))
            return state.get("time", "") >= time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(thawed))

        wait_for(newest, "the newest values are at the broker")
        found = retained(house.port)
        assert found["meterbridge/status"] == "online" and found["meterbridge/p1/availability"] == "online"
        for once in ("within the keepalive time", "broker: good again after"):
            assert bridge.log().count(once) == 1, bridge.log()
        assert bridge.stop() == 0


PTRACE_SEIZE, PTRACE_INTERRUPT = 0x4206, 0x4207


def test_P04_a_blocked_event_loop_ends_the_program_with_70(tmp_path):
    """The thread of the loop is held (as a debugger would), the others go on: the guard must notice."""
    house = House(tmp_path, [])
    house.write([P1.format(link=f"serial: {house.tty('p1')}")])
    libc = ctypes.CDLL(None, use_errno=True)
    with house.bridge() as bridge:
        wait_for(lambda: "no_device" in bridge.log(), "the program works")
        pid = bridge.process.pid
        if libc.ptrace(PTRACE_SEIZE, pid, 0, 0) != 0:
            pytest.skip("no right to hold a thread here")
        begin = time.monotonic()
        assert libc.ptrace(PTRACE_INTERRUPT, pid, 0, 0) == 0
        status = 0

        def ended():
            nonlocal status
            found, status = os.waitpid(pid, os.WNOHANG)
            return found == pid and (os.WIFEXITED(status) or os.WIFSIGNALED(status))

        wait_for(ended, "the program ends", 60 * SLACK)
        print(f"blocked loop: ended after {time.monotonic() - begin:.1f} s")
        bridge.process.returncode = os.WEXITSTATUS(status) if os.WIFEXITED(status) else -1
        assert bridge.process.returncode == 70
        assert bridge.log().count("event loop is blocked") == 1
