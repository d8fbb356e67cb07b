"""Trees of inheritance: each row is compared once, in the member that has it; trees that are divided otherwise, as a whole."""

import pytest

from support.pgparity import DIVERGENT, IDENTICAL, INCOMPLETE, findings, mismatch, missing_on_source, missing_on_target

pytestmark = [pytest.mark.every_engine, pytest.mark.matrix(sample=1)]

SALES = ("CREATE TABLE sales (id int PRIMARY KEY, d date, who text);"
         "CREATE TABLE sales_q1 (PRIMARY KEY (id), CHECK (d < '2023-04-01')) INHERITS (sales);"
         "CREATE TABLE sales_q2 (CHECK (d >= '2023-04-01')) INHERITS (sales);"
         "INSERT INTO sales VALUES (1, '2023-02-15', 'ann'); INSERT INTO sales_q1 VALUES (2, '2023-03-20', 'bob');"
         "INSERT INTO sales_q2 VALUES (3, '2023-04-20', 'cid')")
CHOICES = pytest.mark.parametrize("chosen", [[], ["--table", "sales"]], ids=["whole run", "named"])


def names(run):
    return [table["source"] for table in run.report["tables"]]


def rows(run):
    return {table["source"]: int(table["rows"]["source"]) for table in run.report["tables"]}


@CHOICES
def test_children_copied_into_the_parent_too(pair, chosen):
    pair.both(SALES)
    run = pair.compare(*chosen).expect(IDENTICAL)
    assert rows(run) == {"public.sales": 1, "public.sales_q1": 1, "public.sales_q2": 1}
    assert run.table("public.sales")["without_children"] is True and "without_children" not in run.table("public.sales_q1")
    assert run.table("public.sales")["key_proven"] is True
    pair.target.execute("INSERT INTO sales SELECT * FROM sales_q1; INSERT INTO sales SELECT * FROM sales_q2")
    run = pair.compare(*chosen).expect(DIVERGENT)
    assert findings(run.table("public.sales")) == {missing_on_source(id="2"), missing_on_source(id="3")}
    assert {run.table(name)["result"] for name in ("public.sales_q1", "public.sales_q2")} == {"identical"}


@CHOICES
def test_a_row_in_the_parent_in_place_of_its_child(pair, chosen):
    pair.both(SALES)
    pair.target.execute("DELETE FROM sales_q1; INSERT INTO sales VALUES (2, '2023-03-20', 'bob')")
    run = pair.compare(*chosen).expect(DIVERGENT)
    assert findings(run.table("public.sales")) == {missing_on_source(id="2")}
    assert findings(run.table("public.sales_q1")) == {missing_on_target(id="2")}
    assert run.table("public.sales_q2")["result"] == "identical"


def test_a_child_without_a_key_has_its_roots(pair):
    pair.both(SALES)
    pair.target.execute("UPDATE sales_q2 SET who = 'x'")
    table = pair.compare().expect(DIVERGENT).table("public.sales_q2")
    assert findings(table) == {mismatch("who", id="3")} and table["key_proven"] is False


CHUNKS = "CREATE TABLE m (id int PRIMARY KEY, v text); CREATE SCHEMA chunks"
SOURCE_CHUNKS = ("CREATE TABLE chunks.c1 (CHECK (id < 100)) INHERITS (m); CREATE TABLE chunks.c2 (CHECK (id BETWEEN 100 AND 199)) INHERITS (m);"
                 "CREATE TABLE chunks.c3 (CHECK (id >= 200)) INHERITS (m);"
                 "INSERT INTO chunks.c1 SELECT i, 'v' FROM generate_series(1, 99) i; INSERT INTO chunks.c2 SELECT i, 'v' FROM generate_series(100, 199) i;"
                 "INSERT INTO chunks.c3 SELECT i, 'v' FROM generate_series(200, 300) i")


