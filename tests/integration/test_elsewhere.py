"""Tables whose rows are not in their own pages: extensions keep them elsewhere. What SQL shows is what counts."""

import os
from dataclasses import dataclass, field

import psycopg2
import pytest

from conftest import Pair
from support.cluster import PASSWORD, Cluster
from support.pgparity import DIVERGENT, IDENTICAL, findings, mismatch, missing_on_source, missing_on_target
from support.standin import install_standin, show_elsewhere
from support.verified import Verified

pytestmark = pytest.mark.matrix(sample=1)

SEEN_BY_SELECT = ["planner", "analysis", "path"]
SHELL = ("CREATE TABLE ev (id bigint PRIMARY KEY, v text); CREATE SCHEMA store; CREATE TABLE store.ev (id bigint PRIMARY KEY, v text);"
         "INSERT INTO store.ev SELECT i, 'v' || i FROM generate_series(1, 1000) i")
CHANGED = "DELETE FROM store.ev WHERE id <= 300; UPDATE store.ev SET v = 'BAD' WHERE id > 990"
WRONG = {mismatch("v", id=str(i)) for i in range(991, 1001)} | {missing_on_target(id=str(i)) for i in range(1, 301)}
# As compressed chunks of a hypertable: the parent shows their rows, a child alone does not.
CHUNKS = ("CREATE TABLE m (at timestamptz NOT NULL, dev text NOT NULL, val float8, PRIMARY KEY (at, dev)); CREATE SCHEMA store;"
          "CREATE TABLE m_chunk (PRIMARY KEY (at, dev)) INHERITS (m); CREATE TABLE store.m (LIKE m INCLUDING ALL);"
          "INSERT INTO m_chunk SELECT timestamptz '2024-01-15 00:00+00' + i * interval '10 min', 'd' || i % 5, i FROM generate_series(1, 1500) i;"
          "INSERT INTO store.m SELECT * FROM m_chunk;"
          "INSERT INTO store.m SELECT timestamptz '2024-01-01 00:00+00' + i * interval '10 min', 'd' || i % 5, i FROM generate_series(1, 1500) i")


@pytest.mark.parametrize("way", SEEN_BY_SELECT)
def test_rows_elsewhere(pair, way):
    pair.both(SHELL)
    for side in (pair.source, pair.target):
        show_elsewhere(side, "public.ev", "store.ev", way)
    equal = pair.compare("--table", "public.ev", "--engine", "extension").expect(IDENTICAL)
    assert equal.table()["rows"] == {"source": "1000", "target": "1000"}
    pair.target.execute(CHANGED)
    table = pair.compare("--table", "public.ev", "--engine", "extension", "--max-divergences", "1000").expect(DIVERGENT).table()
    assert findings(table) == WRONG
    assert table["rows"] == {"source": "1000", "target": "700"}


@pytest.mark.parametrize("way", SEEN_BY_SELECT)
def test_rows_elsewhere_under_a_parent(pair, way):
    pair.both(CHUNKS)
    for side in (pair.source, pair.target):
        show_elsewhere(side, "public.m", "store.m", way, under_only=False)
    equal = pair.compare("--table", "public.m", "--engine", "extension").expect(IDENTICAL)
    assert equal.table()["rows"] == {"source": "3000", "target": "3000"}
    pair.target.execute("DELETE FROM store.m WHERE dev = 'd3' AND at < '2024-01-12'")
    table = pair.compare("--table", "public.m", "--engine", "extension", "--max-divergences", "1000").expect(DIVERGENT).table()
    assert len(table["divergences"]) == 300
    assert {d["kind"] for d in table["divergences"]} == {"missing_on_target"}


FUNCTIONS = {
    "range_digests": "SELECT sum(row_count) FROM parity.range_digests('ev', ranges => 4)",
    "range_totals": "SELECT sum(n) FROM parity.range_totals('ev', ranges => 4) t, unnest(t.row_counts) n",
    "row_digests": "SELECT count(*) FROM parity.row_digests('ev', with_values => true)",
    "row_records": "SELECT sum(row_count) FROM parity.row_records('ev')",
    "own rows": "SELECT sum(row_count) FROM parity.range_digests('ev', ranges => 4, without_children => true)",
    "own row_digests": "SELECT count(*) FROM parity.row_digests('ev', without_children => true)",
    "keys": "SELECT count(*) FROM parity.row_digests('ev', keys => (SELECT array_agg(key) FROM parity.row_digests('ev')))",
}


