# SPDX-License-Identifier: MIT
"""The peers: Debian's packages in trees of their own, and what was measured with them earlier."""
import os
import pathlib
import shutil
import subprocess
import tempfile

from measure import lines_per_second

RECORDED_ON = "vzlogger 0.8.6-2 of Debian trixie, 460 bytes of SML, 2 cores, Debian 12, kernel 6.18, other light work beside it"
RECORDED = {
    "rate0": [2290, 2400], "lost0": [0], "cpu0": [3.9, 4.2], "peak0": [14.5, 14.7],
    "p50": [0.57], "p99": [0.92], "memory1": [14.5, 14.7], "threads1": [13],
    "exit all well": [0.5], "size": [0.556], "lines": [30000],
}

# Package, suite, and the script debootstrap shall use where it does not know the suite.
PACKAGES = {"vzlogger": ("trixie", "sid"), "wmbusmeters": ("forky", "sid")}


def tree(folder, package):
    """The tree in which the peer is installed; nothing when it is not."""
    if folder is None:
        return None
    found = pathlib.Path(folder).resolve() / PACKAGES[package][0]
    return found if (found / "usr/bin" / package).exists() else None


def install(folder):
    """Needs root and the package mirror that this Debian uses. What fails leaves a message, not a half of a table."""
    folder = pathlib.Path(folder).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    uris = subprocess.run(["apt-get", "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages"], capture_output=True,
                          text=True).stdout.split()
    mirrors = [uri for uri in uris if uri.rstrip("/").endswith("/debian")]
    if not mirrors:
        print("the peers could not be installed: apt knows no Debian mirror here")
        return
    with tempfile.TemporaryDirectory() as scratch:
        program, environment = _debootstrap(scratch)
        for package, (suite, script) in PACKAGES.items():
            if tree(folder, package):
                continue
            target = folder / suite
            base = [program, "--variant=minbase", suite, str(target), mirrors[0], f"{environment['DEBOOTSTRAP_DIR']}/scripts/{script}"]
            done = program and subprocess.run(base, env=environment, capture_output=True, text=True)
            if done and done.returncode == 0:
                for step in (["update"], ["install", "-y", "--no-install-recommends", package]):
                    done = subprocess.run(["chroot", str(target), "apt-get", "-q", *step], capture_output=True, text=True,
                                          env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"})
            if not tree(folder, package):
                last = (done.stdout + done.stderr).strip().splitlines()[-1:] if done else ["there is no debootstrap"]
                print(f"{package} could not be installed: {' '.join(last)}")


def _debootstrap(scratch):
    """The installed one, or the package unpacked into a scratch folder: the host stays as it is."""
    found = shutil.which("debootstrap")
    if found:
        return found, {**os.environ, "DEBOOTSTRAP_DIR": "/usr/share/debootstrap"}
    subprocess.run(["apt-get", "-q", "download", "debootstrap"], cwd=scratch, capture_output=True)
    for package in pathlib.Path(scratch).glob("debootstrap*.deb"):
        subprocess.run(["dpkg", "-x", str(package), scratch], check=True)
        return f"{scratch}/usr/sbin/debootstrap", {**os.environ, "DEBOOTSTRAP_DIR": f"{scratch}/usr/share/debootstrap"}
    return None, {**os.environ, "DEBOOTSTRAP_DIR": "/usr/share/debootstrap"}


def wmbusmeters(folder, rounds):
    """Telegrams per second of CPU. Its telegram is somebody else's, so it is not kept here: DIR/wmbus has one line with
    driver, id, key and the telegram in hex."""
    place = tree(folder, "wmbusmeters")
    file = pathlib.Path(folder) / "wmbus" if folder else None
    if not place or not file.exists():
        return None
    driver, number, key, telegram = file.read_text().split()
    runs = []
    for _ in range(rounds):
        command = ["chroot", str(place), "wmbusmeters", "--format=json", "--ignoreduplicates=false", "stdin:hex", "bench",
                   driver, number, key]
        count, used = lines_per_second(command, (telegram + "\n").encode() * 10000)
        runs.append(count / used)
    return runs
