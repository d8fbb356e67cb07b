"""A step that fails, or that cannot do what it is for, gives a status that tells, and one line that says why."""

import os
import shutil
import stat
import subprocess
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parent.parent.parent
PG_CONFIG = os.environ.get("PG_CONFIG", "/usr/lib/postgresql/15/bin/pg_config")


def run(*command, cwd=TOP, **environment):
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "MAKE"))}
    return subprocess.run([*map(str, command)], cwd=cwd, env={**kept, **environment}, capture_output=True, text=True, stdin=subprocess.DEVNULL)


@pytest.fixture
def tree(tmp_path):
    """What make builds the extension's script from."""
    shutil.copytree(TOP / "extension/sql", tmp_path / "tree/extension/sql")
    for name in ("Makefile", "extension/pg_parity.control"):
        shutil.copy(TOP / name, tmp_path / "tree" / name)
    return tmp_path / "tree"


@pytest.fixture
def client_only(tmp_path):
    """A pg_config that stands where only libpq is: it names makefiles that are not there."""
    program = tmp_path / "pg_config"
    program.write_text("#!/bin/sh\nif [ \"$1\" = --version ]; then echo 'PostgreSQL 15.1'; else echo /nonexistent/pgxs.mk; fi\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return program


SCRIPT = "extension/pg_parity--1.0.sql"


def test_make_with_a_server(tree):
    """The twin of what fails below."""
    done = run("make", "-s", SCRIPT, f"PG_CONFIG={PG_CONFIG}", cwd=tree)
    assert (done.returncode, done.stderr) == (0, "")
    assert (tree / SCRIPT).exists()


@pytest.mark.parametrize("target", [[], [SCRIPT], ["install"], ["clean"], ["installcheck"]])
@pytest.mark.parametrize("which", ["/nonexistent", "client_only"])
def test_make_without_a_server(tree, client_only, which, target):
    pg_config = client_only if which == "client_only" else which
    done = run("make", *target, f"PG_CONFIG={pg_config}", cwd=tree)
    assert done.returncode == 2
    assert f'PG_CONFIG="{pg_config}" leads to no PostgreSQL with the files that an extension is built with' in done.stderr
    assert done.stdout == "" and not (tree / SCRIPT).exists()


@pytest.mark.parametrize("environment", [{"PG_MAJOR": "99"}, {"PG_CONFIG": "/nonexistent"}, {"PG_CONFIG": "client_only"}])
def test_build_without_a_server(tmp_path, client_only, environment):
    if environment.get("PG_CONFIG") == "client_only":
        environment = {"PG_CONFIG": str(client_only)}
    done = run(TOP / "scripts/build", BUILD_DIR=str(tmp_path / "build"), **environment)
    assert done.returncode == 1
    [line] = done.stderr.splitlines()
    assert line.startswith("build: PG_CONFIG=/") and "leads to no PostgreSQL" in line
    assert not (tmp_path / "build").exists()


@pytest.mark.parametrize("script, argument", [("lint", "--tdiy"), ("test", "--lnog"), ("test", "checks"), ("install-deps", "--benhc"), ("install-deps", "tests")])
def test_an_argument_that_is_none(tmp_path, script, argument):
    done = run(TOP / "scripts" / script, argument, BUILD_DIR=str(tmp_path))
    assert done.returncode != 0
    assert f'"{argument}"' in done.stderr


def test_check_symbols_without_a_module(tmp_path):
    assert run(TOP / "scripts/check-symbols", tmp_path / "none.so").returncode != 0
    (tmp_path / "text.so").write_text("no module\n")
    assert run(TOP / "scripts/check-symbols", tmp_path / "text.so").returncode != 0


def test_check_symbols(tmp_path):
    """The same path with a module that is clean, and one that throws."""
    for name, code, clean in [("clean", "extern \"C\" int f(int x) { return x; }", True), ("throws", "void f() { throw 1; }", False)]:
        (tmp_path / f"{name}.cpp").write_text(code + "\n")
        linked = ["-nodefaultlibs", "-lc"] if clean else []
        assert run("g++", "-shared", "-fPIC", "-o", tmp_path / f"{name}.so", tmp_path / f"{name}.cpp", *linked).returncode == 0
        assert (run(TOP / "scripts/check-symbols", tmp_path / f"{name}.so").returncode == 0) == clean


def test_check_commits_without_a_commit(tmp_path):
    assert run("git", "init", "-q", tmp_path).returncode == 0
    assert run(TOP / "scripts/check-commits", tmp_path).returncode != 0
