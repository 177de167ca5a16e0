# SPDX-License-Identifier: MIT
"""Alarms from the configuration to the broker: events, entities, health, pages, and what a restart keeps."""
import json
import urllib.request

import house as parts
from house import House, Observer

METER = ("{id: press, profile: esp32-flat-json, link: {mqtt: shop/press}, interval: 2s, publish: every,"
         " fields: [{pointer: /oil, key: value_1, unit: bar}, {pointer: /door, key: input_7}],"
         " readings: {value_1: {median: 3}},"
         " alarms: [{name: overload, label: Main switch, key: power, above: 15kW, hysteresis: 500, delay: 1s, severity: critical},"
         " {name: door, key: input_7, is: on},"
         " {name: oil, key: value_1, above: 6.5},"
         " {name: away, kind: silent, for: 3s}]}")


def test_alarms_are_events_entities_and_words_and_survive_a_restart(tmp_path):
    pages = parts.free_port()
    house = House(tmp_path, [METER], extra=f"http: {{listen: '127.0.0.1:{pages}'}}")

    def get(path):
        with urllib.request.urlopen(f"http://127.0.0.1:{pages}{path}", timeout=10) as answer:
            return answer.read().decode()

    with house.broker(), Observer(house.port) as ear:
        def say(power, oil=6.0, door="false"):
            ear.publish("shop/press", f'{{"power":{power},"oil":{oil},"door":{door},"energy_total":5.25}}')

        def alarm(name, wanted, begin=0):
            return ear.wait_json("meterbridge/press/health",
                                 lambda h: h.get("alarms", {}).get(name, {}).get("active") is wanted, begin)

        def event(kind, name, begin=0):
            return ear.wait_json("meterbridge/press/event", lambda e: e["event_type"] == kind and e.get("alarm") == name, begin)

        def until(condition, power):
            """The meter says the same again and again until somebody has noticed."""
            def look():
                say(power)
                return condition()
            return parts.wait_for(look, f"with {power} W")

        def seen(kind, name, begin):
            return [json.loads(p) for t, p, _ in ear.messages[begin:] if t == "meterbridge/press/event"
                    and f'"{kind}"' in p and f'"{name}"' in p]

        with house.bridge() as bridge:
            document = ear.wait_json("homeassistant/device/meterbridge_press/config")
            entity = document["cmps"]["alarm_overload"]
            assert entity["uniq_id"] == "meterbridge_press_alarm_overload" and entity["name"] == "Main switch", entity
            assert entity["p"] == "binary_sensor" and entity["dev_cla"] == "problem", entity
            alarm("overload", None)  # nothing is known yet
            until(lambda: ear.messages and any('"door":{"active":false' in p for _, p, _ in ear.messages), 14000)
            alarm("overload", False)
            begin = ear.count()
            until(lambda: seen("alarm_raised", "overload", begin), 15000.5)
            raised = seen("alarm_raised", "overload", begin)[0]
            assert raised["text"] == "power 15000.5 W above 15000 W for 1s" and raised["severity"] == "critical", raised
            health = alarm("overload", True, begin)
            assert health["alarms"]["overload"]["since"] and "above 15000 W" in health["alarm"], health
            status = json.loads(get("/api/status"))["meters"][0]["alarms"]
            assert [a["active"] for a in status if a["name"] == "overload"] == [True], status
            assert 'meterbridge_alarm_active{meter="press",alarm="overload",severity="critical"} 1' in get("/metrics")
            # A spike of the pressure goes nowhere; a door is told at once.
            say(15000.5, oil=99)
            say(15000.5, door="true")
            event("alarm_raised", "door", begin)
            assert not seen("alarm_raised", "oil", 0) and not any('"value_1":99' in p for _, p, _ in ear.messages)
            assert bridge.stop() == 0
        begin = ear.count()
        with house.bridge() as bridge:
            until(lambda: any('"overload":{"active":true' in p for t, p, _ in ear.messages[begin:]), 15100)
            until(lambda: seen("alarm_cleared", "door", begin), 14800)  # inside the hysteresis
            assert not seen("alarm_raised", "overload", begin) and not seen("alarm_cleared", "overload", begin)
            until(lambda: seen("alarm_cleared", "overload", begin), 14500)
            assert "was at 15100" in seen("alarm_cleared", "overload", begin)[0]["text"]
            alarm("overload", False, begin)
            begin = ear.count()
            event("alarm_raised", "away", begin)  # silence, while the values are not known
            alarm("overload", None, begin)
            until(lambda: seen("alarm_cleared", "away", begin), 14000)
            assert bridge.stop() == 0
        # Who takes an alarm out takes its entity out.
        house.write([METER.replace("{name: oil, key: value_1, above: 6.5},", "")])
        begin = ear.count()
        with house.bridge() as bridge:
            ear.wait_json("homeassistant/device/meterbridge_press/config",
                          lambda d: d["cmps"].get("alarm_oil") == {"p": "binary_sensor"}, begin)
            ear.wait_json("homeassistant/device/meterbridge_press/config", lambda d: "alarm_oil" not in d["cmps"], begin)
            assert bridge.stop() == 0


def test_check_warns_of_an_alarm_on_a_reading_that_is_never_sent(tmp_path):
    alarms = "alarms: [{name: over, key: power, above: 5kW}, {name: hot, key: temperature, above: 60}]"
    meter = f"{{id: a, profile: eastron-sdm120, link: {{serial: {tmp_path}/tty}}, address: 1, {alarms}"
    for more, words in [("", 'the alarm "hot" waits for temperature'),
                        (", registers: [{address: 70, key: temperature, type: f32, unit: °C}]", None)]:
        house = House(tmp_path, [meter + more + "}"])
        told = (done := house.call("check", "-c", str(house.file))).stderr.decode() + done.stdout.decode()
        assert done.returncode == 0, told
        assert words in told if words else "waits for" not in told, told
        assert '"over"' not in told, told
