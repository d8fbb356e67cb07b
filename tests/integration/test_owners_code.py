"""What planning a query runs: no function of a table's owner runs with the rights of a superuser who compares the table."""

import contextlib
import threading
import time

import pytest

from support.pgparity import DIVERGENT, ERROR, IDENTICAL, INCOMPLETE, findings, mismatch, missing_on_target
from support.proxy import Proxy

pytestmark = pytest.mark.matrix(sample=1)

# It runs wherever the planner meets it with constants, and leaves a trace if that was with more rights than its owner has.
OWNER = ("DO $$ BEGIN CREATE ROLE mallory LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$;"
         "DO $$ BEGIN CREATE ROLE reader LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$;"
         "CREATE SCHEMA pub; GRANT ALL ON SCHEMA pub TO mallory; GRANT USAGE ON SCHEMA pub TO reader; SET ROLE mallory;"
         "CREATE FUNCTION pub.evil(n int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN"
         " IF (SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user) THEN"
         "  RAISE LOG 'owner''s code % ran as %', n, current_user; END IF; RETURN n; END $$;"
         "CREATE FUNCTION pub.plus(a int, b int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT pub.evil(a) + pub.evil(b)';")
ROWS = "INSERT INTO pub.t SELECT g, 'x' FROM generate_series(1, 1000) AS g; ANALYZE pub.t;"
PLAIN = f"CREATE TABLE pub.t (id int PRIMARY KEY, v text); {ROWS}"
PARTS = "CREATE TABLE pub.t_1 PARTITION OF pub.t FOR VALUES FROM (MINVALUE) TO (10); CREATE TABLE pub.t_2 PARTITION OF pub.t DEFAULT;"

USES = {
    "index": PLAIN + "CREATE INDEX t_i ON pub.t ((pub.evil(11) + id))",
    "predicate": PLAIN + "CREATE INDEX t_i ON pub.t (v) WHERE pub.evil(22) = 22",
    "operator": PLAIN + "CREATE OPERATOR pub.##@ (FUNCTION = pub.plus, LEFTARG = int, RIGHTARG = int); CREATE INDEX t_i ON pub.t ((1 OPERATOR(pub.##@) 2 + id))",
    "domain": "CREATE DOMAIN pub.d AS int CHECK (pub.evil(VALUE) > 0);" + PLAIN + "CREATE INDEX t_i ON pub.t ((id + 5::pub.d))",
    "check of a child": "CREATE TABLE pub.t (id int PRIMARY KEY, v text); CREATE TABLE pub.c (CHECK (pub.evil(33) = 33)) INHERITS (pub.t);" + ROWS,
    "check": PLAIN + "ALTER TABLE pub.t ADD CHECK (pub.evil(44) = 44)",
    "statistics": PLAIN + "CREATE STATISTICS pub.s ON (pub.evil(55) + id), v FROM pub.t",
    "index of a partition": "CREATE TABLE pub.t (id int, v text) PARTITION BY RANGE (id);" + PARTS + ROWS + "CREATE INDEX t_i ON pub.t_1 ((pub.evil(66) + id))",
    "partition key": "CREATE TABLE pub.t (id int, v text) PARTITION BY RANGE ((pub.evil(77) + id));" + PARTS + ROWS,
}
HARMLESS = {
    "functions of superusers": OWNER.replace("SET ROLE mallory;", "") + PLAIN + "ALTER TABLE pub.t OWNER TO mallory; CREATE INDEX ON pub.t ((pub.evil(1) + id))",
    "functions of the server": OWNER + PLAIN + "CREATE INDEX ON pub.t (lower(v)) WHERE id > abs(-1); ALTER TABLE pub.t ADD CHECK (length(v) > 0)",
    "defaults and triggers": OWNER + PLAIN + "ALTER TABLE pub.t ALTER v SET DEFAULT pub.evil(1)::text",
}

