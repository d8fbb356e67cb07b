"""The streaming engine: when it is taken, what it needs, and that it says what the extension says."""

import random

import psycopg2
import pytest

from conftest import Pair
from support.cluster import PASSWORD
from support.pgparity import DIVERGENT, ERROR, IDENTICAL, INCOMPLETE, findings, mismatch, missing_on_source, missing_on_target
from support.proxy import Proxy
from support.random_values import SEED

pytestmark = pytest.mark.matrix(sample=1)

STREAMED = {"source": "stream", "target": "stream"}
FIRST = "CREATE TABLE t (id int PRIMARY KEY, v int); INSERT INTO t SELECT n, n FROM generate_series(1, 3000) n"
# Few rows in many blocks, so that several statements and connections read them.
SPREAD = ("CREATE TABLE t (id int PRIMARY KEY, v int, filler text) WITH (fillfactor = 10);"
          "INSERT INTO t SELECT n, n, repeat('x', 200) FROM generate_series(1, 6000) n; ANALYZE t")


def make_bare(source_cluster, target_cluster):
    made = Pair(source_cluster.create_database(extension=False), target_cluster.create_database(extension=False))
    yield made
    source_cluster.drop_database(made.source)
    target_cluster.drop_database(made.target)


@pytest.fixture
def bare(source_cluster, target_cluster):
    """A pair of databases, neither of which has the extension."""
    yield from make_bare(source_cluster, target_cluster)


@pytest.fixture(scope="module")
def bare_databases(source_cluster, target_cluster):
    yield from make_bare(source_cluster, target_cluster)


@pytest.fixture
def bare_scratch(bare_databases):
    """A module's bare pair, for tests that make nothing but the table t."""
    yield bare_databases
    bare_databases.both("DROP TABLE IF EXISTS t CASCADE; REVOKE ALL ON SCHEMA public FROM PUBLIC; GRANT ALL ON SCHEMA public TO PUBLIC")


class Requests:
    """What a run sends to its source."""

    def __init__(self, pair):
        self.pair = pair
        self.texts = []

    def compare(self, *arguments, **options):
        with Proxy(self.pair.source.cluster.port, lambda number, data: self.texts.append(data)) as proxy:
            return self.pair.compare(*arguments, source=self.pair.source.tcp_conninfo(proxy.port, **options))

    def having(self, text):
        return [sent for sent in self.texts if text in sent]


# ---- which engine ----------------------------------------------------------------------------------------------------


def test_neither_side_has_the_extension(bare):
    bare.both(FIRST + "; CREATE TABLE keyless (v int); INSERT INTO keyless SELECT n % 7 FROM generate_series(1, 100) n")
    run = bare.compare("--no-progress").expect(IDENTICAL)
    assert run.stderr == ""
    assert all(table["path"] == STREAMED for table in run.report["tables"])
    bare.target.execute("UPDATE t SET v = 0 WHERE id = 77; DELETE FROM t WHERE id = 3000; DELETE FROM keyless WHERE ctid = '(0,1)'")
    run = bare.compare().expect(DIVERGENT)
    assert findings(run.table("public.t")) == {mismatch("v", id="77"), missing_on_target(id="3000")}
    found, = run.table("public.keyless")["divergences"]
    assert (found["kind"], found["row"]) == ("missing_on_target", {"v": "1"})
    assert "path stream on source, stream on target" in bare.run("--verbose").expect(DIVERGENT).stderr


@pytest.mark.parametrize("engine", ["mixed", "mixed reverse"], indirect=True)
def test_one_side_has_the_extension(pair):
    pair.both(FIRST)
    assert pair.compare().expect(IDENTICAL).table()["path"] == pair.path("scan")
    assert pair.compare("--engine", "stream").expect(IDENTICAL).table()["path"] == STREAMED
    pair.target.execute("UPDATE t SET v = 0 WHERE id = 77")
    assert findings(pair.compare().expect(DIVERGENT).table()) == {mismatch("v", id="77")}
    assert findings(pair.compare("--engine", "stream").expect(DIVERGENT).table()) == {mismatch("v", id="77")}
    run = pair.run("--engine", "extension").expect(ERROR)
    bare = "target" if pair.engine == "mixed" else "source"
    assert f"on the {bare}" in run.stderr and "pg_parity" in run.stderr and "CREATE EXTENSION" in run.stderr
    assert run.stdout == ""


