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