# The CHECK of a domain runs wherever a text becomes a value of it. Bounds are made of texts where a table is read as a whole.
KEYS = {
    "domain": "CREATE TABLE pub.t (id pub.d NOT NULL, v text); CREATE TABLE pub.c () INHERITS (pub.t);"
              "INSERT INTO pub.t SELECT g, 'x' FROM generate_series(1, 5000) AS g;",
    "array of domains": "CREATE TABLE pub.t (id pub.d[] NOT NULL, v text); CREATE TABLE pub.c () INHERITS (pub.t);"
                        "INSERT INTO pub.t SELECT ARRAY[g::pub.d], 'x' FROM generate_series(1, 5000) AS g;",
    "array": "CREATE TABLE pub.t (id int[] NOT NULL, v text); CREATE TABLE pub.c () INHERITS (pub.t);"
             "INSERT INTO pub.t SELECT ARRAY[g], 'x' FROM generate_series(1, 5000) AS g;",
    "composite": "CREATE TYPE pub.pair AS (a pub.d); CREATE TABLE pub.t (id pub.pair NOT NULL, v text) PARTITION BY LIST (v);"
                 "CREATE TABLE pub.t_1 PARTITION OF pub.t DEFAULT; INSERT INTO pub.t SELECT ROW(g)::pub.pair, 'x' FROM generate_series(1, 5000) AS g;",
}


def make(pair, sql):
    for side in (pair.source, pair.target):
        with side.connect() as connection, connection.cursor() as cursor:
            connection.autocommit = True
            cursor.execute(sql)
    pair.traces = traces(pair)


def traces(pair):
    return [line for side in (pair.source, pair.target) for line in side.cluster.log().splitlines() if "owner's code" in line and "LOG:" in line]


def expect_no_trace(pair):
    assert traces(pair)[len(pair.traces):] == []


@pytest.mark.matrix(sample=3)
@pytest.mark.since(14, use="statistics")
@pytest.mark.parametrize("use", USES)
@pytest.mark.parametrize("arguments", [["--engine", "stream"], ["--where", "id > 0"]], ids=["stream", "where"])
def test_no_code_of_an_owner_runs(pair, use, arguments):
    make(pair, OWNER + USES[use])
    run = pair.compare(*arguments, "--table", "pub.t").expect(ERROR)
    expect_no_trace(pair)
    reason, = run.table("pub.t")["skipped"]
    assert "function pub." in reason and "role mallory" in reason and "--run-owners-code" in reason


@pytest.mark.parametrize("case", ["mapped", "detached"])
def test_no_code_of_the_targets_owner_runs_under_a_condition_of_the_source(pair, tmp_path, case):
    """The configuration file's condition is found by the source's name or by what the source's table inherits from; the target is asked
    with it all the same."""
    make(pair, OWNER)
    if case == "mapped":
        pair.source.execute("CREATE SCHEMA own; CREATE TABLE own.t (id int PRIMARY KEY, v text); INSERT INTO own.t SELECT g, 'x' FROM generate_series(1, 1000) AS g")
        setting = "map = ['t=pub.t']\n[table.'own.t']"
    else:
        pair.source.execute("CREATE TABLE pub.whole (id int, v text) PARTITION BY LIST (v); CREATE TABLE pub.t PARTITION OF pub.whole DEFAULT; ALTER TABLE pub.t ADD PRIMARY KEY (id);"
                            + ROWS)
        setting = "[table.'pub.whole']"
    pair.target.execute("SET ROLE mallory;" + USES["index"] + "; RESET ROLE")
    file = tmp_path / "parity.toml"
    file.write_text(f"{setting}\nwhere = 'id > 0'")
    run = pair.compare("--config", str(file), "--engine", "extension").expect(DIVERGENT if case == "detached" else ERROR)
    expect_no_trace(pair)
    table, = [table for table in run.report["tables"] if table.get("target", "").endswith("pub.t")]
    assert "function pub.evil" in table["skipped"][0], table


@pytest.mark.matrix(sample=2)
@pytest.mark.since(14, use="statistics")
@pytest.mark.parametrize("use", USES)
def test_the_extension_reads_such_tables_without_it(pair, use):
    """It asks the planner with the owner's rights, and reads the pages itself; so it does when it looks for what differs."""
    make(pair, OWNER + USES[use])
    arguments = ["--engine", "extension", "--table", "pub.*", "--key", "pub.t=id", "--workers", "2", "--ranges", "7"]
    assert pair.compare(*arguments).expect(IDENTICAL).table("pub.t")["rows"]["source"] == "1000"
    expect_no_trace(pair)
    with pair.target.connect(user="mallory") as connection, connection.cursor() as cursor:
        cursor.execute("UPDATE pub.t SET v = 'y' WHERE id = 7; DELETE FROM pub.t WHERE id = 9")
    run = pair.compare(*arguments).expect(DIVERGENT)
    assert findings(run.table("pub.t")) == {mismatch("v", id="7"), missing_on_target(id="9")}
    expect_no_trace(pair)


