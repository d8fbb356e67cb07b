"""Random schemas on two sides: tables of all kinds with equal rows, and what of them differs after random changes.

A RandomSchema makes its objects on both sides, each in its own manner: other orders of columns, other collations, other cuts into partitions or
children, types that a migration makes of others. What is right is then read by plain SQL, in `differences`, and is nothing of pg_parity's.
"""

import collections
import dataclasses
import io
import json
import re

import psycopg2
import psycopg2.errors

from support.random_values import LONG, MAJOR, MORE_TYPES, TYPES, USER_TYPES, pick, quote, str_number

SIDES = ("source", "target")

GENERATORS = {**{kind: make for kind, (make, _) in TYPES.items()}, **{kind: pick(values) for kind, values in MORE_TYPES.items()}, "double precision[]": pick(["{}", "{0}", "{-0}", "{NULL,NaN}", "{{1,0.1},{2,-0}}"])}
GENERATORS["numrange"] = pick([*MORE_TYPES["numrange"], "[1.0,2.00)", "[1,3)"])
GENERATORS["pair"] = pick([*MORE_TYPES["pair"], "(a,1.0)"])
if MAJOR < 14:
    del GENERATORS["int8multirange"]

# What a migration makes of a type, compared by itself (docs/cli.md, "Columns and types"). The values are those of the first.
MIGRATED = {
    "smallint": ["integer", "bigint", "numeric"], "integer": ["bigint", "numeric"], "bigint": ["numeric"], "numeric(12,3)": ["numeric"], "varchar(400)": ["text"],
    "char(8)": ["text"], "mood": ["text"], "xml": ["text"], "json": ["text", "jsonb"], "uuid": ["text"], "date": ["timestamp"], "money": ["numeric"],
    "cidr": ["inet"], "small": ["integer"], "name": ["text"], "citext": ["text"], "real": [], "integer[]": ["bigint[]"],
}
# What logical replication cannot carry from one to the other, as it sends the text that the server prints.
UNREPLICATED = {("money", "numeric"), ("numeric", "money"), ("char(8)", "text"), ("text", "char(8)"), ("numeric", "smallint"), ("numeric", "integer"), ("numeric", "bigint")}

# Whose canonical bytes a report shows in keys, or a text that is none of the type's: such keys are told apart by their number alone.
OPAQUE = {"hstore", "tsvector", "tsquery", "int4range", "numrange", "tstzrange", "int8multirange", "moods", "int4range[]", "pair", "deep", "pair[]", "txid_snapshot", "pg_snapshot",
          "tid", "point", "line", "lseg", "box", "circle", "path", "polygon", "\"char\"", "pg_lsn", "int2vector", "oidvector", "bit varying", "jsonb[]", "bytea[]"}

COLLATABLE = {"text", "varchar(400)", "char(8)", "citext", "name"}
COLLATIONS = ["", "", "", '"C"', '"POSIX"', '"und-x-icu"', '"sv-x-icu"', "upper_first", "american"]
BLIND = "blind"
# Types whose = takes values for one that a digest tells apart. A subscriber that finds rows by all columns may change another row than meant.
LOOSE = {"tsquery", "interval", "interval[]", "citext"}
PARTITIONABLE = {"smallint", "integer", "bigint", "text", "varchar(400)", "date", "uuid", "numeric", "timestamp", "mood", "timestamptz"}

COLUMN_NAMES = ["id", "a", "b", "C c", "d", "é", "f", "g", "h", "order", 'q"t', "a.b", "日本", "Select", "x\\y", "1st", "it's", "{k}", "ctid_", "ü,ö"]
TABLE_NAMES = ["t", "T", "t x", "é", 'q"', "a.b", "order", "日本", "x\\y", "it's"]
SCHEMA_NAMES = ["s", "S", "s x", 's"', "é", "a.b", "select", "s'"]
# What SQL refuses of random rows: keys that are there already, NULL where there may be none, no partition for a row.
REFUSALS = ("23505", "23502", "23514")


@dataclasses.dataclass
class Column:
    name: str
    narrow: str             # the type whose values it has
    kinds: dict             # side: its type there
    collations: dict        # side: "" or a collation
    not_null: bool = False
    generated: dict = dataclasses.field(default_factory=dict)  # side: the expression that makes it there
    late: bool = False      # added to the source's table when that had rows

    @property
    def common(self):
        """The type under which both sides are compared."""
        return next((kind for kind in self.kinds.values() if kind != self.narrow), self.narrow)

    def is_findable(self, sides):
        """Whether = finds the rows of a value of this column on both sides, and no other ones."""
        return all(ABILITIES.has_equality(sides[s], self.kinds[s]) and self.kinds[s] not in LOOSE and self.collations[s] != BLIND for s in SIDES)

    def definition(self, side):
        collation = f" COLLATE {self.collations[side]}" if self.collations[side] else ""
        generated = f" GENERATED ALWAYS AS ({self.generated[side]}) STORED" if side in self.generated else ""
        return f"{quote(self.name)} {self.kinds[side]}{collation}{generated}{' NOT NULL' if self.not_null else ''}"

    def literal(self, side):
        """A parameter of a statement as this column's value."""
        value = typed(self.narrow)
        return value if self.kinds[side] == self.narrow else f"({value})::{self.kinds[side]}"

    def value(self, rng, null_share=0.0, long_share=0.0):
        if not self.not_null and rng.random() < null_share:
            return None
        if self.narrow in LONG and rng.random() < long_share:
            return LONG[self.narrow](rng)
        if rng.random() < 0.5 and self.narrow in ("integer", "bigint", "numeric", "smallint", "text", "varchar(400)"):
            return str(rng.randrange(1000))
        return GENERATORS[self.narrow](rng)

    def sent(self, side, other):
        """An expression of what a dump would carry from a side to the other."""
        name = quote(self.name)
        converts = (self.kinds[side], self.kinds[other]) in UNREPLICATED
        return f"{name}::{self.kinds[other]}" if converts else name

    def text(self, side):
        """An expression of the text that is equal where docs/digest-format.md calls values equal, but for `settled`."""
        return printed(self.common, quote(self.name) if self.kinds[side] == self.common else f"{quote(self.name)}::{self.common}")