def test_both_sides_have_the_extension(pair):
    pair.both(FIRST)
    for status, found in ((IDENTICAL, set()), (DIVERGENT, {mismatch("v", id="77")})):
        if found:
            pair.target.execute("UPDATE t SET v = 0 WHERE id = 77")
        for arguments, path in (([], "scan"), (["--engine", "extension"], "scan"), (["--engine", "stream"], "stream")):
            table = pair.compare(*arguments).expect(status).table()
            assert table["path"] == {"source": path, "target": path} and findings(table) == found


OTHER_VERSION = "CREATE OR REPLACE FUNCTION parity.format_version() RETURNS integer LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS 'SELECT 2'"


def test_extension_of_another_format_version_is_not_used(pair):
    pair.both(FIRST)
    pair.target.execute(OTHER_VERSION)
    run = pair.compare().expect(IDENTICAL)
    assert run.table()["path"] == {"source": "scan", "target": "stream"}
    assert "target: rows are streamed" in run.stderr and "digest format 2" in run.stderr
    assert pair.compare("--engine", "stream", "--no-progress").expect(IDENTICAL).stderr == ""
    run = pair.run("--engine", "extension").expect(ERROR)
    assert "format" in run.stderr and run.stdout == ""
    pair.target.execute("UPDATE t SET v = 0 WHERE id = 77")
    for arguments in ([], ["--engine", "stream"]):
        assert findings(pair.compare(*arguments).expect(DIVERGENT).table()) == {mismatch("v", id="77")}


# ---- rights ----------------------------------------------------------------------------------------------------------

STREAMER = ("DO $$ BEGIN CREATE ROLE streamer LOGIN NOINHERIT PASSWORD '" + PASSWORD + "'; EXCEPTION WHEN duplicate_object THEN NULL; END $$;"
            "REVOKE ALL ON SCHEMA public FROM PUBLIC; GRANT USAGE ON SCHEMA public TO streamer;")


def streamer(pair, grants):
    """A role that has nothing but what `grants` gives, with connection strings for it."""
    pair.both(STREAMER + grants)
    return {"source": pair.source.conninfo(user="streamer"), "target": pair.target.conninfo(user="streamer")}


def test_extension_that_the_role_may_not_use_is_not_used(pair):
    pair.both(FIRST)
    sides = streamer(pair, "GRANT SELECT ON t TO streamer")
    pair.target.execute("REVOKE ALL ON SCHEMA parity FROM PUBLIC")
    run = pair.compare(**sides).expect(IDENTICAL)
    assert run.table()["path"] == {"source": "scan", "target": "stream"}
    assert "target: rows are streamed" in run.stderr and "USAGE" in run.stderr
    assert pair.compare("--engine", "extension", **sides).status in (ERROR, INCOMPLETE)
    pair.target.execute("UPDATE t SET v = 0 WHERE id = 77")
    assert findings(pair.compare(**sides).expect(DIVERGENT).table()) == {mismatch("v", id="77")}


def test_role_with_select_alone(bare_scratch):
    bare_scratch.both(SPREAD)
    sides = streamer(bare_scratch, "GRANT SELECT ON t TO streamer")
    bare_scratch.compare("--workers", "3", **sides).expect(IDENTICAL)
    bare_scratch.target.execute("UPDATE t SET v = 0 WHERE id = 2999")
    assert findings(bare_scratch.compare("--ranges", "200", **sides).expect(DIVERGENT).table()) == {mismatch("v", id="2999")}


