"""The Debian packages on a bare host: installed with apt alone, a first comparison, an upgrade, and what a purge leaves.

The packages are those of `scripts/packages --next` (debs.py). Needs root, and the network.
"""

import re
import subprocess
import time
from pathlib import Path

import pytest

from debs import ALL, EXTENSION, MAJOR, NEXT, PACKAGES, field
from host import Host

SOURCE, TARGET = "dbname=source", "dbname=target"
LIMIT = 120  # seconds from a bare host to the first comparison


def repository_line(directory):
    return f"deb [trusted=yes] file:{directory} ./\n"


def compare(host, *words):
    """Debian gives a server the next port where another one has 5432: a test beside this one has its own on such a host."""
    return host.run("pgparity", "compare", "--no-progress", "--source", SOURCE, "--target", TARGET, *words, user="postgres", check=False, PGPORT=host.sql("SHOW port"))


def server(host):
    """What changes when the server is started anew or replaced."""
    return host.sql("SELECT pg_postmaster_start_time()"), host.out("dpkg-query", "-W", f"postgresql-{MAJOR}", "postgresql-common", "libpq5")


def services(host):
    return host.out("find", "/etc/systemd/system", "/etc/rc2.d")


# --- what they do on a host -----------------------------------------------------

@pytest.fixture(scope="module")
def host():
    with Host(folders=[PACKAGES, NEXT]) as made:
        yield made


def test_the_command_brings_no_server(host):
    host.write("/etc/apt/sources.list.d/pg-parity.list", repository_line(PACKAGES))
    began = time.monotonic()
    host.apt("update")
    host.seconds = time.monotonic() - began
    planned = re.findall(r"^Inst (\S+)", host.out("apt-get", "-s", "install", "pgparity"), re.MULTILINE)
    assert "pgparity" in planned and not [package for package in planned if package.startswith("postgresql")]


def test_from_a_bare_host_to_the_first_comparison(host, record_property):
    """As README says, in order; each test below goes on with this host."""
    began = time.monotonic()
    host.apt("install", EXTENSION, "pgparity")
    host.run("pg_ctlcluster", MAJOR, "main", "start", check=False)  # a host with systemd has started it
    for name in ("source", "target"):
        host.sql(f"CREATE DATABASE {name}")
        host.sql("CREATE EXTENSION pg_parity", name)
        host.sql("CREATE TABLE item (id int PRIMARY KEY, name text, price numeric); INSERT INTO item SELECT i, 'item ' || i, i * 0.25 FROM generate_series(1, 10000) i", name)
    first = compare(host)
    seconds = host.seconds + time.monotonic() - began
    record_property("seconds_to_first_comparison", round(seconds, 1))
    print(f"from a bare host to the first comparison: {seconds:.1f} s")
    assert (first.returncode, first.stderr) == (0, "")
    assert "public.item: identical, 10,000 rows" in first.stdout
    assert seconds < LIMIT


def test_a_planted_difference(host):
    host.sql("UPDATE item SET price = price + 1 WHERE id = 4711", "target")
    found = compare(host)
    assert found.returncode == 1
    assert "(id)=(4711)  price: 1177.75 | 1178.75" in found.stdout
    assert compare(host, "--engine", "extension").returncode == 1
    host.sql("UPDATE item SET price = price - 1 WHERE id = 4711", "target")
    assert compare(host).returncode == 0


def test_the_extension_is_what_reads(host):
    """And not the stream, which needs no extension."""
    assert compare(host, "--engine", "extension").returncode == 0


def test_completion_and_the_page_for_man(host):
    completed = host.out("bash", "-c", ". /usr/share/bash-completion/completions/pgparity && complete -p pgparity")
    assert completed.endswith(" pgparity")
    assert "compare" in host.out("sh", "-c", "zcat /usr/share/man/man1/pgparity.1.gz")


def test_an_upgrade_restarts_no_server(host):
    before, enabled = server(host), services(host)
    host.write("/etc/apt/sources.list.d/pg-parity.list", repository_line(NEXT))
    host.apt("update")
    host.apt("dist-upgrade")
    for package in (EXTENSION, "pgparity"):
        version = host.out("dpkg-query", "-W", "-f", "${Version}", package)
        assert version == field("Version", package, NEXT) != field("Version", package)
    assert (server(host), services(host)) == (before, enabled)
    assert compare(host).returncode == 0
    host.sql("DELETE FROM item WHERE id = 1", "target")
    assert compare(host).returncode == 1