SLICES = "SELECT string_agg(slice || digest, '' ORDER BY slice, column_name) FROM parity.slice_digests('{}', ranges => 1)"
# They tell what stands in the headers of pages.
OF_PAGES_ONLY = ["SELECT * FROM parity.row_versions('ev', (SELECT array_agg(key) FROM parity.row_digests('store.ev')))",
                 "SELECT * FROM parity.fresh_rows('ev', pg_current_xact_id())"]


@pytest.mark.parametrize("way", SEEN_BY_SELECT)
def test_functions_over_rows_elsewhere(pair, way):
    database = pair.source
    database.execute(SHELL)
    show_elsewhere(database, "public.ev", "store.ev", way)
    for name, sql in FUNCTIONS.items():
        assert database.value(sql) == 1000, name
    assert database.value(SLICES.format("ev")) == database.value(SLICES.format("store.ev"))
    for sql in OF_PAGES_ONLY:
        with pytest.raises(psycopg2.Error, match="cannot be read directly: the server reads") as caught:
            database.query(sql)
        assert caught.value.pgcode == "0A000"
    assert database.value("SELECT min(path_taken) || max(path_taken) FROM parity.range_digests('ev')") == "aggregateaggregate"
    reason = database.value("SELECT obstacle FROM parity.last_digest()")
    assert ("Custom Scan (StoreScan)" if way == "path" else "store.ev in its place") in reason
    with pytest.raises(psycopg2.Error, match="cannot be scanned directly: the server reads"):
        database.query("SELECT * FROM parity.range_digests('ev', path => 'scan')")
    # The pages of the shell's index tell nothing of these rows.
    assert database.query("SELECT DISTINCT get_byte(bound, 0) FROM parity.split_keys('ev', 4)") == [(ord("h"),)]
    database.execute("SET standin.shell = ''")
    for name, sql in FUNCTIONS.items():
        assert (database.value(sql) or 0) == 0, name
    assert database.value(SLICES.format("ev")) != database.value(SLICES.format("store.ev"))
    for sql in OF_PAGES_ONLY:
        assert database.query(sql) == []
    assert database.query("SELECT path, obstacle FROM parity.last_digest()")[0][1] is None


@pytest.mark.parametrize("way", SEEN_BY_SELECT)
def test_verify_and_baselines_of_rows_elsewhere(pair, way):
    pair.both(SHELL)
    for side in (pair.source, pair.target):
        show_elsewhere(side, "public.ev", "store.ev", way)
    verified = Verified(pair.source, pair.target)
    verified.make_server()
    pair.source.query("SELECT * FROM parity.capture('ev', 'before')")
    assert verified.verify("ev") == "identical"
    assert pair.source.query("CALL parity.verify_baseline('ev', 'before')")[0][1] == "identical"
    pair.target.execute(CHANGED)
    assert verified.verify("ev") == "divergent"
    pair.source.execute("DELETE FROM store.ev WHERE id = 7")
    assert pair.source.query("CALL parity.verify_baseline('ev', 'before')")[0][1] == "divergent"


@pytest.mark.parametrize("way", SEEN_BY_SELECT)
def test_verify_and_baselines_of_rows_elsewhere_under_a_parent(pair, way):
    pair.both(CHUNKS)
    for side in (pair.source, pair.target):
        show_elsewhere(side, "public.m", "store.m", way, under_only=False)
    verified = Verified(pair.source, pair.target)
    verified.make_server()
    pair.source.query("SELECT * FROM parity.capture('m', 'before')")
    assert verified.verify("m") == "identical"
    assert pair.source.query("CALL parity.verify_baseline('m', 'before')")[0][1] == "identical"
    # What the parent does not show is not its rows.
    pair.both("UPDATE m_chunk SET val = 0 WHERE dev = 'd1'")
    pair.target.execute("DELETE FROM m_chunk WHERE dev = 'd2'")
    assert verified.verify("m") == "identical"
    assert pair.source.query("CALL parity.verify_baseline('m', 'before')")[0][1] == "identical"
    pair.target.execute("DELETE FROM store.m WHERE dev = 'd3' AND at < '2024-01-12'")
    assert verified.verify("m", max_rows=1000) == "divergent"
    assert len(verified.divergences()) == 300 and {kind for kind, *_ in verified.divergences()} == {"missing_on_target"}
    pair.source.execute("UPDATE store.m SET val = -1 WHERE at = (SELECT min(at) FROM store.m)")
    assert pair.source.query("CALL parity.verify_baseline('m', 'before')")[0][1] == "divergent"


