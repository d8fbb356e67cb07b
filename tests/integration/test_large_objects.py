"""Large objects: which there are, and what is in them."""

import re

import pytest

from support.pgparity import DIVERGENT, ERROR, IDENTICAL, INCOMPLETE, findings, missing_on_source

pytestmark = [pytest.mark.every_engine, pytest.mark.matrix(sample=1)]

PAGE = 2048

# More pages than are read at once: contents are then looked at through digests first.
MANY = "SELECT lo_from_bytea(70000 + i, convert_to(repeat(md5(i::text), 100), 'UTF8')) FROM generate_series(1, 200) AS i"


@pytest.fixture(params=["few", "many"])
def objects(request, pair):
    """Sides with a table and the same three objects, of 5000 bytes each; with many, more of them."""
    pair.both("CREATE TABLE att (id int PRIMARY KEY, lo oid); INSERT INTO att VALUES (1, 50001)")
    pair.both("SELECT lo_from_bytea(50000 + i, convert_to(repeat(chr(64 + i), 5000), 'UTF8')) FROM generate_series(1, 3) AS i")
    if request.param == "many":
        pair.both(MANY)
    pair.count = 3 if request.param == "few" else 203
    return pair


def found(run):
    """What a report tells about large objects, as (kind, oid, first difference)."""
    return {(d["kind"], int(d["oid"]), int(d["first_difference"]) if "first_difference" in d else None)
            for d in run.report["large_objects"]["divergences"]}


def test_objects_that_are_equal(objects):
    run = objects.compare().expect(IDENTICAL)
    told = run.report["large_objects"]
    assert told["result"] == "identical" and told["contents_read"] and told["objects"] == {"source": str(objects.count), "target": str(objects.count)}
    assert f"large objects: identical, {objects.count} large objects" in objects.run().expect(IDENTICAL).stdout


def test_one_byte_of_one_page(objects):
    objects.target.execute("SELECT lo_put(50002, 4096, '\\x00')")
    run = objects.compare().expect(DIVERGENT)
    assert found(run) == {("mismatch", 50002, 4096)}
    assert run.report["large_objects"]["divergences"][0]["length"] == {"source": "5000", "target": "5000"}
    text = objects.run().expect(DIVERGENT).stdout
    assert "  mismatch           50002  from byte 4096 on, of 5000\n" in text and "1 with other contents" in text


def test_objects_that_one_side_has_not(objects):
    objects.target.execute("SELECT lo_unlink(50001)")
    objects.source.execute("SELECT lo_unlink(50003)")
    run = objects.compare().expect(DIVERGENT)
    assert found(run) == {("missing_on_target", 50001, None), ("missing_on_source", 50003, None)}
    assert run.report["large_objects"]["counts"] == {"mismatch": "0", "missing_on_target": "1", "missing_on_source": "1"}


def test_all_objects_are_gone(objects):
    """A copy that left large objects out."""
    objects.target.execute("SELECT lo_unlink(oid) FROM pg_largeobject_metadata")
    run = objects.compare("--max-divergences", "2").expect(DIVERGENT)
    assert len(found(run)) == 2 and run.report["large_objects"]["not_listed"] == str(objects.count - 2)
    text = objects.run("--max-divergences", "2").expect(DIVERGENT).stdout
    assert f"divergent, {objects.count} large objects on source, 0 on target; {objects.count} missing on target" in text


def test_a_hole_reads_as_zeros(objects):
    objects.source.execute("SELECT lo_create(50010); SELECT lo_put(50010, 20000, 'x')")
    objects.target.execute("SELECT lo_from_bytea(50010, decode(repeat('00', 20000), 'hex') || 'x')")
    pages = [side.value("SELECT count(*) FROM pg_largeobject WHERE loid = 50010") for side in (objects.source, objects.target)]
    assert pages == [1, 10]
    objects.compare().expect(IDENTICAL)
    objects.target.execute("SELECT lo_put(50010, 10001, '\\x01')")
    assert found(objects.compare().expect(DIVERGENT)) == {("mismatch", 50010, 10001)}


def page(objects, sql):
    """What no function writes: pages as a damaged copy may have them."""
    objects.target.execute("SET allow_system_table_mods = on")
    objects.target.execute(sql)
    objects.target.execute("RESET allow_system_table_mods")


