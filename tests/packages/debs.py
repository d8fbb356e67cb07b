"""The Debian packages that are tested: PARITY_PACKAGES is a folder in which scripts/packages has put them, PARITY_PACKAGES_NEXT one with those of
a higher version."""

import os
import re
import subprocess
from pathlib import Path

PACKAGES = Path(os.environ.get("PARITY_PACKAGES", "build/packages")).resolve()
NEXT = Path(os.environ.get("PARITY_PACKAGES_NEXT", "build/packages-next")).resolve()
# The PostgreSQL that the extension is for.
MAJOR = next((int(re.match(r"postgresql-(\d+)", file.name)[1]) for file in PACKAGES.glob("postgresql-*.deb")), 15)
EXTENSION = f"postgresql-{MAJOR}-pg-parity"
COMMAND, MODULE = "/usr/bin/pgparity", f"/usr/lib/postgresql/{MAJOR}/lib/pg_parity.so"
ALL = {EXTENSION, "pgparity", "pg-parity-doc"}


def field(name, package, repository=PACKAGES):
    [file] = repository.glob(f"{package}_*.deb")
    return subprocess.run(["dpkg-deb", "-f", file, name], capture_output=True, text=True, check=True).stdout.strip()


def contents(package):
    """The paths of its files."""
    [file] = PACKAGES.glob(f"{package}_*.deb")
    listing = subprocess.run(["dpkg-deb", "-c", file], capture_output=True, text=True, check=True).stdout
    return {line.split()[5].removeprefix(".") for line in listing.splitlines() if not line.startswith("d")}


def extract(package, directory):
    [file] = PACKAGES.glob(f"{package}_*.deb")
    subprocess.run(["dpkg-deb", "-x", file, directory], check=True)
