"""Values that a report shows of keys and rows, as PostgreSQL reads them: cast to the column's type, each one finds its row."""

import json

import psycopg2
import pytest

from support.pgparity import DIVERGENT, IDENTICAL
from support.random_values import EXTENSIONS, MAJOR, MORE_TYPES, NUMBERS, USER_TYPES
from test_vectors import read_vectors, type_statements, unescaped

pytestmark = pytest.mark.every_engine(late=("mixed", "mixed reverse"))


def known_values():
    """Literals by type: those of the vectors, and of the tests over random values."""
    values = {}
    for row in read_vectors("cells.tsv"):
        values.setdefault(row["sql_type"], []).append(unescaped(row["literal"]))
    for name, literals in MORE_TYPES.items():
        if MAJOR >= 14 or "multirange" not in name:
            values.setdefault(name, []).extend(literals)
    values["numeric"] = values.get("numeric", []) + NUMBERS
    return values


def create_types(side):
    for statement in type_statements() + [s for s in (EXTENSIONS + USER_TYPES).split(";") if s.strip() and "EXTENSION" not in s]:
        side.execute(statement)


def stored(side, table, name, literals):
    """A table with a row for each literal that this server reads."""
    side.execute(f"CREATE TABLE {table} (id int, v {name})")
    for number, literal in enumerate(dict.fromkeys(literals)):
        try:
            side.execute(f"INSERT INTO {table} VALUES (%s, %s)", [number, literal])
        except psycopg2.Error:
            side.connection.rollback()


# Their = compares sizes, and fails where these are not numbers.
BY_SIZE = ("box", "circle", "path", "polygon", "lseg")


def finds(side, table, name, shown, number):
    """Whether the value that is shown finds the row of this number; of a type that has no = , whether it is read at all."""
    if name in BY_SIZE:
        return side.value(f"SELECT %s::{name} IS NOT NULL", [shown])
    try:
        found = side.query(f"SELECT id FROM {table} WHERE v = %s::{name}", [shown])
    except psycopg2.errors.UndefinedFunction:
        side.connection.rollback()
        return side.value(f"SELECT %s::{name} IS NOT NULL", [shown]) or name.startswith("parity_")
    return (number,) in found


@pytest.mark.matrix(sample=1)
def test_shown_rows_are_read_back(pair):
    """What is shown of rows that the target lacks makes them there."""
    values = known_values()
    for side in (pair.source, pair.target):
        create_types(side)
        side.execute("SET xmloption = content")
    types = {f"public.t{number:03}": name for number, name in enumerate(values)}
    for table, name in types.items():
        stored(pair.source, table, name, values[name])
        pair.target.execute(f"CREATE TABLE {table} (id int, v {name})")
    wrong, shown = [], 0
    for table in pair.compare("--max-divergences", "0").report["tables"]:
        name = types[table["source"]]
        if all(column["name"] != "v" for column in table["columns"]):
            assert pair.engine != "auto", (name, table["skipped"])
            continue
        assert table["result"] == "divergent", table
        for finding in table["divergences"]:
            row = finding["row"]
            shown += 1
            try:
                for _ in range(int(finding["occurrences"])):
                    pair.target.execute(f"INSERT INTO {table['source']} VALUES (%s, %s)", [row["id"], row["v"]])
                if row["v"] is not None and not finds(pair.source, table["source"], name, row["v"], int(row["id"])):
                    wrong.append((name, row))
            except psycopg2.Error as error:
                pair.target.connection.rollback()
                wrong.append((name, row, str(error)))
    assert not wrong, "\n".join(map(str, wrong))
    assert shown > 1000
    again = pair.compare("--strict-schema")
    different = {types[table["source"]]: table["divergences"] for table in again.report["tables"] if table["result"] == "divergent"}
    assert not different, json.dumps(different)[:3000]
    pair.target.execute("DELETE FROM public.t000 WHERE id = 0")
    table, = [table for table in pair.compare().expect(DIVERGENT).report["tables"] if table["result"] == "divergent"]
    assert table["source"] == "public.t000"


# A key's type, what its columns hold for n, and what is shown of the row with n = 77.
KEYS = {
    "daterange": ("daterange('2024-01-01'::date + n, '2024-01-03'::date + n)", "[2024-03-18,2024-03-20)"),
    "pg_lsn": ("(n * 4294967296 + 10)::text::xid8::text::numeric::bigint::numeric + '0/0'::pg_lsn", "4D/A"),
    "money": ("(n + 0.5)::numeric::money", "77.50"),
    "\"char\"": ("chr(n + 33)::\"char\"", "n"),
    "bit varying": ("n::bit(9)::bit varying", "001001101"),
    "booking": ("ROW('r ' || n, n)::booking", "(\"r 77\",77)"),
    "hstore": ("hstore('a b', n::text)", "\"a b\"=>\"77\""),
    "tsvector": ("to_tsvector('simple', 'word' || n)", "'word77':1"),
    "int4multirange": ("int4multirange(int4range(n, n + 2), int4range(n + 5, n + 6))", "{[77,79),[82,83)}"),
    "real": ("n / 10.0::real", "7.7"),
    "interval": ("n * interval '1 day'", "0 mons 77 days 00:00:00"),
    "int4range[]": ("ARRAY[int4range(n, n + 1)]", "{\"[77,78)\"}"),
}


@pytest.mark.matrix(sample=6)
@pytest.mark.parametrize("key", [pytest.param(key, marks=pytest.mark.since(14) if "multi" in key else ()) for key in KEYS])
def test_shown_keys_find_their_rows(pair, key):
    expression, shown = KEYS[key]
    pair.both("CREATE EXTENSION IF NOT EXISTS hstore; CREATE TYPE booking AS (zimmer text, n int)")
    count = 90
    pair.both(f"CREATE TABLE t (room int, k {key}, who text, PRIMARY KEY (room, k));"
              f"INSERT INTO t SELECT n % 5, {expression}, 'w' || n FROM generate_series(1, {count}) n")
    pair.compare().expect(IDENTICAL)
    pair.target.execute("UPDATE t SET who = 'z' WHERE who = 'w77'; DELETE FROM t WHERE who = 'w78'")
    findings = {finding["kind"]: finding["key"] for finding in pair.compare().expect(DIVERGENT).table()["divergences"]}
    assert findings["mismatch"] == {"room": "2", "k": shown}
    for kind, who in (("mismatch", "w77"), ("missing_on_target", "w78")):
        condition = f"room = %s AND k = %s::{key}"
        assert pair.source.query(f"SELECT who FROM t WHERE {condition}", [findings[kind]["room"], findings[kind]["k"]]) == [(who,)]


def test_keys_in_the_text_report_are_sql(pair):
    """Quoted where SQL needs it, with escapes that SQL reads."""
    pair.both("CREATE TABLE t (id text, during int4range, n numeric, PRIMARY KEY (id, during, n));"
              r"INSERT INTO t VALUES (E'it''s a \\ \n', '[1,3)', 1.50), ('plain', 'empty', -2)")
    pair.target.execute("DELETE FROM t")
    text = pair.run().stdout
    keys = [line.split("=", 1)[1] for line in text.splitlines() if line.startswith("  missing on target")]
    assert keys == [r"(E'it''s a \\ \n', '[1,3)', 1.5)", "('plain', 'empty', -2)"]
    for key in keys:
        assert pair.source.query(f"SELECT count(*) FROM t WHERE (id, during, n) = ({key[1:-1]})") == [(1,)]
