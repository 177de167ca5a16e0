# SPDX-License-Identifier: MIT
"""The exported JSON Schema accepts every example and refuses what `check` refuses; `check`, `schema` and `profiles`
as a person runs them."""
import json
import os
import pathlib
import subprocess

import jsonschema
import pytest
import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = os.environ["METERBRIDGE_BINARY"]
EXAMPLES = sorted(p for folder in ("examples", "examples/migrate") for p in (ROOT / folder).glob("*.yaml")
                  if p.name != "secrets.yaml")
VARIABLES = {
    "METERBRIDGE_DEMO_HOST": "127.0.0.1",
    "METERBRIDGE_DEMO_PORT": "11883",
    "METERBRIDGE_DEMO_CE307": "/tmp/demo-ce307",
    "METERBRIDGE_DEMO_P1": "/tmp/demo-p1",
    "METERBRIDGE_DEMO_LU": "/tmp/demo-lu",
    "METERBRIDGE_DEMO_KEY": "5DC1A7F20B934E8866F1D29A30C7B45E",
}


def run(*words, **more):
    environment = {**os.environ, **VARIABLES, **more.pop("env", {})}
    return subprocess.run([BINARY, *words], capture_output=True, text=True, timeout=60, env=environment, **more)


class Loader(yaml.SafeLoader):
    """Resolves !env and !secret as the program does: to what a plain scalar of that text would be."""


def substitute(values):
    def construct(loader, node):
        text = values[node.value]
        return loader.construct_object(yaml.ScalarNode(loader.resolve(yaml.ScalarNode, text, (True, False)), text))

    return construct


Loader.add_constructor("!env", substitute(VARIABLES))
Loader.add_constructor("!secret", substitute({name: value for folder in ("examples", "examples/migrate")
                                              for name, value in yaml.safe_load((ROOT / folder / "secrets.yaml").read_text()).items()}))


@pytest.fixture(scope="module")
def validator():
    result = run("schema")
    assert result.returncode == 0, result.stderr
    schema = json.loads(result.stdout)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def faults(validator, text):
    return [error.message for error in validator.iter_errors(yaml.load(text, Loader))]


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda p: p.name)
def test_schema_and_check_accept_every_example(validator, example):
    assert faults(validator, example.read_text()) == []
    result = run("check", "-c", str(example))
    assert result.returncode == 0, result.stdout
    assert ": valid, " in result.stdout


METER = "meters: [{id: house, profile: energomera-ce307, link: {serial: /dev/x}, address: 1%s}]\n"
P1 = "meters: [{id: p1, profile: p1, link: {serial: /dev/x}%s}]\n"


@pytest.mark.parametrize("text", [
    "mqqt: {host: localhost}\n",
    "mqtt: {hots: localhost}\n",
    "mqtt: localhost\n",
    "mqtt: {port: 70000}\n",
    "mqtt: {tls: {cafile: /x}}\n",
    "mqtt: {version: 4}\n",
    "homeassistant: {discovery: devices}\n",
    "links: {a: {baud: 9600}}\n",
    "links: {a: {serial: /dev/x, tcp: 'h:1'}}\n",
    "links: {a: {serial: /dev/x, mode: 9N1}}\n",
    "links: {a: {serial: /dev/x, baud: fast}}\n",
    "meters: [{id: a}]\n",
    "meters: {a: {profile: p1}}\n",
    "meters: [{id: a, profile: energomera-ce370, link: {serial: /dev/x}}]\n",
    METER % ", intervall: 30s",
    METER % ", interval: 30",
    METER % ", paused: maybe",
    METER % ", key: 5DC1A7F20B934E8866F1D29A30C7B45E",
    METER % ", family: r99",
    METER % ", readings: {power: visible}",
    METER % ", readings: {power: {nane: x}}",
    METER % ", telegram: {tpic: x}",
    METER % ", publish: {power: 10}",
    METER % ", publish: soon",
    METER % ", guard: {ovr: 2h}",
    P1 % ", key: 5DC1",
    P1 % ", address: 1",
    P1 % ", crc: maybe",
    "sinks: {csv: {directry: /x}}\n",
    "sinks: {archive: {directory: /x}}\n",
    "sinks: {csv: {directory: /x, layout: dayly}}\n",
    "sinks: {csv: {directory: /x, meters: all}}\n",
    "sinks: {archive: {type: csv, url: \"http://x\"}}\n",
    "bridges: {cloud: {host: x}}\n",
])
def test_schema_and_check_refuse_the_same(validator, text, tmp_path):
    assert faults(validator, text) != []
    file = tmp_path / "meterbridge.yaml"
    file.write_text(text)
    result = run("check", "-c", str(file))
    assert result.returncode == 2, result.stdout
    assert f"{file}:1:" in result.stdout and ": error: " in result.stdout


