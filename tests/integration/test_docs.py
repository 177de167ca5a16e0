# SPDX-License-Identifier: MIT
"""The documentation names only what exists."""
import pathlib
import re

ROOT = pathlib.Path(__file__).parents[2]


def existing_tests():
    names = set()
    for file in (ROOT / "tests").rglob("*.cpp"):
        for suite, name in re.findall(r"^TEST(?:_F|_P)?\(\s*(\w+),\s*(\w+)\)", file.read_text(encoding="utf-8"), re.M):
            names.add(f"{suite}.{name}")
    for file in [*(ROOT / "tests" / "integration").glob("test_*.py"), *(ROOT / "tests" / "homeassistant").glob("test_*.py")]:
        for name in re.findall(r"^def (test_\w+)", file.read_text(encoding="utf-8"), re.M):
            names.add(f"{file.name}::{name}")
    return names


def rows():
    text = (ROOT / "docs" / "user-pains.md").read_text(encoding="utf-8")
    return [[cell.strip() for cell in line.strip("| \n").split(" | ")] for line in text.splitlines()
            if re.match(r"\| P\d\d \|", line)]


def test_user_pains_name_only_tests_that_exist():
    named = {name for row in rows() for name in re.findall(r"`([^`]+)`", row[2])}
    assert len(named) > 50
    assert sorted(named - existing_tests()) == []


def test_every_user_pain_is_proved_or_open():
    table = rows()
    assert [row[0] for row in table] == [f"P{number:02}" for number in range(1, 61)]
    assert [row[0] for row in table if row[2] == "-" and row[3] == "-"] == []


def test_links_between_pages_lead_somewhere():
    broken = []
    for page in [*(ROOT / "docs").rglob("*.md"), *(ROOT / "examples").rglob("*.md"), *ROOT.glob("*.md")]:
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
            if not (page.parent / target).exists():
                broken.append(f"{page.relative_to(ROOT)}: {target}")
    assert broken == []
