"""The golden vectors through SQL: every row of cells.tsv, keys.tsv and digests.tsv on each path and width, in databases of several
encodings, and under settings that change how values print."""

import contextlib
import csv
import io
import json
import os
import re
import struct
import sys

import psycopg2
import pytest

from support.cluster import Cluster
from support.installation import Installation
from support.pgparity import TOP

VECTORS = TOP / "tests" / "vectors"
sys.path.insert(0, str(VECTORS))
import sql_types  # noqa: E402

MAJOR = Installation.of_major(os.environ.get("PARITY_SOURCE_MAJOR")).major
ESCAPES = {"\\\\": "\\", "\\t": "\t", "\\n": "\n", "\\r": "\r"}
NULL = "\\N"

# More columns than the aggregate takes as arguments, so that both of its ways are taken: as arguments, and as one record.
CHUNKS = (90, 140)

SETTINGS = {
    "default": "",
    "dates and intervals": "SET TimeZone = 'Asia/Kolkata'; SET DateStyle = 'SQL, DMY'; SET IntervalStyle = 'iso_8601'",
    "numbers and bytes": "SET extra_float_digits = -15; SET bytea_output = 'escape'; SET lc_numeric = 'C'; SET array_nulls = on",
    "others": "SET TimeZone = 'America/St_Johns'; SET DateStyle = 'German'; SET IntervalStyle = 'sql_standard'; SET xmloption = 'document';"
              " SET standard_conforming_strings = on; SET search_path = pg_catalog, public"
              + (" ; SET default_toast_compression = 'lz4'" if MAJOR >= 14 else ""),
    "client encoding": "SET client_encoding = 'LATIN1'; SET max_parallel_workers_per_gather = 2; SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0",
}


def read_vectors(name):
    """The rows that the major version under test can read; on 15 and later these are all."""
    return [row for row in all_vectors(name) if all(sql_types.oldest_major(*value) <= MAJOR for value in values_of(row))]


def values_of(row):
    """Every value of a row of any of the files, as (SQL type, literal)."""
    if "literal" in row:
        return [(row["sql_type"], row["literal"])]
    if "literals" in row:
        return zip(row["sql_types"].split(","), json.loads(row["literals"]))
    types = [sql_type for _, sql_type, _ in json.loads(row["key"]) + json.loads(row["columns"])]
    return [value for cells in json.loads(row["rows"]) or [[None] * len(types)] for value in zip(types, cells)]


def all_vectors(name):
    with open(VECTORS / name, encoding="utf-8", newline="") as file:
        lines = [line.rstrip("\n") for line in file]
    while lines[0].startswith("#"):
        lines.pop(0)
    return list(csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE))


def type_statements():
    """What the header of cells.tsv says must be created first."""
    with open(VECTORS / "cells.tsv", encoding="utf-8") as file:
        statements = [line[1:].strip() for line in file if line.startswith("#     CREATE ")]
    return [statement for statement in statements if sql_types.oldest_major(statement, None) <= MAJOR]


def outer(form):
    """A form's name as a digest shows it: without what stands in angle brackets."""
    return re.sub("<.*>", "", form)


def unescaped(literal):
    """A literal of cells.tsv; None for NULL."""
    if literal == NULL:
        return None
    out, at = [], 0
    while at < len(literal):
        pair = literal[at:at + 2]
        out.append(ESCAPES.get(pair, literal[at]))
        at += 2 if pair in ESCAPES else 1
    return "".join(out)


def quoted(name):
    return '"' + name.replace('"', '""') + '"'


@pytest.fixture(scope="module")
def utf8(source_cluster):
    database = source_cluster.create_database()
    for statement in type_statements():
        database.execute(statement)
    yield database
    source_cluster.drop_database(database)


