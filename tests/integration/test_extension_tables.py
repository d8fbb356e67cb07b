"""Rows of users in tables of extensions: those that pg_dump carries."""

import pytest

from support.cluster import Cluster
from support.extension_files import extension
from support.pgparity import DIVERGENT, IDENTICAL, INCOMPLETE, mismatch, missing_on_source, findings
from test_owners_code import OWNER, expect_no_trace, make

pytestmark = [pytest.mark.every_engine, pytest.mark.matrix(sample=1)]

OWN = "parity_test_config"
# A table with rows of the extension's own and of users, one of users only, one with a name that wants quotes, and one that nobody dumps.
SCRIPT = """
CREATE TABLE setting (id int PRIMARY KEY, value text, custom boolean NOT NULL DEFAULT true);
INSERT INTO setting VALUES (1, 'of the extension', false);
CREATE TABLE job (id int PRIMARY KEY, command text);
CREATE TABLE "Odd ""name" (id int PRIMARY KEY, "Own col" int);
CREATE TABLE plain (id int PRIMARY KEY);
SELECT pg_catalog.pg_extension_config_dump('setting', 'WHERE custom');
SELECT pg_catalog.pg_extension_config_dump('job', '');
SELECT pg_catalog.pg_extension_config_dump('"Odd ""name"', 'where "Own col" BETWEEN 10 AND (20) AND NOT ("Odd ""name"."Own col" IN (11, 12))');
"""
# As PostGIS has it: its own reference systems are not the users'.
POSTGIS = """
CREATE TABLE spatial_ref_sys (srid integer NOT NULL PRIMARY KEY CHECK (srid > 0 AND srid <= 998999), auth_name varchar(256), auth_srid integer,
                              srtext varchar(2048), proj4text varchar(2048));
INSERT INTO spatial_ref_sys VALUES (4326, 'EPSG', 4326, 'of the extension', '+proj=longlat');
SELECT pg_catalog.pg_extension_config_dump('spatial_ref_sys', 'WHERE NOT (\nsrid BETWEEN 2000 AND 2217\nOR srid = 4326\nOR srid IN (4327, 4328))');
"""
# As pg_partman has it, in the schema that was asked for.
PARTMAN = """
CREATE TABLE part_config (parent_table text PRIMARY KEY, control text);
CREATE TABLE part_config_sub (sub_parent text PRIMARY KEY);
SELECT pg_catalog.pg_extension_config_dump('part_config', '{0}');
SELECT pg_catalog.pg_extension_config_dump('part_config_sub', '');
"""


def create(pair, name, script, source=True, target=True, schema=None):
    """The extension on the sides that are to have it; its files are there only meanwhile."""
    for side, wanted in ((pair.source, source), (pair.target, target)):
        if not wanted:
            continue
        with extension(side.cluster.installation, name, script if isinstance(script, str) else script[side is pair.target]) as statement:
            where = (schema if isinstance(schema, dict) else {"source": schema, "target": schema})["source" if side is pair.source else "target"]
            side.execute(f"CREATE SCHEMA IF NOT EXISTS {where}; {statement} SCHEMA {where}" if where else statement)


@pytest.fixture
def own(pair):
    pair.both("CREATE TABLE t (id int PRIMARY KEY)")
    create(pair, OWN, SCRIPT)
    return pair


def plant_in_t(pair):
    """One difference in the ordinary table."""
    pair.target.execute("INSERT INTO t VALUES (7)")


def finds_in_t(run):
    return findings(run.expect(DIVERGENT).table("public.t")) == {missing_on_source(id="7")}


def skipped(run, table):
    return run.table(table)["skipped"]


# ---- tables whose rows are counted ---------------------------------------------------------------------------------


def test_rows_that_the_extension_brings_are_not_said(own):
    run = own.compare().expect(IDENTICAL)
    assert not [line for line in run.report["not_compared"] if "row" in line] and len(run.report["tables"]) == 1
    plant_in_t(own)
    run = own.compare().expect(DIVERGENT)
    assert not [line for line in run.report["not_compared"] if "row" in line] and findings(run.table()) == {missing_on_source(id="7")}