def typed(kind):
    return "%s::text::name" if kind == "name" else f"%s::{kind}"


def printed(kind, value):
    """SQL for a value's text, without what its form does not tell apart."""
    if kind == "money":
        return f"trim_scale(({value})::numeric)::text"
    if kind.startswith("numeric") and not kind.endswith("]"):
        return f"trim_scale({value})::text"
    if kind in ("real", "double precision"):
        return f"CASE WHEN {value} = 0 THEN '0' ELSE ({value})::text END"
    return f"({value})::text"


NUMBER = re.compile(r"(?<![\w.])-?\d+\.\d+(?![\w.])")
MINUS_ZERO = re.compile(r"(?<![\w.])-0(?![\w.])")


def settled(kind, text):
    """The rest of it, where it takes more than SQL: numbers inside of values."""
    if text is None:
        return None
    if kind == "jsonb":
        return json.dumps(json.loads(text, parse_float=str_number, parse_int=str_number), sort_keys=True)
    if kind in ("numeric[]", "numrange", "pair"):
        return NUMBER.sub(lambda found: found[0].rstrip("0").rstrip("."), text)
    if kind in ("double precision[]", "point", "line", "lseg", "box", "circle", "path", "polygon"):
        return MINUS_ZERO.sub("0", text)
    return text


class Side:
    """A side's database, and every statement that it was given for a schema."""

    def __init__(self, name, database):
        self.name = name
        self.database = database
        self.script = []

    def execute(self, sql, parameters=None):
        with self.database.connection.cursor() as cursor:
            self.script.append(cursor.mogrify(sql, parameters).decode() if parameters else sql)
            cursor.execute(sql, parameters)
            return cursor.rowcount

    def attempt(self, sql, parameters=None):
        """A statement that SQL may refuse, which changes nothing then."""
        try:
            return self.execute(sql, parameters)
        except psycopg2.Error as error:
            self.script.append(f"-- refused: {error.pgcode}")
            if error.pgcode not in REFUSALS:
                raise
            return 0

    def query(self, sql, parameters=None):
        return self.database.query(sql, parameters)

    def value(self, sql, parameters=None):
        return self.database.value(sql, parameters)


class Abilities:
    """What SQL can do with a type, asked of a server once."""

    def __init__(self):
        self._known = {}

    def _asks(self, side, kind, sql):
        if (sql, kind) not in self._known:
            try:
                side.query(sql.replace("%s", typed(kind)), [None])
                self._known[sql, kind] = True
            except psycopg2.errors.UndefinedFunction:
                self._known[sql, kind] = False
        return self._known[sql, kind]

    def has_order(self, side, kind):
        return self._asks(side, kind, "SELECT x FROM (SELECT %s AS x) v ORDER BY x")

    def has_equality(self, side, kind):
        return self._asks(side, kind, "SELECT DISTINCT x FROM (SELECT %s AS x) v")


ABILITIES = Abilities()


# ---- what is compared, and what is right -----------------------------------------------------------------------------


@dataclasses.dataclass
class Unit:
    """A relation that is compared by itself."""
    name: str           # as SQL spells it, without its schema
    columns: list
    key: list           # names; none: rows are a multiset
    proven: bool = False
    only: bool = False  # its own rows, without its children's
    shown: str = ""     # with the schema, as a server spells it
    named: bool = False  # is compared only where it is named

    def read(self, side):
        """Its rows by plain SQL: dictionaries from column to what equals."""
        if not self.columns:
            return [{}] * side.value(f"SELECT count(*) FROM {self.name}")
        texts = ", ".join(column.text(side.name) for column in self.columns)
        rows = side.query(f"SELECT {texts} FROM {'ONLY ' if self.only else ''}{self.name}")
        return [{c.name: settled(c.common, v) for c, v in zip(self.columns, row)} for row in rows]

    @property
    def others(self):
        return [c.name for c in sorted(self.columns, key=lambda c: c.name.encode()) if c.name not in self.key]

    def column(self, name):
        return next(c for c in self.columns if c.name == name)

    def differences(self, source, target):
        return Differences(self, self.read(source), self.read(target))


