"""Random schemas: tables of all kinds, equal at first and changed at random then, compared by both engines and by parity.verify with rows in flight.

What is right is read by plain SQL (tests/support/random_schema.py). PARITY_SEED repeats a run, PARITY_SCHEMAS=3.17 of it one schema alone.
"""

import collections
import contextlib
import decimal
import os
import random
import threading
import time
import traceback

import pytest

from conftest import Pair
from support.cluster import Cluster
from support.installation import Installation
from support.pgparity import DIVERGENT, IDENTICAL
from support.random_schema import AT, OPAQUE, SIDES, RandomSchema, printed, settled, typed
from support.random_values import EXTENSIONS, SEED, quote
from support.verified import InBackground, Verified

SCHEMAS_A_PIECE = 26
PIECES = 12
ONLY = os.environ.get("PARITY_SCHEMAS")
OPTIONS = [[], [], [], ["--ranges", "1"], ["--ranges", "7", "--jobs", "3"], ["--width", "128"], ["--workers", "2"]]


@pytest.fixture(scope="module")
def publisher():
    with Cluster("publisher", settings={"wal_level": "logical"}, installation=Installation.of_major(os.environ.get("PARITY_SOURCE_MAJOR"))) as cluster:
        cluster.add_locale("en_US.UTF-8")
        yield cluster


@pytest.fixture(scope="module")
def subscriber(target_cluster):
    target_cluster.add_locale("en_US.UTF-8")
    return target_cluster


@pytest.fixture
def sides(publisher, subscriber):
    """A database on each side, of which the source can verify itself against the other."""
    made = Verified(publisher.create_database(), subscriber.create_database())
    for side in (made.source, made.target):  # replication reads xml of every kind as the database does
        side.execute(f"ALTER DATABASE {side.name} SET xmloption = content; {EXTENSIONS}")
        side.close()
    made.make_server()
    yield made
    subscriber.drop_database(made.target)
    publisher.drop_database(made.source)


# ---- what was found --------------------------------------------------------------------------------------------------


class Reader:
    """Keys and values as a report tells them, made comparable with what SQL says."""

    def __init__(self, side):
        self.side = side
        self.known = {}

    def cell(self, column, text):
        """A value as a server prints it."""
        if text is None:
            return None
        if (column.common, column.narrow, text) not in self.known:
            # Of a column that is money on one side and numeric on the other, money is printed as such.
            kind = "money" if "$" in text and column.common.startswith("numeric") else column.common
            # Of one that is char(8) on one side and text on the other, char(8) is printed with blanks; no value ends with one.
            kind = "char(8)" if column.narrow == "char(8)" else kind
            self.known[column.common, column.narrow, text] = settled(column.common, self.side.value(f"SELECT {printed(kind, 'v')} FROM (SELECT {typed(kind)} AS v) x", [text]))
        return self.known[column.common, column.narrow, text]

    def key(self, column, text):
        """A value as its canonical form prints."""
        if text is not None and column.common in OPAQUE:
            return "…"
        if text is not None and column.common == "money" and "$" not in text:
            return f"{decimal.Decimal(text).normalize() + 0:f}"
        return self.cell(column, text)

    def row(self, unit, names, values):
        return tuple(self.key(unit.column(name), values[name]) for name in names)

    def finding(self, unit, kind, key, columns, occurrences):
        row = self.row(unit, unit.key or unit.others, key)
        return kind, row, tuple(sorted(columns or (), key=str.encode)), int(occurrences)


def check_report(run, differences, units, reader):
    """Every entry of the report, and its status."""
    assert run.status == (DIVERGENT if any(differences.values()) else IDENTICAL), run
    report = run.report
    assert {table["source"] for table in report["tables"]} == {unit.shown for unit in units}, run
    assert not report["errors"] and not [d for d in report["schema_differences"] if d["severity"] != "note"], run
    for unit in units:
        entry, difference = run.table(unit.shown), differences[unit.shown]
        context = f"{unit.shown}, key {unit.key} {'proven' if unit.proven else 'not proven'}, {' '.join(run.arguments)}\n{entry}"
        assert entry["result"] == ("divergent" if difference else "identical") and not entry.get("skipped"), context
        assert entry["rows"] == {side: str(len(difference.rows[side])) for side in SIDES}, context
        assert entry["key"] == unit.key and (not unit.key or entry["key_proven"] is unit.proven), context
        found = [reader.finding(unit, d["kind"], d.get("key", d.get("row")), d.get("columns"), d.get("occurrences", 1)) for d in entry["divergences"]]
        difference.check(found, context)
        check_values(unit, difference, entry, reader, context)
        counts = collections.Counter()
        for kind, _, _, occurrences in found:
            counts[kind] += occurrences
        assert {kind: int(n) for kind, n in entry["counts"].items() if int(n)} == counts, context


