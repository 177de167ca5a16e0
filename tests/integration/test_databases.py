# SPDX-License-Identifier: MIT
"""Graphite and the databases that speak SQL: the real servers, and what becomes of samples while they fail."""
import socket
import threading

from house import wait_for
from servers import Carbon
from test_nothing_lost import Run, finish, started


def all_at_once(run):
    """Each place is killed, started, frozen, and killed while it is frozen.

    The bridge is killed before all that: what it repeats afterwards would hide what a server lost.
    """
    servers = run.places.values()
    run.pass_by(20)
    run.kill_bridge()
    for server in servers:
        server.kill()
    run.pass_by(40)
    for server in servers:
        server.start()
        server.freeze()
    run.pass_by(60)
    for server in servers:
        server.thaw()
    run.pass_by(40)
    for server in servers:
        server.freeze()
    run.pass_by(40)
    for server in servers:
        server.kill()
        server.start()
    run.pass_by(40)


def test_P47_P49_P53_every_database_has_every_sample_after_every_fault(tmp_path):
    with started(Run(tmp_path, {"graphite": Carbon(tmp_path)})) as run:
        run.start_bridge()
        all_at_once(run)
        finish(run)


def test_P50_a_server_that_keeps_the_connection_open_is_named_and_datagrams_need_none(tmp_path):
    listener = socket.create_server(("127.0.0.1", 0))
    kept = []

    def never_close():
        while True:
            try:
                kept.append(listener.accept()[0])
            except OSError:
                return

    threading.Thread(target=never_close, daemon=True).start()
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.bind(("127.0.0.1", 0))
    udp.settimeout(30)
    open_port, udp_port = listener.getsockname()[1], udp.getsockname()[1]
    run = Run(tmp_path, {})
    run.house.write(
        [f"{{id: house, profile: p1, link: {{serial: {tmp_path}/p1}}, country: nl, publish: every}}"],
        extra="journal: {commit: 0s}\nsinks:\n"
              f"  csv: {{directory: {run.disk}, sync: 500ms}}\n"
              f"  strict: {{type: graphite, host: 127.0.0.1, port: {open_port}, timeout: 300ms}}\n"
              f"  loose: {{type: graphite, host: 127.0.0.1, port: {open_port}, confirm: false, base: loose}}\n"
              f"  datagrams: {{type: graphite, host: 127.0.0.1, port: {udp_port}, transport: udp}}\n")
    with started(run):
        run.start_bridge()
        line = udp.recv(65536).decode().splitlines()[0].split()
        number = round((float(line[1]) - 1000) * 1000)
        assert line == ["meterbridge.house.energy_import", str(run.feeder.count(number)), str(run.feeder.at(number) // 1000)]
        wait_for(lambda: "sink strict: " in run.bridge.log() and "confirm: false" in run.bridge.log(), "what to do is said")
        wait_for(lambda: any(peer.recv(4096, socket.MSG_PEEK).startswith(b"loose.house.") for peer in list(kept)),
                 "lines arrive without a closed connection")
        assert "sink loose" not in run.bridge.log() and "sink datagrams" not in run.bridge.log()
        listener.close()
        assert run.bridge.stop() == 0
