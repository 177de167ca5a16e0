# SPDX-License-Identifier: MIT
"""Four meters that count: number n is the counter 1000 + n/1000 kWh, so that every sample tells which one it is.

Each keeps what it said and when, and can be made hostile. What a hostile one sends fits no check, or is no reading; had the
bridge believed it, a count would turn up that was never sent.
"""
import fcntl
import json
import os
import select
import socket
import struct
import threading
import time
import tty

import paho.mqtt.client as mqtt

from test_nothing_lost import Feeder, crc16


# s: a question that comes sooner was asked before the answer, one that comes later may be the same once more.
HURRY, PATIENCE = 0.1, 1.0


class Counting(threading.Thread):
    """`said`: number -> moment (monotonic) of those that the bridge must have read, unless something was wrong just then."""

    def __init__(self, pace):
        super().__init__(daemon=True)
        self.pace = pace
        self.number = 0
        self.said = {}
        self.last = 0        # the newest number that must arrive
        self.over = threading.Event()
        self.hostile = None  # the dice of a hostile time

    count = staticmethod(Feeder.count)

    def told(self, number, moment=None):
        self.said[number] = moment or time.monotonic()
        self.last = number

    def stop(self):
        self.over.set()
        self.join(10)


class Terminal(Counting):
    """A meter on a line that may be pulled out."""

    def __init__(self, pace, link):
        super().__init__(pace)
        self.link = link
        self.lock = threading.Lock()
        self.master = self.slave = None
        self.plug()

    def plug(self):
        with self.lock:
            self.master, self.slave = os.openpty()
            tty.setraw(self.slave)
            flags = fcntl.fcntl(self.master, fcntl.F_GETFL)
            fcntl.fcntl(self.master, fcntl.F_SETFL, flags | os.O_NONBLOCK)
            os.symlink(os.ttyname(self.slave), self.link)

    def unplug(self):
        with self.lock:
            os.unlink(self.link)  # first: the number of the terminal may be somebody else's in a moment
            os.close(self.master)
            os.close(self.slave)
            self.master = self.slave = None

    def write(self, data):
        """Whether all of it went out."""
        with self.lock:
            if self.master is None:
                return False
            try:
                while data:
                    data = data[os.write(self.master, data):]
                return True
            except OSError:
                return False


class P1(Terminal):
    """Sends by itself; its own clock makes a second of each telegram."""
    at = Feeder.at
    telegram = Feeder.telegram

    def __init__(self, pace, link):
        super().__init__(pace, link)
        self.start_time = int(time.time()) - 20 * 3600

    def run(self):
        due = time.monotonic()
        while not self.over.is_set():
            dice = self.hostile
            if dice:
                self.misbehave(dice)
            self.number += 1
            if self.write(self.telegram(self.number)) and not dice:
                self.told(self.number)
            due = max(due + self.pace, time.monotonic() - 1)
            self.over.wait(max(0.0, due - time.monotonic()))

    def misbehave(self, dice):
        kind = dice.choice(("garbage", "check", "cut", "slow", "endless", "nested"))
        wrong = self.telegram(9_000_000)
        if kind == "garbage":
            self.write(dice.randbytes(dice.randrange(1, 3000)))
        elif kind == "check":
            self.write(wrong[:-6] + b"0000\r\n")
        elif kind == "cut":
            self.write(wrong[:dice.randrange(len(wrong) - 6)])
        elif kind == "slow":
            for byte in wrong[:-6]:
                self.write(bytes([byte]))
                if self.over.wait(0.005):
                    return
        elif kind == "endless":
            self.write(b"/" + b"1-0:1.8.0(9999999.999*kWh)\r\n" * 100)
        else:
            self.write(b"/A(((((" * 300 + b"!" * 300)


def crc8(data):
    value = 0
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = (value << 1 ^ 0xB5 if value & 0x80 else value << 1) & 0xFF
    return value


class Ce102(Terminal):
    """Energomera's protocol, family classic, three decimals. A poll is over when the next one begins."""
    ENERGY, CLOCK = 0x0131, 0x0120

    def __init__(self, link):
        super().__init__(0.1, link)
        self.poll = None  # number, moment, whether all that must be was answered

    def run(self):
        arrived = b""
        while not self.over.is_set():
            master = self.master
            try:
                if master is None or not select.select([master], [], [], 0.1)[0]:
                    self.over.wait(0.02 if master is None else 0)
                    continue
                with self.lock:  # closed meanwhile, its number may be another file's
                    if master == self.master:
                        arrived = (arrived + os.read(master, 4096))[-4096:]
            except (OSError, ValueError):
                self.over.wait(0.02)  # unplugged, or nobody has the port open
                continue
            *frames, arrived = arrived.split(b"\xC0")
            for frame in frames:
                if frame:
                    self.answer(frame.replace(b"\xDB\xDC", b"\xC0").replace(b"\xDB\xDD", b"\xDB"))

    def answer(self, request):
        if len(request) < 13 or crc8(request[:-1]) != request[-1]:
            return
        bridge, command = request[3:5], request[10] << 8 | request[11]
        if command == self.ENERGY:
            if self.poll and self.poll[2]:
                self.told(*self.poll[:2])
            self.number += 1
            self.poll = (self.number, time.monotonic(), False)
        data = {self.ENERGY: lambda: (1000000 + self.number).to_bytes(4, "little"),
                self.CLOCK: lambda: bytes.fromhex("00301206201126"),
                0x0100: lambda: bytes.fromhex("010100010126"),
                0x011A: lambda: b"7654321\0" if request[12] else b"87654321"}.get(command)
        if not data:
            return
        dice = self.hostile
        body = b"\x48" + bridge + request[1:3] + bytes([0x50 | len(data())]) + request[10:12] + data()
        if dice:
            self.poll = None
            self.misbehave(dice, body)
        elif self.write(self.frame(body)) and command == self.CLOCK and self.poll:
            self.poll = (*self.poll[:2], True)

    @staticmethod
    def frame(body, check=0):
        body += bytes([crc8(body) ^ check])
        return b"\xC0" + body.replace(b"\xDB", b"\xDB\xDD").replace(b"\xC0", b"\xDB\xDC") + b"\xC0"

    def misbehave(self, dice, body):
        wrong = body[:8] + b"\x99" * (len(body) - 8)
        kind = dice.choice(("garbage", "check", "stranger", "endless", "silence", "slow", "escape"))
        if kind == "garbage":
            self.write(dice.randbytes(dice.randrange(1, 2000)).replace(b"\xC0", b""))
        elif kind == "check":
            self.write(self.frame(wrong, dice.randrange(1, 256)))
        elif kind == "stranger":
            self.write(self.frame(wrong[:3] + b"\x77\x77" + wrong[5:]))
        elif kind == "endless":
            self.write(b"\xC0" + b"\x48" * 3000)
        elif kind == "slow":
            for byte in self.frame(wrong, 1):
                self.write(bytes([byte]))
                self.over.wait(0.02)
        elif kind == "escape":
            self.write(b"\xC0\xDB\xDB\xDB\xC0" * 20)


