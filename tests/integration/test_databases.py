# SPDX-License-Identifier: MIT
"""Graphite and the databases that speak SQL: the real servers, and what becomes of samples while they fail."""
import concurrent.futures
import contextlib
import json
import os
import socket
import subprocess
import threading

import pytest

from hole import Hole
from house import House, Observer, wait_for
from servers import Carbon, MariaDb, PostgreSql
from test_nothing_lost import Feeder, Run, crc16, finish, started


@pytest.fixture(scope="module")
def sql(tmp_path_factory):
    """MariaDB and PostgreSQL with a certificate of an authority that nobody knows."""
    folder = tmp_path_factory.mktemp("sql")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1",
                    "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", folder / "tls.key", "-out", folder / "tls.crt"],
                   check=True, capture_output=True)
    places = {"maria": MariaDb(folder), "postgres": PostgreSql(folder)}
    for place in places.values():
        place.certificate = folder / "tls"
    with concurrent.futures.ThreadPoolExecutor() as pool:
        list(pool.map(lambda place: place.start(), places.values()))
    yield places
    for place in places.values():
        place.__exit__()


class Teller(Feeder):
    """Says what it is told, when it is told."""

    def run(self):
        pass

    def telegram(self, number):
        text = (f"/MBR5TELLER\r\n\r\n1-3:0.2.8(50)\r\n0-0:96.1.1(4530303132)\r\n1-0:1.8.0({self.count(number):010.3f}*kWh)\r\n"
                "1-0:1.7.0(00.360*kW)\r\n1-0:32.7.0(230.10*V)\r\n0-0:96.13.0(48656C6C6F)\r\n!").encode()
        return text + f"{crc16(text):04X}\r\n".encode()

    def say(self):
        self.number += 1
        os.write(self.master, self.telegram(self.number))


def shown(place, prefix="t_"):
    return [row[0] for row in place.query(f"SELECT shown FROM {prefix}values WHERE name = 'energy_import' ORDER BY sequence")]


def events(place):
    try:
        return place.query("SELECT m.meter, e.type, e.alarm, e.severity FROM t_events e JOIN t_meters m ON m.id = e.meter_id "
                           "ORDER BY e.sequence")
    except OSError:
        return []  # no table yet


