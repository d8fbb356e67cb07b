"""Every kind of key: findings are named by it, exactly."""

import re

import pytest
from conftest import insert_unindexed

from support.pgparity import DIVERGENT, IDENTICAL, INCOMPLETE, findings, mismatch, missing_on_source, missing_on_target
from support.proxy import Proxy

pytestmark = [pytest.mark.every_engine(late=("stream", "mixed", "mixed reverse")), pytest.mark.matrix(sample=1)]

# A key column's type and an expression that gives distinct values for n = 1 … 3000 in no particular order.
SINGLE_KEYS = {
    "smallint": "(n - 1500)::smallint",
    "integer": "(n - 1500) * 1000003",
    "bigint": "(n - 1500) * 1000000000039",
    "numeric": "n / 7.0",
    "double precision": "(n - 1500) / 7.0::float8",
    "uuid": "md5(n::text)::uuid",
    "text": "CASE n % 3 WHEN 0 THEN 'k' WHEN 1 THEN 'K' ELSE 'é' END || n",
    "varchar(40)": "md5(n::text)",
    "char(10)": "'c' || n",
    "bytea": "decode(md5(n::text), 'hex')",
    "date": "date '2000-01-01' + (n - 1500)",
    "time": "time '00:00' + n * interval '1.000001 s'",
    "timestamp": "timestamp '2000-01-01' + (n - 1500) * interval '1.000001 s'",
    "timestamptz": "timestamptz '2000-01-01 00:00+00' + (n - 1500) * interval '1 hour 0.000001 s'",
    "interval": "n * interval '1.5 s'",
    "integer[]": "ARRAY[n % 7, n]",
}


@pytest.mark.matrix(sample=3)
@pytest.mark.parametrize("key_type", SINGLE_KEYS)
def test_single_column_key(scratch, key_type):
    scratch.both(f"CREATE TABLE t (id {key_type} PRIMARY KEY, n int, v text);"
              f"INSERT INTO t SELECT {SINGLE_KEYS[key_type]}, n, 'v' || n FROM generate_series(1, 3000) n")
    scratch.compare("--ranges", "16").expect(IDENTICAL)

    changed, lost, added = 17, 1500, 2999
    ids = {n: scratch.source.value("SELECT id::text "
                                "FROM t WHERE n = %s", [n]) for n in (changed, lost, added)}
    scratch.target.execute(f"UPDATE t SET v = 'changed' WHERE n = {changed}; DELETE FROM t WHERE n = {lost}")
    scratch.source.execute(f"DELETE FROM t WHERE n = {added}")
    table = scratch.compare("--ranges", "16").expect(DIVERGENT).table()
    found = {(kind, columns): dict(key)["id"] for kind, key, columns in findings(table)}
    assert found.keys() == {("mismatch", ("v",)), ("missing_on_target", ()), ("missing_on_source", ())}
    for what, n in ((("mismatch", ("v",)), changed), (("missing_on_target", ()), lost), (("missing_on_source", ()), added)):
        assert scratch.source.value(f"SELECT %s::{key_type} = %s::{key_type}", [found[what], ids[n]]), (found[what], ids[n])
    assert table["rows"] == {"source": "2999", "target": "2999"}
    assert table["key"] == ["id"] and table["key_proven"] is True


@pytest.mark.parametrize("source_collation,target_collation", [
    ('"C"', '"en-US-x-icu"'), ('"en_us"', '"C"'), ('"en_us"', '"sv-x-icu"'), ('"und-x-icu"', '"ucs_basic"')])
