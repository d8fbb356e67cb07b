"""What counts as a difference, and how it is reported."""

import pytest

from support.pgparity import DIVERGENT, IDENTICAL, findings, mismatch, missing_on_source, missing_on_target

pytestmark = [pytest.mark.every_engine, pytest.mark.matrix(sample=1)]


def test_empty_tables(pair):
    pair.both("CREATE TABLE t (id int PRIMARY KEY, v int); CREATE TABLE keyless (v int)")
    run = pair.compare().expect(IDENTICAL)
    for name in ("public.t", "public.keyless"):
        assert run.table(name)["rows"] == {"source": "0", "target": "0"}
    pair.target.execute("INSERT INTO t VALUES (7, 1); INSERT INTO keyless VALUES (1)")
    run = pair.compare().expect(DIVERGENT)
    assert findings(run.table("public.t")) == {missing_on_source(id="7")}
    assert run.table("public.keyless")["counts"] == {"mismatch": "0", "missing_on_target": "0", "missing_on_source": "1"}


@pytest.mark.parametrize("full", ["source", "target"])
def test_empty_against_full(pair, full):
    pair.both("CREATE TABLE t (id int PRIMARY KEY, v int)")
    getattr(pair, full).execute("INSERT INTO t SELECT n, n FROM generate_series(1, 5000) n")
    table = pair.compare("--max-divergences", "0").expect(DIVERGENT).table()
    make = missing_on_target if full == "source" else missing_on_source
    assert findings(table) == {make(id=str(n)) for n in range(1, 5001)}
    assert table["rows"][full] == "5000"


def test_one_row(pair):
    pair.both("CREATE TABLE t (id int PRIMARY KEY, v int); INSERT INTO t VALUES (1, 1)")
    pair.compare().expect(IDENTICAL)
    pair.target.execute("UPDATE t SET v = 2")
    assert findings(pair.compare().expect(DIVERGENT).table()) == {mismatch("v", id="1")}


@pytest.mark.in_turn("large tables")
@pytest.mark.repeated(engine=["stream"])
def test_all_rows_differ(pair):
    pair.both("CREATE TABLE t (id int PRIMARY KEY, a int, b int); INSERT INTO t SELECT n, n, n FROM generate_series(1, 20000) n")
    pair.target.execute("UPDATE t SET a = a + 1")
    table = pair.compare("--max-divergences", "0").expect(DIVERGENT).table()
    assert findings(table) == {mismatch("a", id=str(n)) for n in range(1, 20001)}
    assert table["counts"] == {"mismatch": "20000", "missing_on_target": "0", "missing_on_source": "0"}
    assert {c["name"]: c["divergent"] for c in table["columns"]} == {"a": True, "b": False}


@pytest.mark.in_turn("large tables")
@pytest.mark.repeated(engine=["stream"])
def test_one_cell_in_two_millions(pair):
    pair.both("CREATE TABLE accounts (aid int PRIMARY KEY, bid int, abalance int, filler char(84));"
              "INSERT INTO accounts SELECT n, n / 100000, 0, '' FROM generate_series(1, 2000000) n")
    pair.target.execute("UPDATE accounts SET abalance = 1 WHERE aid = 1234567")
    table = pair.compare().expect(DIVERGENT).table()
    assert findings(table) == {mismatch("abalance", aid="1234567")}
    found = table["divergences"][0]
    assert found["source"] == {"abalance": "0"} and found["target"] == {"abalance": "1"}
    assert table["rows"] == {"source": "2000000", "target": "2000000"}
    assert table["ranges"]["divergent"] == 1 < table["ranges"]["compared"]
    assert table["path"] == pair.path("scan")


def test_null_empty_and_the_word_null_are_three_values(pair):
    pair.both("CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t VALUES (1, NULL), (2, ''), (3, 'NULL'), (4, NULL), (5, '')")
    pair.target.execute("UPDATE t SET v = '' WHERE id = 1; UPDATE t SET v = 'NULL' WHERE id = 2; UPDATE t SET v = NULL WHERE id = 3")
    table = pair.compare().expect(DIVERGENT).table()
    assert {d["key"]["id"]: (d["source"], d["target"]) for d in table["divergences"]} == {
        "1": ({"v": None}, {"v": ""}), "2": ({"v": ""}, {"v": "NULL"}), "3": ({"v": "NULL"}, {"v": None})}
    text = pair.run("--format", "text").expect(DIVERGENT).stdout
    assert len(set(line for line in text.splitlines() if "id" in line)) >= 3


