# SPDX-License-Identifier: MIT
"""P58: a secret is planted wherever one may stand, everything is run and made to fail, and then all that was said is searched."""
import base64
import pathlib
import signal
import socket
import subprocess

from house import BINARY, PATIENCE, House, Observer, free_port, wait_for

MQTT, MQTT_WRONG = "Planted-Mqtt-Pass-4711", "Planted-Wrong-Pass-4712"
KEY, KEY_WRONG = "5A17B0C4D9E83F62718A9CB4E0D5F396", "5A17B0C4D9E83F62718A9CB4E0D5F397"
AUTH = "C3D2E1F00F1E2D3C4B5A697887A6B5C4"
METER = 0xDEADC0DE  # the password of a CE307 is a number
NEVER = {"mqtt password": MQTT, "wrong mqtt password": MQTT_WRONG, "key": KEY, "wrong key": KEY_WRONG, "authentication key": AUTH,
         "meter password": str(METER)}
ENVIRONMENT = {"METER_KEY": KEY_WRONG, "METERBRIDGE_KEY": KEY_WRONG}


def found(text):
    """The planted secrets in a text, in any of their shapes."""
    plain = text.lower()
    packed = plain.replace(" ", "").replace(":", "")
    hits = [name for name, secret in NEVER.items()
            if secret.lower() in plain or secret.encode().hex() in packed
            or base64.b64encode(secret.encode()).decode().lower() in plain
            or (len(secret) == 32 and base64.b64encode(bytes.fromhex(secret)).decode().lower() in plain)]
    hits += [f"{name} ({order})" for name, secret in (("meter password", METER),) for order in ("little", "big")
             if secret.to_bytes(4, order).hex() in packed]
    return hits


def test_the_search_finds_every_shape():
    assert found(f"x {KEY.lower()} y") == ["key"]
    assert found(f"sent {MQTT.encode().hex(' ')}") == ["mqtt password"]
    assert found(base64.b64encode(MQTT.encode()).decode()) == ["mqtt password"]
    assert found("c0 48 de c0 ad de c0") == ["meter password (little)"]
    assert found(f"password {METER}") == ["meter password"]
    assert found("nothing of the kind") == []


def configuration(house, mqtt, p1, more=""):
    return (f"state_directory: {house.folder}/state\nmqtt: {{host: 127.0.0.1, {mqtt}}}\nmeters:\n"
            f"  - {{id: p1, profile: p1, interval: 1s, link: {{tcp: '127.0.0.1:{p1}'}}, key: !env METER_KEY, auth_key: {AUTH}{more}}}\n"
            f"  - {{id: house, profile: energomera-ce307, address: 7, interval: 1s, link: {{serial: {house.tty('ce307')}}}, "
            "password: !secret meter_password}\n")


def write(path, text):
    path.write_text(text)
    path.chmod(0o600)


def test_P58_planted_secrets_are_found_nowhere(tmp_path):
    house = House(tmp_path, [])
    p1 = free_port()
    write(tmp_path / "secrets.yaml", f"mqtt_password: {MQTT}\nmeter_password: {METER}\n")
    login = f"port: {house.port}, username: meter, password: "
    write(house.file, configuration(house, login + "!secret mqtt_password", p1))
    simulated = tmp_path / "simulated.yaml"
    write(simulated, configuration(house, "port: 1", p1).replace("!env METER_KEY", KEY).replace("!secret meter_password", "1"))
    users = tmp_path / "users"
    users.touch()
    subprocess.run(["mosquitto_passwd", "-b", str(users), "meter", MQTT], check=True, capture_output=True)

    said = {}
    with house.broker(f"password_file {users}\n") as broker, Observer(house.port) as ear, \
            house.simulate("-c", str(simulated), "--period", "1s", "--log-level", "trace") as meters:
        with house.bridge("--log-level", "trace", environment=ENVIRONMENT) as bridge:
            def reload(text, words):
                write(house.file, text)
                before = len(bridge.log())
                bridge.process.send_signal(signal.SIGHUP)
                wait_for(lambda: words in bridge.log()[before:], words, 90)

            # A wrong key, a wrong password of a meter.
            ear.wait_json("meterbridge/p1/health", lambda h: h["state"] == "wrong_key", patience=90)
            refused = ear.wait_json("meterbridge/house/health", lambda h: h["error"] and "password" in h["error"], patience=90)
            assert "refuses the password" in refused["error"]
            # Files that are wrong where a secret stands.
            good = configuration(house, login + "!secret mqtt_password", p1)
            for broken in (good.replace(AUTH, AUTH + "00"), good.replace("!env METER_KEY", KEY_WRONG + "zz"),
                           good.replace("!secret mqtt_password", f"[{MQTT}]"), good.replace("!secret mqtt_password", f"{{{MQTT}"),
                           good.replace("!secret meter_password", f"{METER}x")):
                assert broken != good
                reload(broken, "was not taken over")
            # A refused login, TLS against a port without it, nobody there.
            reload(configuration(house, login + MQTT_WRONG, p1), "refuses the login")
            reload(configuration(house, login + f"{MQTT}, tls: true", p1), "TLS")
            reload(configuration(house, login.replace(str(house.port), str(free_port())) + MQTT, p1), "connection refused")
            reload(good, "announced")
            for pid in (bridge.process.pid, meters.process.pid):
                said[f"command line {pid}"] = pathlib.Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")
            assert bridge.stop() == 0
            said["run"] = bridge.log()
        with socket.create_connection(("127.0.0.1", p1), PATIENCE) as port:
            telegram = b""
            while len(telegram) < 2000:
                telegram += port.recv(4096)
        for name, arguments, stdin in (
                ("check", ["check", "-c", str(house.file)], b""),
                ("read", ["read", "-c", str(house.file), "--json"], b""),
                ("once", ["run", "--once", "-c", str(house.file)], b""),
                ("decode", ["decode", "--protocol", "p1", "--json"], telegram),
                ("clear", ["clear", "-c", str(house.file)], b"")):
            done = house.call(*arguments, "--log-level", "trace", stdin=stdin, environment=ENVIRONMENT, patience=120)
            said[name] = (done.stdout + done.stderr).decode("utf-8", "replace")
        meters.stop()
        said["simulate"] = meters.log()
        said["topics"] = "\n".join(f"{topic} {payload}" for topic, payload, _ in ear.messages)
        assert broker.process.poll() is None
    for path in sorted(path for path in (tmp_path / "state").rglob("*") if path.is_file()):
        said[f"state {path.name}"] = path.read_text(errors="replace")
    assert "wrong_key" in said["topics"] and "status" in said["decode"]
    assert {name: found(text) for name, text in said.items() if found(text)} == {}


