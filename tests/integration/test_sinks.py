# SPDX-License-Identifier: MIT
"""Every sample reaches its files: over reloads, and beside a place that hangs."""
import csv
import io
import pathlib
import re
import signal
import socket

import pytest
from house import House, Observer, free_port, wait_for

VECTORS = pathlib.Path(__file__).resolve().parents[3] / "shared/vectors/p1"
P1 = "{{id: {id}, profile: p1, interval: 1s, publish: every, telegram: true, link: {{serial: {tty}}}}}"


# Each sample goes to the sinks as soon as it was read.
AT_ONCE = "journal: {commit: 0s}\n"


def sinks(text):
    return AT_ONCE + "sinks:\n" + "".join(f"  {line}\n" for line in text)


def rows(folder):
    """All lines of a meter's files as dictionaries, in the order of the files."""
    def order(file):
        day, number = re.fullmatch(r"(\d{4}-\d\d-\d\d)(?:-(\d+))?", file.stem).groups()
        return day, int(number or 1)
    found = []
    for file in sorted(folder.glob("*.csv"), key=order):
        text = file.read_text()
        assert text.endswith("\n"), f"half a line in {file}"
        found += list(csv.DictReader(io.StringIO(text)))
    return found


JSON = "{id: shop, profile: esp32-flat-json, link: {mqtt: shop/meter}, interval: 1s, publish: every}"


class Talk:
    """A meter that says a new voltage on request, so that every sample can be told from every other."""

    def __init__(self, ear):
        self.ear = ear
        self.number = 20000
        self.heard = []

    def say(self, count):
        """Says so many, and waits until the bridge has read each."""
        for _ in range(count):
            self.number += 1
            text = f"{self.number // 100}.{self.number % 100:02}"
            seen = self.ear.count()
            self.ear.publish("shop/meter", '{"energy_total":12.50,"voltage":%s}' % text)
            self.ear.wait(lambda t, p, v=text: t == "meterbridge/shop/state" and f'"voltage":{v}' in p, text, seen)
            self.heard.append(text)


def listen(ear):
    """Until the bridge hears the meter's topic: what is said before that is lost by right."""
    seen = ear.count()
    ear.wait_topic("meterbridge/status", seen, "online")


def test_sinks_come_change_and_go_with_the_configuration(tmp_path):
    house = House(tmp_path, [JSON], extra=AT_ONCE)

    def reload(bridge, lines):
        before = len(bridge.log())
        house.write([JSON], extra=sinks(lines) if lines else AT_ONCE)
        bridge.process.send_signal(signal.SIGHUP)
        wait_for(lambda: "configuration taken over" in bridge.log()[before:], "it is taken over")

    def voltages(folder):
        return [line["voltage"] for line in rows(tmp_path / folder / "shop")]

    with house.broker(), Observer(house.port) as ear, house.bridge() as bridge:
        listen(ear)
        talk = Talk(ear)
        talk.say(2)
        reload(bridge, [f"csv: {{directory: {tmp_path}/one, flush_interval: 1h}}"])
        talk.say(3)
        wait_for(lambda: voltages("one"), "the first line, which does not wait for an hour")
        talk.say(2)
        bridge.process.send_signal(signal.SIGHUP)
        wait_for(lambda: voltages("one")[-1:] == talk.heard[-1:], "who reloads sees all that waits")
        talk.say(2)
        # What the old one has not written yet it writes before the new one begins.
        reload(bridge, [f"csv: {{directory: {tmp_path}/two, flush_interval: 100ms}}"])
        for _ in range(100):
            talk.say(1)
            if (tmp_path / "two/shop").is_dir():
                break
        talk.say(1)
        wait_for(lambda: voltages("two")[-1:] == talk.heard[-1:], "the last line in the second folder")
        reload(bridge, [])
        assert voltages("one")[:3] == talk.heard[2:5]
        assert voltages("one") + voltages("two") == talk.heard[2:]
        talk.say(1)
        assert bridge.stop() == 0


