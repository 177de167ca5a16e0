# SPDX-License-Identifier: MIT
"""A clock of the system that is wrong for one program, and put right while it runs."""
import subprocess

UNSET = -55 * 365 * 24 * 3600  # s: a board without a battery

# $CLOCK_OFFSET names a file with seconds; without the file the clock is right.
SOURCE = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
int clock_gettime(clockid_t id, struct timespec* t) {
  static int (*real)(clockid_t, struct timespec*);
  if (!real) real = (int (*)(clockid_t, struct timespec*))dlsym(RTLD_NEXT, "clock_gettime");
  int result = real(id, t);
  const char* name = id == CLOCK_REALTIME ? getenv("CLOCK_OFFSET") : NULL;
  int file = name ? open(name, O_RDONLY | O_CLOEXEC) : -1;
  if (file < 0) return result;
  char text[32] = {0};
  if (read(file, text, sizeof text - 1) > 0) t->tv_sec += atol(text);
  close(file);
  return result;
}
"""


def preload(folder):
    """The environment of a program, and the file that says by how many seconds its clock is wrong."""
    (folder / "clock.c").write_text(SOURCE)
    subprocess.run(["cc", "-shared", "-fPIC", "-o", folder / "clock.so", folder / "clock.c", "-ldl"], check=True)
    offset = folder / "clock-offset"
    return {"LD_PRELOAD": str(folder / "clock.so"), "CLOCK_OFFSET": str(offset)}, offset


def step(offset, seconds):
    """At once, as a program sees it: never half a number."""
    if seconds == 0:
        offset.unlink(missing_ok=True)
        return
    whole = offset.with_suffix(".new")
    whole.write_text(str(seconds))
    whole.rename(offset)
