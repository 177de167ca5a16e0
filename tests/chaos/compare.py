# SPDX-License-Identifier: MIT
"""What each place has, sample by sample, beside what the meters said."""
import csv
import decimal
import json
import re
import struct

from schedule import METERS
from test_nothing_lost import in_ms

FIELD = "energy_import"
SQL = ("maria", "postgres")
LATEST = 150.0  # s: a meter whose fault is healed is heard again, whatever else is wrong just then


class Has(list):
    """(number, time in ms) in the order of the place. `ordered`: that order is the one in which it was written."""
    ordered = True
    second = 1     # ms that one slot of time is long; 0: two samples of one moment are two


def number_of(value):
    count = (decimal.Decimal(str(value)) - 1000) * 1000
    return int(count) if count == int(count) and abs(count) < 10**9 else None


def file_order(file):
    day, part = re.fullmatch(r"(\d{4}-\d\d-\d\d)(?:-(\d+))?", file.stem).groups()
    return day, int(part or 1)


def csv_files(folder, meter):
    """A list for each file: a clock that is put back writes into yesterday's file again."""
    found = []
    for file in sorted((folder / meter).glob("*.csv"), key=file_order):
        lines = file.read_text().rpartition("\n")[0].splitlines()
        found.append([(row["time_utc"], row[FIELD]) for row in csv.DictReader(lines) if row.get(FIELD)])
    return found


def whisper_points(server, meter):
    """All points of the file: whisper itself shows none of the future, which a wrong clock may have written."""
    file = server.folder / "carbon/whisper/meterbridge" / meter / f"{FIELD}.wsp"
    if not file.exists():
        return []
    data = file.read_bytes()
    _, _, _, archives = struct.unpack(">2LfL", data[:16])
    assert archives == 1
    offset, _, points = struct.unpack(">3L", data[16:28])
    found = struct.iter_unpack(">Ld", data[offset:offset + points * 12])
    return sorted((at * 1000, value) for at, value in found if at)


def contents(town, name, meter):
    has = Has()
    if name == "csv":
        rows = [(in_ms(at), value) for file in csv_files(town.disks["files"], meter) for at, value in file]
        has.ordered, has.second = meter == "p1", 0
    elif name == "carbon":
        rows = whisper_points(town.servers[name], meter)
        has.ordered, has.second = meter == "p1", 1000
    elif name in SQL:
        has.second = 0
        found = town.servers[name].query("SELECT at_utc, shown FROM meterbridge_values WHERE "
                                         f"meter = '{meter}' AND name = '{FIELD}' ORDER BY sequence")
        rows = [(in_ms(at.split("+")[0] + "+00:00"), value) for at, value in found]
    else:
        rows = town.servers[name].points(meter, FIELD)
        has.ordered = meter == "p1"
    has += [(number_of(value), at) for at, value in rows]
    return has


def last_of(town, name, meter):
    try:
        return max((number or 0 for number, _ in contents(town, name, meter)), default=0)
    except (OSError, AssertionError, KeyError):
        return 0


