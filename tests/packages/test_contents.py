"""What the Debian packages are: their names, files and dependencies."""

import re
import subprocess

import pytest

from debs import ALL, COMMAND, EXTENSION, MAJOR, MODULE, PACKAGES, contents, extract, field



def families(field):
    """The packages of a list of dependencies, without the numbers of libraries' versions."""
    names = [re.match(r"\S+", part)[0] for part in field.split(", ")]
    return {re.sub(r"[\d.]+(t64)?(-fmt\d+)?$", "", name) if name.startswith("lib") else name for name in names}


def test_three_packages():
    assert {re.match("[^_]*", file.name)[0] for file in PACKAGES.glob("*.deb")} == ALL
    assert {field("Package", package) for package in ALL} == ALL


def test_they_depend_on_what_runs_them():
    assert families(field("Depends", "pgparity")) == {"libc", "libfmt", "libgcc-s", "libpq", "libprometheus-cpp-core", "libspdlog", "libsqlite3-", "libstdc++", "libtomlplusplus"}
    assert families(field("Depends", EXTENSION)) == {f"postgresql-{MAJOR}", "libc"}
    assert field("Depends", "pg-parity-doc") == ""
    for package in ALL:
        assert not field("Pre-Depends", package) and not field("Recommends", package)


def test_what_they_have():
    assert {COMMAND, "/usr/share/man/man1/pgparity.1.gz", "/usr/share/bash-completion/completions/pgparity",
            "/usr/share/zsh/vendor-completions/_pgparity"} <= contents("pgparity")
    share = f"/usr/share/postgresql/{MAJOR}/extension"
    assert {MODULE, f"{share}/pg_parity.control", f"{share}/pg_parity--1.0.sql"} <= contents(EXTENSION)
    assert "/usr/share/doc/pg-parity-doc/docs/cli.md" in contents("pg-parity-doc")
    assert {"/usr/share/doc/pg-parity-doc/examples/pgparity.rules.yml", "/usr/share/doc/pg-parity-doc/examples/pgparity.rules.test.yml"} <= contents("pg-parity-doc")
    for package in ALL:
        assert not [path for path in contents(package) if path.startswith("/etc/") or path.endswith((".service", ".bc"))]


@pytest.mark.parametrize("package, path", [("pgparity", COMMAND), (EXTENSION, MODULE)])
def test_they_are_stripped(tmp_path, package, path):
    extract(package, tmp_path)
    sections = subprocess.run(["readelf", "--wide", "--section-headers", f"{tmp_path}{path}"], capture_output=True, text=True, check=True).stdout
    assert ".dynsym" in sections and ".symtab" not in sections and ".debug_info" not in sections
