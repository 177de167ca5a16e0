# SPDX-License-Identifier: MIT
"""A gap of five hours in the statistics of a real Home Assistant is filled from the journal (P40)."""
import datetime
import decimal

from house import wait_for

HOUR = 3600
D = decimal.Decimal
UTC = datetime.timezone.utc


def stamp(at):
    return datetime.datetime.fromtimestamp(at, UTC).isoformat()


def hours_of(world, entity, first):
    found = world.hass.ask("recorder/statistics_during_period", start_time=stamp(first), statistic_ids=[entity], period="hour",
                           types=["state", "sum", "change"], units={"energy": "kWh"})
    return {int(row["start"]) // 1000: (D(str(row["state"])), round(D(str(row["sum"])), 6), round(D(str(row["change"])), 6))
            for row in found.get(entity, [])}


def test_P40_the_bars_of_a_gap_are_right_afterwards(world):
    [entity] = world.known("house_energy_import")
    first = int(datetime.datetime.now(UTC).timestamp()) // HOUR * HOUR - 40 * HOUR
    lines = ["time_utc,time_local,meter,energy_import"]
    truth = {}
    for minute in range(30 * 60):
        at = first + minute * 60
        truth[at // HOUR * HOUR] = value = D(1234500 + minute * 7).scaleb(-3)
        lines.append(f"{stamp(at).replace('+00:00', 'Z')},x,house,{value}")
        if minute == 10 * 60 + 20:
            last = value
    (world.folder / "gap.csv").write_text("\n".join(lines) + "\n")
    database = world.folder / "gap.journal.db"
    done = world.house.call("journal", "import", "--database", str(database), str(world.folder / "gap.csv"))
    assert done.returncode == 0, done.stderr
    start = truth[first] - D("0.5")
    kept = {at: last if at == first + 10 * HOUR else value for at, value in truth.items() if not 11 <= (at - first) // HOUR < 15}
    metadata = {"has_sum": True, "name": None, "source": "recorder", "statistic_id": entity, "unit_of_measurement": "kWh"}
    new = int(world.hass.version().split(".")[0]) > 2025
    world.hass.ask("recorder/import_statistics", metadata={**metadata, **({"mean_type": 0, "unit_class": "energy"} if new else {"has_mean": False})},
                   stats=[{"start": stamp(at), "state": float(value), "sum": float(value - start)} for at, value in kept.items()])
    before = wait_for(lambda: len(rows := hours_of(world, entity, first)) >= len(kept) and rows, "Home Assistant has the hours")
    assert before[first + 15 * HOUR][2] > 5 * D("0.42"), "one bar as high as all"
    (world.folder / "token").write_text(world.hass.token)
    done = world.house.call("ha-statistics", "-c", str(world.house.file), "--database", str(database), "--meter", "house",
                            "--url", world.hass.address, "--token-file", str(world.folder / "token"), patience=120)
    text = (done.stdout + done.stderr).decode()
    assert done.returncode == 0 and f"{entity} (house energy_import): 5 hours" in text, text
    after = hours_of(world, entity, first)
    for at, value in truth.items():
        assert after[at][:2] == (value, value - start), f"hour {(at - first) // HOUR}: {after[at]}"
        assert at == first or after[at][2] == D("0.42"), f"bar {(at - first) // HOUR}: {after[at]}"
    assert {(at - first) // HOUR for at in truth if after[at][:2] != before.get(at, (0, 0))[:2]} == {10, 11, 12, 13, 14}
    world.hass.ask("recorder/clear_statistics", statistic_ids=[entity])
