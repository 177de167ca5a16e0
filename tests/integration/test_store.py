# SPDX-License-Identifier: MIT
"""The files that Home Assistant's app store reads, after the rules of its Supervisor: what it refuses is an app that nobody
can install, and what it does not know it drops without a word."""
import pathlib
import re
import shutil
import struct
import subprocess

import pytest
import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
LANGUAGES = ["de", "en", "hu", "ru"]
# Every key that the Supervisor takes: others it would drop.
KEYS = set("""advanced apparmor arch audio auth_api backup backup_exclude backup_post backup_pre boot breaking_versions
description devices devicetree discovery docker_api environment full_access gpio hassio_api hassio_role homeassistant
homeassistant_api host_dbus host_ipc host_network host_pid host_uts image ingress ingress_entry ingress_panel ingress_port
ingress_stream init journald kernel_modules legacy map name options panel_admin panel_icon panel_title ports
ports_description privileged realtime schema services slug stage startup stdin timeout tmpfs translations uart udev ulimits url
usb version video watchdog""".split())
TYPE = re.compile(r"^(?:bool|email|url|port|device(?:\(subsystem=[a-z]+\))?|str(?:\(\d*,\d*\))?|password(?:\(\d*,\d*\))?"
                  r"|int(?:\(-?\d*,-?\d*\))?|float(?:\([-\d.]*,[-\d.]*\))?|match\(.*\)|list\((.+)\))(\?)?$")