def test_rows_that_only_execution_shows(pair):
    """Under a plan of plain scans they show where the pages hold none at all: that is an error, and no answer."""
    pair.both(SHELL)
    for side in (pair.source, pair.target):
        show_elsewhere(side, "public.ev", "store.ev", "execution")
    for name in ("range_digests", "range_totals", "row_digests", "row_records", "own rows", "own row_digests"):
        with pytest.raises(psycopg2.Error, match="has rows that are not in its pages") as caught:
            pair.source.query(FUNCTIONS[name])
        assert caught.value.pgcode == "55000"
    assert pair.source.value("SELECT sum(row_count) FROM parity.range_digests('ev', path => 'aggregate')") == 1000
    run = pair.compare("--table", "public.ev", "--engine", "extension")
    assert run.status not in (IDENTICAL, DIVERGENT)
    pair.both("TRUNCATE store.ev")
    assert pair.source.value("SELECT sum(row_count) FROM parity.range_digests('ev')") == 0
    pair.compare("--table", "public.ev", "--engine", "extension").expect(IDENTICAL)
    pair.target.execute("INSERT INTO ev VALUES (7, 'own')")
    run = pair.compare("--table", "public.ev", "--engine", "extension").expect(DIVERGENT)
    assert findings(run.table()) == {missing_on_source(id="7")}


PLAIN = {
    "table": "CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t SELECT g, 'v' FROM generate_series(1, 3000) g",
    "empty": "CREATE TABLE t (id int PRIMARY KEY, v text)",
    "empty parent": "CREATE TABLE t (id int PRIMARY KEY, v text) PARTITION BY RANGE (id)",
    "partitions": "CREATE TABLE t (id int PRIMARY KEY, v text) PARTITION BY RANGE (id);"
                  "CREATE TABLE t1 PARTITION OF t FOR VALUES FROM (0) TO (1000); CREATE TABLE t2 PARTITION OF t FOR VALUES FROM (1000) TO (9000)"
                  " PARTITION BY HASH (id); CREATE TABLE t21 PARTITION OF t2 FOR VALUES WITH (MODULUS 2, REMAINDER 0);"
                  "CREATE TABLE t22 PARTITION OF t2 FOR VALUES WITH (MODULUS 2, REMAINDER 1); CREATE TABLE t3 PARTITION OF t DEFAULT;"
                  "INSERT INTO t SELECT g, 'v' FROM generate_series(1, 3000) g",
    "one partition": "CREATE TABLE t (id int PRIMARY KEY, v text) PARTITION BY RANGE (id);"
                     "CREATE TABLE t1 (v text, gone int, id int NOT NULL); ALTER TABLE t1 DROP COLUMN gone;"
                     "ALTER TABLE t ATTACH PARTITION t1 FOR VALUES FROM (0) TO (9000); INSERT INTO t SELECT g, 'v' FROM generate_series(1, 3000) g",
    "inheritance": "CREATE TABLE t (id int, v text); CREATE TABLE c (more int, CHECK (id > 1000)) INHERITS (t);"
                   "INSERT INTO t SELECT g, 'v' FROM generate_series(1, 1000) g; INSERT INTO c SELECT g, 'v' FROM generate_series(1001, 3000) g",
    "materialized view": "CREATE MATERIALIZED VIEW t AS SELECT g AS id, 'v' AS v FROM generate_series(1, 3000) g",
    "dropped column": "CREATE TABLE t (gone int, id int PRIMARY KEY, v text); ALTER TABLE t DROP COLUMN gone;"
                      "INSERT INTO t SELECT g, 'v' FROM generate_series(1, 3000) g",
    "stored column": "CREATE TABLE t (id int PRIMARY KEY, v text, w int GENERATED ALWAYS AS (id * 2) STORED);"
                     "INSERT INTO t SELECT g, 'v' FROM generate_series(1, 3000) g",
    "rule and trigger": "CREATE TABLE t (id int PRIMARY KEY, v text); CREATE RULE r AS ON DELETE TO t DO INSTEAD NOTHING;"
                        "CREATE TRIGGER tr BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger();"
                        "INSERT INTO t SELECT g, 'v' FROM generate_series(1, 3000) g",
    "temporary": "CREATE TEMP TABLE t (id int PRIMARY KEY, v text); INSERT INTO t SELECT g, 'v' FROM generate_series(1, 3000) g",
    "expressions": "CREATE TABLE t (id int PRIMARY KEY, v text, CHECK (id > 0)); CREATE INDEX ON t (lower(v)) WHERE id > 7;"
                   "CREATE STATISTICS s ON id, v FROM t; INSERT INTO t SELECT g, 'v' FROM generate_series(1, 3000) g; ANALYZE t",
}
SETTINGS = ["", "SET enable_seqscan = off", "SET constraint_exclusion = on", "SET enable_partition_pruning = off",
            "SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0", "SET {parallel_query} = on",
            "LOAD 'auto_explain'; SET auto_explain.log_min_duration = 0"]


