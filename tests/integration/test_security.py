"""Other people's objects and missing rights: nothing of theirs runs, nothing unreadable counts as equal."""

import pytest

from support.pgparity import DIVERGENT, ERROR, IDENTICAL, INCOMPLETE, findings, mismatch, missing_on_source

pytestmark = [pytest.mark.every_engine, pytest.mark.matrix(sample=1)]

DECOYS = """
CREATE SCHEMA decoy;
CREATE FUNCTION decoy.fail() RETURNS int LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'decoy called'; END $$;
CREATE FUNCTION decoy.fail_bool() RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'decoy called'; END $$;
CREATE FUNCTION decoy.count(int) RETURNS bigint LANGUAGE sql AS 'SELECT decoy.fail()::bigint';
CREATE FUNCTION decoy.lower(text) RETURNS text LANGUAGE sql AS 'SELECT decoy.fail()::text';
CREATE FUNCTION decoy.format_type(oid, int) RETURNS text LANGUAGE sql AS 'SELECT decoy.fail()::text';
CREATE FUNCTION decoy.quote_ident(text) RETURNS text LANGUAGE sql AS 'SELECT decoy.fail()::text';
CREATE FUNCTION decoy.pg_relation_filenode(regclass) RETURNS oid LANGUAGE sql AS 'SELECT 0::oid';
CREATE FUNCTION decoy.pg_table_size(regclass) RETURNS bigint LANGUAGE sql AS 'SELECT decoy.fail()::bigint';
CREATE FUNCTION decoy.has_table_privilege(oid, text) RETURNS boolean LANGUAGE sql AS 'SELECT decoy.fail_bool()';
CREATE FUNCTION decoy.pg_is_in_recovery() RETURNS boolean LANGUAGE sql AS 'SELECT decoy.fail_bool()';
CREATE FUNCTION decoy.range_digests(regclass) RETURNS int LANGUAGE sql AS 'SELECT decoy.fail()';
CREATE FUNCTION decoy.format_version() RETURNS int LANGUAGE sql AS 'SELECT decoy.fail()';
CREATE FUNCTION decoy.current_setting(text) RETURNS text LANGUAGE sql AS 'SELECT decoy.fail()::text';
CREATE FUNCTION decoy.int4_yes(int, int) RETURNS boolean LANGUAGE sql AS 'SELECT decoy.fail_bool()';
CREATE FUNCTION decoy.oid_yes(oid, oid) RETURNS boolean LANGUAGE sql AS 'SELECT decoy.fail_bool()';
CREATE FUNCTION decoy.text_yes(text, text) RETURNS boolean LANGUAGE sql AS 'SELECT decoy.fail_bool()';
CREATE FUNCTION decoy.name_yes(name, name) RETURNS boolean LANGUAGE sql AS 'SELECT decoy.fail_bool()';
CREATE FUNCTION decoy.char_yes("char", "char") RETURNS boolean LANGUAGE sql AS 'SELECT decoy.fail_bool()';
CREATE FUNCTION decoy.bool_yes(boolean, boolean) RETURNS boolean LANGUAGE sql AS 'SELECT decoy.fail_bool()';
CREATE OPERATOR decoy.= (LEFTARG = int, RIGHTARG = int, FUNCTION = decoy.int4_yes);
CREATE OPERATOR decoy.<> (LEFTARG = int, RIGHTARG = int, FUNCTION = decoy.int4_yes);
CREATE OPERATOR decoy.> (LEFTARG = int, RIGHTARG = int, FUNCTION = decoy.int4_yes);
CREATE OPERATOR decoy.= (LEFTARG = oid, RIGHTARG = oid, FUNCTION = decoy.oid_yes);
CREATE OPERATOR decoy.<> (LEFTARG = oid, RIGHTARG = oid, FUNCTION = decoy.oid_yes);
CREATE OPERATOR decoy.= (LEFTARG = text, RIGHTARG = text, FUNCTION = decoy.text_yes);
CREATE OPERATOR decoy.~ (LEFTARG = text, RIGHTARG = text, FUNCTION = decoy.text_yes);
CREATE OPERATOR decoy.= (LEFTARG = name, RIGHTARG = name, FUNCTION = decoy.name_yes);
CREATE OPERATOR decoy.= (LEFTARG = "char", RIGHTARG = "char", FUNCTION = decoy.char_yes);
CREATE OPERATOR decoy.= (LEFTARG = boolean, RIGHTARG = boolean, FUNCTION = decoy.bool_yes);
CREATE TABLE decoy.pg_class (oid oid, relname name);
CREATE TABLE decoy.pg_namespace (oid oid, nspname name);
CREATE TABLE decoy.pg_attribute (attrelid oid);
CREATE TABLE decoy.pg_extension (extname name);
CREATE TABLE decoy.orders (id int PRIMARY KEY, v text);
"""