def test_P50_a_database_that_hangs_delays_no_meter_and_is_in_the_health(tmp_path):
    with socket.create_server(("127.0.0.1", free_port())) as silent:
        house = House(tmp_path, [P1.format(id="p1", tty=tmp_path / "p1")], extra=sinks([
            f'influxdb: {{url: "http://127.0.0.1:{silent.getsockname()[1]}", version: 1, database: x, timeout: 1s}}',
            f"csv: {{directory: {tmp_path}/out, flush_interval: 100ms}}"]))
        with house.broker(), Observer(house.port) as ear, \
                house.simulate("--profile", "p1", "--pty", house.tty("p1"), "--period", "200ms"), house.bridge() as bridge:
            wait_for(lambda: "sink influxdb: " in bridge.log(), "the trouble is in the log")
            seen = ear.count()
            for _ in range(10):
                ear.wait_topic("meterbridge/p1/telegram", seen)
                seen = ear.count()
            wait_for(lambda: len(rows(tmp_path / "out/p1")) > 10, "the other sink goes on")
            assert bridge.log().count("sink influxdb: ") == 1, bridge.log()
            health = ear.wait_json("meterbridge/bridge/health", lambda h: h.get("sinks"))["sinks"]
            assert set(health) == {"csv", "influxdb"}, health
            assert bridge.stop() == 0


@pytest.mark.skipif(not VECTORS.is_dir(), reason="no shared vectors here")
@pytest.mark.parametrize("name, day", [("hu-eon-sagemcom", "2023-07-24"), ("hu-sanxing-ff-message", "2023-08-17")])
def test_okosmero_files_equal_the_expected_ones_byte_for_byte(tmp_path, name, day):
    house = House(tmp_path, [
        f"{{id: wire, profile: p1, interval: 1s, link: {{replay: {VECTORS}/{name}.txt}}}}"],
        extra=sinks([f"old: {{type: csv, directory: {tmp_path}/out, layout: okosmero}}",
                     f"csv: {{directory: {tmp_path}/plain}}"]))
    with house.broker():
        done = house.call("run", "--once", "-c", str(house.file))
        assert done.returncode == 0, done.stderr
    expected = (VECTORS / f"{name}.csv").read_bytes()
    document = (VECTORS / f"{name}.mqtt.json").read_bytes().rstrip(b"\n") + b"\n"
    assert (tmp_path / f"out/{day}.csv").read_bytes() == expected
    assert (tmp_path / f"out/{day}.txt").read_bytes() == document
    assert len(rows(tmp_path / "plain/wire")) == 1


def test_run_once_says_when_a_sink_did_not_take_everything(tmp_path):
    (tmp_path / "file").write_text("")
    house = House(tmp_path, [P1.format(id="p1", tty=tmp_path / "p1")],
                  extra=sinks([f"csv: {{directory: {tmp_path}/file/below}}"]))
    with house.broker(), house.simulate("--profile", "p1", "--pty", house.tty("p1"), "--period", "200ms"):
        done = house.call("run", "--once", "-c", str(house.file))
        assert done.returncode == 1 and b"sink csv: did not take everything" in done.stderr, done.stderr
        assert b"Not a directory" in done.stderr, done.stderr
        # Without a disk for the journal: what one run reads is in the file when it ends.
        house.write([P1.format(id="p1", tty=tmp_path / "p1")],
                    extra=f"journal: memory\nsinks:\n  csv: {{directory: {tmp_path}/out}}\n")
        for count in (1, 2):
            done = house.call("run", "--once", "-c", str(house.file))
            assert done.returncode == 0, done.stderr
            assert len(rows(tmp_path / "out/p1")) == count
        wrong = "sinks:\n  csv: {layout: okosmero, directory: /x}\n  twin: {type: csv, layout: okosmero, directory: /x}\n"
        house.write(["{id: house, profile: energomera-ce307, link: {serial: /dev/x}, address: 1}"], extra=wrong)
        checked = house.call("check", "-c", str(house.file))
        assert checked.returncode == 2
        assert b":4:3: error: sinks.csv: meter house has no telegrams of layout okosmero" in checked.stdout, checked.stdout
        assert b":5:3: error: sinks.twin: is the same place as sinks.csv" in checked.stdout, checked.stdout
