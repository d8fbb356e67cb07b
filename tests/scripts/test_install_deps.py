"""scripts/install-deps installs what its sets say, and does nothing to what a database host has."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(TOP / "tests"))

from support.pgparity import PGPARITY  # noqa: E402

SCRIPT = TOP / "scripts/install-deps"

# No package is installed. apt-get tells each call in a file, and for a simulation what $PLAN says.
STAND_INS = {
    "dpkg-query": "exit 1",
    "apt-get": 'echo "$NEEDRESTART_SUSPEND $*" >>"$CALLS"; case " $* " in *" --simulate "*) printf "%s\\n" "$PLAN" ;; esac',
    "sudo": '"$@"',
}


def listed(*sets, **environment):
    done = subprocess.run([SCRIPT, "--list", *sets], env={**os.environ, **environment}, capture_output=True, text=True, check=True)
    return done.stdout.split()


def is_service(package):
    return re.fullmatch(r"pgbouncer|postgresql-\d+(-cron|-pgaudit)?", package) is not None


@pytest.fixture
def install(tmp_path):
    """Runs the script beside the stand-ins; gives its status, its messages and the calls of apt-get."""
    for name, code in STAND_INS.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{code}\n")
        (tmp_path / name).chmod(0o755)

    def run(*sets, plan):
        calls = tmp_path / "calls"
        environment = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}", "CALLS": str(calls), "PLAN": plan, "CI": "true"}
        done = subprocess.run([SCRIPT, *sets], env=environment, capture_output=True, text=True, stdin=subprocess.DEVNULL)
        return done.returncode, done.stderr, calls.read_text().splitlines()
    return run


def test_only_tests_install_services():
    for name in ("run", "build", "bench"):
        assert listed(name) and not any(map(is_service, listed(name))), name
    assert any(map(is_service, listed("test")))
    assert set(listed("build")) < set(listed("test")) < set(listed("--long"))
    assert listed() == listed("build")
    assert set(listed("run", "bench")) == set(listed("run")) | set(listed("bench"))


def test_a_server_of_ones_own_is_built_for():
    """Debian's files to build for a server are wanted where PG_CONFIG leads to none."""
    assert "postgresql-server-dev-99" in listed("build", PG_MAJOR="99", PG_CONFIG="/nonexistent")
    assert not [package for package in listed("build") if package.startswith("postgresql")]


def test_run_has_what_the_command_loads():
    loaded = re.findall(r"=> (/\S+)", subprocess.run(["ldd", PGPARITY], capture_output=True, text=True, check=True).stdout)
    # What is linked, and not what the libraries need themselves: their packages know that.
    needed = re.findall(r"NEEDED.*\[(.*)\]", subprocess.run(["readelf", "-d", PGPARITY], capture_output=True, text=True, check=True).stdout)
    owners = set()
    for path in (path for path in loaded if Path(path).name in needed):
        # Packages may know a file by its path before /lib became a link.
        found = subprocess.run(["dpkg", "-S", "*" + os.path.realpath(path).removeprefix("/usr")], capture_output=True, text=True, check=True).stdout
        owners.add(found.split(":")[0])
    assert owners - {"libc6", "libgcc-s1"} == set(listed("run"))


@pytest.mark.parametrize("name", ["run", "build", "bench"])
def test_what_is_new_is_installed(install, name):
    status, said, calls = install(name, plan="Inst libnew (1.0 Debian:12 [amd64])\nConf libnew (1.0 Debian:12 [amd64])")
    assert status == 0 and "nothing was installed" not in said
    assert [("update" in call, "--simulate" in call) for call in calls] == [(True, False), (False, True), (False, False)]
    assert calls[-1].endswith(" ".join(["install", *listed(name)])) and calls[-1].startswith("1 ")


@pytest.mark.parametrize("name", ["run", "build", "bench"])
@pytest.mark.parametrize("change", ["Inst libpq5 [15.1] (15.2 Debian:12 [amd64])", "Inst postgresql-15 [15.1] (15.2 Debian:12 [amd64]) []", "Remv libpq5 [15.1]"])
def test_nothing_is_upgraded_or_removed(install, name, change):
    status, said, calls = install(name, plan=f"Inst libnew (1.0 Debian:12 [amd64])\n{change}")
    assert status == 3
    assert f"nothing was installed, because this would upgrade or remove: {change.split()[1]}\n" in said
    assert not any("install" in call and "--simulate" not in call for call in calls)