class Differences:
    """What differs between the rows of a unit on both sides."""

    def __init__(self, unit, source, target):
        self.unit = unit
        self.rows = {"source": source, "target": target}
        self.left = self._cancelled()

    def _whole(self, row):
        return tuple(row[n] for n in self.unit.key), tuple(row[n] for n in self.unit.others)

    def _cancelled(self):
        """What is left of each side when equal rows cancel."""
        source, target = (collections.Counter(map(self._whole, self.rows[side])) for side in SIDES)
        return {"source": source - target, "target": target - source}

    def __bool__(self):
        return any(self.left.values())

    def visible(self, names, values):
        """What a report shows of a key, or of a row without one."""
        return tuple(None if v is None else "…" if self.unit.column(n).common in OPAQUE else v for n, v in zip(names, values))

    def expected(self):
        """Findings under a proven key, or without a key: (kind, key or row, columns): occurrences."""
        unit, found = self.unit, collections.Counter()
        if not unit.key:
            for side, kind in (("source", "missing_on_target"), ("target", "missing_on_source")):
                found.update({(kind, row, ()): n for (_, row), n in self.left[side].items()})
            return found
        source, target = ({key: row for key, row in self.left[side]} for side in SIDES)
        for key in source.keys() | target.keys():
            if key in source and key in target:
                found["mismatch", key, tuple(n for n, a, b in zip(unit.others, source[key], target[key]) if a != b)] += 1
            else:
                found["missing_on_target" if key in source else "missing_on_source", key, ()] += 1
        return found

    def check(self, findings, context):
        """Findings as (kind, key or row, columns, occurrences)."""
        if self.unit.key and not self.unit.proven:
            return self._check_unproven(findings, context)
        found, expected, exact = collections.Counter(), collections.Counter(), self.expected()
        for kind, key, columns, occurrences in findings:
            found[kind, key, columns] += occurrences
        for (kind, key, columns), occurrences in exact.items():
            expected[kind, self.visible(self.unit.key or self.unit.others, key), columns] += occurrences
        assert len(findings) == len(exact), f"{context}\nexpected: {exact}\nfound: {found}"
        assert found == expected, f"{context}\nexpected and not found: {expected - found}\nfound and not expected: {found - expected}"

    def _check_unproven(self, findings, context):
        """Under a key with duplicates the multisets must add up: what is left after equal rows cancel is what is reported. Of a key that both sides
        have left as many rows are mismatches as can be."""
        exact = {side: collections.Counter() for side in SIDES}
        left = {side: collections.Counter() for side in SIDES}
        for side in SIDES:
            for (key, _), n in self.left[side].items():
                exact[side][key] += n
                left[side][self.visible(self.unit.key, key)] += n
        found = {side: collections.Counter() for side in SIDES}
        for kind, key, columns, occurrences in findings:
            for side, without in (("source", "missing_on_source"), ("target", "missing_on_target")):
                if kind != without:
                    found[side][key] += occurrences
            if kind == "mismatch" and left["source"][key] == left["target"][key] == 1:
                (_, ours), (_, theirs) = (next(w for w in self.left[side] if self.visible(self.unit.key, w[0]) == key) for side in SIDES)
                assert columns == tuple(n for n, a, b in zip(self.unit.others, ours, theirs) if a != b), f"{context}\n{key}: {columns}, {ours}, {theirs}"
        assert found == left, f"{context}\nexpected {left}\nfound {found}"
        pairs = sum(min(n, exact["target"][key]) for key, n in exact["source"].items())
        assert sum(n for kind, _, _, n in findings if kind == "mismatch") == pairs, f"{context}\n{pairs} mismatches in {findings}"


# ---- tables ----------------------------------------------------------------------------------------------------------


@dataclasses.dataclass
class Spot:
    """Where rows can be changed: a relation by its own rows."""
    name: str
    columns: list
    unique: list                # names of columns that a unique index may be about
    only: bool = True
    replicated: bool = False    # logical replication carries what is inserted
    identified: bool = False    # and what is updated and deleted
    bound: list = dataclasses.field(default_factory=list)  # names of columns that decide where a row stands

    @property
    def relation(self):
        return f"{'ONLY ' if self.only else ''}{self.name}"

    def written(self, side):
        return [c for c in self.columns if side.name not in c.generated]

    def insert(self, side, values):
        columns = self.written(side)
        if not columns:
            return side.attempt(f"INSERT INTO {self.name} DEFAULT VALUES")
        names, literals = ", ".join(quote(c.name) for c in columns), ", ".join(c.literal(side.name) for c in columns)
        return side.attempt(f"INSERT INTO {self.name} ({names}) VALUES ({literals})", [values[c.name] for c in columns])

    def places(self, side):
        return side.query(f"SELECT tableoid::bigint, ctid::text FROM {self.relation} ORDER BY 1, ctid")


AT = "tableoid = %s AND ctid = %s::tid"