def test_two_rows_swap_a_value(pair):
    pair.both("CREATE TABLE t (id int PRIMARY KEY, v text, w int); INSERT INTO t SELECT n, 'v' || n, n FROM generate_series(1, 1000) n")
    pair.target.execute("UPDATE t SET v = CASE id WHEN 10 THEN 'v11' ELSE 'v10' END WHERE id IN (10, 11)")
    assert findings(pair.compare().expect(DIVERGENT).table()) == {mismatch("v", id="10"), mismatch("v", id="11")}


def test_two_columns_swap_a_value(pair):
    pair.both("CREATE TABLE t (id int PRIMARY KEY, a int, b int); INSERT INTO t SELECT n, n, -n FROM generate_series(1, 1000) n")
    pair.target.execute("UPDATE t SET a = b, b = a WHERE id = 10")
    assert findings(pair.compare().expect(DIVERGENT).table()) == {mismatch(["a", "b"], id="10")}


def test_changes_that_cancel_under_xor_and_addition(pair):
    pair.both("CREATE TABLE t (id int PRIMARY KEY, v int); INSERT INTO t SELECT n, 0 FROM generate_series(1, 1000) n")
    pair.target.execute("UPDATE t SET v = 12345 WHERE id IN (100, 101); UPDATE t SET v = CASE id WHEN 200 THEN 7 ELSE -7 END WHERE id IN (200, 201)")
    assert findings(pair.compare().expect(DIVERGENT).table()) == {mismatch("v", id=n) for n in ("100", "101", "200", "201")}


def test_rows_outside_of_the_bounds(pair):
    """Bounds come from the source's index; the target has rows before the first and after the last."""
    pair.both("CREATE TABLE t (id bigint PRIMARY KEY, v int); INSERT INTO t SELECT n * 10, n FROM generate_series(1, 10000) n")
    pair.target.execute("INSERT INTO t VALUES (-9223372036854775808, 0), (-5, 0), (100001, 0), (9223372036854775807, 0)")
    table = pair.compare("--ranges", "50").expect(DIVERGENT).table()
    assert findings(table) == {missing_on_source(id=n) for n in ("-9223372036854775808", "-5", "100001", "9223372036854775807")}
    assert table["ranges"]["divergent"] == 2


EQUAL_VALUES = [
    ("numeric", "1.0", "numeric", "1.00"), ("numeric", "'NaN'", "numeric", "'NaN'"), ("numeric(10,2)", "5", "numeric", "5"),
    ("float8", "'-0'", "float8", "'0'"), ("float8", "'NaN'", "float8", "'NaN'"), ("float8", "'-Infinity'", "float8", "'-Infinity'"),
    ("smallint", "7", "bigint", "7"), ("integer", "7", "numeric(12,3)", "7.000"),
    ("varchar(10)", "'ab '", "text", "'ab '"), ("char(5)", "'ab'", "char(9)", "'ab'"), ("name", "'ab'", "text", "'ab'"),
    ("jsonb", """'{"b": 1.0, "a": [null, "x"]}'""", "jsonb", """'{"a":[null,"\\u0078"],"b":1.00}'"""),
    ("json", """'{"a":1}'""", "jsonb", """'{"a": 1}'"""),
    ("timestamptz", "'2020-06-01 12:00+02'", "timestamptz", "'2020-06-01 10:00+00'"), ("timestamptz", "'infinity'", "timestamptz", "'infinity'"),
    ("date", "'-infinity'", "date", "'-infinity'"), ("bytea", "'\\x00ff'", "bytea", "'\\x00ff'"),
    ("int[]", "'[2:3]={1,NULL}'", "int[]", "'[2:3]={1,NULL}'"), ("text[]", "'{}'", "text[]", "'{}'"),
    ("interval", "'1 year 3 days 04:05:06'", "interval", "'12 months 3 days 04:05:06'"),
]


@pytest.mark.matrix(sample=4)
@pytest.mark.parametrize("source_type,source_value,target_type,target_value", EQUAL_VALUES)
def test_equal_values(scratch, source_type, source_value, target_type, target_value):
    scratch.source.execute(f"CREATE TABLE t (id int PRIMARY KEY, v {source_type}); INSERT INTO t VALUES (1, {source_value}), (2, NULL)")
    scratch.target.execute(f"CREATE TABLE t (id int PRIMARY KEY, v {target_type}); INSERT INTO t VALUES (1, {target_value}), (2, NULL)")
    scratch.compare().expect(IDENTICAL)
    scratch.target.execute(f"UPDATE t SET v = {target_value} WHERE id = 2")
    assert findings(scratch.compare().expect(DIVERGENT).table()) == {mismatch("v", id="2")}