def test_text_key_under_collations_that_differ(pair, source_collation, target_collation):
    pair.source.execute("CREATE COLLATION en_us (locale = 'en_US.UTF-8')")
    words = "('a'), ('A'), ('b'), ('B'), ('ä'), ('Ä'), ('z'), ('Z'), ('a b'), ('ab'), ('a-b'), ('co-op'), ('coop'), ('0'), ('10'), ('9'), (''), (' '), ('_')"
    for side, collation in ((pair.source, source_collation), (pair.target, target_collation)):
        side.execute(f"CREATE TABLE t (id text COLLATE {collation} PRIMARY KEY, v int)")
        side.execute(f"INSERT INTO t SELECT w || '/' || n, n FROM (VALUES {words}) v(w), generate_series(1, 300) n")
    pair.compare("--ranges", "32").expect(IDENTICAL)
    pair.target.execute("UPDATE t SET v = -1 WHERE id = 'Ä/100'; DELETE FROM t WHERE id = 'a-b/200'")
    pair.source.execute("DELETE FROM t WHERE id = '_/7'")
    table = pair.compare("--ranges", "32").expect(DIVERGENT).table()
    assert findings(table) == {mismatch("v", id="Ä/100"), missing_on_target(id="a-b/200"), missing_on_source(id="_/7")}


def test_nondeterministic_collation_tells_letters_apart(pair):
    pair.both("CREATE COLLATION nocase (provider = icu, locale = 'und-u-ks-level2', deterministic = false)")
    pair.both("CREATE TABLE t (id text COLLATE nocase PRIMARY KEY, v text COLLATE nocase);"
              "INSERT INTO t SELECT 'Key' || n, 'Value' || n FROM generate_series(1, 500) n")
    pair.target.execute("UPDATE t SET v = 'VALUE7' WHERE id = 'key7'; UPDATE t SET id = 'KEY9' WHERE id = 'key9'")
    table = pair.compare().expect(DIVERGENT).table()
    assert findings(table) == {mismatch("v", id="Key7"), missing_on_target(id="Key9"), missing_on_source(id="KEY9")}


def test_composite_key(pair):
    pair.both("CREATE TABLE t (a text, b int, v text, PRIMARY KEY (a, b));"
              "INSERT INTO t SELECT 'a' || n / 100, n % 100, 'v' || n FROM generate_series(1, 5000) n")
    pair.compare("--ranges", "20").expect(IDENTICAL)
    pair.target.execute("UPDATE t SET v = NULL WHERE (a, b) = ('a7', 42); DELETE FROM t WHERE (a, b) = ('a10', 0);"
                        "INSERT INTO t VALUES ('', 0, 'x')")
    table = pair.compare("--ranges", "20").expect(DIVERGENT).table()
    assert findings(table) == {mismatch("v", a="a7", b="42"), missing_on_target(a="a10", b="0"), missing_on_source(a="", b="0")}
    assert table["key"] == ["a", "b"]


def test_composite_key_is_framed(pair):
    """('a', 'bc') and ('ab', 'c') are two keys, and neither stands for the other."""
    pair.both("CREATE TABLE t (a text, b text, v int, PRIMARY KEY (a, b))")
    pair.source.execute("INSERT INTO t VALUES ('a', 'bc', 1)")
    pair.target.execute("INSERT INTO t VALUES ('ab', 'c', 1)")
    table = pair.compare().expect(DIVERGENT).table()
    assert findings(table) == {missing_on_target(a="a", b="bc"), missing_on_source(a="ab", b="c")}


def test_descending_index_and_include_columns(pair):
    pair.both("CREATE TABLE t (a int NOT NULL, b timestamptz NOT NULL, v text);"
              "INSERT INTO t SELECT n % 50, timestamptz '2020-01-01+00' + n * interval '1 min', 'v' || n FROM generate_series(1, 4000) n;"
              "CREATE UNIQUE INDEX ON t (a DESC, b DESC) INCLUDE (v)")
    pair.compare("--ranges", "16").expect(IDENTICAL)
    pair.target.execute("UPDATE t SET v = 'x' WHERE a = 3 AND b = timestamptz '2020-01-01 00:53+00'")
    table = pair.compare("--ranges", "16").expect(DIVERGENT).table()
    assert table["counts"] == {"mismatch": "1", "missing_on_target": "0", "missing_on_source": "0"}
    assert table["divergences"][0]["key"]["a"] == "3"
    assert table["key_proven"] is True