def test_role_with_select_on_some_columns(bare_scratch):
    """It may not lock the table, nor see where its rows stand."""
    bare_scratch.both(SPREAD)
    sides = streamer(bare_scratch, "GRANT SELECT (id, v) ON t TO streamer")
    run = bare_scratch.compare("--workers", "3", **sides).expect(INCOMPLETE)
    assert any("filler" in reason for reason in run.table()["skipped"])
    bare_scratch.both("UPDATE t SET filler = 'secret'")
    bare_scratch.target.execute("UPDATE t SET v = 0 WHERE id = 2999; UPDATE t SET filler = 'other' WHERE id = 1")
    run = bare_scratch.compare("--columns", "v", **sides).expect(DIVERGENT)
    assert findings(run.table()) == {mismatch("v", id="2999")}
    assert run.table()["divergences"][0]["target"] == {"v": "0"}
    assert "secret" not in run.stdout + run.stderr
    run = bare_scratch.compare("--columns", "v", "--where", "filler = 'secret'", **sides)
    assert run.status in (ERROR, INCOMPLETE) and "permission denied" in run.stdout, run


PARTITIONED = ("CREATE TABLE t (id int PRIMARY KEY, v int, w int) PARTITION BY RANGE (id); CREATE TABLE t1 PARTITION OF t FOR VALUES FROM (0) TO (2000);"
               "CREATE TABLE t2 (w int, id int NOT NULL, v int); ALTER TABLE t ATTACH PARTITION t2 FOR VALUES FROM (2000) TO (9999);"
               "INSERT INTO t SELECT n, n, n FROM generate_series(1, 3000) n")


@pytest.mark.parametrize("grants", ["GRANT SELECT ON t TO streamer", "GRANT SELECT ON t, t2 TO streamer", "GRANT SELECT ON t, t1, t2 TO streamer",
                                    "GRANT SELECT ON t TO streamer; GRANT SELECT (id, v) ON t1, t2 TO streamer"])
@pytest.mark.parametrize("where", ["w > 0", None])
def test_partitions_without_grants_of_their_own(bare_scratch, grants, where):
    bare_scratch.both(PARTITIONED)
    sides = streamer(bare_scratch, grants)
    arguments = ["--table", "t", "--exclude-columns", "t.w", *(["--where", where] if where else [])]
    bare_scratch.compare(*arguments, **sides).expect(IDENTICAL)
    bare_scratch.target.execute("UPDATE t SET v = 0 WHERE id IN (5, 2500)")
    table = bare_scratch.compare(*arguments, **sides).expect(DIVERGENT).table()
    assert findings(table) == {mismatch("v", id="5"), mismatch("v", id="2500")}


# ---- dividing --------------------------------------------------------------------------------------------------------


def test_blocks_are_read_by_several_connections(bare_scratch):
    bare_scratch.both(SPREAD)
    bare_scratch.target.execute("DELETE FROM t WHERE id % 1000 = 0")
    requests = Requests(bare_scratch)
    table = requests.compare("--workers", "3", "--ranges", "8").expect(DIVERGENT).table()
    assert findings(table) == {missing_on_target(id=str(n)) for n in range(1000, 6001, 1000)}
    assert len(requests.having(b"SET TRANSACTION SNAPSHOT")) >= 3
    assert len(requests.having(b"ctid >= ")) >= 3


def test_bounds_of_a_sample(bare_scratch):
    bare_scratch.both(FIRST)
    requests = Requests(bare_scratch)
    table = requests.compare("--ranges", "16").expect(IDENTICAL).table()
    assert table["ranges"]["compared"] == 16 and requests.having(b"TABLESAMPLE")
    bare_scratch.target.execute("UPDATE t SET v = 0 WHERE id = 77")
    table = requests.compare("--ranges", "16").expect(DIVERGENT).table()
    assert table["ranges"] == {"compared": 16, "divergent": 1} and findings(table) == {mismatch("v", id="77")}