def document(name):
    return yaml.safe_load((ROOT / name).read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def app():
    return document("config.yaml")


def files_of_the_repository():
    """What a clone would have; a tree without git is taken as it lies there."""
    listed = subprocess.run(["git", "-C", str(ROOT), "ls-files", "--cached", "--others", "--exclude-standard"],
                            capture_output=True, text=True, check=False)
    if listed.returncode == 0:
        return [pathlib.PurePath(line) for line in listed.stdout.splitlines()]
    return [file.relative_to(ROOT) for file in ROOT.rglob("*") if file.is_file() and file.relative_to(ROOT).parts[0] != "build"]


def problem(value, kind):
    """None where the Supervisor would take this value for an option of this kind."""
    if kind == "bool":
        return None if isinstance(value, bool) else "no bool"
    if kind.startswith(("str", "password")):
        return None if isinstance(value, str) else "no text: the Supervisor does not make one of a number"
    if kind == "port":
        return None if isinstance(value, int) and 1 <= value <= 65535 else "no port"
    if kind.startswith("list("):
        return None if value in TYPE.match(kind).group(1).split("|") else "none of the list"
    raise AssertionError(f"this test does not know {kind}")


def test_there_is_one_app_and_one_repository_in_the_tree():
    files = files_of_the_repository()
    seen = [str(file) for file in files
            if re.fullmatch(r"config(\..*)?\.(ya?ml|json)", file.name)
            and not any(part.startswith(".") or part == "rootfs" for part in file.parts)]
    assert seen == ["config.yaml"]
    assert [str(file) for file in files if re.fullmatch(r"repository\.(ya?ml|json)", file.name)] == ["repository.yaml"]
    # Such a file, hidden or not, makes older Supervisors build on another base.
    assert [str(file) for file in files if re.fullmatch(r"build\.(ya?ml|json)", file.name)] == []
    assert isinstance(document("repository.yaml")["name"], str)


def test_the_supervisor_takes_every_key(app):
    assert set(app) - KEYS == set()
    for key in ("name", "version", "slug", "description", "arch"):
        assert app[key], key
    assert isinstance(app["version"], str)
    assert re.fullmatch(r"[-_.A-Za-z0-9]+", app["slug"])
    assert sorted(app["arch"]) == ["aarch64", "amd64"]
    assert app.get("startup", "application") in ("initialize", "system", "services", "application", "once")
    assert app.get("boot", "auto") in ("auto", "manual", "manual_only")
    assert app.get("backup", "hot") in ("hot", "cold")
    assert 10 <= app.get("timeout", 10) <= 300
    assert ":" not in app.get("image", "").replace("{arch}", "")
    for service in app["services"]:
        assert re.fullmatch(r"(mqtt|mysql):(provide|want|need)", service)
    for folder in app["map"]:
        assert folder["type"] in ("data", "ssl", "share", "media", "backup", "homeassistant_config", "addon_config",
                                  "all_addon_configs", "addons")
    assert re.fullmatch(r"(https?|tcp)://\[HOST\]:\[PORT:\d+\](/.*)?", app["watchdog"])


def test_P13_it_is_the_app_that_was_promised(app):
    assert app["init"] is True
    assert app["services"] == ["mqtt:want"]
    assert app["uart"] is True  # without it no serial port may be opened
    assert app["ingress"] is True
    assert app["watchdog"] == f"http://[HOST]:[PORT:{app['ingress_port']}]/healthz"
    folders = {folder["type"]: folder["read_only"] for folder in app["map"]}
    assert folders == {"addon_config": False, "share": False}
    version = re.search(r"project\(meterbridge VERSION ([0-9.]+)", (ROOT / "CMakeLists.txt").read_text(encoding="utf-8"))
    assert app["version"] == version.group(1)
    assert re.search(rf"^## {re.escape(app['version'])}\b", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.M)


def test_a_fresh_installation_starts_without_a_question(app):
    assert set(app["options"]) <= set(app["schema"])
    for option, kind in app["schema"].items():
        known = TYPE.match(kind)
        assert known, f"{option}: the Supervisor knows no type {kind}"
        if option in app["options"]:
            assert problem(app["options"][option], kind.rstrip("?")) is None, option
        else:
            assert known.group(2), f"{option} is required and has no default: the app would not start"


def test_every_option_is_told_in_every_language(app):
    assert sorted(path.stem for path in (ROOT / "translations").iterdir()) == LANGUAGES
    texts = {}
    for language in LANGUAGES:
        told = document(f"translations/{language}.yaml")
        assert set(told) <= {"configuration", "network"}
        assert list(told["configuration"]) == list(app["schema"]), language
        for option, text in told["configuration"].items():
            assert set(text) <= {"name", "description", "fields"}
            assert text["name"].strip() and text.get("description", "x").strip()
            texts.setdefault(option, []).append((text["name"], "description" in text))
    for option, told in texts.items():
        assert len({described for _, described in told}) == 1, f"{option} is described in some languages only"
    documentation = (ROOT / "DOCS.md").read_text(encoding="utf-8")
    assert [option for option in app["schema"] if f"`{option}`" not in documentation] == []


def rating(app, profile):
    """What the Supervisor shows, by its own sums: 5, and up or down for each thing that it looks at."""
    points = 5
    if app.get("apparmor", True) is False:
        points -= 1
    elif profile:
        points += 1
    points += 2 if app.get("ingress") else 1 if app.get("auth_api") else 0
    if app.get("kernel_modules") or app.get("privileged"):
        points -= 1
    points -= {"manager": 1, "admin": 2}.get(app.get("hassio_role"), 0)
    points -= 1 if app.get("host_network") else 0
    points -= 2 if app.get("host_pid") else 0
    if app.get("full_access") or app.get("docker_api"):
        points = 1
    return max(1, min(8, points))


def test_the_rating_is_8_of_8(app):
    assert rating(app, (ROOT / "apparmor.txt").exists()) == 8
    assert rating({**app, "host_network": True}, True) == 7
    assert rating({**app, "full_access": True}, True) == 1


def test_the_profile_is_the_apps_and_leaves_no_right_of_root(app):
    text = (ROOT / "apparmor.txt").read_text(encoding="utf-8")
    assert re.findall(r"^profile (\S+)", text, re.M) == [app["slug"]]
    rules = re.sub(r"#(?!include).*", "", text)
    assert not re.search(r"\b(capability|mount|pivot_root|ux|Ux|unconfined,?\s*$)\b(?!,)", rules.replace("peer=unconfined", ""))
    for place in ("/data/{,**} rwk", "/config/{,**} rwk", "/share/{,**} rwk", "/dev/tty[A-Z]* rwk", "/dev/serial/{,**} r"):
        assert place in rules, place


@pytest.mark.skipif(shutil.which("apparmor_parser", path="/usr/sbin:/sbin:/usr/bin") is None, reason="apparmor_parser is not here")
def test_the_profile_compiles():
    done = subprocess.run(["/usr/sbin/apparmor_parser", "--skip-kernel-load", "--skip-cache", str(ROOT / "apparmor.txt")],
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_pictures_have_the_sizes_of_the_store():
    for name, size in (("icon.png", (128, 128)), ("logo.png", (250, 100))):
        head = (ROOT / name).read_bytes()
        assert head[:8] == b"\x89PNG\r\n\x1a\n"
        assert struct.unpack(">II", head[16:24]) == size, name
        assert len(head) < 50000


def test_the_image_has_the_program_as_its_entry_and_a_plain_base():
    lines = [line.strip() for line in (ROOT / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ").splitlines()
             if line.strip() and not line.startswith("#")]
    bases = [line.split()[1] for line in lines if line.startswith("FROM ")]
    assert len(bases) >= 2 and all(re.fullmatch(r"debian:\S+", base) for base in bases), bases
    assert 'ENTRYPOINT ["/usr/bin/meterbridge"]' in lines and 'CMD ["run", "--app"]' in lines
    assert not any(line.startswith("ARG BUILD_FROM") for line in lines)
    # The same libraries as on a machine of a developer: what is missing here would be found on the user's device only.
    wanted = re.search(r"^run=\((.*?)\)", (ROOT / "scripts" / "install").read_text(encoding="utf-8"), re.S | re.M).group(1)
    libraries = {name for name in wanted.split() if name.endswith("-dev")}
    builder = next(line for line in lines if line.startswith("RUN apt-get"))
    assert libraries - set(builder.split()) == set()
