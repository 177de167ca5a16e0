# SPDX-License-Identifier: MIT
"""A house with its broker, another broker, and a path between them that can be cut."""
import socket
import threading

from house import House, Mosquitto, free_port


class Path:
    """A TCP path to a broker, which can be cut and mended."""

    def __init__(self, to):
        self.to = to
        self.port = free_port()
        self.pairs = []
        self.pieces = 0   # a slow line passes on so many bytes at once
        self.sees = None  # what passes; true cuts this connection before it
        self.mend()

    def mend(self):
        self.server = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self._accept, args=(self.server,), daemon=True).start()

    def _accept(self, server):
        while True:
            try:
                here, _ = server.accept()
            except OSError:
                return
            try:
                there = socket.create_connection(("127.0.0.1", self.to))
            except OSError:
                here.close()
                continue
            self.pairs.append((here, there))
            for a, b in ((here, there), (there, here)):
                threading.Thread(target=self._carry, args=(a, b), daemon=True).start()

    def _carry(self, a, b):
        try:
            while data := a.recv(65536):
                if self.sees and self.sees(data):
                    break
                step = self.pieces or len(data)
                for at in range(0, len(data), step):
                    b.sendall(data[at:at + step])
                    if self.pieces:
                        threading.Event().wait(0.003)
        except OSError:
            pass
        self._over(a, b)

    def _over(self, a, b):
        """Nobody keeps the sockets then, and they are closed: one path has thousands of connections in a long test."""
        self._end(a, b)
        for pair in ((a, b), (b, a)):
            if pair in self.pairs:
                self.pairs.remove(pair)

    @staticmethod
    def _end(*ends):
        for end in ends:
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def cut(self):
        self.server.shutdown(socket.SHUT_RDWR)  # ends accept(), too
        self.server.close()
        for pair in self.pairs:
            self._end(*pair)
        self.pairs = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.server.fileno() >= 0:
            self.cut()


class Site:
    """A house with its broker, and another broker at the far end of a path."""

    def __init__(self, folder, what, meters=(), extra="", broker_extra="", version="5"):
        self.house = House(folder, [])
        self.far = Mosquitto(folder, extra=broker_extra)
        self.near = self.house.broker(broker_extra)
        self.path = Path(self.far.port)
        self.bridge_lines = (f"bridges:\n  - {{name: ha, host: 127.0.0.1, port: {self.path.port}, version: {version}, "
                             f"{what}}}\n")
        self.house.write([m.format(tty=self.house.tty("p1")) for m in meters], f", version: {version}",
                         self.bridge_lines + extra)

    def __enter__(self):
        self.near.start()
        self.far.start()
        self.path.__enter__()
        return self

    def __exit__(self, *problem):
        self.path.__exit__(*problem)
        self.far.__exit__(*problem)
        self.near.__exit__(*problem)

    def run(self):
        return self.house.bridge()
