# SPDX-License-Identifier: MIT
"""A case is there afterwards, and can be shown: capture, bundle, replay, on the real program."""
import json
import os
import pathlib
import pty
import re
import signal
import subprocess
import tty

import pytest

import house as parts

ADDRESS = 20817


def readings(lines):
    """Of `replay --json`: what each telegram gave, without texts."""
    found = []
    for line in lines.decode().splitlines():
        for reading in json.loads(line).get("readings", []):
            if "value" in reading:
                found.append((reading["key"], reading["value"]))
    return found


def test_P57_the_running_service_gives_its_box_and_a_bundle_tells_nothing(tmp_path):
    meters = [f"{{id: cellar, profile: energomera-ce307, link: {{serial: {tmp_path}/tty}}, interval: 1s, address: {ADDRESS}}}"]
    house = parts.House(tmp_path, meters)
    with house.broker(), house.simulate("--profile", "energomera-ce307", "--set", f"address={ADDRESS}", "--pty",
                                        house.tty("tty")) as meter, house.bridge() as bridge:
        parts.wait_for(lambda: "started" in bridge.log(), "the service has the line")

        def captured():
            done = house.call("capture", "-c", str(house.file), "cellar")
            return done.stdout.decode() if b" cellar ok" in done.stdout else None

        text = parts.wait_for(captured, "the service gives what crossed the line")
        assert bridge.alive()
        wire = ADDRESS.to_bytes(2, "little").hex()
        assert f"48{wire}" in text and "# profile: energomera-ce307" in text

        bundle = tmp_path / "case.txt"
        done = house.call("bundle", "-c", str(house.file), "cellar", "-o", str(bundle))
        assert done.returncode == 0, done.stderr
        # The meter goes away: what led to it is kept.
        meter.stop()
        folder = tmp_path / "state" / "black-box"
        kept = parts.wait_for(lambda: list(folder.glob("cellar-*.txt")), "the case is kept")
        assert kept[0].stat().st_mode & 0o777 == 0o640
        assert re.search(r"# came \S+ \S+ no_\w+: ", kept[0].read_text())
        again = house.call("capture", "-c", str(house.file), "cellar", "--kept")
        assert again.returncode == 0 and again.stdout.decode() == kept[0].read_text()

    case = bundle.read_text()
    assert f"48{wire}" not in case and str(ADDRESS) not in case and "cellar" not in case and str(tmp_path) not in case
    # Elsewhere: no configuration, another folder.
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    shown = subprocess.run([parts.BINARY, "replay", "--json", str(bundle)], cwd=elsewhere, capture_output=True,
                           timeout=parts.PATIENCE)
    assert shown.returncode == 0, shown.stderr
    assert any(key == "energy_import" for key, _ in readings(shown.stdout))
    explained = house.call("decode", "--explain", str(bundle))
    assert explained.returncode == 0, explained.stderr
    assert b"CRC, right" in explained.stdout and b"energy_import" in explained.stdout


@pytest.mark.parametrize("profile", ["p1", "kaifa-ma309m"])
def test_P57_an_encrypted_meter_is_bundled_without_key_and_title(tmp_path, profile):
    key = "8f1c5a7733e09bd2461120fe5ca4d09b"
    meters = [f"{{id: attic, profile: {profile}, link: {{serial: {tmp_path}/tty}}, key: {key}}}"]
    house = parts.House(tmp_path, meters)
    with house.simulate("--profile", profile, "--set", f"key={key}", "--pty", house.tty("tty"), "--period", "200ms"):
        raw = tmp_path / "raw.txt"
        done = house.call("capture", "-c", str(house.file), "attic", "--for", "2s", "-o", str(raw))
        assert done.returncode == 0, done.stderr
    raw.write_text(raw.read_text().replace("# profile:", "# note: 5 Main Street\n# profile:"))
    bundle = tmp_path / "case.txt"
    done = house.call("bundle", "-c", str(house.file), "attic", "--from", str(raw), "-o", str(bundle))
    assert done.returncode == 0, done.stderr
    case = bundle.read_text()
    assert key not in case and "attic" not in case and "Main Street" not in case

    before = house.call("replay", "--json", "-c", str(house.file), str(raw))
    after = house.call("replay", "--json", str(bundle))
    assert before.returncode == 0 and after.returncode == 0, (before.stderr, after.stderr)
    assert readings(after.stdout) == readings(before.stdout) != []
    once_more = house.call("replay", "--json", str(bundle))
    assert once_more.stdout == after.stdout


