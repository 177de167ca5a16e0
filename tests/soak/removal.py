#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Removes a serial device and brings it back a hundred times, and prints what it cost. Run by hand:

    METERBRIDGE_BINARY=build/release/src/meterbridge tests/soak/removal.py [--rounds 100] [--absence 0] [--name one|by-id]
"""
import argparse
import pathlib
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "integration"))

import adapter  # noqa: E402

arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
arguments.add_argument("--rounds", type=int, default=100)
arguments.add_argument("--absence", type=float, default=0, help="seconds that the device is gone at least")
arguments.add_argument("--name", choices=["one", "by-id"], default="by-id",
                       help="the port is one name that leads elsewhere, or the by-id link of a tty that is renamed")
options = arguments.parse_args()
with tempfile.TemporaryDirectory() as folder:
    figures = adapter.remove_and_return(pathlib.Path(folder), options.rounds, options.name == "by-id",
                                        absence=options.absence,
                                        say=lambda line: print(line, flush=True))
    adapter.check(figures, options.rounds)
