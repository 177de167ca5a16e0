# SPDX-License-Identifier: MIT
"""The captured vectors that are kept beside this repository, checked by their own program."""
import pathlib
import subprocess
import sys

import pytest

from house import BINARY, ROOT

SHARED = ROOT.parent / "shared"
CHECKER = SHARED / "tools" / "check_vectors.py"


@pytest.mark.parametrize("family", ["ce102", "iec62056-21", "mercury", "p1", "sml"])
def test_every_shared_vector_is_decoded_as_expected(family):
    if not CHECKER.exists() or not (SHARED / "vectors" / family).is_dir():
        pytest.skip(f"no captured vectors beside the repository ({CHECKER} is not there)")
    checked = subprocess.run([sys.executable, str(CHECKER), BINARY, str(SHARED / "vectors"), family],
                             capture_output=True, text=True, timeout=300, check=False)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    closing = checked.stdout.strip().splitlines()[-1]
    passed = int(closing.split(" passed")[0].split()[-1])
    assert passed > 0, closing