def test_rows_of_users_are_said_and_not_compared(own):
    own.both("INSERT INTO job VALUES (1, 'a'), (2, 'b'), (3, 'c'); INSERT INTO setting VALUES (2, 'of a user')")
    run = own.compare().expect(IDENTICAL)
    assert "3 rows of public.job (--table public.job compares them)" in run.report["not_compared"]
    assert "1 row of public.setting (--table public.setting compares them)" in run.report["not_compared"]
    assert "  3 rows of public.job (--table public.job compares them)\n" in own.run().expect(IDENTICAL).stdout
    own.target.execute("UPDATE job SET command = 'B' WHERE id = 2")
    own.compare().expect(IDENTICAL)  # as it says, they are not compared
    run = own.compare("--table", "public.job").expect(DIVERGENT)
    assert findings(run.table()) == {mismatch("command", id="2")}


def test_counts_that_differ_make_the_run_incomplete(own):
    own.source.execute("INSERT INTO job VALUES (1, 'a'), (2, 'b')")
    own.target.execute("INSERT INTO job VALUES (1, 'a'); UPDATE setting SET value = 'other' WHERE NOT custom")
    run = own.compare().expect(INCOMPLETE)
    assert skipped(run, "public.job") == ["2 rows of users on source, 1 row of users on target; --table public.job compares them"]
    assert "public.job: not compared: 2 rows of users on source" in own.run().expect(INCOMPLETE).stdout
    own.compare("--exclude-table", "job").expect(IDENTICAL)
    own.target.execute("INSERT INTO t VALUES (1)")
    assert own.compare().expect(DIVERGENT).report["incomplete"]
    own.compare("--exclude-table", "job").expect(DIVERGENT)


def test_conditions_and_names_with_quotes(own):
    table = '"Odd ""name"'
    own.both(f"INSERT INTO {table} VALUES (1, 9), (2, 10), (3, 11), (4, 20), (5, 21)")
    run = own.compare().expect(IDENTICAL)
    assert f"2 rows of public.{table} (--table public.{table} compares them)" in run.report["not_compared"]
    own.target.execute(f"INSERT INTO {table} VALUES (6, 15)")
    own.compare().expect(INCOMPLETE)
    own.compare("--table", f"public.{table}").expect(DIVERGENT)


def test_runs_that_name_tables_look_at_no_others(own):
    own.source.execute("INSERT INTO job VALUES (1, 'a')")
    for options in (["--table", "t"], ["--where", "true"]):
        own.compare(*options).expect(IDENTICAL)
    own.compare("--schema", "public").expect(INCOMPLETE)
    own.both("CREATE SCHEMA other; CREATE TABLE other.t (id int PRIMARY KEY)")
    own.compare("--schema", "other").expect(IDENTICAL)
    plant_in_t(own)
    for options in (["--table", "t"], ["--where", "true"]):
        assert finds_in_t(own.compare(*options))
    own.compare("--schema", "other").expect(IDENTICAL)
    own.target.execute("INSERT INTO other.t VALUES (7)")
    assert findings(own.compare("--schema", "other").expect(DIVERGENT).table()) == {missing_on_source(id="7")}


def test_no_code_of_an_owner_runs_for_rows_of_users(pair):
    """Conditions and counts are planned with the rights of who compares."""
    create(pair, "pg_partman", PARTMAN.format("WHERE control <> ''shipped''"), schema="partman")
    create(pair, OWN, SCRIPT)
    pair.both("INSERT INTO partman.part_config VALUES ('a', 'b'); INSERT INTO job VALUES (1, 'a')")
    make(pair, OWNER + "RESET ROLE; GRANT ALL ON SCHEMA public, partman TO mallory; ALTER TABLE partman.part_config OWNER TO mallory; ALTER TABLE job OWNER TO mallory;"
         "SET ROLE mallory; CREATE INDEX ON partman.part_config ((pub.evil(1) + length(control))); CREATE INDEX ON job ((pub.evil(2) + id))")
    run = pair.compare().expect(INCOMPLETE)
    expect_no_trace(pair)
    assert "function pub.evil" in skipped(run, "partman.part_config")[0]
    assert "rows of users are not counted on source" in skipped(run, "public.job")[0] and "function pub.evil" in skipped(run, "public.job")[0]
    pair.target.execute("UPDATE partman.part_config SET control = 'c'")
    run = pair.compare("--run-owners-code").expect(DIVERGENT)
    assert "1 row of public.job (--table public.job compares them)" in run.report["not_compared"]