@pytest.mark.since(14, use="statistics")
@pytest.mark.parametrize("use", USES)
def test_the_trace_would_be_seen(pair, use):
    """With the option it runs, so that the test above can fail; and what differs is found."""
    make(pair, OWNER + USES[use])
    pair.compare("--engine", "stream", "--run-owners-code", "--table", "pub.t", "--where", "id > 0").expect(IDENTICAL)
    # A domain's CHECKs may change: they are not computed while a query is planned; a table's own CHECKs are only where a setting says so.
    if use not in ("domain", "check"):
        assert len(traces(pair)) > len(pair.traces)
    pair.target.execute("UPDATE pub.t SET v = 'other' WHERE id = 500")
    for where in ([], ["--where", "id > 0"]):
        pair.compare("--engine", "stream", "--run-owners-code", "--table", "pub.t", *where).expect(DIVERGENT)


@pytest.mark.parametrize("key", KEYS)
def test_no_check_of_a_domain_runs_for_bounds(pair, key):
    make(pair, OWNER + "CREATE DOMAIN pub.d AS int CHECK (pub.evil(VALUE) > 0);" + KEYS[key] + "ANALYZE pub.t; RESET ROLE")
    arguments = ["--engine", "stream", "--table", "pub.t", "--key", "pub.t=id", "--where", "v <> 'y'"]
    pair.compare(*arguments).expect(IDENTICAL)
    pair.target.execute("DELETE FROM pub.t WHERE ctid = '(0,5)'")
    pair.compare(*arguments).expect(DIVERGENT)
    expect_no_trace(pair)
    assert pair.source.value("SELECT count(*) FROM pg_stats WHERE tablename = 't' AND attname = 'id' AND histogram_bounds IS NOT NULL") > 0


KEYED = ("CREATE TABLE pub.t (id int PRIMARY KEY, v text) PARTITION BY RANGE (id); CREATE TABLE pub.t_1 PARTITION OF pub.t FOR VALUES FROM (MINVALUE) TO (101);"
         "CREATE TABLE pub.t_2 PARTITION OF pub.t DEFAULT;" + ROWS)
LOOKED_UP = {
    "index": "CREATE INDEX t_i ON pub.t_1 ((pub.evil(66) + id))",
    "predicate": "CREATE INDEX t_i ON pub.t_2 (v) WHERE pub.evil(22) = 22",
    "statistics": "CREATE STATISTICS pub.s ON (pub.evil(55) + id), v FROM pub.t_1",
}


@pytest.mark.since(14, use="statistics")
@pytest.mark.parametrize("use", LOOKED_UP)
def test_no_code_runs_when_rows_are_looked_up_in_partitions(pair, use):
    """The table is compared all the same. The other side is not asked instead; with the option it is told. That the lookup would have run
    the code shows with the predicate alone: of the others the session keeps what it found when it read the table with the owner's rights."""
    make(pair, OWNER + KEYED + "RESET ROLE")
    pair.source.execute("SET ROLE mallory; " + LOOKED_UP[use] + "; RESET ROLE")
    pair.target.execute("UPDATE pub.t SET v = 'y' WHERE id <= 100")
    arguments = ["--engine", "extension", "--table", "pub.t"]
    run = pair.compare(*arguments).expect(DIVERGENT)
    expect_no_trace(pair)
    assert run.table("pub.t")["counts"]["mismatch"] == "100" and "partition" not in run.table("pub.t").get("concentration", {})
    told = pair.compare(*arguments, "--run-owners-code").expect(DIVERGENT).table("pub.t")["concentration"]["partition"]
    assert told == {"side": "source", "name": "pub.t_1", "rows": "100", "of": "100"}
    if use == "predicate":  # the session knows the others from when it read the table with the owner's rights
        assert len(traces(pair)) > len(pair.traces)


PARTITIONED = "CREATE TABLE pub.t (id int PRIMARY KEY, v text) PARTITION BY RANGE (id);" + PARTS + ROWS


def compare_while(pair, statement, when, *arguments):
    """Runs a statement on the source when a query is sent there that holds this text."""
    def on_request(_, data):
        if when in data and not done:
            pair.source.execute(statement)
            done.append(data)

    done = []
    with Proxy(pair.source.cluster.port, on_request) as proxy:
        run = pair.compare(*arguments, source=pair.source.tcp_conninfo(port=proxy.port))
    assert done
    return run


