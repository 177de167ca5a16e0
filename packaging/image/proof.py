#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs the image of the app as the Supervisor does: its own entry point, /data with the options, a token, and http://supervisor
with the service of the broker. As root without a single capability, which is what apparmor.txt leaves of root.

usage: proof.py REPOSITORY TREE IMAGE.json      in namespaces of its own for mounts, processes and network
"""
import fcntl
import gzip
import http.server
import json
import os
import pathlib
import queue
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request

import paho.mqtt.client as mqtt
import yaml

root, tree, about = (pathlib.Path(argument) for argument in sys.argv[1:])
TOKEN, PASSWORD = "a-token", "a-password"
work = pathlib.Path(tempfile.mkdtemp())


def run(*command):
    subprocess.run([str(word) for word in command], check=True, stdout=subprocess.DEVNULL)


def until(condition, what, seconds=60):
    end = time.monotonic() + seconds
    while True:
        try:
            value = condition()
        except (OSError, urllib.error.URLError):
            value = None
        if value:
            return value
        assert time.monotonic() < end, f"not within {seconds} s: {what}"
        threading.Event().wait(0.01)


class Supervisor(http.server.BaseHTTPRequestHandler):
    asked = []

    def do_GET(self):
        Supervisor.asked.append(self.path)
        allowed = self.headers.get("Authorization") == f"Bearer {TOKEN}"
        answer = {"result": "ok", "data": {"host": "core-mosquitto", "port": 1883, "ssl": False, "protocol": "3.1.1",
                                           "username": "addons", "password": PASSWORD, "addon": "core_mosquitto"}}
        if not allowed or self.path != "/services/mqtt":
            answer = {"result": "error", "message": "Unauthorized" if not allowed else "Not found"}
        text = json.dumps(answer).encode()
        self.send_response(200 if answer["result"] == "ok" else 401 if not allowed else 404)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_):
        pass


# The machine: loopback, a few devices, the Supervisor's folders.
with socket.socket() as anything:
    fcntl.ioctl(anything, 0x8914, struct.pack("16sh14x", b"lo", 0x41))  # SIOCSIFFLAGS: up, running
run("mount", "-t", "proc", "proc", tree / "proc")
run("mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", tree / "dev")
(tree / "dev/pts").mkdir()
run("mount", "-t", "devpts", "-o", "newinstance,ptmxmode=0666", "devpts", tree / "dev/pts")
(tree / "dev/ptmx").symlink_to("pts/ptmx")
for name, minor in (("null", 3), ("urandom", 9)):
    run("mknod", "-m", "666", tree / "dev" / name, "c", "1", minor)
(tree / "etc/hosts").write_text("127.0.0.1 localhost supervisor core-mosquitto\n", encoding="utf-8")
for folder in ("data", "config", "share"):
    (tree / folder).mkdir(exist_ok=True)
    (work / folder).mkdir()
    run("mount", "--bind", work / folder, tree / folder)
app = yaml.safe_load((root / "config.yaml").read_text(encoding="utf-8"))
(work / "data/options.json").write_text(json.dumps(app["options"]), encoding="utf-8")

supervisor = http.server.ThreadingHTTPServer(("127.0.0.1", 80), Supervisor)
threading.Thread(target=supervisor.serve_forever, daemon=True).start()
run("mosquitto_passwd", "-b", "-c", work / "passwords", "addons", PASSWORD)
(work / "mosquitto.conf").write_text(f"listener 1883 127.0.0.1\nallow_anonymous false\npassword_file {work}/passwords\nuser root\n",
                                     encoding="utf-8")
broker = subprocess.Popen(["mosquitto", "-c", work / "mosquitto.conf"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
heard = queue.Queue()


def listen():
    client = mqtt.Client(client_id="", protocol=mqtt.MQTTv311)
    client.username_pw_set("addons", PASSWORD)
    client.on_connect = lambda c, *_: c.subscribe("#", 1)
    client.on_message = lambda _c, _d, message: heard.put((message.topic, message.payload.decode()))
    client.connect("127.0.0.1", 1883)
    client.loop_start()
    return client


client = until(listen, "the broker listens")


def hear(topic, word=""):
    end = time.monotonic() + 60
    while True:
        what, text = heard.get(timeout=max(0.1, end - time.monotonic()))
        if what == topic and word in text:
            return text


image = json.loads(about.read_text(encoding="utf-8"))["OCIv1"]["config"]
assert image["Entrypoint"] == ["/usr/bin/meterbridge"] and image["Cmd"] == ["run", "--app"], image
assert image["Labels"]["io.hass.version"] == app["version"] and image["Labels"]["io.hass.type"] == "app"


def start(log):
    began = time.monotonic()
    program = subprocess.Popen(
        ["chroot", tree, "setpriv", "--bounding-set", "-all", "--inh-caps", "-all", *image["Entrypoint"], *image["Cmd"]],
        env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "TZ": "Europe/Berlin", "SUPERVISOR_TOKEN": TOKEN}, stderr=log, stdout=log)

    def healthy():
        assert program.poll() is None, f"it ended with {program.returncode}: {pathlib.Path(log.name).read_text(errors='replace')}"
        return urllib.request.urlopen("http://127.0.0.1:8099/healthz", timeout=5).status == 200
    until(healthy, "healthz")
    return program, time.monotonic() - began


def stop(program):
    began = time.monotonic()
    program.send_signal(signal.SIGTERM)
    code = program.wait(20)
    return code, time.monotonic() - began


log = open(work / "log", "wb")
program, started = start(log)
example = work / "config/meterbridge.yaml"
until(example.exists, "the example of the first start")
# A port as the host has it: of root and a group, closed for everybody else.
meter = subprocess.Popen(["chroot", tree, "/usr/bin/meterbridge", "simulate", "--profile", "energomera-ce307", "--set", "address=13462",
                          "--pty", "/tmp/meter"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
port = tree / "tmp/meter"
until(port.is_symlink, "the simulated meter")
os.chmod(tree / os.readlink(port).lstrip("/"), 0o660)
example.write_text("meters:\n  - {id: house, profile: energomera-ce307, link: {serial: /tmp/meter}, address: 13462, interval: 1s}\n"
                   "sinks: {csv: {directory: /share/meterbridge}}\n", encoding="utf-8")
# It takes the file over by itself.
assert hear("meterbridge/status") == "online"
assert "/services/mqtt" in Supervisor.asked
reading = hear("meterbridge/house/state", "energy_import")
until(lambda: list((work / "share/meterbridge/house").glob("*.csv")), "the file of readings in /share")
page = urllib.request.urlopen(urllib.request.Request("http://127.0.0.1:8099/", headers={"Accept-Encoding": "gzip"}), timeout=5)
assert page.status == 200 and b"<html" in gzip.decompress(page.read()).lower()
memory = next(int(line.split()[1]) for line in (tree / f"proc/{program.pid}/status").read_text().splitlines()
              if line.startswith("VmRSS"))
rights = next(line.split()[1] for line in (tree / f"proc/{program.pid}/status").read_text().splitlines() if line.startswith("CapEff"))
assert int(rights, 16) == 0
code, stopped = stop(program)
assert code == 0 and stopped < 3, (code, stopped)
assert hear("meterbridge/status", "offline")
program, again = start(log)
code, stopped_again = stop(program)
assert code == 0 and stopped_again < 3, (code, stopped_again)
text = (work / "log").read_text(errors="replace")
assert PASSWORD not in text and TOKEN not in text
for process in (meter, broker):
    process.terminate()
    process.wait(10)
print(f"  healthy after {started * 1000:.0f} ms (first start), {again * 1000:.0f} ms; {memory} kB of memory with a meter; stopped with 0 "
      f"after {stopped * 1000:.0f} and {stopped_again * 1000:.0f} ms")
print(f"  root without a capability; the broker's address from the Supervisor; {reading[:50]}...")
print("the image holds: 1 passed, 0 failed")
