# SPDX-License-Identifier: MIT
"""The OpenWRT package without OpenWRT: its init script under busybox with stand-ins for procd and UCI that print what they are
told, its Makefile under make with stand-ins for the buildroot's."""
import json
import os
import re
import shutil
import subprocess

import pytest

from house import BINARY, ROOT

PACKAGE = ROOT / "packaging" / "openwrt" / "net" / "meterbridge"
# Parameters that procd's shell library takes; others it drops without a word.
PROCD = set("""command capabilities data env error extroot facility file group limits netdev nice no_new_privs overlaydir pidfile
reload_signal respawn seccomp stderr stdout term_timeout tmpoverlaysize user vrf watch watchdog""".split())
# What a router's shell brings along, with a UCI file of one's own. Each call becomes a line.
STAND_INS = r"""
say() { printf '%s' "$1"; shift; for word; do printf ' [%s]' "$word"; done; printf '\n'; }
mkdir() { say mkdir "$@"; }
chown() { say chown "$@"; }
chmod() { say chmod "$@"; }
for name in procd_open_instance procd_close_instance procd_set_param procd_add_reload_trigger; do
  eval "$name() { say $name \"\$@\"; }"
done
config_load() { say config_load "$@"; }
config_foreach() { local section; for section in $SECTIONS; do "$1" "$section"; done; }
config_get() { eval "$1=\${${2}_$3:-$4}"; }
config_get_bool() {
  local word; eval "word=\${${2}_$3:-$4}"
  case $word in 1|on|true|yes|enabled) eval "$1=1" ;; *) eval "$1=0" ;; esac
}
"""


@pytest.fixture(scope="module")
def ash():
    busybox = shutil.which("busybox")
    if busybox is None:
        pytest.skip("busybox is not here")
    return [busybox, "ash"]


def called(ash, functions, **uci):
    """The lines of what the script calls when the service manager calls it, with this UCI file."""
    script = STAND_INS + f". {PACKAGE}/files/meterbridge.init\n" + "\n".join(functions)
    done = subprocess.run([*ash, "-u", "-c", script], env={"PATH": "/nowhere", **uci}, capture_output=True, text=True,
                          timeout=20, check=False)
    assert done.returncode == 0 and done.stderr == "", done.stderr
    return done.stdout.splitlines()


def test_the_script_is_one_of_procd(ash):
    assert subprocess.run([*ash, "-n", PACKAGE / "files" / "meterbridge.init"], check=False).returncode == 0
    first, *rest = (PACKAGE / "files" / "meterbridge.init").read_text(encoding="utf-8").splitlines()
    assert first == "#!/bin/sh /etc/rc.common"
    assert {"USE_PROCD=1", "START=85", "STOP=15"} <= set(rest)


def test_an_instance_is_started_for_ever_and_reloaded_by_signal(ash):
    lines = called(ash, ["start_service", "service_triggers"], SECTIONS="main", main_enabled="1",
                   main_config="/mnt/sda1/my meters.yaml")
    assert lines[0] == "config_load [meterbridge]"
    assert lines[-1] == "procd_add_reload_trigger [meterbridge]"
    parameters = [re.match(r"procd_set_param \[(\w+)\] (.*)", line).groups() for line in lines
                  if line.startswith("procd_set_param")]
    assert {name for name, _ in parameters} <= PROCD
    said = dict(parameters)
    assert said["command"] == "[/usr/sbin/meterbridge] [run] [-c] [/mnt/sda1/my meters.yaml]"
    assert said["file"] == "[/mnt/sda1/my meters.yaml]"
    assert said["respawn"] == "[3600] [5] [0]"
    assert said["reload_signal"] == "[HUP]"
    assert said["user"] == "[meterbridge]"
    assert said["stderr"] == "[1]"
    assert lines.index("chown [root:meterbridge] [/mnt/sda1] [/mnt/sda1/*.yaml]") < lines.index("procd_open_instance [main]")
    assert "chmod [640] [/mnt/sda1/*.yaml]" in lines
    assert lines.index("mkdir [-p] [/var/lib/meterbridge]") < lines.index("procd_open_instance [main]")


