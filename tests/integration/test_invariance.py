"""What a digest depends on, on a random table of many types: nothing but the values. PARITY_SEED repeats a run."""

import contextlib
import io
import json
import random
import subprocess

import psycopg2.extras
import pytest
from conftest import Pair

from support.cluster import binary, clean_environment
from support.engines import ALL_ENGINES
from support.pgparity import DIVERGENT, IDENTICAL, findings, mismatch, missing_on_source, missing_on_target
from support.random_values import EXTENSIONS, LONG, MORE_TYPES, SEED, TYPES, USER_TYPES, normal, quote

pytestmark = pytest.mark.matrix(sample=1)

ROWS = 300


class RandomTable:
    """The table t: a key of one or two columns, and a column of each type."""

    def __init__(self, rng):
        self.rng = rng
        self.key = {"id": "bigint"} if rng.random() < 0.5 else {"id": "integer", "Key 2": "text"}
        kinds = [*TYPES, *MORE_TYPES]
        rng.shuffle(kinds)
        self.others = {f"{rng.choice(['c', 'C ', 'é', 'ß_', 'ü'])}{n}": kind for n, kind in enumerate(kinds)}
        self.types = {**self.key, **self.others}
        self.rows = [[self.key_value(name, n) for name in self.key] + [self.value(kind) for kind in self.others.values()] for n in range(ROWS)]

    def key_value(self, name, n):
        return str(n * 3 - 7) if name == "id" else self.rng.choice(["", "a", "é", "x" * 50])

    def value(self, kind):
        if self.rng.random() < 0.1:
            return None
        if kind in LONG and self.rng.random() < 0.05:
            return LONG[kind](self.rng)
        return self.rng.choice(MORE_TYPES[kind]) if kind in MORE_TYPES else TYPES[kind][0](self.rng)

    def other_value(self, kind, value):
        """One that is not equal to this."""
        while True:
            candidate = self.value(kind)
            if (candidate is None) != (value is None) or (value is not None and self.normal(kind, candidate) != self.normal(kind, value)):
                return candidate

    @staticmethod
    def normal(kind, value):
        if kind.endswith("[]") or kind in MORE_TYPES:
            return value.replace(" ", "")
        if kind in ("interval", "timetz", "real", "double precision", "time"):
            return value.lstrip("-") if value == "-0" else value
        if kind in ("numeric(12,3)", "boolean") or value.lstrip("+-").isdigit():
            return normal(kind, value)
        return json.dumps(json.loads(value), sort_keys=True) if kind == "jsonb" else normal(kind, value)

    def create(self, database):
        columns = ", ".join(f"{quote(n)} {t}" for n, t in self.types.items())
        database.execute(f"CREATE TABLE t ({columns}, PRIMARY KEY ({', '.join(map(quote, self.key))}))")
        template = "(" + ", ".join(f"%s::text::{t}" if t == "name" else f"%s::{t}" for t in self.types.values()) + ")"
        with database.connection.cursor() as cursor:
            psycopg2.extras.execute_values(cursor, "INSERT INTO t VALUES %s", self.rows, template, page_size=100)

    def where(self, row):
        return " AND ".join(f"{quote(n)} = %s" for n in self.key), row[:len(self.key)]

    def change(self, database, row, name):
        """Changes one cell; gives its column."""
        kind = self.others[name]
        condition, values = self.where(row)
        new = self.other_value(kind, row[list(self.types).index(name)])
        database.execute(f"UPDATE t SET {quote(name)} = %s::{'text::' if kind == 'name' else ''}{kind} WHERE {condition}", [new, *values])

    def key_words(self, row):
        return dict(zip(self.key, row))


# ---- what must not change anything -----------------------------------------------------------------------------

def columns_of(table, order=sorted):
    return ", ".join(map(quote, order(table.types)))


def replace_by(database, statements):
    """Puts the table `made` in the place of t, with t's key."""
    key = database.value("SELECT string_agg(quote_ident(k), ', ') FROM parity_key k")
    database.execute(f"{statements}; DROP TABLE t; ALTER TABLE made RENAME TO t; ALTER TABLE t ADD PRIMARY KEY ({key})")