def test_P58_public_files_with_secrets_are_named_once(tmp_path):
    house = House(tmp_path, [])
    secrets = tmp_path / "secrets.yaml"

    def check():
        done = house.call("check", "-c", str(house.file))
        assert done.returncode == 0, done.stderr
        return [line for line in (done.stdout + done.stderr).decode().splitlines() if "everybody" in line]

    meter = "meters: [{id: a, profile: p1, link: {serial: /dev/x}%s}]\n"
    house.file.write_text("mqtt: {username: u, password: !secret p}\n" + meter % "")
    secrets.write_text("p: x\n")
    house.file.chmod(0o644)
    secrets.chmod(0o644)
    assert len(check()) == 1 and str(secrets) in check()[0] and "chmod" in check()[0]
    secrets.chmod(0o640)
    assert check() == []
    for text in ("mqtt: {username: u, password: x}\n" + meter % "", meter % f", key: {KEY}"):
        house.file.write_text(text)
        house.file.chmod(0o644)
        assert len(check()) == 1 and check()[0].startswith(f"{house.file}: warning: ")
        house.file.chmod(0o600)
        assert check() == []
    key = tmp_path / "client.key"
    key.write_text("x")
    key.chmod(0o644)
    house.file.write_text(f"mqtt: {{tls: {{certificate: {key}, key: {key}}}}}\n" + meter % "")
    house.file.chmod(0o644)
    assert len(check()) == 1 and check()[0].startswith(f"{key}: warning: ")
    house.file.write_text(meter % "")
    assert check() == []  # nothing in it that others must not see


def command_line(process):
    return pathlib.Path(f"/proc/{process.pid}/cmdline").read_text().split("\0")[:-1]


def test_P58_secrets_of_the_command_line_do_not_stay_there(tmp_path):
    house = House(tmp_path, [])
    port = free_port()
    with house.simulate("--profile", "p1", "--tcp", f"127.0.0.1:{port}", "--period", "200ms", "--set", f"key={KEY}",
                        f"--set=auth_key={AUTH}", "--seed", "7") as meter:
        shown = command_line(meter.process)
        assert shown[-4:] == ["key=" + "*" * 32, "--set=auth_key=" + "*" * 32, "--seed", "7"] and found(" ".join(shown)) == []
        with socket.create_connection(("127.0.0.1", port), PATIENCE) as line:
            telegram = b""
            while len(telegram) < 3000:
                telegram += line.recv(4096)
    for arguments in (["--key", KEY, "--auth-key", AUTH], [f"--key={KEY}", "--set", f"auth_key={AUTH}"]):
        with subprocess.Popen([BINARY, "decode", "--protocol", "p1", *arguments, "--json"], stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE) as decoder:
            wait_for(lambda: "*" * 32 in " ".join(command_line(decoder)[-2:]), "the keys are taken off the command line")
            shown = command_line(decoder)
            assert shown[1:4] == ["decode", "--protocol", "p1"] and shown[-1] == "--json" and found(" ".join(shown)) == []
            out, _ = decoder.communicate(telegram, PATIENCE)
        assert b'"status":"ok"' in out and b'"status":"key"' not in out