@pytest.mark.matrix(sample=2)
@pytest.mark.parametrize("target_chunks", [
    "CREATE TABLE chunks.c1 (CHECK (id < 300)) INHERITS (m); CREATE TABLE chunks.c2 (CHECK (id >= 300)) INHERITS (m);"
    "INSERT INTO chunks.c1 SELECT i, 'v' FROM generate_series(1, 299) i; INSERT INTO chunks.c2 VALUES (300, 'v')",
    "CREATE TABLE chunks.c1 (CHECK (id < 50)) INHERITS (m); CREATE TABLE chunks.c2 (CHECK (id BETWEEN 50 AND 199)) INHERITS (m);"
    "CREATE TABLE chunks.c3 (CHECK (id >= 200)) INHERITS (m);"
    "INSERT INTO chunks.c1 SELECT i, 'v' FROM generate_series(1, 49) i; INSERT INTO chunks.c2 SELECT i, 'v' FROM generate_series(50, 199) i;"
    "INSERT INTO chunks.c3 SELECT i, 'v' FROM generate_series(200, 300) i",
    "INSERT INTO m SELECT i, 'v' FROM generate_series(1, 300) i"], ids=["other children", "other limits", "no children"])
@pytest.mark.parametrize("chosen", [[], ["--table", "m"], ["--schema", "public"]], ids=["whole run", "named", "schema"])
def test_trees_that_are_divided_otherwise(pair, target_chunks, chosen):
    pair.both(CHUNKS)
    pair.source.execute(SOURCE_CHUNKS)
    pair.target.execute(target_chunks)
    run = pair.compare(*chosen).expect(IDENTICAL)
    assert rows(run) == {"public.m": 300}
    assert any(d["object"] == "public.m" and d["severity"] == "note" and "children" in d["message"] for d in run.report["schema_differences"])
    pair.target.execute("UPDATE m SET v = 'x' WHERE id = 150; DELETE FROM m WHERE id = 7")
    assert findings(pair.compare(*chosen).expect(DIVERGENT).table()) == {mismatch("v", id="150"), missing_on_target(id="7")}


def test_own_columns_of_children_that_are_divided_otherwise(pair):
    """A query of the root does not show them."""
    pair.both("CREATE TABLE m (id int PRIMARY KEY, v text); CREATE TABLE c (own text, PRIMARY KEY (id)) INHERITS (m);"
              "INSERT INTO c VALUES (1, 'v', 'own'), (2, 'v', 'own')")
    pair.source.execute("CREATE TABLE empty () INHERITS (m)")
    for chosen in ([], ["--table", "m"]):
        run = pair.compare(*chosen).expect(IDENTICAL)
        assert names(run) == ["public.c", "public.m"]
    pair.target.execute("UPDATE c SET own = 'x' WHERE id = 2")
    for chosen in ([], ["--table", "m"]):
        run = pair.compare(*chosen).expect(DIVERGENT)
        assert findings(run.table("public.c")) == {mismatch("own", id="2")}
        assert run.table("public.m")["result"] == "identical"


LEVELS = ("CREATE TABLE a (id int PRIMARY KEY, v text); CREATE TABLE z (zone text, id int); CREATE TABLE gone (w int, v text, id int NOT NULL, x int);"
          "ALTER TABLE gone DROP w; ALTER TABLE gone INHERIT a; CREATE TABLE \"b.c\" (own int) INHERITS (a);"
          "CREATE TABLE both_of () INHERITS (\"b.c\", z);"
          "INSERT INTO a VALUES (1, 'a'); INSERT INTO z VALUES ('z', 1); INSERT INTO gone VALUES ('g', 2, 5), ('g', 3, 5);"
          "INSERT INTO \"b.c\" VALUES (4, 'b', 7); INSERT INTO both_of (id, v, own, zone) VALUES (5, 'two', 8, 'z'), (6, 'two', 9, 'z')")


