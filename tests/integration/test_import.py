# SPDX-License-Identifier: MIT
"""`journal import`: files of before, what was exported, and a service beside it."""
import csv
import gzip
import json
import random

from house import House, wait_for


def lines_of(house, text, form="json"):
    done = house.call("journal", "export", "--database", text, "--format", form)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode().splitlines()


def take(house, database, *arguments, code=0):
    done = house.call("journal", "import", "--database", str(database), *map(str, arguments))
    assert done.returncode == code, (done.stdout + done.stderr).decode()
    return (done.stdout + done.stderr).decode()


def bare(lines):
    """Without the numbers, which are given anew, and in the order of time."""
    found = [json.loads(line, parse_float=str, parse_int=str) for line in lines]
    for entry in found:
        del entry["sequence"]
    return sorted(json.dumps(entry, sort_keys=True) for entry in found)


def test_what_was_exported_comes_back_to_the_last_digit(tmp_path):
    house = House(tmp_path, [])
    chance = random.Random(8)
    lines = []
    counter = 100000
    for i in range(300):
        counter += chance.randrange(50)
        readings = [{"key": "energy_import", "value": "#1", "unit": "kWh"},
                    {"key": "power", "value": "#2", "unit": "W"},
                    {"key": "serial", "text": chance.choice(["0001", "a, \"b\"", "Zähler"])},
                    {"key": "gas", "value": "#3", "unit": "m³", "time": f"2026-11-01T{i // 60:02}:{i % 60:02}:00Z"}]
        entry = {"sequence": i, "meter": "house", "time": f"2026-10-2{i // 100}T12:{i // 60 % 60:02}:{i % 60:02}.{i:03}Z",
                 "readings": chance.sample(readings, chance.randrange(1, 5)), "origin": "meter",
                 "parent": "p1" if i % 2 else "x", "serial": f"S{i % 3}"}
        text = json.dumps(entry, ensure_ascii=False).replace('"#1"', f"{counter // 1000}.{counter % 1000:03}")
        lines.append(text.replace('"#2"', str(chance.randrange(-500, 500))).replace('"#3"', f"{i}.50"))
    (tmp_path / "first.json").write_text("\n".join(lines) + "\n")
    take(house, tmp_path / "a.journal.db", tmp_path / "first.json")
    first = lines_of(house, f"{tmp_path}/a.journal.db")
    assert bare(first) == bare(lines)
    (tmp_path / "second.json.gz").write_bytes(gzip.compress(("\n".join(first) + "\n").encode()))
    take(house, tmp_path / "b.journal.db", tmp_path / "second.json.gz")
    assert "0 samples are new" in take(house, tmp_path / "b.journal.db", tmp_path / "second.json.gz")
    assert bare(lines_of(house, f"{tmp_path}/b.journal.db")) == bare(first)
    for form in ("csv", "influx"):
        text = lines_of(house, f"{tmp_path}/b.journal.db", form)
        assert text == lines_of(house, f"{tmp_path}/a.journal.db", form)
        (tmp_path / f"third.{form}").write_text("\n".join(text) + "\n")
        take(house, tmp_path / f"{form}.journal.db", "--meter", "house", tmp_path / f"third.{form}")
        again = lines_of(house, f"{tmp_path}/{form}.journal.db", form)
        assert sorted(again) == sorted(text) if form == "csv" else len(again) == len(text)


