"""Builds and installs standin/, a module that shows another table's rows under a table's name."""

import fcntl
import functools
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

SOURCE = Path(__file__).resolve().parent / "standin"
WAYS = ["planner", "analysis", "path", "copy"]


@functools.cache
def install_standin(installation):
    """Once a process; several processes wait for each other. Raises with the compiler's output where it cannot be built."""
    with open(Path(tempfile.gettempdir()) / f"parity-standin-{os.geteuid()}.lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        folder = tempfile.mkdtemp(prefix="standin-", dir=f"{installation.root}/tmp")
        try:
            shutil.copytree(SOURCE, folder, dirs_exist_ok=True)
            words = ["make", "-s", "-C", installation.inside(folder), f"PG_CONFIG={installation.pg_config}", "all", "install"]
            done = subprocess.run(installation.command(*words), capture_output=True, text=True, check=False)
            assert done.returncode == 0, f"{done.stdout}{done.stderr}"
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def show_elsewhere(database, shell, store, way="planner", *, under_only=True, **more):
    """From now on, sessions of the database see the rows of `store` in the place of those of `shell`, or what else the way of standin.c says.
    `more` are its other settings."""
    install_standin(database.cluster.installation)
    settings = {"session_preload_libraries": "standin", "standin.shell": shell, "standin.store": store, "standin.way": way,
                "standin.under_only": "on" if under_only else "off",
                **{f"standin.{name}": value for name, value in more.items()}}
    for name, value in settings.items():
        quoted = value.replace("'", "''")
        database.execute(f"ALTER DATABASE {database.name} SET {name} = '{quoted}'")
    database.close()
