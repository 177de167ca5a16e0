# SPDX-License-Identifier: MIT
"""A real Home Assistant: made ready by its own API, started, stopped, asked."""
import json
import os
import pathlib
import shutil
import signal
import subprocess
import time
import urllib.error

import client
from house import free_port, wait_for

CACHE = pathlib.Path(os.environ.get("METERBRIDGE_HA_CACHE") or
                     pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "meterbridge/homeassistant")
START = float(os.environ.get("METERBRIDGE_HA_PATIENCE", "300"))

CONFIGURATION = """\
homeassistant: {{name: Home, time_zone: Europe/Vienna, currency: EUR, unit_system: metric, country: AT, latitude: 48.2, longitude: 16.4, elevation: 200}}
http: {{server_host: 127.0.0.1, server_port: {port}}}
recorder: {{commit_interval: 1}}
frontend:
history:
logbook:
energy:
config:
repairs:
system_log: {{max_entries: 500}}
logger: {{default: warning}}
"""


def program(release):
    """`hass` of a release ("old" or "new") as tests/homeassistant/prepare left it, or None."""
    found = CACHE / f"ha-{release}" / "bin" / "hass"
    return found if found.exists() else None


class HomeAssistant:
    """One configuration folder, and the process that lives in it."""

    def __init__(self, release, folder, token=None):
        self.release = release
        self.folder = folder
        self.port = free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        self.token = token
        self.process = None
        self.runs = 0
        self.options = ["--skip-pip"]
        self.environment = {}
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "configuration.yaml").write_text(CONFIGURATION.format(port=self.port))

    def start(self):
        self.runs += 1
        log = self.folder / f"hass-{self.runs}.log"
        with log.open("ab") as output:
            self.process = subprocess.Popen([str(program(self.release)), "-c", str(self.folder), *self.options], stdin=subprocess.DEVNULL,
                                            stdout=output, stderr=output, start_new_session=True, env={**os.environ, **self.environment})
        wait_for(self._answers, f"Home Assistant answers; see {log}", START)
        if self.token:
            self._when_running()
        return self

    def _when_running(self):
        wait_for(self._running, f"Home Assistant is started; see {self.folder}", START)
        self._confirm_address()

    def _answers(self):
        assert self.process.poll() is None, f"hass ended with {self.process.returncode}:\n{self.log()[-3000:]}"
        try:
            client.http("GET", f"{self.address}/api/onboarding")
        except client.Refused:  # older releases have no such address once everything is done
            return True
        except (urllib.error.URLError, OSError):
            return False
        return True

    def _confirm_address(self):
        """From 2026 on an address of the file is a trial: unless somebody says that it works, it is taken back after five minutes."""
        try:
            self.ask("http/config/promote")
        except client.Refused:
            pass  # an older release, or confirmed before

    def _running(self):
        time.sleep(0.3)  # each look costs it a request
        try:
            return self.get("/api/config")["state"] == "RUNNING"
        except (client.Refused, urllib.error.URLError, OSError):
            return False

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(90)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait()
        return self.process.returncode if self.process else None

    def restart(self):
        assert self.stop() == 0
        return self.start()

    def log(self):
        return "".join(file.read_text(errors="replace") for file in sorted(self.folder.glob("hass-*.log")))

    def complaints(self):
        """Lines of warnings and errors that could be about us."""
        return [line for line in self.log().splitlines()
                if (" WARNING " in line or " ERROR " in line or " CRITICAL " in line) and not any(text in line for text in NOT_OURS)]

    # The API

    def onboard(self):
        """The first steps of a user, by the API that his browser uses."""
        identity = self.address + "/"
        made = client.http("POST", f"{self.address}/api/onboarding/users", {
            "client_id": identity, "name": "Anna", "username": "anna", "password": PASSWORD, "language": "en"})
        tokens = client.http("POST", f"{self.address}/auth/token", {
            "grant_type": "authorization_code", "code": made["auth_code"], "client_id": identity}, form=True)
        self.token = tokens["access_token"]
        for step in ("core_config", "analytics"):
            self.post(f"/api/onboarding/{step}", {})
        self.post("/api/onboarding/integration", {"client_id": identity, "redirect_uri": f"{identity}?auth_callback=1"})
        self.token = self.ask("auth/long_lived_access_token", client_name="tests", lifespan=3650)
        self._when_running()  # stopped earlier, it forgets all this
        return self

    def login(self):
        """What a browser exchanges for its tokens."""
        identity = self.address + "/"
        flow = client.http("POST", f"{self.address}/auth/login_flow", {
            "client_id": identity, "handler": ["homeassistant", None], "redirect_uri": identity})
        done = client.http("POST", f"{self.address}/auth/login_flow/{flow['flow_id']}", {
            "client_id": identity, "username": "anna", "password": PASSWORD})
        return {"grant_type": "authorization_code", "code": done["result"], "client_id": identity}

    def add_mqtt(self, port):
        """Settings, Devices, Add integration, MQTT: whatever its forms ask for."""
        step = self.post("/api/config/config_entries/flow", {"handler": "mqtt", "show_advanced_options": False})
        for _ in range(5):
            if step["type"] == "create_entry":
                break
            assert step["type"] == "form" and not step.get("errors"), step
            filled = fill(step["data_schema"], {"broker": "127.0.0.1", "port": port, "set_client_cert": False, "set_ca_cert": "off"})
            step = self.post(f"/api/config/config_entries/flow/{step['flow_id']}", filled)
        assert step["type"] == "create_entry", step
        wait_for(lambda: [e for e in self.get("/api/config/config_entries/entry?domain=mqtt") if e["state"] == "loaded"],
                 "the MQTT integration is loaded")

    def get(self, path):
        return client.http("GET", self.address + path, token=self.token)

    def post(self, path, body):
        return client.http("POST", self.address + path, body, self.token)

    def ask(self, kind, **fields):
        commands = client.Commands(self.port, self.token)
        try:
            return commands(kind, **fields)
        finally:
            commands.close()

    def version(self):
        return self.get("/api/config")["version"]

    def states(self):
        return {state["entity_id"]: state for state in self.get("/api/states")}

    def entities(self):
        """What the entity registry has of MQTT, by unique id."""
        listed = self.ask("config/entity_registry/list")
        entries = [entry for entry in listed if entry["platform"] == "mqtt"]
        # The list is short on some fields; the full entries are asked for at once where that is possible.
        full = self.ask("config/entity_registry/get_entries", entity_ids=[entry["entity_id"] for entry in entries])
        there = [entry for entry in full.values() if entry]  # one may have been removed between the two questions
        found = {entry["unique_id"]: entry for entry in there}
        assert len(found) == len(there), "a unique id stands there twice"
        return found

    def devices(self):
        """The device registry by the identifier of MQTT."""
        return {identifier: device for device in self.ask("config/device_registry/list")
                for domain, identifier in device["identifiers"] if domain == "mqtt"}

    def entity_of(self, unique_id):
        entry = self.entities().get(unique_id)
        return entry and entry["entity_id"]

    def state(self, entity_id):
        try:
            return self.get(f"/api/states/{entity_id}")["state"]
        except client.Refused:
            return None