def test_dry_run_says_what_would_be_counted(own):
    assert "not compared: rows of public.job, a table of extension parity_test_config, would be counted" in own.run("--dry-run").stdout
    assert "rows of public.job, a table of extension parity_test_config, would be counted" in own.compare("--dry-run").report["not_compared"]


def test_an_extension_that_one_side_has_not(pair):
    pair.both("CREATE TABLE t (id int PRIMARY KEY)")
    create(pair, OWN, SCRIPT, target=False)
    pair.compare().expect(IDENTICAL)  # no row of users is missing
    pair.source.execute("INSERT INTO job VALUES (1, 'a')")
    run = pair.compare().expect(INCOMPLETE)
    assert skipped(run, "public.job")[0].startswith("1 row of users on source, no such table of extension parity_test_config on target")
    pair.source.execute("DELETE FROM job")
    plant_in_t(pair)
    assert finds_in_t(pair.compare())


def test_extensions_in_other_schemas(pair):
    pair.both("CREATE TABLE t (id int PRIMARY KEY)")
    create(pair, OWN, SCRIPT, schema={"source": "here", "target": "there"})
    pair.source.execute("INSERT INTO here.job VALUES (1, 'a')")
    pair.target.execute("INSERT INTO there.job VALUES (1, 'a')")
    pair.compare().expect(IDENTICAL)
    pair.target.execute("INSERT INTO there.job VALUES (2, 'a')")
    pair.compare().expect(INCOMPLETE)
    pair.target.execute("DELETE FROM there.job WHERE id = 2")
    plant_in_t(pair)
    assert finds_in_t(pair.compare())


def test_a_role_that_may_not_read_them(own):
    own.both("INSERT INTO job VALUES (1, 'a'); GRANT SELECT ON t TO PUBLIC; GRANT SELECT ON setting, \"Odd \"\"name\" TO PUBLIC;"
             "DO $$ BEGIN CREATE ROLE config_reader LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$")
    roles = {"source": own.source.conninfo(user="config_reader"), "target": own.target.conninfo(user="config_reader")}
    run = own.compare(**roles).expect(INCOMPLETE)
    assert "rows of users are not counted on source: no SELECT privilege" in skipped(run, "public.job")[0]
    own.both("GRANT SELECT ON job TO config_reader")
    own.compare(**roles).expect(IDENTICAL)
    own.target.execute("INSERT INTO job VALUES (2, 'b')")
    assert skipped(own.compare(**roles).expect(INCOMPLETE), "public.job")[0].startswith("1 row of users on source, 2 rows of users on target")
    plant_in_t(own)
    assert finds_in_t(own.compare(**roles))


def test_row_security_hides_rows(own):
    own.both("INSERT INTO job VALUES (1, 'a'), (2, 'b'); ALTER TABLE job ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON job USING (id = 1);"
             "GRANT SELECT ON ALL TABLES IN SCHEMA public TO PUBLIC;"
             "DO $$ BEGIN CREATE ROLE config_reader LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$")
    roles = {"source": own.source.conninfo(user="config_reader"), "target": own.target.conninfo(user="config_reader")}
    assert "row security applies" in skipped(own.compare(**roles).expect(INCOMPLETE), "public.job")[0]
    run = own.compare("--enable-row-security", **roles).expect(IDENTICAL)
    assert "1 row of public.job (--table public.job compares them)" in run.report["not_compared"]
    own.target.execute("UPDATE job SET command = 'other'")
    run = own.compare("--enable-row-security", "--table", "public.job", **roles).expect(DIVERGENT)
    assert findings(run.table()) == {mismatch("command", id="1")}
    own.target.execute("UPDATE job SET id = 3 WHERE id = 1")
    assert skipped(own.compare("--enable-row-security", **roles).expect(INCOMPLETE), "public.job")[0].startswith("1 row of users on source, 0 rows of users on target")