@pytest.fixture(scope="module")
def other_encodings(source_cluster):
    """Databases whose encoding is not UTF8, filled through a UTF-8 client: LATIN1 converts, SQL_ASCII takes the bytes."""
    with contextlib.ExitStack() as stack:
        cluster = stack.enter_context(Cluster("encodings", locale="C", installation=source_cluster.installation))
        databases = {}
        for encoding in ("LATIN1", "LATIN9", "WIN1252", "EUC_JP", "SQL_ASCII"):
            name = encoding.lower()
            database = cluster.create_database(name, options=f"TEMPLATE template0 ENCODING '{encoding}' LC_COLLATE 'C' LC_CTYPE 'C'")
            database.connection.set_client_encoding("UTF8")
            for statement in type_statements():
                with contextlib.suppress(psycopg2.Error):
                    database.execute(statement)
            databases[encoding] = database
        yield databases
        for database in databases.values():
            database.close()


# ---- cells ----------------------------------------------------------------------------------------------------

class Cells:
    """Cells of one key and seed as the columns of a table with one row."""

    def __init__(self, rows, escaped=True):
        self.rows = rows
        self.escaped = escaped  # names of forms beyond ASCII; SQL_ASCII knows no such escapes
        self.names = [f"c{n:04}" for n in range(len(rows))]

    def create(self, database):
        columns = ", ".join(f"{name} {row['sql_type']}" for name, row in zip(self.names, self.rows))
        database.execute(f"DROP TABLE IF EXISTS t; CREATE TABLE t (id bigint PRIMARY KEY, {columns})")
        values = ", ".join("%s" for _ in self.rows)
        database.execute(f"INSERT INTO t VALUES ({self.rows[0]['key']}, {values})", [unescaped(row["literal"]) for row in self.rows])

    def arguments(self, width):
        forms = json.dumps({name: row["form"] for name, row in zip(self.names, self.rows)}, ensure_ascii=self.escaped)
        return f"'public.t', columns => '{{{','.join(self.names)}}}', forms => '{forms}', seed => {self.rows[0]['seed']}, width => {width}"


def chunks_of_cells(rows, escaped=True):
    groups = {}
    for row in rows:
        groups.setdefault((row["key"], row["seed"]), []).append(row)
    for number, group in enumerate(groups.values()):
        size = CHUNKS[number % len(CHUNKS)]
        for start in range(0, len(group), size):
            yield Cells(group[start:start + size], escaped)


def check_cells(database, cells):
    for width in (64, 128):
        arguments = cells.arguments(width)
        expected = [row[f"cell_hash{width}"] for row in cells.rows]
        key_hash = cells.rows[0][f"key_hash{width}"]
        for path in ("scan", "aggregate"):
            key, columns = database.query(f"SELECT key_digest::text, column_digests::text[] FROM parity.range_digests({arguments}, ranges => 1, path => '{path}')")[0]
            assert key.split(":")[-1] == key_hash
            found = [digest.split(":") for digest in columns]
            wrong = [(row["sql_type"], row["literal"], row["form"], d) for row, d, hash_ in zip(cells.rows, found, expected) if (d[2], d[5], d[6]) != (outer(row["form"]), "1", hash_)]
            assert not wrong and len(found) == len(expected), (path, width, wrong)
        hashes = bytes(database.value(f"SELECT cell_hashes FROM parity.row_digests({arguments})")).hex()
        assert hashes == "".join(expected)


@pytest.mark.matrix(sample=1)
@pytest.mark.parametrize("settings", SETTINGS)
def test_cells_through_range_and_row_digests(utf8, settings):
    rows = read_vectors("cells.tsv")
    assert len(rows) > 500
    done = 0
    for cells in chunks_of_cells(rows):
        utf8.execute("RESET ALL")
        cells.create(utf8)
        utf8.execute(SETTINGS[settings] or "RESET ALL")
        check_cells(utf8, cells)
        done += len(cells.rows)
    utf8.execute("RESET ALL")
    assert done == len(rows)


def test_cells_through_digest_agg(utf8):
    utf8.execute("RESET ALL")
    for row in read_vectors("cells.tsv"):
        for width in (64, 128):
            options = json.dumps({"seed": int(row["seed"]), "width": width, "forms": ["int", row["form"]]})
            key, row_digest, cell = utf8.value(f"SELECT parity.digest_agg(%s, %s::bigint, %s::{row['sql_type']})::text[]", [options, row["key"], unescaped(row["literal"])])
            assert key.split(":")[-1] == row[f"key_hash{width}"], row
            assert cell.split(":")[2:3] + cell.split(":")[5:] == [outer(row["form"]), "1", row[f"cell_hash{width}"]], row
            assert row_digest.split(":")[2] == "row"


