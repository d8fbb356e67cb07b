"""ALTER EXTENSION … UPDATE gives what CREATE EXTENSION of the newer version gives, and keeps what was recorded.

There is no later version yet. A next one is made here of the present one: a table with one column more, a function that is new and one that
is defined anew, with rights and comments. Real upgrade scripts of extension/versions are held to the same.
"""

import re
from pathlib import Path

import pytest

from support.extension_files import extension_files
from support.extension_objects import extension_objects

TOP = Path(__file__).resolve().parent.parent.parent
VERSIONS = TOP / "extension/versions"
PRESENT = re.search(r"^default_version = '(.*)'", (TOP / "extension/pg_parity.control").read_text(), re.MULTILINE)[1]
NEXT = f"{PRESENT}.next"

# The statements of an upgrade script, each of which is missing once.
STEPS = {
    "column": "ALTER TABLE parity.run ADD COLUMN next_note text;",
    "default": "ALTER TABLE parity.run ALTER COLUMN next_note SET DEFAULT 'none';",
    "column's comment": "COMMENT ON COLUMN parity.run.next_note IS 'what the next version notes';",
    "function": "CREATE FUNCTION parity.next_answer() RETURNS integer LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog AS 'SELECT 42';",
    "rights": "REVOKE ALL ON FUNCTION parity.last_digest() FROM PUBLIC;",
    "comment": "COMMENT ON FUNCTION parity.last_digest() IS 'another comment';",
    "view": "CREATE VIEW parity.next_view AS SELECT 1 AS one;",
    "right on the view": "GRANT SELECT ON parity.next_view TO parity_reader;",
    "label": "ALTER FUNCTION parity.last_digest() PARALLEL UNSAFE;",
    "dump": "CREATE TABLE parity.next_table (id integer PRIMARY KEY); SELECT pg_catalog.pg_extension_config_dump('parity.next_table', 'WHERE id > 0');",
}


def script_of_present():
    return "".join(part.read_text() for part in sorted((TOP / "extension/sql").glob("*.sql")))


def next_version(steps):
    """The files of a next version, whose upgrade script has these steps."""
    return {f"pg_parity--{NEXT}.sql": "\n".join([script_of_present(), *STEPS.values()]),
            f"pg_parity--{PRESENT}--{NEXT}.sql": "\n".join(STEPS[step] for step in steps)}


@pytest.fixture
def databases(source_cluster):
    """Two databases without the extension."""
    made = [source_cluster.create_database(extension=False) for _ in range(2)]
    yield made
    for database in made:
        source_cluster.drop_database(database)


def both_ways(databases, version):
    """The objects of a version: upgraded to, with what was recorded before, and created."""
    upgraded, fresh = databases
    upgraded.execute(f"CREATE EXTENSION pg_parity VERSION '{PRESENT}'")
    upgraded.execute("INSERT INTO parity.run (kind, source, target, tool) VALUES ('verify', 's', 't', 'x')")
    upgraded.execute(f"ALTER EXTENSION pg_parity UPDATE TO '{version}'")
    assert upgraded.query("SELECT kind, source FROM parity.run") == [("verify", "s")]
    fresh.execute(f"CREATE EXTENSION pg_parity VERSION '{version}'")
    return extension_objects(upgraded, "pg_parity"), extension_objects(fresh, "pg_parity")


def test_the_next_version(databases, source_cluster):
    with extension_files(source_cluster.installation, next_version(STEPS)):
        upgraded, fresh = both_ways(databases, NEXT)
    assert upgraded == fresh
    # Not for want of looking: the listing has all of the extension, and what is new.
    assert len(fresh) > 200 and "view parity.next_view" in fresh
    assert databases[0].query("SELECT parity.next_answer()") == [(42,)]


@pytest.mark.parametrize("missing", [step for step in STEPS if step not in ("column", "view")])
def test_a_step_is_missing(databases, source_cluster, missing):
    """The twin: an upgrade script that lacks one step gives other objects."""
    with extension_files(source_cluster.installation, next_version([step for step in STEPS if step != missing])):
        upgraded, fresh = both_ways(databases, NEXT)
    assert upgraded != fresh


def released():
    return sorted(path.stem.split("--")[1] for path in VERSIONS.glob("pg_parity--*.sql") if path.stem.count("--") == 1)


def test_released_versions(databases, source_cluster):
    """From each version that was released, the present one is reached, and is the same as a fresh one."""
    for version in [version for version in released() if version != PRESENT]:
        upgraded, fresh = databases
        upgraded.execute(f"CREATE EXTENSION pg_parity VERSION '{version}'; ALTER EXTENSION pg_parity UPDATE TO '{PRESENT}'")
        fresh.execute("CREATE EXTENSION pg_parity")
        assert extension_objects(upgraded, "pg_parity") == extension_objects(fresh, "pg_parity"), version
        for database in databases:
            database.execute("DROP EXTENSION pg_parity; DROP SCHEMA parity")