def vacuum_full(database, table, rng):
    database.execute("DELETE FROM t WHERE false; UPDATE t SET id = id WHERE id % 3 = 0")
    database.execute("VACUUM FULL t")


def cluster(database, table, rng):
    database.execute(f"CREATE INDEX sorted ON t ({quote(rng.choice([n for n, t in table.types.items() if t in ('integer', 'text', 'date', 'uuid')]))})")
    database.execute("CLUSTER t USING sorted; DROP INDEX sorted")


def reorder_columns(database, table, rng):
    order = rng.sample(list(table.types), len(table.types))
    replace_by(database, f"CREATE TABLE made AS SELECT {', '.join(map(quote, order))} FROM t")


def reorder_rows(database, table, rng):
    replace_by(database, f"CREATE TABLE made AS SELECT * FROM t ORDER BY sha256((id + {rng.randrange(1 << 20)})::text::bytea)")


def update_all(database, table, rng):
    database.execute("UPDATE t SET id = id; UPDATE t SET id = id WHERE id % 2 = 0")
    database.execute("VACUUM t")


def add_and_drop(database, table, rng):
    """Holes in the descriptor, and rows shorter than it."""
    drops = "; ".join(f"ALTER TABLE made DROP hole{n}" for n in range(3))
    kept = list(table.types)[:-1]
    last = list(table.types)[-1]
    replace_by(database, f"CREATE TABLE made AS SELECT 1 AS hole0, {', '.join(map(quote, kept[:9]))}, 'x'::text AS hole1, {', '.join(map(quote, kept[9:]))}, 2 AS hole2, {quote(last)} FROM t; {drops}")


def store_as(storage, compression):
    def transform(database, table, rng):
        database.execute("CREATE TABLE made (LIKE t)")
        for name, kind in database.query("SELECT attname, attstorage FROM pg_attribute WHERE attrelid = 'made'::regclass AND attnum > 0 AND attstorage <> 'p'"):
            database.execute(f"ALTER TABLE made ALTER {quote(name)} SET STORAGE {'MAIN' if kind == 'm' and storage == 'EXTERNAL' else storage}")
            database.execute(f"ALTER TABLE made ALTER {quote(name)} SET COMPRESSION {compression}")
        data = copy_out(database, "binary")  # through the wire, so that each value is stored anew
        copy_in(database, "made", "binary", data)
        replace_by(database, "SELECT 1")
    return transform


def copy_out(database, form):
    data = io.BytesIO()
    with database.connection.cursor() as cursor:
        cursor.copy_expert(f"COPY t TO STDOUT (FORMAT {form})", data)
    data.seek(0)
    return data


def copy_in(database, name, form, data):
    with database.connection.cursor() as cursor:
        cursor.copy_expert(f"COPY {name} FROM STDIN (FORMAT {form})", data)


def copy_as(form):
    def transform(database, table, rng):
        data = copy_out(database, form)
        database.execute("TRUNCATE t")
        copy_in(database, "t", form, data)
    return transform


def partition(strategy):
    def transform(database, table, rng):
        parts = {"hash": [f"FOR VALUES WITH (MODULUS 3, REMAINDER {n})" for n in range(3)],
                 "range": ["FOR VALUES FROM (MINVALUE) TO (100)", "FOR VALUES FROM (100) TO (101)", "FOR VALUES FROM (101) TO (MAXVALUE)"],
                 "list": ["FOR VALUES IN (2, 5)", "DEFAULT"]}[strategy]
        partitions = "; ".join(f"CREATE TABLE part{n} PARTITION OF made {part}" for n, part in enumerate(parts))
        # one with its columns in another order, which only works by attaching
        order = rng.sample(list(table.types), len(table.types))
        definition = ", ".join(f"{quote(n)} {table.types[n]} {'NOT NULL' if n in table.key else ''}" for n in order)
        partitions += f"; ALTER TABLE made DETACH PARTITION part0; DROP TABLE part0; CREATE TABLE part0 ({definition}); ALTER TABLE made ATTACH PARTITION part0 {parts[0]}"
        replace_by(database, f"CREATE TABLE made (LIKE t) PARTITION BY {strategy} (id); {partitions}; INSERT INTO made ({columns_of(table)}) SELECT {columns_of(table)} FROM t")
    return transform