@pytest.mark.parametrize("index", [
    "CREATE UNIQUE INDEX ON t (id)",                                       # over a nullable column
    "ALTER TABLE t ALTER id SET NOT NULL; CREATE UNIQUE INDEX ON t (id) WHERE id > 5",
    "ALTER TABLE t ALTER id SET NOT NULL; CREATE UNIQUE INDEX ON t ((id + 1))",
    "ALTER TABLE t ALTER id SET NOT NULL; ALTER TABLE t ADD UNIQUE (id) DEFERRABLE",
    "ALTER TABLE t ALTER id SET NOT NULL; CREATE INDEX ON t (id)",
])
def test_index_that_proves_nothing(scratch, index):
    scratch.both(f"CREATE TABLE t (id int, v int); INSERT INTO t SELECT n, n FROM generate_series(1, 100) n; {index}")
    table = scratch.compare().expect(IDENTICAL).table()
    assert table["key"] == [] and table["key_proven"] is False
    table = scratch.compare("--key", "id").expect(IDENTICAL).table()
    assert table["key"] == ["id"] and table["key_proven"] is False
    scratch.target.execute("UPDATE t SET v = -1 WHERE id = 77")
    found, = [d for d in scratch.compare().expect(DIVERGENT).table()["divergences"] if d["kind"] == "missing_on_target"]
    assert found["row"] == {"id": "77", "v": "77"}
    assert findings(scratch.compare("--key", "id").expect(DIVERGENT).table()) == {mismatch("v", id="77")}


def test_not_null_that_was_never_validated_proves_nothing(pair):
    """From PostgreSQL 18 on such a column is marked NOT NULL and may hold NULL. Before, a CHECK is all there is."""
    pair.both("CREATE TABLE t (id int UNIQUE, v int); INSERT INTO t SELECT NULLIF(n, n / 10 * 10), n FROM generate_series(1, 400) n")
    pair.target.execute("UPDATE t SET v = -1 WHERE v = 10")
    for side in (pair.source, pair.target):
        constraint = "NOT NULL id" if side.connection.server_version >= 180000 else "CHECK (id IS NOT NULL)"
        side.execute(f"ALTER TABLE t ADD CONSTRAINT filled {constraint} NOT VALID")
    for engine in ("auto", "stream"):
        table = pair.compare("--engine", engine, "--ranges", "4").expect(DIVERGENT).table()
        assert table["key"] == [] and table["counts"] == {"mismatch": "0", "missing_on_target": "1", "missing_on_source": "1"}
        table = pair.compare("--engine", engine, "--ranges", "4", "--key", "id").expect(DIVERGENT).table()
        assert table["rows"] == {"source": "400", "target": "400"} and table["key_proven"] is False
        assert findings(table) == {mismatch("v", id=None)}


def test_keyless_with_duplicates(pair):
    pair.both("CREATE TABLE t (a int, b text);"
              "INSERT INTO t SELECT n % 100, 'b' || n % 10 FROM generate_series(1, 5000) n; INSERT INTO t VALUES (NULL, NULL), (NULL, NULL)")
    pair.compare().expect(IDENTICAL)
    pair.source.execute("INSERT INTO t VALUES (7, 'b7'), (7, 'b7'), (NULL, NULL)")
    pair.target.execute("DELETE FROM t WHERE ctid = (SELECT min(ctid) FROM t WHERE a = 8); INSERT INTO t VALUES (1000, NULL)")
    run = pair.compare().expect(DIVERGENT)
    table = run.table()
    assert table["counts"] == {"mismatch": "0", "missing_on_target": "4", "missing_on_source": "1"}
    found = {(d["kind"], d["row"]["a"], d["row"]["b"], d["occurrences"]) for d in table["divergences"]}
    assert found == {("missing_on_target", "7", "b7", "2"), ("missing_on_target", None, None, "1"),
                     ("missing_on_target", "8", "b8", "1"), ("missing_on_source", "1000", None, "1")}
    assert table["key"] == []