def test_levels_two_parents_and_columns_of_their_own(pair):
    """Every row once, whatever the order of its columns."""
    pair.both(LEVELS)
    run = pair.compare().expect(IDENTICAL)
    assert rows(run) == {"public.a": 1, 'public."b.c"': 1, "public.both_of": 2, "public.gone": 2, "public.z": 1}
    run = pair.compare("--table", "z").expect(IDENTICAL)
    assert rows(run) == {"public.both_of": 2, "public.z": 1}
    pair.target.execute("UPDATE both_of SET own = 0 WHERE id = 6; UPDATE ONLY a SET v = 'x'; UPDATE gone SET x = 0 WHERE id = 3")
    run = pair.compare().expect(DIVERGENT)
    assert findings(run.table("public.both_of")) == {mismatch("own", id="6")} and findings(run.table("public.a")) == {mismatch("v", id="1")}
    assert findings(run.table("public.gone")) == {mismatch("x", id="3")}
    assert run.table("public.z")["result"] == run.table('public."b.c"')["result"] == "identical"
    run = pair.compare("--table", "z").expect(DIVERGENT)
    assert run.table("public.both_of")["result"] == "divergent"


def test_another_parent_on_the_other_side_is_a_note(pair):
    pair.both("CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b () INHERITS (a)")
    pair.source.execute("CREATE TABLE c () INHERITS (b)")
    pair.target.execute("CREATE TABLE c () INHERITS (a)")
    pair.both("INSERT INTO c VALUES (1), (2)")
    run = pair.compare().expect(IDENTICAL)
    assert {"severity": "note", "object": "public.c", "message": "inherits from public.b on source, public.a on target"} \
        in run.report["schema_differences"]
    pair.target.execute("DELETE FROM c WHERE id = 2")
    assert findings(pair.compare().expect(DIVERGENT).table("public.c")) == {missing_on_target(id="2")}


def test_a_child_alone_is_compared_with_its_own_children(pair):
    pair.both(LEVELS)
    run = pair.compare("--table", '"b.c"').expect(IDENTICAL)
    assert rows(run) == {'public."b.c"': 1, "public.both_of": 2}
    pair.target.execute("DELETE FROM both_of WHERE id = 5")
    assert pair.compare("--table", '"b.c"').expect(DIVERGENT).table("public.both_of")["counts"]["missing_on_target"] == "1"


def test_a_child_that_is_a_table_by_itself_on_the_other_side(pair):
    pair.both("CREATE TABLE p (id int PRIMARY KEY, v text)")
    pair.source.execute("CREATE TABLE c (PRIMARY KEY (id)) INHERITS (p)")
    pair.target.execute("CREATE TABLE c (id int PRIMARY KEY, v text)")
    run = pair.compare().expect(IDENTICAL)
    assert names(run) == ["public.c", "public.p"]
    pair.both("INSERT INTO c VALUES (1, 'v')")
    run = pair.compare().expect(DIVERGENT)
    assert findings(run.table("public.p")) == {missing_on_target(id="1")} and run.table("public.c")["result"] == "identical"
    pair.target.execute("UPDATE c SET v = 'x'")
    assert findings(pair.compare().expect(DIVERGENT).table("public.c")) == {mismatch("v", id="1")}


def test_children_of_a_parent_that_one_side_lacks(pair):
    pair.source.execute("CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE c (PRIMARY KEY (id)) INHERITS (p)")
    pair.target.execute("CREATE TABLE c (id int PRIMARY KEY)")
    run = pair.compare().expect(DIVERGENT)
    assert names(run) == ["public.c"] and [d["object"] for d in run.report["schema_differences"] if d["severity"] == "divergence"] == ["public.p"]
    pair.target.execute("INSERT INTO c VALUES (1)")
    assert findings(pair.compare().expect(DIVERGENT).table("public.c")) == {missing_on_source(id="1")}