def test_one_page_is_missing(objects):
    page(objects, "DELETE FROM pg_largeobject WHERE loid = 50002 AND pageno = 1")
    assert found(objects.compare().expect(DIVERGENT)) == {("mismatch", 50002, PAGE)}


def test_a_missing_page_of_zeros_is_none(objects):
    objects.both(f"SELECT lo_put(50002, {PAGE}, decode(repeat('00', {PAGE}), 'hex'))")
    page(objects, "DELETE FROM pg_largeobject WHERE loid = 50002 AND pageno = 1")
    objects.compare().expect(IDENTICAL)
    objects.source.execute(f"SELECT lo_put(50002, {PAGE + 5}, '\\x01')")
    assert found(objects.compare().expect(DIVERGENT)) == {("mismatch", 50002, PAGE + 5)}


def test_a_trailing_page_of_zeros_makes_an_object_longer(objects):
    objects.target.execute("SELECT lo_put(50002, 5000, decode(repeat('00', 2000), 'hex'))")
    run = objects.compare().expect(DIVERGENT)
    assert found(run) == {("mismatch", 50002, 5000)}
    assert run.report["large_objects"]["divergences"][0]["length"] == {"source": "5000", "target": "7000"}
    assert "from byte 5000 on; 5000 bytes on source, 7000 on target" in objects.run().stdout


def test_an_empty_object_and_one_that_was_emptied(objects):
    objects.source.execute("SELECT lo_create(50010)")
    objects.target.execute("SELECT lo_from_bytea(50010, 'abc')")
    assert found(objects.compare().expect(DIVERGENT)) == {("mismatch", 50010, 0)}
    objects.target.execute("SELECT lo_truncate(lo_open(50010, x'60000'::int), 0)")
    assert objects.target.value("SELECT count(*) FROM pg_largeobject WHERE loid = 50010") == 1
    objects.compare().expect(IDENTICAL)


def test_every_object_differs(objects):
    objects.target.execute("SELECT lo_put(oid, 7, '\\xff') FROM pg_largeobject_metadata")
    run = objects.compare().expect(DIVERGENT)
    assert run.report["large_objects"]["counts"]["mismatch"] == str(objects.count) and {at for _, _, at in found(run)} == {7}


def test_another_owner_is_no_divergence(objects):
    objects.target.execute("DO $$ BEGIN CREATE ROLE owner_of_objects; EXCEPTION WHEN duplicate_object THEN NULL; END $$;"
                           "ALTER LARGE OBJECT 50001 OWNER TO owner_of_objects; GRANT SELECT ON LARGE OBJECT 50002 TO PUBLIC")
    objects.compare().expect(IDENTICAL)
    objects.target.execute("SELECT lo_put(50001, 4096, '\\x00')")
    assert found(objects.compare().expect(DIVERGENT)) == {("mismatch", 50001, 4096)}
    objects.target.execute("REASSIGN OWNED BY owner_of_objects TO postgres")


def test_pages_of_objects_that_are_gone_are_not_contents(objects):
    page(objects, "INSERT INTO pg_largeobject VALUES (49999, 0, 'orphan')")
    objects.compare().expect(IDENTICAL)
    objects.target.execute("SELECT lo_put(50001, 4096, '\\x00')")
    assert found(objects.compare().expect(DIVERGENT)) == {("mismatch", 50001, 4096)}


def test_a_dump_keeps_them(objects):
    """pg_dump writes zeros where there were holes."""
    objects.both("SELECT lo_unlink(oid) FROM pg_largeobject_metadata")
    objects.source.execute("SELECT lo_create(60001); SELECT lo_put(60001, 100000, 'x'); SELECT lo_from_bytea(60002, '\\x0001'); SELECT lo_create(60003)")
    script = "\n".join(f"SELECT lo_from_bytea({oid}, decode('{bytes(data).hex()}', 'hex'));" for oid, data in
                       objects.source.query("SELECT oid, lo_get(oid) FROM pg_largeobject_metadata"))
    objects.target.execute(script)
    objects.compare().expect(IDENTICAL)
    objects.target.execute("SELECT lo_put(60002, 1, '\\x02')")
    assert found(objects.compare().expect(DIVERGENT)) == {("mismatch", 60002, 1)}


# ---- what the role may read ----------------------------------------------------------------------------------------


