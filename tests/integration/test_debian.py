# SPDX-License-Identifier: MIT
"""What the Debian package ships beside the program. The package itself is installed, upgraded and purged by
packaging/debian/test."""
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile

import pytest

from house import BINARY, ROOT, House, Observer, Process, free_port, wait_for
from test_pages import get

DEBIAN = ROOT / "packaging" / "debian"


def said(*words):
    return subprocess.run([BINARY, *words], capture_output=True, text=True, timeout=60, check=True).stdout


@pytest.fixture(scope="module")
def commands():
    """Each command with its options, as the program tells them."""
    names = re.findall(r"^  ([a-z][a-z-]*)  +\S", said("--help").split("does\n", 1)[1], re.M)
    assert {"run", "check", "read", "decode"} <= set(names)
    return {name: re.findall(r"^  (?:-\w, )?(--[a-z-]+)", said(name, "--help").rsplit("means\n", 1)[1], re.M) for name in names}


@pytest.fixture(scope="module")
def manual(tmp_path_factory):
    page = tmp_path_factory.mktemp("manual") / "meterbridge.1"
    with open(page, "w", encoding="utf-8") as file:
        subprocess.run(["/usr/bin/python3", ROOT / "packaging" / "manual.py", BINARY], stdout=file, timeout=120, check=True)
    return page


def test_the_manual_page_has_every_command_and_every_option(manual, commands):
    text = manual.read_text(encoding="utf-8").replace("\\-", "-")
    sections = dict(zip(re.findall(r"^\.SS (.*)$", text, re.M), re.split(r"^\.S[SH] .*$", text.split(".SS", 1)[1], flags=re.M)))
    assert list(sections) == list(commands)
    for name, options in commands.items():
        assert options[-1] == "--help"
        for option in options:
            assert re.search(rf"^\.B (-\w, )?{option}\b", sections[name], re.M), f"{name} {option}"
    assert len(set(commands["decode"])) > 8


@pytest.mark.skipif(shutil.which("groff") is None, reason="groff is not here")
def test_the_manual_page_is_well_formed(manual):
    done = subprocess.run(["groff", "-man", "-Tutf8", "-ww", "-rLL=100n", manual], capture_output=True, text=True, timeout=60,
                          check=True)
    assert done.stderr == ""
    assert "meterbridge - reads electricity" in re.sub(r"\x1b\[[0-9;]*m|.\x08", "", done.stdout).replace("\u2010", "-").replace("−", "-")


def completed(*words):
    """What bash proposes for the last of these words."""
    script = f"""PATH={re.escape(str(BINARY)).rsplit('/', 1)[0]}:$PATH
. {ROOT}/packaging/meterbridge.bash-completion
COMP_WORDS=({' '.join(f"'{word}'" for word in words)})
COMP_CWORD={len(words) - 1}
_meterbridge
printf '%s\\n' "${{COMPREPLY[@]}}"
"""
    done = subprocess.run(["bash", "--norc", "-u", "-c", script], capture_output=True, text=True, timeout=60, check=True)
    assert done.stderr == ""
    return [word for word in done.stdout.split("\n") if word]


def test_completion_knows_commands_options_and_profiles(commands, tmp_path):
    assert completed("meterbridge", "") == list(commands)
    assert completed("meterbridge", "prof") == ["profiles"]
    for name, options in commands.items():
        assert set(options) <= set(completed("meterbridge", name, "-")), name
    assert completed("meterbridge", "decode", "--try") == ["--try-all"]
    assert completed("meterbridge", "simulate", "--profile", "energomera-ce307") == ["energomera-ce307", "energomera-ce307-iec"]
    assert "p1" in completed("meterbridge", "decode", "--protocol", "")
    assert completed("meterbridge", "run", "--log-level", "d") == ["debug"]
    (tmp_path / "house.yaml").touch()
    assert completed("meterbridge", "check", "-c", f"{tmp_path}/ho") == [f"{tmp_path}/house.yaml"]
    assert completed("meterbridge", "journal", "e") == ["export"]


def test_completion_names_the_protocols_of_this_version():
    text = (ROOT / "packaging" / "meterbridge.bash-completion").read_text(encoding="utf-8")
    named = re.search(r"compgen -W '(ce102 .*?)'", text).group(1).split()
    for name in named:
        done = subprocess.run([BINARY, "decode", "--protocol", name, "-"], input="", capture_output=True, text=True, timeout=60,
                              check=False)
        assert "no protocol" not in done.stderr, name
    used = {re.search(r"^protocol: *([a-z0-9-]+)", profile.read_text(encoding="utf-8"), re.M).group(1)
            for profile in (ROOT / "profiles").glob("*.yaml")}
    assert len(used) > 5 and used <= set(named)


def unit():
    return (DEBIAN / "meterbridge.service").read_text(encoding="utf-8")


def test_the_unit_never_gives_up_and_never_repeats_a_mistake():
    for line in ("StartLimitIntervalSec=0", "Type=notify", "WatchdogSec=60", "Restart=on-failure", "RestartPreventExitStatus=2",
                 "SupplementaryGroups=dialout", "User=meterbridge", "After=network-online.target mosquitto.service"):
        assert f"\n{line}\n" in unit(), line


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not here")
def test_the_unit_is_closed(tmp_path):
    (tmp_path / "meterbridge.service").write_text(unit().replace("/usr/bin/meterbridge", "/bin/true"), encoding="utf-8")
    verified = subprocess.run(["systemd-analyze", "verify", "--man=no", tmp_path / "meterbridge.service"], capture_output=True,
                              text=True, timeout=60, check=False)
    assert [line for line in verified.stderr.splitlines() if "meterbridge" in line] == []
    assert verified.returncode == 0, verified.stderr
    told = subprocess.run(["systemd-analyze", "security", "--offline=yes", "--no-pager", tmp_path / "meterbridge.service"],
                          capture_output=True, text=True, timeout=60, check=False).stdout
    exposure = float(re.search(r"Overall exposure level for meterbridge.service: ([0-9.]+)", told).group(1))
    assert exposure <= 2.0, told