def fill(schema, answers):
    """A form as somebody leaves it who cares for nothing but these answers; folded sections (newer releases) are sent, too."""
    filled = {}
    for field in schema:
        name = field["name"]
        if field.get("type") == "expandable":
            filled[name] = fill(field["schema"], answers)
        elif name in answers:
            filled[name] = answers[name]
        elif (suggested := (field.get("description") or {}).get("suggested_value")) is not None:
            filled[name] = suggested
    return filled


PASSWORD = "meter-and-bridge"
# Not about meters: what these releases say of such a machine, without the Internet, cameras and tools for sound.
NOT_OURS = ("homeassistant.bootstrap]", "aiohttp_fast_zlib]", "haffmpeg", "[metno]", "components.met", "components.http.",
            "components.camera", "img_util", "Ended unfinished session", "radio_browser", "google_translate", "components.analytics",
            # A test took the broker away.
            "Error returned from MQTT server: The connection was lost", "Disconnected from MQTT server", "Unable to connect to the MQTT broker",
            "Failed to connect to MQTT server",
            # It was off for more than ten minutes; the machine is slow.
            "could not validate that the sqlite3 database", "is taking over 10 seconds", "Updating state for",
            # Of a device whose topic was emptied (once): after another kind of discovery always, after a removal on a busy machine.
            "No device components to cleanup")


def golden(release):
    """A configuration folder after the first steps, kept beside the environment; made once."""
    folder = CACHE / f"golden-{release}"
    if not (folder / "token").exists():
        shutil.rmtree(folder, ignore_errors=True)
        made = HomeAssistant(release, folder)
        made.options = []  # the first start installs what its integrations need
        try:
            made.start().onboard()
            (folder / "version").write_text(made.version())
        finally:
            code = made.stop()
        assert code == 0, f"hass ended with {code}: {folder}"
        (folder / "token").write_text(made.token)
    return folder


def home_assistant(release, folder):
    """A fresh instance in `folder`, past its first steps; not started."""
    shutil.copytree(golden(release), folder, ignore=shutil.ignore_patterns("hass-*.log", "home-assistant*", "*.db*", "http"))
    return HomeAssistant(release, folder, (folder / "token").read_text())


def first_start(release, broker_port):
    """For prepare: everything that the tests load is installed once, MQTT included."""
    folder = CACHE / f"first-{release}"
    shutil.rmtree(folder, ignore_errors=True)
    made = HomeAssistant(release, folder)
    made.options = []
    try:
        made.start().onboard()
        made.add_mqtt(broker_port)
        print(json.dumps({"release": release, "version": made.version()}))
    finally:
        made.stop()
    shutil.rmtree(folder, ignore_errors=True)  # stays after a failure: its log says why
