# SPDX-License-Identifier: MIT
"""`run --app`, as Home Assistant starts it: a Supervisor that answers as the real one does, and a real broker."""
import http.server
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.request

import pytest

import house as parts
from test_pages import get

TOKEN = "planted-supervisor-token"


class Supervisor:
    """GET /services/mqtt as in supervisor/api/services.py: 400 while nobody offers the service, 403 without the right."""

    def __init__(self):
        self.service = None
        self.status = 400
        self.asked = []
        self.held = threading.Event()  # set: answers at once
        self.held.set()
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                outer.asked.append((self.path, self.headers.get("Authorization")))
                outer.held.wait(60)
                body = {"result": "ok", "data": outer.service}
                status = 200 if outer.service else outer.status
                if status != 200:
                    body = {"result": "error", "message": "Service not enabled" if status == 400 else "No access"}
                content = json.dumps(body).encode()
                try:
                    self.send_response(status)
                    self.send_header("Content-Type", "application/json; charset=utf-8")
                    self.send_header("Content-Length", str(len(content)))
                    self.end_headers()
                    self.wfile.write(content)
                except OSError:
                    pass  # who asked has left

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.address = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def offers(self, port, password):
        self.service = {"addon": "core_mosquitto", "host": "127.0.0.1", "port": port, "ssl": False, "username": "addons",
                        "password": password, "protocol": "3.1.1"}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.held.set()
        self.server.shutdown()
        self.server.server_close()


class App:
    def __init__(self, folder, supervisor, options=None):
        self.folder = folder
        self.page = parts.free_port()
        self.file = folder / "config" / "meterbridge.yaml"
        (folder / "data").mkdir(exist_ok=True)
        (folder / "data" / "options.json").write_text(
            json.dumps({"log_level": "trace", "configuration": str(self.file)} | (options or {})))
        self.environment = {"METERBRIDGE_OPTIONS": f"{folder}/data/options.json", "METERBRIDGE_SUPERVISOR": supervisor,
                            "SUPERVISOR_TOKEN": TOKEN, "STATE_DIRECTORY": f"{folder}/data",
                            "METERBRIDGE_APP_PORT": str(self.page)}

    def write(self, text):
        self.file.parent.mkdir(exist_ok=True)
        self.file.write_text(text)

    def start(self):
        process = parts.Process(["run", "--app"], self.folder / "app.log", self.environment)
        parts.wait_for(lambda: get(self.page, "/healthz")[0] == 200 or not process.alive(), "the page is there")
        assert process.alive(), process.log()
        return process

    def status(self):
        return json.loads(get(self.page, "/api/status")[1] or "{}")

    def send(self, method, path, body="", headers=None):
        request = urllib.request.Request(f"http://127.0.0.1:{self.page}{path}", body.encode(), method=method,
                                         headers={"X-Meterbridge": "1", "Content-Type": "text/yaml"} | (headers or {}))
        try:
            with urllib.request.urlopen(request, timeout=parts.PATIENCE) as answer:
                return answer.status, json.loads(answer.read())
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read())

    def put(self, text, file_hash):
        return self.send("PUT", "/api/configuration", text, {"If-Match": f'"{file_hash}"'})


@pytest.fixture
def supervisor():
    with Supervisor() as one:
        yield one


def meter(folder, name="house"):
    return f"  - {{id: {name}, profile: energomera-ce307, interval: 1s, address: 1, link: {{serial: {folder}/{name}}}}}\n"


def stop(process):
    began = time.monotonic()
    assert process.stop() == 0, process.log()
    # A sanitizer build is three times as slow; with the program of the image it is less than a second.
    assert time.monotonic() - began < 3 * max(1, parts.PATIENCE / 30)