@pytest.mark.parametrize("type, value", [("int", "n"), ("bpchar(9)", "'key' || n"), ("bit(16)", "n::bit(16)"), ("text", "'key' || n"), ("money", "n::text::money")])
def test_bounds_of_a_histogram(bare, source_cluster, type, value):
    """A foreign table has no blocks to sample, but statistics: with as many different bounds as there are."""
    bare.both(f"CREATE TABLE far (id {type} NOT NULL, v int); INSERT INTO far SELECT {value}, n FROM generate_series(1, 3000) n")
    bare.target.execute(f"CREATE TABLE t (id {type} NOT NULL, v int); INSERT INTO t TABLE far")
    bare.source.execute(
        "CREATE EXTENSION postgres_fdw;"
        f"CREATE SERVER s FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '{source_cluster.socket_directory}', port '{source_cluster.port}', dbname '{bare.source.name}');"
        "CREATE USER MAPPING FOR postgres SERVER s OPTIONS (user 'postgres');"
        f"CREATE FOREIGN TABLE t (id {type} NOT NULL, v int) SERVER s OPTIONS (table_name 'far'); ANALYZE t")
    bare.target.execute("UPDATE t SET v = 0 WHERE v = 77")
    requests = Requests(bare)
    table = requests.compare("--table", "t", "--key", "t=id", "--ranges", "50").expect(DIVERGENT).table()
    assert requests.having(b"histogram_bounds") and table["ranges"] == {"compared": 50, "divergent": 1}
    assert table["counts"]["mismatch"] == "1"


def test_views_are_divided_by_hash(bare):
    bare.both(FIRST + "; CREATE VIEW w AS SELECT * FROM t")
    bare.target.execute("UPDATE t SET v = 0 WHERE id = 77")
    table = bare.compare("--table", "w", "--key", "w=id", "--ranges", "16").expect(DIVERGENT).table()
    assert table["ranges"] == {"compared": 16, "divergent": 1}
    assert findings(table) == {mismatch("v", id="77")}


# Keys with their edges; rows there differ, and few of many ranges hold them, so that they are read through conditions.
KEYS = {
    "smallint": ("(n - 1500)::smallint", ["-32768", "32767", "0"]),
    "bigint": ("n::bigint * 1000000007", ["-9223372036854775808", "9223372036854775807"]),
    "real": ("n / 7::real", ["-Infinity", "Infinity", "NaN", "1e-45", "0"]),
    "double precision": ("n / 7::float8", ["-Infinity", "Infinity", "NaN", "5e-324", "-1.7976931348623157e308"]),
    "numeric": ("n / 7::numeric", ["-Infinity", "Infinity", "NaN", "1e-1000", "-1e3000", "0"]),
    "date": ("date '2000-01-01' + n", ["-infinity", "infinity", "0044-03-15 BC", "4714-11-24 BC", "5874897-12-31"]),
    "time": ("time '00:00' + n * interval '7 s'", ["24:00", "23:59:59.999999"]),
    "timestamp": ("timestamp '2000-01-01' + n * interval '7 h'", ["-infinity", "infinity", "4714-11-24 00:00:00 BC", "294276-12-31 23:59:59.999999"]),
    "timestamptz": ("timestamptz '2000-01-01+00' + n * interval '7 h'", ["-infinity", "infinity", "0001-12-31 23:59:59 BC"]),
    "uuid": ("md5(n::text)::uuid", ["00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff"]),
    "bytea": ("decode(md5(n::text), 'hex')", ["", "\\x00", "\\x5c", "\\x27", "\\xffffffffffffffffffffffffffffffffff"]),
    "text": ("md5(n::text)", ["", " ", "'", "\\", "\\'", "é", "e", "E", "Z", "zz", "𝄞", "--", "$$"]),
    'text COLLATE "C"': ("md5(n::text)", ["", " ", "'", "\\", "é", "Z", "𝄞"]),
    "varchar(50) COLLATE \"de-x-icu\"": ("md5(n::text)", ["", "a ", "A", "ä", "ß", "ss"]),
    "char(40)": ("md5(n::text)", ["a", "a'\\", "ä", "~"]),
    "name": ("md5(n::text)", ["", "é", "'"]),
    "interval": ("n * interval '1 day'", ["-1 mon", "1 mon", "178000000 years"]),
    "boolean[]": ("string_to_array(n::bit(14)::text, NULL)::boolean[]", ["{}", "{NULL}"]),
}