def test_exclusions(pair):
    """Of a tree with the same members an excluded one is left out, together with what only one side has of them."""
    pair.both(SALES)
    pair.target.execute("UPDATE sales_q1 SET who = 'x'; CREATE TABLE sales_old () INHERITS (sales); INSERT INTO sales_old VALUES (9, NULL, 'old')")
    run = pair.compare("--exclude-table", "sales_q1|sales_old").expect(IDENTICAL)
    assert names(run) == ["public.sales", "public.sales_q2"]
    pair.target.execute("UPDATE sales_q2 SET who = 'x'")
    run = pair.compare("--exclude-table", "sales_q1|sales_old").expect(DIVERGENT)
    assert findings(run.table("public.sales_q2")) == {mismatch("who", id="3")} and run.table("public.sales")["result"] == "identical"
    pair.target.execute("UPDATE sales_q2 SET who = 'cid'")
    run = pair.compare("--exclude-table", "sales_old").expect(DIVERGENT)
    assert findings(run.table("public.sales_q1")) == {mismatch("who", id="2")}
    run = pair.compare("--exclude-table", "sales_q1").expect(DIVERGENT)  # as a whole: sales_old is there
    assert names(run) == ["public.sales"] and findings(run.table()) == {mismatch("who", id="2"), missing_on_source(id="9")}


def test_options_for_the_root_are_for_its_children(pair):
    pair.source.execute(SALES)
    pair.target.execute(SALES.replace("sales", "sold").replace(", who text", ", name text"))
    options = ["--table", "sales", "--map", "sales=sold", "--map", "sales_q1=sold_q1", "--map", "sales_q2=sold_q2", "--map-column", "sales.who=name"]
    run = pair.compare(*options).expect(IDENTICAL)
    assert names(run) == ["public.sales", "public.sales_q1", "public.sales_q2"]
    assert run.table("public.sales_q1")["columns"][1]["target_name"] == "name"
    pair.target.execute("UPDATE sold_q2 SET name = 'x'")
    assert findings(pair.compare(*options).expect(DIVERGENT).table("public.sales_q2")) == {mismatch("who", id="3")}
    pair.compare(*options, "--exclude-columns", "sales.who").expect(IDENTICAL)
    pair.target.execute("UPDATE sold_q2 SET d = '2024-01-01'")
    pair.compare(*options, "--exclude-columns", "sales.who").expect(DIVERGENT)


def test_a_condition_is_about_the_whole_tree(pair):
    pair.both(SALES)
    run = pair.compare("--table", "sales", "--where", "id > 1").expect(IDENTICAL)
    assert rows(run) == {"public.sales": 2}
    pair.target.execute("UPDATE sales_q2 SET who = 'x'")
    assert findings(pair.compare("--table", "sales", "--where", "id > 1").expect(DIVERGENT).table()) == {mismatch("who", id="3")}


def test_a_role_that_may_read_the_root_only(pair):
    pair.both(SALES)
    role = f"reader_{pair.source.name}"
    for side in (pair.source, pair.target):
        side.execute(f"CREATE ROLE {role} LOGIN; GRANT SELECT ON sales TO {role}; GRANT USAGE ON SCHEMA public TO {role}")
    try:
        grants = "SELECT 1 FROM pg_namespace WHERE nspname = 'parity'"
        for side in (pair.source, pair.target):
            if side.query(grants):
                side.execute(f"GRANT USAGE ON SCHEMA parity TO {role}")
        sides = {"source": pair.source.conninfo(user=role), "target": pair.target.conninfo(user=role)}
        run = pair.compare("--table", "sales", **sides).expect(IDENTICAL)
        assert rows(run) == {"public.sales": 3} and any("cannot be read by itself" in note for note in run.table()["notes"])
        pair.target.execute("UPDATE sales_q2 SET who = 'x'")
        assert findings(pair.compare("--table", "sales", **sides).expect(DIVERGENT).table()) == {mismatch("who", id="3")}
    finally:
        for side in (pair.source, pair.target):
            side.execute(f"DROP OWNED BY {role}; DROP ROLE {role}")