@pytest.mark.in_turn("encodings")
@pytest.mark.matrix(sample=2)
@pytest.mark.parametrize("encoding", ["LATIN1", "LATIN9", "WIN1252", "EUC_JP", "SQL_ASCII"])
def test_cells_in_other_encodings(other_encodings, encoding):
    """The same hashes, wherever the text can be represented at all."""
    database = other_encodings[encoding]
    kept = []
    for row in read_vectors("cells.tsv"):
        # an escape of a character that the encoding lacks is refused by the server: json read as json
        with contextlib.suppress(psycopg2.errors.UntranslatableCharacter, psycopg2.errors.CharacterNotInRepertoire, psycopg2.errors.UndefinedObject,
                                 psycopg2.errors.InvalidTextRepresentation, psycopg2.errors.FeatureNotSupported):
            database.execute(f"SELECT {'%s::jsonb' if row['sql_type'] == 'json' and row['form'] == 'json' else '%s'}, %s::{row['sql_type']}", [unescaped(row["literal"])] * 2)
            kept.append(row)
    if encoding == "SQL_ASCII":  # lengths of character types count bytes, and escapes of characters beyond ASCII have no encoding
        kept = [row for row in kept if not (("char" in row["sql_type"] or row["sql_type"] == "name") and not row["literal"].isascii())]
    assert len(kept) > 500
    assert any(not row["literal"].isascii() for row in kept)
    for cells in chunks_of_cells(kept, escaped=False):
        cells.create(database)
        check_cells(database, cells)


# ---- keys -----------------------------------------------------------------------------------------------------

def key_table(database, row):
    types, literals = row["sql_types"].split(","), json.loads(row["literals"])
    names = [f"k{n}" for n in range(len(types))]
    columns = ", ".join(f"{name} {sql_type}" for name, sql_type in zip(names, types))
    database.execute(f"DROP TABLE IF EXISTS t; CREATE TABLE t ({columns}); INSERT INTO t VALUES ({', '.join(['%s'] * len(names))})", literals)
    return names


def check_key(database, row):
    names = key_table(database, row)
    forms = json.dumps(dict(zip(names, row["forms"].split(","))))
    for width in (64, 128):
        arguments = f"'t', key_columns => '{{{','.join(names)}}}', forms => '{forms}', seed => {row['seed']}, width => {width}"
        for path in ("scan", "aggregate"):
            digest = database.value(f"SELECT key_digest::text FROM parity.range_digests({arguments}, ranges => 1, path => '{path}')")
            assert digest.split(":")[5:] == ["1", row[f"key_hash{width}"]], row
        assert bytes(database.value(f"SELECT key FROM parity.row_digests({arguments})")).hex() == row["framed_key"]
        found = database.query(f"SELECT key FROM parity.row_digests({arguments}, keys => ARRAY[%s::bytea])", [bytes.fromhex(row["framed_key"])])
        assert len(found) == 1
        values = ", ".join(names)
        options = json.dumps({"key": len(names), "seed": int(row["seed"]), "width": width, "forms": row["forms"].split(",")})
        digest = database.value(f"SELECT (parity.digest_agg(%s, {values}))[1]::text FROM t", [options])
        assert digest.split(":")[5:] == ["1", row[f"key_hash{width}"]], row


def test_keys(utf8):
    utf8.execute("RESET ALL")
    for row in read_vectors("keys.tsv"):
        check_key(utf8, row)


@pytest.mark.parametrize("encoding", ["LATIN1", "SQL_ASCII"])
def test_keys_in_other_encodings(other_encodings, encoding):
    done = 0
    for row in read_vectors("keys.tsv"):
        if encoding == "SQL_ASCII" and not row["literals"].isascii() and "char" in row["sql_types"]:
            continue
        try:
            key_table(other_encodings[encoding], row)
        except (psycopg2.errors.UntranslatableCharacter, psycopg2.errors.UndefinedObject):
            continue
        check_key(other_encodings[encoding], row)
        done += 1
    assert done > 40


