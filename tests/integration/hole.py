# SPDX-License-Identifier: MIT
"""A path that stops passing bytes without closing anything, as a switch without power does."""
import select
import threading

from two_brokers import Path


class Hole(Path):
    def __init__(self, to):
        self.flow = threading.Event()
        self.flow.set()
        self.era = 0
        self.forgotten = []
        self.trap = None      # bytes before which the path stops passing anything
        self.sprung = threading.Event()
        super().__init__(to)

    def _carry(self, a, b):
        era = self.era
        try:
            while True:
                data = a.recv(65536)
                if self.trap and self.trap in data:
                    self.trap = None
                    self.flow.clear()
                    self.sprung.set()
                self.flow.wait()
                if era != self.era:
                    return  # whoever forgot this connection never says a word of it again
                if not data:
                    break
                b.sendall(data)
        except OSError:
            self.flow.wait()
            if era != self.era:
                return
        self._over(a, b)

    def drop(self):
        self.flow.clear()

    def resume(self, forget):
        if forget:
            self.era += 1
            self.forgotten = [pair for pair in self.forgotten + self.pairs if not self._left(pair[0])]
            self.pairs = []
        self.flow.set()

    @staticmethod
    def _left(end):
        """Whoever had it open has closed it."""
        look = select.poll()
        look.register(end, select.POLLRDHUP)
        return any(found & (select.POLLRDHUP | select.POLLHUP | select.POLLNVAL) for _, found in look.poll(0))

    def cut(self):
        self.flow.set()
        super().cut()

    def __exit__(self, *problem):
        super().__exit__(*problem)
        for pair in self.forgotten:
            self._end(*pair)