# ---- conditions are somebody else's text ---------------------------------------------------------------------------


HOSTILE = """
CREATE TABLE trap (id int PRIMARY KEY, value text);
CREATE FUNCTION spring(int) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'the trap sprang'; END $$;
INSERT INTO trap VALUES (1, 'x');
SELECT pg_catalog.pg_extension_config_dump('trap', {0});
"""


@pytest.mark.matrix(sample=3)
@pytest.mark.parametrize("condition, reason", [
    ("WHERE public.spring(id)", "it names something in public"),
    ("WHERE spring(id)", "it calls spring"),
    ("WHERE EXISTS (SELECT FROM pg_class)", 'it has the word "exists"'),
    ("WHERE query_to_xml('SELECT public.spring(1)', true, true, '') IS NOT NULL", "it calls query_to_xml"),
    ("WHERE true) OR public.spring(1) --", "a parenthesis is closed that was not opened"),
    ("WHERE true; SELECT public.spring(1)", "a semicolon ends it"),
    ("ORDER BY public.spring(id)", "it is not a WHERE clause"),
    ("WHERE id OPERATOR(public.=) 1", 'it has the word "operator"'),
], ids=lambda text: text[:24])
def test_conditions_that_are_not_evaluated(pair, condition, reason):
    pair.both("CREATE TABLE t (id int PRIMARY KEY)")
    quoted = "'" + condition.replace("'", "''") + "'"
    create(pair, OWN, HOSTILE.format(quoted))
    run = pair.compare().expect(INCOMPLETE)
    assert reason in skipped(run, "public.trap")[0]
    pair.compare("--exclude-table", "trap").expect(IDENTICAL)
    plant_in_t(pair)
    for options in ([], ["--exclude-table", "trap"]):
        assert finds_in_t(pair.compare(*options))


@pytest.mark.parametrize("condition, reason", [
    ("WHERE trap.lower(value) = 'x'", "it calls lower"),
    ("WHERE CAST(value AS trap.mine) = 'x'", "it names a type in trap"),
    ("WHERE trap.mine 'x' = value", "it names a type in trap"),
], ids=["function", "cast", "literal"])
def test_conditions_that_call_what_a_schema_of_the_tables_name_has(pair, condition, reason):
    pair.both("CREATE TABLE t (id int PRIMARY KEY); CREATE SCHEMA trap")
    create(pair, OWN, """
        CREATE FUNCTION trap.lower(text) RETURNS text LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'the trap sprang'; END $$;
        CREATE FUNCTION spring(text) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'the trap sprang'; END $$;
        CREATE DOMAIN trap.mine AS text CHECK (public.spring(VALUE));
        CREATE TABLE trap (id int PRIMARY KEY, value text);
        INSERT INTO trap VALUES (1, 'x');
        SELECT pg_catalog.pg_extension_config_dump('trap', '{}');""".format(condition.replace("'", "''")))
    assert reason in skipped(pair.compare().expect(INCOMPLETE), "public.trap")[0]


def test_a_condition_that_is_an_error(pair):
    pair.both("CREATE TABLE t (id int PRIMARY KEY)")
    create(pair, OWN, HOSTILE.format("'WHERE no_such_column'"))
    run = pair.compare().expect(INCOMPLETE)
    assert 'column "no_such_column" does not exist' in skipped(run, "public.trap")[0]