# ---- digests --------------------------------------------------------------------------------------------------

class Table:
    """A row of digests.tsv as a table, and as the arguments of the functions that digest it."""

    def __init__(self, vector):
        self.vector = vector
        self.key = json.loads(vector["key"])
        self.columns = json.loads(vector["columns"])
        self.bounds = [bytes.fromhex(bound) for bound in json.loads(vector["bounds"])]
        self.width = int(vector["width"])
        self.hashed_rows = json.loads(vector["hashed_rows"])

    def create(self, database, reverse=False):
        columns = (self.key + self.columns)[::-1 if reverse else 1]
        rows = [row[::-1 if reverse else 1] for row in json.loads(self.vector["rows"])]
        database.execute("DROP TABLE IF EXISTS t; CREATE TABLE t (" + ", ".join(f"{quoted(name)} {sql_type}" for name, sql_type, _ in columns) + ")")
        for row in rows:
            database.execute(f"INSERT INTO t VALUES ({', '.join(['%s'] * len(row))})", row)

    def call(self):
        """Arguments and their parameters."""
        listed = [name for name, _, _ in self.columns] if self.vector["order"] == "listed" else None
        forms = json.dumps({name: form for name, _, form in self.key + self.columns}, ensure_ascii=False)
        return ("'t', bounds => %s::bytea[], key_columns => %s::text[], columns => %s::text[], forms => %s, seed => %s, width => %s",
                [self.bounds, [name for name, _, _ in self.key], listed, forms, self.vector["seed"], self.width])

    def agreed(self):
        return [column for column, _ in json.loads(self.vector["column_digests"])]


def check_digests(database, table):
    arguments, parameters = table.call()
    vector = table.vector
    expected_columns = [digest for _, digest in json.loads(vector["column_digests"])]
    for path in ("path => 'scan', workers => 0", "path => 'scan', workers => 2", "path => 'aggregate'"):
        source = f"parity.range_digests({arguments}, {path})"
        counts, rows = database.query(f"SELECT array_agg(row_count::int ORDER BY range_no), array_agg(row_digest::text ORDER BY range_no) FROM {source}", parameters)[0]
        assert counts == json.loads(vector["range_counts"]) and rows == json.loads(vector["range_row_digests"])
        key, row = database.query(f"SELECT parity.sum(key_digest)::text, parity.sum(row_digest)::text FROM {source}", parameters)[0]
        assert (key, row) == (vector["key_digest"], vector["row_digest"])
        columns = [c for c, in database.query(f"SELECT parity.sum(column_digests[n])::text FROM {source}, generate_subscripts(column_digests, 1) n GROUP BY n ORDER BY n", parameters)]
        assert columns == expected_columns
        wires = [bytes(w).hex() for w, in database.query(
            f"SELECT parity_internal.digest_send(parity.sum(digest)) FROM parity.slice_digests({arguments}, {path}) WITH ORDINALITY s (range_no, l, u, slice, column_name, digest, n)"
            f" GROUP BY slice, column_name, (n - 1) %% {len(columns) + 2} ORDER BY (n - 1) %% {len(columns) + 2}", parameters)]
        assert wires == json.loads(vector["wire"])


def check_rows(database, table):
    arguments, parameters = table.call()
    rows = database.query(f"SELECT encode(key, 'hex'), encode(row_hash, 'hex'), encode(cell_hashes, 'hex') FROM parity.row_digests({arguments})", parameters)
    expected = [(key, row_hash, "".join(cells)) for key, _, row_hash, cells in table.hashed_rows]
    assert sorted(rows) == sorted(expected)


