# SPDX-License-Identifier: MIT
"""Everything that is real: servers behind paths, meters, disks, a clock, and the bridge, which is watched all the time."""
import concurrent.futures
import contextlib
import http.client
import json
import os
import pathlib
import subprocess
import threading
import time
import urllib.request

from house import BINARY, House, Mosquitto, free_port
from meters import Ce102, ModbusTcp, P1, Publisher
from hole import Hole
from servers import Carbon, Influxd, MariaDb, PostgreSql, VictoriaMetrics
from wrong_clock import preload

SERVERS = {"influx": Influxd, "victoria": VictoriaMetrics, "carbon": Carbon, "maria": MariaDb, "postgres": PostgreSql}
COMMIT = 1.0   # s: journal.commit
DISK = 64      # MB of each small file system
PACE = 0.1     # s between two telegrams of a meter that sends by itself


class Glance:
    """What the bridge said of itself at one moment."""

    def __init__(self, status, pid):
        self.moment = time.monotonic()
        self.memory = status["memory"]
        self.descriptors = len(os.listdir(f"/proc/{pid}/fd"))
        self.sinks = {sink["name"]: (sink["written"], sink["lag"]) for sink in status["sinks"]}
        self.refused = sum(sink["refused"] for sink in status["sinks"])
        self.dropped = sum(sink["dropped"] for sink in status["sinks"])
        self.journal = status["journal"]["text"]


class Town:
    def __init__(self, folder, servers):
        self.folder = folder
        self.servers = {name: SERVERS[name](folder) for name in servers}
        self.broker = Mosquitto(folder)
        self.paths = {name: Hole(server.port) for name, server in self.servers.items()}
        self.paths["broker"] = Hole(self.broker.port)
        plc = free_port()
        self.paths["plc"] = Hole(plc)
        self.meters = {"p1": P1(PACE, folder / "tty-p1"), "flat": Ce102(folder / "tty-flat"), "plc": ModbusTcp(plc),
                       "shop": Publisher(0.3, self.broker.port)}
        self.disks = {"files": folder / "csv", "state": folder / "state"}
        self.small = []   # of them, those that are file systems of their own
        self.page = free_port()
        self.house = House(folder, [], self.paths["broker"].port)
        self.write_configuration()
        self.environment, self.clock = preload(folder) if "asan" not in BINARY else ({}, None)
        self.lock = threading.Lock()
        self.bridge = None
        self.meant_to_run = False
        self.lives = []        # of the bridge: lists of glances
        self.complaints = []
        self.over = threading.Event()

    def write_configuration(self):
        tty = self.folder
        sinks = "".join(f"  {name}: {{{self.behind_path(name)}}}\n" for name in self.servers)
        self.house.write([
            f"{{id: p1, profile: p1, link: {{serial: {tty}/tty-p1}}, country: nl, publish: every}}",
            f"{{id: flat, profile: energomera-ce102, address: 7, tariffs: 0, decimals: 3, interval: 300ms, publish: every, "
            f"link: {{serial: {tty}/tty-flat}}}}",
            f"{{id: plc, profile: owen-plc210, address: 1, interval: 300ms, publish: every, "
            f"link: {{tcp: '127.0.0.1:{self.paths['plc'].port}'}}, "
            "registers: [{key: energy_import, function: 4, address: 0, type: u32, scale: 0.001, unit: kWh}]}",
            f"{{id: shop, profile: esp32-flat-json, link: {{mqtt: {Publisher.TOPIC}}}, interval: 1s, publish: every}}"],
            ", keepalive: 10s", f"journal: {{commit: {round(COMMIT * 1000)}ms}}\n"
            f"http: {{listen: '127.0.0.1:{self.page}'}}\n"
            f"sinks:\n  csv: {{directory: {self.disks['files']}, flush_interval: 200ms, sync: 500ms, min_free: 0MB}}\n" + sinks)

    def behind_path(self, name):
        server = self.servers[name]
        return server.settings().replace(str(server.port), str(self.paths[name].port))

    def places(self):
        """Where faults may happen, for the schedule."""
        return {"bridge": ["bridge"], "clock": ["clock"] if self.clock else [], "disks": self.small,
                "servers": [*self.servers, "broker"], "paths": list(self.paths), "lines": ["p1", "flat"],
                "meters": list(self.meters)}

    def server(self, name):
        return self.broker if name == "broker" else self.servers[name]

    @contextlib.contextmanager
    def running(self):
        with contextlib.ExitStack() as stack:
            for name, place in self.disks.items():
                place.mkdir()
                if os.geteuid() == 0 and subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK}m", "none", place],
                                                        capture_output=True).returncode == 0:
                    self.small.append(name)
                    stack.callback(subprocess.run, ["umount", "-l", place], check=False)
            with concurrent.futures.ThreadPoolExecutor() as pool:
                list(pool.map(lambda server: server.start(), (*self.servers.values(), self.broker)))
            for part in (*self.servers.values(), self.broker):
                stack.callback(part.__exit__)
            for path in self.paths.values():
                stack.enter_context(path)
            for meter in self.meters.values():
                meter.start()
                stack.callback(meter.stop)
            stack.callback(self.end_bridge)
            self.start_bridge()
            watcher = threading.Thread(target=self.watch, daemon=True)
            watcher.start()
            stack.callback(self.over.set)
            yield self

    def end_bridge(self):
        self.meant_to_run = False
        if self.bridge:
            with self.bridge:
                pass

    def start_bridge(self):
        with self.lock:
            self.bridge = self.house.bridge(environment=self.environment)
            self.lives.append([])
            self.meant_to_run = True

    def end_of_life(self, how):
        """The bridge is ended by us; its exit code."""
        with self.lock:
            self.meant_to_run = False
            return self.bridge.stop(how)

    def glance(self):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.page}/api/status", timeout=2) as answer:
            return Glance(json.loads(answer.read()), self.bridge.process.pid)

    def watch(self):
        while not self.over.wait(0.5):
            with self.lock:
                bridge, life = self.bridge, self.lives[-1]
                if self.meant_to_run and not bridge.alive():
                    self.complaints.append(f"the bridge ended by itself with code {bridge.process.returncode}: "
                                           f"{bridge.log_path}\n{bridge.log()[-1500:]}")
                    self.meant_to_run = False
                    restart = True
                else:
                    restart = False
            if restart:
                self.start_bridge()
                continue
            try:
                life.append(self.glance())
            except (OSError, ValueError, KeyError, TypeError, http.client.HTTPException):
                pass  # frozen, or on its way in or out

    def logs(self):
        return sorted(self.folder.glob("run-*.log"), key=lambda file: int(file.stem.split("-")[1]))


def fill(place):
    """Not a byte is left on this small file system."""
    with open(pathlib.Path(place) / "filler", "wb", buffering=0) as file:
        try:
            while file.write(bytes(65536)) == 65536:
                pass
            while file.write(bytes(512)):
                pass
        except OSError:
            pass
