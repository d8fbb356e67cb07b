"""Kinds of relations, layouts that differ, and names."""

import pytest

from support.cluster import PASSWORD, Cluster
from support.pgparity import DIVERGENT, ERROR, IDENTICAL, INCOMPLETE, findings, mismatch, missing_on_source, missing_on_target

pytestmark = [pytest.mark.every_engine, pytest.mark.matrix(sample=1)]

ROWS = "INSERT INTO t SELECT n, n % 10, 'v' || n FROM generate_series(1, 5000) n"


def test_partitioned_source_and_plain_target(pair):
    pair.source.execute(
        "CREATE TABLE t (id int PRIMARY KEY, k int, v text) PARTITION BY RANGE (id);"
        "CREATE TABLE t_low PARTITION OF t FOR VALUES FROM (MINVALUE) TO (1000);"
        "CREATE TABLE t_mid (v text, gone int, k int, id int NOT NULL); ALTER TABLE t_mid DROP gone;"
        "ALTER TABLE t ATTACH PARTITION t_mid FOR VALUES FROM (1000) TO (3000);"
        "CREATE TABLE t_high PARTITION OF t FOR VALUES FROM (3000) TO (MAXVALUE) PARTITION BY LIST (k);"
        "CREATE TABLE t_high_even PARTITION OF t_high FOR VALUES IN (0, 2, 4, 6, 8); CREATE TABLE t_high_rest PARTITION OF t_high DEFAULT"
        .replace("id int PRIMARY KEY, k int, v text", "id int NOT NULL, k int, v text"))
    pair.target.execute("CREATE TABLE t (id int PRIMARY KEY, k int, v text)")
    pair.both(ROWS)
    run = pair.compare("--key", "id", "--table", "public.t").expect(IDENTICAL)
    assert [t["source"] for t in run.report["tables"]] == ["public.t"]
    assert run.table()["rows"] == {"source": "5000", "target": "5000"}
    pair.source.execute("UPDATE t SET v = 'x' WHERE id IN (5, 2000, 4000); DELETE FROM t WHERE id = 4001")
    table = pair.compare("--key", "id", "--table", "public.t").expect(DIVERGENT).table()
    assert findings(table) == {mismatch("v", id=n) for n in ("5", "2000", "4000")} | {missing_on_source(id="4001")}


def test_partitions_are_reached_through_their_parent(pair):
    pair.both("CREATE TABLE t (id int PRIMARY KEY, k int, v text) PARTITION BY RANGE (id);"
              "CREATE TABLE t_1 PARTITION OF t FOR VALUES FROM (0) TO (2000); CREATE TABLE t_2 PARTITION OF t FOR VALUES FROM (2000) TO (9000)")
    pair.both(ROWS)
    run = pair.compare().expect(IDENTICAL)
    assert [t["source"] for t in run.report["tables"]] == ["public.t"]
    assert run.table()["key"] == ["id"] and run.table()["key_proven"] is True
    pair.target.execute("UPDATE t SET v = 'x' WHERE id IN (5, 4000)")
    assert findings(pair.compare().expect(DIVERGENT).table()) == {mismatch("v", id="5"), mismatch("v", id="4000")}


def test_inheritance(pair):
    pair.both("CREATE TABLE t (id int PRIMARY KEY, k int, v text); CREATE TABLE child (extra int) INHERITS (t)")
    pair.both(ROWS)
    pair.both("INSERT INTO child SELECT n, 0, 'child' || n, n FROM generate_series(5001, 6000) n")
    pair.target.execute("UPDATE child SET v = 'x' WHERE id = 5500")
    run = pair.compare("--key", "id").expect(DIVERGENT)
    assert run.table("public.t")["rows"]["source"] in ("5000", "6000")
    assert findings(run.table("public.child")) == {mismatch("v", id="5500")}


def test_unlogged_tables_and_materialised_views(pair):
    pair.both("CREATE UNLOGGED TABLE t (id int PRIMARY KEY, k int, v text)")
    pair.both(ROWS)
    pair.both("CREATE MATERIALIZED VIEW m AS SELECT * FROM t; CREATE UNIQUE INDEX ON m (id)")
    pair.target.execute("UPDATE t SET v = 'x' WHERE id = 17; REFRESH MATERIALIZED VIEW m")
    run = pair.compare("--key", "id").expect(DIVERGENT)
    for name in ("public.t", "public.m"):
        assert findings(run.table(name)) == {mismatch("v", id="17")}


