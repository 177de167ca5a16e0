# SPDX-License-Identifier: MIT
"""Real parts for the end-to-end tests: a mosquitto, simulated meters, the bridge, and somebody who listens.

Everything listens on loopback, on ports that were free a moment ago, and is ended by whoever started it.
"""
import fcntl
import json
import os
import pathlib
import queue
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time

import paho.mqtt.client as mqtt

BINARY = os.environ.get("METERBRIDGE_BINARY", "meterbridge")
ROOT = pathlib.Path(__file__).resolve().parents[2]
# Sanitizer builds and a busy machine are slow; a deadline here only has to tell "never" from "late".
PATIENCE = float(os.environ.get("METERBRIDGE_TEST_PATIENCE", "30"))


_ports = []  # locked as long as this process lives


def free_port():
    """Below the numbers that the kernel gives away by itself, and never the same for two tests at once."""
    while True:
        port = random.randrange(18000, 32000)
        lock = open(os.path.join(tempfile.gettempdir(), f"meterbridge-test-port-{port}"), "w")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", port))
        except OSError:
            lock.close()
            continue
        _ports.append(lock)
        return port


def wait_for(condition, what, patience=PATIENCE):
    """Polls a condition that has no event to wait for; returns its value."""
    end = time.monotonic() + patience
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < end, f"not within {patience} s: {what}"
        threading.Event().wait(0.02)


class Process:
    def __init__(self, arguments, log, environment=None, within=()):
        self.log_path = log
        self.log_file = open(log, "ab")
        self.process = subprocess.Popen([*within, BINARY, *arguments], stdout=self.log_file, stderr=self.log_file,
                                        stdin=subprocess.DEVNULL, env={**os.environ, **(environment or {})})

    def log(self):
        return self.log_path.read_text(errors="replace")

    def alive(self):
        return self.process.poll() is None

    def stop(self, how=signal.SIGTERM, patience=PATIENCE):
        if self.alive():
            self.process.send_signal(how)
        code = self.process.wait(patience)
        self.log_file.close()
        return code

    def __enter__(self):
        return self

    def __exit__(self, *_):
        # Killed, a simulator leaves its link, and the kernel gives the terminal behind it to another test.
        if self.alive():
            self.process.terminate()
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.log_file.close()


class Mosquitto:
    def __init__(self, folder, port=None, extra=""):
        self.port = port or free_port()
        self.conf = folder / f"mosquitto-{self.port}.conf"
        self.conf.write_text(f"listener {self.port} 127.0.0.1\nallow_anonymous true\npersistence false\n"
                             f"user root\nset_tcp_nodelay true\nmax_queued_messages 0\n{extra}")
        self.process = None

    def start(self):
        program = shutil.which("mosquitto") or "/usr/sbin/mosquitto"
        self.process = subprocess.Popen([program, "-c", str(self.conf)], stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL)
        wait_for(self.answers, "mosquitto listens")
        return self

    def answers(self):
        assert self.process.poll() is None, "mosquitto ended"
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
            return True
        except OSError:
            return False

    def stop(self, how=signal.SIGTERM):
        if self.process and self.process.poll() is None:
            self.process.send_signal(how)
            self.process.wait(10)

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()


class Observer:
    """Hears everything at a broker, with order and retained flags."""

    def __init__(self, port, account=(None, None)):
        """account: name and password, for brokers that let nobody else in."""
        self.messages = []
        self.changed = threading.Condition()
        self.ready = threading.Event()
        self.client = mqtt.Client(client_id="", protocol=mqtt.MQTTv311)
        self.client.username_pw_set(*account)
        self.client.on_connect = lambda client, *_: client.subscribe("#", 1)
        self.client.on_subscribe = lambda *_: self.ready.set()
        self.client.on_message = self._take
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()
        assert self.ready.wait(PATIENCE)

    def _take(self, _client, _data, message):
        with self.changed:
            self.messages.append((message.topic, message.payload.decode("utf-8", "replace"), message.retain))
            self.changed.notify_all()

    def count(self):
        with self.changed:
            return len(self.messages)

    def wait(self, test, what, after=0, patience=PATIENCE):
        """The first message from number `after` on for which test(topic, payload) is true."""
        end = time.monotonic() + patience
        at = after
        with self.changed:
            while True:
                while at < len(self.messages):
                    topic, payload, _ = self.messages[at]
                    if test(topic, payload):
                        return self.messages[at]
                    at += 1
                left = end - time.monotonic()
                assert left > 0, f"not within {patience} s: {what}; topics seen: {sorted({m[0] for m in self.messages})}"
                self.changed.wait(left)

    def wait_topic(self, topic, after=0, payload=None, patience=PATIENCE):
        return self.wait(lambda t, p: t == topic and (payload is None or p == payload), f"{topic} = {payload}", after,
                         patience)[1]

    def wait_json(self, topic, test=lambda _: True, after=0, patience=PATIENCE):
        return json.loads(self.wait(lambda t, p: t == topic and p and test(json.loads(p)), f"JSON on {topic}", after,
                                    patience)[1])

    def publish(self, topic, payload, retain=False):
        self.client.publish(topic, payload, qos=1, retain=retain).wait_for_publish()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.client.loop_stop()
        self.client.disconnect()


def retained(port, quiet=0.5, account=(None, None)):
    """What a newcomer finds at the broker: topic -> payload."""
    found = {}
    arrivals = queue.Queue()
    client = mqtt.Client(client_id="", protocol=mqtt.MQTTv311)
    client.username_pw_set(*account)
    client.on_connect = lambda c, *_: c.subscribe("#", 1)
    client.on_message = lambda _c, _d, m: arrivals.put(m)
    subscribed = threading.Event()
    client.on_subscribe = lambda *_: subscribed.set()
    client.connect("127.0.0.1", port)
    client.loop_start()
    assert subscribed.wait(PATIENCE)
    while True:
        try:
            message = arrivals.get(timeout=quiet)
        except queue.Empty:
            break
        if message.retain:
            found[message.topic] = message.payload.decode()
    client.loop_stop()
    client.disconnect()
    return found


class House:
    """A scratch folder with a configuration, its broker port, and makers of its processes."""

    def __init__(self, folder, meters, port=None, mqtt_extra="", extra=""):
        self.folder = folder
        self.port = port or free_port()
        self.file = folder / "meterbridge.yaml"
        self.write(meters, mqtt_extra, extra)
        self.runs = 0

    def write(self, meters, mqtt_extra="", extra=""):
        self.file.write_text(f"state_directory: {self.folder}/state\n"
                             f"mqtt: {{host: 127.0.0.1, port: {self.port}{mqtt_extra}}}\n{extra}\nmeters:\n"
                             + "".join(f"  - {meter}\n" for meter in meters))

    def tty(self, name):
        return f"{self.folder}/{name}"

    def broker(self, extra=""):
        return Mosquitto(self.folder, self.port, extra)

    def bridge(self, *arguments, environment=None):
        self.runs += 1
        return Process(["run", "-c", str(self.file), *arguments], self.folder / f"run-{self.runs}.log", environment)

    def simulate(self, *arguments, within=()):
        """Meters on request; ready when it says so."""
        self.runs += 1
        process = Process(["simulate", *arguments], self.folder / f"simulate-{self.runs}.log", within=within)
        wait_for(lambda: "READY" in process.log() or not process.alive(), "the simulator is ready")
        assert process.alive(), process.log()
        return process

    def call(self, *arguments, patience=PATIENCE, stdin=b"", environment=None):
        return subprocess.run([BINARY, *arguments], input=stdin, capture_output=True, timeout=patience,
                              env={**os.environ, **(environment or {})})