def test_P49_tables_are_made_kept_up_to_date_and_filled_again_without_doubles(sql, tmp_path):
    maria, postgres = sql.values()
    teller = Teller(tmp_path / "p1")
    tls = f"tls: true, tls_ca: {maria.certificate}.crt"
    house = House(tmp_path, [f"{{id: house, profile: p1, link: {{serial: {tmp_path}/p1}}, country: nl, publish: every, "
                             "alarms: [{name: heavy, key: power_import, above: 300, severity: critical}]}"],
                  extra="journal: {commit: 0s}\nsinks:\n"
                        f"  files: {{type: csv, directory: {tmp_path}/csv}}\n"
                        f"  maria: {{{maria.settings()}, prefix: t_, {tls}}}\n"
                        f"  postgres: {{{postgres.settings()}, prefix: t_, {tls}}}\n"
                        f"  stranger: {{{maria.settings()}, prefix: u_, tls: true}}\n"
                        f"  unknown: {{{postgres.settings()}, prefix: u_, tls: true}}\n"
                        f"  burglar: {{{maria.settings().replace('password: pass', 'password: no')}, prefix: v_}}\n"
                        f"  thief: {{{postgres.settings().replace('password: pass', 'password: no')}, prefix: v_}}\n")

    def tell(count):
        before = len(shown(maria)) if teller.number else 0
        for _ in range(count):
            teller.say()
        for place in sql.values():
            wait_for(lambda p=place: there(p, before + count), "rows are in the tables")

    def there(place, count):
        try:
            return len(shown(place)) == count
        except OSError:
            return False  # no tables yet

    with house.broker(), house.bridge() as bridge:
        wait_for(lambda: "announced" in bridge.log() or "started" in bridge.log(), "the bridge runs")
        tell(2)
        for place in sql.values():
            assert shown(place) == ["1000.001", "1000.002"]
            rows = place.query("SELECT name, unit, shown FROM t_values WHERE sequence = (SELECT MIN(sequence) FROM t_values)")
            assert ["voltage_l1", "V", "230.10"] in rows and ["message", "", "Hello"] in rows, rows
            assert ["power_import", "W", "360"] in rows, rows
            wide = place.query("SELECT voltage_l1, energy_import FROM t_wide WHERE meter = 'house' ORDER BY sequence")
            assert [[float(cell) for cell in row] for row in wide] == [[230.1, 1000.001], [230.1, 1000.002]]
            assert place.query("SELECT meter, serial FROM t_meters") == [["house", "E0012"]]
            wait_for(lambda p=place: events(p) == [["house", "alarm_raised", "heavy", "critical"]], "the alarm is in its table")
        for name, words in (("stranger", "(2026); is there TLS"), ("unknown", "certificate verify failed; is there TLS"),
                            ("burglar", "Access denied"), ("thief", "password authentication failed")):
            wait_for(lambda n=name, w=words: any(f"sink {n}: " in line and w in line for line in bridge.log().splitlines()),
                     f"{name} is told why")
        # Version 1 had no views and no events. A newer program's tables are left alone, and nothing is lost meanwhile.
        for place in sql.values():
            place.query("DROP VIEW t_wide")
            place.query("DROP VIEW t_values")
            place.query("DROP TABLE t_events")
            place.query("DELETE FROM t_schema WHERE version > 1")
            place.query("INSERT INTO t_schema (version) VALUES (99)")
            place.kill()
            place.start()
        teller.say()
        with Observer(house.port) as observer:
            observer.publish("meterbridge/house/set/nonsense", "1")
            observer.wait_topic("meterbridge/house/event")
        wait_for(lambda: bridge.log().count("made by a newer one") >= 2, "both are left alone")
        for place in sql.values():
            place.query("DELETE FROM t_schema WHERE version = 99")
        for place in sql.values():
            wait_for(lambda p=place: there(p, 3), "the views are there again, and the newest sample")
        for place in sql.values():
            wait_for(lambda p=place: events(p) == [["house", "command_refused", "", ""]], "the event of the outage, once")
        assert bridge.stop() == 0
    lines = [line for file in (tmp_path / "csv/house").glob("*.csv") for line in file.read_text().splitlines()]
    assert len(lines) == 4, f"an event is no line: {lines}"
    for place in sql.values():
        place.query("DELETE FROM t_samples WHERE value = 1000.002")
    for name, place in sql.items():
        done = house.call("journal", "replay", "-c", str(house.file), "--sink", name)
        assert done.returncode == 0, done.stderr
        assert shown(place) == ["1000.001", "1000.002", "1000.003"]
        assert place.query("SELECT COUNT(*) FROM t_samples WHERE value IS NOT NULL") == [["9"]]
        # The replay brings what was deleted with the table, and doubles nothing.
        assert events(place) == [["house", "alarm_raised", "heavy", "critical"], ["house", "command_refused", "", ""]]
    for name, place in sql.items():
        names = ["at_utc", "instance", "meter", "power", "voltage_l1", "energy_import", "sequence"]
        rows = place.query(f"SELECT {', '.join(names)} FROM t_wide WHERE voltage_l1 IS NOT NULL ORDER BY sequence")
        (tmp_path / f"{name}.csv").write_text("".join(",".join(row) + "\n" for row in [names, *rows]))
        done = house.call("journal", "import", "--database", f"{tmp_path}/{name}.journal.db", f"{tmp_path}/{name}.csv")
        assert done.returncode == 0 and b"3 samples are new" in done.stdout, done.stdout + done.stderr
        there = house.call("journal", "export", "--database", f"{tmp_path}/{name}.journal.db").stdout
        volts = {"maria": b"230.1", "postgres": b"230.10"}[name]
        assert there.count(b'"voltage_l1","value":' + volts + b",") == 3 and there.count(b'"value":1000.002,') == 1, there
    exported = house.call("journal", "export", "-c", str(house.file), "--from", "1h")
    assert exported.stdout.count(rb'"document":"event\nalarm_raised\nheavy\ncritical\n') == 1, exported.stdout