def test_keyless_even_number_of_copies(pair):
    """Two copies of one row against two copies of another: under XOR both sums would be zero."""
    pair.both("CREATE TABLE t (a int)")
    pair.source.execute("INSERT INTO t VALUES (1), (1), (3)")
    pair.target.execute("INSERT INTO t VALUES (2), (2), (3)")
    table = pair.compare().expect(DIVERGENT).table()
    assert table["counts"] == {"mismatch": "0", "missing_on_target": "2", "missing_on_source": "2"}


def test_unproven_key_where_two_rows_swap_cells(pair):
    """Rows under one key value swap a cell: every column's sum stays as it was; only the row sum tells."""
    pair.both("CREATE TABLE t (id int, a int, b int); INSERT INTO t SELECT n / 2, n, n FROM generate_series(2, 2001) n")
    pair.compare("--key", "id").expect(IDENTICAL)
    pair.target.execute("UPDATE t SET b = CASE b WHEN 14 THEN 15 ELSE 14 END WHERE id = 7")
    table = pair.compare("--key", "id").expect(DIVERGENT).table()
    assert table["result"] == "divergent" and table["key_proven"] is False
    assert {d["key"]["id"] for d in table["divergences"]} == {"7"}


def test_unproven_key_with_every_row_swapped(pair):
    pair.both("CREATE TABLE t (id int, a int, b int); INSERT INTO t SELECT n / 2, n % 2, n % 2 FROM generate_series(2, 1205) n")
    pair.target.execute("UPDATE t SET b = 1 - b")
    table = pair.compare("--key", "id", "--max-divergences", "0").expect(DIVERGENT).table()
    assert {d["key"]["id"] for d in table["divergences"]} == {str(n) for n in range(1, 603)}


def test_null_in_an_unproven_key(pair):
    pair.both("CREATE TABLE t (id int, v int); INSERT INTO t SELECT NULLIF(n, 50), n FROM generate_series(1, 100) n")
    pair.target.execute("UPDATE t SET v = 0 WHERE id IS NULL")
    table = pair.compare("--key", "id").expect(DIVERGENT).table()
    assert findings(table) == {mismatch("v", id=None)}


def test_int4_key_against_int8_key(pair):
    pair.source.execute("CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t SELECT n, 'v' || n FROM generate_series(1, 3000) n")
    pair.target.execute("CREATE TABLE t (id bigint PRIMARY KEY, v text); INSERT INTO t SELECT n, 'v' || n FROM generate_series(1, 3000) n")
    table = pair.compare("--ranges", "8").expect(IDENTICAL).table()
    assert {c["name"]: c["form"] for c in table["columns"]}["v"] == "text"
    pair.target.execute("INSERT INTO t SELECT 5000000000 + n, 'beyond' FROM generate_series(1, 3) n; INSERT INTO t VALUES (-9000000000, 'x')")
    table = pair.compare("--ranges", "8").expect(DIVERGENT).table()
    assert findings(table) == {missing_on_source(id=n) for n in ("5000000001", "5000000002", "5000000003", "-9000000000")}


def test_int8_source_with_bounds_beyond_the_targets_int4(pair):
    """Bounds come from the source; half of them do not fit the target's type."""
    pair.source.execute("CREATE TABLE t (id bigint PRIMARY KEY, v int); INSERT INTO t SELECT n::bigint * 2000000, n FROM generate_series(1, 4000) n")
    pair.target.execute("CREATE TABLE t (id int PRIMARY KEY, v int); INSERT INTO t SELECT n::bigint * 2000000, n FROM generate_series(1, 1000) n")
    table = pair.compare("--ranges", "64", "--max-divergences", "0").expect(DIVERGENT).table()
    assert table["counts"] == {"mismatch": "0", "missing_on_target": "3000", "missing_on_source": "0"}
    assert findings(table) == {missing_on_target(id=str(n * 2000000)) for n in range(1001, 4001)}


def test_corrupt_unique_index(pair):
    """A proven key that is not unique in truth: rows were inserted behind the index's back on both sides."""
    pair.both("CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t SELECT n, 'v' || n FROM generate_series(1, 1000) n")
    insert_unindexed(pair.source, "(500, 'second'), (500, 'third')")
    insert_unindexed(pair.target, "(500, 'second')")
    run = pair.compare("--ranges", "8").expect(DIVERGENT)
    assert run.table()["counts"] == {"mismatch": "0", "missing_on_target": "1", "missing_on_source": "0"}
    assert findings(run.table()) == {missing_on_target(id="500")}