def test_temporary_tables_are_nobodys_business(pair):
    pair.both("CREATE TABLE t (id int PRIMARY KEY); CREATE TEMPORARY TABLE mine (id int PRIMARY KEY)")
    run = pair.compare().expect(IDENTICAL)
    assert [t["source"] for t in run.report["tables"]] == ["public.t"]
    pair.target.execute("INSERT INTO t VALUES (7)")
    assert findings(pair.compare().expect(DIVERGENT).table()) == {missing_on_source(id="7")}


def test_views_only_when_named(pair):
    pair.both("CREATE TABLE t (id int PRIMARY KEY, k int, v text)")
    pair.both(ROWS)
    pair.both("CREATE VIEW w AS SELECT id, v FROM t WHERE k = 3")
    run = pair.compare().expect(IDENTICAL)
    assert [t["source"] for t in run.report["tables"]] == ["public.t"]
    assert any("view" in line for line in run.report["not_compared"])
    pair.compare("--table", "public.w", "--key", "id").expect(IDENTICAL)
    pair.target.execute("UPDATE t SET v = 'x' WHERE id = 13")
    table = pair.compare("--table", "public.w", "--key", "id").expect(DIVERGENT).table()
    assert findings(table) == {mismatch("v", id="13")}
    assert table["path"] == pair.path("aggregate")
    assert findings(pair.compare().expect(DIVERGENT).table()) == {mismatch("v", id="13")}


def test_foreign_tables_only_when_named(pair, source_cluster):
    pair.both("CREATE TABLE t (id int PRIMARY KEY, k int, v text)")
    pair.both(ROWS)
    pair.target.execute(
        "CREATE EXTENSION postgres_fdw;"
        f"CREATE SERVER s FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '127.0.0.1', port '{source_cluster.port}', dbname '{pair.source.name}');"
        "CREATE USER MAPPING FOR postgres SERVER s OPTIONS (user 'postgres', password '" + PASSWORD + "');"
        "CREATE FOREIGN TABLE f (id int NOT NULL, k int, v text) SERVER s OPTIONS (schema_name 'public', table_name 't')")
    pair.source.execute("CREATE TABLE f (id int PRIMARY KEY, k int, v text); INSERT INTO f SELECT * FROM t")
    run = pair.compare("--exclude-table", "public.f").expect(IDENTICAL)
    table = pair.compare("--table", "public.f", "--key", "id").expect(IDENTICAL).table()
    assert table["path"]["target"] == pair.path("aggregate")["target"] and table["rows"]["target"] == "5000"
    pair.source.execute("DELETE FROM f WHERE id = 7")
    table = pair.compare("--table", "public.f", "--key", "id").expect(DIVERGENT).table()
    assert findings(table) == {missing_on_source(id="7")}
    assert run.report["tables"]
    pair.target.execute("DELETE FROM t WHERE id = 9")
    assert findings(pair.compare("--exclude-table", "public.f").expect(DIVERGENT).table()) == {missing_on_target(id="9")}


def test_columns_in_another_order_dropped_and_added_with_a_default(pair):
    pair.source.execute("CREATE TABLE t (id int PRIMARY KEY, k int, v text)")
    pair.target.execute("CREATE TABLE t (gone text, v text, k int, also_gone bigint, id int PRIMARY KEY); ALTER TABLE t DROP gone, DROP also_gone")
    pair.both("INSERT INTO t (id, k, v) SELECT n, n % 10, 'v' || n FROM generate_series(1, 5000) n")
    pair.source.execute("ALTER TABLE t ADD later text DEFAULT 'same'")
    pair.target.execute("ALTER TABLE t ADD later text; UPDATE t SET later = 'same'")
    pair.compare().expect(IDENTICAL)
    pair.target.execute("UPDATE t SET later = 'other' WHERE id = 1")
    assert findings(pair.compare().expect(DIVERGENT).table()) == {mismatch("later", id="1")}


def test_layout_has_no_influence(pair):
    """Dead rows, updates, another fill factor, and a half all-visible table."""
    pair.both("CREATE TABLE t (id int PRIMARY KEY, k int, v text)")
    pair.both(ROWS)
    pair.target.execute("ALTER TABLE t SET (fillfactor = 30); UPDATE t SET k = k WHERE id % 3 = 0; DELETE FROM t WHERE id < 100")
    pair.target.execute("INSERT INTO t SELECT n, n % 10, 'v' || n FROM generate_series(1, 99) n")
    pair.source.execute("VACUUM t")
    pair.compare().expect(IDENTICAL)
    pair.target.execute("UPDATE t SET v = 'x' WHERE id IN (7, 3000)")
    assert findings(pair.compare().expect(DIVERGENT).table()) == {mismatch("v", id="7"), mismatch("v", id="3000")}


