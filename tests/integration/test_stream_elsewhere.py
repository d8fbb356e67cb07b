"""Rows that are not in the table's heap, read as a stream: SQL is what counts, whichever hook of the server makes it so."""

import psycopg2
import pytest

from support.pgparity import DIVERGENT, ERROR, IDENTICAL, findings, mismatch, missing_on_target
from support.proxy import Proxy
from support.standin import WAYS, show_elsewhere

pytestmark = pytest.mark.matrix(sample=1)

# By these a SELECT sees the store. By "copy" it sees the shell.
OF_SELECT = [way for way in WAYS if way != "copy"]
TABLES = ("CREATE SCHEMA store; CREATE TABLE public.ev (id bigint PRIMARY KEY, v text); CREATE TABLE store.ev (id bigint PRIMARY KEY, v text);"
          "INSERT INTO store.ev SELECT n, 'v' || n FROM generate_series(1, 1000) n")
# As compressed chunks of a hypertable: what is below the parent has no rows of its own that the parent would not show.
CHUNKED = ("CREATE SCHEMA store; CREATE TABLE public.m (id int, v text, PRIMARY KEY (id)); CREATE TABLE public.m_1 (PRIMARY KEY (id)) INHERITS (public.m);"
           "CREATE TABLE store.m (id int PRIMARY KEY, v text); INSERT INTO m_1 SELECT n, 'v' || n FROM generate_series(1, 500) n;"
           "INSERT INTO store.m SELECT n, 'v' || n FROM generate_series(1, 1000) n")


def stream(pair, *arguments, **options):
    return pair.compare("--engine", "stream", *arguments, **options)


def both_elsewhere(pair, way, *, shell="public.ev", store="store.ev", under_only=True):
    for side in (pair.source, pair.target):
        show_elsewhere(side, shell, store, way, under_only=under_only)


@pytest.mark.parametrize("way", OF_SELECT)
def test_rows_of_another_table(pair, way):
    pair.both(TABLES)
    both_elsewhere(pair, way)
    table = stream(pair, "--table", "public.ev").expect(IDENTICAL).table()
    assert table["rows"] == {"source": "1000", "target": "1000"} and table["path"] == {"source": "stream", "target": "stream"}
    assert len([note for note in table["notes"] if "is read as one query reads it" in note]) == 2
    pair.target.execute("DELETE FROM store.ev WHERE id <= 300; UPDATE store.ev SET v = 'BAD' WHERE id = 900")
    run = stream(pair, "--table", "public.ev").expect(DIVERGENT)
    assert findings(run.table()) == {mismatch("v", id="900")} | {missing_on_target(id=str(n)) for n in range(1, 301)}
    found, = [d for d in run.table()["divergences"] if d["kind"] == "mismatch"]
    assert (found["source"], found["target"]) == ({"v": "v900"}, {"v": "BAD"})


@pytest.mark.parametrize("way", OF_SELECT)
def test_rows_of_another_table_under_a_parent(pair, way):
    pair.both(CHUNKED)
    both_elsewhere(pair, way, shell="public.m", store="store.m", under_only=False)
    assert stream(pair, "--table", "public.m").expect(IDENTICAL).table()["rows"]["source"] == "1000"
    pair.target.execute("DELETE FROM store.m WHERE id = 777")
    assert findings(stream(pair, "--table", "public.m").expect(DIVERGENT).table()) == {missing_on_target(id="777")}


@pytest.mark.parametrize("way", OF_SELECT)
@pytest.mark.parametrize("engine", ["extension", "stream"])
def test_rows_of_another_table_under_a_parent_that_inherits(pair, engine, way):
    """Whoever names it asks for what its query shows, whatever it inherits from."""
    pair.both("CREATE TABLE public.top (id int, v text);" + CHUNKED + "; ALTER TABLE public.m INHERIT public.top")
    both_elsewhere(pair, way, shell="public.m", store="store.m", under_only=False)
    arguments = ["--engine", engine, "--table", "public.m"]
    assert pair.compare(*arguments).expect(IDENTICAL).table()["rows"]["source"] == "1000"
    pair.target.execute("DELETE FROM store.m WHERE id = 777")
    assert findings(pair.compare(*arguments).expect(DIVERGENT).table()) == {missing_on_target(id="777")}


