# SPDX-License-Identifier: MIT
"""Meters as data: the worked example of docs/adding.md word for word, profiles of the user's own, and the schema."""
import json
import pathlib
import re
import subprocess

import jsonschema
import yaml

from house import BINARY, PATIENCE, Process, free_port, wait_for

ROOT = pathlib.Path(__file__).resolve().parents[2]
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # in C: there are many profiles


def run(*words, cwd):
    return subprocess.run([BINARY, *words], capture_output=True, text=True, timeout=PATIENCE, cwd=cwd, check=False)


def worked_example():
    """The profile and the configuration as the documentation prints them."""
    text = (ROOT / "docs/adding.md").read_text()
    profile = re.search(r"```yaml\n(format: 1\nid: volta-3\n.*?)```", text, re.S).group(1)
    configuration = re.search(r"<<'END'\n(.*?)END\n", text, re.S).group(1)
    return profile, configuration


def readings(folder, *words):
    done = run("read", "--json", *words, cwd=folder)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[0])


def test_P20_a_meter_from_only_its_makers_table(tmp_path):
    profile, configuration = worked_example()
    link = tmp_path / "volta"
    (tmp_path / "profiles").mkdir()
    (tmp_path / "profiles/volta-3.yaml").write_text(profile)
    (tmp_path / "meterbridge.yaml").write_text(configuration.replace("/tmp/volta", str(link)))
    tested = run("profiles", "test", "profiles/volta-3.yaml", cwd=tmp_path)
    assert tested.stdout == "volta-3: ok\n", tested
    listed = run("profiles", "-c", "meterbridge.yaml", "list", cwd=tmp_path)
    assert re.search(r"^volta-3 +Volta +3$", listed.stdout, re.M), listed.stdout
    shown = run("profiles", "show", "profiles/volta-3.yaml", cwd=tmp_path).stdout
    assert re.search(r"^energy_import +342 +u32 +Wh", shown, re.M), shown
    assert "link: {mqtt: " in run("profiles", "show", "esp32-flat-json", cwd=tmp_path).stdout
    meter = Process(["simulate", "--profile", str(tmp_path / "profiles/volta-3.yaml"), "--pty", str(link)],
                    tmp_path / "simulate.log")
    try:
        wait_for(lambda: "READY" in meter.log(), "the simulated meter")
        seen = readings(tmp_path, "-c", "meterbridge.yaml")
    finally:
        meter.stop()
    text = json.dumps(seen)
    for key in ("voltage_l1", "current_l1", "power", "energy_import", "serial"):
        assert f'"{key}"' in text, seen


def test_P45_each_mistake_has_its_place_and_own_profiles_replace_ours(tmp_path):
    (tmp_path / "profiles").mkdir()
    wrong = "format: 1\nid: x\nvendor: v\nmodel: m\nprotocol: modbus\ninterval: 5s\nregisters:\n  - {key: powr, address: 0}\n"
    (tmp_path / "profiles/x.yaml").write_text(wrong)
    (tmp_path / "m.yaml").write_text("meters:\n  - {id: a, profile: eastron-sdm120, link: {serial: /dev/x}}\n")
    checked = run("check", "-c", "m.yaml", cwd=tmp_path)
    assert checked.returncode == 2
    assert "profiles/x.yaml:8:11: error: registers[0].key: 'powr' is no reading key" in checked.stdout, checked.stdout
    own = (ROOT / "profiles/eastron-sdm120.yaml").read_text().replace("vendor: Eastron", "vendor: Mine")
    (tmp_path / "profiles/x.yaml").write_text(own)
    assert run("check", "-c", "m.yaml", cwd=tmp_path).returncode == 0
    shown = run("profiles", "-c", "m.yaml", "show", "eastron-sdm120", cwd=tmp_path)
    assert shown.stdout.startswith("eastron-sdm120: Mine "), shown.stdout


def test_the_page_of_all_meters_is_what_the_program_prints(tmp_path):
    page = run("profiles", "list", "--markdown", cwd=tmp_path)
    assert page.returncode == 0, page.stderr
    # Make it anew: meterbridge profiles list --markdown > docs/meters.md
    assert page.stdout == (ROOT / "docs/meters.md").read_text(encoding="utf-8")
    names = [line.split()[0] for line in run("profiles", "list", cwd=tmp_path).stdout.splitlines()]
    assert sorted(names) == sorted(re.findall(r"^\| `([^`]+)`", page.stdout, re.M)), "each profile once"