def test_temporary_children_are_of_no_concern(pair):
    pair.both("CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t VALUES (1, 'v'), (2, 'v'); CREATE TEMPORARY TABLE mine () INHERITS (t)")
    pair.source.execute("INSERT INTO mine VALUES (3, 'temporary')")
    run = pair.compare().expect(IDENTICAL)
    assert rows(run) == {"public.t": 2}
    pair.target.execute("UPDATE ONLY t SET v = 'x' WHERE id = 2")
    assert findings(pair.compare().expect(DIVERGENT).table()) == {mismatch("v", id="2")}


def test_foreign_children_are_read_only_where_the_table_is_named(pair):
    pair.both("CREATE EXTENSION file_fdw; CREATE SERVER files FOREIGN DATA WRAPPER file_fdw;"
              "CREATE TABLE t (id int PRIMARY KEY, v text); CREATE TABLE c (PRIMARY KEY (id)) INHERITS (t); INSERT INTO c VALUES (1, 'v');"
              "CREATE FOREIGN TABLE f () INHERITS (t) SERVER files OPTIONS (program 'printf \"2\\\\tf\\\\n\"')")
    run = pair.compare().expect(INCOMPLETE)
    assert {run.table(name)["result"] for name in ("public.t", "public.c")} == {"identical"}
    run = pair.compare("--table", "t").expect(IDENTICAL)
    assert rows(run) == {"public.c": 1, "public.f": 1, "public.t": 0}
    pair.target.execute("ALTER FOREIGN TABLE f OPTIONS (SET program 'printf \"2\\\\tx\\\\n\"')")
    assert pair.compare("--table", "t").expect(DIVERGENT).table("public.f")["result"] == "divergent"
    pair.target.execute("UPDATE c SET v = 'x'")
    run = pair.compare().expect(DIVERGENT)
    assert run.report["incomplete"] is True and findings(run.table("public.c")) == {mismatch("v", id="1")} and run.table("public.t")["result"] == "identical"


@pytest.mark.parametrize("chosen", [[], ["--table", "p"]], ids=["whole run", "named"])
def test_partitions_that_are_cut_otherwise(pair, chosen):
    pair.both("CREATE TABLE p (id int PRIMARY KEY, v text) PARTITION BY RANGE (id)")
    pair.source.execute("CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (100); CREATE TABLE p2 PARTITION OF p FOR VALUES FROM (100) TO (200)")
    pair.target.execute("CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (50); CREATE TABLE p3 PARTITION OF p FOR VALUES FROM (50) TO (200)")
    pair.both("INSERT INTO p SELECT i, 'v' FROM generate_series(0, 199) i")
    assert rows(pair.compare(*chosen).expect(IDENTICAL)) == {"public.p": 200}
    pair.target.execute("UPDATE p SET v = 'x' WHERE id = 60")
    assert findings(pair.compare(*chosen).expect(DIVERGENT).table()) == {mismatch("v", id="60")}


def test_many_rows_of_a_parent_and_its_child(pair):
    """Both by pages and ranges, so that none of the other's rows is read."""
    pair.both("CREATE TABLE t (id int PRIMARY KEY, v text); CREATE TABLE c (PRIMARY KEY (id)) INHERITS (t);"
              "INSERT INTO t SELECT i, 'row ' || i FROM generate_series(1, 30000) i; INSERT INTO c SELECT i, 'row ' || i FROM generate_series(1, 30000) i;"
              "ANALYZE t, c")
    run = pair.compare().expect(IDENTICAL)
    assert rows(run) == {"public.t": 30000, "public.c": 30000}
    assert run.table("public.t")["path"] == run.table("public.c")["path"] == pair.path("scan")
    pair.target.execute("UPDATE ONLY t SET v = 'x' WHERE id IN (7, 20000); DELETE FROM ONLY t WHERE id = 12345; UPDATE c SET v = 'y' WHERE id = 9")
    run = pair.compare().expect(DIVERGENT)
    assert findings(run.table("public.t")) == {mismatch("v", id="7"), mismatch("v", id="20000"), missing_on_target(id="12345")}
    assert findings(run.table("public.c")) == {mismatch("v", id="9")}