def test_decoys_earlier_in_the_search_path(pair):
    pair.both("CREATE TABLE orders (id int PRIMARY KEY, v text); INSERT INTO orders SELECT n, 'v' || n FROM generate_series(1, 3000) n;"
              "CREATE TABLE keyless (v int); INSERT INTO keyless SELECT n FROM generate_series(1, 100) n")
    pair.target.execute("UPDATE orders SET v = 'x' WHERE id = 77")
    for side in (pair.source, pair.target):
        side.psql(DECOYS)
        side.psql(f'ALTER DATABASE "{side.name}" SET search_path = decoy, public, pg_catalog, parity')
        side.close()
    run = pair.compare("--schema", "public", "--verbose").expect(DIVERGENT)
    assert findings(run.table("public.orders")) == {mismatch("v", id="77")}
    assert run.table("public.orders")["rows"]["source"] == "3000"
    assert run.table("public.keyless")["result"] == "identical"
    run = pair.compare("--schema", "public", "--where", "true").expect(DIVERGENT)
    assert findings(run.table("public.orders")) == {mismatch("v", id="77")}
    assert "decoy called" not in run.stdout + run.stderr


@pytest.mark.extension_only
def test_decoys_do_not_reach_the_extensions_functions(pair):
    pair.source.execute("CREATE TABLE orders (id int PRIMARY KEY, v text); INSERT INTO orders SELECT n, 'v' || n FROM generate_series(1, 3000) n")
    sql = ("SELECT range_no, row_count, key_digest::text, row_digest::text FROM parity.range_digests('public.orders', ranges => 4, path => '{}')")
    before = {path: pair.source.query(sql.format(path)) for path in ("scan", "aggregate")}
    pair.source.psql(DECOYS)
    pair.source.execute("SET search_path = decoy, public, pg_catalog")
    for path, rows in before.items():
        assert pair.source.query(sql.format(path).replace("::text", "::pg_catalog.text")) == rows
    assert before["scan"] == before["aggregate"]


def test_planted_view_is_not_run(pair):
    for side in (pair.source, pair.target):
        side.execute("CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1);"
                     "CREATE FUNCTION planted() RETURNS int LANGUAGE plpgsql AS $$ BEGIN RAISE LOG 'planted function ran'; RETURN 1; END $$;"
                     "CREATE VIEW v AS SELECT id, planted() FROM t")
    pair.compare().expect(IDENTICAL)
    pair.compare("--schema", "public").expect(IDENTICAL)
    pair.compare("--table", "public.*").expect(IDENTICAL)
    pair.run("--dry-run").expect(IDENTICAL)
    pair.target.execute("INSERT INTO t VALUES (7)")
    for options in ([], ["--schema", "public"], ["--table", "public.*"]):
        assert findings(pair.compare(*options).expect(DIVERGENT).table()) == {missing_on_source(id="7")}
    assert "planted function ran" not in pair.source.cluster.log() + pair.target.cluster.log()


def reader(pair, grants):
    """An ordinary role on both sides, with connection strings for it."""
    for side in (pair.source, pair.target):
        side.execute("DO $$ BEGIN CREATE ROLE reader LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$")
        side.execute(grants)
    return {"source": pair.source.conninfo(user="reader"), "target": pair.target.conninfo(user="reader")}


def test_ordinary_role(pair):
    pair.both("CREATE TABLE t (id int PRIMARY KEY, v int); INSERT INTO t SELECT n, n FROM generate_series(1, 3000) n")
    sides = reader(pair, "GRANT SELECT ON t TO reader")
    pair.compare(**sides).expect(IDENTICAL)
    pair.target.execute("UPDATE t SET v = 0 WHERE id = 2999")
    assert findings(pair.compare(**sides).expect(DIVERGENT).table()) == {mismatch("v", id="2999")}


def test_role_without_rights_on_one_column(pair):
    pair.both("CREATE TABLE t (id int PRIMARY KEY, open int, salary text); INSERT INTO t SELECT n, n, 'secret' || n FROM generate_series(1, 3000) n")
    sides = reader(pair, "GRANT SELECT (id, open) ON t TO reader")
    run = pair.compare(**sides).expect(INCOMPLETE)
    assert any("salary" in reason for reason in run.table()["skipped"])
    pair.target.execute("UPDATE t SET salary = 'other' WHERE id = 5; UPDATE t SET open = 0 WHERE id = 7")
    run = pair.compare(**sides).expect(DIVERGENT)
    assert run.report["incomplete"] is True
    assert findings(run.table()) == {mismatch("open", id="7")}
    assert "secret" not in run.stdout + run.stderr
    assert findings(pair.compare("--columns", "open", **sides).expect(DIVERGENT).table()) == {mismatch("open", id="7")}
    pair.target.execute("UPDATE t SET open = 7 WHERE id = 7")
    pair.compare("--columns", "open", **sides).expect(IDENTICAL)