def test_every_shipped_modbus_profile_proves_an_exchange_and_never_asks_to_write():
    for file in sorted((ROOT / "profiles").glob("*.yaml")):
        profile = yaml.load(file.read_text(encoding="utf-8"), LOADER)
        if profile["protocol"] != "modbus":
            continue
        tests = profile["tests"]
        assert any(len(test["expect"]) >= min(3, len(profile.get("registers", []))) for test in tests), file
        for test in tests:
            for request in test["exchange"]:
                assert int(request.split()[1], 16) in (1, 2, 3, 4), (file, request)


def test_inputs_of_a_workshop_module_and_registers_of_the_users_own(tmp_path):
    module = tmp_path / "module"
    controller = tmp_path / "controller"
    (tmp_path / "m.yaml").write_text(
        f"meters:\n"
        f"  - {{id: inputs, profile: owen-mv110-224.16dn, link: {{serial: {module}}}, address: 16}}\n"
        f"  - id: plc\n    profile: owen-plc210\n    link: {{serial: {controller}}}\n    registers:\n"
        f"      - {{key: voltage_l1, address: 10, type: f32, order: CDAB}}\n"
        f"      - {{key: input_3, address: 7, bit: 5}}\n")
    house = Process(["simulate", "-c", str(tmp_path / "m.yaml")], tmp_path / "simulate.log")
    try:
        wait_for(lambda: "READY" in house.log(), "the simulated devices")
        done = run("read", "--json", "-c", "m.yaml", cwd=tmp_path)
    finally:
        house.stop()
    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    module_text, plc_text = (json.dumps(line) for line in sorted(lines, key=lambda line: line["meter"]))
    for number in range(1, 17):
        assert re.search(rf'"input_{number}", "text": "(on|off)"', module_text), module_text
        assert f'"counter_{number}"' in module_text
    assert '"voltage_l1"' in plc_text and '"input_3"' in plc_text, plc_text


def test_P20_the_workshop_of_the_documentation_is_accepted_and_read(tmp_path):
    text = (ROOT / "docs/workshop.md").read_text()
    configuration = re.search(r"```yaml\n(.*?)```", text, re.S).group(1)
    for port in ("10.0.0.20:502", "10.0.0.21:502"):
        assert port in configuration
        configuration = configuration.replace(port, f"127.0.0.1:{free_port()}")
    (tmp_path / "m.yaml").write_text(configuration)
    checked = run("check", "-c", "m.yaml", cwd=tmp_path)
    assert checked.returncode == 0, checked.stdout
    house = Process(["simulate", "-c", str(tmp_path / "m.yaml")], tmp_path / "simulate.log")
    try:
        wait_for(lambda: "READY" in house.log(), "the simulated devices")
        done = run("read", "--json", "-c", "m.yaml", cwd=tmp_path)
    finally:
        house.stop()
    assert done.returncode == 0, done.stderr
    meters = {m["meter"]: {r["key"]: r for r in m["readings"]} for m in map(json.loads, done.stdout.splitlines())}
    assert len(meters["feed"]) == 12 and 220 < meters["feed"]["voltage_l1"]["value"] < 240
    assert meters["press"]["value_1"]["unit"] == "bar" and meters["press"]["value_2"]["unit"] == "rpm"
    command, shown = re.search(r"\$ echo (.*?) \| meterbridge.*?\n(.*?)```", text, re.S).groups()
    tried = subprocess.run([BINARY, "decode", "--protocol", "modbus", "--hex", "--try-all", "-"], input=command.encode(),
                           capture_output=True, timeout=PATIENCE, check=False).stdout.decode()
    assert shown.strip() == tried.strip(), tried


def test_the_schema_of_profiles_accepts_ours_and_refuses_mistakes(tmp_path):
    schema = json.loads(run("schema", "--profile", cwd=tmp_path).stdout)
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    files = sorted((ROOT / "profiles").glob("*.yaml"))
    assert len(files) > 10
    for file in files:
        assert not [error.message for error in validator.iter_errors(yaml.load(file.read_text(), LOADER))], file
    meter = yaml.safe_load((ROOT / "profiles/eastron-sdm120.yaml").read_text())
    for change in ({"registers": [{"key": "power"}]}, {"registers": [{"key": "power", "address": 500000}]},
                   {"registers": [{"key": "power", "address": 0, "typ": "f32"}]}, {"settings": {"functions": 3}},
                   {"codes": []}, {"protocol": "modbuss"}):
        assert not validator.is_valid({**meter, **change}), change
