# SPDX-License-Identifier: MIT
"""pyserial's RFC 2217 server before one end of a pseudo-terminal. The speed is that of the terminal; a terminal has no parity,
so this plays it: who does not listen with 7E1 sees the parity of each byte as its eighth bit."""
import os
import select
import socket
import termios
import threading

import serial
import serial.rfc2217


class Port:
    """As much of a serial.Serial as the server wants. It keeps what it was set to."""

    cts = dsr = ri = cd = rts = dtr = xonxoff = rtscts = break_condition = False

    def __init__(self, path):
        self.descriptor = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        self.asked = []
        self.bytesize, self.parity, self.stopbits, self.baudrate = 8, "N", 1, 9600

    def __setattr__(self, name, value):
        object.__setattr__(self, name, value)
        if name == "baudrate":
            mode = termios.tcgetattr(self.descriptor)
            mode[0] = mode[1] = mode[3] = 0
            mode[2] = termios.CS8 | termios.CREAD | termios.CLOCAL
            mode[4] = mode[5] = getattr(termios, f"B{value}")
            termios.tcsetattr(self.descriptor, termios.TCSANOW, mode)
        if name in ("baudrate", "bytesize", "parity", "stopbits"):
            self.asked.append((name, value))

    def get_settings(self):
        return {}

    def reset_input_buffer(self):
        termios.tcflush(self.descriptor, termios.TCIFLUSH)

    def reset_output_buffer(self):
        termios.tcflush(self.descriptor, termios.TCOFLUSH)

    def read(self):
        block = os.read(self.descriptor, 4096)
        if (self.bytesize, self.parity) == (7, "E"):
            return bytes(b & 0x7F for b in block)
        return bytes((b & 0x7F) | ((b & 0x7F).bit_count() % 2) << 7 for b in block)


class Server:
    """One connection at a time, as those boxes do."""

    def __init__(self, path, port):
        self.serial = Port(path)
        self.listener = socket.create_server(("127.0.0.1", port))
        self.stopping = False
        self.thread = threading.Thread(target=self.accept, daemon=True)
        self.thread.start()

    def accept(self):
        while not self.stopping:
            if not select.select([self.listener], [], [], 0.1)[0]:
                continue
            peer, _ = self.listener.accept()
            with peer:
                try:
                    self.serve(peer)
                except OSError:
                    pass
        self.listener.close()

    def serve(self, peer):
        class Connection:
            write = staticmethod(peer.sendall)

        manager = serial.rfc2217.PortManager(self.serial, Connection)
        while not self.stopping:
            ready = select.select([peer, self.serial.descriptor], [], [], 0.1)[0]
            if peer in ready:
                block = peer.recv(1024)
                if not block:
                    return
                data = b"".join(manager.filter(block))
                if data:
                    os.write(self.serial.descriptor, data)
            if self.serial.descriptor in ready:
                peer.sendall(b"".join(manager.escape(self.serial.read())))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stopping = True
        self.thread.join(5)
        os.close(self.serial.descriptor)
