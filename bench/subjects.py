# SPDX-License-Identifier: MIT
"""The programs that are measured: how each is configured and started, and what it sends for one telegram."""
import json
import pathlib
import shutil
import subprocess
import uuid

import telegrams


class Meterbridge:
    name = "meterbridge"
    first = last = b"/state"  # one message for each telegram
    per_telegram = 1

    def __init__(self, binary, version):
        self.binary = pathlib.Path(binary)
        self.version = version

    def telegrams(self, meter, count, first=0):
        one = telegrams.P1(meter)
        return [one.telegram(number) for number in range(first, first + count)]

    def command(self, folder, lines, broker, qos=0, whole=False, tls=False):
        """`whole`: also every telegram on its topic, where none may be missing."""
        secure = f", tls: {{ca: {broker.certificate}}}" if tls else ""
        port = broker.tls_port if tls else broker.port
        meters = "".join(f"  - {{id: m{number}, profile: p1, interval: 1s, publish: every, telegram: {str(whole).lower()}, "
                         f"link: {{serial: {line.name}}}}}\n" for number, line in enumerate(lines, 1))
        file = pathlib.Path(folder) / "meterbridge.yaml"
        file.write_text(f"instance: bench\nstate_directory: {folder}/state\n"
                        f"mqtt: {{host: 127.0.0.1, port: {port}, qos: {qos}{secure}}}\nmeters:\n{meters}")
        return [str(self.binary), "run", "-c", str(file)]

    topics = ("bench/+/state", "bench/+/telegram")
    readings = ("bench/+/state",)

    def missing(self, messages, count):
        """How many of the telegrams 0..count-1 did not come out at the other end."""
        seen = telegrams.p1_numbers(payload for topic, payload in messages if topic.endswith(b"/telegram"))
        return count - len(set(seen) & set(range(count)))

    def size(self, folder):
        stripped = pathlib.Path(folder) / "stripped"
        subprocess.run(["strip", "-o", str(stripped), str(self.binary)], check=True)
        return stripped.stat().st_size / 1e6


class Vzlogger:
    """In its own tree; /dev and /proc of the tree are mounted where only the process sees it."""
    name = "vzlogger"
    first = last = b"/raw"
    per_telegram = len(telegrams.SML_CODES)
    topics = readings = ("vz/data/+/raw",)

    def __init__(self, tree):
        self.tree = pathlib.Path(tree)
        asked = subprocess.run(["chroot", str(tree), "dpkg-query", "-W", "-f", "${Version}", "vzlogger"],
                               capture_output=True, text=True)
        self.version = asked.stdout or "unknown version"

    def telegrams(self, _meter, count, first=0):
        return [telegrams.sml()] * count

    def command(self, folder, lines, broker, qos=0, whole=False, tls=False):
        meters = [{"enabled": True, "allowskip": True, "protocol": "sml", "device": line.device, "baudrate": 9600,
                   "parity": "8n1", "interval": -1, "aggtime": -1, "use_local_time": True,
                   "channels": [{"uuid": str(uuid.uuid4()), "api": "null", "identifier": code}
                                for code in telegrams.SML_CODES]} for line in lines]
        secure = {"cafile": "/tmp/broker.pem"} if tls else {}
        if tls:
            shutil.copy(broker.certificate, self.tree / "tmp/broker.pem")
        settings = {"verbosity": 0, "retry": 5, "meters": meters,
                    "mqtt": {"enabled": True, "host": "127.0.0.1", "port": broker.tls_port if tls else broker.port,
                             "topic": "vz/data", "retain": False, "rawAndAgg": False, "qos": qos, "timestamp": True, **secure}}
        (self.tree / "tmp/bench.json").write_text(json.dumps(settings))
        script = ('mount --bind /dev "$0/dev" && mount --bind /dev/pts "$0/dev/pts" && mount -t proc proc "$0/proc" && '
                  'exec chroot "$0" vzlogger -f -c /tmp/bench.json -o /tmp/bench.log')
        return ["unshare", "--mount", "--propagation", "private", "sh", "-c", script, str(self.tree)]

    def missing(self, messages, count):
        return count * self.per_telegram - len(messages)

    def size(self, _folder):
        return (self.tree / "usr/bin/vzlogger").stat().st_size / 1e6
