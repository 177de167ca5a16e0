# SPDX-License-Identifier: MIT
"""The pages for monitoring, of a real service with a meter and a broker."""
import json
import re
import signal
import socket
import subprocess
import urllib.error
import urllib.request

import house as parts


def get(port, page):
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{page}", timeout=5) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()
    except OSError:
        return 0, ""


def test_P43_a_lost_broker_makes_the_program_unready_and_never_unhealthy(tmp_path):
    pages, moved = parts.free_port(), parts.free_port()
    meters = [f"{{id: house, profile: energomera-ce307, interval: 1s, address: 1, link: {{serial: {tmp_path}/tty}}}}"]
    house = parts.House(tmp_path, meters, extra=f"http: {{listen: '127.0.0.1:{pages}'}}")
    with house.simulate("--profile", "energomera-ce307", "--pty", house.tty("tty")), house.bridge() as bridge:
        parts.wait_for(lambda: get(pages, "/healthz") == (200, "ok\n"), "the pages are there")
        assert get(pages, "/readyz") == (503, f"the broker 127.0.0.1:{house.port} is not connected\n")
        # Readings are shown though no broker was ever there.
        def shown():
            rows = json.loads(get(pages, "/api/status")[1] or "{}").get("meters", [{}])[0].get("readings", [])
            return any(row["key"] == "energy_import" and row["value"] for row in rows)

        parts.wait_for(shown, "the page shows what was read")
        with house.broker() as broker:
            parts.wait_for(lambda: get(pages, "/readyz") == (200, "ok\n"), "ready")
            parts.wait_for(lambda: 'meterbridge_meter_up{meter="house"} 1' in get(pages, "/metrics")[1], "the meter is up")
            text = get(pages, "/metrics")[1]
            assert re.search(r'^meterbridge_reading\{meter="house",key="energy_import",unit="kWh"\} \d+\.\d+$', text, re.M)
            assert f'meterbridge_broker_connected{{broker="127.0.0.1:{house.port}"}} 1' in text
            assert 'meterbridge_meter_fault{meter="house",fault="ok"} 1' in text
            assert 'meterbridge_link_up{link="house"} 1' in text
            status = json.loads(get(pages, "/api/status")[1])
            assert [meter["id"] for meter in status["meters"]] == ["house"] and status["meters"][0]["up"]
            energy = next(row for row in status["meters"][0]["readings"] if row["key"] == "energy_import")
            assert energy["name"] == "Energy import" and re.fullmatch(r"\d+\.\d+", energy["value"])
            assert status["links"][0] | {"text": ""} == {"name": "house", "address": f"{tmp_path}/tty", "up": True, "fault": "ok",
                                                         "text": "", "meters": ["house"]}
            assert status["brokers"][0]["text"] == "connected" and status["journal"] is None
            assert re.search(r"^meterbridge_resident_memory_bytes \d{7,}$", text, re.M)
            try:
                linted = subprocess.run(["promtool", "check", "metrics"], input=text.encode(), capture_output=True, timeout=30)
                assert (linted.returncode, linted.stdout + linted.stderr) == (0, b"")
            except FileNotFoundError:
                pass  # the unit test says that it is missing
            broker.stop(signal.SIGKILL)
            parts.wait_for(lambda: get(pages, "/readyz")[0] == 503, "not ready without a broker")
            assert get(pages, "/healthz") == (200, "ok\n")
        # Another address, while it runs.
        house.write(meters, extra=f"http: {{listen: '127.0.0.1:{moved}'}}")
        bridge.process.send_signal(signal.SIGHUP)
        parts.wait_for(lambda: get(moved, "/healthz")[0] == 200, "the pages have moved")
        assert get(pages, "/healthz")[0] == 0
        assert bridge.stop() == 0


def test_P43_with_every_meter_dead_and_no_broker_it_is_healthy(tmp_path):
    pages, nobody, silent = (parts.free_port() for _ in range(3))
    meters = [f"{{id: pulled, profile: energomera-ce307, interval: 1s, address: 1, link: {{serial: {tmp_path}/tty}}}}",
              f"{{id: refused, profile: p1, link: {{tcp: '127.0.0.1:{nobody}'}}}}",
              f"{{id: mute, profile: energomera-ce307, interval: 1s, address: 2, response_timeout: 200ms, link: {{tcp: '127.0.0.1:{silent}'}}}}"]
    house = parts.House(tmp_path, meters, extra=f"http: {{listen: '127.0.0.1:{pages}'}}")
    with socket.create_server(("127.0.0.1", silent)), house.bridge() as bridge:
        def faults():
            return dict(re.findall(r'^meterbridge_meter_fault\{meter="(\w+)",fault="(\w+)"\} 1$', get(pages, "/metrics")[1], re.M))

        parts.wait_for(lambda: faults() == {"pulled": "no_device", "refused": "no_device", "mute": "no_bytes"}, "each is dead in its way")
        seen = bridge.log()
        for _ in range(20):
            assert get(pages, "/healthz") == (200, "ok\n")
        assert get(pages, "/readyz")[0] == 503
        assert bridge.alive() and "stuck" not in seen
        assert bridge.stop() == 0