def test_generated_columns_are_compared(pair):
    pair.source.execute("CREATE TABLE t (id int PRIMARY KEY, a int, b int GENERATED ALWAYS AS (a * 2) STORED)")
    pair.target.execute("CREATE TABLE t (id int PRIMARY KEY, a int, b int GENERATED ALWAYS AS (a * 3) STORED)")
    pair.both("INSERT INTO t SELECT n, n - 1 FROM generate_series(1, 3) n")
    assert findings(pair.compare().expect(DIVERGENT).table()) == {mismatch("b", id="2"), mismatch("b", id="3")}


def test_renamed_tables_and_columns(pair):
    pair.source.execute("CREATE SCHEMA old; CREATE TABLE old.orders (id int PRIMARY KEY, amount numeric); CREATE TABLE old.items (id int PRIMARY KEY, n int)")
    pair.target.execute("CREATE SCHEMA new; CREATE TABLE new.purchases (order_id int PRIMARY KEY, total numeric); CREATE TABLE new.items (id int PRIMARY KEY, n int)")
    pair.source.execute("INSERT INTO old.orders SELECT n, n * 1.5 FROM generate_series(1, 100) n; INSERT INTO old.items SELECT n, n FROM generate_series(1, 100) n")
    pair.target.execute("INSERT INTO new.purchases SELECT n, n * 1.50 FROM generate_series(1, 100) n; INSERT INTO new.items SELECT n, n FROM generate_series(1, 100) n")
    maps = ("--map", "old.orders=new.purchases", "--map", "old.*=new.*", "--map-column", "old.orders.id=order_id", "--map-column", "orders.amount=total")
    run = pair.compare(*maps).expect(IDENTICAL)
    assert {(t["source"], t["target"]) for t in run.report["tables"]} == {("old.orders", "new.purchases"), ("old.items", "new.items")}
    pair.target.execute("UPDATE new.purchases SET total = 0 WHERE order_id = 7")
    table = pair.compare(*maps).expect(DIVERGENT).table("old.orders")
    assert findings(table) == {mismatch("amount", id="7")}
    run = pair.compare().expect(DIVERGENT)
    for name in ("old.orders", "old.items", "new.purchases", "new.items"):
        assert name in run.stdout


def test_a_column_takes_the_name_of_another(pair):
    pair.source.execute("CREATE TABLE t (id int PRIMARY KEY, a int, b int); INSERT INTO t VALUES (1, 2, 3)")
    pair.target.execute("CREATE TABLE t (id int PRIMARY KEY, b int); INSERT INTO t VALUES (1, 2)")
    run = pair.compare("--map-column", "a=b").expect(DIVERGENT)
    assert run.table()["result"] == "identical"
    assert [(d["object"], d["message"]) for d in run.report["schema_differences"]] == [("public.t.b", "column exists only on source")]
    options = ["--map-column", "a=b", "--exclude-columns", "b"]
    pair.compare(*options).expect(IDENTICAL)
    pair.target.execute("UPDATE t SET b = 7")
    assert findings(pair.compare(*options).expect(DIVERGENT).table()) == {mismatch("a", id="1")}
    pair.target.execute("UPDATE t SET b = 2")
    run = pair.compare("--map-column", "a=b", "--map-column", "id=b").expect(ERROR)
    assert '--map-column gives two columns of public.t the name b on the target' in run.stderr
    pair.target.execute("ALTER TABLE t ADD a int; UPDATE t SET a = 3")
    options = ["--map-column", "a=b", "--map-column", "b=a"]
    pair.compare(*options).expect(IDENTICAL)
    pair.target.execute("UPDATE t SET a = 7")
    assert findings(pair.compare(*options).expect(DIVERGENT).table()) == {mismatch("b", id="1")}


