#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes the manual page from what the program itself says in its --help, so that it can never tell something else.

usage: manual.py PROGRAM > meterbridge.1
"""
import re
import subprocess
import sys

HEAD = r""".TH METERBRIDGE 1 "" "meterbridge @VERSION@" "User commands"
.SH NAME
meterbridge \- reads electricity, gas, water and heat meters and makes them native in Home Assistant
.SH SYNOPSIS
.B meterbridge
.I COMMAND
.RI [ options ]
.SH DESCRIPTION
One program reads meters over serial ports, network gateways or MQTT and tells their readings to an MQTT broker, in the form in
which Home Assistant makes devices of them, and to files and databases. Every meter has a task of its own, every task a
watchdog. It never writes to a meter.
.PP
The service is
.BR "meterbridge run" .
All other commands help to set it up, or to look at it.
.SH COMMANDS
"""
TAIL = r""".SH FILES
.TP
.I /etc/meterbridge/meterbridge.yaml
the configuration; every key is in
.BR "meterbridge schema \-\-markdown" .
.TP
.I /etc/meterbridge/secrets.yaml
passwords and keys, for
.B !secret
in the configuration
.TP
.I /etc/meterbridge/profiles/*.yaml
meters of your own
.TP
.I /var/lib/meterbridge
the journal of readings, and what must outlive a restart
.SH SIGNALS
.TP
.B SIGHUP
reads the configuration again; what did not change goes on undisturbed
.TP
.BR SIGTERM ", " SIGINT
end the service: its meters are told to be offline, the broker is left in order
.SH ENVIRONMENT
.TP
.B METERBRIDGE_KEY
the key of encrypted telegrams, for
.B meterbridge decode
.TP
.B STATE_DIRECTORY
where the program keeps its state, as systemd sets it
.TP
.BR NOTIFY_SOCKET ", " WATCHDOG_USEC
the service manager that is told when the program is ready, and that it works
.SH SEE ALSO
.BR mosquitto (8),
.BR systemctl (1)
"""


def said(program, *words):
    return subprocess.run([program, *words], capture_output=True, text=True, check=True).stdout


def quoted(text):
    text = text.replace("\\", r"\e").replace("-", r"\-")
    text = re.sub(r"`([^`]*)`", r"\\fB\1\\fP", text)
    return re.sub(r"^([.'])", r"\\&\1", text, flags=re.M)


def paragraph(block):
    lines = block.split("\n")
    # Examples and aligned columns stay as they are; prose may be broken anew.
    if any(re.search(r"^ {2}|\S {2,}\S", line) for line in lines):
        return ".PP\n.nf\n" + quoted(block) + "\n.fi\n"
    return ".PP\n" + quoted(block) + "\n"


def options(rows):
    text = ""
    for row in rows:
        name, meaning = re.match(r"  (.*?) {2,}(.*)", row).groups()
        text += ".TP\n.B " + quoted(name) + "\n" + quoted(meaning) + "\n"
    return text


def command(program, name):
    text = said(program, name, "--help")
    usage, rest = text.split("\n", 1)
    prose, table = re.split(r"^  option +means\n", rest, maxsplit=1, flags=re.M)
    synopsis = usage.removeprefix("usage: meterbridge ")
    page = ".SS " + quoted(name) + "\n.B meterbridge " + quoted(synopsis) + "\n"
    for block in re.split(r"\n{2,}", prose.strip("\n")):
        page += paragraph(block)
    return page + options([row for row in table.splitlines() if row.strip()])


def main(program):
    names = re.findall(r"^  ([a-z][a-z-]*) {2,}\S", said(program, "--help").split("does\n", 1)[1], re.M)
    version = said(program, "version").split()[1]
    sys.stdout.write(HEAD.replace("@VERSION@", version) + "".join(command(program, name) for name in names) + TAIL)


if __name__ == "__main__":
    main(sys.argv[1])