def expect_scans(database, arguments, count):
    forced = "debug_parallel_query" if database.cluster.installation.major >= 16 else "force_parallel_mode"
    for setting in SETTINGS:
        database.execute(setting.format(parallel_query=forced) or "SELECT")
        rows = database.query(f"SELECT path_taken, sum(row_count) FROM parity.range_digests({arguments}, ranges => 3, workers => 0) GROUP BY path_taken")
        assert rows == [("scan", count)], (setting, database.value("SELECT obstacle FROM parity.last_digest()"))
        assert database.value(f"SELECT count(*) FROM parity.row_digests({arguments})") == count
        assert database.query("SELECT path, obstacle FROM parity.last_digest()") == [("scan", None)]


@pytest.mark.parametrize("kind", PLAIN)
def test_plain_tables_are_scanned(pair, kind):
    pair.source.execute(PLAIN[kind])
    expect_scans(pair.source, "'t'", 0 if "empty" in kind else 3000)


@pytest.mark.parametrize("kind", ["table", "partitions", "inheritance"])
def test_own_rows_are_scanned(pair, kind):
    """Those of a partitioned table are none."""
    pair.source.execute(PLAIN[kind])
    expect_scans(pair.source, "'t', without_children => true", {"table": 3000, "partitions": 0, "inheritance": 1000}[kind])


def test_own_rows_are_divided_and_found_by_the_parents_index(pair):
    database = pair.source
    database.execute(PLAIN["inheritance"] + "; ALTER TABLE t ADD PRIMARY KEY (id)")
    assert database.query("SELECT DISTINCT get_byte(bound, 0) FROM parity.split_keys('t', 4, without_children => true)") == [(ord("k"),)]
    few = "parity.range_digests('t', ranges => 50, only_ranges => '{7}', without_children => true)"
    assert database.query(f"SELECT path_taken, row_count FROM {few}") == [("index", 20)]


@pytest.mark.in_turn("large tables")
def test_a_thousand_partitions_are_scanned(pair):
    database = pair.source
    database.execute("CREATE TABLE t (id int PRIMARY KEY, v text) PARTITION BY RANGE (id)")
    database.execute("DO $$ BEGIN FOR i IN 0..999 LOOP EXECUTE format('CREATE TABLE p%s PARTITION OF t FOR VALUES FROM (%s) TO (%s)', i, i * 10, i * 10 + 10);"
                     "IF i % 100 = 99 THEN COMMIT; END IF; END LOOP; END $$")
    database.execute("INSERT INTO t SELECT g, 'v' FROM generate_series(0, 8999) g")
    assert database.query("SELECT path_taken, sum(row_count) FROM parity.range_digests('t', ranges => 3) GROUP BY 1") == [("scan", 9000)]


CITUS = ["CREATE EXTENSION citus", "INSERT INTO pg_dist_authinfo (nodeid, rolename, authinfo) VALUES (0, 'postgres', 'password={password}')",
         "SELECT citus_set_coordinator_host('127.0.0.1', {port})", "SELECT citus_set_node_property('127.0.0.1', {port}, 'shouldhaveshards', true)"]
TIMESCALEDB = ["CREATE EXTENSION timescaledb"]
OWN = "CREATE TABLE ev (id bigint PRIMARY KEY, v text)"
HYPERTABLE = [OWN, "SELECT create_hypertable('ev', 'id', chunk_time_interval => 100)", "{rows}",
              "ALTER TABLE ev SET (timescaledb.compress, timescaledb.compress_orderby = 'id')"]