@pytest.fixture
def reader(objects):
    """A role that may read tables; pg_largeobject is granted to it by name only."""
    for side in (objects.source, objects.target):
        side.execute("DO $$ BEGIN CREATE ROLE lo_reader LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$;"
                     "GRANT SELECT ON att TO lo_reader")
    return {"source": objects.source.conninfo(user="lo_reader"), "target": objects.target.conninfo(user="lo_reader")}


def test_contents_that_the_role_may_not_read(objects, reader):
    run = objects.compare(**reader).expect(INCOMPLETE)
    told = run.report["large_objects"]
    assert told["result"] == "incomplete" and not told["contents_read"]
    assert told["skipped"] == ["contents: no SELECT privilege on pg_catalog.pg_largeobject on source"]
    assert f"incomplete, {objects.count} large objects: equal in number, contents not read" in objects.run(**reader).expect(INCOMPLETE).stdout
    objects.target.execute("SELECT lo_unlink(50001)")
    run = objects.compare(**reader).expect(DIVERGENT)
    assert found(run) == {("missing_on_target", 50001, None)} and run.report["incomplete"]
    # How many contents differ is not known, which is no zero; it is if they are read.
    missing = {"missing_on_target": "1", "missing_on_source": "0"}
    assert run.report["large_objects"]["counts"] == missing
    assert objects.compare().expect(DIVERGENT).report["large_objects"]["counts"] == {"mismatch": "0", **missing}


def test_contents_that_the_role_was_granted(objects, reader):
    objects.both("GRANT SELECT ON pg_catalog.pg_largeobject TO lo_reader")
    objects.compare(**reader).expect(IDENTICAL)
    objects.target.execute("SELECT lo_put(50002, 4999, '\\x00')")
    assert found(objects.compare(**reader).expect(DIVERGENT)) == {("mismatch", 50002, 4999)}
    objects.target.execute("REVOKE SELECT ON pg_catalog.pg_largeobject FROM lo_reader")
    told = objects.compare(**reader).expect(INCOMPLETE).report["large_objects"]
    assert told["skipped"] == ["contents: no SELECT privilege on pg_catalog.pg_largeobject on target"]


def test_objects_that_the_role_may_not_list(objects, reader):
    objects.target.execute("REVOKE SELECT ON pg_catalog.pg_largeobject_metadata FROM PUBLIC")
    run = objects.compare(**reader).expect(INCOMPLETE)
    assert "large_objects" not in run.report
    assert run.table("pg_catalog.pg_largeobject_metadata")["skipped"] == ["large objects: no SELECT privilege on it on target"]


# ---- which runs are about them -------------------------------------------------------------------------------------


@pytest.mark.parametrize("options", [["--table", "att"], ["--schema", "public"], ["--where", "true"], ["--columns", "att.lo"]])
def test_runs_that_are_about_less(pair, options):
    pair.both("CREATE TABLE att (id int PRIMARY KEY, lo oid)")
    pair.source.execute("SELECT lo_from_bytea(50001, 'x')")
    run = pair.compare(*options).expect(IDENTICAL)
    assert "large_objects" not in run.report
    assert "large objects: 1 on source, 0 on target (compared only in runs about a whole database)" in run.report["not_compared"]
    pair.both("CREATE TABLE other ()")
    pair.compare("--exclude-table", "other", "--exclude-columns", "att.lo").expect(DIVERGENT)
    pair.both("DROP TABLE other")
    pair.target.execute("INSERT INTO att VALUES (1, 50001)")
    assert findings(pair.compare(*options).expect(DIVERGENT).table()) == {missing_on_source(id="1")}


def test_left_out_on_demand(pair):
    pair.both("CREATE TABLE att (id int PRIMARY KEY, lo oid)")
    pair.source.execute("SELECT lo_from_bytea(50001, 'x')")
    run = pair.compare("--no-large-objects").expect(IDENTICAL)
    assert "large_objects" not in run.report
    assert "large objects: 1 on source, 0 on target (left out by --no-large-objects)" in run.report["not_compared"]
    pair.compare().expect(DIVERGENT)
    pair.target.execute("INSERT INTO att VALUES (1, 50001)")
    assert findings(pair.compare("--no-large-objects").expect(DIVERGENT).table()) == {missing_on_source(id="1")}