@pytest.mark.parametrize("text", ["", METER % "", METER % ", readings: {power: hidden, energy_import: {name: x, factor: 40, offset: \"-0.5\"}}",
                                  METER % ", publish: {power: 10s, energy_import: every}, guard: {over: 1h}, max_power: 25kW",
                                  METER % ", publish: every, guard: false, main_fuse: 3x25A",
                                  P1 % ", telegram: true, timeout: 20s",
                                  METER % "" + "sinks: {csv: {directory: /x}, more: {type: csv, directory: /y, meters: [house], keep: 48h}}\n", "mqtt: {version: 5, tls: true}\n" + P1 % ""])
def test_schema_and_check_accept_the_same(validator, text, tmp_path):
    assert faults(validator, text) == []
    file = tmp_path / "meterbridge.yaml"
    file.write_text(text)
    assert run("check", "-c", str(file)).returncode == 0


def test_check_prints_everything_with_its_place(tmp_path):
    file = tmp_path / "meterbridge.yaml"
    file.write_text("mqtt:\n  prot: 1\nmeters:\n  - id: a\n    profile: p1\n    link: {serial: /dev/x, baud: fast}\n")
    result = run("check", "-c", str(file))
    assert result.returncode == 2
    assert result.stdout.splitlines() == [
        f'{file}:2:3: error: mqtt.prot: unknown key "prot" in mqtt; did you mean "port"?',
        f'{file}:6:34: error: meters[0].link.baud: "fast" is not a number (allowed: 300 ... 921600)',
        f"{file}: 2 errors",
    ]


def test_check_finds_the_file_of_the_working_directory(tmp_path):
    (tmp_path / "meterbridge.yaml").write_text(P1 % "")
    if pathlib.Path("/etc/meterbridge/meterbridge.yaml").exists():
        pytest.skip("this machine has a configuration of its own")
    assert run("check", cwd=tmp_path).stdout == "./meterbridge.yaml: valid, 1 meter on 1 link\n"
    assert run("check", "-c", str(tmp_path / "none.yaml")).returncode == 2


@pytest.mark.parametrize("words,said", [
    (("verison",), 'unknown command "verison"; did you mean version?'),
    (("--log-level", "debug", "version"), "a command is missing before --log-level: options stand behind it"),
    (("version", "now"), '"now" is not expected here'),
    (("version", "--jason"), 'unknown option "--jason"'),
    (("version", "--log-level", "loud"), '"loud" is none of error, warning, info, debug, trace'),
    (("check", "house.yaml"), "name the file with -c house.yaml"),
    (("clear", "house", "--yes"), '"house" is not expected here'),  # or those of all meters would go
    (("run", "house.yaml"), '"house.yaml"'),
    (("schema", "x"), "takes no further words"),
])
def test_words_that_a_command_does_not_take_are_named(words, said):
    result = run(*words)
    assert (result.returncode, result.stdout) == (2, "") and said in result.stderr, result


def test_profiles_are_listed_shown_and_proven(tmp_path):
    listed = run("profiles", "list")
    names = [line.split()[0] for line in listed.stdout.splitlines()]
    assert names == sorted(p.stem for p in (ROOT / "profiles").glob("*.yaml"))
    for name in names:
        shown = run("profiles", "show", name)
        assert shown.returncode == 0 and f"profile: {name}" in shown.stdout
    proven = run("profiles", "test")
    assert proven.returncode == 0, proven.stdout
    assert proven.stdout.splitlines() == [f"{name}: ok" for name in names]
    assert run("profiles", "show", "energomera-ce370").returncode == 2
    assert "energomera-ce307" in run("profiles", "show", "energomera-ce370").stderr
    broken = tmp_path / "broken.yaml"
    broken.write_text("format: 1\nid: x\n")
    assert run("profiles", "test", str(broken)).returncode == 2
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text("format: 1\nid: x\nvendor: v\nmodel: m\nprotocol: ce102\ninterval: 5s\n"
                     "tests: [{exchange: {C0C0: C0C0}, expect: {energy_import: '1'}}]\n")
    result = run("profiles", "test", str(wrong))
    assert (result.returncode, "tests[0]" in result.stdout) == (1, True)


@pytest.mark.parametrize("file", sorted(p.name for p in (ROOT / "tests" / "configurations").glob("*-*.yaml")))
def test_P44_what_was_once_a_good_configuration_is_one_for_ever(tmp_path, file):
    """Never change a file there; what it means is asked of `check` alone, for no meter of it is at hand."""
    folder = ROOT / "tests" / "configurations"
    for name in (file, "secrets.yaml"):
        (tmp_path / name).write_text((folder / name).read_text())
        (tmp_path / name).chmod(0o600)
    done = run("check", "-c", str(tmp_path / file))
    assert done.returncode == 0 and "error:" not in done.stdout, done.stdout
    assert f"valid, {len(yaml.load((folder / file).read_text().replace('!secret ', ''), yaml.SafeLoader)['meters'])} meter" in done.stdout