def test_no_code_runs_of_an_index_that_is_made_meanwhile(pair):
    """The snapshot of the table does not show it; the planner, which is asked for rows outside of their bounds, would."""
    make(pair, OWNER + PARTITIONED + "RESET ROLE")
    arguments = ["CREATE INDEX t_j ON pub.t_1 ((pub.evil(88) + id))", b"pg_get_partition_constraintdef", "--table", "pub.t"]
    compare_while(pair, *arguments).expect(IDENTICAL)
    pair.both("DROP INDEX IF EXISTS pub.t_j; UPDATE pub.t SET v = 'other' WHERE id = 500")
    pair.target.execute("UPDATE pub.t SET v = 'another' WHERE id = 500")
    compare_while(pair, *arguments).expect(DIVERGENT)
    expect_no_trace(pair)


@pytest.mark.parametrize("planted", [False, True])
def test_no_code_runs_of_a_table_that_has_a_partitions_name_meanwhile(pair, planted):
    """Rows outside of bounds are counted after the bounds were read, in a transaction that locks the table anew."""
    make(pair, OWNER + PARTITIONED + "RESET ROLE")
    if planted:
        pair.target.execute("UPDATE pub.t SET v = 'other' WHERE id = 500")
    seen = []

    def swap(number, data):
        if b"pg_get_partition_constraintdef" in data:
            seen.append("bounds")
        elif seen == ["bounds"] and b"LOCK TABLE" in data:
            seen.append("swapped")
            with pair.source.connect(user="mallory") as connection, connection.cursor() as cursor:
                cursor.execute("ALTER TABLE pub.t DETACH PARTITION pub.t_1; ALTER TABLE pub.t_1 RENAME TO gone;"
                               "CREATE TABLE pub.t_1 (id int, v text); CREATE INDEX ON pub.t_1 ((pub.evil(88) + id))")
    with Proxy(pair.source.cluster.port, swap) as proxy:
        pair.compare("--table", "pub.t", source=pair.source.tcp_conninfo(port=proxy.port)).expect(DIVERGENT if planted else IDENTICAL)
    assert "swapped" in seen
    expect_no_trace(pair)


def test_no_code_runs_of_an_index_that_is_made_while_the_catalogs_are_read(pair):
    """Of a tree the planner is asked before it is known how it will be compared."""
    make(pair, OWNER + "CREATE TABLE pub.t (id int PRIMARY KEY, v text); CREATE TABLE pub.c () INHERITS (pub.t);" + ROWS + "RESET ROLE")
    arguments = ["CREATE INDEX t_j ON pub.t ((pub.evil(99) + id))", b"lineage(", "--table", "pub.t"]
    run = compare_while(pair, *arguments).expect(IDENTICAL)
    assert "would run functions of its owner" in "".join(run.table("pub.t")["notes"])
    pair.source.execute("DROP INDEX pub.t_j")
    pair.target.execute("UPDATE pub.t SET v = 'other' WHERE id = 500")
    compare_while(pair, *arguments).expect(DIVERGENT)
    expect_no_trace(pair)


def test_no_code_runs_of_an_index_that_is_made_before_a_parents_own_rows_are_read(pair):
    make(pair, OWNER + "CREATE TABLE pub.t (id int PRIMARY KEY, v text); CREATE TABLE pub.c (PRIMARY KEY (id)) INHERITS (pub.t);" + ROWS
         + "INSERT INTO pub.c SELECT g, 'x' FROM generate_series(1, 1000) AS g; RESET ROLE")
    arguments = ["CREATE INDEX t_j ON pub.t ((pub.evil(99) + id))", b"without_children => true", "--engine", "extension", "--table", "pub.t"]
    run = compare_while(pair, *arguments).expect(IDENTICAL)
    expect_no_trace(pair)
    assert run.table("pub.t")["path"] == {"source": "scan", "target": "scan"}
    pair.source.execute("DROP INDEX pub.t_j")
    pair.target.execute("UPDATE ONLY pub.t SET v = 'other' WHERE id = 500")
    assert findings(compare_while(pair, *arguments).expect(DIVERGENT).table("pub.t")) == {mismatch("v", id="500")}
    expect_no_trace(pair)


@contextlib.contextmanager
def committed_while_waited_for(database, sql):
    """The owner's transaction, which holds pub.t until somebody waits for it."""
    with contextlib.closing(database.connect(user="mallory")) as owner, owner.cursor() as cursor:
        cursor.execute("BEGIN; LOCK TABLE pub.t; " + sql)

        def commit():
            with contextlib.closing(database.connect()) as watcher, watcher.cursor() as watching:
                for _ in range(3000):
                    watching.execute("SELECT count(*) > 0 FROM pg_locks WHERE relation = 'pub.t'::regclass AND NOT granted")
                    if watching.fetchone()[0]:
                        break
                    time.sleep(0.01)
            cursor.execute("COMMIT")
        thread = threading.Thread(target=commit)
        thread.start()
        yield
        thread.join()


