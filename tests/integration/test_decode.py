# SPDX-License-Identifier: MIT
"""`decode` from outside: where a key comes from."""
import json
import os
import subprocess

from house import BINARY, PATIENCE

PLAIN = b"/KFM5KAIFA-METER\r\n\r\n1-0:1.8.1(000123.456*kWh)\r\n!\r\n"
CE102 = b"c048fd009634570130000922ec8b04001bc0"


def decode(data, *arguments, key):
    return subprocess.run([BINARY, "decode", "--json", *arguments, "-"], input=data, capture_output=True,
                          timeout=PATIENCE, check=False, env={**os.environ, "METERBRIDGE_KEY": key})


def test_an_unusable_key_of_the_environment_is_only_a_warning():
    for key in ("abc", "not-a-key-but-a-secret", "0" * 31, "0" * 33):
        done = decode(PLAIN, "--protocol", "p1", "--crc", "off", key=key)
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)["status"] == "ok"
        assert b"METERBRIDGE_KEY is ignored" in done.stderr
        assert key.encode() not in done.stderr
    usable = decode(PLAIN, "--protocol", "p1", "--crc", "off", key="0123456789abcdef0123456789abcde1")
    assert usable.returncode == 0 and usable.stderr == b""
    other = decode(CE102, "--protocol", "ce102", "--hex", key="abc")
    assert other.returncode == 0 and other.stderr == b""


def test_an_unusable_key_of_the_command_line_is_an_error(tmp_path):
    good = "0123456789abcdef0123456789abcde1"
    assert decode(PLAIN, "--protocol", "p1", "--crc", "off", "--key", "abc", key=good).returncode == 2
    file = tmp_path / "key"
    file.write_text("abc\n")
    assert decode(PLAIN, "--protocol", "p1", "--crc", "off", "--key-file", str(file), key=good).returncode == 2


def test_P20_try_all_shows_the_right_order_beside_the_wrong_ones():
    def shown(data, *arguments):
        done = subprocess.run([BINARY, "decode", "--protocol", "modbus", "--try-all", *arguments, "-"], input=data,
                              capture_output=True, timeout=PATIENCE, check=False)
        return done.returncode, (done.stdout + done.stderr).decode()

    def row(text, kind, begin):
        return next(line.split() for line in text.splitlines() if line.startswith(begin) and kind in line.split()[:3])

    # Four answers to the same request, in each order once; 229.5 stands below the right one.
    answers = {"ABCD": "010304436580009e68", "CDAB": "0103048000436522e8", "BADC": "01030465430080148b",
               "DCBA": "01030400806543917a"}
    for column, (order, answer) in enumerate(answers.items()):
        code, text = shown(f"> 010300000002c40b\n< {answer}\n".encode())
        assert code == 0, text
        assert "FROM" in text and all(name in text for name in answers)
        found = row(text, "f32", "3:0x0000")
        assert found[2 + column] == "229.5", (order, found)
    code, text = shown(b"43 65 80 00\n", "--hex")
    assert code == 0 and "taken as the bytes of registers" in text
    assert row(text, "f32", "register 1")[-4] == "229.5"
    assert shown(b"43 65 80\n", "--hex")[0] == 1
    assert shown(b"> 010300000002c40b\n< 018302c0f1\n")[0] == 1
    assert shown(b"", "--json")[0] == 2 and shown(b"", "--profile", "modbus")[0] == 2
    other = subprocess.run([BINARY, "decode", "--protocol", "p1", "--try-all", "-"], input=b"", capture_output=True,
                           timeout=PATIENCE, check=False)
    assert other.returncode == 2 and b"registers" in other.stderr
