"""What is compared before any data is read: tables, columns, types, keys, sequences."""

import pytest

from support.pgparity import DIVERGENT, IDENTICAL, INCOMPLETE, findings, mismatch, missing_on_source

pytestmark = [pytest.mark.every_engine(late=("stream", "mixed", "mixed reverse")), pytest.mark.matrix(sample=1)]


def test_tables_that_only_one_side_has(pair):
    pair.both("CREATE TABLE t (id int PRIMARY KEY)")
    pair.source.execute("CREATE TABLE only_here (id int)")
    run = pair.compare().expect(DIVERGENT)
    assert run.report["result"] == "divergent" and "public.only_here" in run.stdout
    assert run.table("public.t")["result"] == "identical"
    pair.target.execute("CREATE TABLE only_there (id int)")
    text = pair.run().expect(DIVERGENT).stdout
    assert "only_here" in text and "only_there" in text
    pair.compare("--exclude-table", "public.only*").expect(IDENTICAL)
    pair.target.execute("INSERT INTO t VALUES (7)")
    assert findings(pair.compare("--exclude-table", "public.only*").expect(DIVERGENT).table()) == {missing_on_source(id="7")}


def test_columns_that_only_one_side_has(pair):
    pair.source.execute("CREATE TABLE t (id int PRIMARY KEY, v int, extra int); INSERT INTO t VALUES (1, 1, 1)")
    pair.target.execute("CREATE TABLE t (id int PRIMARY KEY, v int, other int); INSERT INTO t VALUES (1, 2, 1)")
    run = pair.compare().expect(DIVERGENT)
    assert "extra" in run.stdout and "other" in run.stdout
    assert findings(run.table()) == {mismatch("v", id="1")}
    pair.target.execute("UPDATE t SET v = 1")
    pair.compare().expect(DIVERGENT)
    options = ["--exclude-columns", "extra", "--exclude-columns", "other"]
    pair.compare(*options).expect(IDENTICAL)
    pair.target.execute("UPDATE t SET v = 2")
    assert findings(pair.compare(*options).expect(DIVERGENT).table()) == {mismatch("v", id="1")}


def test_differences_that_do_not_touch_the_data(pair):
    pair.source.execute("CREATE TABLE t (id int PRIMARY KEY, a int NOT NULL, b varchar(10), c int)")
    pair.target.execute("CREATE TABLE t (id bigint PRIMARY KEY, a int, b text, c bigint UNIQUE)")
    pair.both("INSERT INTO t SELECT n, n, 'b' || n, n FROM generate_series(1, 50) n")
    run = pair.compare().expect(IDENTICAL)
    report = run.stdout + run.stderr
    for word in ("integer", "bigint", "character varying", "text"):
        assert word in report
    strict = pair.compare("--strict-schema").expect(DIVERGENT)
    assert strict.table()["counts"] == {"mismatch": "0", "missing_on_target": "0", "missing_on_source": "0"}
    pair.target.execute("UPDATE t SET a = -1, b = 'x', c = 4294967296 WHERE id = 7")
    assert findings(pair.compare().expect(DIVERGENT).table()) == {mismatch(["a", "b", "c"], id="7")}


def test_strict_schema_of_equal_tables(pair):
    pair.both("CREATE TABLE t (id int PRIMARY KEY, v text NOT NULL); INSERT INTO t VALUES (1, 'x')")
    pair.source.execute("CREATE COLLATION c (locale = 'C')")
    pair.compare("--strict-schema").expect(IDENTICAL)
    pair.target.execute("UPDATE t SET v = 'y'")
    assert findings(pair.compare("--strict-schema").expect(DIVERGENT).table()) == {mismatch("v", id="1")}


def test_types_without_a_common_form(pair):
    pair.source.execute("CREATE TABLE t (id int PRIMARY KEY, v int, w int); INSERT INTO t VALUES (1, 1, 1)")
    pair.target.execute("CREATE TABLE t (id int PRIMARY KEY, v text, w int); INSERT INTO t VALUES (1, '1', 1)")
    run = pair.compare().expect(INCOMPLETE)
    assert any("v" in reason for reason in run.table()["skipped"])