class ModbusTcp(Counting):
    """Two input registers. An answer was read when the same connection asks for the next one."""

    def __init__(self, port):
        super().__init__(0.1)
        self.server = socket.create_server(("127.0.0.1", port))
        self.port = port

    def run(self):
        self.server.settimeout(0.2)
        while not self.over.is_set():
            try:
                peer, _ = self.server.accept()
            except TimeoutError:
                continue
            threading.Thread(target=self.serve, args=(peer,), daemon=True).start()
        self.server.close()

    def serve(self, peer):
        before = None
        try:
            while not self.over.is_set():
                head = self.exactly(peer, 12)
                if before and HURRY < time.monotonic() - before[1] < PATIENCE:
                    self.told(*before)
                self.number += 1
                dice, number = self.hostile, self.number
                data = b"\x04\x04" + struct.pack(">I", 1000000 + number)
                answer = head[:2] + struct.pack(">HHB", 0, len(data) + 1, head[6]) + data
                if dice:
                    if not self.misbehave(dice, peer, answer):
                        break
                else:
                    peer.sendall(answer)
                before = None if dice else (number, time.monotonic())
        except OSError:
            pass
        peer.close()

    @staticmethod
    def exactly(peer, count):
        data = b""
        while len(data) < count:
            more = peer.recv(count - len(data))
            if not more:
                raise OSError("closed")
            data += more
        return data

    def misbehave(self, dice, peer, answer):
        """Whether the connection goes on."""
        wrong = answer[:9] + b"\x99" * 4
        kind = dice.choice(("garbage", "huge", "stranger", "other unit", "slow", "close", "silence", "flood", "short"))
        if kind == "garbage":
            peer.sendall(dice.randbytes(dice.randrange(1, 4000)))
        elif kind == "huge":
            peer.sendall(wrong[:4] + b"\xFF\xFF" + wrong[6:] + bytes(50000))
        elif kind == "stranger":
            peer.sendall(bytes([wrong[0] ^ 0x55]) + wrong[1:])
        elif kind == "other unit":
            peer.sendall(wrong[:6] + b"\x63" + wrong[7:])
        elif kind == "slow":
            for byte in wrong[:-1]:
                peer.sendall(bytes([byte]))
                self.over.wait(0.02)
        elif kind == "flood":
            peer.sendall((b"\x77\x77" + wrong[2:]) * 5000)
        elif kind == "short":
            peer.sendall(wrong[:-2])
        return kind != "close"


class Publisher(Counting):
    """One flat JSON document after the other on a topic. Said is what the broker acknowledged."""
    TOPIC = "chaos/shop"

    def __init__(self, pace, port):
        super().__init__(pace)
        self.port = port

    def run(self):
        while not self.over.is_set():
            # A new client each time: the old one would repeat what may have arrived.
            client = mqtt.Client(client_id="", protocol=mqtt.MQTTv311)
            connected = threading.Event()
            client.on_connect = lambda *_, there=connected: there.set()
            try:
                client.connect("127.0.0.1", self.port)
                client.loop_start()
                if connected.wait(3):
                    self.talk(client)
            except (OSError, ValueError, RuntimeError):
                pass
            client.loop_stop()
            client.disconnect()
            self.over.wait(0.2)

    def talk(self, client):
        while not self.over.is_set():
            dice = self.hostile
            if dice:
                self.say(client, self.nonsense(dice))
            self.number += 1
            number = self.number
            self.say(client, json.dumps({"energy_total": float(self.count(number)), "voltage": 230.5}))
            if not dice:
                self.told(number)
            self.over.wait(self.pace)

    def say(self, client, payload):
        sent = client.publish(self.TOPIC, payload, qos=1)
        sent.wait_for_publish(3)
        if not sent.is_published():
            raise OSError("no answer")

    @staticmethod
    def nonsense(dice):
        return dice.choice((
            lambda: dice.randbytes(dice.randrange(1, 5000)),
            lambda: b'{"energy_total":9999.999',
            lambda: b'{"energy_total":1e999}',
            lambda: b'{"energy_total":"9999,999 kWh"}',
            lambda: b"[" * 100000,
            lambda: b'{"energy_total":' + b"9" * 100000 + b"}",
            lambda: b'{"a":"' + b"x" * 1000000 + b'"}',
            lambda: b'{"energy_total":null}'))()
