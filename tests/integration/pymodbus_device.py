# SPDX-License-Identifier: MIT
"""pymodbus as an independent device: frames, registers and number formats are its own, the wire is a pseudo-terminal or TCP."""
import os
import pty
import random
import select
import socket
import threading
import tty

from pymodbus.datastore import ModbusSequentialDataBlock, ModbusServerContext, ModbusSlaveContext
from pymodbus.factory import ServerDecoder
from pymodbus.framer.rtu_framer import ModbusRtuFramer
from pymodbus.framer.socket_framer import ModbusSocketFramer

SIZE = 60  # registers; what lies behind them does not exist


class Device:
    def __init__(self, unit, registers):
        """registers: the words from address 0 on."""
        words = list(registers) + [0] * (SIZE - len(registers))
        # Its addresses begin with 1.
        self.store = ModbusSlaveContext(hr=ModbusSequentialDataBlock(1, words), ir=ModbusSequentialDataBlock(1, words))
        self.context = ModbusServerContext(slaves={unit: self.store}, single=False)
        self.functions = []
        self.dice = random.Random(unit)
        self.stopping = False
        self.threads = []

    def answers(self, framer, block, units):
        """What it says to a block of bytes, in any cut."""
        said = []

        def execute(request):
            self.functions.append(request.function_code)
            unit = request.unit_id
            if unit not in self.context.slaves():
                return
            reply = request.execute(self.context[unit])
            if reply.should_respond:
                reply.transaction_id, reply.unit_id = request.transaction_id, unit
                said.append(framer.buildPacket(reply))

        framer.processIncomingPacket(block, execute, units, single=False)
        return said

    def in_pieces(self, packet):
        while packet:
            length = self.dice.randrange(1, 8)
            yield packet[:length]
            packet = packet[length:]

    def run(self, function, *arguments):
        thread = threading.Thread(target=function, args=arguments, daemon=True)
        thread.start()
        self.threads.append(thread)

    def serve(self, framer, descriptor, units):
        while not self.stopping:
            if not select.select([descriptor], [], [], 0.2)[0]:
                continue
            try:
                block = os.read(descriptor, 256)
                for packet in self.answers(framer, block, units) if block else ():
                    for piece in self.in_pieces(packet):
                        os.write(descriptor, piece)
                        threading.Event().wait(0.002)  # of the wire: the pieces arrive by themselves
            except OSError:
                return
            if not block:
                return

    def on_line(self, units):
        outer, inner = pty.openpty()
        tty.setraw(inner)
        self.run(self.serve, ModbusRtuFramer(ServerDecoder()), outer, units)
        return os.ttyname(inner)

    def listen(self, port, units):
        listener = socket.create_server(("127.0.0.1", port))
        listener.settimeout(0.2)

        def accept():
            while not self.stopping:
                try:
                    peer, _ = listener.accept()
                except TimeoutError:
                    continue
                with peer:
                    self.serve(ModbusSocketFramer(ServerDecoder()), peer.fileno(), units)
            listener.close()

        self.run(accept)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stopping = True
        for thread in self.threads:
            thread.join(5)