def check_values(unit, difference, entry, reader, context):
    """The cells that a mismatch shows."""
    if not unit.proven:
        return
    rows = {side: {tuple(row[n] for n in unit.key): row for row in difference.rows[side]} for side in SIDES}
    for d in entry["divergences"]:
        if d["kind"] == "mismatch":
            key = reader.row(unit, unit.key, d["key"])
            if any(unit.column(n).common in OPAQUE for n in unit.key):
                continue
            for side in SIDES:
                assert {n: reader.cell(unit.column(n), v) for n, v in d[side].items()} == {n: rows[side][key][n] for n in d["columns"]}, context


# ---- pgparity compare ------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def hidden_extension(database):
    """A database that seems to have no extension, so that the other side alone is read by it."""
    database.execute("UPDATE pg_extension SET extname = 'hidden' WHERE extname = 'pg_parity'")
    try:
        yield
    finally:
        database.execute("UPDATE pg_extension SET extname = 'pg_parity' WHERE extname = 'hidden'")


def compare(sides, schema, rng, mixed):
    """By each engine; `mixed` is the side that is streamed while the other one is not, if any."""
    units = schema.units()
    differences = schema.differences(units)
    reader = Reader(schema.target)
    for engine in ("auto", "stream", *([mixed] if mixed else [])):
        with hidden_extension(getattr(sides, mixed)) if engine == mixed else contextlib.nullcontext():
            run = Pair(sides.source, sides.target, engine).compare(*schema.options(), "--max-divergences", "0", *rng.choice(OPTIONS), timeout=200)
        check_report(run, differences, units, reader)
        streamed = {"auto": (), "stream": SIDES}.get(engine, (engine,))
        assert all((entry["path"][side] == "stream") == (side in streamed) for entry in run.report["tables"] for side in SIDES), run


# ---- parity.verify ---------------------------------------------------------------------------------------------------


def recorded(sides, run_table):
    return sides.source.query("SELECT kind, key, columns, occurrences, state FROM parity.divergence WHERE run_table_id = %s ORDER BY id", [run_table])


def check_verified(sides, unit, difference, part, reader):
    """The last run's word about a unit, when nothing is in flight."""
    context = f"parity.verify of {unit.shown}, key {unit.key}: {part}"
    assert part["status"] == ("divergent" if difference else "identical"), context
    found = recorded(sides, part["id"])
    assert all(state == "divergent" for *_, state in found), f"{context}\n{found}"
    difference.check([reader.finding(unit, kind, key, columns, n) for kind, key, columns, n, _ in found], f"{context}\n{found}")


def parts(sides):
    with sides.source.connection.cursor() as cursor:
        cursor.execute("SELECT * FROM parity.run_table WHERE run_id = (SELECT max(id) FROM parity.run) ORDER BY id")
        return [dict(zip([c.name for c in cursor.description], row)) for row in cursor]


def chosen(schema):
    """Its tables that both sides have."""
    return {"patterns": [f"{schema.name}.*"], "exclude": [f"{schema.name}.{name}" for table in schema.tables for name in table.of_the_source_alone()]}


def verify_quietly(sides, schema):
    """All of a schema by one call, when everything has arrived."""
    units = schema.verified()
    differences, reader = schema.differences(units), Reader(schema.target)
    result = sides.verify(procedure="verify_schema", **chosen(schema), with_values=True, max_rows=100000, replay_timeout="20 s")
    assert result == ("divergent" if any(differences.values()) else "identical"), parts(sides)
    told = {part["relation"]: part for part in parts(sides)}
    assert set(told) == {unit.shown for unit in units}, told.keys()
    for unit in units:
        check_verified(sides, unit, differences[unit.shown], told[unit.shown], reader)