@pytest.mark.parametrize("way", OF_SELECT)
def test_ranges_of_another_table(pair, way):
    """More than one pass, each of some ranges."""
    pair.both(TABLES + "; ANALYZE")
    both_elsewhere(pair, way)
    pair.target.execute("UPDATE store.ev SET v = 'BAD' WHERE id IN (1, 500, 1000)")
    for arguments in (["--ranges", "20"], ["--ranges", "20", "--where", "id > 1"]):
        run = stream(pair, "--table", "public.ev", *arguments).expect(DIVERGENT)
        ids = (1, 500, 1000) if len(arguments) == 2 else (500, 1000)
        assert findings(run.table()) == {mismatch("v", id=str(n)) for n in ids}


def test_a_plain_table_has_no_such_note(pair):
    pair.both(TABLES + "; INSERT INTO public.ev SELECT * FROM store.ev; CREATE TABLE p (id int PRIMARY KEY) PARTITION BY RANGE (id);"
              "CREATE TABLE p_1 PARTITION OF p FOR VALUES FROM (0) TO (10); CREATE TABLE p_2 PARTITION OF p FOR VALUES FROM (10) TO (20);"
              "CREATE TABLE p_3 PARTITION OF p FOR VALUES FROM (20) TO (30); INSERT INTO p SELECT generate_series(0, 19);"
              "CREATE TABLE empty_parent (id int) PARTITION BY LIST (id); CREATE TABLE empty (id int);"
              "CREATE MATERIALIZED VIEW mv AS SELECT id FROM p; CREATE TABLE \"Odd\"\"name\" (\"Select\" int PRIMARY KEY, \"true\" boolean);"
              "INSERT INTO \"Odd\"\"name\" VALUES (1, true)")
    run = stream(pair, "--verbose").expect(IDENTICAL)
    assert len(run.report["tables"]) == 7 and not any(table.get("notes") for table in run.report["tables"])
    pair.target.execute("UPDATE \"Odd\"\"name\" SET \"true\" = false; DELETE FROM p WHERE id = 11")
    run = stream(pair).expect(DIVERGENT)
    assert [t["source"] for t in run.report["tables"] if t["result"] == "divergent"] == ['public."Odd""name"', "public.p"]


# ---- what EXPLAIN tells ----------------------------------------------------------------------------------------------


def test_rows_that_go_elsewhere_during_a_pass(pair):
    """The plan is asked for once more after it: what was read in parts meanwhile is no answer, whatever it says."""
    own = TABLES.split("; CREATE TABLE store.ev")[0]
    pair.both(own + "; INSERT INTO ev SELECT n, 'v' || n FROM generate_series(1, 1000) n")
    both_elsewhere(pair, "planner", under_only=False)
    moved = ("CREATE TABLE store.ev (id bigint PRIMARY KEY, v text); INSERT INTO store.ev SELECT n, 'v' || n FROM generate_series(1, 1000) n;"
             "ALTER TABLE store.ev ALTER v SET DEFAULT ''")

    def compare_while_moving(more):
        moves = []

        def move(number, data):
            if not moves and b"COPY (SELECT" in data:
                moves.append(number)
                pair.target.execute(f"{moved}; {more}")
        with Proxy(pair.target.cluster.port, move) as proxy:
            run = stream(pair, "--table", "public.ev", target=pair.target.tcp_conninfo(proxy.port))
        assert moves
        pair.target.execute("DROP TABLE store.ev")
        return run
    pair.target.execute("DELETE FROM ev WHERE id = 300")
    table = compare_while_moving("SELECT").expect(IDENTICAL).table()
    assert any("the target is read as one query reads it: " in note for note in table["notes"]), table["notes"]
    pair.target.execute("INSERT INTO ev VALUES (300, 'v300')")
    run = compare_while_moving("DELETE FROM store.ev WHERE id = 777").expect(DIVERGENT)
    assert findings(run.table()) == {missing_on_target(id="777")}