UNEQUAL_VALUES = [
    ("interval", "'1 mon'", "'30 days'"), ("interval", "'24 hours'", "'1 day'"), ("timetz", "'12:00+00'", "'14:00+02'"),
    ("json", "'{\"a\":1}'", "'{\"a\": 1}'"), ("text", "'é'", "U&'e\\0301'"), ("text", "'a'", "'a '"), ("char(3)", "'a'", "E'a\\t'"),
    ("int[]", "'{1,2}'", "'[0:1]={1,2}'"), ("int[]", "'{{1,2}}'", "'{1,2}'"), ("int[]", "'{}'", "'{NULL}'"), ("int[]", "NULL", "'{}'"),
    ("text[]", "'{\"NULL\"}'", "'{NULL}'"), ("text[]", "'{a,bc}'", "'{ab,c}'"), ("bool", "true", "NULL"), ("bytea", "''", "'\\x00'"),
    ("numeric", "'1e-20'", "0"), ("numeric", "100000000000000000001", "100000000000000000000"), ("float8", "0.1", "0.1::float8 + 2e-17"),
    ("jsonb", "'null'", "NULL"), ("jsonb", "'[1]'", "'1'"), ("jsonb", "'{\"a\":\"1\"}'", "'{\"a\":1}'"), ("timestamp", "'2020-01-01'", "'2020-01-01 00:00:00.000001'"),
    ("uuid", "'00000000-0000-0000-0000-000000000001'", "'00000000-0000-0000-0000-000000000010'"),
]


@pytest.mark.matrix(sample=4)
@pytest.mark.parametrize("column_type,source_value,target_value", UNEQUAL_VALUES)
def test_unequal_values(scratch, column_type, source_value, target_value):
    scratch.both(f"CREATE TABLE t (id int PRIMARY KEY, v {column_type})")
    scratch.source.execute(f"INSERT INTO t VALUES (1, {source_value})")
    scratch.target.execute(f"INSERT INTO t VALUES (1, {target_value})")
    assert scratch.target.value("SELECT count(*) FROM t") == 1
    if column_type == "float8":
        scratch.target.execute("UPDATE t SET v = '0.10000000000000002'")
    table = scratch.compare().expect(DIVERGENT).table()
    assert findings(table) == {mismatch("v", id="1")}
    assert table["divergences"][0]["source"]["v"] != table["divergences"][0]["target"]["v"]


def test_enums_are_compared_by_label(pair):
    pair.source.execute("CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy')")
    pair.target.execute("CREATE TYPE filler AS ENUM ('x'); CREATE TYPE mood AS ENUM ('happy', 'sad'); ALTER TYPE mood ADD VALUE 'ok' BEFORE 'sad'")
    pair.both("CREATE TABLE t (id mood PRIMARY KEY, v mood, a mood[]); INSERT INTO t VALUES ('sad', 'ok', '{sad,ok}'), ('happy', NULL, '{}'), ('ok', 'sad', NULL)")
    pair.compare("--ranges", "4").expect(IDENTICAL)
    pair.target.execute("UPDATE t SET v = 'happy' WHERE id = 'sad'; UPDATE t SET a = '{ok,sad}' WHERE id = 'sad'")
    assert findings(pair.compare().expect(DIVERGENT).table()) == {mismatch(["a", "v"], id="sad")}


def test_domains_are_their_base_type(pair):
    pair.source.execute("CREATE DOMAIN positive AS int CHECK (VALUE > 0)")
    pair.source.execute("CREATE TABLE t (id positive PRIMARY KEY, v positive); INSERT INTO t SELECT n, n FROM generate_series(1, 100) n")
    pair.target.execute("CREATE TABLE t (id int PRIMARY KEY, v bigint); INSERT INTO t SELECT n, n FROM generate_series(1, 100) n")
    pair.compare().expect(IDENTICAL)
    pair.target.execute("UPDATE t SET v = 0 WHERE id = 77")
    assert findings(pair.compare().expect(DIVERGENT).table()) == {mismatch("v", id="77")}


@pytest.mark.repeated(engine=["stream"])
def test_1500_columns_mostly_null(pair):
    columns = ", ".join(f"c{n} int" for n in range(1, 1501))
    pair.both(f"CREATE TABLE t (id int PRIMARY KEY, {columns});"
              "INSERT INTO t (id, c1, c750, c1500) SELECT n, n, CASE WHEN n % 3 = 0 THEN n END, -n FROM generate_series(1, 500) n")
    for where in ([], ["--where", "id > 0"]):  # the scan, and the aggregate with its limit of arguments
        pair.compare(*where).expect(IDENTICAL)
    pair.target.execute("UPDATE t SET c1500 = 0 WHERE id = 100; UPDATE t SET c750 = NULL WHERE id = 300; UPDATE t SET c2 = 0 WHERE id = 7")
    expected = {mismatch("c1500", id="100"), mismatch("c750", id="300"), mismatch("c2", id="7")}
    for where in ([], ["--where", "id > 0"]):
        table = pair.compare(*where).expect(DIVERGENT).table()
        assert findings(table) == expected
        assert sum(c["divergent"] for c in table["columns"]) == 3


