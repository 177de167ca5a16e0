# SPDX-License-Identifier: MIT
"""Prints what the integrations that the tests load need, of the Home Assistant that this interpreter has.

Home Assistant installs these by itself, one by one, at the first start; here pip gets them all at once.
"""
import importlib.util
import json
import pathlib

CORE = pathlib.Path(importlib.util.find_spec("homeassistant").origin).parent
# Those of configuration.yaml, MQTT, and those that the first steps of a user set up.
WANTED = ["mqtt", "recorder", "frontend", "history", "logbook", "energy", "config", "repairs", "system_log", "onboarding", "met",
          "google_translate", "tts", "radio_browser", "shopping_list", "backup", "image_upload", "person", "analytics", "search",
          "diagnostics", "file_upload", "device_automation", "lovelace", "sensor", "binary_sensor", "button", "number", "event",
          "switch", "update"]


def manifest(domain):
    file = CORE / "components" / domain / "manifest.json"
    return json.loads(file.read_text()) if file.exists() else {}


def main():
    seen, waiting, needed = set(), list(WANTED), set()
    while waiting:
        domain = waiting.pop()
        if domain in seen:
            continue
        seen.add(domain)
        facts = manifest(domain)
        needed.update(facts.get("requirements", []))
        waiting += facts.get("dependencies", []) + facts.get("after_dependencies", []) * (domain in ("http", "frontend"))
    print("\n".join(sorted(needed)))


main()