class Comparison:
    def __init__(self, town, windows, leaps=0):
        self.town = town
        self.leaps = leaps  # so often numbers of samples may have fallen
        self.names = ["csv", *town.servers]
        self.complaints = []
        self.excused = {}   # (place, meter) -> missing, but a fault may have cost it
        self.back = 0.0     # s until a meter was heard again, at most
        self.has = {(name, meter): contents(town, name, meter) for name in self.names for meter in METERS}
        self.spans = {meter: self.ends(meter, windows) for meter in METERS}

    def ends(self, meter, windows):
        """The windows of a meter, each until the first sample after it that is somewhere."""
        union = {number for name in self.names for number, _ in self.has[name, meter]}
        moments = sorted(moment for number, moment in self.town.meters[meter].said.items() if number in union)
        spans = []
        for window in windows:
            if window.meter not in (None, meter):
                continue
            end = next((moment for moment in moments if moment > window.heal), None)
            if end is None:
                self.complaints.append(f"{meter} was never heard again after {window.why}")
                continue
            self.back = max(self.back, end - window.heal)
            if end - window.heal > LATEST:
                self.complaints.append(f"{meter} was heard {end - window.heal:.0f} s after the end of {window.why}")
            spans.append((window.begin, end, window.sink))
        return spans

    def excuse(self, name, meter, moment):
        return any(begin <= moment <= end for begin, end, sink in self.spans[meter] if sink in (None, name))

    def check_all(self):
        for meter in METERS:
            known = {}
            for name in self.names:
                if self.has[name, meter].second == 0:
                    known.update({n: at for n, at in self.has[name, meter]})
            for name in self.names:
                self.check(name, meter, known)
        self.check_files()
        return self.complaints

    def check(self, name, meter, known):
        has, teller = self.has[name, meter], self.town.meters[meter]
        numbers = [number for number, _ in has]
        place = f"{name}, {meter}"
        for number, at in has:
            if number is None or not 0 < number <= teller.number:
                self.complaints.append(f"{place}: number {number} at {at} was never sent")
                return
            right = teller.at(number) if meter == "p1" else known.get(number, at)
            if has.second == 1000:
                right = right // 1000 * 1000
            if at != right:
                self.complaints.append(f"{place}: number {number} has the time {at}, not {right}")
                return
        doubled = sorted({n for n in numbers if numbers.count(n) > 1}) if len(set(numbers)) != len(numbers) else []
        if doubled:
            self.complaints.append(f"{place}: {len(doubled)} numbers twice, the first {doubled[:5]}")
        falls = [i for i in range(1, len(numbers)) if numbers[i] < numbers[i - 1]] if has.ordered else []
        if len(falls) > (self.leaps if name in SQL else 0):
            self.complaints.append(f"{place}: {numbers[falls[0]]} after {numbers[falls[0] - 1]}")
        self.check_missing(name, meter, set(numbers), known)

    def check_missing(self, name, meter, present, known):
        """A slot of time keeps one of its samples only: the others were there once. (A connection that hung may bring an
        earlier one of the same second after a later one.)"""
        slot = self.has[name, meter].second
        filled = {at // slot for _, at in self.has[name, meter]} if slot else ()
        missing = []
        for number, moment in self.town.meters[meter].said.items():
            if number in present or slot and known.get(number, -1) // slot in filled:
                continue
            if self.excuse(name, meter, moment):
                self.excused[name, meter] = self.excused.get((name, meter), 0) + 1
            else:
                missing.append(number)
        if missing:
            said = self.town.meters[meter].said
            self.complaints.append(f"{name}, {meter}: {len(missing)} lost, the first {missing[:5]}, said {said[missing[0]]:.2f} "
                                   f"(monotonic); neighbours present: {sorted(n for n in present if abs(n - missing[0]) < 20)}")

    def check_files(self):
        for meter in METERS:
            for file in csv_files(self.town.disks["files"], meter):
                numbers = [number_of(value) for _, value in file]
                if numbers != sorted(numbers):
                    self.complaints.append(f"csv, {meter}: a file is not in order")

    def table(self):
        lines = [f"{'':10}" + "".join(f"{meter:>16}" for meter in METERS),
                 f"{'said':10}" + "".join(f"{len(self.town.meters[meter].said):16}" for meter in METERS)]
        for name in self.names:
            cells = [f"{len(self.has[name, meter])} ({self.excused.get((name, meter), 0)})" for meter in METERS]
            lines.append(f"{name:10}" + "".join(f"{cell:>16}" for cell in cells))
        return "\n".join([*lines, "in brackets: missing, where a fault may have cost it"])


def last_words(town):
    """What the page says of each meter's counter: number."""
    import urllib.request
    with urllib.request.urlopen(f"http://127.0.0.1:{town.page}/api/status", timeout=5) as answer:
        status = json.loads(answer.read())
    return {meter["id"]: number_of(reading["value"]) or 0 for meter in status["meters"] for reading in meter["readings"]
            if reading["key"] == FIELD and reading["value"] is not None}
