# SPDX-License-Identifier: MIT
"""Leaves number their samples, a hub takes each of them once: over outages of the broker between them and deaths of both, and
where two hubs share the work. METERBRIDGE_LEAF_SAMPLES=8640 makes the outage a day of a meter that is read every ten seconds."""
import collections
import csv
import datetime
import io
import json
import os
import signal

from house import ROOT, House, Mosquitto, Observer, Process, wait_for
from servers import Influxd

SAMPLES = int(os.environ.get("METERBRIDGE_LEAF_SAMPLES", "300"))
PATIENCE = 60 + SAMPLES / 20


class Site:
    """A configuration of its own beside the others, and its files."""

    def __init__(self, folder, name, port, meters, sinks=""):
        self.folder = folder / name
        self.folder.mkdir()
        self.name = name
        self.runs = 0
        self.file = self.folder / "meterbridge.yaml"
        self.file.write_text(f"""instance: {name}
state_directory: {self.folder}/state
mqtt: {{host: 127.0.0.1, port: {port}}}
journal: {{commit: 500ms}}
sinks:
  csv: {{directory: {self.folder}/csv, flush_interval: 100ms}}
{sinks}
meters:
  - {meters}
""")

    def run(self):
        self.runs += 1
        return Process(["run", "-c", str(self.file)], self.folder / f"run-{self.runs}.log")

    def rows(self, meter):
        found = []
        for file in sorted((self.folder / "csv" / meter).glob("*.csv")):
            text = file.read_text()
            found += csv.DictReader(io.StringIO(text[:text.rfind("\n") + 1]))
        # A later file may have one column more: what a line says counts.
        return [tuple(sorted((k, v) for k, v in row.items() if v)) for row in found]


def leaf_at(folder, port, name="site1"):
    return Site(folder, name, port, f"{{id: house, profile: p1, interval: 1s, link: {{serial: {folder}/p1}}}}",
                "  mqtt: {flush_interval: 100ms}")


def hub_at(folder, port, name="hub", topic="+/+/sample", sinks=""):
    return Site(folder, name, port, f"{{id: leaves, profile: meterbridge, interval: 5s, link: {{mqtt: '{topic}'}}}}", sinks)


def points_of(rows, key):
    """What a database has of rows of a file: of those of one millisecond the last."""
    at = {}
    for row in map(dict, rows):
        moment = datetime.datetime.fromisoformat(row["time_utc"].replace("Z", "+00:00"))
        at[round(moment.timestamp() * 1000)] = float(row[key])
    return sorted(at.items())


def simulate(folder):
    return House(folder, []).simulate("--profile", "p1", "--pty", f"{folder}/p1", "--period", "20ms")


def test_P47_an_outage_and_deaths_of_all_three_leave_the_hubs_files_complete(tmp_path):
    broker = Mosquitto(tmp_path)
    influx = Influxd(tmp_path).start()
    leaf = leaf_at(tmp_path, broker.port)
    hub = hub_at(tmp_path, broker.port, sinks=f"  influx: {{{influx.settings()}, flush_interval: 100ms}}")
    meter = "leaves_site1_house"
    broker.start()
    running = {}
    try:
        with simulate(tmp_path) as meters:
            running = {"hub": hub.run()}
            with Observer(broker.port) as ear:
                ear.wait_topic("hub/status", payload="online")
                running["leaf"] = leaf.run()
                said = ear.wait_json("site1/house/sample", lambda d: "readings" in d)
                assert said["instance"] == "site1" and said["previous"] < said["sequence"], said
                ear.wait_json(f"hub/{meter}/state", lambda d: "energy_import" in d)
            wait_for(lambda: len(hub.rows(meter)) > 20, "the hub writes")
            broker.stop(signal.SIGKILL)
            before = len(leaf.rows("house"))
            for site in ("hub", "leaf"):
                running[site].stop(signal.SIGKILL)
            running = {"hub": hub.run(), "leaf": leaf.run()}
            wait_for(lambda: len(leaf.rows("house")) > before + SAMPLES, "the leaf reads on", PATIENCE)
            broker.start()
            meters.stop()
            last = leaf.rows("house")

            def complete():
                nonlocal last
                last = leaf.rows("house")
                return len(hub.rows(meter)) >= len(last) and hub.rows(meter)[-1] == last[-1]
            wait_for(complete, "the hub has all", PATIENCE)
            # Once more dead in the middle of nothing: nothing comes twice.
            running["hub"].stop(signal.SIGKILL)
            running["hub"] = hub.run()
            with Observer(broker.port) as ear:
                ear.wait(lambda t, p: t == "site1/house/sample" and "newest" in p, "the leaf is asked, and has nothing new")
            expected = points_of(leaf.rows("house"), "energy_import")
            wait_for(lambda: len(influx.points(meter, "energy_import")) >= len(expected), "the database has all", PATIENCE)
            for process in running.values():
                assert process.stop() == 0
        assert influx.points(meter, "energy_import") == expected
        assert hub.rows(meter) == leaf.rows("house")
        assert len(last) > SAMPLES
    finally:
        for process in running.values():
            process.__exit__()
        influx.__exit__()
        broker.stop()