@pytest.mark.repeated(engine=["stream"])
def test_large_values(pair):
    """Values out of line, compressed in different ways."""
    pair.both("CREATE TABLE t (id int PRIMARY KEY, v text, b bytea, j jsonb)")
    pair.source.execute("ALTER TABLE t ALTER v SET STORAGE EXTERNAL")
    if pair.source.cluster.installation.major >= 14:
        pair.source.execute("ALTER TABLE t ALTER b SET COMPRESSION pglz")
    rows = ("INSERT INTO t SELECT n, repeat(md5(n::text), 4000), decode(repeat(md5(n::text), 3000), 'hex'),"
            "jsonb_build_object('k', repeat('x', 100000), 'n', n) FROM generate_series(1, 30) n")
    pair.both(rows)
    pair.compare().expect(IDENTICAL)
    pair.target.execute("UPDATE t SET v = overlay(v placing 'Z' from 100000 for 1) WHERE id = 7;"
                        "UPDATE t SET j = jsonb_set(j, '{n}', '-1') WHERE id = 8")
    assert findings(pair.compare().expect(DIVERGENT).table()) == {mismatch("v", id="7"), mismatch("j", id="8")}


def test_encodings_that_differ(pair, source_cluster):
    latin = source_cluster.create_database(options="TEMPLATE template0 ENCODING LATIN1 LOCALE 'C'")
    try:
        for side in (latin, pair.target):
            side.execute("CREATE TABLE t (id text PRIMARY KEY, v text, j jsonb);"
                         "INSERT INTO t SELECT 'ä' || n, 'Größe ' || chr(192 + n % 60), '{\"é\": \"ü\"}' FROM generate_series(1, 500) n")
        pair.compare(source=latin.conninfo()).expect(IDENTICAL)
        latin.execute("UPDATE t SET v = 'ÿ' WHERE id = 'ä77'")
        table = pair.compare(source=latin.conninfo()).expect(DIVERGENT).table()
        assert findings(table) == {mismatch("v", id="ä77")}
        assert table["divergences"][0]["source"] == {"v": "ÿ"}
    finally:
        source_cluster.drop_database(latin)


def test_bytes_that_are_no_utf8_are_tagged(pair, source_cluster, target_cluster):
    options = "TEMPLATE template0 ENCODING SQL_ASCII LOCALE 'C'"
    source, target = (cluster.create_database(options=options + (" LOCALE_PROVIDER libc" if cluster.installation.major >= 15 else ""))
                      for cluster in (source_cluster, target_cluster))
    try:
        for side in (source, target):
            side.psql(r"CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t VALUES (1, E'ok'), (2, E'caf\xe9')")
        target.psql(r"UPDATE t SET v = E'caf\xe8' WHERE id = 2")
        table = pair.compare(source=source.conninfo(), target=target.conninfo()).expect(DIVERGENT).table()
        assert findings(table) == {mismatch("v", id="2")}
        shown = table["divergences"][0]
        assert isinstance(shown["source"]["v"], dict) and shown["source"]["v"] != shown["target"]["v"]
    finally:
        source_cluster.drop_database(source)
        target_cluster.drop_database(target)


def test_types_that_are_not_comparable_are_named(pair):
    pair.both("CREATE EXTENSION cube; CREATE TABLE t (id int PRIMARY KEY, v int, p cube); INSERT INTO t VALUES (1, 1, '(1,2)')")
    run = pair.compare().expect(3)
    table = run.table()
    assert run.report["result"] == "incomplete" and run.report["incomplete"] is True
    assert any("p" in reason and "cube" in reason for reason in table["skipped"])
    pair.target.execute("UPDATE t SET v = 2")
    run = pair.compare().expect(DIVERGENT)
    assert run.report["result"] == "divergent" and run.report["incomplete"] is True
    assert findings(pair.compare("--exclude-columns", "t.p").expect(DIVERGENT).table()) == {mismatch("v", id="1")}
    pair.target.execute("UPDATE t SET v = 1")
    pair.compare("--exclude-columns", "t.p").expect(IDENTICAL)


def test_width_of_128_bits(pair):
    pair.both("CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t SELECT n, 'v' || n FROM generate_series(1, 1000) n")
    pair.compare("--width", "128").expect(IDENTICAL)
    pair.target.execute("UPDATE t SET v = NULL WHERE id = 1000")
    assert findings(pair.compare("--width", "128").expect(DIVERGENT).table()) == {mismatch("v", id="1000")}