def test_P44_the_first_start_writes_an_example_and_waits_for_a_file_that_the_page_writes(tmp_path, supervisor):
    app = App(tmp_path, supervisor.address)
    with app.start() as process:
        assert app.status()["configuration"]["state"] == "empty" and app.status()["mode"] == "app"
        assert get(app.page, "/readyz") == (503, f"the configuration {app.file} is empty\n")
        example = app.file.read_text()
        assert app.file.stat().st_mode & 0o777 == 0o640
        assert all(line.startswith("#") or not line for line in example.splitlines())
        # What it proposes is valid.
        proposed = tmp_path / "proposed.yaml"
        proposed.write_text(re.sub(r"^#(?=\S|  )", "", example, flags=re.M))
        checked = subprocess.run([parts.BINARY, "check", "-c", str(proposed)], capture_output=True, timeout=60,
                                 env=app.environment)
        assert checked.returncode == 0 and b"2 meters on 2 links" in checked.stdout, checked.stdout
        known = json.loads(get(app.page, "/api/configuration")[1])
        assert known["text"] == example and known["editable"]
        # A draft with a mistake: its place, and nothing is written.
        code, answer = app.send("POST", "/api/configuration/check", "meters:\n  - {id: a, profil: p1}\n")
        assert (code, answer["state"]) == (200, "invalid") and answer["problems"][0]["line"] == 2
        code, answer = app.put("meters:\n  - {id: a, profil: p1}\n", known["hash"])
        assert code == 422 and "did you mean" in json.dumps(answer["problems"]), answer
        assert app.file.read_text() == example
        code, answer = app.put(example + "# mine\n", known["hash"])
        assert code == 202 and "no meter in it yet" in answer["text"], answer
        code, answer = app.put(example, answer["hash"])
        assert code == 202 and answer["hash"] == known["hash"], answer
        app.file.chmod(0o600)
        code, answer = app.put("meters:\n" + meter(tmp_path), known["hash"])
        assert code == 200 and answer["problems"] == [], answer
        assert app.put("meters: []\n", known["hash"])[0] in (412, 500)  # not the file that was read
        parts.wait_for(lambda: [m["id"] for m in app.status().get("meters", [])] == ["house"], "reading began")
        assert app.status()["configuration"]["state"] == "valid"
        assert app.file.stat().st_mode & 0o777 == 0o600
        # A file without meters is written, and what runs goes on.
        now = json.loads(get(app.page, "/api/configuration")[1])
        code, answer = app.put("meters: []\n", now["hash"])
        assert code == 202 and "not taken over" in answer["text"], answer
        assert app.status()["configuration"]["running"] == "previous" and len(app.status()["meters"]) == 1
        assert app.put(now["text"], answer["hash"])[0] == 200
        assert (app.file.parent / "meterbridge.yaml.previous").read_text() == "meters: []\n"
        stop(process)
    # A later start finds a file, and leaves it alone.
    text = app.file.read_text()
    with app.start() as process:
        stop(process)
    assert app.file.read_text() == text


def test_P42_the_broker_comes_late_and_with_another_password(tmp_path, supervisor):
    app = App(tmp_path, supervisor.address)
    app.write("meters:\n" + meter(tmp_path))
    users = tmp_path / "users"
    port = parts.free_port()

    def broker(password):
        users.touch(0o600)
        subprocess.run(["mosquitto_passwd", "-b", str(users), "addons", password], check=True, capture_output=True)
        one = parts.Mosquitto(tmp_path, port, f"password_file {users}\n")
        one.conf.write_text(one.conf.read_text().replace("allow_anonymous true", "allow_anonymous false"))
        return one

    simulator = parts.Process(["simulate", "--profile", "energomera-ce307", "--pty", f"{tmp_path}/house"],
                              tmp_path / "simulate.log")
    with simulator, app.start() as process:
        # Nobody offers a broker; meters are read all the same.
        parts.wait_for(lambda: "Mosquitto broker" in app.status()["brokers"][0]["text"], "told what to install")
        parts.wait_for(lambda: app.status()["meters"][0]["up"], "the meter is read")
        assert get(app.page, "/healthz") == (200, "ok\n") and get(app.page, "/readyz")[0] == 503
        with broker("planted-first") as first:
            supervisor.offers(port, "planted-first")
            parts.wait_for(lambda: app.status()["brokers"][0]["connected"], "connected")
            assert get(app.page, "/readyz") == (200, "ok\n")
            code, answer = app.send("POST", "/api/meters/house/poll")
            assert (code, answer) == (202, {"text": "the meter is asked now"})
            first.stop()
        # Its app was started anew: another password, and the Supervisor learns of it a moment later.
        with broker("planted-second"):
            parts.wait_for(lambda: "refuses the login" in app.status()["brokers"][0]["text"], "the old password is refused")
            supervisor.offers(port, "planted-second")
            parts.wait_for(lambda: app.status()["brokers"][0]["connected"], "connected again")
        said = get(app.page, "/api/log")[1] + get(app.page, "/api/status")[1]
        stop(process)
        log = process.log()
    for secret in (TOKEN, "planted-first", "planted-second"):
        assert secret not in log + said
    assert set(supervisor.asked) == {("/services/mqtt", f"Bearer {TOKEN}")}


def test_P42_options_count_more_than_the_service_and_the_file_more_than_both(tmp_path, supervisor):
    supervisor.offers(1, "planted-service")
    app = App(tmp_path, supervisor.address, {"mqtt_host": "127.0.0.1", "mqtt_port": 2, "mqtt_username": "me",
                                             "mqtt_password": "planted-option"})
    app.write("meters:\n" + meter(tmp_path))
    with app.start() as process:
        parts.wait_for(lambda: app.status()["brokers"][0]["address"] == "127.0.0.1:2", "the option counts")
        app.write("mqtt: {host: 127.0.0.1, port: 3}\nmeters:\n" + meter(tmp_path))
        parts.wait_for(lambda: app.status()["brokers"][0]["address"] == "127.0.0.1:3", "the file counts more")
        stop(process)
        assert "planted" not in process.log()
    assert supervisor.asked == []