@pytest.mark.matrix(sample=3)
@pytest.mark.parametrize("type", KEYS)
def test_keys_of_every_order(bare_scratch, type):
    value, edges = KEYS[type]
    bare_scratch.both(f"CREATE TABLE t (id {type} PRIMARY KEY, v int); INSERT INTO t SELECT {value}, n FROM generate_series(1, 3000) n")
    for number, edge in enumerate(edges):
        for side, v in ((bare_scratch.source, number), (bare_scratch.target, -1 - number)):
            side.execute(f"INSERT INTO t VALUES (%s, {v}) ON CONFLICT (id) DO UPDATE SET v = {v}", [edge])
    bare_scratch.target.execute("DELETE FROM t WHERE v = 1234")
    for ranges in ("500", "3"):
        table = bare_scratch.compare("--ranges", ranges).expect(DIVERGENT).table()
        assert table["counts"] == {"mismatch": str(len(edges)), "missing_on_target": "1", "missing_on_source": "0"}
        values = {(d["source"]["v"], d["target"]["v"]) for d in table["divergences"] if d["kind"] == "mismatch"}
        assert values == {(str(n), str(-1 - n)) for n in range(len(edges))}
        assert not table.get("notes"), table["notes"]


def test_keys_whose_first_column_says_little(bare_scratch):
    """Divergent ranges that the first column does not tell apart: each row is read once all the same."""
    bare_scratch.both("CREATE TABLE t (a int, b int, v int, PRIMARY KEY (a, b)); INSERT INTO t SELECT n / 5000, n % 5000, n FROM generate_series(0, 9999) n")
    bare_scratch.target.execute("UPDATE t SET v = -1 WHERE b IN (17, 2500, 4000)")
    table = bare_scratch.compare("--ranges", "500").expect(DIVERGENT).table()
    assert findings(table) == {mismatch("v", a=a, b=b) for a in "01" for b in ("17", "2500", "4000")}
    assert not table.get("notes"), table["notes"]


def test_nulls_in_an_unproven_key(bare_scratch):
    bare_scratch.both("CREATE TABLE t (k int, v int); CREATE INDEX ON t (k); INSERT INTO t SELECT NULLIF(n % 2000, 3), n FROM generate_series(1, 4000) n")
    bare_scratch.target.execute("UPDATE t SET v = -1 WHERE v IN (3, 100); INSERT INTO t VALUES (NULL, 5), (NULL, 5)")
    table = bare_scratch.compare("--key", "t=k", "--ranges", "500").expect(DIVERGENT).table()
    assert table["counts"] == {"mismatch": "2", "missing_on_target": "0", "missing_on_source": "2"}
    assert {d["key"]["k"] for d in table["divergences"]} == {None, "100"}
    assert not table.get("notes"), table["notes"]


# ---- conditions ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("where", ["v % 2 = 0", "t.v < 500 OR t.id > 2990", "id IN (SELECT v FROM public.t WHERE v < 100)", "v < 1000 -- and no more",
                                   "v <> 5 /* ) */ AND '(' = '('", "t.* IS NOT NULL AND id < 1500"])
def test_conditions_choose_the_same_rows(pair, where):
    pair.both(FIRST)
    pair.target.execute("UPDATE t SET v = v + 2 WHERE id % 100 = 4")
    seen = []
    for engine in ("extension", "stream"):
        table = pair.compare("--engine", engine, "--where", where, "--ranges", "30").expect(DIVERGENT).table()
        seen.append((table["rows"], findings(table), table["counts"]))
    assert seen[0] == seen[1] and seen[0][1]


@pytest.mark.matrix(sample=3)
@pytest.mark.parametrize("where", ["true) OR (true", "true) TO STDOUT; DROP TABLE t; --", "v = 1; DROP TABLE t", "(true", "true) UNION ALL (SELECT 1",
                                   "v::text = E'x'\n'\\' || ') OR (true --'", "v::text = $$x$$) OR (true", "id = 1 LIMIT 1", "id, v", "true /*"])
