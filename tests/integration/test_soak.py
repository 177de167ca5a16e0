# SPDX-License-Identifier: MIT
"""The short form of tests/soak/week.py: a few seconds instead of half an hour."""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "soak"))
from week import FEW, Week  # noqa: E402


def test_P55_P54_a_short_day_of_faults_leaks_nothing_and_names_each(tmp_path):
    week = Week(tmp_path, 0.1)
    week.play(1, FEW, 10)
    print(week.table())
    assert len(week.named) == len(FEW)
    # Sanitizers and warming up need memory; a day of it is measured by the long form.
    assert week.complaints(most_growth=4096, most_lines=100) == []
