# SPDX-License-Identifier: MIT
"""The pages for those who come from another system: each configuration is played by the simulator and read by the
bridge, and the entities are called what the page says. What the boards of examples/esphome publish is understood."""
import pathlib
import re

import pytest
import yaml

import house as parts
from house import House, Mosquitto, Observer, Process, free_port, wait_for

PAGES = sorted(p for p in (parts.ROOT / "docs/migrate").glob("*.md") if p.name != "README.md")
EXAMPLES = parts.ROOT / "examples/migrate"
KAIFA_KEY = "a0a1a2a3a4a5a6a7a8a9aaabacadaeaf"  # of our own constructed telegram


def examples_of(page):
    """The configurations that a page links to; each must stand in it, word for word."""
    text = page.read_text(encoding="utf-8")
    names = list(dict.fromkeys(re.findall(r"\]\(\.\./\.\./examples/migrate/([a-z0-9-]+\.yaml)\)", text)))
    for name in names:
        body = re.sub(r"\A(#.*\n)+", "", (EXAMPLES / name).read_text(encoding="utf-8"))
        assert body.strip() in text, f"{page.name} does not show {name} as it is"
    return names


def entities_of(page):
    """entity id -> (name, unit, classes), as the tables of the page have them."""
    rows = re.findall(r"^\| `((?:binary_)?sensor\.\w+)` \| ([^|]+) \| ([^|]+) \| ([^|]+) \|$",
                      page.read_text(encoding="utf-8"), re.M)
    return {row[0]: tuple(cell.strip() for cell in row[1:]) for row in rows}


def load(file):
    secrets = yaml.safe_load((EXAMPLES / "secrets.yaml").read_text())

    class Loader(yaml.SafeLoader):
        pass

    Loader.add_constructor("!secret", lambda _, node: str(secrets[node.value]))
    return yaml.load(file.read_text(encoding="utf-8"), Loader)


def brought_home(settings, folder, port, far):
    """The same configuration with lines, brokers and folders of this machine."""
    settings["state_directory"] = str(folder / "state")
    settings["mqtt"] = {"host": "127.0.0.1", "port": port}
    links = [*settings.get("links", {}).values(), *(m["link"] for m in settings["meters"] if isinstance(m["link"], dict))]
    for number, link in enumerate(links):
        if "serial" in link:
            link["serial"] = str(folder / f"tty{number}")
        if "tcp" in link:
            link["tcp"] = f"127.0.0.1:{free_port()}"
    for sink in settings.get("sinks", {}).values():
        if "directory" in sink:
            sink["directory"] = str(folder / "files")
        if "url" in sink:
            sink["url"] = f"http://127.0.0.1:{free_port()}"
    for bridge in settings.get("bridges", []):
        bridge.update(host="127.0.0.1", port=far)
    file = folder / "meterbridge.yaml"
    file.write_text(yaml.safe_dump(settings, allow_unicode=True), encoding="utf-8")
    return file


def announced(observer, entities):
    """Adds what the newest discovery documents say: entity id -> (name, unit, classes)."""
    documents = {topic: payload for topic, payload, _ in observer.messages[:] if topic.endswith("/config") and payload}
    for payload in documents.values():
        for component in yaml.safe_load(payload)["cmps"].values():
            if "def_ent_id" in component:
                classes = ", ".join(component[c] for c in ("dev_cla", "stat_cla") if c in component)
                entities[component["def_ent_id"]] = (component["name"], component.get("unit_of_meas", "-"), classes or "-")
    return entities


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.stem)
def test_P44_what_a_page_shows_runs_as_it_is_and_its_entities_have_these_names(page, tmp_path):
    wanted = entities_of(page)
    found = {}
    assert wanted and examples_of(page)
    for name in examples_of(page):
        folder = tmp_path / name
        folder.mkdir()
        settings = load(EXAMPLES / name)
        sinks = settings.get("sinks", {})
        telegram = settings["meters"][0].get("telegram")
        with Mosquitto(folder) as broker, Mosquitto(folder) as home, Observer(broker.port) as near, Observer(home.port) as far:
            file = brought_home(settings, folder, broker.port, home.port)
            simulator = Process(["simulate", "-c", str(file), "--period", "200ms"], folder / "simulate.log")
            with simulator, Process(["run", "-c", str(file)], folder / "run.log") as bridge:
                for meter in (m["id"] for m in settings["meters"]):
                    near.wait_json(f"meterbridge/{meter}/health", lambda health: health["state"] == "ok")
                    state = near.wait_json(f"meterbridge/{meter}/state", lambda state: len(state) > 1)
                    delivered = {entity for entity in wanted if entity.split(".")[1] in {f"{meter}_{key}" for key in state}}
                    assert delivered
                    wait_for(lambda these=delivered: these <= announced(near, {}).keys(), f"{delivered} are announced")
                    if settings.get("bridges"):
                        far.wait_topic(f"homeassistant/device/meterbridge_{meter}/config")
                if telegram:
                    old = near.wait_json(telegram["topic"])
                    assert {"MeterID", "Time", "ImportPower", "CurrentImport", "Voltage"} <= old.keys(), old
                assert bridge.stop() == 0, bridge.log()
            announced(near, found)
            if any("directory" in sink for sink in sinks.values()):
                files = [f for f in (folder / "files").rglob("*.*") if f.is_file()]
                assert files and all(f.stat().st_size for f in files), files
    assert {entity: found[entity] for entity in wanted} == wanted