def test_timescaledb_is_asked_for_a_hypertable_and_its_refusal_leaves_a_plain_table(sql, tmp_path):
    """Stand-ins with the signature of the extension's documentation: a server that has it was not at hand."""
    postgres = sql["postgres"]
    (tmp_path / "telegram").write_bytes(Teller.telegram(Teller, 1))
    postgres.query("CREATE TABLE calls (relation text, by_time text, again boolean, filled boolean)")
    for prefix, body in (("h_", "INSERT INTO calls VALUES (relation::text, time_column_name, if_not_exists, migrate_data);"),
                         ("i_", "RAISE 'function create_hypertable() needs another licence';")):
        postgres.query("CREATE OR REPLACE FUNCTION create_hypertable(relation regclass, time_column_name name, if_not_exists boolean "
                       "DEFAULT FALSE, migrate_data boolean DEFAULT FALSE) RETURNS void LANGUAGE plpgsql AS "
                       f"$$ BEGIN {body} END $$")
        house = House(tmp_path, [f"{{id: {prefix}house, profile: p1, link: {{replay: {tmp_path}/telegram}}, country: nl}}"],
                      extra=f"sinks:\n  place: {{{postgres.settings()}, prefix: {prefix}}}\n")
        with house.broker():
            done = house.call("run", "--once", "-c", str(house.file))
            assert done.returncode == 0, done.stderr
        assert shown(postgres, prefix) == ["1000.001"]
    assert postgres.query("SELECT * FROM calls") == [["h_samples", "at_utc", "t", "t"]]
    postgres.query("DROP FUNCTION create_hypertable")


def test_doctor_names_the_rights_that_are_missing_and_those_suffice(sql, tmp_path):
    maria, postgres = sql.values()
    (tmp_path / "telegram").write_bytes(Teller.telegram(Teller, 1))
    # Of two grants that fit the name of the database, the server takes the one that says more.
    maria.query("CREATE USER poor@'127.0.0.1' IDENTIFIED BY 'pass'; GRANT SELECT, INSERT ON meters.* TO poor@'127.0.0.1'; "
                "GRANT UPDATE ON `meter_`.* TO poor@'127.0.0.1'")
    postgres.query("CREATE ROLE poor LOGIN PASSWORD 'pass'; REVOKE CREATE ON SCHEMA public FROM PUBLIC")
    house = House(tmp_path, [f"{{id: house, profile: p1, link: {{replay: {tmp_path}/telegram}}, country: nl}}"],
                  extra="sinks:\n" + "".join(f"  {name}: {{{place.settings().replace('username: bridge', 'username: poor')}, prefix: r_}}\n"
                                             for name, place in sql.items()))

    def sinks():
        lines = house.call("doctor", "--quick", "--json", "-c", str(house.file)).stdout.decode().splitlines()
        return {found["name"]: found for found in map(json.loads, lines) if found["kind"] == "sink"}

    def write_once():
        done = house.call("run", "--once", "-c", str(house.file))
        return (done.stdout + done.stderr).decode()

    with house.broker():
        found = sinks()
        assert found["maria"]["health"] == found["postgres"]["health"] == "bad", found
        assert found["maria"]["text"].endswith("lacks the rights CREATE; CREATE VIEW; DROP; UPDATE on r_meters, r_quantities, "
                                               "r_samples, r_events"), found
        assert found["postgres"]["text"].endswith("lacks the rights CREATE"), found
        assert "grant this user these rights" in found["maria"]["advice"], found
        told = write_once()
        assert "command denied" in told and "permission denied for schema" in told, told
        maria.query("REVOKE ALL ON meters.* FROM poor@'127.0.0.1'; "
                    "GRANT SELECT, INSERT, CREATE, CREATE VIEW, DROP ON `meter_`.* TO poor@'127.0.0.1'")
        postgres.query("GRANT CREATE ON SCHEMA public TO poor")
        assert {name: one["health"] for name, one in sinks().items()} == {"maria": "ok", "postgres": "ok"}, sinks()
        write_once()
        for place in sql.values():
            assert set(shown(place, "r_")) == {"1000.001"}
        # With the tables there, less is enough; what a role gives cannot be seen.
        maria.query("REVOKE ALL ON `meter_`.* FROM poor@'127.0.0.1'")
        for table in ("schema", "meters", "quantities", "samples", "events"):
            maria.query(f"GRANT SELECT, INSERT{', UPDATE' if table != 'schema' else ''} ON meters.r_{table} TO poor@'127.0.0.1'")
        postgres.query("REVOKE CREATE ON SCHEMA public FROM poor")
        assert {name: one["health"] for name, one in sinks().items()} == {"maria": "ok", "postgres": "ok"}, sinks()
        maria.query("REVOKE UPDATE ON meters.r_samples FROM poor@'127.0.0.1'")
        postgres.query("REVOKE INSERT ON r_samples FROM poor")
        found = sinks()
        assert found["maria"]["text"].endswith("lacks the rights UPDATE on r_samples"), found
        assert found["postgres"]["text"].endswith("lacks the rights INSERT on r_samples"), found
        told = write_once()
        assert "UPDATE command denied" in told and "permission denied for table r_samples" in told, told
        maria.query("CREATE ROLE writers; GRANT UPDATE ON meters.* TO writers; GRANT writers TO poor@'127.0.0.1'; "
                    "SET DEFAULT ROLE writers FOR poor@'127.0.0.1'")
        found = sinks()["maria"]
        assert found["health"] == "ok" and "is not known: its rights come by a role" in found["text"], found