def test_names_that_need_quotes(pair):
    names = ["Mixed Case", "select", "naïve Ünïcödé 日本", 'with "quotes"', "semi;colon--", "dot.ted", "%s %1$s", "back\\slash", "'single'", "x" * 63]
    for number, name in enumerate(names):
        quoted = '"' + name.replace('"', '""') + '"'
        for side in (pair.source, pair.target):
            side.execute(f"CREATE SCHEMA {quoted}; CREATE TABLE {quoted}.{quoted} ({quoted} int PRIMARY KEY, \"V {number}\" text, \"a=b\" int)")
            side.execute(f"INSERT INTO {quoted}.{quoted} SELECT n, 'v' || n, n FROM generate_series(1, 300) n")
        pair.target.execute(f"UPDATE {quoted}.{quoted} SET \"V {number}\" = NULL WHERE {quoted} = 7")
    run = pair.compare().expect(DIVERGENT)
    assert len(run.report["tables"]) == len(names)
    found = {tuple(d["key"].items()) + tuple(d["columns"]) for t in run.report["tables"] for d in t["divergences"]}
    assert found == {((name, "7"), f"V {number}") for number, name in enumerate(names)}
    pair.run().expect(DIVERGENT)
    run = pair.compare("--table", '"Mixed Case"."Mixed Case"', "--where", '"a=b" > 7').expect(IDENTICAL)
    assert len(run.report["tables"]) == 1
    run = pair.compare("--table", '"Mixed Case"."Mixed Case"', "--where", '"a=b" > 6').expect(DIVERGENT)
    assert findings(run.table()) == {mismatch("V 0", **{"Mixed Case": "7"})}
    run = pair.compare("--table", '"dot.ted"."dot.ted"').expect(DIVERGENT)
    assert len(run.report["tables"]) == 1


@pytest.mark.repeated(engine=["stream"])
def test_patterns(pair):
    pair.both("CREATE SCHEMA a; CREATE SCHEMA b; CREATE TABLE a.one (id int PRIMARY KEY); CREATE TABLE a.two (id int PRIMARY KEY);"
              "CREATE TABLE b.one (id int PRIMARY KEY); CREATE TABLE b.\"One\" (id int PRIMARY KEY)")

    for status, result in ((IDENTICAL, "identical"), (DIVERGENT, "divergent")):
        if status == DIVERGENT:
            pair.target.execute("INSERT INTO a.one VALUES (1); INSERT INTO a.two VALUES (1); INSERT INTO b.one VALUES (1); INSERT INTO b.\"One\" VALUES (1)")

        def chosen(*arguments, status=status, result=result):
            return {t["source"] for t in pair.compare(*arguments).expect(status).report["tables"] if t["result"] == result}
        assert chosen() == {"a.one", "a.two", "b.one", 'b."One"'} or chosen() == {"a.one", "a.two", "b.one", "b.One"}
        assert chosen("--table", "a.*") == {"a.one", "a.two"}
        assert chosen("--table", "*.one") == {"a.one", "b.one"}
        assert chosen("--table", "A.ONE") == {"a.one"}
        assert chosen("--table", "a.t?o", "--table", "b.one") == {"a.two", "b.one"}
        assert chosen("--schema", "a", "--exclude-table", "*.two") == {"a.one"}


def test_where_columns_and_exclude_columns(pair):
    pair.both("CREATE TABLE t (id int PRIMARY KEY, k int, v text)")
    pair.both(ROWS)
    pair.target.execute("UPDATE t SET v = 'x' WHERE id = 13; UPDATE t SET k = 0 WHERE id = 11")
    table = pair.compare("--where", "k = 3").expect(DIVERGENT).table()
    assert findings(table) == {mismatch("v", id="13")} and table["rows"]["source"] == "500"
    assert findings(pair.compare("--columns", "k").expect(DIVERGENT).table()) == {mismatch("k", id="11")}
    assert findings(pair.compare("--exclude-columns", "public.t.k").expect(DIVERGENT).table()) == {mismatch("v", id="13")}
    pair.compare("--where", "id > 100").expect(IDENTICAL)


def test_nothing_comparable_is_not_equal(pair):
    """A keyless table, and one whose key is of a type without a form: no part of them was compared."""
    pair.both("CREATE EXTENSION cube; CREATE TABLE shapes (p cube); CREATE TABLE spans (span cube PRIMARY KEY, v int); CREATE TABLE t (id int PRIMARY KEY)")
    pair.source.execute("INSERT INTO shapes VALUES ('(1,2)'); INSERT INTO spans VALUES ('(1,2)', 1)")
    pair.target.execute("INSERT INTO shapes VALUES ('(3,4)'); INSERT INTO spans VALUES ('(3,4)', 2)")
    run = pair.compare()
    assert run.status in (DIVERGENT, INCOMPLETE) and run.report["incomplete"] is True
    for name in ("public.shapes", "public.spans"):
        table = run.table(name)
        assert table["result"] != "identical" and table["skipped"], table
    assert pair.compare("--table", "public.shapes").status in (DIVERGENT, ERROR, INCOMPLETE)