class Table:
    """A table of its own kind on each side."""

    key_kinds = {"primary": 5, "unique": 2, "unique index": 2, "deferrable": 1, "target lacks": 1, "source lacks": 1, "option": 2, "keyless": 3, "nullable unique": 1, "partial unique": 1}

    def __init__(self, schema, number):
        self.schema, self.rng = schema, schema.rng
        self.bare_name = f"{self.rng.choice(TABLE_NAMES)}{number}"
        self.name = quote(self.bare_name)
        self.null_share, self.long_share = self.rng.choice([0, 0.1, 0.4]), self.rng.choice([0, 0, 0.03])
        self.key_kind = self.rng.choices(list(self.key_kinds), list(self.key_kinds.values()))[0]
        self.unlogged = self.rng.random() < 0.08
        self.choose_columns()
        self.rows = self.rng.choice([0, 1, 4, 15, 40, 100])

    # What its columns are.

    def choose_columns(self):
        rng = self.rng
        names = rng.sample(COLUMN_NAMES, rng.choice([1, 2, 3, 4, 5, 6, 8, 12]))
        wanted = 0 if self.key_kind == "keyless" else min(len(names), rng.choice([1, 1, 1, 2, 3]))
        self.key = names[:wanted]
        self.columns = [self.make_column(name, name in self.key) for name in names]
        if not self.key_is_nullable:
            for column in self.columns[:wanted]:
                column.not_null = True
        self.add_generated()
        expressions = {expression for column in self.columns for expression in column.generated.values()}
        for column in self.columns[wanted:]:
            is_base = f"{quote(column.name)} IS NULL" in expressions
            column.late = not column.generated and not column.not_null and not is_base and rng.random() < 0.06

    @property
    def key_is_nullable(self):
        return self.key_kind in ("option", "nullable unique", "partial unique")

    def make_column(self, name, in_key):
        rng, side = self.rng, self.schema.sides["source"]
        kinds = [k for k in GENERATORS if not in_key or ABILITIES.has_order(side, k)]
        narrow = rng.choice(kinds) if rng.random() < 0.6 else rng.choice([k for k in ("integer", "bigint", "text", "numeric", "uuid", "date", "timestamptz", "mood")])
        pair = dict.fromkeys(SIDES, narrow)
        if rng.random() < 0.15 and MIGRATED.get(narrow):
            # A key of citext has no room for all that one of text has.
            pair["target" if in_key and narrow == "citext" else rng.choice(SIDES)] = rng.choice(MIGRATED[narrow])
        column = Column(name, narrow, pair, {side: rng.choice(COLLATIONS) if pair[side] in COLLATABLE else "" for side in SIDES})
        self.choose_blind(column, in_key)
        return column

    def choose_blind(self, column, in_key):
        """Under a collation that takes letters of both cases for one, a key of the target has room only for what one of the source has."""
        if self.rng.random() < 0.1:
            for side in (SIDES if not in_key else self.rng.choice([SIDES, SIDES[:1]])):
                if column.kinds[side] in COLLATABLE - {"name"}:
                    column.collations[side] = BLIND
        if in_key and column.collations["target"] == BLIND and column.collations["source"] != BLIND:
            column.collations["target"] = ""

    def add_generated(self):
        rng = self.rng
        bases = [c for c in self.columns if "source" not in c.generated]
        if rng.random() < 0.15 and len(bases) < len(COLUMN_NAMES):
            base = rng.choice(bases)
            made = Column(rng.choice([n for n in COLUMN_NAMES if n not in [c.name for c in self.columns]]), "boolean", dict.fromkeys(SIDES, "boolean"), dict.fromkeys(SIDES, ""))
            for side in rng.choice([SIDES, SIDES, SIDES[:1], SIDES[1:]]):
                made.generated[side] = f"{quote(base.name)} IS NULL"
            self.columns.append(made)

    def values(self, columns):
        return {c.name: c.value(self.rng, self.null_share, 0 if c.name in self.key or self.key_kind == "keyless" else self.long_share) for c in columns}

    # How it is made.

    def create(self):
        source, target = (self.schema.sides[side] for side in SIDES)
        self.create_relation(source)
        for spot in self.spots("source"):
            self.fill(source, spot)
        for column in self.columns:
            if column.late:
                self.add_late(source, column)
        self.create_relation(target)
        for origin, destination in self.ways():
            self.copy(origin, destination)
        self.rearrange(target)

    def create_relation(self, side):
        self.create_empty(side, self.name, [c for c in self.columns if side.name == "target" or not c.late])
        self.add_key(side, self.name)

    def create_empty(self, side, name, columns, rest="", unlogged=None):
        """Columns in any order on the target, with some that are dropped before there are rows."""
        definitions = [c.definition(side.name) for c in columns]
        if side.name == "target" and self.rng.random() < 0.6:
            self.rng.shuffle(definitions)
        gone = self.rng.choice([0, 0, 0, 1, 2])
        for n in range(gone):
            definitions.insert(self.rng.randrange(len(definitions) + 1), f"gone{n} {self.rng.choice(['int', 'text', 'numeric'])}")
        side.execute(f"CREATE {'UNLOGGED ' if self.unlogged and not rest else ''}TABLE {name} ({', '.join(definitions)}){rest}")
        for n in range(gone):
            side.execute(f"ALTER TABLE {name} DROP gone{n}")

    def add_late(self, source, column):
        value = column.value(self.rng)
        source.execute(f"ALTER TABLE {self.name} ADD {column.definition('source')} DEFAULT {column.literal('source')}", [value])
        source.execute(f"ALTER TABLE {self.name} ALTER {quote(column.name)} DROP DEFAULT")

    def add_key(self, side, name):
        if not self.key or (self.key_kind, side.name) in (("target lacks", "target"), ("source lacks", "source")):
            return
        columns = ", ".join(map(quote, self.key))
        side.execute({
            "primary": f"ALTER TABLE {name} ADD PRIMARY KEY ({columns})", "target lacks": f"ALTER TABLE {name} ADD PRIMARY KEY ({columns})",
            "source lacks": f"ALTER TABLE {name} ADD PRIMARY KEY ({columns})", "unique": f"ALTER TABLE {name} ADD UNIQUE ({columns})",
            "unique index": f"CREATE UNIQUE INDEX ON {name} ({columns})", "deferrable": f"ALTER TABLE {name} ADD PRIMARY KEY ({columns}) DEFERRABLE",
            "nullable unique": f"CREATE UNIQUE INDEX ON {name} ({columns})", "partial unique": f"CREATE UNIQUE INDEX ON {name} ({columns}) WHERE {quote(self.key[0])} IS NOT NULL",
            "option": f"CREATE INDEX ON {name} ({columns})",
        }[self.key_kind])

    def fill(self, side, spot):
        spot = dataclasses.replace(spot, columns=[c for c in spot.columns if not c.late])
        rows = [self.values(spot.written(side)) for _ in range(self.rows)]
        if self.key_kind in ("keyless", "option"):
            rows += [self.rng.choice(rows) for _ in range(self.rng.choice([0, 2, 9])) if rows]
        if self.key_kind == "source lacks":  # what the source has, the target's key must take
            side.execute(f"CREATE UNIQUE INDEX kept ON {self.name} ({', '.join(map(quote, self.key))})")
        for row in rows:
            spot.insert(side, row)
        if self.key_kind == "source lacks":
            side.execute("DROP INDEX kept")

    def ways(self):
        """From which spots of the source to which of the target its rows go."""
        return list(zip(self.spots("source"), self.spots("target")))

    def copy(self, origin, destination):
        """Rows by COPY, in another order."""
        source, target = (self.schema.sides[side] for side in SIDES)
        columns = [c for c in origin.columns if "target" not in c.generated and c in destination.columns]
        if not columns:
            for _ in range(source.value(f"SELECT count(*) FROM {origin.relation}")):
                destination.insert(target, {})
            return
        sent = ", ".join(f"{c.sent('source', 'target')}" for c in columns)
        lines = copied(source, f"COPY (SELECT {sent} FROM {origin.relation}) TO STDOUT").splitlines(keepends=True)
        self.rng.shuffle(lines)
        fed(target, f"COPY {destination.name} ({', '.join(quote(c.name) for c in columns)}) FROM STDIN", b"".join(lines))

    def rearrange(self, side):
        """What is no change: dead rows, rows elsewhere in the table."""
        if self.rng.random() < 0.3:
            for spot in self.spots(side.name):
                columns = [c for c in spot.written(side) if c.name not in spot.bound]
                if columns:
                    name = quote(self.rng.choice(columns).name)
                    side.execute(f"UPDATE {spot.relation} SET {name} = {name} WHERE hashtext(ctid::text) % 2 = 0")
        if self.rng.random() < 0.2:
            side.execute(f"{self.rng.choice(['ANALYZE', 'VACUUM', 'VACUUM FULL', 'VACUUM FREEZE'])} {self.name}")

    # Where its rows are, and what is compared.

    def spots(self, side):
        replicated = not self.unlogged and not any(tuple(c.kinds.values()) in UNREPLICATED or len(c.generated) == 1 for c in self.columns)
        return [Spot(self.name, self.columns, self.key, only=False, replicated=replicated, identified=replicated and self.is_identified)]

    @property
    def full_identity(self):
        return self.key_kind != "primary"

    @property
    def is_identified(self):
        """Whether replication finds a row again: by its primary key, or by all its columns."""
        return not self.full_identity or all(c.is_findable(self.schema.sides) for c in self.columns)

    def compared_key(self):
        """The key that docs/cli.md promises, and whether it is proven."""
        if self.key_kind in ("keyless", "nullable unique", "partial unique"):
            return [], False
        return self.key, self.key_kind in ("primary", "unique", "unique index")

    def verified_key(self):
        """The same of parity.verify, which is told no key and has this side's."""
        return ([], False) if self.key_kind in ("option", "source lacks") else self.compared_key()

    def units(self):
        return [Unit(self.name, self.columns, *self.compared_key())]

    def verified(self):
        return [Unit(self.name, self.columns, *self.verified_key())]

    def of_the_source_alone(self):
        """Relations that the target does not have."""
        return []

    def options(self):
        if self.key_kind != "option":
            return []
        return ["--key", f"{self.schema.name}.{self.name}={','.join(map(quote, self.key))}"]

    def description(self):
        return f"{type(self).__name__} {self.bare_name}, key {self.key_kind} {self.key}"