def test_role_without_rights_on_the_table(pair):
    pair.both("CREATE TABLE t (id int PRIMARY KEY); CREATE TABLE hidden (id int PRIMARY KEY)")
    sides = reader(pair, "GRANT SELECT ON t TO reader; REVOKE ALL ON hidden FROM reader")
    run = pair.compare(**sides).expect(INCOMPLETE)
    assert "public.hidden" in run.stdout
    run = pair.compare("--table", "public.hidden", **sides)
    assert run.status in (ERROR, INCOMPLETE) and "hidden" in run.stdout + run.stderr


@pytest.mark.extension_only
@pytest.mark.parametrize("function", [
    "parity.range_digests('t', columns => ARRAY['salary'])", "parity.range_digests('t')", "parity.row_digests('t')",
    "parity.range_digests('t', filter => 'salary is null', columns => ARRAY['open'])", "parity.range_digests('t', path => 'aggregate')",
    "parity.slice_digests('t', columns => ARRAY['salary'])", "parity.row_digests('t', columns => ARRAY['open', 'salary'], with_values => true)",
])
def test_sql_functions_refuse_what_the_caller_may_not_read(scratch, function):
    scratch.both("CREATE TABLE t (id int PRIMARY KEY, open int, salary text); INSERT INTO t VALUES (1, 1, 'secret')")
    reader(scratch, "GRANT SELECT (id, open) ON t TO reader")
    with pytest.raises(Exception) as caught:
        scratch.source.psql(f"SET ROLE reader; SELECT * FROM {function}")
    assert "permission denied" in str(caught.value)
    scratch.source.psql("SET ROLE reader; SELECT * FROM parity.range_digests('t', columns => ARRAY['open']); SELECT * FROM parity.split_keys('t')")


@pytest.mark.extension_only
def test_split_keys_needs_the_key(pair):
    pair.source.execute("CREATE TABLE t (id int PRIMARY KEY, open int); INSERT INTO t SELECT n, n FROM generate_series(1, 5000) n")
    reader(pair, "SELECT 1")
    pair.source.execute("GRANT SELECT (open) ON t TO reader")
    with pytest.raises(AssertionError, match="permission denied"):
        pair.source.psql("SET ROLE reader; SELECT * FROM parity.split_keys('t')")


ROW_SECURITY = ("CREATE TABLE t (id int PRIMARY KEY, owner text, v int); INSERT INTO t SELECT n, CASE WHEN n % 2 = 0 THEN 'reader' ELSE 'other' END, n FROM generate_series(1, 1000) n;"
                "ALTER TABLE t ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON t USING (owner = current_user); CREATE TABLE free (id int PRIMARY KEY)")


def test_row_security_is_an_error_unless_enabled(pair):
    pair.both(ROW_SECURITY)
    sides = reader(pair, "GRANT SELECT ON t, free TO reader")
    run = pair.compare(**sides).expect(INCOMPLETE)
    assert "row security" in run.stdout or "row-level security" in run.stdout
    run = pair.compare("--enable-row-security", **sides).expect(IDENTICAL)
    assert "visible rows only" in run.stdout
    assert run.table("public.t")["rows"] == {"source": "500", "target": "500"}
    pair.target.execute("UPDATE t SET v = 0 WHERE id IN (7, 8)")
    table = pair.compare("--enable-row-security", "--table", "public.t", **sides).expect(DIVERGENT).table()
    assert findings(table) == {mismatch("v", id="8")}
    assert table["path"] == pair.path("aggregate")
    pair.compare().expect(DIVERGENT)  # the superuser sees all


@pytest.mark.extension_only
def test_keys_of_invisible_rows_stay_hidden(pair):
    """Inner pages of an index hold keys of any row; the rows themselves are read as any query of the role would."""
    pair.both(ROW_SECURITY)
    reader(pair, "GRANT SELECT ON t TO reader")
    with pytest.raises(AssertionError, match="row security|row-level security"):
        pair.source.psql("SET ROLE reader; SELECT * FROM parity.split_keys('t')")
    rows = "SELECT count(*), count(*) FILTER (WHERE key_text::int % 2 = 0) FROM parity.row_digests('t')"
    assert pair.source.psql(f"SET ROLE reader; {rows}", "-At").strip() == "500|500"
    with pytest.raises(AssertionError, match="row security|row-level security"):
        pair.source.psql("SET ROLE reader; SET row_security = off; SELECT * FROM parity.row_digests('t')")


