"""A database with a bit of everything, on both sides: every type of the golden vectors, partitions, values out of line and
compressed, generated columns, tables with a past. Between two major versions this is what a migration leaves; scripts/test-majors
runs it so."""

import collections
import os
import random
import subprocess

import pytest

from support.cluster import clean_environment
from support.installation import Installation
from support.pgparity import DIVERGENT, IDENTICAL, findings, mismatch, missing_on_source, missing_on_target
from conftest import Pair
from test_vectors import all_vectors, sql_types, unescaped

pytestmark = [pytest.mark.every_engine, pytest.mark.matrix(sample=1)]

# Types that 13 does not know stay away from both sides where one of them is 13.
OLDEST = min(Installation.of_major(os.environ.get(f"PARITY_{side}_MAJOR")).major for side in ("SOURCE", "TARGET"))


def values_by_type():
    """The literals of the golden vectors for every type."""
    values = collections.defaultdict(list)
    for row in all_vectors("cells.tsv"):
        if sql_types.oldest_major(row["sql_type"], row["literal"]) <= OLDEST and row["literal"] not in values[row["sql_type"]]:
            values[row["sql_type"]].append(row["literal"])
    return values


# What pg_dump writes of these is not what it reads: the server prints "a & (b & c)" without the parentheses, which then is
# another tree, and leaves out a declaration that says nothing.
LOST_BY_DUMPS = {
    "tsquery": ("a & (b & c)", "a | (b | c)"),
    "xml": ('<?xml version="1.0"?><a/>', '<?xml version="1.0" encoding="UTF-8"?><a>ä</a>'),
}