class Subscription:
    """Logical replication of a schema's tables, from where they are to where they are."""

    def __init__(self, sides, schema):
        self.sides, self.schema = sides, schema
        self.tables = [t for t in schema.tables if t.columns and all(spot.replicated for spot in t.spots("source"))]
        self.name = f"sub_{sides.source.name}"

    def __enter__(self):
        source, target = self.schema.source, self.schema.target
        self.identify()
        source.execute(f"CREATE PUBLICATION changes FOR TABLE {', '.join(t.name for t in self.tables)} WITH (publish_via_partition_root = true)")
        target.execute(f"CREATE SUBSCRIPTION {self.name} CONNECTION '{self.sides.source.tcp_conninfo()}' PUBLICATION changes WITH (copy_data = false)")
        self.catch_up()
        return self

    def __exit__(self, kind, value, trace):
        self.sides.target.execute("ROLLBACK")
        self.sides.target.execute(f"DROP SUBSCRIPTION {self.name}")
        self.sides.source.execute("DROP PUBLICATION changes")

    def identify(self):
        """Rows are told by their primary key, where the target has that, too, or by all that they are."""
        source = self.schema.source
        without = [table.name for table in self.tables if table.key_kind == "target lacks"]
        for relation, in source.query("SELECT c.oid::regclass::text FROM pg_class c WHERE relnamespace = %s::regnamespace AND relkind IN ('r', 'p') AND "
                                      "(NOT EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND indisprimary AND indimmediate) "
                                      "OR c.oid IN (SELECT n::regclass FROM unnest(%s::text[]) n UNION SELECT p.relid FROM unnest(%s::text[]) n, pg_partition_tree(n::regclass) p))",
                                      [self.schema.name, without, without]):
            source.execute(f"ALTER TABLE {relation} REPLICA IDENTITY FULL")

    def catch_up(self, seconds=60):
        # The end of a record of its own, which comes behind every commit that can be seen.
        lsn = self.sides.source.value("SELECT pg_logical_emit_message(false, 'catch up', '')")
        self.sides.source.cluster.wait_for(f"SELECT EXISTS (SELECT FROM pg_stat_replication WHERE application_name = '{self.name}' AND replay_lsn >= '{lsn}')",
                                           seconds=seconds, what=f"replaying {lsn}: {self.sides.target.cluster.log()[-1500:]}")