def test_a_column_whose_type_brings_code(pair):
    """An implicit cast of a user's type is found whatever the search path is."""
    pair.both("CREATE TABLE t (id int PRIMARY KEY)")
    create(pair, OWN, """
        CREATE TYPE mood AS (m text);
        CREATE FUNCTION spring(mood) RETURNS text LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'the trap sprang'; END $$;
        CREATE CAST (mood AS text) WITH FUNCTION spring(mood) AS IMPLICIT;
        CREATE TABLE trap (id int PRIMARY KEY, value mood);
        INSERT INTO trap VALUES (1, ROW('x'));
        SELECT pg_catalog.pg_extension_config_dump('trap', 'WHERE value LIKE ''x''');""")
    assert "column value is of a type that is not PostgreSQL's own" in skipped(pair.compare().expect(INCOMPLETE), "public.trap")[0]


# ---- tables whose rows are compared --------------------------------------------------------------------------------


@pytest.fixture
def partman(pair):
    pair.both("CREATE TABLE t (id int PRIMARY KEY)")
    create(pair, "pg_partman", PARTMAN.format(""), schema="partman")
    pair.both("INSERT INTO partman.part_config VALUES ('public.a', 'id'), ('public.b', 'day'); INSERT INTO partman.part_config_sub VALUES ('public.a')")
    return pair


def test_some_are_compared_by_default(partman):
    run = partman.compare().expect(IDENTICAL)
    assert run.table("partman.part_config")["rows"] == {"source": "2", "target": "2"}
    assert run.table("partman.part_config_sub")["result"] == "identical"
    assert not [line for line in run.report["not_compared"] if "part_config" in line or "extension table" in line]
    partman.target.execute("UPDATE partman.part_config SET control = 'no' WHERE parent_table = 'public.b'")
    run = partman.compare().expect(DIVERGENT)
    assert findings(run.table("partman.part_config")) == {mismatch("control", parent_table="public.b")}
    partman.compare("--exclude-table", "partman.part_config").expect(IDENTICAL)
    partman.target.execute("DELETE FROM partman.part_config_sub")
    partman.compare("--exclude-table", "partman.part_config").expect(DIVERGENT)


def test_they_are_compared_under_their_condition(pair):
    pair.both("CREATE TABLE t (id int PRIMARY KEY)")
    create(pair, "pg_partman", PARTMAN.format("WHERE control <> ''shipped''"), schema="partman")
    pair.both("INSERT INTO partman.part_config VALUES ('a', 'shipped'), ('b', 'own')")
    pair.target.execute("DELETE FROM partman.part_config WHERE control = 'shipped'")
    run = pair.compare().expect(IDENTICAL)
    assert run.table("partman.part_config")["rows"] == {"source": "1", "target": "1"}
    assert run.table("partman.part_config")["where"] == "control <> 'shipped'"
    pair.target.execute("DELETE FROM partman.part_config")
    pair.compare().expect(DIVERGENT)


def test_reference_systems_of_users_are_compared(pair):
    pair.both("CREATE TABLE t (id int PRIMARY KEY)")
    create(pair, "postgis", POSTGIS, schema="public")
    pair.target.execute("UPDATE spatial_ref_sys SET srtext = 'of another version' WHERE srid = 4326")
    assert pair.compare().expect(IDENTICAL).table("public.spatial_ref_sys")["rows"] == {"source": "0", "target": "0"}
    pair.both("INSERT INTO spatial_ref_sys VALUES (990000, 'own', 1, 'local grid', '+proj=utm')")
    run = pair.compare().expect(IDENTICAL)
    assert run.table("public.spatial_ref_sys")["rows"] == {"source": "1", "target": "1"}
    assert not [line for line in run.report["not_compared"] if "spatial_ref_sys" in line]
    pair.target.execute("UPDATE spatial_ref_sys SET srtext = 'other grid' WHERE srid = 990000")
    assert findings(pair.compare().expect(DIVERGENT).table("public.spatial_ref_sys")) == {mismatch("srtext", srid="990000")}


def test_they_are_compared_across_schemas(pair):
    pair.both("CREATE TABLE t (id int PRIMARY KEY)")
    create(pair, "pg_partman", PARTMAN.format(""), schema={"source": "public", "target": "partman"})
    pair.source.execute("INSERT INTO part_config VALUES ('a', 'x')")
    pair.target.execute("INSERT INTO partman.part_config VALUES ('a', 'x')")
    assert pair.compare().expect(IDENTICAL).table("public.part_config")["target"] == "partman.part_config"
    pair.target.execute("UPDATE partman.part_config SET control = 'y'")
    pair.compare().expect(DIVERGENT)


