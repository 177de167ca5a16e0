#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Proves with a real Home Assistant what docs/migrate promises: an entity of another program is replaced by ours, and its
statistics go on; then the Energy dashboard takes two tariffs with a price each. Home Assistant counts every five minutes, so
this takes a quarter of an hour. Run by hand, with an interpreter that has the package homeassistant:

    METERBRIDGE_BINARY=build/release/src/meterbridge venv/bin/python tests/soak/history.py
"""
import asyncio
import contextlib
import json
import os
import pathlib
import socket
import sqlite3
import subprocess
import tempfile

import homeassistant.const
from homeassistant import bootstrap, runner
from homeassistant.components.energy import data, validate
from homeassistant.helpers import entity_registry
from homeassistant.setup import async_setup_component

BINARY = os.environ["METERBRIDGE_BINARY"]
OLD_TOPIC = "homeassistant/sensor/ce307/sum/config"
OLD = {"name": "Сумма T1+T2+T3", "unique_id": "ce307_sum", "state_topic": "ce307/sum", "unit_of_measurement": "kWh",
       "device_class": "energy", "state_class": "total_increasing", "device": {"identifiers": ["ce307"], "name": "CE307"}}
LAST_OF_OLD = "17825.00"  # the simulated meter stands a little higher
HALF_AN_HOUR = 1800


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


async def when(condition, what, patience=60):
    for _ in range(patience):
        if value := condition():
            return value
        await asyncio.sleep(1)
    raise SystemExit(f"not within {patience} s: {what}")


def publisher(port):
    def publish(topic, payload):
        text = ["-m", payload] if payload else ["-n"]
        subprocess.run(["mosquitto_pub", "-p", str(port), "-q", "1", "-r", "-t", topic, *text], check=True)
    return publish


async def home_assistant(folder, port):
    (folder / "configuration.yaml").write_text(
        "homeassistant: {}\nrecorder: {commit_interval: 1}\nlogger: {default: error}\n"
        f"http: {{server_host: 127.0.0.1, server_port: {free_port()}}}\n")
    hass = await bootstrap.async_setup_hass(runner.RuntimeConfig(config_dir=str(folder)))
    await hass.async_start()
    flow = await hass.config_entries.flow.async_init("mqtt", context={"source": "user"})
    made = await hass.config_entries.flow.async_configure(flow["flow_id"], {"broker": "127.0.0.1", "port": port})
    assert made["type"] == "create_entry", made
    assert await async_setup_component(hass, "energy", {})
    return hass


def statistics(folder, entity):
    query = ("select state, sum from statistics_short_term s join statistics_meta m on m.id = s.metadata_id "
             "where statistic_id = ? order by start_ts")
    with contextlib.closing(sqlite3.connect(f"file:{folder}/home-assistant_v2.db?mode=ro", uri=True)) as database:
        return database.execute(query, (entity,)).fetchall()


async def prove(folder, port, processes):
    publish = publisher(port)
    hass = await home_assistant(folder, port)
    registry = entity_registry.async_get(hass)
    publish(OLD_TOPIC, json.dumps(OLD))
    old = await when(lambda: registry.async_get_entity_id("sensor", "mqtt", "ce307_sum"), "the old entity")
    for reading in ("17820.00", LAST_OF_OLD):
        publish("ce307/sum", reading)
        await when(lambda value=reading: hass.states.get(old).state == value, f"{old} is {reading}")
    before = (await when(lambda: statistics(folder, old), "statistics of the old entity", HALF_AN_HOUR))[-1]
    print(f"{old}: state {before[0]}, sum {before[1]}", flush=True)

    publish(OLD_TOPIC, None)  # the old program is gone, and so is its message
    await when(lambda: old not in registry.entities, "the old entity is gone")
    processes.append(subprocess.Popen([BINARY, "run", "-c", str(folder / "meterbridge.yaml")]))
    names = {key: await when(lambda k=key: registry.async_get_entity_id("sensor", "mqtt", f"meterbridge_house_{k}"), key)
             for key in ("energy_import", "energy_import_t1", "energy_import_t2")}
    print(f"ours: {names}", flush=True)
    await when(lambda: statistics(folder, names["energy_import"]), "statistics of ours under its first name", HALF_AN_HOUR)
    registry.async_update_entity(names["energy_import"], new_entity_id=old)
    after = (await when(lambda: len(rows := statistics(folder, old)) > 1 and rows, "statistics go on", HALF_AN_HOUR))[-1]
    print(f"{old}: state {after[0]}, sum {after[1]}", flush=True)
    grown = after[0] - float(LAST_OF_OLD)
    assert grown > 0 and abs(after[1] - before[1] - grown) < 0.001, (before, after)

    prices = {"energy_import_t1": 6.43, "energy_import_t2": 3.71}
    sources = [{"stat_energy_from": names[key], "stat_cost": None, "entity_energy_price": None, "number_energy_price": price}
               for key, price in prices.items()]
    manager = await data.async_get_manager(hass)
    await manager.async_update({"energy_sources": [
        {"type": "grid", "flow_from": sources, "flow_to": [], "cost_adjustment_day": 0}]})
    issues = (await validate.async_validate(hass)).as_dict()["energy_sources"]
    print(f"energy dashboard: {issues}", flush=True)
    assert issues == [[]], issues
    for key in prices:
        cost = await when(lambda k=key: hass.states.get(f"{names[k]}_cost"), f"cost of {key}")
        print(f"{cost.entity_id}: {cost.state} {cost.attributes['unit_of_measurement']}", flush=True)
    await hass.async_stop(force=True)


def main():
    print(f"Home Assistant {homeassistant.const.__version__}", flush=True)
    port = free_port()
    processes = []
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        (folder / "mosquitto.conf").write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\nuser root\n")
        (folder / "meterbridge.yaml").write_text(
            f"state_directory: {folder}/state\nmqtt: {{host: 127.0.0.1, port: {port}}}\nmeters: [{{id: house, profile: "
            f"energomera-ce307, link: {{serial: {folder}/tty}}, address: 13462, interval: 5s, publish: every}}]\n")
        try:
            processes.append(subprocess.Popen(["mosquitto", "-c", str(folder / "mosquitto.conf")], stderr=subprocess.DEVNULL))
            processes.append(subprocess.Popen([BINARY, "simulate", "-c", str(folder / "meterbridge.yaml")]))
            asyncio.run(prove(folder, port, processes))
        finally:
            for process in reversed(processes):
                process.terminate()
                process.wait()
    print("proved")


main()
