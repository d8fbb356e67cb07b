"""The portable command: what it needs of a host, and that connections work there as with the shared libpq.

PARITY_PORTABLE is the folder of the archive that `scripts/portable` made. Needs root, and the network the first time.
"""

import os
import re
import subprocess
from pathlib import Path

import pytest

from host import Host

DIRECTORY = Path(os.environ.get("PARITY_PORTABLE", "build/portable"))
LARGEST = 15_000_000
NEWEST_GLIBC = (2, 36)  # that of Debian 12, where it is built


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    directory = tmp_path_factory.mktemp("portable")
    [archive] = DIRECTORY.glob("pgparity-*-linux-*.tar.xz")
    subprocess.run(["tar", "-x", "-f", archive, "-C", directory], check=True)
    [made] = directory.iterdir()
    return made


@pytest.fixture(scope="session")
def glibc(folder):
    """The newest version of glibc whose symbols it wants."""
    said = subprocess.run(["readelf", "--wide", "--version-info", folder / "pgparity"], capture_output=True, text=True, check=True).stdout
    return max(tuple(map(int, version.split("."))) for version in re.findall(r"GLIBC_(\d[\d.]*)", said))


def test_it_needs_glibc_alone(folder):
    loaded = subprocess.run(["ldd", folder / "pgparity"], capture_output=True, text=True, check=True).stdout
    assert {re.match(r"\s*(\S+)", line)[1].split("/")[-1] for line in loaded.splitlines()} <= {"linux-vdso.so.1", "libc.so.6", "libm.so.6", "ld-linux-x86-64.so.2"}
    assert (folder / "pgparity").stat().st_size <= LARGEST


def test_the_glibc_that_it_needs(glibc, record_property):
    record_property("glibc", ".".join(map(str, glibc)))
    print(f"glibc {glibc}")
    assert glibc <= NEWEST_GLIBC


def test_what_comes_with_it(folder):
    assert {path.name for path in folder.iterdir()} == {"pgparity", "pgparity.1", "pgparity.bash", "_pgparity", "LICENSE", "LICENSES-of-libraries"}
    licences = (folder / "LICENSES-of-libraries").read_text()
    for library in ("libpq", "prometheus-cpp", "libssl-dev", "libfmt-dev", "libspdlog-dev", "libsqlite3-dev", "libsqlitecpp-dev", "libtomlplusplus-dev", "libcli11-dev", "nlohmann-json3-dev"):
        assert f"=== {library}\n" in licences


GLIBC_OF = {"bookworm": (2, 36), "trixie": (2, 41), "bullseye": (2, 31)}


@pytest.mark.parametrize("suite", GLIBC_OF)
def test_other_roots(folder, glibc, suite):
    """In a bare root of another Debian: it runs where glibc is new enough, and does not begin where it is not."""
    with Host(suite) as host:
        install(host, folder)
        done = host.run("pgparity", "--version", check=False)
        if glibc <= GLIBC_OF[suite]:
            assert (done.returncode, done.stderr) == (0, "") and done.stdout.startswith("pgparity 1.0 ")
            # It speaks to a server, or says that it cannot.
            refused = host.run("pgparity", "compare", "--source", "host=127.0.0.1 port=1 dbname=a", "--target", "host=127.0.0.1 port=1 dbname=b", check=False)
            assert refused.returncode == 2 and "Connection refused" in refused.stderr
        else:
            assert done.returncode == 1 and "GLIBC_" in done.stderr


def install(host, folder):
    """As README says: the file is copied."""
    with (folder / "pgparity").open("rb") as file:
        subprocess.run(["nsenter", f"--target={host.pid}", "--mount", "sh", "-c",
                        f"cat >'{host.directory}/root/usr/local/bin/pgparity' && chmod 755 '{host.directory}/root/usr/local/bin/pgparity'"], stdin=file, check=True)


# --- connections ---------------------------------------------------------------

CERTIFICATE = "/etc/ssl/certs/ssl-cert-snakeoil.pem"


