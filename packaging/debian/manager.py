#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Plays systemd for the unit of an installed package: its own command, as its own user without any capability, with a
socket to notify, a watchdog, a reload and a stop.

usage: manager.py TREE
"""
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys

tree = pathlib.Path(sys.argv[1])
unit = (tree / "lib/systemd/system/meterbridge.service").read_text(encoding="utf-8")
command = re.search(r"^ExecStart=(.*)$", unit, re.M).group(1).split()
user = re.search(r"^User=(.*)$", unit, re.M).group(1)
assert "Type=notify" in unit and "WatchdogSec=" in unit

listening = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
listening.bind(str(tree / "run/manager"))
os.chmod(tree / "run/manager", 0o777)
listening.settimeout(30)
heard = []


def hear(word):
    while True:
        message = listening.recv(4096).decode()
        heard.append(message)
        if word in message:
            return message


program = subprocess.Popen(
    ["chroot", tree, "setpriv", "--reuid", user, "--regid", user, "--init-groups", "--no-new-privs",
     "--bounding-set", "-all", "--inh-caps", "-all", *command],
    env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "NOTIFY_SOCKET": "/run/manager", "WATCHDOG_USEC": "2000000",
         "STATE_DIRECTORY": "/var/lib/meterbridge"},
    stderr=subprocess.PIPE, text=True)
try:
    ready = hear("READY=1")
    hear("WATCHDOG=1")
    hear("WATCHDOG=1")
    program.send_signal(signal.SIGHUP)
    hear("READY=1")
    program.send_signal(signal.SIGTERM)
    hear("STOPPING=1")
    code = program.wait(20)
finally:
    if program.poll() is None:
        program.kill()
    os.unlink(tree / "run/manager")
assert code == 0, (code, program.stderr.read())
print(f"  the unit's command as {user} without capabilities: {ready.splitlines()[-1]}; watchdog fed, reloaded, stopped with 0")
