# SPDX-License-Identifier: MIT
"""Outages of hours, in a minute each: the clock of the system leaps for Home Assistant and for the bridge.

Home Assistant has no statistics of the time that its clock leapt over until its next start; then it makes them, period by period, of
the states that it recorded, as it would have made them of each in its time. But only from the last period on that it has: a running
one must not come to the end of its five minutes between a leap and its next start. So it is always started when such have begun.
"""
import datetime
import time

import pytest

from counters import doubts, entity, grown, history, rows, speak
from house import wait_for
from world import PATIENCE, spoken
from wrong_clock import preload, step

HOUR = 3600
PERIOD = 300


class Clock:
    """The time as both programs see it."""

    def __init__(self, folder):
        self.environment, self.file = preload(folder)
        self.ahead = 0

    def now(self):
        return time.time() + self.ahead

    def leap(self, until):
        assert until > self.now()
        self.ahead = int(until - time.time())
        step(self.file, self.ahead)

    def start(self, hass, at=0):
        """Starts it then, or as soon as a period begins."""
        assert hass.process.poll() is not None
        self.leap((max(at, self.now()) // PERIOD + 1) * PERIOD + 20)  # it looks ten seconds after the end of one
        self.started = time.monotonic()
        hass.start()

    def in_time(self):
        assert time.monotonic() - self.started < PERIOD - 10, "this machine is too slow to look at an hour in five minutes"


@pytest.fixture(scope="module")
def clock(world):
    made = Clock(world.folder)
    world.hass.environment = made.environment
    for meter in ("hour", "gap"):
        world.meters[meter] = spoken(meter)
    world.extra = "journal: {store: on, commit: 0s}"
    world.stop_bridge()
    world.write()
    world.start_bridge(made.environment)
    assert world.hass.stop() == 0
    made.start(world.hass)
    world.known("hour_connectivity", "gap_connectivity")
    return made


def counted(world, meter, until):
    """The hours of a meter, once the one that ends then is among them."""
    return wait_for(lambda: (found := rows(world, entity(meter), "hour")) and found[-1]["end"] / 1000 == until and found, "that hour is counted",
                    PATIENCE)


def test_P40_an_outage_of_a_whole_hour_is_a_hole_and_one_bar_with_what_was_counted(world, clock):
    speak(world, "hour", "1000.00")
    world.shown(entity("hour"), "unavailable")
    # Silent from now until ten minutes after the next hour but one began.
    began = clock.now()
    back = began // HOUR * HOUR + 2 * HOUR
    clock.leap(back + 600)
    wait_for(lambda: world.state_document("house")["time"] > stamp(back), "the bridge's clock has leapt", PATIENCE)
    assert world.hass.state(entity("hour")) == "unavailable"
    speak(world, "hour", "1007.50")
    assert moment(world.hass.states()[entity("hour")]["last_changed"]) > back
    # And that hour passes, too.
    world.shown(entity("hour"), "unavailable")
    assert world.hass.stop() == 0
    clock.in_time()
    clock.start(world.hass, back + HOUR)
    hours, short = counted(world, "hour", back + HOUR), rows(world, entity("hour"))
    assert [row["start"] / 1000 for row in hours if row["start"] / 1000 >= began - HOUR] == [began // HOUR * HOUR, back], hours
    assert [row["state"] for row in hours][-2:] == [1000.0, 1007.5]
    for found in (hours, short):
        assert grown(found) == 7.5 and {row["sum"] for row in found} == {found[0]["sum"], found[-1]["sum"]}, found
    assert not [row for row in short if began + 300 < row["start"] / 1000 < back], "a period of the outage has a value"
    assert not {"0", "0.0"} & set(history(world, entity("hour")))


def test_P40_hours_without_home_assistant_get_their_bars_from_the_journal(world, clock):
    first = clock.now() // HOUR * HOUR + HOUR
    assert world.hass.stop() == 0
    clock.start(world.hass, first + 600)
    speak(world, "gap", "500.25")
    assert world.hass.stop() == 0
    # The bridge goes on, and its journal.
    truth = {}
    for half in range(1, 8):
        clock.leap(first + half * HOUR / 2 + 900)
        value = truth[first + half // 2 * HOUR] = 500.25 + half / 4
        wait_for(lambda: world.say("gap", f"{value:.2f}") or world.state_document("gap")["energy_import"] == value, f"the bridge has {value}", PATIENCE)
    clock.start(world.hass, first + 4 * HOUR)
    speak(world, "gap", "502.75")
    truth[first + 4 * HOUR] = 502.75
    assert world.hass.stop() == 0
    clock.start(world.hass, first + 5 * HOUR)
    def from_first(hours):
        """Before its first value, too, it may have made up hours: of periods that it has no state of it takes the one of now."""
        return [row for row in hours if row["start"] / 1000 >= first]

    before = from_first(counted(world, "gap", first + 5 * HOUR))
    # It makes up the hours in which it was off: the counter stood still, and all that was used is one bar.
    assert [row["start"] / 1000 for row in before] == [first + hour * HOUR for hour in range(5)], before
    assert [(row["state"], row["sum"] - before[0]["sum"]) for row in before] == [(500.25, 0)] * 4 + [(502.75, 2.5)]
    (world.folder / "token").write_text(world.hass.token)
    done = world.house.call("ha-statistics", "-c", str(world.house.file), "--meter", "gap", "--url", world.hass.address,
                            "--token-file", str(world.folder / "token"), patience=120, environment=clock.environment)
    assert done.returncode == 0, done.stdout + done.stderr
    after = from_first(rows(world, entity("gap"), "hour"))
    assert {row["start"] / 1000: row["state"] for row in after} == truth, (after, done.stdout)
    assert [later["sum"] - former["sum"] for former, later in zip(after, after[1:])] == [0.5, 0.5, 0.5, 0.75], after
    assert after[-1]["sum"] == before[-1]["sum"], "what was right stays"


def test_after_all_that_home_assistant_has_no_complaint_of_ours(world, clock):
    assert doubts(world) == {}
    assert world.hass.complaints() == []


def stamp(at):
    return datetime.datetime.fromtimestamp(at, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def moment(text):
    return datetime.datetime.fromisoformat(text).timestamp()