def types_of_this_run():
    """All types with their literals. In a run with --sample it is a third of them, by PARITY_SEED, and those that dumps change."""
    values = values_by_type()
    if not os.environ.get("PARITY_SAMPLE"):
        return values
    others = sorted(values.keys() - LOST_BY_DUMPS.keys())
    taken = {*LOST_BY_DUMPS, *random.Random(os.environ["PARITY_SEED"]).sample(others, len(others) // 3)}
    return {sql_type: literals for sql_type, literals in values.items() if sql_type in taken}


TYPES = types_of_this_run()
TABLE_OF_TYPE = {sql_type: f"type_{n:03}" for n, sql_type in enumerate(sorted(TYPES))}


def create_tables_of_types(database):
    for statement in sql_types.STATEMENTS + (sql_types.STATEMENTS_FROM_14 if OLDEST >= 14 else ()):
        database.execute(statement)
    for sql_type, table in TABLE_OF_TYPE.items():
        database.execute(f"CREATE TABLE {table} (id int PRIMARY KEY, v {sql_type})")
        rows = list(enumerate(unescaped(literal) for literal in TYPES[sql_type]))
        database.execute(f"INSERT INTO {table} VALUES " + ", ".join(["(%s, %s)"] * len(rows)), [value for row in rows for value in row])


PARTITIONED = """
CREATE TABLE parted (id bigint, region text, v numeric(12,2), PRIMARY KEY (id, region)) PARTITION BY LIST (region);
CREATE TABLE parted_north PARTITION OF parted FOR VALUES IN ('north') PARTITION BY RANGE (id);
CREATE TABLE parted_north_1 PARTITION OF parted_north FOR VALUES FROM (MINVALUE) TO (1000);
CREATE TABLE parted_north_2 PARTITION OF parted_north FOR VALUES FROM (1000) TO (MAXVALUE);
CREATE TABLE parted_south PARTITION OF parted FOR VALUES IN ('south') PARTITION BY HASH (id);
CREATE TABLE parted_south_0 PARTITION OF parted_south FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE parted_south_1 PARTITION OF parted_south FOR VALUES WITH (MODULUS 2, REMAINDER 1);
CREATE TABLE parted_rest (region text, v numeric(12,2), id bigint, PRIMARY KEY (id, region));
ALTER TABLE parted ATTACH PARTITION parted_rest DEFAULT;
INSERT INTO parted SELECT n, (ARRAY['north', 'south', 'east', 'west'])[1 + n % 4], n / 7.0 FROM generate_series(1, 4000) n;
"""

# Lengths around those at which a value gets a long header, is compressed, or goes out of line.
LARGE = """
CREATE TABLE large (id int PRIMARY KEY, packed text, plain text, bytes bytea, document jsonb, list text[]);
ALTER TABLE large ALTER plain SET STORAGE EXTERNAL;
INSERT INTO large SELECT n, repeat('ab', length / 2), left(repeat(md5(n::text), 1 + length / 32), length), decode(left(repeat(md5(n::text), 2 + length / 16), length * 2), 'hex'),
    jsonb_build_object('id', n, 'text', repeat('é', length)), array_fill(md5(n::text), ARRAY[1 + length / 40])
FROM unnest(ARRAY[0, 1, 125, 126, 127, 128, 1990, 1996, 2000, 2040, 8100, 32767, 32768, 200000]) WITH ORDINALITY t (length, n);
"""

WITH_A_PAST = """
CREATE TABLE past (gone_1 text, id int PRIMARY KEY, gone_2 numeric, v text);
INSERT INTO past SELECT 'x', n, n, 'v' || n FROM generate_series(1, 500) n;
ALTER TABLE past DROP gone_1, DROP gone_2, ADD added int DEFAULT 7, ADD "empty" text;
INSERT INTO past SELECT n, 'v' || n, n, '' FROM generate_series(501, 1000) n;
UPDATE past SET v = v || '!' WHERE id % 10 = 0;
DELETE FROM past WHERE id % 97 = 0;
"""

OTHERS = r'''
CREATE TABLE numbered (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, n serial, v text);
INSERT INTO numbered (v) SELECT 'v' || n FROM generate_series(1, 1000) n;
CREATE TABLE keyless (a int, b text);
INSERT INTO keyless SELECT n % 5, CASE WHEN n % 3 > 0 THEN 'b' || n % 7 END FROM generate_series(1, 300) n;
CREATE TABLE parent (id int PRIMARY KEY, v text);
CREATE TABLE child (w int, PRIMARY KEY (id)) INHERITS (parent);
INSERT INTO parent VALUES (1, 'parent');
INSERT INTO child VALUES (2, 'child', 3);
CREATE TABLE "Nämé, quoted" ("Id ""x""" text COLLATE "C", "é" date, PRIMARY KEY ("Id ""x""", "é"));
INSERT INTO "Nämé, quoted" SELECT md5(n::text), date '2000-01-01' + n FROM generate_series(1, 500) n;
CREATE UNLOGGED TABLE unlogged (id uuid PRIMARY KEY, at timestamptz);
INSERT INTO unlogged SELECT md5(n::text)::uuid, timestamptz '2024-03-31 00:30+00' + n * interval '7 minutes' FROM generate_series(1, 500) n;
CREATE MATERIALIZED VIEW summary AS SELECT a, count(*) AS n FROM keyless GROUP BY a;
CREATE SEQUENCE counter INCREMENT 3;
SELECT nextval('counter'), nextval('counter');
'''


def generated(major, stored):
    """A table with generated columns, which are virtual from 18 on unless it is asked for stored ones."""
    kind = "VIRTUAL" if major >= 18 and not stored else "STORED"
    return (f"CREATE TABLE computed (id int PRIMARY KEY, v int, double bigint GENERATED ALWAYS AS (v::bigint * 2) {kind}, w text,"
            f" loud text GENERATED ALWAYS AS (upper(w) || '!') {kind});"
            "INSERT INTO computed (id, v, w) SELECT n, nullif(n % 9, 0), 'w' || n FROM generate_series(1, 1000) n")


def fill(database, stored=False):
    database.execute("SET xmloption = content")
    create_tables_of_types(database)
    for script in (PARTITIONED, LARGE, WITH_A_PAST, OTHERS, generated(database.cluster.installation.major, stored)):
        database.execute(script)


TABLES = {*TABLE_OF_TYPE.values(), "parted", "large", "past", "numbered", "keyless", "parent", "child", "Nämé, quoted", "unlogged", "summary", "computed"}

PLANTED = """
UPDATE parted SET v = v + 0.01 WHERE id = 1500 AND region = 'north';
DELETE FROM parted WHERE id = 9 AND region = 'south';
INSERT INTO parted VALUES (9, 'east', 0);
UPDATE large SET packed = overlay(packed placing 'z' from 150000 for 1), document = jsonb_set(document, '{id}', '-1') WHERE id = 14;
UPDATE large SET bytes = bytes || '\\x00' WHERE id = 3;
UPDATE past SET added = 8 WHERE id = 1;
UPDATE past SET "empty" = '' WHERE id = 2;
UPDATE numbered SET n = 0 WHERE id = 77;
UPDATE computed SET v = 100 WHERE id = 5;
UPDATE computed SET w = 'W6' WHERE id = 6;
UPDATE child SET w = 4;
DELETE FROM "Nämé, quoted" WHERE "é" = '2000-01-11';
UPDATE unlogged SET at = at + interval '1 microsecond' WHERE id = md5('3')::uuid;
SELECT nextval('counter');
"""
FOUND = {
    "parted": {mismatch("v", id="1500", region="north"), missing_on_target(id="9", region="south"), missing_on_source(id="9", region="east")},
    "large": {mismatch(["document", "packed"], id="14"), mismatch("bytes", id="3")},
    "past": {mismatch("added", id="1"), mismatch("empty", id="2")},
    "numbered": {mismatch("n", id="77")},
    "computed": {mismatch(["double", "v"], id="5"), mismatch("w", id="6")},
    "child": {mismatch("w", id="2")},
    "Nämé, quoted": {missing_on_target(**{'Id "x"': "d3d9446802a44259755d38e6d163e820", "é": "2000-01-11"})},
    "unlogged": {mismatch("at", id="eccbc87e-4b5c-e2fe-2830-8fd9f2a7baf3")},
}


@pytest.fixture(scope="module")
def filled(module_pair):
    fill(module_pair.source)
    fill(module_pair.target)
    return module_pair


def compare(pair, *arguments):
    """Everything, over TCP."""
    return pair.compare("--max-divergences", "0", *arguments, source=pair.source.tcp_conninfo(), target=pair.target.tcp_conninfo(), timeout=300)


def bare(name):
    return name.split(".", 1)[1].strip('"')


def different(run):
    """What was found, by table."""
    return {bare(table["source"]): findings(table) or table for table in run.report["tables"] if table["result"] != "identical"}


def assert_found(run, found):
    assert different(run) == found
    run.expect(DIVERGENT if found else IDENTICAL)
    assert {bare(table["source"]) for table in run.report["tables"]} == TABLES


@pytest.mark.repeated(engine=["stream"])
def test_equal_databases_are_identical(filled):
    assert_found(compare(filled), {})
    assert_found(compare(filled, "--width", "128", "--where", "true"), {})


@pytest.fixture
def planted(filled):
    """The same databases, but with a copy of the target that is changed."""
    cluster = filled.target.cluster
    filled.target.close()
    copy = cluster.create_database(extension=False, options=f'TEMPLATE "{filled.target.name}"')
    copy.execute(PLANTED)
    yield Pair(filled.source, copy, filled.engine)
    cluster.drop_database(copy)


def test_planted_differences_are_found_exactly(planted):
    run = compare(planted)
    assert_found(run, FOUND)
    assert {s["source"] for s in run.report["sequences"] if s["result"] != "identical"} == {"public.counter"}
    assert_found(compare(planted, "--width", "128", "--where", "true"), FOUND)


FOUND_AFTER_DUMP = {
    TABLE_OF_TYPE[sql_type]: {mismatch("v", id=str(TYPES[sql_type].index(literal))) for literal in literals}
    for sql_type, literals in LOST_BY_DUMPS.items()
}


@pytest.fixture
def restored(filled):
    """The source, and its dump in an empty database of the target. The dump is made by the source's own pg_dump: a minor release
    of 15 keeps an attribute option (pg_attver) that only its own pg_dump leaves out, and no other server accepts."""
    cluster = filled.target.cluster
    copy = cluster.create_database(extension=False)
    dump = subprocess.run(program(filled.source.cluster, "pg_dump", filled.source, "--no-sync"), check=True, capture_output=True, env=clean_environment())
    done = subprocess.run(program(cluster, "psql", copy, "-X", "-q", "-v", "ON_ERROR_STOP=1"), input=dump.stdout, capture_output=True, env=clean_environment(), check=False)
    assert done.returncode == 0, done.stderr.decode()
    yield Pair(filled.source, copy, filled.engine)
    cluster.drop_database(copy)


def program(cluster, name, database, *arguments):
    """A client program of a cluster's installation, connected to any database."""
    return cluster.installation.command(cluster.installation.binary(name), *arguments, "-d", database.tcp_conninfo())


@pytest.mark.in_turn("dumps")
@pytest.mark.repeated(engine=["stream"])
def test_a_restored_dump_holds_the_same(restored):
    assert_found(compare(restored), FOUND_AFTER_DUMP)
    restored.target.execute(PLANTED)
    assert_found(compare(restored), {**FOUND, **FOUND_AFTER_DUMP})


@pytest.mark.in_turn("dumps")
@pytest.mark.repeated(engine=["stream"])
def test_layouts_make_no_difference(restored):
    """The rewritten and sorted copy of a dump, against tables that have a past."""
    restored.target.execute("VACUUM FULL")
    restored.target.execute("CLUSTER past USING past_pkey")
    if restored.target.cluster.installation.major >= 14:
        restored.target.execute("ALTER TABLE large ALTER packed SET COMPRESSION lz4, ALTER document SET COMPRESSION lz4")
    restored.target.execute("ALTER TABLE large ALTER plain SET STORAGE EXTENDED")
    restored.target.execute("UPDATE large SET packed = packed || '', plain = plain || '', document = document || '{}'")
    assert_found(compare(restored), FOUND_AFTER_DUMP)
    restored.target.execute(PLANTED)
    assert_found(compare(restored), {**FOUND, **FOUND_AFTER_DUMP})