@pytest.fixture(scope="module")
def server(folder):
    """A host with Debian's own server, which asks for passwords by SCRAM over TCP and has TLS, and with two databases of a role."""
    with Host() as host:
        host.apt("update")
        host.apt("install", "--no-install-recommends", "postgresql")
        install(host, folder)
        [(version, cluster)] = [line.split()[:2] for line in host.out("pg_lsclusters", "-h").splitlines()]
        host.run("pg_ctlcluster", version, cluster, "start", check=False)
        host.port = host.sql("SHOW port")
        assert host.sql("SHOW ssl") == "on" and host.sql("SHOW password_encryption") == "scram-sha-256"
        host.sql("CREATE ROLE reader LOGIN PASSWORD 'a secret'")
        for name in ("one", "two"):
            host.sql(f"CREATE DATABASE {name}")
            host.sql("CREATE TABLE item (id int PRIMARY KEY, name text); INSERT INTO item SELECT i, 'item ' || i FROM generate_series(1, 1000) i; GRANT SELECT ON item TO reader", name)
        yield host


def compare(host, source, target, **environment):
    return host.run("pgparity", "compare", "--no-progress", "--source", source, "--target", target, check=False, **environment)


def both(host, text):
    return [f"host=localhost port={host.port} user=reader {text} dbname={name}" for name in ("one", "two")]


def test_scram_and_tls(server):
    for text in ("sslmode=require", "sslmode=verify-ca sslrootcert=" + CERTIFICATE, "sslmode=disable", "sslmode=require channel_binding=require"):
        assert compare(server, *both(server, text), PGPASSWORD="a secret").returncode == 0, text
    # The sessions are encrypted indeed, and asked for a password.
    wrong = compare(server, *both(server, "sslmode=require"), PGPASSWORD="another")
    assert wrong.returncode == 2 and "password authentication failed" in wrong.stderr
    none = compare(server, *both(server, "sslmode=require"))
    assert none.returncode == 2 and "no password supplied" in none.stderr


def test_tls_that_does_not_verify(server):
    missing = compare(server, *both(server, "sslmode=verify-ca sslrootcert=/nonexistent"), PGPASSWORD="a secret")
    assert missing.returncode == 2 and "root certificate file" in missing.stderr
    other = compare(server, *both(server, f"sslmode=verify-full hostaddr=127.0.0.1 sslrootcert={CERTIFICATE}"), PGPASSWORD="a secret")
    assert other.returncode == 2 and "does not match host name" in other.stderr


def test_a_planted_difference(server):
    server.sql("UPDATE item SET name = 'another' WHERE id = 7", "two")
    done = compare(server, *both(server, "sslmode=require"), PGPASSWORD="a secret")
    assert done.returncode == 1 and "(id)=(7)  name: 'item 7' | 'another'" in done.stdout
    server.sql("UPDATE item SET name = 'item 7' WHERE id = 7", "two")


def test_files_of_passwords_and_services(server):
    server.write("/root/.pgpass", f"localhost:{server.port}:one:reader:a secret\nlocalhost:{server.port}:two:reader:another\n")
    server.run("chmod", "600", "/root/.pgpass")
    assert compare(server, *both(server, "")).returncode == 2
    server.write("/root/.pgpass", f"localhost:{server.port}:*:reader:a secret\n")
    assert compare(server, *both(server, "")).returncode == 0
    services = "".join(f"[{name}]\nhost=localhost\nport={server.port}\nuser=reader\ndbname={name}\n" for name in ("one", "two"))
    server.write("/root/.pg_service.conf", services)
    assert compare(server, "service=one", "service=two").returncode == 0
    unknown = compare(server, "service=one", "service=three")
    assert unknown.returncode == 2 and 'definition of service "three" not found' in unknown.stderr
    # A whole machine's, where Debian's libpq looks for it.
    server.run("rm", "/root/.pg_service.conf")
    server.write("/etc/postgresql-common/pg_service.conf", services)
    assert compare(server, "service=one", "service=two").returncode == 0


def test_the_socket_of_debian(server):
    """Without a host, it looks where Debian's servers listen."""
    server.run("cp", "/usr/local/bin/pgparity", "/tmp/pgparity")
    done = server.run("/tmp/pgparity", "compare", "--no-progress", f"port={server.port} dbname=one", f"port={server.port} dbname=two", user="postgres", check=False)
    assert done.returncode == 0, done.stderr


def test_what_is_left_out_is_said(server):
    """GSSAPI is not in this libpq: asked for by name, it is refused and not passed over."""
    done = compare(server, *both(server, "gssencmode=require"), PGPASSWORD="a secret")
    assert done.returncode == 2 and "GSSAPI support is not compiled in" in done.stderr