def test_no_code_runs_of_an_index_that_the_owner_lets_others_wait_for(pair):
    """Whoever has the planner wait for a lock chooses the moment."""
    make(pair, OWNER + "CREATE TABLE pub.t (id int PRIMARY KEY, v text); CREATE TABLE pub.c () INHERITS (pub.t);" + ROWS + "RESET ROLE")
    for planted, status in ((False, IDENTICAL), (True, DIVERGENT)):
        if planted:
            pair.source.execute("DROP INDEX pub.t_j")
            pair.target.execute("UPDATE pub.t SET v = 'other' WHERE id = 500")
        with committed_while_waited_for(pair.source, "CREATE INDEX t_j ON pub.t ((pub.evil(99) + id))"):
            run = pair.compare("--table", "pub.t").expect(status)
        expect_no_trace(pair)
        assert "would run functions of its owner" in "".join(run.table("pub.t")["notes"])


@pytest.mark.parametrize("engine", ["auto", "stream"])
def test_a_function_of_bounds_that_may_not_be_called(pair, engine):
    """Reading the rows calls none. What is said about rows outside of their bounds is a note, and its failure no failure."""
    make(pair, OWNER + "CREATE FUNCTION pub.part(v text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN lower(v); END';"
         "CREATE TABLE pub.t (id int NOT NULL, v text) PARTITION BY LIST (pub.part(v)); CREATE TABLE pub.t_1 PARTITION OF pub.t FOR VALUES IN ('x');"
         + ROWS + "REVOKE ALL ON FUNCTION pub.part FROM PUBLIC; GRANT SELECT ON pub.t, pub.t_1 TO reader; RESET ROLE")
    sides = {"source": pair.source.conninfo(user="reader"), "target": pair.target.conninfo(user="reader")}
    pair.compare("--engine", engine, "--table", "pub.t", "--key", "pub.t=id", **sides).expect(IDENTICAL)
    pair.target.execute("UPDATE pub.t SET v = 'X' WHERE id = 500")
    pair.compare("--engine", engine, "--table", "pub.t", "--key", "pub.t=id", **sides).expect(DIVERGENT)


def test_a_role_with_select_alone_reads_such_tables(pair):
    make(pair, OWNER + USES["index"] + "; GRANT SELECT ON pub.t TO reader")
    sides = {"source": pair.source.conninfo(user="reader"), "target": pair.target.conninfo(user="reader")}
    pair.compare("--engine", "stream", "--table", "pub.t", **sides).expect(IDENTICAL)
    pair.target.execute("UPDATE pub.t SET v = 'other' WHERE id = 500")
    pair.traces = traces(pair)
    run = pair.compare("--engine", "stream", "--table", "pub.t", **sides).expect(DIVERGENT)
    assert findings(run.table()) == {mismatch("v", id="500")}
    expect_no_trace(pair)


@pytest.mark.parametrize("grant", ["pg_execute_server_program", "postgres"])
def test_a_role_that_may_do_more_does_not(pair, grant):
    make(pair, OWNER + USES["index"] + "; GRANT SELECT ON pub.t TO reader")
    sides = {"source": pair.source.conninfo(user="reader"), "target": pair.target.conninfo(user="reader")}
    try:
        pair.both(f"GRANT {grant} TO reader")
        pair.compare("--engine", "stream", "--table", "pub.t", **sides).expect(ERROR)
    finally:
        pair.both(f"REVOKE {grant} FROM reader")


@pytest.mark.parametrize("case", HARMLESS)
def test_functions_that_are_trusted(pair, case):
    make(pair, HARMLESS[case])
    pair.compare("--engine", "stream", "--table", "pub.t").expect(IDENTICAL)
    pair.target.execute("UPDATE pub.t SET v = 'other' WHERE id = 500")
    pair.compare("--engine", "stream", "--table", "pub.t").expect(DIVERGENT)


def test_other_tables_are_compared(pair):
    make(pair, OWNER + USES["index"])
    pair.both("CREATE TABLE u (id int PRIMARY KEY); INSERT INTO u VALUES (1)")
    run = pair.compare("--engine", "stream").expect(INCOMPLETE)
    assert run.table("public.u")["result"] == "identical"
    pair.target.execute("DELETE FROM u")
    pair.compare("--engine", "stream").expect(DIVERGENT)