# The extension, how a database is made ready, and how its table gets {rows} and is given away.
PRODUCTS = {
    "citus distributed": ("citus", CITUS, [OWN, "SELECT create_distributed_table('ev', 'id')", "{rows}"]),
    "citus distributed when full": ("citus", CITUS, [OWN, "{rows}", "SELECT create_distributed_table('ev', 'id')"]),
    "citus reference": ("citus", CITUS, [OWN, "SELECT create_reference_table('ev')", "{rows}"]),
    "citus local": ("citus", CITUS, [OWN, "SELECT citus_add_local_table_to_metadata('ev')", "{rows}"]),
    "citus partitioned": ("citus", CITUS, [OWN + " PARTITION BY RANGE (id)", "CREATE TABLE ev_1 PARTITION OF ev FOR VALUES FROM (0) TO (500)",
                                           "CREATE TABLE ev_2 PARTITION OF ev DEFAULT", "SELECT create_distributed_table('ev', 'id')", "{rows}"]),
    "citus schema": ("citus", CITUS, ["SET citus.enable_schema_based_sharding = on", "CREATE SCHEMA tenant", "SET search_path = tenant, public", OWN, "{rows}"]),
    "timescaledb": ("timescaledb", TIMESCALEDB, HYPERTABLE),
    "timescaledb compressed": ("timescaledb", TIMESCALEDB, [*HYPERTABLE, "SELECT compress_chunk(c) FROM show_chunks('ev', older_than => 500) c"]),
    "timescaledb all compressed": ("timescaledb", TIMESCALEDB, [*HYPERTABLE, "SELECT compress_chunk(c) FROM show_chunks('ev') c"]),
}


def make_of_product(cluster, ready, recipe, row_7):
    database = cluster.create_database()
    rows = f"INSERT INTO ev SELECT i, CASE WHEN i = 7 THEN '{row_7}' ELSE 'v' || i END FROM generate_series(1, 1000) i"
    for statement in [*ready, *recipe]:
        database.execute(statement.format(port=cluster.port, password=PASSWORD, rows=rows))
    database.close()
    return database


@pytest.mark.matrix(sample=2)
@pytest.mark.parametrize("kind", PRODUCTS)
def test_products_that_keep_rows_elsewhere(source_cluster, capsys, kind):
    """Where the server has one of them; elsewhere the stand-in alone has been tried, and this says so."""
    product, ready, recipe = PRODUCTS[kind]
    installation = source_cluster.installation
    if not os.path.exists(f"{installation.root}{installation.sharedir}/extension/{product}.control"):
        with capsys.disabled():
            print(f"\nnot run: the server does not have {product}")
        return
    relation = "tenant.ev" if "schema" in kind else "public.ev"
    settings = {"shared_preload_libraries": product, "max_connections": "200", "max_prepared_transactions": "100"}
    with Cluster("product", settings=settings, installation=installation) as cluster:
        source, equal, planted = (make_of_product(cluster, ready, recipe, row_7) for row_7 in ("v7", "v7", "BAD"))
        source.query(f"SELECT * FROM parity.capture('{relation}', 'before')")
        for target, status, word in ((equal, IDENTICAL, "identical"), (planted, DIVERGENT, "divergent")):
            pair = Pair(source, target)
            for engine in ("extension", "stream"):
                table = pair.compare("--table", relation, "--engine", engine).expect(status).table()
                assert table["rows"] == {"source": "1000", "target": "1000"}
                assert findings(table) == ({mismatch("v", id="7")} if status == DIVERGENT else set())
            verified = Verified(source, target)
            verified.make_server(word)
            assert verified.verify(relation, server=word) == word
        baseline = f"CALL parity.verify_baseline('{relation}', 'before')"
        assert source.query(baseline)[0][1] == "identical"
        source.execute(f"INSERT INTO {relation} VALUES (1001, 'new')")
        assert source.query(baseline)[0][1] == "divergent"
        for database in (source, equal, planted):
            database.close()


def test_copy_that_shows_other_rows_changes_nothing(pair):
    """The extension copies nothing."""
    database = pair.source
    database.execute(SHELL + "; INSERT INTO ev VALUES (1, 'own')")
    show_elsewhere(database, "public.ev", "store.ev", "copy")
    assert database.query("SELECT path_taken, sum(row_count) FROM parity.range_digests('ev') GROUP BY 1") == [("scan", 1)]
    install_standin(database.cluster.installation)


# ---- plans of other shapes -------------------------------------------------------------------------------------------


ONE = "CREATE TABLE ev (id bigint PRIMARY KEY, v text); INSERT INTO ev SELECT i, 'v' || i FROM generate_series(1, 1000) i"
PARTED = ("CREATE TABLE ev (id int PRIMARY KEY, v text) PARTITION BY RANGE (id); CREATE TABLE ev_1 PARTITION OF ev FOR VALUES FROM (0) TO (501);"
          "CREATE TABLE ev_2 PARTITION OF ev FOR VALUES FROM (501) TO (1001); CREATE TABLE ev_3 PARTITION OF ev FOR VALUES FROM (1000000000) TO (MAXVALUE);"
          "INSERT INTO ev SELECT i, 'v' || i FROM generate_series(1, 1000) i")