def test_P57_a_port_is_listened_to_without_a_configuration(tmp_path):
    house = parts.House(tmp_path, [])
    with house.simulate("--profile", "p1", "--pty", house.tty("tty"), "--period", "200ms"):
        done = house.call("capture", "--serial", house.tty("tty"), "--baud", "115200", "--protocol", "p1", "--for", "2s")
    assert done.returncode == 0, done.stderr
    heard = tmp_path / "heard.txt"
    heard.write_bytes(done.stdout)
    assert b"> " not in done.stdout
    decoded = house.call("decode", "--explain", str(heard))
    assert decoded.returncode == 0, decoded.stderr
    assert b"value of 1-0:1.8.0" in decoded.stdout


def test_ctrl_c_ends_a_capture_and_keeps_what_came(tmp_path):
    outer, inner = pty.openpty()
    tty.setraw(inner)
    kept = tmp_path / "kept.txt"
    process = subprocess.Popen([parts.BINARY, "capture", "--serial", os.ttyname(inner), "--for", "1h", "-o", kept],
                               stderr=subprocess.PIPE, text=True)

    def is_open():
        listed = subprocess.run(["ls", "-l", f"/proc/{process.pid}/fd"], capture_output=True, text=True, check=False)
        return os.ttyname(inner) in listed.stdout

    parts.wait_for(is_open, "the port is open")

    def read_so_far():
        return int(re.search(r"^rchar: (\d+)", pathlib.Path(f"/proc/{process.pid}/io").read_text(), re.M)[1])

    before = read_so_far()

    def bytes_are_read():
        os.write(outer, b"/some bytes" * 20)
        return read_so_far() > before + 200

    parts.wait_for(bytes_are_read, "the bytes are read")
    process.send_signal(signal.SIGINT)
    _, words = process.communicate(timeout=parts.PATIENCE)
    assert process.returncode == 0 and "ended early" in words, words
    assert b"/some bytes".hex() in kept.read_text()
    os.close(inner)
    os.close(outer)


def test_P57_names_of_topics_and_hosts_are_not_in_a_bundle(tmp_path):
    house = parts.House(tmp_path, ["{id: plug, profile: tasmota, link: {mqtt: tele/+/SENSOR}}"])
    payload = b'{"ENERGY":{"Total":12.3,"Power":5},"Owner":"Smithson","Meter_Number":"1EMH0012345678"}'
    case = tmp_path / "raw.txt"
    case.write_text("# meterbridge capture 1\n# profile: tasmota\n"
                    f"# at 2026-11-21T17:28:46.123Z plug tele/smithson_kitchen/SENSOR\n< {payload.hex()}\n"
                    "# came 2026-11-21T17:28:47.123Z plug no_device: connecting to nas.smithson.lan (10.1.2.3:1883): refused\n")
    done = house.call("bundle", "-c", str(house.file), "plug", "--from", str(case))
    assert done.returncode == 0, done.stderr
    text = done.stdout.decode()
    heard = b"".join(bytes.fromhex(line[2:]) for line in text.splitlines() if line.startswith("< "))
    assert "smithson" not in text and "10.1.2.3" not in text and "no_device: connecting to" in text
    assert b"Smithson" not in heard and b"12345678" not in heard and b'"Total":12.3' in heard


def test_P57_a_device_is_written_to_and_never_replaced(tmp_path):
    house = parts.House(tmp_path, ["{id: sml, profile: sml, link: {serial: /dev/ttyUSB0}}"])
    raw = tmp_path / "raw.txt"
    raw.write_text("# meterbridge capture 1\n# profile: sml\n< 1b1b1b1b01010101\n")
    way = tmp_path / "null"
    way.symlink_to("/dev/null")
    done = house.call("bundle", "-c", str(house.file), "sml", "--from", str(raw), "-o", str(way))
    assert done.returncode == 0, done.stderr
    assert way.is_symlink()


def test_P57_a_capture_is_not_bundled_by_the_rules_of_another_meter(tmp_path):
    house = parts.House(tmp_path, ["{id: sun, profile: eastron-sdm630, link: {serial: /dev/ttyUSB0}, address: 1}"])
    raw = tmp_path / "raw.txt"
    raw.write_text("# meterbridge capture 1\n# protocol: p1\n< 2f454e4535\n")
    done = house.call("bundle", "-c", str(house.file), "sun", "--from", str(raw))
    assert done.returncode == 1 and b"speaks p1" in done.stderr and done.stdout == b""
    done = house.call("capture", "-c", str(house.file), "sun", "--baud", "9600")
    assert done.returncode == 2 and b"--serial" in done.stderr