def test_conditions_stay_in_their_parentheses(bare_scratch, where):
    bare_scratch.both(FIRST)
    run = bare_scratch.compare("--where", where, "--ranges", "4")
    assert run.status in (ERROR, INCOMPLETE), run
    assert bare_scratch.source.value("SELECT count(*) FROM t") == 3000


# ---- values ----------------------------------------------------------------------------------------------------------

TYPES = """
CREATE TYPE mood AS ENUM ('sad', 'ok', 'Happy "Day"');
CREATE DOMAIN positive AS numeric(12, 2) CHECK (VALUE > 0); CREATE DOMAIN code AS char(5); CREATE DOMAIN codes AS code[];
CREATE TYPE pair AS (a int, b text); CREATE TYPE nested AS (p pair, ps pair[], m mood, at timestamptz);
CREATE TYPE span AS RANGE (subtype = timestamptz); CREATE TYPE moods AS RANGE (subtype = mood);
CREATE TABLE t (id int PRIMARY KEY, m mood, ms mood[], p positive, c code, cs codes, r pair, n nested, s span, ss span_multirange, mr moods,
    class regclass, type regtype, proc regprocedure, role regrole, namespace regnamespace, coll regcollation, config regconfig,
    matrix float8[][], js json, jb jsonb[], x xml, path jsonpath, tv tsvector, tq tsquery, net inet[], b bit varying, ch "char", l lseg, snap pg_snapshot)"""

TYPE_ROWS = """
INSERT INTO t VALUES (1, 'Happy "Day"', '{sad,NULL,"Happy \\"Day\\""}', 17.5, 'ab', '{a,NULL,"b c"}', '(1,"x,y")', '("(2,)","{""(3,z)"",NULL}",ok,"2020-06-01 12:00+02")',
    '[2020-01-01 00:00+00,)', '{[2020-01-01 00:00+00,2020-02-01 00:00+00)}', '[sad,ok]', 'pg_class', 'integer[]', 'lower(text)', 'postgres', 'public', '"C"', 'english',
    '{{1,NaN},{-0,Infinity}}', '{"a": 1, "a": 2}', ARRAY['{"z":1.0,"é":[null]}'::jsonb, NULL], '<a>x</a>', '$.a[*] ? (@ > 1)', 'fat:3A cat:1,2B', 'fat & !(cat <-> rat:*)',
    '{10.0.0.1/8,::1}', B'10101', 'x', '((0,-0),(1,2))', '10:20:10,14,15'),
  (2), (3, 'sad', '{}', 1, '', '{}', '(,)', '(,,,)', 'empty', '{}', '(,)', 0, 0, 0, 0, 0, 0, 0, '{}', 'null', '{}', '<b/>', '$', '', '', '{}', '', '', '((0,0),(0,0))', '1:1:')"""

# Each of them changes one cell.
TYPE_CHANGES = {"m": "'ok'", "ms": "'{sad,sad}'", "p": "17.51", "cs": "'{a,b,\"b c\"}'", "r": "'(1,\"x,z\")'", "n": "'(\"(2,)\",\"{\"\"(3,z)\"\",NULL}\",sad,\"2020-06-01 12:00+02\")'",
                "s": "'(2020-01-01 00:00+00,)'", "mr": "'[ok,ok]'", "class": "'pg_type'", "proc": "'upper(text)'", "jb": "ARRAY['{\"z\":1.0,\"é\":[false]}'::jsonb, NULL]",
                "tq": "'fat & !(cat <2> rat:*)'", "ch": "'y'", "snap": "'10:20:10,14'", "matrix": "'{{1,NaN},{0,-Infinity}}'"}