def test_nothing_is_asked_of_uci_but_whether_and_which_file(ash):
    assert called(ash, ["start_service"], SECTIONS="main", main_enabled="0") == ["config_load [meterbridge]"]
    by_itself = called(ash, ["start_service"], SECTIONS="main")
    assert "procd_set_param [command] [/usr/sbin/meterbridge] [run] [-c] [/etc/meterbridge/meterbridge.yaml]" in by_itself
    both = called(ash, ["start_service"], SECTIONS="main second", second_config="/etc/second.yaml")
    assert [line for line in both if "open" in line] == ["procd_open_instance [main]", "procd_open_instance [second]"]
    script = (PACKAGE / "files" / "meterbridge.init").read_text(encoding="utf-8")
    asked = re.findall(r"config_get(?:_bool)? (\w+) \"\$1\" (\w+)", script)
    assert asked == [("enabled", "enabled"), ("config", "config")]
    shipped = (PACKAGE / "files" / "meterbridge.uci").read_text(encoding="utf-8")
    assert re.findall(r"^\s*option (\w+) '(.*)'$", shipped, re.M) == [
        ("enabled", "1"), ("config", "/etc/meterbridge/meterbridge.yaml")]


@pytest.mark.parametrize("shipped", [PACKAGE / "files" / "meterbridge.yaml", ROOT / "packaging" / "debian" / "meterbridge.yaml"],
                         ids=["openwrt", "debian"])
