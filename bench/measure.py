# SPDX-License-Identifier: MIT
"""The measurements. Each returns plain figures; `compare` prints them."""
import contextlib
import os
import pathlib
import random
import subprocess
import tempfile
import time

from parts import Broker, Line, Listener, Program, until


@contextlib.contextmanager
def house(subject, meters=1, tls=False, topics=None, **wanted):
    """Broker, lines, a listener, and the subject at work: every meter has delivered."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder, contextlib.ExitStack() as stack:
        broker = stack.enter_context(Broker(folder, tls))
        lines = [stack.enter_context(Line(folder, f"tty{number}")) for number in range(1, meters + 1)]
        listener = Listener(broker.port, *(topics or subject.readings))
        stack.callback(listener.close)
        command = subject.command(folder, lines, broker, tls=tls, **wanted)
        program = stack.enter_context(Program(command, f"{folder}/log"))
        for meter, line in enumerate(lines, 1):
            first_reading(subject, listener, line, meter)
        yield program, broker, lines, listener


def first_reading(subject, listener, line, meter=1):
    """Sends until the first message of it is out: what was sent before the port was open may be thrown away."""
    telegram = subject.telegrams(meter, 1)[0]
    for _ in range(500):
        line.send(telegram)
        with contextlib.suppress(RuntimeError):
            for _ in range(subject.per_telegram):
                listener.next(subject.last, 0.02)
            return
    raise RuntimeError(f"{subject.name} delivers nothing")


def ceiling(subject, qos, count):
    """As many telegrams as it takes, without a pause: telegrams/s until the last message, CPU, and what was lost."""
    data = subject.telegrams(1, count)
    with house(subject, topics=subject.topics, qos=qos, whole=True) as (program, _, lines, listener):
        listener.drain()
        listener.collect()
        cpu, begun = program.cpu(), time.monotonic_ns()
        for at in range(0, count, 64):
            lines[0].send(b"".join(data[at:at + 64]))
        messages, last = listener.finish()
        used = program.cpu() - cpu
        _, most, _ = program.status()
        return {"rate": count / ((last - begun) / 1e9), "cpu": used * 10000 / count, "memory": most,
                "lost": subject.missing(messages, count), "messages": len(messages)}


def latency(subject, count, gap=0.02):
    """From the last byte of a telegram to its message at a subscriber: milliseconds, in order."""
    data = subject.telegrams(1, count, 1)
    times = []
    with house(subject) as (program, _, lines, listener):
        listener.drain()
        cpu = program.cpu()
        for telegram in data:
            time.sleep(gap * random.uniform(0.8, 1.2))
            lines[0].send(telegram)
            sent = time.monotonic_ns()
            for _ in range(subject.per_telegram):
                listener.next(subject.last)
            times.append((listener.arrived - sent) / 1e6)
        used = program.cpu() - cpu
    return {"times": sorted(times), "cpu": used * 10000 / count}


def floor(telegram, count, gap=0.02):
    """The same way without any program: what pseudo-terminal, broker and harness take alone."""
    times = []
    with tempfile.TemporaryDirectory(prefix="bench-") as folder, Broker(folder) as broker, Line(folder) as line:
        listener, publisher = Listener(broker.port, "floor"), Listener(broker.port, "nothing")
        for _ in range(count):
            time.sleep(gap * random.uniform(0.8, 1.2))
            line.send(telegram)
            sent = time.monotonic_ns()
            left = len(telegram)
            while left:
                left -= len(os.read(line.slave, 4096))
            publisher.publish("floor", b"x" * 400)
            listener.next(b"floor")
            times.append((listener.arrived - sent) / 1e6)
    return sorted(times)


def memory(subject, meters, telegrams=50, tls=True, look=Program.status):
    with house(subject, meters, tls=tls) as (program, _, lines, listener):
        for meter, line in enumerate(lines, 1):
            for telegram in subject.telegrams(meter, telegrams, 1):
                line.send(telegram)
        time.sleep(1)
        return look(program)


def start_up(subject):
    """From exec to the first reading at a subscriber; the meter sends every 20 ms."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder, Broker(folder) as broker, Line(folder) as line:
        listener = Listener(broker.port, *subject.readings)
        with Program(subject.command(folder, [line], broker), f"{folder}/log") as program:
            first_reading(subject, listener, line)
            return (listener.arrived - program.started) / 1e6


STATES = {"all well": (), "device gone": ("device",), "broker gone": ("broker",), "both gone": ("device", "broker"),
          "broker hangs": ("hang",)}


def exits(subject, state, times):
    """SIGTERM to exit, in seconds, so many times; nothing where only SIGKILL helped."""
    found = []
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        broker, line = Broker(folder), Line(folder)
        try:
            for _ in range(times):
                broker.stop()
                broker.start()
                line.plug()
                listener = Listener(broker.port, *subject.readings)
                with Program(subject.command(folder, [line], broker), f"{folder}/log") as program:
                    first_reading(subject, listener, line)
                    for what in STATES[state]:
                        spoil(what, program, broker, line)
                    found.append(program.end())
                listener.close()
        finally:
            broker.stop()
            line.unplug()
    return found


def spoil(what, program, broker, line):
    """Takes a part away and waits until the program has said so in its log (a peer may keep silent: half a second)."""
    before = program.log.stat().st_size
    if what == "device":
        line.unplug()
    elif what == "broker":
        broker.stop()
    else:
        broker.hang()
        line.send(b"\r\n")
        return
    with contextlib.suppress(RuntimeError):
        until(lambda: program.log.stat().st_size > before, "a line in the log", 0.5)


def decoding(benchmark):
    """Telegrams and MB per second of CPU, frames found, checked and decoded: three runs."""
    import json
    run = subprocess.run([str(benchmark), "--benchmark_filter=P1/stream", "--benchmark_format=json",
                          "--benchmark_repetitions=5", "--benchmark_min_time=0.4"], check=True, capture_output=True, text=True)
    runs = [one for one in json.loads(run.stdout)["benchmarks"] if one["run_type"] == "iteration"]
    return [(one["items_per_second"], one["bytes_per_second"] / 1e6) for one in runs]


def lines_per_second(command, text):
    """Telegrams per second of CPU of a process that reads them from standard input and writes JSON lines."""
    with tempfile.TemporaryFile() as file:
        file.write(text)
        file.seek(0)
        before = os.times()
        run = subprocess.run(command, stdin=file, capture_output=True, check=True)
        after = os.times()
    used = after.children_user + after.children_system - before.children_user - before.children_system
    return run.stdout.count(b"\n{") + run.stdout.startswith(b"{"), used


def machine():
    """One line on which machine this is, for figures that are kept."""
    cpu = "unknown processor"
    for text in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if text.startswith("model name"):
            cpu = text.split(":", 1)[1].strip()
            break
    pretty = [text.split("=", 1)[1].strip('"') for text in pathlib.Path("/etc/os-release").read_text().splitlines()
              if text.startswith("PRETTY_NAME=")]
    kernel = ".".join(os.uname().release.split(".")[:2])
    return f"{os.cpu_count()} cores, {cpu}, {pretty[0] if pretty else os.uname().sysname}, kernel {kernel}"