class WithoutColumns(Table):
    key_kinds = {"keyless": 1}

    def choose_columns(self):
        self.columns, self.key = [], []


class Partitioned(Table):
    """Cut in its own way on each side, or on one side only."""

    key_kinds = {"primary": 5, "unique": 1, "unique index": 1, "deferrable": 1, "target lacks": 1, "keyless": 3, "option": 1}

    def choose_columns(self):
        super().choose_columns()
        if not all(self.candidates(side) for side in SIDES):
            first = self.columns[0]
            first.narrow, first.kinds, first.collations, first.late = "integer", dict.fromkeys(SIDES, "integer"), dict.fromkeys(SIDES, ""), False
        self.whole_on = self.rng.choice([None, None, None, "target", "source"])
        self.bound = []
        self.parts = 0

    def candidates(self, side):
        """Columns that may decide about a row's partition: those of every unique index."""
        keyless = self.key_kind in ("keyless", "option") or (self.key_kind, side) == ("target lacks", "target")
        return [c for c in self.columns if (keyless or c.name in self.key) and c.kinds[side] in PARTITIONABLE and c.collations[side] != BLIND
                and not c.generated and not c.late]

    def create_relation(self, side):
        if side.name == self.whole_on:
            return super().create_relation(side)
        columns = [c for c in self.columns if side.name == "target" or not c.late]
        self.create_cut(side, self.name, columns, " ", 0)
        self.add_key(side, self.name)

    def create_cut(self, side, name, columns, clause, depth):
        """A partitioned table, and its partitions. The clause is what makes it a partition itself."""
        column = self.rng.choice(self.candidates(side.name))
        strategy = self.rng.choice(["RANGE", "LIST", "HASH"])
        self.bound.append(column.name)
        by = f"{clause}PARTITION BY {strategy} ({quote(column.name)})"
        if depth == 0:
            self.create_empty(side, name, columns, by)
        else:
            side.execute(f"CREATE TABLE {name}{by}")
        for bounds in {"RANGE": self.ranges, "LIST": self.lists, "HASH": self.remainders}[strategy](side, column):
            self.create_part(side, name, columns, bounds, depth + 1)

    def create_part(self, side, parent, columns, bounds, depth):
        self.parts += 1
        name = quote(f"{self.bare_name}_p{self.parts}")
        if depth < 3 and self.rng.random() < 0.2:
            self.create_cut(side, name, columns, f" PARTITION OF {parent} {bounds} ", depth)
        elif self.rng.random() < 0.3 and not any(c.generated for c in columns):
            shuffled = self.rng.sample(columns, len(columns))
            self.create_empty(side, name, shuffled)
            side.execute(f"ALTER TABLE {parent} ATTACH PARTITION {name} {bounds}")
        else:
            side.execute(f"CREATE TABLE {name} PARTITION OF {parent} {bounds}")

    def sorted_values(self, side, column):
        values = [column.value(self.rng) for _ in range(self.rng.choice([1, 2, 3, 6]))]
        collation = f" COLLATE {column.collations[side.name]}" if column.collations[side.name] else ""
        rows = side.query(f"SELECT v::text FROM (SELECT DISTINCT x::{column.kinds[side.name]}{collation} AS v FROM unnest(%s::text[]) AS x WHERE x IS NOT NULL) d ORDER BY d.v", [values])
        return ["'" + value.replace("'", "''") + "'" for value, in rows]

    def ranges(self, side, column):
        ends = ["MINVALUE", *self.sorted_values(side, column), "MAXVALUE"]
        cuts = [f"FOR VALUES FROM ({low}) TO ({high})" for low, high in zip(ends, ends[1:])]
        if not column.not_null:
            return [*cuts, "DEFAULT"]
        kept = [cut for cut in cuts if self.rng.random() < 0.8]
        return kept if len(kept) == len(cuts) else [*kept, "DEFAULT"]

    def lists(self, side, column):
        values = self.sorted_values(side, column) + ([] if column.not_null else self.rng.choice([[], ["NULL"]]))
        self.rng.shuffle(values)
        half = self.rng.randrange(len(values) + 1)
        return [f"FOR VALUES IN ({', '.join(some)})" for some in (values[:half], values[half:]) if some] + ["DEFAULT"]

    def remainders(self, side, column):
        modulus = self.rng.choice([1, 2, 4])
        return [f"FOR VALUES WITH (MODULUS {modulus}, REMAINDER {n})" for n in range(modulus)]

    def spots(self, side):
        return [dataclasses.replace(spot, bound=self.bound) for spot in super().spots(side)]