class Changes:
    """Random changes of the source that the target can take. None of them is about what differs, or comes to be like it: a row of which the target
    has one more already may arrive, and no look ever sees that one."""

    def __init__(self, schema, rng, tables):
        self.schema, self.rng = schema, rng
        self.wrong, self.equal = {}, {}
        for table in tables:
            units = table.units() + table.verified()
            self.wrong[table.name] = [(unit, self.keys(unit, unit.differences(schema.source, schema.target).left)) for unit in units]
            for spot in table.spots("source"):
                self.equal[spot.name] = self.equal_rows(table, spot)

    @staticmethod
    def keys(unit, left):
        return {key if unit.key else row for rows in left.values() for key, row in rows}

    def is_wrong(self, table, row):
        """Whether something differs that has this row's key or, without one, its content."""
        return any(tuple(row[n] for n in unit.key or unit.others) in keys
                   for unit, keys in self.wrong[table.name] if all(c.name in row for c in unit.columns))

    def equal_rows(self, table, spot):
        """Places of the source's rows, and what is in them."""
        texts = ", ".join(c.text("source") for c in spot.columns)
        rows = self.schema.source.query(f"SELECT tableoid::bigint, ctid::text, {texts} FROM {spot.relation} ORDER BY 1, ctid")
        found = [((place, ctid), {c.name: settled(c.common, v) for c, v in zip(spot.columns, row)}) for place, ctid, *row in rows]
        return [(place, row) for place, row in found if not self.is_wrong(table, row)]

    def row(self, columns, values, base=None):
        """What a row would be with these values, generated columns included."""
        written = [c for c in columns if "source" not in c.generated and c.name in values]
        literals = ", ".join(f"{c.literal('source')} AS {quote(c.name)}" for c in written)
        generated = "".join(f", {c.generated['source']} AS {quote(c.name)}" for c in columns if "source" in c.generated and base is None)
        shown = [c for c in columns if c in written or ("source" in c.generated and base is None)]
        texts = ", ".join(c.text("source") for c in shown)
        (made,) = self.schema.source.query(f"SELECT {texts} FROM (SELECT v.*{generated} FROM (SELECT {literals}) v) w", [values[c.name] for c in written])
        return {**(base or {}), **{c.name: settled(c.common, v) for c, v in zip(shown, made)}}

    def statement(self, table):
        """(SQL, parameters) of a change, or None where there is none."""
        spot = self.rng.choice(table.spots("source"))
        action = self.rng.choice(["update", "update", "insert", "delete"]) if spot.identified else "insert"
        if action == "insert":
            return self.insertion(table, spot)
        places = self.equal[spot.name]
        if not places:
            return None
        place, row = places.pop(self.rng.randrange(len(places)))
        return (f"DELETE FROM {spot.relation} WHERE {AT}", place) if action == "delete" else self.update(table, spot, place, row)

    def update(self, table, spot, place, row):
        kept = {*spot.unique, *spot.bound, *table.spots("target")[0].bound}
        columns = [c for c in spot.written(self.schema.source) if c.name not in kept]
        keyless = any(not unit.key for unit, _ in self.wrong[table.name])
        if not columns or (keyless and any(c.generated for c in spot.columns)):
            return None
        column = self.rng.choice(columns)
        value = column.value(self.rng)
        if self.is_wrong(table, self.row(spot.columns, {column.name: value}, row)):
            return None
        return f"UPDATE {spot.relation} SET {quote(column.name)} = {column.literal('source')} WHERE {AT}", [value, *place]

    def insertion(self, table, spot):
        """A row that the target can take, which is tried there, beside those that were planned before."""
        values = table.values(spot.columns)
        target_spot = next(s for s in table.spots("target") if s.name == spot.name)
        target = self.schema.target
        target.execute("SAVEPOINT tried")
        if not target_spot.insert(target, values):
            target.execute("ROLLBACK TO tried")
            return None
        columns = spot.written(self.schema.source)
        if self.is_wrong(table, self.row(spot.columns, {c.name: values[c.name] for c in columns})):
            return None
        return (f"INSERT INTO {spot.name} ({', '.join(quote(c.name) for c in columns)}) VALUES ({', '.join(c.literal('source') for c in columns)})",
                [values[c.name] for c in columns])

    def plan(self, tables, count):
        """So many changes; none of them is made yet."""
        self.schema.target.execute("BEGIN")
        planned = [self.statement(self.rng.choice(tables)) for _ in range(count)]
        self.schema.target.execute("ROLLBACK")
        return [statement for statement in planned if statement]


def verify_held_up(sides, schema, rng, subscription):
    """Rows are in flight at the first look, because the target's table is locked, and arrive while the verification waits."""
    changes = Changes(schema, rng, subscription.tables)
    for table in rng.sample(subscription.tables, min(2, len(subscription.tables))):
        planned = changes.plan([table], rng.choice([1, 3, 8]))
        with contextlib.closing(sides.target.connect()) as holder, holder.cursor() as cursor:
            cursor.execute(f"BEGIN; LOCK TABLE {schema.name}.{table.name} IN SHARE MODE")
            for statement in planned:
                schema.source.attempt(*statement)
            name = f"{schema.name}.{table.name}"
            with InBackground(sides, relation=name, with_values=True, max_rows=100000, recheck_delay="200 ms", rechecks=6, replay_timeout="20 s") as background:
                wait_for_first_look(sides, background)
                cursor.execute("ROLLBACK")
                background.join(60)
        assert background.error is None, background.error
        subscription.catch_up()
        check_after_flight(sides, schema, table, background.result)


def wait_for_first_look(sides, background):
    deadline = time.monotonic() + 20
    while background.result is None and background.error is None and time.monotonic() < deadline:
        if sides.source.query("SELECT phase FROM parity.run_table ORDER BY id DESC LIMIT 1") == [("waiting before looking again",)]:
            return
        time.sleep(0.02)


def check_after_flight(sides, schema, table, result):
    """What is confirmed is really different; it is all that differs unless the verification says that it saw rows move to the end."""
    unit = next(u for u in schema.verified() if u.name == table.name)
    difference, reader = unit.differences(schema.source, schema.target), Reader(schema.target)
    part = sides.part
    if result == "in_flight" or part["in_flight_rows"]:
        check_no_false_alarm(unit, [difference], recorded(sides, part["id"]), reader, part)
        return
    assert result == part["status"], (result, part)
    check_verified(sides, unit, difference, part, reader)


