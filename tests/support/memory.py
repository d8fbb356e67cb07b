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
    memory = system_memory()
    if memory.get("Hugepagesize") != 2048:
        yield
        return
    # What a killed run left is there to be used. A run that starts at the same time may get less than it needs.
    unused = max(0, memory["HugePages_Free"] - memory["HugePages_Rsvd"])
    pages = max(0, int(megabytes * 1.05 + 100) // 2 - unused)
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


def system_memory():
    """/proc/meminfo: numbers by name, kilobytes but for counts of pages."""
    with open("/proc/meminfo") as file:
        return {name: int(value.split()[0]) for name, value in (line.split(":") for line in file)}


def group_room():
    """The megabytes that this container may take yet, as its control group says."""
    try:
        limit, taken, parts = (Path(f"/sys/fs/cgroup/memory.{name}").read_text() for name in ("max", "current", "stat"))
    except OSError:
        return float("inf")
    if limit.strip() == "max":
        return float("inf")
    cached = next(int(line.split()[1]) for line in parts.splitlines() if line.startswith("inactive_file "))
    return (int(limit) - int(taken) + cached) >> 20


def file_room():
    """The megabytes of /dev/shm that can be filled without the machine running short of memory."""
    try:
        place = os.statvfs("/dev/shm")
    except OSError:
        return 0
    return min(place.f_bavail * place.f_frsize >> 20, system_memory()["MemAvailable"] >> 10, group_room())