def test_a_purge_leaves_nothing(host):
    host.apt("install", "pg-parity-doc")
    before, enabled = server(host), services(host)
    for name in ("source", "target"):
        host.sql("DROP EXTENSION pg_parity; DROP SCHEMA parity", name)
    host.sql("DROP ROLE parity_reader, parity_operator")
    assert len(left(host)) > 10
    host.apt("purge", *ALL)
    assert left(host) == []
    assert (server(host), services(host)) == (before, enabled)
    assert host.out("dpkg", "--audit") == ""


def left(host):
    """What has the packages' names, besides what apt keeps of repositories."""
    found = host.out("find", "/", "-xdev", "-iname", "*parity*", "-not", "-path", "/var/lib/apt/lists/*", "-not", "-path", "/var/cache/apt/*",
                     "-not", "-path", "/etc/apt/sources.list.d/*", "-not", "-path", "/etc/parity-recipe", "-not", "-path", f"{PACKAGES}*", "-not", "-path", f"{NEXT}*")
    listed = host.out("sh", "-c", "dpkg-query -W -f '${db:Status-Status} ${Package}\\n' | grep parity || true")
    return [line for line in (found + "\n" + listed).splitlines() if line]


# --- scripts/install-deps on a host with a server ----------------------------------

SCRIPTS = Path(__file__).resolve().parent.parent.parent / "scripts"


def fake(directory, name, depends=""):
    """A package of a very high version."""
    root = directory / name
    (root / "DEBIAN").mkdir(parents=True)
    (root / "DEBIAN/control").write_text(f"Package: {name}\nVersion: 99:1\nArchitecture: amd64\nMaintainer: t <t@example.org>\nDescription: t\n{depends}")
    subprocess.run(["dpkg-deb", "-b", root, directory / f"{name}_99_amd64.deb"], check=True, capture_output=True)


def test_install_deps_leaves_a_server_alone(host, tmp_path):
    """Of the sets, what is built elsewhere gets its libraries; a newer libpq5, which would replace the server's, is no reason to upgrade it; and
    the set for tests is refused, as there is a cluster."""
    before, enabled = server(host), services(host)
    configured = host.out("cat", "/etc/postgresql-common/createcluster.conf")
    for name in ("install-deps", "settings"):
        host.write(f"/scripts/{name}", (SCRIPTS / name).read_text())
    assert host.run("bash", "/scripts/install-deps", "run").returncode == 0
    assert host.run("dpkg-query", "-W", "libfmt9", "libtomlplusplus3", check=False).returncode == 0

    refused = host.run("bash", "/scripts/install-deps", "test", check=False)
    assert refused.returncode == 3 and f"this machine has database clusters: /etc/postgresql/{MAJOR}/main" in refused.stderr

    fake(tmp_path, "libpq5")
    fake(tmp_path, "libpq-dev", "Depends: libpq5 (= 99:1)\n")
    for file in tmp_path.glob("*.deb"):
        subprocess.run(["nsenter", f"--target={host.pid}", "--mount", "sh", "-c", f"mkdir -p '{host.directory}/root/newer' && cat >'{host.directory}/root/newer/{file.name}'"],
                       stdin=file.open("rb"), check=True)
    host.write("/newer/Packages", subprocess.run(["dpkg-scanpackages", "."], cwd=tmp_path, capture_output=True, text=True, check=True).stdout)
    host.write("/etc/apt/sources.list.d/newer.list", repository_line("/newer"))
    refused = host.run("bash", "/scripts/install-deps", "build", check=False)
    assert refused.returncode == 3
    assert re.search(r"nothing was installed, because this would upgrade or remove: .*\blibpq5\b", refused.stderr)
    assert host.run("dpkg-query", "-W", "cmake", check=False).returncode != 0
    assert (server(host), services(host)) == (before, enabled)
    assert host.out("cat", "/etc/postgresql-common/createcluster.conf") == configured
