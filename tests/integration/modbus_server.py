# SPDX-License-Identifier: MIT
"""libmodbus as an independent device: what we call Modbus is not only what we think it is."""
import ctypes
import os
import pty
import select
import threading
import tty

LIBRARY = "libmodbus.so.5"
MAX_ADU = 260


class Mapping(ctypes.Structure):
    _fields_ = [(name, ctypes.c_int) for name in (
        "nb_bits", "start_bits", "nb_input_bits", "start_input_bits", "nb_input_registers", "start_input_registers",
        "nb_registers", "start_registers")] + [
        ("tab_bits", ctypes.POINTER(ctypes.c_uint8)), ("tab_input_bits", ctypes.POINTER(ctypes.c_uint8)),
        ("tab_input_registers", ctypes.POINTER(ctypes.c_uint16)), ("tab_registers", ctypes.POINTER(ctypes.c_uint16))]


def library():
    modbus = ctypes.CDLL(LIBRARY, use_errno=True)
    modbus.modbus_new_rtu.restype = ctypes.c_void_p
    modbus.modbus_new_rtu.argtypes = [ctypes.c_char_p, ctypes.c_int, ctypes.c_char, ctypes.c_int, ctypes.c_int]
    modbus.modbus_new_tcp.restype = ctypes.c_void_p
    modbus.modbus_new_tcp.argtypes = [ctypes.c_char_p, ctypes.c_int]
    modbus.modbus_mapping_new.restype = ctypes.POINTER(Mapping)
    for name, arguments in {"modbus_set_slave": [ctypes.c_int], "modbus_connect": [],
                            "modbus_tcp_listen": [ctypes.c_int],
                            "modbus_tcp_accept": [ctypes.POINTER(ctypes.c_int)],
                            "modbus_set_indication_timeout": [ctypes.c_uint32, ctypes.c_uint32],
                            "modbus_receive": [ctypes.c_char_p],
                            "modbus_reply": [ctypes.c_char_p, ctypes.c_int, ctypes.POINTER(Mapping)],
                            "modbus_close": [], "modbus_free": []}.items():
        getattr(modbus, name).argtypes = [ctypes.c_void_p, *arguments]
    return modbus


class Device:
    """One device with 100 registers and bits of each kind; `registers` and `input_registers` may be written to."""

    def __init__(self):
        self.modbus = library()
        self.mapping = self.modbus.modbus_mapping_new(100, 100, 100, 100)
        self.registers = self.mapping.contents.tab_registers
        self.input_registers = self.mapping.contents.tab_input_registers
        self.input_bits = self.mapping.contents.tab_input_bits
        self.requests = []
        self.stopping = False
        self.threads = []

    def serve(self, context):
        """Until the other side is gone, or the test is over."""
        self.modbus.modbus_set_indication_timeout(context, 0, 200_000)
        request = ctypes.create_string_buffer(MAX_ADU)
        while not self.stopping:
            length = self.modbus.modbus_receive(context, request)
            if length > 0:
                self.requests.append(request.raw[:length])
                self.modbus.modbus_reply(context, request, length, self.mapping)
            elif length == -1 and ctypes.get_errno() == 104:  # ECONNRESET
                return

    def run(self, function, *arguments):
        thread = threading.Thread(target=function, args=arguments, daemon=True)
        thread.start()
        self.threads.append(thread)

    def listen(self, port):
        context = self.modbus.modbus_new_tcp(b"127.0.0.1", port)
        listener = ctypes.c_int(self.modbus.modbus_tcp_listen(context, 2))

        def accept():
            while not self.stopping:
                if not select.select([listener.value], [], [], 0.2)[0]:
                    continue
                self.modbus.modbus_tcp_accept(context, ctypes.byref(listener))
                self.serve(context)
            os.close(listener.value)

        self.run(accept)

    def on_line(self, unit):
        """Opens one end of a serial line; returns the path of the other."""
        ends = [pty.openpty(), pty.openpty()]
        for _, slave in ends:
            tty.setraw(slave)
        ours, theirs = ends
        context = self.modbus.modbus_new_rtu(os.ttyname(ours[1]).encode(), 19200, b"N", 8, 1)
        self.modbus.modbus_set_slave(context, unit)
        assert self.modbus.modbus_connect(context) == 0

        def wire():
            masters = {ours[0]: theirs[0], theirs[0]: ours[0]}
            while not self.stopping:
                for ready in select.select(list(masters), [], [], 0.2)[0]:
                    os.write(masters[ready], os.read(ready, 4096))

        self.run(wire)
        self.run(self.serve, context)
        return os.ttyname(theirs[1])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stopping = True
        for thread in self.threads:
            thread.join(5)