@pytest.mark.parametrize("tables", [TABLES, CHUNKED], ids=["table", "parent"])
def test_a_role_that_may_not_explain(pair, tables):
    name = "ev" if tables == TABLES else "m"
    pair.both(f"{tables}; INSERT INTO {name} SELECT * FROM store.{name} ON CONFLICT DO NOTHING")
    both_elsewhere(pair, "refusal", shell=f"public.{name}", store=f"store.{name}")
    with pytest.raises(psycopg2.errors.InsufficientPrivilege):
        pair.source.execute("EXPLAIN SELECT 1")
    table = stream(pair, "--table", f"public.{name}").expect(IDENTICAL).table()
    told = [note for note in table["notes"] if "is read as one query reads it: the server does not tell how it reads it" in note]
    assert len(told) == 2 and all("permission denied to explain" in note for note in told)
    pair.target.execute(f"UPDATE {name} SET v = 'BAD' WHERE id = 900")
    assert findings(stream(pair, "--table", f"public.{name}").expect(DIVERGENT).table()) == {mismatch("v", id="900")}


def test_statements_that_can_be_pushed_down(pair):
    """Not every extension that distributes tables takes a subquery that reads no table."""
    pair.both(TABLES + "; INSERT INTO ev SELECT * FROM store.ev; CREATE DOMAIN d AS varchar(9); ALTER TABLE ev ADD w d[], ADD x point, ADD y numeric")
    pair.target.execute("UPDATE ev SET v = 'BAD', w = '{a}', x = '(1,2)', y = 0.10 WHERE id = 500")
    for more in ([], ["--ranges", "20"], ["--where", "id > 7"]):
        sent = []
        with Proxy(pair.target.cluster.port, lambda number, data: sent.append(data)) as proxy:
            run = stream(pair, "--table", "public.ev", *more, target=pair.target.tcp_conninfo(proxy.port)).expect(DIVERGENT)
        assert findings(run.table()) == {mismatch(["v", "w", "x", "y"], id="500")}
        statements = [text for text in b"".join(sent).split(b"\0") if b'"public"."ev"' in text or b"public.ev" in text]
        copies = [text for text in statements if b"COPY (SELECT" in text]
        assert any(b"format('%s'" in text for text in copies)
        assert [text for text in copies if text.count(b"SELECT") != 1] == []


# ---- COPY ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rows", ["", "INSERT INTO public.ev SELECT * FROM store.ev", "INSERT INTO public.ev SELECT id + 1, v FROM store.ev"])
def test_copy_that_gives_other_rows_than_select(pair, rows):
    """What COPY sees is alike on both sides, and what SELECT sees is not: there must be no answer, or SELECT's."""
    pair.both(TABLES + f"; {rows or 'SELECT'}")
    pair.target.execute("INSERT INTO public.ev VALUES (5000, 'more'); INSERT INTO store.ev VALUES (5000, 'more'); DELETE FROM public.ev WHERE id = 5000")
    pair.source.execute("INSERT INTO store.ev VALUES (5000, 'more'); INSERT INTO public.ev VALUES (5000, 'more')")
    both_elsewhere(pair, "copy")
    run = stream(pair, "--table", "public.ev").expect(ERROR)
    assert "COPY gave" in run.table()["error"] and "SELECT" in run.table()["error"]


def test_copy_that_gives_as_many_other_rows(pair):
    """Only values tell the store from the shell, and both stores are alike."""
    pair.both(TABLES + "; INSERT INTO public.ev SELECT * FROM store.ev")
    pair.target.execute("UPDATE public.ev SET v = 'BAD' WHERE id = 500")
    both_elsewhere(pair, "copy")
    assert "COPY gave" in stream(pair, "--table", "public.ev").expect(ERROR).table()["error"]


def test_copy_of_other_tables_is_left_alone(pair):
    pair.both(TABLES + "; CREATE TABLE t (id int PRIMARY KEY, v int); INSERT INTO t SELECT n, n FROM generate_series(1, 100) n")
    both_elsewhere(pair, "copy")
    stream(pair, "--table", "public.t").expect(IDENTICAL)
    pair.target.execute("UPDATE t SET v = 0 WHERE id = 5")
    assert findings(stream(pair, "--table", "public.t").expect(DIVERGENT).table()) == {mismatch("v", id="5")}
