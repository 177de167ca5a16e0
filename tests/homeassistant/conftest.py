# SPDX-License-Identifier: MIT
"""One house and one Home Assistant for all tests of a run; each test leaves them as it found them."""
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "integration"))

import instance  # noqa: E402
from world import RELEASE, World  # noqa: E402


# test_energy waits for statistics of what the others went through; test_gap writes others; test_catalogue is much; test_hour moves the clock.
ORDER = ("test_registry", "test_classes", "test_life", "test_day", "test_energy", "test_gap", "test_catalogue", "test_hour")


def pytest_collection_modifyitems(items):
    items.sort(key=lambda item: ORDER.index(item.module.__name__))
    if not instance.program(RELEASE):
        for item in items:
            item.add_marker(pytest.mark.skip(reason=f"no Home Assistant: tests/homeassistant/prepare {RELEASE}"))


@pytest.fixture(scope="session")
def world(tmp_path_factory):
    made = World(tmp_path_factory.mktemp("world"))
    try:
        yield made.start()
    finally:
        made.close()
