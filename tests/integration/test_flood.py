# SPDX-License-Identifier: MIT
"""A meter that sends without a pause: what the broker cannot take at once waits, and is not lost."""
import os
import sys
import threading
import tty

import pytest

from house import ROOT, House, Observer

sys.path.insert(0, str(ROOT / "bench"))
import telegrams  # noqa: E402

COUNT = 4000  # four times what waits for the broker at most


@pytest.mark.parametrize("qos", [0, 1])
def test_every_telegram_of_a_flood_arrives_once_and_in_order(tmp_path, qos):
    house = House(tmp_path, [])
    master, slave = os.openpty()
    tty.setraw(slave)
    house.write([f"{{id: p1, profile: p1, interval: 1s, telegram: true, link: {{serial: {os.ttyname(slave)}}}}}"], f", qos: {qos}")
    made = telegrams.P1()
    flood = b"".join(made.telegram(number) for number in range(COUNT))

    def send():
        view = memoryview(flood)
        while view:
            view = view[os.write(master, view[:65536]):]

    # A broker that lets few messages be in flight is the slowest there is.
    with house.broker("max_inflight_messages 5\n"), Observer(house.port) as ear, house.bridge():
        ear.wait_topic("meterbridge/status", payload="online")
        sender = threading.Thread(target=send)
        sender.start()
        ear.wait(lambda topic, payload: topic == "meterbridge/p1/telegram" and f"{COUNT - 1:07d}" in payload, "the last one")
        sender.join()
        heard = telegrams.p1_numbers(p.encode() for t, p, _ in ear.messages if t == "meterbridge/p1/telegram")
        assert heard == list(range(COUNT))
        last = ear.wait_json("meterbridge/p1/state", lambda state: state.get("message") == f"{COUNT - 1:07d}")
        assert last["energy_import_t1"] == 12345.678
    os.close(master)
    os.close(slave)
