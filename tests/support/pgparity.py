"""Runs the real pgparity and reads its report."""

import json
import os
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from support.cluster import PASSWORD, clean_environment

TOP = Path(__file__).resolve().parents[2]
PGPARITY = os.environ.get("PGPARITY", str(Path(os.environ.get("BUILD_DIR", TOP / "build")) / "pgparity"))

# Exit statuses, as docs/cli.md has them.
IDENTICAL, DIVERGENT, ERROR, INCOMPLETE = 0, 1, 2, 3


@dataclass
class Run:
    """What one run of pgparity left behind."""
    arguments: list
    status: int
    stdout: str
    stderr: str

    @property
    def report(self):
        return json.loads(self.stdout)

    def expect(self, status):
        assert self.status == status, f"status {self.status} instead of {status}: {self}"
        return self

    def table(self, name=None):
        """The report's entry of a table by its source name; without a name the only one."""
        tables = self.report["tables"]
        if name is None:
            assert len(tables) == 1, [t["source"] for t in tables]
            return tables[0]
        found = [t for t in tables if t["source"] == name]
        assert len(found) == 1, f"{name} among {[t['source'] for t in tables]}"
        return found[0]

    def __str__(self):
        return f"pgparity {' '.join(self.arguments)}\n-- stdout\n{self.stdout[:6000]}\n-- stderr\n{self.stderr[:3000]}"


def popen(*arguments, env=None, **options):
    """Starts pgparity; its output goes to pipes. Names of databases are connection strings already."""
    return subprocess.Popen([PGPARITY, *map(str, arguments)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                            text=True, errors="surrogateescape", env=clean_environment(**(env or {})), **options)


def pgparity(*arguments, timeout=120, env=None, **options):
    """Runs pgparity to its end. No password may ever show up in what it prints."""
    process = popen(*arguments, env=env, **options)
    try:
        stdout, stderr = process.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        process.kill()
        stdout, stderr = process.communicate()
        raise AssertionError(f"pgparity {' '.join(map(str, arguments))} took more than {timeout} s\n{stdout[:3000]}\n{stderr[:3000]}")
    assert PASSWORD not in stdout + stderr, "a password was printed"
    return Run([str(a) for a in arguments], process.returncode, stdout, stderr)


def peak_memory_kib(*arguments):
    """Runs pgparity and gives (status, largest resident set in KiB). Output goes nowhere.

    The peak is read while it runs: the rusage of a child begins with what its parent held at the time of the fork.
    """
    process = subprocess.Popen([PGPARITY, *map(str, arguments)], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL, env=clean_environment())
    peak = 0
    while process.poll() is None:
        with open(f"/proc/{process.pid}/status") as status:
            peak = max([peak, *(int(line.split()[1]) for line in status if line.startswith("VmHWM"))])
        time.sleep(0.003)
    return process.returncode, peak


def findings(table):
    """A table's divergences as a set: (kind, key as sorted pairs, columns)."""
    return {(d["kind"], tuple(sorted((d.get("key") or {}).items())), tuple(d.get("columns", ()))) for d in table["divergences"]}


def mismatch(columns, **key):
    return ("mismatch", tuple(sorted(key.items())), tuple(columns if isinstance(columns, (list, tuple)) else [columns]))


def missing_on_target(**key):
    return ("missing_on_target", tuple(sorted(key.items())), ())


def missing_on_source(**key):
    return ("missing_on_source", tuple(sorted(key.items())), ())