@pytest.mark.extension_only
def test_range_digests_under_row_security(pair):
    pair.both(ROW_SECURITY)
    reader(pair, "GRANT SELECT ON t TO reader")
    assert pair.source.psql("SET ROLE reader; SELECT sum(row_count), min(path_taken) FROM parity.range_digests('t', bounds => '{}')", "-At").strip() == "500|aggregate"
    with pytest.raises(AssertionError, match="row-level security|row security"):
        pair.source.psql("SET ROLE reader; SET row_security = off; SELECT * FROM parity.range_digests('t', bounds => '{}')")
    with pytest.raises(AssertionError, match="row-level security|row security"):
        pair.source.psql("SET ROLE reader; SELECT * FROM parity.range_digests('t', bounds => '{}', path => 'scan')")


@pytest.mark.matrix(sample=4)
@pytest.mark.parametrize("where", [
    "true) --", "true) OR (true", "id > 0; DROP TABLE t", "true) UNION SELECT (1", "id > 0 -- ", "true /*", "(true", "", "id > 0) --\n AND (true",
    "id = 1 GROUP BY id", "id", "no_such_column = 1", "random() < 0.5", "(SELECT count(*) FROM t) > 0 ORDER BY 1", "1=1, 2=2",
])
def test_where_is_one_expression(scratch, where):
    """A condition that closes the parenthesis must not swallow the ranges' condition (or anything else)."""
    scratch.both("CREATE TABLE t (id int PRIMARY KEY, v int); INSERT INTO t SELECT n, n FROM generate_series(1, 2000) n")
    run = scratch.compare("--where", where, "--ranges", "4")
    if where == "id > 0 -- ":  # a comment is part of an expression like any blank
        assert run.status in (IDENTICAL, ERROR, INCOMPLETE)
    else:
        assert run.status in (ERROR, INCOMPLETE), run
    if run.status == IDENTICAL:
        assert run.table()["rows"]["source"] == "2000"
    assert scratch.source.value("SELECT count(*) FROM t") == 2000


def test_where_that_ends_in_a_comment_keeps_the_ranges(pair):
    pair.both("CREATE TABLE t (id int PRIMARY KEY, v int); INSERT INTO t SELECT n, n FROM generate_series(1, 2000) n")
    pair.target.execute("UPDATE t SET v = 0 WHERE id IN (5, 1005)")
    run = pair.compare("--where", "id < 1000 -- and no more", "--ranges", "4").expect(DIVERGENT)
    assert findings(run.table()) == {mismatch("v", id="5")}
    assert run.table()["rows"]["source"] == "999"


def test_nothing_is_written(pair):
    """The sessions are read only: a function in --where that writes is refused."""
    pair.both("CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1); CREATE TABLE log (n int);"
              "CREATE FUNCTION writes() RETURNS boolean LANGUAGE plpgsql STABLE AS $$ BEGIN PERFORM public.writes_really(); RETURN true; END $$;"
              "CREATE FUNCTION writes_really() RETURNS void LANGUAGE sql VOLATILE AS 'INSERT INTO public.log VALUES (1)'")
    run = pair.compare("--table", "public.t", "--where", "public.writes()")
    assert run.status in (ERROR, INCOMPLETE)
    assert pair.source.value("SELECT count(*) FROM log") == 0


@pytest.mark.matrix(sample=1)
@pytest.mark.parametrize("setting, where", [
    ("array_nulls = off", "true"),
    ("standard_conforming_strings = off", r"v <> '\x'"),
    ("backslash_quote = off", r"v <> E'\''"),
    ("transform_null_equals = on", "v = NULL"),
])
def test_settings_of_a_database_change_neither_patterns_nor_conditions(pair, setting, where):
    pair.both("CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t VALUES (1, 'a'), (2, 'x'), (3, NULL), (4, '''')")
    pair.target.execute("UPDATE t SET v = 'b' WHERE id = 1")
    options = "--table", "t", "--where", where
    usual = pair.compare(*options).table()
    pair.target.execute(f'ALTER DATABASE "{pair.target.name}" SET {setting}')
    pair.target.close()
    unusual = pair.compare(*options).table()
    assert (unusual["rows"], unusual["divergences"]) == (usual["rows"], usual["divergences"])