def calls_of(group):
    """The system calls of one of systemd's groups, those of groups within it too."""
    told = subprocess.run(["systemd-analyze", "syscall-filter", group], capture_output=True, text=True, timeout=60, check=True).stdout
    words = {line.strip() for line in told.splitlines() if line.startswith("    ") and not line.strip().startswith("#")}
    return {call for word in words for call in (calls_of(word) if word.startswith("@") else (word,))}


def allowed_calls():
    allowed = set()
    for groups in re.findall(r"^SystemCallFilter=(.*)$", unit(), re.M):
        calls = set().union(*map(calls_of, groups.lstrip("~").split()))
        allowed = allowed - calls if groups.startswith("~") else allowed | calls
    return allowed


@pytest.mark.skipif("asan" in BINARY, reason="a sanitizer has system calls of its own")
@pytest.mark.skipif(shutil.which("systemd-analyze") is None or shutil.which("strace") is None, reason="systemd-analyze or strace is not here")
def test_the_units_filter_lets_the_service_live():
    """systemd kills at the first call that is not allowed, and no systemd runs here: the calls of a day's work are compared."""
    allowed = allowed_calls()
    assert {"read", "sendmsg", "fsync"} <= allowed and not {"mount", "ptrace", "setpriority"} & allowed
    with tempfile.TemporaryDirectory() as place:
        folder = pathlib.Path(place)
        folder.chmod(0o777)  # the service is another user than root
        traced, gateway, page = folder / "calls", free_port(), free_port()
        house = House(folder, [f"{{id: house, profile: energomera-ce307, address: 1, interval: 1s, link: {{serial: {folder}/tty}}}}",
                               f"{{id: p1, profile: p1, link: {{tcp: 'localhost:{gateway}'}}}}",
                               f"{{id: away, profile: p1, link: {{tcp: 'nowhere.invalid:1'}}}}"],
                      extra=f"http: {{listen: '127.0.0.1:{page}'}}\nsinks:\n  csv: {{directory: {folder}/csv}}\n"
                            f"  influxdb: {{url: 'http://localhost:{free_port()}', version: 1, database: d}}\n"
                            f"  mysql: {{host: localhost, port: {free_port()}, username: u, password: p, database: d}}\n"
                            f"  postgresql: {{host: localhost, port: {free_port()}, username: u, password: p, database: d}}\n"
                            f"  graphite: {{host: localhost, port: {free_port()}}}\n")
        house.file.chmod(0o644)
        user = ("setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups") if os.geteuid() == 0 else ()
        tracer = (*user, "strace", "-D", "-f", "-qq", "-o", str(traced))
        if subprocess.run([*tracer, "true"], capture_output=True, check=False).returncode != 0:
            pytest.skip("nothing can be traced here")
        with house.broker(), Observer(house.port) as ear, house.simulate("--profile", "p1", "--tcp", f"127.0.0.1:{gateway}", "--period", "1s"), \
                house.simulate("--profile", "energomera-ce307", "--set", "address=1", "--pty", house.tty("tty")):
            os.chmod(os.path.realpath(house.tty("tty")), 0o666)
            with Process(["run", "-c", str(house.file)], folder / "run.log", within=tracer) as bridge:
                for meter in ("house", "p1"):
                    ear.wait_topic(f"meterbridge/{meter}/state")
                wait_for(lambda: all(f"sink {name}: " in bridge.log() for name in ("influxdb", "mysql", "postgresql", "graphite")),
                         "each database is missed", 90)
                assert get(page, "/metrics")[0] == 200
                wait_for(lambda: list(folder.glob("csv/house/*.csv")), "a file of readings", 90)
                bridge.process.send_signal(signal.SIGHUP)
                wait_for(lambda: "taken over" in bridge.log(), "the configuration was read again")
                assert bridge.stop() == 0, bridge.log()
        calls = re.findall(r"^\d+ +(\w+)\((.*)", traced.read_text(errors="replace"), re.M)
        assert len({name for name, _ in calls}) > 40 and any(name == "fdatasync" or name == "fsync" for name, _ in calls)
        assert {name for name, _ in calls} - allowed == set()
        # MemoryDenyWriteExecute refuses such memory.
        assert [rest for name, rest in calls if name in ("mmap", "mprotect") and "PROT_WRITE|PROT_EXEC" in rest] == []


def test_P13_the_services_user_is_in_the_group_of_serial_ports():
    assert "m meterbridge dialout" in (DEBIAN / "sysusers.conf").read_text(encoding="utf-8").splitlines()


def test_the_package_has_the_programs_version():
    version = re.search(r"project\(meterbridge VERSION ([0-9.]+)", (ROOT / "CMakeLists.txt").read_text(encoding="utf-8")).group(1)
    assert (DEBIAN / "changelog").read_text(encoding="utf-8").startswith(f"meterbridge ({version}) ")


def test_the_init_scripts_are_shell():
    for path in (DEBIAN / "meterbridge.init", DEBIAN / "meterbridge.postinst", DEBIAN / "meterbridge.postrm"):
        assert subprocess.run(["sh", "-n", path], check=False).returncode == 0