def test_P44_the_shipped_configuration_is_valid_also_with_its_example(shipped, tmp_path):
    text = shipped.read_text(encoding="utf-8")
    before, example = text.split("\n# meters:\n")
    commented = before + "\nmeters:\n" + re.sub(r"^# ?", "", example, flags=re.M)
    for number, content in enumerate((text, commented)):
        place = tmp_path / f"{number}.yaml"
        place.write_text(content, encoding="utf-8")
        done = subprocess.run([BINARY, "check", "-c", place], capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stdout
        assert ("no meters are configured" in done.stdout) == (number == 0)


RULES = """
INCLUDE_DIR:=$(TOPDIR)/include
CP:=cp -fpR
INSTALL_DIR:=install -d -m0755
INSTALL_BIN:=install -m0755
INSTALL_CONF:=install -m0600
"""
BUILD = r"""
define BuildPackage
prepare:
	$(Build/Prepare)
install:
	$(call Package/$(1)/install,$(DEST))
show:
	@echo "version=$(PKG_VERSION)"
	@echo "options=$(CMAKE_OPTIONS)"
	@echo "compiler=$(TARGET_CXXFLAGS)"
	@echo "linker=$(TARGET_LDFLAGS)"
endef
"""


@pytest.fixture
def make(tmp_path):
    """The package's Makefile as a buildroot calls it, from a feed that is a link to the repository."""
    if shutil.which("make") is None:
        pytest.skip("make is not here")
    top = tmp_path / "buildroot"
    (top / "include").mkdir(parents=True)
    (top / "rules.mk").write_text(RULES, encoding="utf-8")
    (top / "include" / "package.mk").write_text(BUILD, encoding="utf-8")
    (top / "include" / "cmake.mk").write_text("", encoding="utf-8")
    (top / "feed").symlink_to(PACKAGE)

    def run(target, **variables):
        done = subprocess.run(["make", "-s", "-C", top / "feed", target, f"TOPDIR={top}",
                               *[f"{name}={value}" for name, value in variables.items()]],
                              capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout
    return run


def test_the_makefile_takes_the_sources_around_it(make, tmp_path):
    make("prepare", PKG_BUILD_DIR=tmp_path / "work")
    for path in ("CMakeLists.txt", "LICENSE", "src/cli/main.cpp", "profiles/p1.yaml", "cmake/embed_profiles.cmake"):
        assert (tmp_path / "work" / path).is_file(), path
    version = re.search(r"project\(meterbridge VERSION ([0-9.]+)", (ROOT / "CMakeLists.txt").read_text(encoding="utf-8"))
    assert f"version={version.group(1)}\n" in make("show")


def test_the_options_for_size_reach_cmake_and_cmake_knows_them(make):
    small = make("show")
    large = make("show", CONFIG_METERBRIDGE_TLS="y", CONFIG_METERBRIDGE_HTTP="y", CONFIG_METERBRIDGE_SQLITE="y",
                 CONFIG_METERBRIDGE_SINKS="y", CONFIG_METERBRIDGE_TOOLS="y")
    known = re.findall(r"^option\((METERBRIDGE_\w+)", (ROOT / "CMakeLists.txt").read_text(encoding="utf-8"), re.M)
    offered = re.findall(r"^config (METERBRIDGE_\w+)", (PACKAGE / "Config.in").read_text(encoding="utf-8"), re.M)
    assert offered == ["METERBRIDGE_TLS", "METERBRIDGE_HTTP", "METERBRIDGE_SQLITE", "METERBRIDGE_SINKS",
                       "METERBRIDGE_TOOLS"]
    for name in offered:
        assert name in known
        assert f"-D{name}=OFF" in small and f"-D{name}=ON" in large
    assert "-DMETERBRIDGE_TESTS=OFF" in small


def test_P46_the_package_is_built_as_the_preset_whose_size_is_measured(make):
    presets = json.loads((ROOT / "CMakePresets.json").read_text(encoding="utf-8"))["configurePresets"]
    router = next(preset for preset in presets if preset["name"] == "router")["cacheVariables"]
    # How many files are compiled at once changes no program.
    wanted = {f"-D{name}={value}" for name, value in router.items() if name.startswith("METERBRIDGE_")} - {"-DMETERBRIDGE_UNITY=ON"}
    given = set(re.search(r"options=(.*)", make("show")).group(1).split())
    assert wanted <= given
    assert given - wanted == {"-DCMAKE_INTERPROCEDURAL_OPTIMIZATION=ON"}
    measured = (ROOT / "packaging" / "openwrt" / "cross").read_text(encoding="utf-8")
    for word, name in (("compiler", "CMAKE_CXX_FLAGS"), ("linker", "CMAKE_EXE_LINKER_FLAGS")):
        flags = router[name + "_INIT"]
        assert f"{word}={flags}\n" in make("show")
        assert f'-D{name}="{flags} ' in measured


def test_P46_what_a_router_leaves_out_is_named_by_nothing_else():
    """One protocol that names its tools itself keeps what all of them share; one call of spdlog's templates keeps a copy of libfmt."""
    sources = {path: path.read_text(encoding="utf-8") for path in (ROOT / "src").rglob("*.cpp")}
    for member in ("anatomy", "anonymise"):
        given = [found for text in sources.values() for found in re.findall(rf"\.{member} = (?!nullptr)(\w+)", text)]
        assert len(given) > 8 and set(given) == {"with_tools"}
    assert not [path for path, text in sources.items() if re.search(r"spdlog::(trace|debug|info|warn|error|critical|log)\(", text)]


def test_the_package_has_its_files_with_their_rights(make, tmp_path):
    built = tmp_path / "built"
    (built / "usr" / "bin").mkdir(parents=True)
    shutil.copy("/bin/true", built / "usr" / "bin" / "meterbridge")
    target = tmp_path / "target"
    make("install", PKG_INSTALL_DIR=built, DEST=target)
    have = {str(path.relative_to(target)): oct(os.stat(path).st_mode & 0o777) for path in target.rglob("*") if path.is_file()}
    assert have == {"usr/sbin/meterbridge": "0o755", "etc/init.d/meterbridge": "0o755", "etc/config/meterbridge": "0o600",
                    "etc/meterbridge/meterbridge.yaml": "0o600"}