def check_no_false_alarm(unit, differences, found, reader, part):
    """Whatever is confirmed is among the differences, before or after."""
    left = {d.visible(unit.key or unit.others, key if unit.key else row) for d in differences for side in SIDES for key, row in d.left[side]}
    for kind, key, columns, occurrences, state in found:
        if state == "divergent" and kind != "range":
            _, row, _, _ = reader.finding(unit, kind, key, columns, occurrences)
            assert row in left, f"{unit.shown}: {kind} {key} is no difference, {part}"


def verify_busily(sides, schema, rng, subscription):
    """Rows change all the while."""
    planned, stop, errors = Changes(schema, rng, subscription.tables).plan(subscription.tables, 200), threading.Event(), []

    def write():
        try:
            while planned and not stop.is_set():
                schema.source.attempt(*planned.pop())
                time.sleep(0.01)
        except Exception as error:  # told by the test's own thread
            errors.append(error)
    before = schema.differences(schema.verified())
    thread = threading.Thread(target=write)
    with contextlib.closing(sides.source.connect()) as connection:
        thread.start()
        try:
            sides.verify(procedure="verify_schema", **chosen(schema), with_values=True, max_rows=100000, rechecks=4, replay_timeout="20 s", connection=connection)
        finally:
            stop.set()
            thread.join(30)
    assert not errors, errors
    subscription.catch_up()
    reader = Reader(schema.target)
    told = {part["relation"]: part for part in parts(sides)}
    for unit in schema.verified():
        part = told[unit.shown]
        assert part["status"] in ("identical", "divergent", "in_flight"), part
        check_no_false_alarm(unit, [before[unit.shown], unit.differences(schema.source, schema.target)], recorded(sides, part["id"]), reader, part)


def verify(sides, schema, rng):
    subscription = Subscription(sides, schema)
    if subscription.tables:
        with subscription:
            rng.choice([verify_held_up, verify_held_up, verify_busily])(sides, schema, rng, subscription)
            verify_quietly(sides, schema)
    else:
        verify_quietly(sides, schema)


# ---- the test --------------------------------------------------------------------------------------------------------


def go_through(sides, piece, number):
    """One schema: equal, changed, and verified while rows are on their way."""
    rng = random.Random(f"{SEED}.{piece}.{number}")
    schema = RandomSchema(rng, number, sides.source, sides.target)
    try:
        schema.create()
        mixed = rng.choice([None, None, "source", "target"])
        compare(sides, schema, rng, mixed)
        schema.mutate()
        compare(sides, schema, rng, mixed)
        verify(sides, schema, rng)
    except BaseException:
        print(f"-- PARITY_SEED={SEED} PARITY_SCHEMAS={piece}.{number}: {', '.join(table.description() for table in schema.tables)}")
        for side in schema.sides.values():
            print(f"-- {side.name}\n" + ";\n".join(side.script) + f"\n-- the log of its server ends with\n{side.database.cluster.log()[-2000:]}")
        raise
    finally:
        schema.drop()


def go_through_all(sides, piece, count):
    """All of a piece, whichever of them fail."""
    print(f"PARITY_SEED={SEED}")
    failures = []
    for number in range(count):
        if ONLY in (None, f"{piece}.{number}"):
            try:
                go_through(sides, piece, number)
            except Exception:
                traceback.print_exc()
                failures.append(f"PARITY_SEED={SEED} PARITY_SCHEMAS={piece}.{number}: {traceback.format_exc()[-3000:]}")
    if ONLY is None and count > 10:
        assert sides.source.value("SELECT sum(cleared_rows) FROM parity.run_table") > 0, "no verification saw a row in flight"
    assert not failures, "\n".join([f"{len(failures)} of {count} failed", *failures])


def test_a_few_schemas(sides):
    go_through_all(sides, "few", 2)


@pytest.mark.long
@pytest.mark.parametrize("piece", range(PIECES))
def test_many_schemas(sides, piece):
    go_through_all(sides, piece, SCHEMAS_A_PIECE)