def test_raw_telegrams_of_a_board_are_put_together_and_read(tmp_path):
    """What examples/esphome/p1-mqtt.yaml and mbus-mqtt.yaml publish: bytes as they came, cut where a buffer was full."""
    house = House(tmp_path, [
        "{id: flat, profile: p1, country: hu, link: {mqtt: p1-reader/telegram}, interval: 10s, publish: every}",
        f"{{id: main, profile: kaifa-ma309m, key: {KAIFA_KEY}, link: {{mqtt: smartmeter/telegram}}, publish: every}}",
        "{id: coded, profile: generic-telegram, link: {mqtt: p1/hex}, carried_as: hex, carried_settings: country=hu, "
        "telegram: {topic: old/SENSOR, layout: okosmero}}",
    ])
    p1 = (parts.ROOT / "tests/vectors/p1/hu-constructed.txt").read_bytes()
    kaifa = bytes.fromhex((parts.ROOT / "tests/vectors/dlms/kaifa-ma309m.txt").read_text())
    damaged = p1.replace(b"008888.888", b"008888.889")
    with house.broker(), Observer(house.port) as observer, house.bridge() as bridge:
        observer.wait_topic("meterbridge/status", payload="online")

        def publish(topic, telegram, piece=1024):
            for at in range(0, len(telegram), piece):
                observer.publish(topic, telegram[at:at + piece])

        # A cut end of a telegram comes first, as when the board starts in the middle of one.
        publish("p1-reader/telegram", p1[-300:])
        publish("p1-reader/telegram", damaged)
        observer.wait_json("meterbridge/flat/health", lambda health: health["state"] == "bad_checksum")
        publish("p1-reader/telegram", p1)
        flat = observer.wait(lambda t, p: t == "meterbridge/flat/state" and "energy_import" in p, "the flat's state")[1]
        assert '"energy_import":8888.888' in flat and '"energy_import_t1":1234.567' in flat, flat
        publish("smartmeter/telegram", kaifa)
        main = observer.wait(lambda t, p: t == "meterbridge/main/state" and "energy_import" in p, "the main meter's state")[1]
        assert '"energy_import":38994.750' in main and '"power":1055' in main, main
        assert not any("8888.889" in payload for topic, payload, _ in observer.messages if topic.startswith("meterbridge/"))
        observer.publish("p1/hex", p1.hex())
        old = observer.wait_topic("old/SENSOR")
        assert '"ImportPower":[8888.888,1234.567,7654.321]' in old, old
        assert bridge.stop() == 0


# As the ESP8266 sends it: without the comma before Message, and a bare number where others send a list.
DOCUMENT = ('{"MeterName":"AUX5x","MeterID":"9912345678","Time":"230815155200S","Tariff":1,"ImportPower":8995.626,'
            '"ExportPower":[1590.321,1590.321],"Voltage":[240.4,239.1,241.2],"CurrentImport":2.352,"CurrentExport":0.000,'
            '"LastMonth":{"Time":"230801000000S","MaxExport":[4.104,4.104,3.400]}"Message":"hello"}')
OLD_FILE = ("MeterId,Time,DST,Import,Export,TotalImport,TotalExport\n"
            "9912345678,2023-08-15 15:51:50,S,2.3,0.0,8995.62,1590.321\n")


def test_the_files_of_okosmero_go_on_where_its_script_ended(tmp_path):
    files = tmp_path / "sm"
    files.mkdir()
    (files / "2023-08-15.csv").write_text(OLD_FILE)
    house = House(tmp_path, ["{id: flat, profile: okosmero-esp8266, link: {mqtt: tele/smartmeter/SENSOR}}"],
                  extra=f"sinks: {{archive: {{type: csv, directory: {files}, layout: okosmero, flush_interval: 100ms}}}}")
    with house.broker(), Observer(house.port) as observer, house.bridge() as bridge:
        observer.wait_topic("meterbridge/status", payload="online")
        observer.publish("tele/smartmeter/SENSOR", DOCUMENT)
        observer.wait_json("meterbridge/flat/state", lambda state: state.get("energy_import") == 8995.626)
        assert bridge.stop() == 0, bridge.log()
    assert (files / "2023-08-15.csv").read_text() == OLD_FILE + "9912345678,2023-08-15 15:52:00,S,2.352,0.0,8995.626,1590.321\n"
    assert (files / "2023-08-15.txt").read_text() == DOCUMENT.replace('}"Message"', '},"Message"') + "\n"
