"""Where a PostgreSQL is installed: on this machine, or in a folder that holds another Debian (scripts/provision-major)."""

import functools
import os
import re
import subprocess
from dataclasses import dataclass

PG_CONFIG = os.environ.get("PG_CONFIG", "/usr/lib/postgresql/15/bin/pg_config")
MAJORS_DIR = os.environ.get("PARITY_MAJORS_DIR", "/var/cache/pg_parity/majors")


@dataclass(frozen=True)
class Installation:
    """`root` is the folder, empty for the machine itself. `pg_config` is a path as programs inside the folder see it."""
    pg_config: str = PG_CONFIG
    root: str = ""

    @classmethod
    def of_major(cls, major):
        """This machine's where it is of that major version, else the provisioned folder's. None stands for this machine's."""
        if major is None or int(major) == cls().major:
            return cls()
        root = os.path.join(MAJORS_DIR, str(major))
        if not os.path.isdir(root):
            raise RuntimeError(f"no PostgreSQL {major} in {root}: run scripts/provision-major {major}")
        return cls(f"/usr/lib/postgresql/{major}/bin/pg_config", root)

    @functools.cached_property
    def major(self):
        return int(re.search(r"\d+", self._ask("--version")).group())

    @functools.cached_property
    def bindir(self):
        return self._ask("--bindir")

    @functools.cached_property
    def sharedir(self):
        return self._ask("--sharedir")

    def _ask(self, option):
        return subprocess.run(self.command(self.pg_config, option), check=True, capture_output=True, text=True).stdout.strip()

    def binary(self, name):
        """The path of one of its programs, as `command` takes it."""
        return os.path.join(self.bindir, name)

    def inside(self, path):
        """A path of this machine as programs inside the folder see it."""
        assert path.startswith(self.root)
        return path[len(self.root):]

    def command(self, *words, as_owner=False):
        """The words of a command that runs there; as the owner of its clusters if asked, as PostgreSQL refuses root."""
        if self.root:
            return ["chroot", *(["--userspec=postgres:postgres"] if as_owner else []), self.root, *words]
        return [*(["runuser", "-u", "postgres", "--"] if as_owner and os.geteuid() == 0 else []), *words]

    def owner(self):
        """User and group of its clusters."""
        home = os.stat(f"{self.root}/var/lib/postgresql")
        return home.st_uid, home.st_gid