def test_corrupt_unique_index_on_one_side(pair):
    pair.both("CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t SELECT n, 'v' || n FROM generate_series(1, 1000) n")
    insert_unindexed(pair.source, "(500, 'v500')")
    run = pair.compare().expect(DIVERGENT)
    assert findings(run.table()) == {missing_on_target(id="500")}
    assert "unique" in run.stdout + run.stderr or "duplicate" in run.stdout + run.stderr


class Thirteen:
    """The source as PostgreSQL 13, which it is in comparisons with that, or which it says that it is: TIDs cannot be read in ranges there, so that
    several connections share a table through an index of its key. The planner takes it."""

    def __init__(self, pair):
        self.pair = pair
        pair.source.execute(f"ALTER DATABASE {pair.source.name} SET enable_seqscan = off")

    def compare(self, *arguments):
        source, requests = self.pair.source, []
        version = str(source.connection.server_version).encode()
        with Proxy(source.cluster.port, lambda number, data: requests.append(data), lambda data: data.replace(version, b"130000")) as proxy:
            run = self.pair.compare("--engine", "stream", "--workers", "2", "--ranges", "8", *arguments, source=source.tcp_conninfo(proxy.port))
        self.shares = {share for data in requests for share in re.findall(rb'COPY .* AND (\("t"."id" (?:<|>=)[^)]*\))', data)}
        return run


DISAGREES = "an index of the key does not agree with the table on source: it is corrupt; rows were read without it"
PLAIN = "CREATE TABLE t (id int PRIMARY KEY, v text)"
PARTITIONED = (PLAIN + " PARTITION BY RANGE (id); CREATE TABLE low PARTITION OF t FOR VALUES FROM (0) TO (400);"
               "CREATE TABLE high PARTITION OF t FOR VALUES FROM (400) TO (5000)")


@pytest.mark.parametrize("made, table", [(PLAIN, "t"), (PARTITIONED, "high")], ids=["plain", "partitioned"])
@pytest.mark.parametrize("where", [[], ["--where", "id <> 77"]], ids=["all", "some"])
def test_rows_that_an_index_lacks_where_connections_share_it(pair, made, table, where):
    pair.both(made + "; INSERT INTO t SELECT n, 'v' || n FROM generate_series(1, 1000) n; ANALYZE t")
    thirteen = Thirteen(pair)
    assert not thirteen.compare(*where).expect(IDENTICAL).table()["notes"]
    shared = not (where and table == "high")  # partitions under a condition are read by way of their parent, as a whole and without an index
    assert len(thirteen.shares) == (2 if shared else 0)
    insert_unindexed(pair.source, "(2000, 'not seen by way of the index')", table)
    found = thirteen.compare(*where).expect(DIVERGENT).table()
    assert findings(found) == {missing_on_target(id="2000")} and found["notes"] == ([DISAGREES] if shared else [])


def test_partitions_that_are_not_there_are_not_shared(pair):
    pair.source.execute(PLAIN + " PARTITION BY RANGE (id)")
    pair.target.execute(PLAIN + "; INSERT INTO t SELECT n, 'v' || n FROM generate_series(1, 1000) n")
    assert Thirteen(pair).compare("--max-divergences", "5").expect(DIVERGENT).table()["counts"]["missing_on_source"] == "1000"


@pytest.mark.parametrize("arguments", [["--where", "true"], ["--engine", "stream"]], ids=["extension", "stream"])
def test_rows_that_an_index_lacks_where_it_has_all_columns(pair, arguments):
    """A small table of wide rows, of which the key alone is compared: its index is read faster than the table."""
    pair.both("CREATE TABLE t (id int PRIMARY KEY, filler text) WITH (fillfactor = 10); INSERT INTO t SELECT n, repeat('x', 300) FROM generate_series(1, 400) n")
    insert_unindexed(pair.target, "(2000, 'not in the index')")
    pair.both("CHECKPOINT")  # pages count as visible to all once the transactions are on disk
    for side in (pair.source, pair.target):
        side.execute("VACUUM ANALYZE t")
        assert "Index Only Scan" in side.value("EXPLAIN SELECT id FROM t")
    assert findings(pair.compare("--exclude-columns", "t.filler", *arguments).expect(DIVERGENT).table()) == {missing_on_source(id="2000")}