@dataclasses.dataclass
class Member:
    """A child of a tree of inheritance: its parent, its own columns, and whether it has a primary key of its own."""
    name: str
    parent: str
    own: list
    has_key: bool
    check: str


class Inherited(Table):
    """A tree with the same members on both sides, each compared by itself; or with other members, and compared as a whole."""

    key_kinds = {"primary": 4, "unique": 1, "keyless": 2}

    def choose_columns(self):
        super().choose_columns()
        for column in self.columns:
            column.late = False
        self.same = self.rng.random() < 0.6
        if not self.same and self.key_kind == "unique":
            self.key_kind = "primary"
        self.unlogged = False
        members = [self.make_member(n) for n in range(self.rng.choice([1, 2, 3]))]
        self.members = {"source": members, "target": members}
        if self.same:
            for n, member in enumerate(members):
                member.parent = self.rng.choice([self.name, self.name, *(m.name for m in members[:n])])
        else:
            self.divide_otherwise(members)

    def make_member(self, n):
        rng = self.rng
        taken = [c.name for c in self.columns]
        names = rng.sample([f"own {n}", f"own{n}", f"ö{n}"], rng.choice([0, 0, 1, 2]))
        own = [self.make_column(name, False) for name in names if name not in taken]
        has_key = bool(self.key) and rng.random() < 0.5
        return Member(quote(f"{self.bare_name}_c{n}"), self.name, own, has_key, rng.choice(["", "CHECK (true)", f"CHECK ({quote(self.columns[0].name)} IS NOT NULL OR true)"]))

    def divide_otherwise(self, members):
        """The first child may be on both sides, with columns of its own; at least one other is on one side only."""
        shared, others = members[:1], [dataclasses.replace(m, own=[], has_key=False) for m in members[1:]]
        for member in shared:
            member.has_key = bool(self.key)
        extra = [Member(quote(f"{self.bare_name}_x"), self.name, [], False, "")]
        self.members = {"source": shared + others, "target": shared + extra}
        if others and self.rng.random() < 0.3:
            self.members = {"source": shared + extra, "target": shared + others}

    def add_key(self, side, name):
        super().add_key(side, name)
        for member in self.members[side.name]:
            definitions = [c.definition(side.name) for c in member.own] + ([member.check] if member.check else [])
            key = [f"PRIMARY KEY ({', '.join(map(quote, self.key))})"] if member.has_key else []
            side.execute(f"CREATE TABLE {member.name} ({', '.join(definitions + key)}) INHERITS ({member.parent})")

    def columns_of(self, side, name):
        """A member's columns: those of its parents, and its own."""
        member = next((m for m in self.members[side] if m.name == name), None)
        return self.columns if member is None else self.columns_of(side, member.parent) + member.own

    def has_children(self, name):
        return any(m.parent == name for side in SIDES for m in self.members[side])

    def spots(self, side):
        root, = super().spots(side)
        replicated, made = root.replicated and self.same, []
        for name, has_key in [(self.name, self.key_kind == "primary"), *((m.name, m.has_key) for m in self.members[side])]:
            columns = self.columns_of(side, name)
            carried = replicated and not any(tuple(c.kinds.values()) in UNREPLICATED or len(c.generated) == 1 for c in columns)
            findable = has_key or all(c.is_findable(self.schema.sides) for c in columns)
            made.append(Spot(name, columns, self.key, True, carried, carried and findable))
        return made

    def ways(self):
        targets = {spot.name: spot for spot in self.spots("target")}
        spare = [targets[m.name] for m in self.members["target"] if not m.has_key]  # that take rows of any key
        return [(spot, targets.get(spot.name) or self.rng.choice(spare)) for spot in self.spots("source")]

    def units(self):
        if not self.same:
            key, _ = self.compared_key()
            return [Unit(self.name, self.columns, key)] + [Unit(m.name, self.columns_of("source", m.name), key, m.has_key) for m in self.members["source"] if m.own]
        root_key, proven = self.compared_key()
        return [Unit(self.name, self.columns, root_key, proven, True)] + [
            Unit(m.name, self.columns_of("source", m.name), self.key if m.has_key else root_key, m.has_key, True) for m in self.members["source"]]

    def of_the_source_alone(self):
        return [m.name for m in self.members["source"] if m.name not in [t.name for t in self.members["target"]]]

    def verified(self):
        """Each as a query shows it, with its children's rows."""
        shared = [m for m in self.members["source"] if m.name not in self.of_the_source_alone()]
        made = []
        for name, has_key in [(self.name, self.key_kind == "primary"), *((m.name, m.has_key) for m in shared)]:
            alone = not self.has_children(name)
            keyed = has_key or (alone and name == self.name and self.key_kind == "unique")
            made.append(Unit(name, self.columns_of("source", name), self.key if keyed else [], keyed and alone))
        return made