def test_foreign_partition(pair, source_cluster):
    """Rows of a partition that lies on another server are rows of the table, or the table is not compared."""
    pair.source.execute("CREATE TABLE far (id int NOT NULL, v int); INSERT INTO far SELECT n, n FROM generate_series(100, 199) n;"
                        "CREATE TABLE t (id int PRIMARY KEY, v int); INSERT INTO t SELECT n, n FROM generate_series(0, 199) n")
    pair.target.execute(
        "CREATE EXTENSION postgres_fdw;"
        f"CREATE SERVER s FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '127.0.0.1', port '{source_cluster.port}', dbname '{pair.source.name}');"
        "CREATE USER MAPPING FOR postgres SERVER s OPTIONS (user 'postgres', password '" + PASSWORD + "');"
        "CREATE TABLE t (id int NOT NULL, v int) PARTITION BY RANGE (id); CREATE TABLE near PARTITION OF t FOR VALUES FROM (0) TO (100);"
        "CREATE FOREIGN TABLE far PARTITION OF t FOR VALUES FROM (100) TO (200) SERVER s OPTIONS (table_name 'far');"
        "INSERT INTO near SELECT n, n FROM generate_series(0, 99) n")
    table = pair.compare("--table", "public.t", "--key", "id").expect(IDENTICAL).table()
    assert table["rows"] == {"source": "200", "target": "200"} and table["path"]["target"] == pair.path("aggregate")["target"]
    pair.source.execute("UPDATE far SET v = 0 WHERE id = 150")
    assert findings(pair.compare("--table", "public.t", "--key", "id").expect(DIVERGENT).table()) == {mismatch("v", id="150")}
    run = pair.compare("--exclude-table", "public.far", "--key", "t=id")
    assert run.status in (DIVERGENT, ERROR, INCOMPLETE)


@pytest.mark.in_turn("standbys")
def test_a_standby(pair, source_cluster):
    """Against its own standby, where no row is taken for all-visible and nothing can be written."""
    pair.source.execute("CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t SELECT n, repeat(md5(n::text), 1 + n % 200) FROM generate_series(1, 3000) n;"
                        "CREATE UNLOGGED TABLE u (id int PRIMARY KEY); INSERT INTO u VALUES (1)")
    with Cluster("standby", standby_of=source_cluster) as standby:
        standby.catch_up()
        target = standby.database(pair.source.name)
        t = ["--table", "public.t", "--no-sequences"]  # which would wait for the standby, also where its replay is paused
        run = pair.compare(*t, target=target.conninfo()).expect(IDENTICAL)
        assert run.report["target"]["in_recovery"] is True
        assert run.report["source"]["system_identifier"] == run.report["target"]["system_identifier"]
        pair.compare(*t, source=target.conninfo(), target=pair.source.conninfo()).expect(IDENTICAL)
        standby.database().query("SELECT pg_wal_replay_pause()")
        pair.source.execute("UPDATE t SET v = 'x' WHERE id = 17; DELETE FROM t WHERE id = 18")
        table = pair.compare(*t, target=target.conninfo()).expect(DIVERGENT).table()
        assert findings(table) == {mismatch("v", id="17"), missing_on_source(id="18")}
        table = pair.compare(*t, source=target.conninfo(), target=pair.source.conninfo()).expect(DIVERGENT).table()
        assert findings(table) == {mismatch("v", id="17"), missing_on_target(id="18")}
        # An unlogged table has no contents there: it must not read as empty.
        run = pair.compare("--table", "public.u", "--no-sequences", target=target.conninfo())
        assert run.status in (ERROR, INCOMPLETE), run
        run = pair.compare("--no-sequences", target=target.conninfo()).expect(DIVERGENT)
        assert [t["source"] for t in run.report["tables"]] == ["public.t"]
        assert "public.u" in str(run.report["not_compared"]) and "unlogged" in str(run.report["not_compared"])


def test_several_tables_at_once(pair):
    for n in range(12):
        pair.both(f"CREATE TABLE t{n} (id int PRIMARY KEY, v int); INSERT INTO t{n} SELECT g, g FROM generate_series(1, {100 * n}) g")
    pair.target.execute("UPDATE t3 SET v = 0 WHERE id = 3; DELETE FROM t11 WHERE id = 11")
    run = pair.compare("--jobs", "4").expect(DIVERGENT)
    assert len(run.report["tables"]) == 12
    assert findings(run.table("public.t3")) == {mismatch("v", id="3")}
    assert findings(run.table("public.t11")) == {missing_on_target(id="11")}
    assert all(t["result"] == "identical" for t in run.report["tables"] if t["source"] not in ("public.t3", "public.t11"))