def inherit(database, table, rng):
    order = rng.sample(list(table.types), len(table.types))
    replace_by(database, f"CREATE TABLE made (LIKE t); CREATE TABLE child AS SELECT {', '.join(map(quote, order))} FROM t WHERE id % 2 = 0; ALTER TABLE child INHERIT made; INSERT INTO made SELECT * FROM t WHERE id % 2 <> 0"
               .replace("ALTER TABLE child", f"ALTER TABLE child {', '.join(f'ALTER {quote(k)} SET NOT NULL' for k in table.key)}; ALTER TABLE child"))


TRANSFORMATIONS = {
    "vacuum full": vacuum_full, "cluster": cluster, "reorder columns": reorder_columns, "reorder rows": reorder_rows, "update": update_all, "add and drop columns": add_and_drop,
    "external": store_as("EXTERNAL", "default"), "main lz4": store_as("MAIN", "lz4"), "extended pglz": store_as("EXTENDED", "pglz"), "extended lz4": store_as("EXTENDED", "lz4"),
    "copy text": copy_as("text"), "copy csv": copy_as("csv"), "copy binary": copy_as("binary"),
    "hash partitions": partition("hash"), "range partitions": partition("range"), "list partitions": partition("list"), "inheritance": inherit,
}


# ---- fixtures ------------------------------------------------------------------------------------------------

@pytest.fixture(scope="module")
def table():
    print(f"PARITY_SEED={SEED}")
    return RandomTable(random.Random(f"{SEED}.table"))


@pytest.fixture(scope="module")
def base(source_cluster, table):
    """The name of a database that holds the table, to make others from."""
    database = source_cluster.create_database("invariance")
    database.execute(EXTENSIONS + USER_TYPES)
    table.create(database)
    database.execute("CREATE VIEW parity_key AS SELECT * FROM (VALUES " + ", ".join(f"('{k}')" for k in table.key) + ") AS v (k)")
    database.close()
    yield database
    source_cluster.drop_database(database)


@pytest.fixture
def copies(source_cluster, base):
    """Makes copies of the database."""
    with contextlib.ExitStack() as stack:
        def make():
            source_cluster.number = getattr(source_cluster, "number", 0) + 1
            base.close()
            copy = source_cluster.create_database(f"copy{source_cluster.number}", options=f"TEMPLATE {base.name}", extension=False)
            stack.callback(source_cluster.drop_database, copy)
            return copy
        yield make


@pytest.fixture(params=ALL_ENGINES, ids=str)
def engines(request):
    return request.param


@pytest.fixture
def rng(request):
    print(f"PARITY_SEED={SEED}")
    return random.Random(f"{SEED}.{request.node.name}")


def prepared(database, engines, side):
    if not engines.has_extension(side):
        database.execute("DROP EXTENSION pg_parity")
    return database


# ---- tests ---------------------------------------------------------------------------------------------------

WAYS = ["workers => 0", "workers => 2", "workers => 0, path => 'aggregate'", "workers => 2, path => 'aggregate'"]


def digests(database, way, width, ranges=""):
    """Every digest of t, as text. Small tables are read in parallel too."""
    database.execute("SET min_parallel_table_scan_size = 0; SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0")
    return database.query("SELECT range_no, row_count, key_digest::text, row_digest::text, column_digests::text FROM parity.range_digests('t', "
                          f"{ranges or 'ranges => 1'}, width => {width}, seed => {SEED}, {way}) ORDER BY range_no")


def division(database):
    bounds, = database.query("SELECT array_agg(bound ORDER BY bound_no)::text FROM parity.split_keys('t', 9)")[0]
    return f"bounds => '{bounds}'"


@pytest.mark.matrix(sample=3)
@pytest.mark.parametrize("name", TRANSFORMATIONS)
def test_digests_depend_on_values_alone(base, copies, table, rng, name):
    changed = copies()
    ranges = division(base)
    TRANSFORMATIONS[name](changed, table, rng)
    assert changed.value("SELECT count(*) FROM t") == ROWS
    for width in (64, 128):
        expected, = digests(base, WAYS[0], width)
        divided = digests(base, WAYS[0], width, ranges)
        assert expected[1] == ROWS and len(divided) > 3
        for way in WAYS:
            assert digests(changed, way, width) == [expected], (name, way, width)
            assert digests(changed, way, width, ranges) == divided, (name, way, width)


