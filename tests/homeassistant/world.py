# SPDX-License-Identifier: MIT
"""The house that Home Assistant is shown: simulated meters, some that the test speaks for, a broker, the bridge."""
import json
import os
import signal

import house as parts
from house import wait_for
from instance import home_assistant

RELEASE = os.environ.get("METERBRIDGE_HA_RELEASE", "new")
# Device documents came with 2024.11.
DISCOVERY = {"old": "component", "new": "device"}[RELEASE]
PATIENCE = 90

# Meters of the statistics that the test speaks for, each with its first reading; no other test makes them grow.
FIRST = {"glitch": "1000.00", "exchange": "1000.00", "carried": "1000.00", "outage": "1000.00"}
# Meters that the test speaks for: {"id": serial number, "kwh": ...} on their topics.
SPOKEN = "fields: [{pointer: /id, key: serial}, {pointer: /kwh, key: energy_import, unit: kWh}, {pointer: /w, key: power, unit: W}]"


def spoken(name, extra=""):
    return f"{{id: {name}, profile: generic-json, link: {{mqtt: test/{name}}}, interval: 5s, publish: every, {extra}{SPOKEN}}}"


class World:
    def __init__(self, folder):
        self.folder = folder
        self.port = parts.free_port()
        self.house = parts.House(folder, [], port=self.port)
        self.meters = {
            "house": f"{{id: house, name: House, profile: energomera-ce307, address: 1, interval: 2s, publish: every, "
                     f"link: {{serial: {folder}/house}}, readings: {{energy_import_t1: {{name: Day}}}}, anomalies: true, "
                     f"alarms: [{{name: overload, label: Main switch, key: energy_import, above: 1}}, "
                     f"{{name: silent, kind: silent, for: 6s}}]}}",
            "flat": f"{{id: flat, name: Flat in Ghent, profile: p1, country: be, interval: 2s, publish: every, link: {{serial: {folder}/flat}}}}",
            **{name: spoken(name) for name in FIRST},
        }
        self.discovery = DISCOVERY
        self.extra = ""
        self.simulators = {}
        self.bridge = None
        self.broker = self.house.broker()
        self.hass = home_assistant(RELEASE, folder / "hass")
        self.write()

    def write(self):
        self.house.write(self.meters.values(), mqtt_extra=", keepalive: 10s",
                         extra=f"homeassistant: {{discovery: {self.discovery}}}\n{self.extra}")

    def start(self):
        self.broker.start()
        for name, profile, *more in (("house", "energomera-ce307", "--set", "address=1"), ("flat", "p1", "--set", "country=be", "--period", "1s")):
            self.simulate(name, profile, *more)
        self.ear = self.new_ear()
        self.start_bridge()
        self.hass.start()
        self.hass.add_mqtt(self.port)
        for name, kwh in FIRST.items():
            wait_for(lambda n=name, k=kwh: self.say(n, k) or self.hass.state(f"sensor.{n}_energy_import") == str(float(k)),
                     f"{name} is known", PATIENCE)
        return self

    def new_ear(self):
        return parts.Observer(self.port)

    def simulate(self, name, profile, *more):
        self.simulators[name] = (self.house.simulate("--profile", profile, "--pty", self.house.tty(name), *more), (profile, *more))

    def unplug(self, name):
        process, how = self.simulators[name]
        assert process.stop() == 0
        return lambda: self.simulate(name, *how)

    def start_bridge(self, environment=None):
        self.bridge = self.house.bridge(environment=environment)

    def kill_bridge(self):
        self.bridge.stop(signal.SIGKILL)

    def stop_bridge(self):
        assert self.bridge.stop() == 0, self.bridge.log()

    def reload(self):
        self.write()
        self.bridge.process.send_signal(signal.SIGHUP)

    def say(self, name, kwh, serial="A1", power=100):
        """A meter speaks; ends when Home Assistant's broker has it from the bridge, or the refusal."""
        self.ear.publish(f"test/{name}", json.dumps({"id": serial, "kwh": kwh, "w": power}))

    def shown(self, entity, value, patience=PATIENCE):
        wait_for(lambda: self.hass.state(entity) == value, f"{entity} is {value}", patience)

    def state_document(self, meter):
        """The newest state of a meter, as it went over the wire."""
        topic = f"meterbridge/{meter}/state"
        return json.loads([payload for where, payload, _ in self.ear.messages if where == topic][-1])

    def known(self, *unique_ids):
        """Waits until the entity registry has these; gives their names."""
        wanted = [f"meterbridge_{unique_id}" for unique_id in unique_ids]

        def look():
            entities = self.hass.entities()
            return all(one in entities for one in wanted) and entities
        entities = wait_for(look, f"Home Assistant knows {wanted}", PATIENCE)
        return [entities[one]["entity_id"] for one in wanted]

    def close(self):
        self.hass.stop()
        for process in [self.bridge, *(process for process, _ in self.simulators.values())]:
            if process:
                process.__exit__()
        self.broker.__exit__()