def test_conditions_that_differ_between_the_sides(pair):
    pair.both("CREATE TABLE t (id int PRIMARY KEY)")
    create(pair, "pg_partman", [PARTMAN.format(""), PARTMAN.format("WHERE control <> ''shipped''")], schema="partman")
    pair.compare().expect(IDENTICAL)  # there are no rows
    pair.both("INSERT INTO partman.part_config VALUES ('a', 'x')")
    run = pair.compare().expect(INCOMPLETE)
    assert "the extension's conditions for its rows of users differ between the sides" in skipped(run, "partman.part_config")[0]
    pair.both("DELETE FROM partman.part_config")
    plant_in_t(pair)
    assert finds_in_t(pair.compare())


def test_an_extension_to_be_compared_that_one_side_has_not(pair):
    pair.both("CREATE TABLE t (id int PRIMARY KEY)")
    create(pair, "pg_partman", PARTMAN.format(""), target=False, schema="partman")
    pair.compare().expect(IDENTICAL)
    pair.source.execute("INSERT INTO partman.part_config VALUES ('a', 'x')")
    run = pair.compare().expect(INCOMPLETE)
    assert "no such table of extension pg_partman on target" in skipped(run, "partman.part_config")[0]
    pair.source.execute("DELETE FROM partman.part_config")
    plant_in_t(pair)
    assert finds_in_t(pair.compare())


@pytest.mark.extension_only
def test_tables_of_pg_parity_never_take_part(own):
    own.compare("--record", own.source.conninfo()).expect(IDENTICAL)
    assert own.source.value("SELECT count(*) FROM parity.run") == 1 and own.target.value("SELECT count(*) FROM parity.run") == 0
    own.both("ALTER EXTENSION pg_parity ADD TABLE t; CREATE TABLE u (id int PRIMARY KEY); ALTER EXTENSION pg_parity DROP TABLE t")
    own.compare().expect(IDENTICAL)
    plant_in_t(own)
    assert finds_in_t(own.compare("--record", own.source.conninfo()))
    assert own.source.query("SELECT status FROM parity.run ORDER BY id") == [("identical",), ("divergent",)]


@pytest.mark.extension_only
def test_what_is_counted_is_recorded(own):
    own.source.execute("INSERT INTO job VALUES (1, 'a')")
    own.compare("--record", own.target.conninfo()).expect(INCOMPLETE)
    assert own.target.query("SELECT status FROM parity.run_table WHERE relation = 'public.job'") == [("incomplete",)]


@pytest.mark.extension_only
@pytest.mark.here
def test_jobs_of_pg_cron(pair):
    settings = {"shared_preload_libraries": "pg_cron", "cron.database_name": "postgres"}
    with Cluster("cron", settings=settings) as cluster:
        database = cluster.database()
        database.execute("CREATE EXTENSION pg_cron; CREATE TABLE t (id int PRIMARY KEY)")
        pair.target.execute("CREATE TABLE t (id int PRIMARY KEY)")
        pair.compare(source=database.conninfo()).expect(IDENTICAL)
        database.query("SELECT cron.schedule('nightly', '0 3 * * *', 'SELECT 1')")
        run = pair.compare(source=database.conninfo()).expect(INCOMPLETE)
        assert skipped(run, "cron.job") == ["1 row of users on source, no such table of extension pg_cron on target; --table cron.job compares them"]
        # against itself, the numbers are equal
        run = pair.compare("--allow-same-server", source=database.conninfo(), target=database.conninfo()).expect(IDENTICAL)
        assert "1 row of cron.job (--table cron.job compares them)" in run.report["not_compared"]
        database.query("SELECT cron.unschedule('nightly')")
        plant_in_t(pair)
        assert finds_in_t(pair.compare(source=database.conninfo()))
        database.close()