def test_nothing_is_said_where_there_are_none(pair):
    pair.both("CREATE TABLE att (id int PRIMARY KEY, lo oid)")
    assert "large objects" not in pair.run().expect(IDENTICAL).stdout
    assert "large objects" not in pair.run("--no-large-objects").expect(IDENTICAL).stdout
    pair.target.execute("INSERT INTO att VALUES (1, 50001)")
    assert "large objects" not in pair.run().expect(DIVERGENT).stdout
    assert "large objects" not in pair.run("--no-large-objects").expect(DIVERGENT).stdout


def test_a_database_of_nothing_else(pair):
    pair.compare().expect(ERROR)
    pair.both("SELECT lo_from_bytea(50001, 'x')")
    pair.compare().expect(IDENTICAL)
    pair.target.execute("SELECT lo_put(50001, 0, 'y')")
    pair.compare().expect(DIVERGENT)


def test_a_column_that_refers_to_them_is_a_number(pair):
    pair.both("CREATE TABLE att (id int PRIMARY KEY, lo oid)")
    for side, oid in ((pair.source, 50001), (pair.target, 50002)):
        side.execute(f"SELECT lo_from_bytea({oid}, 'x'); INSERT INTO att VALUES (1, {oid})")
    run = pair.compare().expect(DIVERGENT)
    assert run.table("public.att")["divergences"][0]["source"] == {"lo": "50001"}
    assert len(found(run)) == 2


def test_dry_run(objects):
    plan = objects.compare("--dry-run").expect(IDENTICAL).report
    assert plan["large_objects"]["source"]["objects"] == str(objects.count) and plan["large_objects"]["contents_read"]
    assert re.search(rf"large objects\n  objects  {objects.count}, .*\n  contents would be compared\n", objects.run("--dry-run").stdout)
    assert "1 table, large objects and 0 sequences would be compared" in objects.run("--dry-run").stdout
    assert "large_objects" not in objects.compare("--dry-run", "--no-large-objects").report


# ---- how they are read ---------------------------------------------------------------------------------------------


@pytest.mark.extension_only
def test_they_are_recorded(objects):
    objects.target.execute("SELECT lo_put(50002, 4096, '\\x00'); SELECT lo_unlink(50003)")
    objects.compare("--record", objects.source.conninfo(), "--record-values").expect(DIVERGENT)
    (table, status), = objects.source.query("SELECT relation, status FROM parity.run_table WHERE relation = 'large objects'")
    assert status == "divergent"
    rows = objects.source.query("SELECT kind, key, source_values FROM parity.divergence ORDER BY kind")
    assert {(kind, key["oid"]) for kind, key, _ in rows} == {("mismatch", "50002"), ("missing_on_target", "50003")}


def test_many_at_once(objects):
    objects.both("CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (id int PRIMARY KEY)")
    objects.compare("--jobs", "3").expect(IDENTICAL)
    objects.target.execute("SELECT lo_put(50001, 0, '\\x00')")
    assert found(objects.compare("--jobs", "3").expect(DIVERGENT)) == {("mismatch", 50001, 0)}


def test_an_index_that_lacks_pages(objects):
    """Pages that no index shows are contents nonetheless: objects are read without it."""
    objects.target.execute("SELECT lo_put(50002, 4096, '\\x00')")
    for side in (objects.source, objects.target):
        without_index_entries(side, 50002)
    run = objects.compare().expect(DIVERGENT)
    assert found(run) == {("mismatch", 50002, 4096)}
    if objects.count > 3:  # of few pages no index is used
        assert any("index" in note and "corrupt" in note for note in run.report["large_objects"]["notes"])
    for side in (objects.source, objects.target):
        side.execute("REINDEX TABLE pg_largeobject")


def without_index_entries(side, oid):
    """Writes the pages of an object anew while the index is not kept up."""
    side.execute("SET allow_system_table_mods = on")
    side.execute("UPDATE pg_index SET indisready = false, indisvalid = false, indislive = false "
                 "WHERE indexrelid = 'pg_largeobject_loid_pn_index'::regclass")
    try:
        fresh = side.connect()
        with fresh.cursor() as cursor:
            cursor.execute("SET allow_system_table_mods = on; SET enable_indexscan = off; SET enable_bitmapscan = off")
            cursor.execute(f"UPDATE pg_largeobject SET loid = loid WHERE loid = {oid}")
        fresh.close()
    finally:
        side.execute("UPDATE pg_index SET indisready = true, indisvalid = true, indislive = true "
                     "WHERE indexrelid = 'pg_largeobject_loid_pn_index'::regclass; RESET allow_system_table_mods")