@pytest.mark.parametrize("engine", ["stream", "mixed", "mixed reverse"], indirect=True)
def test_types_made_of_others(pair):
    pair.source.execute("CREATE TYPE filler AS ENUM ('x')")  # other OIDs
    pair.both(TYPES)
    pair.both(TYPE_ROWS.replace("(2)", "(2" + ", NULL" * 29 + ")"))
    table = pair.compare("--table", "t").expect(IDENTICAL).table()
    assert not table["skipped"]
    others = ", ".join(name for name, in pair.source.query("SELECT attname FROM pg_attribute WHERE attrelid = 't'::regclass AND attnum > 1 ORDER BY attnum"))
    pair.both(f"INSERT INTO t SELECT 100 + copy, {others} FROM t, generate_series(1, {len(TYPE_CHANGES)}) copy WHERE id = 1")
    expected = set()
    for row, (column, value) in enumerate(TYPE_CHANGES.items(), start=101):
        pair.target.execute(f"UPDATE t SET {column} = {value} WHERE id = {row}")
        expected.add(mismatch(column, id=str(row)))
    assert findings(pair.compare("--table", "t").expect(DIVERGENT).table()) == expected


@pytest.mark.in_turn("large tables")
def test_a_random_cell_is_found_by_both_engines(pair):
    rng = random.Random(f"{SEED}.cell")
    print(f"PARITY_SEED={SEED}")
    columns = {"i": "n", "t": "md5(n::text)", "d": "n / 7::numeric", "f": "sqrt(n)", "j": "jsonb_build_object('n', n)", "a": "ARRAY[n, NULL]", "ts": "timestamptz '2000-01-01' + n * interval '1 h'"}
    pair.both(f"CREATE TABLE t AS SELECT n AS id, {', '.join(f'{e} AS {c}' for c, e in columns.items())} FROM generate_series(1, 5000) n; ALTER TABLE t ADD PRIMARY KEY (id)")
    for _ in range(6):
        side, column, row = rng.choice([pair.source, pair.target]), rng.choice(list(columns)), rng.randint(1, 5000)
        side.execute(f"UPDATE t SET {column} = NULL WHERE id = {row}")
        for engine in ("extension", "stream"):
            table = pair.compare("--engine", engine, "--ranges", str(rng.choice([1, 10, 300]))).expect(DIVERGENT).table()
            assert findings(table) == {mismatch(column, id=str(row))}, (engine, column, row)
        side.execute(f"UPDATE t SET {column} = (SELECT {columns[column]} FROM (SELECT id AS n) x) WHERE id = {row}")
    pair.compare("--engine", "stream").expect(IDENTICAL)


def test_parents_with_plain_children(bare):
    bare.both("CREATE TABLE t (id int PRIMARY KEY, v int); CREATE TABLE child (extra int) INHERITS (t);"
              "INSERT INTO t SELECT n, n FROM generate_series(1, 100) n; INSERT INTO child SELECT n, n, n FROM generate_series(50, 150) n")
    bare.compare().expect(IDENTICAL)
    bare.target.execute("UPDATE ONLY child SET v = 0 WHERE id = 60; UPDATE ONLY t SET v = 1 WHERE id = 70")
    run = bare.compare().expect(DIVERGENT)
    for name, rows, id, proven in (("public.t", "100", "70", True), ("public.child", "101", "60", False)):
        table = run.table(name)
        assert table["rows"] == {"source": rows, "target": rows} and table["key_proven"] is proven
        assert findings(table) == {mismatch("v", id=id)}


def test_rows_on_either_side_alone(bare_scratch):
    bare_scratch.both("CREATE TABLE t (id int PRIMARY KEY, v text)")
    bare_scratch.source.execute("INSERT INTO t SELECT n, repeat('v', n % 50) FROM generate_series(1, 2000) n")
    table = bare_scratch.compare("--max-divergences", "0").expect(DIVERGENT).table()
    assert findings(table) == {missing_on_target(id=str(n)) for n in range(1, 2001)}
    with psycopg2.connect(bare_scratch.target.conninfo()) as connection, connection.cursor() as cursor:
        cursor.execute("INSERT INTO t VALUES (-5, NULL)")
    assert missing_on_source(id="-5") in findings(bare_scratch.compare("--max-divergences", "0").expect(DIVERGENT).table())