@pytest.mark.in_turn("large tables")
@pytest.mark.parametrize("width", [64, 128])
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.repeated(way=[way for way in WAYS if way.startswith("workers => 0")])
def test_one_cell_changes_its_column_and_the_row(base, copies, table, rng, way, width):
    changed = copies()
    (_, count, key, row, columns), = digests(base, way, width)
    columns = columns.strip("{}").split(",")
    names = sorted(table.others, key=lambda n: n.encode())
    for position, name in enumerate(names):
        changed.execute("BEGIN")
        table.change(changed, rng.choice(table.rows), name)
        (_, count_now, key_now, row_now, columns_now), = digests(changed, way, width)
        changed.execute("ROLLBACK")
        columns_now = columns_now.strip("{}").split(",")
        differing = [n for n, a, b in zip(names, columns, columns_now) if a != b]
        assert (count_now, key_now, differing) == (count, key, [names[position]]), table.types[name]
        assert row_now != row


@pytest.mark.matrix(sample=3)
@pytest.mark.parametrize("name", [n for n in TRANSFORMATIONS if n not in ("copy csv", "update", "extended pglz", "range partitions")])
def test_pgparity_finds_tables_equal_and_each_changed_cell(base, copies, table, rng, engines, name):
    """One cell of each column in a row of its own, one key, one row less and one more."""
    pair = Pair(copies(), copies())
    TRANSFORMATIONS[name](pair.target, table, rng)
    prepared(pair.source, engines, "source")
    prepared(pair.target, engines, "target")
    options = ["--table", "public.t", "--ranges", str(rng.choice([1, 5, 40])), "--width", rng.choice(["64", "128"]), "--workers", str(rng.choice([0, 2])), *engines.arguments]
    pair.compare(*options).expect(IDENTICAL)
    rows = rng.sample(table.rows, len(table.others) + 3)
    expected = set()
    for name_of_column in table.others:
        row = rows.pop()
        table.change(pair.target, row, name_of_column)
        expected.add(mismatch(name_of_column, **table.key_words(row)))
    condition, values = table.where(moved := rows.pop())
    pair.target.execute(f"UPDATE t SET id = 100000 WHERE {condition}", values)
    expected |= {missing_on_target(**table.key_words(moved)), missing_on_source(**{**table.key_words(moved), "id": "100000"})}
    for side, make in ((pair.target, missing_on_target), (pair.source, missing_on_source)):
        condition, values = table.where(gone := rows.pop())
        side.execute(f"DELETE FROM t WHERE {condition}", values)
        expected.add(make(**table.key_words(gone)))
    found = findings(pair.compare(*options).expect(DIVERGENT).table())
    assert found == expected, (found - expected, expected - found)


@pytest.mark.parametrize("format_option", ["custom", "plain"])
def test_dump_and_restore(base, copies, table, rng, target_cluster, engines, format_option, tmp_path):
    """Into the other cluster, whose settings and default collation are others."""
    source = copies()
    restored = target_cluster.create_database(extension=False)
    try:
        dump = tmp_path / "dump"
        run(binary("pg_dump"), "-F", format_option, "-f", str(dump), "-d", source.conninfo())
        if format_option == "custom":
            run(binary("pg_restore"), "-e", "-d", restored.conninfo(), str(dump))
        else:
            run(binary("psql"), "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", restored.conninfo(), "-f", str(dump))
        assert digests(restored, WAYS[0], 64) == digests(base, WAYS[0], 64)
        prepared(source, engines, "source")
        prepared(restored, engines, "target")
        pair = Pair(source, restored)
        pair.compare("--table", "public.t", *engines.arguments).expect(IDENTICAL)
        row, column = rng.choice(table.rows), rng.choice(list(table.others))
        table.change(restored, row, column)
        found = pair.compare("--table", "public.t", *engines.arguments).expect(DIVERGENT).table()
        assert findings(found) == {mismatch(column, **table.key_words(row))}
    finally:
        target_cluster.drop_database(restored)


def run(*command):
    done = subprocess.run(command, capture_output=True, text=True, env=clean_environment(), check=False)
    assert done.returncode == 0, f"{command[0]}: {done.stderr}"