def test_a_range_is_sent_again_and_what_is_wrong_is_said(tmp_path):
    broker = Mosquitto(tmp_path)
    leaf = leaf_at(tmp_path, broker.port)
    with broker, Observer(broker.port) as ear, simulate(tmp_path) as meters, leaf.run():
        wait_for(lambda: sum(t == "site1/house/sample" for t, _, _ in ear.messages) > 30, "samples come")
        meters.stop()
        heard = [json.loads(p) for t, p, _ in ear.messages if t == "site1/house/sample"]
        assert not any(r for t, _, r in ear.messages if t == "site1/house/sample"), "none is retained"
        chain = [(d["previous"], d["sequence"]) for d in heard]
        assert all(b[0] == a[1] for a, b in zip(chain, chain[1:])), chain
        after = ear.count()
        ear.publish("site1/house/set/resend", json.dumps({"from": chain[5][1], "to": chain[9][1]}))
        end = ear.wait_json("site1/house/sample", lambda d: "readings" not in d, after)
        again = [json.loads(p) for t, p, _ in ear.messages[after:] if t == "site1/house/sample"]
        again = [d for d in again if "readings" in d and d["sequence"] <= chain[9][1]]
        assert [(d["sequence"], d["readings"], d["time"]) for d in again] == [
            (d["sequence"], d["readings"], d["time"]) for d in heard[5:10]]
        assert end["sequence"] == chain[9][1], end
        after = ear.count()
        ear.publish("site1/house/set/resend", '{"from": "yesterday"}')
        event = ear.wait_json("site1/house/event", lambda d: "resend" in d["text"], after)
        assert event["event_type"] == "command_refused" and "yesterday" in event["text"], event
        after = ear.count()
        ear.publish("site1/house/set/resend", '{"journal": "0123456789abcdef", "from": 7, "to": 9}')
        gone = ear.wait_json("site1/house/sample", lambda d: d["journal"] == "0123456789abcdef", after)
        assert (gone["previous"], gone["sequence"]) == (6, 9) and "gone" in gone["missing"], gone


def test_two_hubs_that_share_have_each_sample_once_between_them(tmp_path):
    broker = Mosquitto(tmp_path)
    leaf = leaf_at(tmp_path, broker.port)
    hubs = [hub_at(tmp_path, broker.port, name, "$share/hubs/+/+/sample") for name in ("hub1", "hub2")]
    with broker, Observer(broker.port) as ear, hubs[0].run() as one, hubs[1].run() as two:
        for hub in hubs:
            ear.wait_topic(f"{hub.name}/status", payload="online")
        with simulate(tmp_path) as meters, leaf.run() as source:
            wait_for(lambda: all(len(hub.rows("leaves_site1_house")) > 20 for hub in hubs), "both get a part")
            # One leaves, in order, and comes back.
            assert two.stop() == 0
            seen = len(hubs[0].rows("leaves_site1_house"))
            wait_for(lambda: len(hubs[0].rows("leaves_site1_house")) > seen + 20, "the other goes on")
            with hubs[1].run() as again:
                ear.wait_json("meterbridge-hubs/hubs/hub1", lambda d: d["meters"])
                seen = len(hubs[1].rows("leaves_site1_house"))
                wait_for(lambda: len(hubs[1].rows("leaves_site1_house")) > seen + 20, "and this one, too")
                meters.stop()
                wait_for(lambda: sum(len(hub.rows("leaves_site1_house")) for hub in hubs) >= len(leaf.rows("house")),
                         "all is there", PATIENCE)
                for process in (source, one, again):
                    assert process.stop() == 0
    together = collections.Counter(row for hub in hubs for row in hub.rows("leaves_site1_house"))
    assert together == collections.Counter(leaf.rows("house"))


def test_a_leaf_of_cron_sends_its_samples_and_each_run_follows_the_one_before(tmp_path):
    broker = Mosquitto(tmp_path)
    leaf, hub = leaf_at(tmp_path, broker.port), hub_at(tmp_path, broker.port)
    with broker, Observer(broker.port) as ear, hub.run():
        ear.wait_topic("hub/status", payload="online")
        with simulate(tmp_path):
            for run in range(1, 4):
                once = House(tmp_path, []).call("run", "--once", "-c", str(leaf.file))
                assert once.returncode == 0, once.stderr.decode()
                wait_for(lambda: len(hub.rows("leaves_site1_house")) == run, "the hub has it at once")
    said = [json.loads(p) for t, p, _ in ear.messages if t == "site1/house/sample"]
    said = [d for d in said if "readings" in d]
    assert [d["previous"] for d in said[1:]] == [d["sequence"] for d in said[:-1]], said
    assert hub.rows("leaves_site1_house") == leaf.rows("house")


def test_the_examples_of_leaves_and_hubs_are_valid(tmp_path):
    house = House(tmp_path, [])
    for example in sorted((ROOT / "examples/scale").glob("*.yaml")):
        checked = house.call("check", "-c", str(example), environment={"METERBRIDGE_MQTT_PASSWORD": "secret"})
        assert checked.returncode == 0, checked.stdout.decode() + checked.stderr.decode()
