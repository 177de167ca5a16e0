#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Shows what a broker holds of meterbridge: the readings, and what Home Assistant would make of them.

Redraws every second on a terminal, prints plain snapshots elsewhere. Ends on SIGINT or SIGTERM, or after
--seconds. Exit code 0 only if every --meter was seen with readings and every --process is still alive.
"""
import argparse
import json
import os
import re
import shutil
import signal
import sys
import threading
import time

import paho.mqtt.client as mqtt

# What the discovery documents abbreviate, as far as it is shown here.
LONG = {"dev": "device", "cmps": "components", "p": "platform", "stat_t": "state_topic", "val_tpl": "value_template",
        "uniq_id": "unique_id", "dev_cla": "device_class", "stat_cla": "state_class", "unit_of_meas": "unit",
        "unit_of_measurement": "unit", "ent_cat": "entity_category", "avty": "availability", "t": "topic", "ids":
        "identifiers", "mf": "manufacturer", "mdl": "model", "sn": "serial_number", "avty_t": "availability_topic",
        "en": "enabled_by_default"}
MEMBER = re.compile(r"value_json(?:\.get\(['\"](\w+)['\"]|\[['\"](\w+)['\"]\]|\.(\w+))")
# What a person wants to see first where there is no room for all.
FIRST = ["Power", "Energy import", "Energy export", "Gas", "Water", "Voltage L1", "Voltage L2", "Voltage L3", "Tariff"]
LIVE_EVERY, PLAIN_EVERY = 1.0, 10.0


def lengthened(node):
    if isinstance(node, dict):
        return {LONG.get(key, key): lengthened(value) for key, value in node.items()}
    return [lengthened(value) for value in node] if isinstance(node, list) else node


def parsed(payload):
    try:
        # Numbers stay as the digits that were sent.
        return json.loads(payload, parse_float=str, parse_int=str)
    except ValueError:
        return None


class Entity:
    def __init__(self, document, device):
        self.name = document.get("name") or device.name
        self.platform = document.get("platform", "sensor")
        self.unit = document.get("unit", "")
        self.device_class = document.get("device_class", "")
        self.state_class = document.get("state_class", "")
        self.category = document.get("entity_category", "")
        self.enabled = document.get("enabled_by_default", True)
        self.topic = document.get("state_topic") or device.state_topic
        self.template = document.get("value_template", "")

    def value(self, topics):
        """As Home Assistant would show it, as far as that goes without its template engine."""
        payload = topics.get(self.topic)
        if payload is None:
            return None
        member = MEMBER.search(self.template)
        if not member:
            return payload
        document = parsed(payload)
        name = next(filter(None, member.groups()))
        value = document.get(name) if isinstance(document, dict) else None
        if isinstance(value, dict):
            return str(sum(int(count) for count in value.values()))
        if isinstance(value, bool):
            return "on" if value else "off"
        return value


class Device:
    def __init__(self, topic):
        self.topic = topic
        self.name, self.model, self.state_topic, self.identifier = topic, "", "", ""
        self.availability, self.entities = [], {}

    def take(self, document, key=None):
        device = document.get("device", {})
        self.name = device.get("name", self.name)
        identifiers = device.get("identifiers", [])
        self.identifier = identifiers if isinstance(identifiers, str) else next(iter(identifiers), "")
        words = [device.get(k, "") for k in ("manufacturer", "model")]
        if device.get("serial_number"):
            words.append("no. " + device["serial_number"])
        self.model = " ".join(filter(None, words))
        self.state_topic = document.get("state_topic", self.state_topic)
        found = [entry.get("topic", "") for entry in document.get("availability", [])]
        self.availability = found or self.availability
        if key is None:
            self.entities = {name: Entity(body, self) for name, body in document.get("components", {}).items()
                             if len(body) > 1}
        else:
            self.entities[key] = Entity(document, self)

    def available(self, topics):
        """As the entities of readings see it: everything they name must be online."""
        own = [t for t in topics if self.state_topic and t == self.state_topic.rsplit("/", 1)[0] + "/availability"]
        return all(topics.get(topic) == "online" for topic in [*self.availability, *own])

    def readings(self):
        found = [e for e in self.entities.values() if not e.category and e.platform in ("sensor", "binary_sensor")]
        return sorted(found, key=lambda e: FIRST.index(e.name) if e.name in FIRST else len(FIRST))


class House:
    """Everything heard at the broker, filled by the MQTT thread."""

    def __init__(self, arguments):
        self.lock = threading.Lock()
        self.topics, self.devices = {}, {}
        self.messages = 0
        self.connected = False
        self.instance, self.base, self.prefix = arguments.instance, arguments.base or arguments.instance, arguments.prefix
        self.client = mqtt.Client(client_id="", protocol=mqtt.MQTTv311)
        if arguments.username:
            self.client.username_pw_set(arguments.username, os.environ.get("METERBRIDGE_DEMO_PASSWORD"))
        self.client.on_connect = self._connect
        self.client.on_disconnect = self._disconnect
        self.client.on_message = self._message
        self.client.connect(arguments.host, arguments.port, keepalive=30)
        self.client.loop_start()

    def _connect(self, client, _data, _flags, code):
        self.connected = code == 0
        client.subscribe([(f"{self.base}/#", 0), (f"{self.prefix}/+/+/config", 0), (f"{self.prefix}/+/+/+/config", 0)])

    def _disconnect(self, *_):
        self.connected = False

    def _message(self, _client, _data, message):
        payload = message.payload.decode("utf-8", "replace")
        with self.lock:
            if message.topic.startswith(self.base + "/"):
                self.messages += 1
                self.topics[message.topic] = payload
            elif f'"{self.base}/status"' in payload or f'"{self.base}/' in payload:
                self._discovery(message.topic, payload)
            elif not payload:
                self.devices.pop(message.topic, None)

    def _discovery(self, topic, payload):
        document = parsed(payload)
        if not isinstance(document, dict):
            return
        document = lengthened(document)
        parts = topic[len(self.prefix) + 1:].split("/")
        device = self.devices.setdefault(f"{self.prefix}/device/{parts[1]}/config", Device(topic))
        if parts[0] == "device":
            device.take(document)
        else:
            document.setdefault("platform", parts[0])
            device.take(document, parts[2])

    def device_of(self, meter):
        return next((d for d in self.devices.values() if d.identifier == f"{self.instance}_{meter}"), None)

    def close(self):
        self.client.loop_stop()
        self.client.disconnect()


def state_of(process):
    """Alive? A process that has ended but was not yet waited for is a zombie."""
    name, _, pid = process.partition("=")
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
            return name, file.read().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return name, False


def clipped(text, width):
    return text if len(text) <= width else text[:max(width - 1, 0)] + "…"


def device_lines(device, topics, health, width, most):
    online = device.available(topics)
    fault = (health or {}).get("state", "")
    head = f"{device.name}  [{'available' if online else 'unavailable'}{', ' + fault if fault else ''}]  {device.model}"
    lines = [clipped(head, width)]
    readings = device.readings()
    for entity in readings[:most]:
        value = entity.value(topics)
        shown = "unknown" if value is None else str(value)
        classes = " / ".join(filter(None, [entity.device_class, entity.state_class]))
        unit = entity.unit or ""
        hidden = "" if entity.enabled else "  (disabled at first)"
        lines.append(clipped(f"  {clipped(entity.name, 34):<34} {clipped(shown, 26):>26} {unit:<6} {classes}{hidden}", width))
    others = len(device.entities) - len(readings)
    left = len(readings) - len(readings[:most])
    parts = ([f"{left} more readings"] if left else []) + ([f"{others} diagnostic and control entities"] if others else [])
    if parts:
        lines.append("  + " + ", ".join(parts))
    return lines


def picture(house, started, width, height=None):
    with house.lock:
        topics = dict(house.topics)
        devices = [house.devices[key] for key in sorted(house.devices)]
        messages = house.messages
    meters = [d for d in devices if d.identifier != f"{house.instance}_bridge"]
    bridge = topics.get(f"{house.base}/status", "not seen yet")
    entities = sum(len(d.entities) for d in devices)
    lines = [clipped(f"meterbridge demo   bridge {bridge}   {len(meters)} meter devices, {entities} entities   "
                     f"{messages} messages   {time.monotonic() - started:.0f} s", width)]
    most = 1000
    if height:
        most = max(3, (height - 2 - 3 * len(meters)) // max(1, len(meters)))
    for device in meters:
        meter = device.identifier[len(house.instance) + 1:]
        health = parsed(topics.get(f"{house.base}/{meter}/health", ""))
        lines += ["", *device_lines(device, topics, health, width, most)]
    if not meters:
        lines += ["", "waiting for the first meter ..."]
    return lines[:height - 1] if height else lines


def missing(house, meters):
    """What is not as it should be, in words."""
    words = []
    with house.lock:
        for meter in meters:
            state = parsed(house.topics.get(f"{house.base}/{meter}/state", ""))
            values = [k for k, v in (state or {}).items() if k != "time" and v is not None]
            device = house.device_of(meter)
            if not values:
                words.append(f"{meter}: no reading was seen")
            elif device is None or not device.readings():
                words.append(f"{meter}: readings, but no discovery document for them")
            elif all(entity.value(house.topics) is None for entity in device.readings()):
                words.append(f"{meter}: readings, but Home Assistant would show none of them")
            elif house.topics.get(f"{house.base}/{meter}/availability") != "online":
                words.append(f"{meter}: is not online")
    return words


def clear(house):
    """Removes every retained message of this instance from the broker."""
    quiet = -1
    while quiet != house.messages + len(house.devices):
        quiet = house.messages + len(house.devices)
        time.sleep(0.5)
    with house.lock:
        topics = list(house.topics) + list(house.devices)
    for topic in topics:
        house.client.publish(topic, b"", qos=1, retain=True).wait_for_publish()
    print(f"{len(topics)} retained messages of the demo removed from the broker")


def watch(house, arguments, ended):
    live = sys.stdout.isatty()
    started = time.monotonic()
    next_plain, first_complete = started + PLAIN_EVERY, False
    problem = ""
    while not problem:
        dead = [name for name, alive in map(state_of, arguments.process) if not alive]
        if dead:
            problem = f"{' and '.join(dead)} ended by itself"
        now = time.monotonic()
        if live:
            size = shutil.get_terminal_size()
            rows = picture(house, started, size.columns - 1, size.lines)
            sys.stdout.write("\033[H" + "".join(f"{row}\033[K\n" for row in rows) + "\033[J")
            sys.stdout.flush()
        elif now >= next_plain or (not first_complete and not missing(house, arguments.meter)):
            first_complete = first_complete or not missing(house, arguments.meter)
            next_plain = now + PLAIN_EVERY
            print("\n".join(picture(house, started, 160)) + "\n", flush=True)
        left = arguments.seconds - (now - started) if arguments.seconds else LIVE_EVERY
        if left <= 0 or ended.wait(min(LIVE_EVERY, left)):
            break
    if not live:
        print("\n".join(picture(house, started, 160)) + "\n", flush=True)
    problems = [problem] if problem else missing(house, arguments.meter)
    for text in problems:
        print(f"demo: {text}", file=sys.stderr)
    if not problems:
        print(f"demo: all {len(arguments.meter)} meters were read, and Home Assistant would see them.")
    return 1 if problems else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=1883)
    parser.add_argument("--username", default="", help="the password is read from METERBRIDGE_DEMO_PASSWORD")
    parser.add_argument("--instance", default="meterbridge")
    parser.add_argument("--base", default="", help="base topic, default the instance")
    parser.add_argument("--prefix", default="homeassistant")
    parser.add_argument("--meter", action="append", default=[], help="id of a meter that must be seen; repeatable")
    parser.add_argument("--process", action="append", default=[], help="NAME=PID that must stay alive; repeatable")
    parser.add_argument("--seconds", type=float, default=0, help="end after so long; 0 = on Ctrl-C")
    parser.add_argument("--clear", action="store_true", help="only remove what the instance left at the broker")
    arguments = parser.parse_args()

    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: ended.set())
    try:
        house = House(arguments)
    except OSError as error:
        print(f"demo: the broker at {arguments.host}:{arguments.port} cannot be reached: {error}", file=sys.stderr)
        return 1
    try:
        if arguments.clear:
            clear(house)
            return 0
        return watch(house, arguments, ended)
    finally:
        house.close()


if __name__ == "__main__":
    sys.exit(main())