def test_old_files_go_into_the_journal_and_on_request_into_a_sink(tmp_path):
    house = House(tmp_path, [])
    house.write([f"{{id: flat, profile: p1, link: {{serial: {house.tty('p1')}}}}}"],
                extra=f"sinks: {{csv: {{directory: {tmp_path}/out, flush_interval: 100ms}}}}\njournal: {{keep: 0s}}")
    old = tmp_path / "old"
    old.mkdir()
    (old / "2023-10-29.csv").write_text(
        "MeterId,Time,DST,Import,Export,TotalImport,TotalExport\n"
        "9912345678,2023-10-29 02:30:00,S,2.442,0.0,8996.626,1590.327\n"
        "9912345678,2023-10-29 02:30:00,W,2.442,0.0,8997.626,1590.327\n"
        "9912345678,2023-10-29 02:30:10,W,2.442,0.0,0.0,0.0\n"
        "9912345678,2023-10-29 02:30:20,W,2.442,0.0,8997.700,1590.327\n"
        "9912345678,2023-10-29 02:30:3")
    words = ["journal", "import", "-c", str(house.file), "--meter", "flat", "--zone", "Europe/Budapest", str(old)]
    with house.broker(), house.simulate("--profile", "p1", "--pty", house.tty("p1"), "--period", "1s"), \
            house.bridge() as bridge:
        wait_for(lambda: list((tmp_path / "out").glob("flat/*.csv")), "the service writes", patience=60)
        beside = house.call(*words)
        assert beside.returncode == 1 and b"Stop it for the time of the import" in beside.stderr, beside.stderr
        dry = house.call(*words, "--dry-run")
        assert b"3 samples; what the journal has already was not looked at" in dry.stdout, dry.stdout
        assert bridge.stop() == 0
    done = house.call(*words)
    told = done.stderr.decode()
    assert done.returncode == 1 and b"3 samples are new" in done.stdout, done.stdout
    assert f"{old}/2023-10-29.csv:4: error: energy_import falls from 8997.626 to 0" in told, told
    assert f"{old}/2023-10-29.csv:6: error: 2 cells where the header has 7" in told, told
    again = house.call(*words)
    assert b"0 samples are new" in again.stdout and b"3 are there already" in again.stdout, again.stdout
    with house.broker(), house.simulate("--profile", "p1", "--pty", house.tty("p1"), "--period", "1s"), \
            house.bridge() as bridge:
        size = lambda: sum(file.stat().st_size for file in (tmp_path / "out/flat").glob("*.csv"))
        before = size()
        wait_for(lambda: size() > before, "the service goes on writing", patience=60)
        assert bridge.stop() == 0
    assert not list((tmp_path / "out").rglob("2023-*")), "sinks get nothing of it by themselves"
    replayed = house.call("journal", "replay", "-c", str(house.file), "--sink", "csv", "--to", "2024-01-01",
                          environment={"TZ": "Europe/Budapest"})
    assert replayed.returncode == 0, replayed.stderr
    with open(tmp_path / "out/flat/2023-10-29.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["energy_import"] for row in rows] == ["8996.626", "8997.626", "8997.700"]
    assert [row["time_utc"][11:19] for row in rows] == ["00:30:00", "01:30:00", "01:30:20"]


def table(path, *rows):
    path.write_text("time_utc,time_local,energy_import\n" + "".join(f"{time}.000Z,x,{value}\n" for time, value in rows))
    return path


def test_counters_that_fall_beside_the_journal_are_not_written_unasked(tmp_path):
    house = House(tmp_path, [])
    database = tmp_path / "x.journal.db"
    take(house, database, "--meter", "house", table(tmp_path / "a.csv", ("2026-10-02T10:00:00", "100.5"), ("2026-10-02T11:00:00", "101")))
    before = table(tmp_path / "b.csv", ("2026-10-01T10:00:00", "90"), ("2026-10-01T11:00:00", "100.6"))
    zero = table(tmp_path / "c.csv", ("2026-10-03T10:00:00", "0"), ("2026-10-03T11:00:00", "102"))
    told = take(house, database, "--meter", "house", before, code=1)
    assert "house: energy_import falls from 100.6 at 2026-10-01T11:00:00.000Z (imported) to 100.5 at 2026-10-02T10:00:00.000Z (in the journal)" in told
    assert "nothing of this is written" in told and len(lines_of(house, str(database))) == 2
    told = take(house, database, "--meter", "house", zero, code=1)
    assert "falls from 101 at 2026-10-02T11:00:00.000Z (in the journal) to 0 at 2026-10-03T10:00:00.000Z (imported)" in told
    assert "--meter-changed" in take(house, database, "--meter", "house", "--dry-run", zero, code=1)
    # A zero in front of a file falls against the file before it.
    assert "falls from 100.6" in take(house, tmp_path / "y.journal.db", "--meter", "house", before, zero, code=1)
    assert "2 samples are new" in take(house, database, "--meter", "house", "--meter-changed", before)
    status = house.call("journal", "status", "--database", str(database)).stdout.decode()
    assert "oldest   2026-10-01T10:00:00.000Z\nnewest   2026-10-02T11:00:00.000Z" in status, status


def test_times_that_cannot_be_are_refused(tmp_path):
    house = House(tmp_path, [])
    rows = [("1970-01-01T00:00:07", "1"), ("2026-10-02T10:00:00", "100"), ("2199-01-01T00:00:00", "101"), ("2026-10-02T11:00:00", "102")]
    told = take(house, tmp_path / "x.journal.db", "--meter", "house", table(tmp_path / "a.csv", *rows), code=1)
    assert "a.csv:2: error: 1970-01-01T00:00:07.000Z: the clock of that program was not set" in told, told
    assert "a.csv:4: error: 2199-01-01T00:00:00.000Z has not come yet" in told and "2 samples are new" in told, told


def test_wrong_words_are_told(tmp_path):
    house = House(tmp_path, [])
    (tmp_path / "a.csv").write_text("a,b\n1,2\n")
    database = tmp_path / "x.journal.db"
    for arguments, code, words in [
            ([], 2, "name the files"),
            ([tmp_path / "none.csv"], 1, "none.csv: cannot be opened"),
            (["/dev/null"], 1, "/dev/null is no file"),
            ([tmp_path / "a.csv"], 1, "its layout is none that is known"),
            (["--layout", "x", tmp_path / "a.csv"], 2, "--layout x is not one of: default, json"),
            (["--zone", "Europe/Nowhere", tmp_path / "a.csv"], 2, "is no zone"),
            (["--map", "a=nonsense", tmp_path / "a.csv"], 2, "--map"),
            (["--meter", "a", "--meter", "b=c", tmp_path / "a.csv"], 2, "either --meter ID or")]:
        assert words in take(house, database, *arguments, code=code)


def test_a_meter_that_nobody_has_is_asked_about(tmp_path):
    house = House(tmp_path, ["{id: flat, profile: p1, link: {serial: /dev/null}}"])
    file = table(tmp_path / "a.csv", ("2026-10-02T10:00:00", "100.5"))
    database = tmp_path / "state/meterbridge.journal.db"

    def run(what, *words):
        done = house.call("journal", what, "-c", str(house.file), *map(str, words))
        return done.returncode, (done.stdout + done.stderr).decode()

    code, told = run("import", "--meter", "flatt", file)
    assert code == 2 and 'no meter "flatt" in the configuration; did you mean flat? (--new-meter' in told, told
    code, told = run("import", "--meter", "cellar=house", file)
    assert code == 2 and 'no meter "cellar"' in told, told
    for name, words in (("A B/#", 'the id "A B/#" has other characters'), ("x" * 65, "is longer than 64"), ("", 'the id "" is empty')):
        code, told = run("import", "--new-meter", "--meter", name, file)
        assert code == 2 and words in told, told
    assert not database.exists()
    assert run("import", "--meter", "flat", file)[0] == 0
    assert run("import", "--new-meter", "--meter", "cellar", file)[0] == 0
    code, told = run("export", "--meter", "nosuch")
    assert code == 1 and 'no meter "nosuch" in the configuration, and the journal has no sample of it' in told, told
    code, told = run("export", "--meter", "flatt", "--meter", "flat")
    assert code == 1 and "did you mean flat?" in told and '"meter":"flat"' in told, told
    # What is in the journal alone, or has no sample in that time, is no mistake.
    assert run("export", "--meter", "cellar", "--to", "2026-01-01") == (0, "")
    assert run("export", "--meter", "cellar")[0] == 0
    named = tmp_path / "named.csv"
    named.write_text("time_utc,time_local,meter,energy_import\n2026-10-02T10:00:00.000Z,x,A B/#,1\n")
    told = take(house, tmp_path / "x.journal.db", named, code=1)
    assert 'named.csv:2: error: the id "A B/#" has other characters' in told, told
    assert "1 samples are new" in take(house, tmp_path / "x.journal.db", "--meter", "cellar=A B/#", named)


def test_a_dry_run_leaves_no_file(tmp_path):
    house = House(tmp_path, [])
    file = table(tmp_path / "a.csv", ("2026-10-02T10:00:00", "100.5"), ("2026-10-02T10:00:00", "100.5"), ("2026-10-02T11:00:00", "101"))
    (tmp_path / "state").mkdir()
    told = take(house, tmp_path / "state/x.journal.db", "--dry-run", "--meter", "house", file)
    assert "2 samples would be new" in told and "1 are there already" in told, told
    take(house, tmp_path / "nowhere/x.journal.db", "--dry-run", "--meter", "house", file)
    assert not list((tmp_path / "state").iterdir()) and not (tmp_path / "nowhere").exists()


def test_a_file_that_was_cut_is_named_and_the_others_are_taken(tmp_path):
    house = House(tmp_path, [])
    whole = table(tmp_path / "a.csv", ("2026-10-02T10:00:00", "100.5"))
    cut = tmp_path / "b.csv.gz"
    rows = "".join(f"2026-10-02T11:00:{i % 60:02}.{i // 60:03}Z,x,{101 + random.Random(i).random()}\n" for i in range(5000))
    cut.write_bytes(gzip.compress(("time_utc,time_local,energy_import\n" + rows).encode())[:-2000])
    last = table(tmp_path / "c.csv", ("2026-10-02T12:00:00", "103"))
    told = take(house, tmp_path / "x.journal.db", "--meter", "house", whole, cut, last, code=1)
    assert "b.csv.gz: cannot be read: unexpected end of file; nothing of it is taken" in told and "2 samples are new" in told, told
    assert len(lines_of(house, f"{tmp_path}/x.journal.db")) == 2
    assert "cannot be read" in take(house, tmp_path / "y.journal.db", "--meter", "house", cut, code=1)
