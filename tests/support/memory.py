"""Memory for clusters: huge pages for what their processes share, and a place for files."""

import contextlib
import os
from pathlib import Path


@contextlib.contextmanager
def huge_pages(megabytes):
    """Has the kernel keep huge pages for so much shared memory, where this process may ask for them (root) and they are to be had; a server
    that finds none does without. Without them each new process pays for every small page that it touches first, in some virtual machines
    ten times what reading it costs."""
    setting = Path("/proc/sys/vm/nr_hugepages")

    def add(pages):
        before = int(setting.read_text())
        setting.write_text(str(max(0, before + pages)))
        return int(setting.read_text()) - before
    pages = int(megabytes * 1.05 + 100) // 2
    try:
        added = add(pages)
    except OSError:
        yield
        return
    try:
        if added < pages:
            added += add(-added)
        yield
    finally:
        with contextlib.suppress(OSError):
            add(-added)


def file_room():
    """The megabytes of /dev/shm that can be filled without the machine running short of memory."""
    try:
        place = os.statvfs("/dev/shm")
    except OSError:
        return 0
    with open("/proc/meminfo") as file:
        available = next(int(line.split()[1]) for line in file if line.startswith("MemAvailable:"))
    return min(place.f_bavail * place.f_frsize >> 20, available >> 10)
