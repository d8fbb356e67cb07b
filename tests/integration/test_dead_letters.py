"""What a server cannot read is told place by place, and the rest of the table gets its verdict."""

import itertools
import json

import jsonschema
import pytest

from conftest import SCHEMA
from support.cluster import Cluster
from support.damage import DamagedCopy
from support.pgparity import DIVERGENT, ERROR, IDENTICAL, INCOMPLETE, findings, mismatch, missing_on_source, missing_on_target, pgparity

pytestmark = pytest.mark.matrix(sample=3)

ROWS = 4000
# Every 500th document is stored apart.
TABLES = f"""
    CREATE TABLE t (id int PRIMARY KEY, a int, doc text, note text) WITH (autovacuum_enabled = off);
    ALTER TABLE t ALTER doc SET STORAGE EXTERNAL;
    INSERT INTO t SELECT n, n % 7, CASE WHEN n % 500 = 0 THEN repeat(md5(n::text), 200) ELSE 'short' END, 'n' || n FROM generate_series(1, {ROWS}) n;
    ANALYZE t;
    CREATE TABLE bag (a int, b text) WITH (autovacuum_enabled = off);
    INSERT INTO bag SELECT n % 100, repeat('x', 100) || n % 1000 FROM generate_series(1, {ROWS}) n;
    CREATE TABLE part (id int, note text, PRIMARY KEY (id)) PARTITION BY RANGE (id);
    CREATE TABLE part_1 PARTITION OF part FOR VALUES FROM (0) TO (2001);
    CREATE TABLE part_2 PARTITION OF part FOR VALUES FROM (2001) TO (100000);
    INSERT INTO part SELECT n, 'n' || n FROM generate_series(1, {ROWS}) n;
    CREATE TABLE root (id int PRIMARY KEY, note text); CREATE TABLE child () INHERITS (root); ALTER TABLE child ADD PRIMARY KEY (id);
    INSERT INTO root SELECT n, 'n' || n FROM generate_series(1, 300) n; INSERT INTO child SELECT n, 'n' || n FROM generate_series(301, 600) n;
    CREATE VIEW shown AS SELECT id, doc FROM t;
    CREATE TABLE many (id int PRIMARY KEY, note text) WITH (autovacuum_enabled = off);
    INSERT INTO many SELECT n, repeat('y', 300) FROM generate_series(1, 3000) n"""
SIDES = ["source", "target"]
OTHER = {"source": "target", "target": "source"}
MISSING_ON = {"source": missing_on_source, "target": missing_on_target}


@pytest.fixture(scope="module")
def cluster():
    with Cluster("damaged", settings={"autovacuum": "off"}) as made:
        yield made