def test_key_given_for_a_table_that_has_one(pair):
    pair.both("CREATE TABLE t (id int PRIMARY KEY, code text NOT NULL UNIQUE, v int);"
              "INSERT INTO t SELECT n, 'c' || n, n FROM generate_series(1, 200) n")
    pair.target.execute("UPDATE t SET id = id + 1000 WHERE id = 7")
    table = pair.compare("--key", "t=code").expect(DIVERGENT).table()
    assert findings(table) == {mismatch("id", code="c7")}


def test_key_of_all_columns(pair):
    pair.both("CREATE TABLE t (a int, b int, PRIMARY KEY (a, b)); INSERT INTO t SELECT n, n % 7 FROM generate_series(1, 500) n")
    pair.compare().expect(IDENTICAL)
    pair.target.execute("DELETE FROM t WHERE a = 77")
    assert findings(pair.compare().expect(DIVERGENT).table()) == {missing_on_target(a="77", b="0")}


def test_primary_keys_that_prove_nothing_are_unproven_keys(pair):
    """A deferrable primary key, and one whose table has children, tell rows apart all the same: a changed cell is a mismatch."""
    pair.both("CREATE TABLE later (id int PRIMARY KEY DEFERRABLE, v int); INSERT INTO later SELECT n, n FROM generate_series(1, 500) n;"
              "CREATE TABLE parent (id int PRIMARY KEY, v int); CREATE TABLE child () INHERITS (parent);"
              "INSERT INTO parent SELECT n, n FROM generate_series(1, 50) n; INSERT INTO child SELECT n, n FROM generate_series(40, 90) n")
    pair.target.execute("UPDATE later SET v = 0 WHERE id = 7; UPDATE child SET v = 0 WHERE id = 80")
    run = pair.compare().expect(DIVERGENT)
    for name, key in (("public.later", "7"), ("public.child", "80")):
        table = run.table(name)
        assert table["key"] == ["id"] and table["key_proven"] is False
        assert findings(table) == {mismatch("v", id=key)}


def test_a_key_without_a_form_is_told(pair):
    """It would have been taken; rows are compared by the next key, or without one."""
    pair.both("CREATE EXTENSION cube; CREATE TABLE t (c cube PRIMARY KEY, v int); INSERT INTO t SELECT cube(n), n FROM generate_series(1, 50) n;"
              "CREATE TABLE u (c cube PRIMARY KEY, id int NOT NULL UNIQUE, v int); INSERT INTO u SELECT cube(n), n, n FROM generate_series(1, 50) n")

    def notes(run):
        return {table["source"]: [note for note in table["notes"] if "is not used" in note] for table in run.report["tables"]}
    pair.compare("--exclude-columns", "c").expect(IDENTICAL)
    run = pair.compare()
    told = notes(run)
    assert set(told) == {"public.t", "public.u"}, run
    for name, how in (("public.t", "without a key"), ("public.u", "by (id)")):
        assert [note.split(" (column c: ")[0] for note in told[name]] == ["key (c) on source is not used", "key (c) on target is not used"], told
        assert all(note.endswith(f"; rows are compared {how}") for note in told[name]), told
    assert run.status == INCOMPLETE  # of c nothing is known
    pair.target.execute("UPDATE t SET v = 0 WHERE v = 7; UPDATE u SET v = 0 WHERE id = 7")
    assert notes(pair.compare().expect(DIVERGENT)) == told
    run = pair.compare("--exclude-columns", "c").expect(DIVERGENT)
    assert findings(run.table("public.u")) == {mismatch("v", id="7")} and run.table("public.t")["result"] == "divergent"