HIDDEN = "UPDATE ev SET v = 'hidden' WHERE id = 7"
SHOWN = "DELETE FROM ev WHERE id = 300"


@dataclass(frozen=True)
class Shape:
    """What a way of the stand-in makes of a table's plan."""
    way: str
    settings: dict
    obstacle: str
    rows: int
    hidden: str = HIDDEN  # changes pages, and nothing that a query shows
    planted: dict = field(default_factory=dict)  # settings that show a difference; without them SHOWN does
    found: tuple = missing_on_target(id="300")
    tables: str = ONE
    shell: str = "public.ev"
    store: str = "public.ev"

    def show(self, database, **more):
        show_elsewhere(database, self.shell, self.store, self.way, **{**self.settings, **more})

    def plant(self, database):
        if self.planted:
            self.show(database, **self.planted)
        else:
            database.execute(SHOWN)


FILTERED = "the server filters its rows"
COMPUTED = "the server computes its columns"
CHILD = {"tables": PARTED, "store": "public.ev_2"}
SHAPES = {
    "filter": Shape("condition", {"condition": "id <> 7"}, FILTERED, 999),
    "filter of partitions": Shape("condition", {"condition": "id <> 7"}, FILTERED, 999, **CHILD),
    "one-time filter": Shape("condition", {"condition": "pg_backend_pid() < 0"}, FILTERED, 0, planted={"condition": "id = 9"},
                             found=missing_on_source(id="9")),
    "subquery": Shape("condition", {"condition": "id <> (SELECT 7)"}, "the server plans subqueries for it", 999),
    "partitions left out": Shape("pruning", {"condition": "id < 1000000 + pg_backend_pid()"}, "the server leaves out partitions when it runs the plan", 1000,
                                 "INSERT INTO ev VALUES (1000000007, 'hidden')", **CHILD),
    "mask": Shape("mask", {"text": "masked"}, COMPUTED, 1000),
    "mask of a partition": Shape("mask", {"text": "masked"}, COMPUTED, 1000, tables=PARTED, shell="public.ev_1"),
    "mask above the scan": Shape("projection", {"text": "masked"}, COMPUTED, 1000),
    "made up": Shape("made_up", {"text": "made up"}, "the server makes up its rows", 1, "DELETE FROM ev WHERE id > 7", planted={"text": "other"},
                     found=mismatch("v", id="7")),
    "lost": Shape("lost", {}, "the server does not read public.ev_2", 500, "UPDATE ev SET v = 'hidden' WHERE id = 700", **CHILD),
    "twice": Shape("twice", {}, "the server reads public.ev_2 twice", 1500, "SELECT", **CHILD),
}


@pytest.mark.parametrize("kind", SHAPES)
def test_plans_of_other_shapes(pair, kind):
    database, shape = pair.source, SHAPES[kind]
    database.execute(shape.tables)
    shape.show(database)
    assert database.value("SELECT count(*) FROM ev") == shape.rows
    for name, sql in FUNCTIONS.items():
        if name.startswith("own") and shape.tables != ONE:
            continue  # a partitioned table has no rows of its own
        assert (database.value(sql) or 0) == shape.rows, name
        path = "aggregate" if name.startswith("range") or name == "own rows" else "query"
        assert database.query("SELECT path, obstacle FROM parity.last_digest()") == [(path, shape.obstacle)], name
    with pytest.raises(psycopg2.Error, match=f"cannot be scanned directly: {shape.obstacle}"):
        database.query("SELECT * FROM parity.range_digests('ev', path => 'scan')")


@pytest.mark.parametrize("kind", SHAPES)
@pytest.mark.parametrize("engine", ["extension", "stream"])
def test_comparing_under_plans_of_other_shapes(pair, engine, kind):
    """Pages that differ are no finding, and what queries show is one."""
    shape = SHAPES[kind]
    pair.both(shape.tables)
    pair.target.execute(shape.hidden)
    for side in (pair.source, pair.target):
        shape.show(side)
    arguments = ["--table", "public.ev", "--engine", engine]
    table = pair.compare(*arguments).expect(IDENTICAL).table()
    assert table["rows"] == {"source": str(shape.rows), "target": str(shape.rows)}
    shape.plant(pair.target)
    assert findings(pair.compare(*arguments).expect(DIVERGENT).table()) == {shape.found}
