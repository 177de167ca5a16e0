# SPDX-License-Identifier: MIT
"""What a measurement is made of: a broker, somebody who listens, a serial line, a program under measurement.

All of it is real; everything listens on loopback only.
"""
import os
import pathlib
import re
import select
import shutil
import signal
import socket
import subprocess
import threading
import time
import tty

PATIENCE = 20


def until(condition, what, patience=PATIENCE):
    end = time.monotonic() + patience
    while not (value := condition()):
        if time.monotonic() > end:
            raise RuntimeError(f"not within {patience} s: {what}")
        time.sleep(0.002)
    return value


class Broker:
    """A mosquitto of our own; with `tls` it also has a certificate of its own."""

    def __init__(self, folder, tls=False):
        self.folder = pathlib.Path(folder)
        self.tls = tls
        self.process = None
        self.port = self.tls_port = None
        if tls:
            subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                            "-days", "2", "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout",
                            str(self.key), "-out", str(self.certificate)], check=True, capture_output=True)

    @property
    def certificate(self):
        return self.folder / "broker.pem"

    @property
    def key(self):
        return self.folder / "broker.key"

    def start(self):
        self.port = self.port or _free_port()
        text = (f"listener {self.port} 127.0.0.1\nallow_anonymous true\n")
        if self.tls:
            self.tls_port = self.tls_port or _free_port()
            text += f"listener {self.tls_port} 127.0.0.1\ncertfile {self.certificate}\nkeyfile {self.key}\n"
        # Without no-delay single messages come 40 ms late; the other limits would lose messages, or slow down QoS 1.
        text += ("persistence false\nuser root\nset_tcp_nodelay true\nmax_queued_messages 0\n"
                 "max_inflight_messages 0\nlog_type none\n")
        file = self.folder / "mosquitto.conf"
        file.write_text(text)
        program = shutil.which("mosquitto") or "/usr/sbin/mosquitto"
        self.process = subprocess.Popen([program, "-c", str(file)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until(self._answers, "the broker listens")
        return self

    def _answers(self):
        if self.process.poll() is not None:
            raise RuntimeError("mosquitto ended")
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
            return True
        except OSError:
            return False

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.kill()
            self.process.wait()

    def hang(self):
        """It goes on to take bytes, and answers nothing: its sockets are the kernel's."""
        self.process.send_signal(signal.SIGSTOP)

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()


def _free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _text(value):
    return len(value).to_bytes(2, "big") + value


def _packet(kind, body):
    size = bytearray()
    length = len(body)
    while True:
        length, low = divmod(length, 128)
        size.append(low | (0x80 if length else 0))
        if not length:
            return bytes([kind]) + bytes(size) + body


class Listener:
    """Subscribes at QoS 0 and keeps what comes, unread while it is timed: a client library would be the bottleneck."""

    def __init__(self, port, *topics):
        self.socket = socket.create_connection(("127.0.0.1", port), 5)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.data = bytearray()
        connect = _text(b"MQTT") + b"\x04\x02\x00\x00" + _text(b"bench%d" % time.monotonic_ns())
        self.socket.sendall(_packet(0x10, connect))
        wanted = b"".join(_text(topic.encode()) + b"\x00" for topic in topics)
        self.socket.sendall(_packet(0x82, b"\x00\x01" + wanted))
        self.waiting = []
        until(lambda: any(kind == 0x90 for kind, *_ in self._packets(0.5)), "the subscription is confirmed")
        self.thread = None
        self.last = self.arrived = 0

    def _packets(self, patience):
        ready, _, _ = select.select([self.socket], [], [], patience)
        if ready:
            self.data += self.socket.recv(1 << 20)
            self.arrived = time.monotonic_ns()
        found, self.data = parse(self.data)
        self.waiting += [packet for packet in found if packet[0] & 0xF0 == 0x30]
        return found

    def next(self, wanted, patience=PATIENCE):
        """The next message on a topic that ends like that; `arrived` tells when it came."""
        end = time.monotonic() + patience
        while True:
            while self.waiting:
                _, topic, payload = self.waiting.pop(0)
                if topic.endswith(wanted):
                    return payload
            if time.monotonic() > end:
                raise RuntimeError(f"not within {patience} s: a message on {wanted.decode()}")
            self._packets(min(0.1, patience))

    def drain(self):
        while self._packets(0.2):
            pass
        self.waiting.clear()

    def collect(self):
        """From now on a thread takes everything; finish() tells what came."""
        self.waiting.clear()
        self.blocks = []
        self.stop = False
        self.socket.settimeout(0.1)
        self.thread = threading.Thread(target=self._collect)
        self.thread.start()

    def _collect(self):
        while not self.stop:
            try:
                block = self.socket.recv(1 << 20)
            except TimeoutError:
                continue
            self.last = time.monotonic_ns()
            if not block:
                return
            self.blocks.append(block)

    def finish(self, quiet=0.7):
        """Waits until nothing comes any more: [(topic, payload)], and when the last byte was there."""
        begun = time.monotonic_ns()
        while time.monotonic_ns() - max(self.last, begun) < quiet * 1e9:
            time.sleep(0.05)
        self.stop = True
        self.thread.join()
        found, self.data = parse(self.data + b"".join(self.blocks))
        return [(topic, payload) for kind, topic, payload in found if kind & 0xF0 == 0x30], self.last

    def publish(self, topic, payload):
        self.socket.sendall(_packet(0x30, _text(topic.encode()) + payload))

    def close(self):
        self.socket.close()


def parse(data):
    """MQTT packets in `data` as (kind, topic, payload), and what is left of it."""
    found, at = [], 0
    while True:
        length, shift, begin = 0, 0, at + 1
        while begin < len(data):
            low = data[begin]
            length |= (low & 0x7F) << shift
            shift += 7
            begin += 1
            if low < 0x80:
                break
        else:
            break
        if begin + length > len(data):
            break
        kind, body = data[at], bytes(data[begin:begin + length])
        if kind & 0xF0 == 0x30:
            size = int.from_bytes(body[:2], "big") + 2
            found.append((kind, body[2:size], body[size + (2 if kind & 0x06 else 0):]))
        else:
            found.append((kind, b"", body))
        at = begin + length
    return found, bytearray(data[at:])


class Line:
    """A pseudo-terminal behind a stable name, so that it can go away and come back."""

    def __init__(self, folder, name="tty"):
        self.name = pathlib.Path(folder) / name
        self.master = self.slave = None

    def plug(self):
        self.unplug()
        self.master, self.slave = os.openpty()
        tty.setraw(self.master)
        tty.setraw(self.slave)
        os.set_blocking(self.master, False)
        self.device = os.ttyname(self.slave)
        self.name.symlink_to(self.device)
        return self

    def unplug(self):
        if self.master is None:
            return
        os.close(self.master)
        os.close(self.slave)
        self.master = None
        self.name.unlink()

    def send(self, data):
        """Everything, as fast as the other side takes it."""
        view = memoryview(data)
        while view:
            _, ready, _ = select.select([], [self.master], [], PATIENCE)
            if not ready:
                raise RuntimeError(f"nobody reads {self.name}")
            view = view[os.write(self.master, view):]

    def __enter__(self):
        return self.plug()

    def __exit__(self, *_):
        self.unplug()


class Program:
    """A program under measurement: the process that Popen started, and no child of it."""

    def __init__(self, command, log):
        self.started = time.monotonic_ns()
        with open(log, "ab") as out:
            self.process = subprocess.Popen(command, stdout=out, stderr=out, stdin=subprocess.DEVNULL)
        self.log = pathlib.Path(log)

    @property
    def proc(self):
        return pathlib.Path(f"/proc/{self.process.pid}")

    def cpu(self):
        """Seconds of CPU of all threads; from the scheduler's own account where the kernel has one."""
        times = [task / "schedstat" for task in (self.proc / "task").iterdir()]
        if times and times[0].exists():
            return sum(int(file.read_text().split()[0]) for file in times) / 1e9
        fields = (self.proc / "stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def status(self):
        """Resident memory now and at most (MB), and threads."""
        text = (self.proc / "status").read_text()
        value = lambda name: int(re.search(name + r":\s+(\d+)", text).group(1))  # noqa: E731
        return value("VmRSS") / 1024, value("VmHWM") / 1024, value("Threads")

    def mapped(self):
        """Resident kB of each mapped file, of the heap and of the rest, the largest first."""
        sizes = {}
        for line in (self.proc / "smaps").read_text().splitlines():
            if place := re.match(r"[0-9a-f]+-[0-9a-f]+ \S+ \S+ \S+ \S+\s*(.*)", line):
                name = pathlib.Path(place.group(1)).name or "no file"
            elif line.startswith("Rss:"):
                sizes[name] = sizes.get(name, 0) + int(line.split()[1])
        return sorted(((name, size) for name, size in sizes.items() if size), key=lambda entry: -entry[1])

    def end(self, patience=5):
        """SIGTERM to exit in seconds; nothing when it had to be killed."""
        begun = time.monotonic_ns()
        self.process.terminate()
        try:
            self.process.wait(patience)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            return None
        return (time.monotonic_ns() - begun) / 1e9

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
