# SPDX-License-Identifier: MIT
"""Telegrams of about 460 bytes with ten measured values, made here: P1 for us, SML for vzlogger.

Each P1 telegram carries a number of its own as its message, so that a lost one is seen at the other end.
"""
import re
import time

P1_NUMBER = re.compile(rb'"message","text":"(\d{7})"')
STATE_NUMBER = re.compile(rb'"message":"(\d{7})"')


def _table(reflected):
    table = []
    for byte in range(256):
        for _ in range(8):
            byte = (byte >> 1) ^ reflected if byte & 1 else byte >> 1
        table.append(byte)
    return table


ARC = _table(0xA001)
X25 = _table(0x8408)


def crc(table, data, state):
    for byte in data:
        state = (state >> 8) ^ table[(state ^ byte) & 0xFF]
    return state


class P1:
    """Telegrams of one meter. Only what follows the number is summed for each of them."""

    def __init__(self, meter=1):
        serial = f"BENCH{meter:09d}".encode().hex()
        self.head = "\r\n".join([
            "/MBR5\\2BENCHMARK-1", "", "1-3:0.2.8(50)", f"0-0:1.0.0({time.strftime('%y%m%d%H%M%S', time.gmtime(time.time() + 3600))}W)",
            f"0-0:96.1.1({serial})", "1-0:1.8.1(012345.678*kWh)", "1-0:1.8.2(023456.789*kWh)",
            "1-0:2.8.1(001234.567*kWh)", "1-0:2.8.2(002345.678*kWh)", "0-0:96.14.0(0002)", "1-0:1.7.0(00.428*kW)",
            "1-0:2.7.0(00.000*kW)", "0-0:96.7.21(00012)", "0-0:96.7.9(00002)", "1-0:32.32.0(00003)",
            "1-0:32.7.0(230.1*V)", "1-0:31.7.0(001.86*A)", "1-0:21.7.0(00.428*kW)", "1-0:22.7.0(00.000*kW)",
            "0-0:96.13.0("]).encode()
        self.state = crc(ARC, self.head, 0)

    def telegram(self, number):
        tail = f"{number:07d}".encode().hex().encode() + b")\r\n!"
        return self.head + tail + b"%04X\r\n" % crc(ARC, tail, self.state)


def p1_numbers(payloads):
    """The numbers in payloads of the telegram topic, in order of arrival."""
    return [int(found.group(1)) for found in map(P1_NUMBER.search, payloads) if found]


def _octets(data):
    size = len(data) + 1
    return (bytes([size]) if size < 16 else bytes([0x80 | (size + 1) >> 4, (size + 1) & 15])) + data


def _number(kind, size, value):
    return bytes([kind | (size + 1)]) + value.to_bytes(size, "big", signed=kind == 0x50)


def _list(*parts):
    return bytes([0x70 | len(parts)]) + b"".join(parts)


ABSENT = b"\x01"


def _message(number, tag, body):
    data = b"\x76" + _octets(b"BENCH%03d" % number) + _number(0x60, 1, 0) + _number(0x60, 1, 0) + \
        _list(_number(0x60, 4, tag), body)
    check = crc(X25, data, 0xFFFF) ^ 0xFFFF
    return data + b"\x63" + check.to_bytes(2, "little") + b"\x00"


SML_VALUES = [(0x01, 0x08, 0, 30, -1, 8, 123456789), (0x01, 0x08, 1, 30, -1, 8, 23456789),
              (0x01, 0x08, 2, 30, -1, 8, 100000000), (0x02, 0x08, 0, 30, -1, 8, 34567890),
              (0x02, 0x08, 1, 30, -1, 8, 4567890), (0x02, 0x08, 2, 30, -1, 8, 30000000),
              (0x10, 0x07, 0, 27, 0, 4, 428), (0x24, 0x07, 0, 27, 0, 4, 428),
              (0x20, 0x07, 0, 35, -1, 4, 2301), (0x1F, 0x07, 0, 33, -2, 4, 186)]
SML_CODES = [f"1-0:{c}.{d}.{e}*255" for c, d, e, *_ in SML_VALUES]


def sml():
    server = bytes.fromhex("0a014d425200012345678901")
    entries = [_list(_octets(bytes([1, 0, 0x60, 0x32, 1, 1])), ABSENT, ABSENT, ABSENT, ABSENT, _octets(b"MBR"), ABSENT),
               _list(_octets(bytes([1, 0, 0x60, 1, 0, 255])), ABSENT, ABSENT, ABSENT, ABSENT, _octets(server), ABSENT)]
    for c, d, e, unit, scale, size, value in SML_VALUES:
        entries.append(_list(_octets(bytes([1, 0, c, d, e, 255])), _number(0x60, 4, 0x00000182), ABSENT,
                             _number(0x60, 1, unit), _number(0x50, 1, scale), _number(0x50, size, value), ABSENT))
    clock = _list(_number(0x60, 1, 1), _number(0x60, 4, 123456))
    file = (_message(1, 0x101, _list(ABSENT, ABSENT, _octets(b"FILE0001"), _octets(server), clock, ABSENT))
            + _message(2, 0x701, _list(ABSENT, _octets(server), _octets(bytes([1, 0, 0x62, 0x0A, 255, 255])), clock,
                                       _list(*entries), ABSENT, ABSENT))
            + _message(3, 0x201, _list(ABSENT)))
    padding = -len(file) % 4
    framed = bytes.fromhex("1b1b1b1b01010101") + file + bytes(padding) + b"\x1b\x1b\x1b\x1b\x1a" + bytes([padding])
    return framed + (crc(X25, framed, 0xFFFF) ^ 0xFFFF).to_bytes(2, "little")