def test_programs_that_begin_together_find_each_others_rows(sql, tmp_path):
    """Each repeats its first transaction's reads as they were at its beginning: the rows of the others are not in there."""
    maria = sql["maria"]
    (tmp_path / "telegram").write_bytes(Teller.telegram(Teller, 1))
    houses = []
    for number in range(6):
        (tmp_path / str(number)).mkdir()
        houses.append(House(tmp_path / str(number), [f"{{id: house{number}, profile: p1, link: {{replay: {tmp_path}/telegram}}, country: nl}}"],
                            extra=f"instance: hub{number}\nsinks:\n  place: {{{maria.settings()}, prefix: g_}}\n"))
    houses[0].call("run", "--once", "-c", str(houses[0].file))
    maria.query("DELETE FROM g_samples; DELETE FROM g_meters; DELETE FROM g_quantities")
    with contextlib.ExitStack() as stack, concurrent.futures.ThreadPoolExecutor(len(houses)) as pool:
        for house in houses:
            stack.enter_context(house.broker())
        for done in pool.map(lambda house: house.call("run", "--once", "-c", str(house.file)), houses):
            assert b"that was just made is not there" not in done.stdout + done.stderr, done.stderr
    assert maria.query("SELECT COUNT(*) FROM g_values WHERE name = 'energy_import'") == [["6"]]


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


def test_P47_P49_P53_every_database_has_every_sample_after_every_fault(sql, tmp_path):
    places = {"graphite": Carbon(tmp_path), **sql}
    with started(Run(tmp_path, places)) as run:
        run.start_bridge()
        all_at_once(run)
        finish(run)


def test_P49_an_end_of_a_transaction_that_got_lost_on_the_way_locks_nobody_out(sql, tmp_path):
    """The server holds the rows for a connection of which it never hears again: it must let go of them by itself."""
    teller = Teller(tmp_path / "p1")
    with Hole(sql["maria"].port) as to_maria, Hole(sql["postgres"].port) as to_postgres:
        holes = {"maria": to_maria, "postgres": to_postgres}
        house = House(tmp_path, [f"{{id: house, profile: p1, link: {{serial: {tmp_path}/p1}}, country: nl, publish: every}}"],
                      extra="journal: {commit: 0s}\nsinks:\n" + "".join(
                          f"  {name}: {{{place.settings().replace(str(place.port), str(holes[name].port))}, prefix: w_}}\n"
                          for name, place in sql.items()))

        def newest(place):
            try:
                return (shown(place, "w_") or [""])[-1]
            except OSError:
                return ""  # no tables yet

        with house.broker(), house.bridge() as bridge:
            wait_for(lambda: teller.say() or all(map(newest, sql.values())), "first rows")
            for hole in holes.values():
                hole.trap = b"COMMIT"
            teller.say()
            last = f"{teller.count(teller.number):.3f}"  # a Decimal drops the zero of 1000.010
            for hole in holes.values():
                assert hole.sprung.wait(30)
                hole.resume(forget=True)
            for place in sql.values():
                wait_for(lambda p=place: newest(p) == last, "the row whose transaction was cut off")
            assert bridge.stop() == 0


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
              f"  csv: {{directory: {run.disk}, flush_interval: 2s, sync: 500ms}}\n"
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