def test_key_types_without_a_common_form(pair):
    pair.source.execute("CREATE TABLE t (id int PRIMARY KEY, v int); INSERT INTO t VALUES (1, 1); CREATE TABLE u (id int)")
    pair.target.execute("CREATE TABLE t (id text PRIMARY KEY, v int); INSERT INTO t VALUES ('1', 1); CREATE TABLE u (id int)")
    run = pair.compare().expect(INCOMPLETE)
    assert "public.t" in run.stdout


def test_keys_that_differ(pair):
    pair.source.execute("CREATE TABLE t (id int PRIMARY KEY, v int)")
    pair.target.execute("CREATE TABLE t (id int, v int)")
    pair.both("INSERT INTO t SELECT n, n FROM generate_series(1, 100) n")
    pair.target.execute("UPDATE t SET v = 0 WHERE id = 3")
    run = pair.compare().expect(DIVERGENT)
    assert findings(run.table()) == {mismatch("v", id="3")}
    assert run.table()["key_proven"] is False
    assert "key" in run.stdout + run.stderr


def test_sequences_by_value(pair):
    pair.both("CREATE SEQUENCE s; CREATE TABLE t (id serial PRIMARY KEY); CREATE SEQUENCE untouched; SELECT nextval('s')")
    pair.compare().expect(IDENTICAL)
    pair.target.execute("SELECT setval('s', 41)")
    run = pair.compare().expect(DIVERGENT)
    assert "public.s" in run.stdout and "41" in run.stdout and "untouched" not in str(run.report.get("not_compared"))
    assert "public.s" in pair.run().expect(DIVERGENT).stdout
    pair.compare("--no-sequences").expect(IDENTICAL)
    pair.target.execute("INSERT INTO t VALUES (7)")
    assert findings(pair.compare("--no-sequences").expect(DIVERGENT).table()) == {missing_on_source(id="7")}


def test_sequence_not_called_yet(pair):
    pair.both("CREATE TABLE t (id int PRIMARY KEY); CREATE SEQUENCE s")
    pair.source.execute("SELECT nextval('s')")
    assert pair.source.value("SELECT last_value FROM s") == pair.target.value("SELECT last_value FROM s")
    pair.compare().expect(DIVERGENT)


def test_sequence_that_only_one_side_has(pair):
    pair.both("CREATE TABLE t (id int PRIMARY KEY)")
    pair.source.execute("CREATE SEQUENCE alone")
    assert "public.alone" in pair.compare().expect(DIVERGENT).stdout


def test_sequence_that_cannot_be_read(pair):
    pair.both("CREATE TABLE t (id int PRIMARY KEY); CREATE SEQUENCE s; GRANT SELECT ON t TO PUBLIC")
    pair.target.execute("SELECT setval('s', 41)")
    for side in (pair.source, pair.target):
        side.execute("DO $$ BEGIN CREATE ROLE reader LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$")
    run = pair.compare(source=pair.source.conninfo(user="reader"), target=pair.target.conninfo(user="reader")).expect(INCOMPLETE)
    assert "public.s" in run.stdout


def test_what_is_not_compared_is_said(pair):
    pair.both("CREATE TABLE t (id int PRIMARY KEY); CREATE VIEW v AS SELECT 1; CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'")
    said = " ".join(map(str, pair.compare().expect(IDENTICAL).report["not_compared"]))
    assert "view" in said and "function" in said
    pair.target.execute("INSERT INTO t VALUES (7)")
    run = pair.compare().expect(DIVERGENT)
    assert findings(run.table()) == {missing_on_source(id="7")} and "view" in str(run.report["not_compared"])


@pytest.mark.extension_only
def test_tables_of_extensions_are_not_left_out_silently(pair):
    pair.both("CREATE TABLE t (id int PRIMARY KEY); CREATE TABLE settings (id int PRIMARY KEY); CREATE SEQUENCE numbers;"
              "ALTER EXTENSION pg_parity ADD TABLE settings; ALTER EXTENSION pg_parity ADD SEQUENCE numbers")
    pair.target.execute("INSERT INTO settings VALUES (1)")
    said = pair.compare().expect(IDENTICAL).report["not_compared"]
    assert "extension tables: 1 on source, 1 on target (compared only when named)" in said
    assert "extension sequences: 1 on source, 1 on target" in said
    pair.compare("--table", "settings").expect(DIVERGENT)
    pair.target.execute("INSERT INTO t VALUES (7)")
    assert findings(pair.compare().expect(DIVERGENT).table()) == {missing_on_source(id="7")}