def test_P43_a_file_that_breaks_while_it_runs_is_told_and_nothing_ends(tmp_path, supervisor):
    app = App(tmp_path, supervisor.address)
    good = "meters:\n" + meter(tmp_path)
    app.write(good)
    with app.start() as process:
        for broken, state in (("meters:\n  - {id: house, profile: nonesuch, link: {serial: /dev/x}}\n", "invalid"), ("", "empty")):
            app.write(broken)
            process.process.send_signal(signal.SIGHUP)  # it would be seen by itself, a second or two later
            told = parts.wait_for(lambda: (c := app.status()["configuration"])["state"] == state and c, f"told: {state}")
            assert told["running"] == "previous"
            if state == "invalid":
                assert told["problems"][0]["line"] == 2 and told["problems"][0]["path"] == "meters[0].profile"
            # Every meter is dead, too: no reason to be started again.
            assert get(app.page, "/healthz") == (200, "ok\n")
            assert [m["id"] for m in app.status()["meters"]] == ["house"]
        app.write(good + meter(tmp_path, "attic"))
        parts.wait_for(lambda: len(app.status()["meters"]) == 2, "the mended file is taken over")
        assert "running" not in app.status()["configuration"]
        stop(process)


@pytest.mark.parametrize("state", ["waiting", "asking", "away", "nameless"])
def test_P42_a_stop_takes_no_time_in_any_state(tmp_path, supervisor, state):
    address = {"away": "http://10.255.255.1", "nameless": "http://supervisor.invalid"}.get(state, supervisor.address)
    app = App(tmp_path, address)
    if state != "waiting":
        app.write("meters:\n" + meter(tmp_path))
    supervisor.held.clear()
    with app.start() as process:
        if state == "asking":
            parts.wait_for(lambda: supervisor.asked, "the Supervisor is asked, and does not answer")
        stop(process)


def test_P58_who_does_not_come_from_the_supervisor_is_not_answered(tmp_path, supervisor):
    probe = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        probe.connect(("192.0.2.1", 9))
        own = probe.getsockname()[0]
    except OSError:
        pytest.skip("this machine has no address but loopback")
    finally:
        probe.close()
    app = App(tmp_path, supervisor.address)
    with app.start() as process:
        for path in ("/", "/api/configuration", "/healthz"):
            with pytest.raises(urllib.error.HTTPError) as refused:
                urllib.request.urlopen(f"http://{own}:{app.page}{path}", timeout=10)
            assert refused.value.code == 403 and b"through Home Assistant" in refused.value.read()
        stop(process)


def test_a_backup_while_it_runs_can_be_opened(tmp_path, supervisor):
    """The Supervisor's hot backup copies one file after the other, in whatever order, while we write."""
    app = App(tmp_path, supervisor.address, {"log_level": "info"})
    text = f"journal: {{commit: 0s}}\nsinks: {{csv: {{directory: {tmp_path}/csv}}}}\nmeters:\n"
    names = [f"m{i}" for i in range(4)]
    app.write(text + "".join(f"  - {{id: {n}, profile: p1, link: {{serial: {tmp_path}/{n}}}}}\n" for n in names))
    rounds = 24 if os.environ.get("METERBRIDGE_LONG_TESTS") else 2
    simulators = [parts.Process(["simulate", "--profile", "p1", "--pty", f"{tmp_path}/{n}", "--period", "20ms"],
                                tmp_path / f"{n}.log") for n in names]
    data = tmp_path / "data"
    try:
        with app.start() as process:
            for round_ in range(rounds):
                before = app.status()["journal"] or {"entries": 0}
                parts.wait_for(lambda: (app.status()["journal"] or {"entries": 0})["entries"] >= before["entries"] + 40,
                               "samples come")
                copy = tmp_path / f"copy-{round_}"
                copy.mkdir()
                subprocess.run([parts.BINARY, "journal", "hold", "--directory", data], check=True, timeout=60)
                files = sorted((f for f in data.iterdir() if f.is_file() and f.suffix != ".hold"), reverse=round_ % 2 == 1)
                for file in files:
                    try:
                        shutil.copy(file, copy / file.name)
                    except FileNotFoundError:
                        continue  # a file that was only there for a moment
                    # More is written between two files of the backup.
                    at = app.status()["journal"]["entries"]
                    parts.wait_for(lambda: app.status()["journal"]["entries"] > at, "more samples")
                subprocess.run([parts.BINARY, "journal", "release", "--directory", data], check=True, timeout=60)
                configuration = tmp_path / f"copy-{round_}.yaml"
                configuration.write_text(f"state_directory: {copy}\n" + app.file.read_text())
                opened = subprocess.run([parts.BINARY, "journal", "status", "-c", str(configuration), "--json"],
                                        capture_output=True, timeout=60)
                assert opened.returncode == 0, (round_, opened.stdout, opened.stderr)
                exported = subprocess.run([parts.BINARY, "journal", "export", "-c", str(configuration)],
                                          capture_output=True, timeout=60)
                assert exported.returncode == 0 and exported.stdout.count(b"\n") >= before["entries"] // 2, \
                    (round_, before, exported.stderr, exported.stdout[:300])
                for name in ("meterbridge.state.json", "meterbridge.values.json"):
                    if (copy / name).exists():
                        json.loads((copy / name).read_text())
            stop(process)
    finally:
        for simulator in simulators:
            simulator.__exit__()