# ---- a schema --------------------------------------------------------------------------------------------------------


class RandomSchema:
    """Tables, views and materialised views on both sides, with equal rows at first."""

    def __init__(self, rng, number, source, target):
        self.rng = rng
        self.bare_name = f"{rng.choice(SCHEMA_NAMES)}{number}"
        self.name = quote(self.bare_name)
        self.sides = {"source": Side("source", source), "target": Side("target", target)}
        self.tables = []
        self.queries = []  # units that are queries of tables: views and materialised views
        self.materialised = []

    def create(self):
        for side in self.sides.values():
            side.execute(f"CREATE SCHEMA {self.name}; SET search_path = {self.name}, public")
            side.execute(USER_TYPES)
            side.execute("CREATE COLLATION american (provider = libc, locale = 'en_US.UTF-8'); CREATE COLLATION upper_first (provider = icu, locale = 'de-u-kf-upper');"
                         "CREATE COLLATION blind (provider = icu, locale = 'und-u-ks-level2', deterministic = false)")
        kinds = self.rng.choices([Table, Partitioned, Inherited, WithoutColumns], [6, 4, 3, 0.3], k=self.rng.choice([2, 3, 4]))
        self.tables = [kind(self, n) for n, kind in enumerate(kinds)]
        for table in self.tables:
            table.create()
        for n, table in enumerate(self.tables):
            if table.columns and self.rng.random() < 0.25:
                self.make_query(table, n)

    @property
    def source(self):
        return self.sides["source"]

    @property
    def target(self):
        return self.sides["target"]

    def make_query(self, table, n):
        materialised = self.rng.random() < 0.6
        bare_name = f"{self.rng.choice(TABLE_NAMES)}_q{n}"
        columns = self.rng.sample(table.columns, self.rng.randrange(1, len(table.columns) + 1))
        for side in self.sides.values():
            side.execute(f"CREATE {'MATERIALIZED ' if materialised else ''}VIEW {quote(bare_name)} AS SELECT {', '.join(quote(c.name) for c in columns)} FROM {table.name}")
        self.queries.append(Unit(quote(bare_name), columns, [], named=not materialised))
        if materialised:
            self.materialised.append(quote(bare_name))

    def units(self):
        return self._shown([unit for table in self.tables for unit in table.units()] + self.queries)

    def verified(self):
        return self._shown([unit for table in self.tables for unit in table.verified()] + [unit for unit in self.queries if not unit.named])

    def _shown(self, units):
        for unit in units:
            schema, name = (part[1:-1].replace('""', '"') for part in (self.name, unit.name))
            unit.shown = self.source.value("SELECT quote_ident(%s) || '.' || quote_ident(%s)", [schema, name])
        return units

    def options(self):
        """What chooses all of its units, and gives keys."""
        named = [unit for unit in self.queries if unit.named]
        chosen = ["--schema", self.name] if not named else ["--table", f"{self.name}.*", *(word for unit in named for word in ("--table", f"{self.name}.{unit.name}"))]
        return chosen + [word for table in self.tables for word in table.options()]

    def differences(self, units):
        return {unit.shown: unit.differences(self.source, self.target) for unit in units}

    def drop(self):
        for side in self.sides.values():
            side.execute("ROLLBACK")
            side.execute(f"RESET search_path; SET client_min_messages = error; DROP SCHEMA IF EXISTS {self.name} CASCADE; RESET client_min_messages")

    # Random changes.

    def mutate(self):
        """A few changes on either side, mostly the target, to some tables; at least one difference comes of them."""
        for table in self.tables:
            for _ in range(self.rng.choice([0, 0, 1, 1, 2, 5, 20])):
                self.change(table)
        for name in self.materialised:
            for side in self.sides.values():
                if self.rng.random() < 0.7:
                    side.execute(f"REFRESH MATERIALIZED VIEW {name}")
        for _ in range(200):
            if any(self.differences(self.units()).values()) and any(self.differences(self.verified()).values()):
                return
            self.change(self.rng.choice(self.tables))
        raise AssertionError("no change makes a difference")

    def change(self, table):
        side = self.sides[self.rng.choice(["target", "target", "target", "source"])]
        spot = self.rng.choice(table.spots(side.name))
        action = self.rng.choice(["update", "update", "null", "delete", "insert", "copy", "swap", "key", "move", "restyle"])
        places = spot.places(side)
        if action == "insert":
            spot.insert(side, table.values(spot.columns))
        elif action == "move":
            self.move(table, side)
        elif places and spot.written(side):
            getattr(self, f"change_{action}")(table, side, spot, places)

    def change_update(self, table, side, spot, places, null=False):
        column = self.rng.choice([c for c in spot.written(side) if c.name not in table.key] or spot.written(side))
        value = None if null else column.value(self.rng)
        side.attempt(f"UPDATE {spot.relation} SET {quote(column.name)} = {column.literal(side.name)} WHERE {AT}", [value, *self.rng.choice(places)])

    def change_null(self, table, side, spot, places):
        self.change_update(table, side, spot, places, null=True)

    def change_key(self, table, side, spot, places):
        columns = [c for c in spot.written(side) if c.name in table.key]
        if columns:
            column = self.rng.choice(columns)
            side.attempt(f"UPDATE {spot.relation} SET {quote(column.name)} = {column.literal(side.name)} WHERE {AT}", [column.value(self.rng), *self.rng.choice(places)])

    def change_delete(self, table, side, spot, places):
        side.execute(f"DELETE FROM {spot.relation} WHERE {AT}", self.rng.choice(places))

    def change_copy(self, table, side, spot, places):
        names = ", ".join(quote(c.name) for c in spot.written(side))
        side.attempt(f"INSERT INTO {spot.name} ({names}) SELECT {names} FROM {spot.relation} WHERE {AT}", self.rng.choice(places))

    def change_swap(self, table, side, spot, places):
        """Two rows exchange a value."""
        columns = [c for c in spot.written(side) if c.name not in table.key]
        if len(places) > 1 and columns:
            name = quote(self.rng.choice(columns).name)
            one, two = self.rng.sample(places, 2)
            side.attempt(f"UPDATE {spot.relation} t SET {name} = u.{name} FROM {spot.relation} u WHERE (t.tableoid = %s AND t.ctid = %s::tid AND u.tableoid = %s AND u.ctid = %s::tid) "
                         f"OR (u.tableoid = %s AND u.ctid = %s::tid AND t.tableoid = %s AND t.ctid = %s::tid)", [*one, *two, *one, *two])

    def change_restyle(self, table, side, spot, places):
        """Values that are equal and look otherwise: no difference at all."""
        for column in spot.written(side):
            name = quote(column.name)
            kind = column.kinds[side.name]
            restyled = {"numeric": f"{name} + 0.0000", "real": f"CASE WHEN {name} = 0 THEN -{name} ELSE {name} END", "double precision": f"CASE WHEN {name} = 0 THEN -{name} ELSE {name} END",
                        "jsonb": f"CASE WHEN jsonb_typeof({name}) = 'number' THEN to_jsonb({name}::numeric + 0.00) ELSE {name} END"}.get(kind)
            if restyled:
                side.attempt(f"UPDATE {spot.relation} SET {name} = {restyled}")

    def move(self, table, side):
        """A row of a tree's member becomes another member's."""
        spots = table.spots(side.name)
        if len(spots) < 2:
            return
        origin, destination = self.rng.sample(spots, 2)
        places = origin.places(side)
        names = ", ".join(quote(c.name) for c in table.columns if side.name not in c.generated)
        if places and names:
            side.attempt(f"WITH moved AS (DELETE FROM {origin.relation} WHERE {AT} RETURNING {names}) INSERT INTO {destination.name} ({names}) SELECT {names} FROM moved", self.rng.choice(places))


def copied(side, sql):
    file = io.BytesIO()
    with side.database.connection.cursor() as cursor:
        cursor.copy_expert(sql, file)
    return file.getvalue()


def fed(side, sql, data):
    side.script.append(f"{sql}\n{data.decode()[:4000]}\\.")
    with side.database.connection.cursor() as cursor:
        cursor.copy_expert(sql, io.BytesIO(data))
