"""Random tables, random changes, and the answer checked row for row and column for column.

What is expected comes from plain SQL: both tables are fetched and compared here, value by value. PARITY_SEED repeats a run.
"""

import collections
import json
import random

import psycopg2.extras
import pytest

from support.pgparity import DIVERGENT, IDENTICAL
from support.random_values import SEED, TYPES, normal, quote

pytestmark = pytest.mark.every_engine(late=())


class Table:
    """One random table: key columns, other columns, and how duplicates are treated."""

    def __init__(self, rng, number):
        self.rng = rng
        self.name = f"t{number}"
        self.kind = rng.choices(["proven", "keyless", "unproven"], [6, 2, 2])[0]
        names = rng.sample(["id", "a", "b", "C c", "d", "é", "f", "g", "h", "order"], rng.randrange(1, 9))
        wanted = {"proven": rng.choice([1, 1, 1, 2, 3]), "keyless": 0, "unproven": rng.choice([1, 1, 2])}[self.kind]
        self.key = names[:min(wanted, len(names))]
        key_types = [t for t, (_, usable) in TYPES.items() if usable]
        self.types = {n: rng.choice(key_types if n in self.key else list(TYPES)) for n in names}
        self.names = names
        self.others = sorted((n for n in names if n not in self.key), key=lambda n: n.encode())
        self.null_share = rng.choice([0, 0.1, 0.5])

    def value(self, name):
        may_be_null = not (self.kind == "proven" and name in self.key)
        if may_be_null and self.rng.random() < self.null_share:
            return None
        if self.rng.random() < 0.3 and self.types[name] in ("text", "varchar(400)"):
            return f"r{self.rng.randrange(1000)}"
        if self.rng.random() < 0.5 and self.types[name] in ("integer", "bigint", "numeric", "smallint"):
            return str(self.rng.randrange(1000))
        return TYPES[self.types[name]][0](self.rng)

    def row(self):
        return [self.value(n) for n in self.names]

    def create(self, database, names):
        columns = ", ".join(f"{quote(n)} {self.types[n]}" for n in names)
        key = f", PRIMARY KEY ({', '.join(map(quote, self.key))})" if self.kind == "proven" else ""
        database.execute(f"CREATE TABLE {self.name} ({columns}{key})")

    def insert(self, database, rows):
        """Rows that break the primary key are left out, as SQL sees equality."""
        with database.connection.cursor() as cursor:
            template = "(" + ", ".join(f"%s::{self.types[n]}" for n in self.names) + ")"
            psycopg2.extras.execute_values(
                cursor, f"INSERT INTO {self.name} ({', '.join(map(quote, self.names))}) VALUES %s ON CONFLICT DO NOTHING", rows, template, page_size=1000)

    def fetch(self, database, extra=""):
        columns = ", ".join(f"{quote(n)}::text" for n in self.names)
        rows = database.query(f"SELECT {columns} FROM {self.name} {extra}")
        return [{n: normal(self.types[n], v) for n, v in zip(self.names, row)} for row in rows]

    def mutate(self, database):
        """A few random changes. Those that SQL refuses (key violations) change nothing."""
        for _ in range(self.rng.choice([0, 0, 1, 1, 2, 5, 20])):
            ctids = [r[0] for r in database.query(f"SELECT ctid::text FROM {self.name}")]
            action = self.rng.choice(["update", "update", "null", "delete", "insert", "copy", "swap", "key"])
            try:
                self.change(database, action, ctids)
            except psycopg2.Error as error:
                assert error.pgcode in ("23505", "23502"), error

    def change(self, database, action, ctids):
        columns = self.others or self.names
        name = self.rng.choice(columns)
        if action == "insert":
            self.insert(database, [self.row()])
        elif not ctids:
            return
        elif action in ("update", "null"):
            value = None if action == "null" else self.value(name)
            database.execute(f"UPDATE {self.name} SET {quote(name)} = %s::{self.types[name]} WHERE ctid = %s::tid".replace("%s::name ", "%s::text::name "), [value, self.rng.choice(ctids)])
        elif action == "delete":
            database.execute(f"DELETE FROM {self.name} WHERE ctid = %s::tid", [self.rng.choice(ctids)])
        elif action == "copy":
            database.execute(f"INSERT INTO {self.name} SELECT * FROM {self.name} WHERE ctid = %s::tid ON CONFLICT DO NOTHING", [self.rng.choice(ctids)])
        elif action == "swap" and len(ctids) > 1:
            one, two = self.rng.sample(ctids, 2)
            q = quote(name)
            database.execute(f"UPDATE {self.name} t SET {q} = u.{q} FROM {self.name} u WHERE (t.ctid, u.ctid) IN ((%s::tid, %s::tid), (%s::tid, %s::tid))", [one, two, two, one])
        elif action == "key" and self.key:
            name = self.rng.choice(self.key)
            database.execute(f"UPDATE {self.name} SET {quote(name)} = %s::{self.types[name]} WHERE ctid = %s::tid", [self.value(name), self.rng.choice(ctids)])

    # ---- what is right -------------------------------------------------------------------------------------

    def key_of(self, row):
        return tuple(row[n] for n in self.key)

    def check(self, source, target, entry, context, database):
        self.database = database
        assert entry["rows"] == {"source": str(len(source)), "target": str(len(target))}, context
        {"proven": self.check_proven, "keyless": self.check_keyless, "unproven": self.check_unproven}[self.kind](source, target, entry, context)

    def reported(self, name, text):
        """A value that pgparity rendered from canonical bytes, as the server would print it."""
        if text is not None and (self.types[name] in ("interval", "real") or self.types[name].endswith("[]")):
            text = self.database.value(f"SELECT %s::{self.types[name]}::text", [text])
        return normal(self.types[name], text)

    def reported_key(self, divergence):
        return tuple(self.reported(n, divergence["key"][n]) for n in self.key)

    def check_proven(self, source, target, entry, context):
        ours, theirs = {self.key_of(r): r for r in source}, {self.key_of(r): r for r in target}
        assert len(ours) == len(source) and len(theirs) == len(target), context
        expected = {("missing_on_target", k, ()) for k in ours.keys() - theirs.keys()} | {("missing_on_source", k, ()) for k in theirs.keys() - ours.keys()}
        for key in ours.keys() & theirs.keys():
            differing = tuple(n for n in self.others if ours[key][n] != theirs[key][n])
            if differing:
                expected.add(("mismatch", key, differing))
        found = [(d["kind"], self.reported_key(d), tuple(d.get("columns", ()))) for d in entry["divergences"]]
        assert len(found) == len(set(found)), context
        assert set(found) == expected, f"{context}\nexpected {expected}\nfound {found}"
        for d in entry["divergences"]:
            if d["kind"] == "mismatch":
                for side, rows in (("source", ours), ("target", theirs)):
                    values = {n: normal(self.types[n], v) for n, v in d[side].items()}
                    assert values == {n: rows[self.reported_key(d)][n] for n in d["columns"]}, context
        divergent = {n for _, _, columns in expected for n in columns}
        if not any(kind != "mismatch" for kind, _, _ in expected):
            assert {c["name"] for c in entry["columns"] if c["divergent"]} == divergent, context
        self.check_counts(entry, collections.Counter(kind for kind, _, _ in expected), context)

    def check_counts(self, entry, expected, context):
        assert {k: int(v) for k, v in entry["counts"].items()} == {k: expected[k] for k in ("mismatch", "missing_on_target", "missing_on_source")}, context
        assert (entry["result"] == "divergent") == bool(sum(expected.values())), context

    def check_keyless(self, source, target, entry, context):
        def whole(row):
            return tuple(row[n] for n in self.others)
        ours, theirs = collections.Counter(map(whole, source)), collections.Counter(map(whole, target))
        expected = {("missing_on_target", row): n for row, n in (ours - theirs).items()} | {("missing_on_source", row): n for row, n in (theirs - ours).items()}
        found = {(d["kind"], tuple(self.reported(n, d["row"][n]) for n in self.others)): int(d["occurrences"]) for d in entry["divergences"]}
        assert found == expected, f"{context}\nexpected {expected}\nfound {found}"
        counts = collections.Counter()
        for (kind, _), n in expected.items():
            counts[kind] += n
        self.check_counts(entry, counts, context)

    def check_unproven(self, source, target, entry, context):
        """Under a key with duplicates the multisets must add up: what is left after equal rows cancel is what is reported."""
        def whole(row):
            return (self.key_of(row), tuple(row[n] for n in self.others))
        ours, theirs = collections.Counter(map(whole, source)), collections.Counter(map(whole, target))
        left = {"source": collections.Counter(), "target": collections.Counter()}
        for (key, _), n in (ours - theirs).items():
            left["source"][key] += n
        for (key, _), n in (theirs - ours).items():
            left["target"][key] += n
        found = {"source": collections.Counter(), "target": collections.Counter()}
        for d in entry["divergences"]:
            key, n = self.reported_key(d), int(d.get("occurrences", 1))
            if d["kind"] in ("mismatch", "missing_on_target"):
                found["source"][key] += n
            if d["kind"] in ("mismatch", "missing_on_source"):
                found["target"][key] += n
        assert found == left, f"{context}\nexpected {left}\nfound {found}"
        assert (entry["result"] == "divergent") == bool(left["source"] or left["target"]), context