def check_aggregate(database, table):
    """digest_agg takes columns in the order in which they are given: the agreed one."""
    forms = {name: form for name, _, form in table.key + table.columns}
    names = [name for name, _, _ in table.key] + table.agreed()
    options = json.dumps({"key": len(table.key), "seed": int(table.vector["seed"]), "width": table.width, "forms": [forms[name] for name in names]})
    found = database.value(f"SELECT parity.digest_agg(%s, {', '.join(map(quoted, names)).replace('%', '%%')})::text[] FROM t", [options])
    if not table.hashed_rows:
        assert found is None
    else:
        assert found == [table.vector["key_digest"], table.vector["row_digest"]] + [digest for _, digest in json.loads(table.vector["column_digests"])]


@pytest.mark.matrix(sample=5)
@pytest.mark.parametrize("vector", read_vectors("digests.tsv"), ids=lambda vector: vector["name"])
def test_digests(utf8, vector):
    utf8.execute("RESET ALL")
    table = Table(vector)
    for reverse in (False, True):
        table.create(utf8, reverse)
        check_digests(utf8, table)
        check_rows(utf8, table)
        check_aggregate(utf8, table)


@pytest.mark.in_turn("encodings")
@pytest.mark.matrix(sample=1)
@pytest.mark.parametrize("first", range(4))
@pytest.mark.parametrize("encoding", ["LATIN1", "SQL_ASCII"])
def test_digests_in_other_encodings(other_encodings, encoding, first):
    """Every fourth vector."""
    database = other_encodings[encoding]
    done = 0
    for vector in read_vectors("digests.tsv")[first::4]:
        table = Table(vector)
        try:
            table.create(database)
        except (psycopg2.errors.UntranslatableCharacter, psycopg2.errors.UndefinedObject):
            continue
        check_digests(database, table)
        check_rows(database, table)
        check_aggregate(database, table)
        done += 1
    assert done > 7


def test_digests_read_back_from_text_and_wire(utf8):
    for vector in read_vectors("digests.tsv"):
        texts = [vector["key_digest"], vector["row_digest"], *(digest for _, digest in json.loads(vector["column_digests"]))]
        for text, wire in zip(texts, json.loads(vector["wire"])):
            assert utf8.query("SELECT %s::parity.digest::text, encode(parity_internal.digest_send(%s), 'hex')", [text, text]) == [(text, wire)]


def copied(database, sql, data=None):
    """The bytes of a COPY TO STDOUT; or COPY FROM STDIN of data."""
    stream = io.BytesIO(data)
    with database.connection.cursor() as cursor:
        cursor.copy_expert(sql, stream)
    return stream.getvalue()


def test_digests_travel_in_binary(utf8):
    texts = [vector["row_digest"] for vector in read_vectors("digests.tsv")]
    utf8.execute("DROP TABLE IF EXISTS d; CREATE TABLE d (one parity.digest, many parity.digest[]); INSERT INTO d SELECT x::parity.digest, %s::parity.digest[] FROM unnest(%s) x", [texts, texts])
    data = copied(utf8, "COPY d TO STDOUT (FORMAT binary)")
    utf8.execute("CREATE TEMPORARY TABLE back (LIKE d)")
    copied(utf8, "COPY back FROM STDIN (FORMAT binary)", data)
    assert utf8.query("SELECT one::text, many::text[] FROM back") == [(text, texts) for text in texts]
    one = copied(utf8, "COPY (SELECT one FROM d LIMIT 1) TO STDOUT (FORMAT binary)")
    start = one.index(bytes.fromhex("00000020")) + 4
    for offset, value in ((0, 0), (0, 2), (1, 63), (2, 0), (2, 128 + 64), (3, 0), (24, 1)):
        damaged = bytearray(one)
        damaged[start + offset] = value
        with pytest.raises(psycopg2.errors.InvalidBinaryRepresentation):
            copied(utf8, "COPY back (one) FROM STDIN (FORMAT binary)", bytes(damaged))
    short = one[:start - 4] + struct.pack(">I", 31) + one[start:start + 31] + one[start + 32:]
    with pytest.raises(psycopg2.errors.InvalidBinaryRepresentation):
        copied(utf8, "COPY back (one) FROM STDIN (FORMAT binary)", short)