class Original:
    """A database, and where things are in its files."""

    def __init__(self, database):
        self.database = database
        database.execute(TABLES)
        self.files = {name: database.value(f"SELECT pg_relation_filepath('{name}')") for name in ("t", "t_pkey", "bag", "part_1", "many", "root", "child")}
        toast = database.value("SELECT reltoastrelid::regclass::text FROM pg_class WHERE oid = 't'::regclass")
        self.files["toast"] = database.value(f"SELECT pg_relation_filepath('{toast}')")
        # The values are stored in the order of the rows.
        self.chunks = [self.place(f"SELECT ctid FROM {toast} WHERE chunk_seq = 1 ORDER BY chunk_id LIMIT 1 OFFSET {n}") for n in range(ROWS // 500)]
        database.close()

    def place(self, query):
        block, line = self.database.value(query.replace("SELECT ctid", "SELECT ctid::text", 1)).strip("()").split(",")
        return int(block), int(line)

    def row(self, table, condition):
        place = self.place(f"SELECT ctid FROM {table} WHERE {condition}")
        self.database.close()
        return place


@pytest.fixture(scope="module")
def original(cluster):
    return Original(cluster.create_database())


class Pair:
    """A database that is whole, and a damaged copy."""

    def __init__(self, original, number):
        self.whole = DamagedCopy(original.database, f"whole_{number}").database
        self.copy = DamagedCopy(original.database, f"broken_{number}")
        self.broken = self.copy.database

    def compare(self, side, engine, *arguments, table="t", command="compare", both_broken=False):
        sides = {side: self.broken, OTHER[side]: self.broken if both_broken else self.whole}
        chosen = [] if command == "resume" else ["--engine", engine] + (["--table", table] if table else [])
        run = pgparity(command, "--allow-same-server", "--format", "json", "--no-progress", *chosen,
                       "--source", sides["source"].conninfo(), "--target", sides["target"].conninfo(), *arguments)
        if run.stdout:
            jsonschema.validate(run.report, json.loads(SCHEMA.read_text()))
        return run

    def letters(self, *arguments, **options):
        return self.compare(*arguments, **options).expect(INCOMPLETE).table()["dead_letters"]


NUMBER = itertools.count()


@pytest.fixture
def pair(cluster, original):
    made = Pair(original, next(NUMBER))
    yield made
    cluster.drop_database(made.whole)
    cluster.drop_database(made.broken)


def unresolved(table, side):
    return int(table["counts"].get(f"unresolved_on_{side}", 0))


def toast_chunk(copy, original):
    copy.forget_row(original.files["toast"], *original.chunks[1])


def toast_block(copy, original):
    copy.break_block(original.files["toast"], original.chunks[1][0])


def zeroed_toast_block(copy, original):
    copy.break_block(original.files["toast"], original.chunks[1][0], bytes(1))


def row(copy, original):
    copy.break_row(original.files["t"], *original.row("t", "id = 777"))


def block(copy, original):
    copy.break_block(original.files["t"], 3)


DAMAGES = [toast_chunk, toast_block, zeroed_toast_block, row, block]


def check_letters(breaks, table, side, original):
    letters = table["dead_letters"]
    assert {letter["side"] for letter in letters} == {side} and {letter["attempts"] for letter in letters} == {1}
    assert len(table["skipped"]) == len(letters)
    if breaks is block:
        assert [(letter["block"], letter["sqlstate"]) for letter in letters] == [(3, "XX001")]
        return
    if breaks is row:
        at, line = original.row("t", "id = 777")
        assert [(letter["block"], letter["line"], letter["sqlstate"], "key" in letter) for letter in letters] == [(at, line, "58P01", False)]
        return
    assert {letter["column"] for letter in letters} == {"doc"} and {letter["sqlstate"] for letter in letters} == {"XX001"}
    assert {"id": "1000"} in [letter["key"] for letter in letters]
    if breaks is toast_chunk:
        assert len(letters) == 1


def keys_of_block(original, number):
    keys = {row[0] for row in original.database.query(f"SELECT id FROM t WHERE (ctid::text::point)[0] = {number}")}
    original.database.close()
    return keys


@pytest.mark.parametrize("engine", ["auto", "stream"])
@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("breaks", DAMAGES, ids=lambda breaks: breaks.__name__)
def test_the_rest_gets_its_verdict(pair, original, breaks, side, engine):
    """And so it does if something differs elsewhere, in the same row, or is missing elsewhere or where the damage is."""
    breaks(pair.copy, original)
    run = pair.compare(side, engine).expect(INCOMPLETE)
    table = run.table()
    assert (table["result"], table["divergences"]) == ("incomplete", [])
    check_letters(breaks, table, side, original)
    lost = {block: len(keys_of_block(original, 3)), row: 1}.get(breaks, 0)
    assert unresolved(table, side) == lost and int(table["rows"][side]) == ROWS - lost
    pair.whole.execute("UPDATE t SET note = 'other' WHERE id IN (1000, 3000); INSERT INTO t VALUES (90000, 1, 'short', 'new')")
    differing = pair.compare(side, engine).expect(DIVERGENT).table()
    check_letters(breaks, differing, side, original)
    known = {mismatch("note", id="1000"), mismatch("note", id="3000"), MISSING_ON[side](id="90000")}
    assert findings(differing) == known and unresolved(differing, side) == lost and differing["incomplete"]


@pytest.mark.parametrize("engine", ["auto", "stream"])
@pytest.mark.parametrize("side", SIDES)
def test_a_row_that_is_gone_beside_the_damage_is_unresolved(pair, original, side, engine):
    """It may be one of those that cannot be read, as far as the ranges tell. One elsewhere is missing."""
    keys = keys_of_block(original, 3)
    block(pair.copy, original)
    pair.broken.execute("DELETE FROM t WHERE id = %s", [max(keys) + 1])
    table = pair.compare(side, engine).expect(INCOMPLETE).table()
    assert unresolved(table, side) == len(keys) + 1 and table["divergences"] == []
    pair.broken.execute(f"DELETE FROM t WHERE id = {ROWS - 1}")
    table = pair.compare(side, engine).expect(DIVERGENT).table()
    assert findings(table) == {MISSING_ON[side](id=str(ROWS - 1))} and unresolved(table, side) == len(keys) + 1


@pytest.mark.parametrize("engine", ["auto", "stream"])
def test_both_sides_cannot_read_the_same_value(pair, original, engine):
    toast_chunk(pair.copy, original)
    table = pair.compare("target", engine, both_broken=True).expect(INCOMPLETE).table()
    assert sorted(letter["side"] for letter in table["dead_letters"]) == SIDES
    assert {letter["key"]["id"] for letter in table["dead_letters"]} == {"1000"}


@pytest.mark.parametrize("engine", ["extension", "stream"])
@pytest.mark.parametrize("planted", [False, True])
def test_a_row_that_shares_its_key_with_one_that_cannot_be_read(pair, original, engine, planted):
    """The rows 1000 and 1007 have one key: the document of the one cannot be read, and that of the other is no part of what is not known."""
    toast_chunk(pair.copy, original)
    pair.whole.execute("UPDATE t SET a = -1, note = 'n' WHERE id IN (1000, 1007)")
    pair.broken.execute("UPDATE t SET a = -1, note = 'n' WHERE id IN (1000, 1007)")
    if planted:
        pair.whole.execute("UPDATE t SET doc = 'planted' WHERE id = 1007")
    run = pair.compare("target", engine, "--key", "public.t=a,note", "--exclude-columns", "t.id")
    table = run.expect(DIVERGENT if planted else INCOMPLETE).table()
    assert len(table["dead_letters"]) == 1 and int(table["counts"]["mismatch"]) == planted


@pytest.mark.parametrize("engine", ["auto", "stream"])
@pytest.mark.parametrize("side", SIDES)
def test_a_table_without_a_key(pair, original, side, engine):
    pair.copy.break_block(original.files["bag"], 2)
    table = pair.compare(side, engine, table="bag").expect(INCOMPLETE).table()
    assert [letter["block"] for letter in table["dead_letters"]] == [2]
    lost = unresolved(table, side)
    assert 0 < lost == ROWS - int(table["rows"][side]) and table["divergences"] == []
    # What only the broken side has is missing on the other one; and what it lacks besides is not told apart.
    pair.whole.execute("UPDATE bag SET b = 'other' WHERE ctid = (SELECT max(ctid) FROM bag)")
    differing = pair.compare(side, engine, table="bag").expect(DIVERGENT).table()
    assert {finding["kind"] for finding in differing["divergences"]} == {f"missing_on_{OTHER[side]}"}
    assert unresolved(differing, side) == lost + 1


@pytest.mark.parametrize("engine", ["auto", "stream"])
def test_more_rows_than_the_damage_can_hold_are_missing(pair, original, engine):
    """One row of a table without a key cannot be read, and the other side has two more."""
    pair.copy.break_row(original.files["bag"], 1, 1)
    assert unresolved(pair.compare("target", engine, table="bag").expect(INCOMPLETE).table(), "target") == 1
    pair.whole.execute("INSERT INTO bag VALUES (1, 'one'), (2, 'two')")
    table = pair.compare("target", engine, table="bag").expect(DIVERGENT).table()
    assert unresolved(table, "target") == 3 and "2 rows or more are missing" in " ".join(table["notes"])


@pytest.mark.parametrize("engine", ["auto", "stream"])
@pytest.mark.parametrize("side", SIDES)
def test_a_partition(pair, original, side, engine):
    pair.copy.break_row(original.files["part_1"], *original.row("part_1", "id = 900"))
    table = pair.compare(side, engine, table="part").expect(INCOMPLETE).table()
    assert [(letter["relation"], letter["sqlstate"]) for letter in table["dead_letters"]] == [("public.part_1", "58P01")]
    assert unresolved(table, side) == 1
    pair.whole.execute("UPDATE part SET note = 'x' WHERE id IN (901, 3001)")
    assert findings(pair.compare(side, engine, table="part").expect(DIVERGENT).table()) == {mismatch("note", id="901"), mismatch("note", id="3001")}


@pytest.mark.parametrize("engine", ["auto", "stream"])
@pytest.mark.parametrize("side", SIDES)
def test_a_damaged_index_hides_nothing(pair, original, side, engine):
    """The table is whole: every row of it is compared without the index."""
    pair.copy.break_block(original.files["t_pkey"], 3)
    pair.compare(side, engine).expect(IDENTICAL)
    pair.whole.execute("UPDATE t SET note = 'other' WHERE id % 1000 = 1; DELETE FROM t WHERE id = 1500")
    table = pair.compare(side, engine).expect(DIVERGENT).table()
    assert findings(table) == {*(mismatch("note", id=str(n)) for n in (1, 1001, 2001, 3001)), MISSING_ON[OTHER[side]](id="1500")}
    assert "dead_letters" not in table


@pytest.mark.parametrize("engine", ["auto", "stream"])
@pytest.mark.parametrize("relation", ["root", "child"])
def test_a_tree_under_a_condition(pair, original, relation, engine):
    """The root's own rows are read by themselves, and each once."""
    pair.copy.break_row(original.files[relation], 0, 3)
    table = pair.compare("target", engine, "--where", "id < 100000", table="root").expect(INCOMPLETE).table()
    letter, = table["dead_letters"]
    assert letter.get("relation") == {"root": None, "child": "public.child"}[relation]
    assert (int(table["rows"]["source"]), int(table["rows"]["target"]), unresolved(table, "target")) == (600, 599, 1)
    pair.whole.execute("UPDATE child SET note = 'x' WHERE id = 450; UPDATE root SET note = 'x' WHERE id = 150")
    differing = pair.compare("target", engine, "--where", "id < 100000", table="root").expect(DIVERGENT).table()
    assert findings(differing) == {mismatch("note", id="150"), mismatch("note", id="450")}


def test_the_condition_fails_for_every_row(pair):
    """Then no place is to blame."""
    run = pair.compare("target", "auto", "--where", "1 / (a - a) > 0").expect(ERROR)
    assert "division by zero" in run.table()["error"] and "dead_letters" not in run.table()


def test_a_row_of_a_view(pair, original):
    """It has no place: a range of keys is told, and its rows are unresolved. A view of which every row must be read for that fails."""
    toast_chunk(pair.copy, original)
    table = pair.compare("target", "auto", "--key", "id", "--ranges", "16", table="shown").expect(INCOMPLETE).table()
    letter, = table["dead_letters"]
    assert letter["sqlstate"] == "XX001" and letter["keys"] == {"from": None, "below": None}
    assert table["divergences"] == [] and 0 < unresolved(table, "target") == ROWS - int(table["rows"]["target"]) < ROWS / 4
    pair.whole.execute("UPDATE t SET doc = 'other' WHERE id % 100 = 1")
    differing = pair.compare("target", "auto", "--key", "id", "--ranges", "16", table="shown").expect(DIVERGENT).table()
    assert {finding["kind"] for finding in differing["divergences"]} == {"mismatch"} and len(differing["divergences"]) > ROWS / 200
    failed = pair.compare("target", "stream", "--key", "id", "--ranges", "16", table="shown").expect(ERROR).table()
    assert failed["sqlstate"] == "XX001" and "dead_letters" not in failed


@pytest.mark.parametrize("engine", ["auto", "stream"])
def test_too_many_places(pair, original, engine):
    """A hundred are read around; with one more the table fails, and says so."""
    for number in range(100):
        pair.copy.break_row(original.files["many"], number, 3)
    table = pair.compare("target", engine, table="many").expect(INCOMPLETE).table()
    assert len(table["dead_letters"]) == 100 and unresolved(table, "target") == 100


def test_one_place_too_many(pair, original):
    for number in range(101):
        pair.copy.break_row(original.files["many"], number, 3)
    table = pair.compare("target", "auto", table="many").expect(ERROR).table()
    assert "more than 100 places of public.many cannot be read on the target" in table["error"] and "dead_letters" not in table


# ---- bytes that are no text ----------------------------------------------------------------------------------

@pytest.fixture
def texts(cluster):
    """A database of UTF8, and one whose encoding has a byte that is no character."""
    utf8 = cluster.create_database(f"utf8_{next(NUMBER)}")
    other = cluster.create_database(f"win_{next(NUMBER)}", options="ENCODING 'WIN1252' TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'")
    for database in (utf8, other):
        database.execute("CREATE TABLE t (id text PRIMARY KEY, v text); INSERT INTO t SELECT 'k' || n, 'v' || n FROM generate_series(1, 500) n")
    yield utf8, other
    cluster.drop_database(utf8)
    cluster.drop_database(other)


@pytest.mark.parametrize("engine", ["auto", "stream"])
@pytest.mark.parametrize("side", SIDES)
def test_bytes_that_are_no_text(texts, side, engine):
    utf8, other = texts
    sides = {side: other, OTHER[side]: utf8}

    def compare():
        return pgparity("compare", "--allow-same-server", "--format", "json", "--engine", engine, "--source", sides["source"].conninfo(),
                        "--target", sides["target"].conninfo())

    def set_bytes(column):
        other.execute(f"SET client_encoding = 'WIN1252'; UPDATE t SET id = 'k7', v = 'v7' WHERE ctid = (SELECT max(ctid) FROM t);"
                      f"UPDATE t SET {column} = E'caf\\201' WHERE ctid = (SELECT max(ctid) FROM t)")
    compare().expect(IDENTICAL)
    other.execute("DELETE FROM t WHERE id = 'k7'; INSERT INTO t VALUES ('k7', 'v7')")
    set_bytes("v")
    table = compare().expect(INCOMPLETE).table()
    letter, = table["dead_letters"]
    assert (letter["side"], letter["key"], letter["column"], letter["sqlstate"][:2]) == (side, {"id": "k7"}, "v", "22")
    # In the key the row cannot be told from any other one.
    set_bytes("id")
    table = compare().expect(INCOMPLETE).table()
    letter, = table["dead_letters"]
    assert (letter["side"], letter["column"], "key" in letter) == (side, "id", False) and unresolved(table, side) == 1
    utf8.execute("UPDATE t SET v = 'other' WHERE id = 'k9'")
    assert findings(compare().expect(DIVERGENT).table()) == {mismatch("v", id="k9")}


# ---- states --------------------------------------------------------------------------------------------------

def dead_letters(state):
    return pgparity("dead-letters", state)


def test_what_could_not_be_read_is_read_again_on_demand(pair, original, tmp_path):
    """And it stays until it was read: a retry that fails takes nothing away, and one that reads it clears it."""
    state = str(tmp_path / "run.state")
    toast_chunk(pair.copy, original)
    pair.compare("target", "auto", "--state", state, table=None).expect(INCOMPLETE)
    listed = dead_letters(state).expect(INCOMPLETE).stdout
    assert "public.t: target: column doc of the row (id)=(1000) at (" in listed and "1 place of 1 table could not be read" in listed
    again = pair.compare("target", "auto", "--state", state, "--retry-dead", command="resume").expect(INCOMPLETE)
    assert [letter["attempts"] for letter in again.table("public.t")["dead_letters"]] == [2]
    assert [table["source"] for table in again.report["state"]["compared_again"]] == ["public.t"]
    assert "; 2 attempts" in dead_letters(state).expect(INCOMPLETE).stdout
    # Without --retry-dead it is done.
    assert pair.compare("target", "auto", "--state", state, command="resume").expect(INCOMPLETE).report["state"]["compared_again"] == []
    with pair.broken.connect() as blocker, blocker.cursor() as cursor:
        cursor.execute("SET lock_timeout = 0; BEGIN; LOCK TABLE t")
        failed = pair.compare("target", "auto", "--state", state, "--retry-dead", "--lock-timeout", "100ms", "--retry-for", "0", command="resume")
        cursor.execute("ROLLBACK")
    assert failed.expect(INCOMPLETE).table("public.t")["error"] and len(failed.table("public.t")["dead_letters"]) == 1
    assert "column doc" in dead_letters(state).expect(INCOMPLETE).stdout
    pair.broken.execute("UPDATE t SET doc = repeat(md5('1000'), 200) WHERE id = 1000")
    pair.compare("target", "auto", "--state", state, "--retry-dead", command="resume").expect(IDENTICAL)
    assert dead_letters(state).expect(IDENTICAL).stdout == "everything could be read\n"


def damage_on_disk(cluster, pair, *breaks):
    """What the server has read before, too."""
    pair.broken.close()
    pair.whole.close()
    cluster.stop()
    for damage in breaks:
        damage()
    cluster.start()


@pytest.mark.parametrize("engine", ["extension", "stream"])
@pytest.mark.parametrize("spans", [[], ["--unit-seconds", "0.001"]], ids=["whole", "spans"])
@pytest.mark.parametrize("now", ["unread", "mended beside damage", "mended"])
def test_what_was_seen_to_differ_is_not_cleared_unread(cluster, pair, original, tmp_path, engine, spans, now):
    """The value that differed cannot be read any more when the table is compared again; or it does not differ any more."""
    state = ["--state", str(tmp_path / "state")]
    pair.whole.execute("UPDATE t SET doc = 'planted' WHERE id = 1000")
    first = pair.compare("target", engine, *state, *spans).expect(DIVERGENT).table()
    assert first["claim"] == ("spans" if spans else "table")
    if now != "unread":
        pair.whole.execute("UPDATE t SET doc = repeat(md5(id::text), 200) WHERE id = 1000")
    for command in ("VACUUM FULL t", "ANALYZE t"):
        pair.whole.execute(command)
    chunks = {"unread": [1, 6], "mended beside damage": [6], "mended": []}[now]
    damage_on_disk(cluster, pair, *[lambda at=at: pair.copy.forget_row(original.files["toast"], *original.chunks[at]) for at in chunks])
    again = pair.compare("target", engine, *state, command="resume")
    table = again.table()
    assert len(table.get("dead_letters", [])) == len(chunks)
    if now == "mended":
        again.expect(IDENTICAL)
        return
    # Nothing says whether the row that cannot be read is the one that differed.
    assert again.status == DIVERGENT and "it differed before" in table["error"], again
    assert table["counts"]["mismatch"] == "1" and [finding["key"] for finding in table["divergences"]] == [{"id": "1000"}]
    pgparity("report", "--from", state[1], "--format", "json").expect(DIVERGENT)


def test_a_repair_that_is_none(pair, original, tmp_path):
    """The twin: what is read then is not what the other side has."""
    state = str(tmp_path / "run.state")
    toast_chunk(pair.copy, original)
    pair.compare("target", "auto", "--state", state).expect(INCOMPLETE)
    pair.broken.execute("UPDATE t SET doc = 'lost' WHERE id = 1000")
    run = pair.compare("target", "auto", "--state", state, "--retry-dead", command="resume").expect(DIVERGENT)
    assert findings(run.table()) == {mismatch("doc", id="1000")} and "dead_letters" not in run.table()
    dead_letters(state).expect(IDENTICAL)


# ---- settings that hide it -----------------------------------------------------------------------------------

def test_a_setting_that_hides_damage_is_told(pair, original):
    """With it a damaged block reads as an empty one, and its rows look missing."""
    pair.compare("target", "auto").expect(IDENTICAL)
    pair.broken.execute(f"ALTER DATABASE {pair.broken.name} SET zero_damaged_pages = on")
    pair.broken.close()
    told = pair.compare("target", "auto").expect(IDENTICAL).report["not_compared"]
    assert any("target: zero_damaged_pages is on there" in sentence for sentence in told)


def test_rows_that_may_be_hidden_are_told_to_be(pair, original):
    block(pair.copy, original)
    pair.whole.execute(f"ALTER DATABASE {pair.broken.name} SET zero_damaged_pages = on")
    table = pair.compare("target", "auto").expect(DIVERGENT).table()
    assert int(table["counts"]["missing_on_target"]) == len(keys_of_block(original, 3))
    assert any("zero_damaged_pages is on there" in note for note in table["notes"])


@pytest.mark.parametrize("format", ["text", "csv", "markdown", "junit", "ndjson"])
def test_every_report_tells(pair, original, format):
    toast_chunk(pair.copy, original)
    run = pgparity("compare", "--allow-same-server", "--table", "t", "--format", format, "--source", pair.whole.conninfo(), "--target", pair.broken.conninfo())
    run.expect(INCOMPLETE)
    assert "column doc of the row (id)=(1000)" in run.stdout and "(XX001)" in run.stdout
    if format == "text":
        assert "identical but for 1 unreadable row" in run.stdout


@pytest.mark.parametrize("engine", ["extension", "stream"])
@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("planted", [False, True])
def test_a_table_in_spans_is_read_as_a_whole_around_it(pair, original, engine, side, planted):
    toast_chunk(pair.copy, original)
    if planted:
        pair.whole.execute("UPDATE t SET note = 'planted' WHERE id = 3999")
    run = pair.compare(side, engine, "--unit-seconds", "0.0005").expect(DIVERGENT if planted else INCOMPLETE)
    whole = pair.compare(side, engine, "--snapshot", "table").expect(DIVERGENT if planted else INCOMPLETE)
    table = run.table()
    assert table["claim"] == "table" and any("read as a whole and not in spans" in note for note in table["notes"]), table
    assert len(table["dead_letters"]) == 1
    assert (table["dead_letters"], findings(table), table["counts"]) == (whole.table()["dead_letters"], findings(whole.table()), whole.table()["counts"])