def options_of(tables):
    """The --key options that name the unproven keys."""
    return [word for t in tables if t.kind == "unproven" for word in ("--key", f"public.{t.name}={','.join(map(quote, t.key))}")]


def compare_random_tables(pair, rng, count, extra):
    tables = [Table(rng, n) for n in range(count)]
    pair.both("CREATE TYPE mood AS ENUM ('sad', 'ok', 'Happy Day')")
    expected = {}
    for table in tables:
        table.create(pair.source, table.names)
        table.create(pair.target, rng.sample(table.names, len(table.names)))
        rows = [table.row() for _ in range(rng.choice([0, 1, 5, 40, 200]))]
        if table.kind != "proven":
            rows += [rng.choice(rows) for _ in range(rng.choice([0, 3, 30])) if rows]
        table.insert(pair.source, rows)
        # The target gets what the source took, so that a row refused for its key is missing on neither side by chance.
        columns = ", ".join(f"{quote(n)}::text" for n in table.names)
        copied = pair.source.query(f"SELECT {columns} FROM {table.name}")
        rng.shuffle(copied)
        table.insert(pair.target, copied)
        table.mutate(rng.choice([pair.source, pair.target]))
        expected[table.name] = (table.fetch(pair.source), table.fetch(pair.target))
    run = pair.compare("--table", "public.*", "--max-divergences", "0", *extra, *options_of(tables), timeout=600)
    assert run.status in (IDENTICAL, DIVERGENT), run
    assert len(run.report["tables"]) == count
    for table in tables:
        source, target = expected[table.name]
        entry = run.table(f"public.{table.name}")
        table.check(source, target, entry, f"PARITY_SEED={SEED}, {table.name} ({table.kind}): {table.types}, key {table.key}\n{json.dumps(entry)[:3000]}", pair.source)
    diverging = any(t["result"] == "divergent" for t in run.report["tables"])
    assert run.status == (DIVERGENT if diverging else IDENTICAL)


# Every batch is one run of pgparity over many tables, each with other options.
BATCHES = [[], ["--ranges", "1"], ["--ranges", "7", "--jobs", "3"], ["--width", "128", "--ranges", "64"], ["--where", "true"], ["--workers", "2", "--ranges", "3"]]


@pytest.mark.matrix(sample=2)
@pytest.mark.parametrize("batch", range(len(BATCHES)))
@pytest.mark.repeated(engine=["auto"], batch=[1, 2])
@pytest.mark.repeated(engine=["stream", "mixed", "mixed reverse"], batch=[3, 4, 5])
def test_random_tables(pair, batch):
    print(f"PARITY_SEED={SEED}")
    compare_random_tables(pair, random.Random(f"{SEED}.{batch}"), 40, BATCHES[batch])


@pytest.mark.long
@pytest.mark.parametrize("batch", range(40))
def test_many_random_tables(pair, batch):
    print(f"PARITY_SEED={SEED}")
    compare_random_tables(pair, random.Random(f"{SEED}.long.{batch}"), 100, BATCHES[batch % len(BATCHES)])
