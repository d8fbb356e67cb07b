"""Equal data is equal, and one changed value is found, whatever the two servers are: encodings, collations, settings, how values are
stored, how a table came to be, and types that are spelt in another way."""

import contextlib
import io

import pytest
from conftest import Pair

from support.cluster import Cluster
from support.engines import ALL_ENGINES
from support.pgparity import DIVERGENT, IDENTICAL, INCOMPLETE, findings, mismatch, missing_on_source

pytestmark = [pytest.mark.repeated(engines=["extension-stream"]), pytest.mark.matrix(sample=1)]

ENCODINGS = ("UTF8", "LATIN1", "SQL_ASCII")
LOCALES = ("de_DE.UTF-8", "en_US.UTF-8", "fr_FR.UTF-8")


@pytest.fixture(params=ALL_ENGINES, ids=str)
def engines(request):
    return request.param


@pytest.fixture(scope="module")
def cluster():
    """For databases of every encoding and libc locale."""
    with Cluster("various", locale="C") as made:
        for locale in LOCALES:
            made.add_locale(locale)
        yield made


class Sides(Pair):
    """A pair under a choice of engines."""

    def __init__(self, source, target, engines):
        super().__init__(source, target)
        self.engines = engines

    def compare(self, *arguments, **options):
        return super().compare(*self.engines.arguments, *arguments, **options)

    def check(self, changes, *arguments):
        """Identical; then after each change of the target, which is undone, exactly what it planted is found. A change is (table,
        statements, findings)."""
        self.compare(*arguments).expect(IDENTICAL)
        for table, change, expected in changes:
            self.target.execute("CREATE SCHEMA kept")
            self.target.execute(f"CREATE TABLE kept.rows AS SELECT * FROM {table}")
            self.target.execute(change)
            assert findings(self.compare("--table", f"public.{table}", *arguments).expect(DIVERGENT).table()) == expected, change
            self.target.execute(f"TRUNCATE {table}; INSERT INTO {table} OVERRIDING SYSTEM VALUE SELECT * FROM kept.rows")
            self.target.execute("SET client_min_messages = error; DROP SCHEMA kept CASCADE; RESET client_min_messages")
        self.compare(*arguments).expect(IDENTICAL)


@pytest.fixture
def sides(source_cluster, target_cluster, engines):
    """The ordinary two clusters, which differ in default collation and in settings."""
    source = source_cluster.create_database(extension=engines.has_extension("source"))
    target = target_cluster.create_database(extension=engines.has_extension("target"))
    yield Sides(source, target, engines)
    source_cluster.drop_database(source)
    target_cluster.drop_database(target)


@pytest.fixture
def make_sides(cluster, engines):
    """Makes pairs of databases with these options of CREATE DATABASE, filled through UTF-8 clients."""
    with contextlib.ExitStack() as stack:
        def make(source, target):
            databases = []
            for side, options in (("source", source), ("target", target)):
                cluster.number = getattr(cluster, "number", 0) + 1
                database = cluster.create_database(f"d{cluster.number}", options=f"TEMPLATE template0 {options}", extension=engines.has_extension(side))
                stack.callback(cluster.drop_database, database)
                database.connection.set_client_encoding("UTF8")
                databases.append(database)
            return Sides(*databases, engines)
        yield make


def of_encoding(encoding):
    return f"ENCODING '{encoding}' LC_COLLATE 'C' LC_CTYPE 'C'"


# ---- encodings -----------------------------------------------------------------------------------------------

WORDS = """
    CREATE EXTENSION hstore; CREATE EXTENSION citext;
    CREATE TYPE "Stimmung" AS ENUM ('früh', 'spät', 'ok');
    CREATE TYPE "Paß" AS ("Nummer" text, "größe" int);
    CREATE TABLE words ("schlüssel" text PRIMARY KEY, t text, v varchar(20), c char(12), n name, e "Stimmung", j json, b jsonb, x xml,
        a text[], r "Paß", h hstore, i citext, s tsvector, q tsquery, "é" int);
    INSERT INTO words SELECT w || k, 'déjà ' || w, w, w || ' ', w, CASE k % 3 WHEN 0 THEN 'früh' WHEN 1 THEN 'spät' ELSE 'ok' END::"Stimmung",
        json_build_object('ü' || k, w), jsonb_build_object('z', k, 'ä', w, 'aa', '[1.50]'::jsonb), ('<a>' || w || '</a>')::xml,
        ARRAY[w, NULL, 'ÿ'], ROW(w, k)::"Paß", hstore('clé', w) || hstore('b', NULL), w::citext, ('''' || w || ''':3A ''ça'':1')::tsvector,
        ('''' || w || ''' & !''ça'':*B')::tsquery, k
    FROM generate_series(1, 200) k, unnest(ARRAY['straße', 'Été', 'NAÏVE', 'zürich', 'plain', 'ÿ', '£½']) w;
"""

# What is written instead, and which column differs then. The key is the row's.
WORD_CHANGES = [
    ("words", "UPDATE words SET t = 'deja straße' WHERE \"schlüssel\" = 'straße7'", {mismatch("t", schlüssel="straße7")}),
    ("words", "UPDATE words SET e = 'ok' WHERE \"schlüssel\" = 'Été9'", {mismatch("e", schlüssel="Été9")}),
    ("words", "UPDATE words SET b = b || '{\"ä\": \"a\"}' WHERE \"schlüssel\" = 'ÿ1'", {mismatch("b", schlüssel="ÿ1")}),
    ("words", "UPDATE words SET r.\"größe\" = -1 WHERE \"schlüssel\" = 'plain1'", {mismatch("r", schlüssel="plain1")}),
    ("words", "UPDATE words SET h = h || hstore('clé', 'É') WHERE \"schlüssel\" = 'zürich3'", {mismatch("h", schlüssel="zürich3")}),
    ("words", "UPDATE words SET i = upper(i::text)::citext, \"é\" = 0 WHERE \"schlüssel\" = 'zürich4'", {mismatch(["i", "é"], schlüssel="zürich4")}),
]


@pytest.mark.in_turn("encodings")
@pytest.mark.parametrize("encodings", [(a, b) for a in ENCODINGS for b in ENCODINGS if a != b], ids="-".join)
@pytest.mark.repeated(encodings=[("LATIN1", "SQL_ASCII"), ("SQL_ASCII", "UTF8"), ("SQL_ASCII", "LATIN1")])
def test_encodings(make_sides, encodings):
    """SQL_ASCII holds what a UTF-8 client sent."""
    sides = make_sides(*map(of_encoding, encodings))
    sides.both(WORDS)
    sides.check(WORD_CHANGES if "SQL_ASCII" not in encodings else WORD_CHANGES[:3], "--ranges", "7")


@pytest.mark.parametrize("other", ["UTF8", "LATIN1"])
def test_bytes_that_sql_ascii_got_from_a_latin1_client_are_others(make_sides, other):
    sides = make_sides(of_encoding(other), of_encoding("SQL_ASCII"))
    sides.both("CREATE TABLE t (id int PRIMARY KEY, v text)")
    sides.source.execute("INSERT INTO t VALUES (1, 'plain'), (2, 'é'), (3, 'ÿ')")
    sides.target.execute("INSERT INTO t VALUES (1, 'plain'), (2, E'\\xe9'), (3, E'\\xc3\\xbf')")
    assert findings(sides.compare().expect(DIVERGENT).table()) == {mismatch("v", id="2")}


def test_a_byte_without_a_character_is_unreadable(make_sides):
    """WIN1252 stores 0x81, and has no character for it. The rest is compared."""
    sides = make_sides(of_encoding("WIN1252"), of_encoding("UTF8"))
    sides.both("CREATE TABLE t (id int PRIMARY KEY, v text); CREATE TABLE good (id int PRIMARY KEY)")
    sides.source.execute("INSERT INTO t VALUES (1, convert_from('\\x6181', 'WIN1252')), (2, 'b')")
    sides.target.execute("INSERT INTO t VALUES (1, 'a'), (2, 'b')")
    run = sides.compare().expect(INCOMPLETE)
    letter, = run.table("public.t")["dead_letters"]
    assert (letter["side"], letter["key"], letter["column"]) == ("source", {"id": "1"}, "v"), letter
    assert '0x81 in encoding "WIN1252" has no equivalent in encoding "UTF8"' in letter["message"], letter
    assert run.table("public.good")["result"] == "identical"
    sides.compare("--exclude-columns", "t.v").expect(IDENTICAL)
    sides.target.execute("INSERT INTO good VALUES (7)")
    for options in ([], ["--exclude-columns", "t.v"]):
        assert findings(sides.compare(*options).expect(DIVERGENT).table("public.good")) == {missing_on_source(id="7")}


def test_escapes_for_characters_that_an_encoding_lacks(make_sides):
    """The extension refuses them, as jsonb does; a stream reads them as what they are."""
    sides = make_sides(of_encoding("UTF8"), of_encoding("LATIN1"))
    sides.source.execute("CREATE TABLE t (id int PRIMARY KEY, v jsonb); INSERT INTO t VALUES (1, '\"\u20ac\"')")
    sides.target.execute("CREATE TABLE t (id int PRIMARY KEY, v json); INSERT INTO t VALUES (1, '\"\\u20ac\"')")
    if sides.engines.has_extension("target"):
        letter, = sides.compare().expect(INCOMPLETE).table()["dead_letters"]
        assert letter["side"] == "target" and 'column "v" cannot be digested as "json"' in letter["message"], letter
        return
    sides.compare().expect(IDENTICAL)
    sides.source.execute("UPDATE t SET v = '\"?\"'")
    assert findings(sides.compare().expect(DIVERGENT).table()) == {mismatch("v", id="1")}


# ---- collations ----------------------------------------------------------------------------------------------

KEYS = """
    INSERT INTO t SELECT w || (k % 40) || s || k, k
    FROM generate_series(1, 700) k, unnest(ARRAY['a', 'A', 'ä', 'z', 'Z', '_', '-', 'é', 'E', 'ø', '日', 'ch', 'c']) w, unnest(ARRAY['', ' ', '-']) s;
"""
COLLATIONS = {
    "C": "COLLATE \"C\"", "database": "", "icu-sv": "COLLATE \"sv-x-icu\"", "icu-upper": "COLLATE upper_first", "icu-blind": "COLLATE blind",
}


@pytest.mark.matrix(sample=1)
@pytest.mark.parametrize("locales", [("de_DE.UTF-8", "en_US.UTF-8"), ("C", "fr_FR.UTF-8"), ("en_US.UTF-8", "C")], ids="-".join)
@pytest.mark.parametrize("collations", [("database", "database"), ("C", "icu-upper"), ("icu-sv", "database"), ("icu-blind", "C")], ids="-".join)
@pytest.mark.repeated(collations=[("C", "icu-upper"), ("icu-blind", "C")], locales=[("C", "fr_FR.UTF-8"), ("en_US.UTF-8", "C")])
def test_collations(make_sides, locales, collations):
    """Text keys whose indexes are in different orders, one even under a collation that takes accents for nothing."""
    sides = make_sides(*(f"ENCODING 'UTF8' LOCALE '{locale}'" for locale in locales))
    for side, collation in zip((sides.source, sides.target), collations):
        side.execute("CREATE COLLATION upper_first (provider = icu, locale = 'de-u-kf-upper');"
                     "CREATE COLLATION blind (provider = icu, locale = 'und-u-ks-level2', deterministic = false)")
        side.execute(f"CREATE TABLE t (k text {COLLATIONS[collation]}, v int, PRIMARY KEY (k))")
        side.execute(KEYS if "icu-blind" not in collations else KEYS.replace("'A', ", "").replace("'Z', ", "").replace("'E', ", ""))
    sides.check([
        ("t", "UPDATE t SET v = 0 WHERE k IN ('a1 1', 'ä39-39', '日0120')", {mismatch("v", k=k) for k in ("a1 1", "ä39-39", "日0120")}),
        ("t", "UPDATE t SET v = 0 WHERE k COLLATE \"C\" = 'é7-7' COLLATE \"C\"", {mismatch("v", k="é7-7")}),
    ], "--ranges", "50")


# ---- settings ------------------------------------------------------------------------------------------------

SETTINGS = [
    {"TimeZone": "America/St_Johns", "DateStyle": "SQL, DMY", "IntervalStyle": "iso_8601", "extra_float_digits": "-15", "bytea_output": "escape",
     "lc_numeric": "de_DE.UTF-8", "client_encoding": "LATIN1", "xmloption": "document", "array_nulls": "off"},
    {"TimeZone": "Asia/Kathmandu", "DateStyle": "German", "IntervalStyle": "sql_standard", "extra_float_digits": "3", "bytea_output": "hex",
     "lc_numeric": "fr_FR.UTF-8", "client_encoding": "SQL_ASCII", "xmlbinary": "hex", "search_path": "decoy", "standard_conforming_strings": "off",
     "default_transaction_isolation": "read committed", "quote_all_identifiers": "on"},
]

PRINTED = """
    CREATE TABLE printed (id timestamptz PRIMARY KEY, d date, t time, z timetz, s timestamp, i interval, r real, f double precision, b bytea,
        n numeric, m money, x text, a timestamptz[], u daterange);
    INSERT INTO printed SELECT '2024-03-31 00:30+00'::timestamptz + k * interval '61 minutes', date '2024-02-03' + k, time '12:34:56.789', '23:59:59+05:45',
        timestamp '0044-03-15 12:00 BC' + k * interval '1 month', k * interval '-1 mon 3 days 00:00:01.5', 1.0 / k, pi() * k, decode(md5(k::text), 'hex'), k / 7.0, k::numeric::money,
        'é' || k, ARRAY['infinity', NULL, '1900-01-01 00:00+00'::timestamptz], daterange(date '2024-02-03', date '2024-02-04' + k)
    FROM generate_series(1, 500) k;
    CREATE SCHEMA decoy; CREATE TABLE decoy.printed (x int); CREATE TABLE decoy.pg_class (x int);
"""

PRINTED_CHANGES = [
    ("printed", "UPDATE printed SET i = i + interval '1 microsecond' WHERE d = date '2024-02-04'", {mismatch("i", id="2024-03-31 01:31:00+00")}),
    ("printed", "UPDATE printed SET f = f + 1e-15 WHERE d = date '2024-02-04'", {mismatch("f", id="2024-03-31 01:31:00+00")}),
    ("printed", "UPDATE printed SET b = b || '\\x00', z = z + interval '1 microsecond' WHERE d = date '2024-02-04'", {mismatch(["b", "z"], id="2024-03-31 01:31:00+00")}),
]


@pytest.mark.matrix(sample=1)
@pytest.mark.parametrize("by", ["ROLE ALL IN DATABASE", "ROLE \"postgres\" IN DATABASE", "DATABASE"])
def test_settings_of_databases_and_roles(make_sides, by):
    sides = make_sides(*(f"ENCODING 'UTF8' LOCALE '{locale}'" for locale in LOCALES[:2]))
    sides.both(PRINTED)
    for side, settings in zip((sides.source, sides.target), SETTINGS):
        for name, value in settings.items():
            quoted = value if name == "DateStyle" else f"'{value}'"
            side.execute(f"ALTER {by} \"{side.name}\" SET {name} = {quoted}")
    sides.check(PRINTED_CHANGES, "--schema", "public")
    sides.target.execute("UPDATE printed SET x = NULL, s = 'infinity', u = 'empty' WHERE d = date '2024-02-04'")
    sides.source.execute("UPDATE printed SET r = r + 1 WHERE d = date '2024-02-04'")
    divergence, = sides.compare("--schema", "public").expect(DIVERGENT).table()["divergences"]
    assert divergence["source"] == {"r": "2", "s": "0044-04-15 12:00:00 BC", "u": "[2024-02-03,2024-02-05)", "x": "é1"}
    assert divergence["target"] == {"r": "1", "s": "infinity", "u": "empty", "x": None}


@pytest.mark.parametrize("locales", [("de_DE.UTF-8", "en_US.UTF-8")], ids="-".join)
def test_money_under_other_currencies_is_its_number(make_sides, locales):
    sides = make_sides("ENCODING 'UTF8' LOCALE 'C'", "ENCODING 'UTF8' LOCALE 'C'")
    for side, locale in zip((sides.source, sides.target), locales):
        side.execute(f"ALTER DATABASE \"{side.name}\" SET lc_monetary = '{locale}'")
        side.execute("CREATE TABLE t (id money PRIMARY KEY, v money); INSERT INTO t SELECT k::money, (-k)::money FROM generate_series(1, 300) k")
    sides.check([("t", "UPDATE t SET v = v + 1.0::float8 * 0.01::numeric::money WHERE id = 7::money", {mismatch("v", id="7,00")})])


# ---- storage -------------------------------------------------------------------------------------------------

# Around the largest value under a 1-byte header (126 bytes), around what is compressed and moved out of line, and 32 kB.
LENGTHS = (0, 1, 125, 126, 127, 128, 1999, 2032, 8190, 32767, 32768)

STORAGE = {
    "extended pglz": ("EXTENDED", "pglz"), "extended lz4": ("EXTENDED", "lz4"), "external": ("EXTERNAL", "default"),
    "main lz4": ("MAIN", "lz4"), "main pglz": ("MAIN", "pglz"), "plain": ("PLAIN", "default"),
}


def make_stored(side, storage, lengths):
    """Each length as text that compresses well, as bytes that do not compress, as digits, as jsonb and as an array, and as a key. Written by
    COPY, which stores values as the column has it; INSERT gives them short headers whatever the column says."""
    kind, compression = STORAGE[storage]
    columns = {"v": "text", "b": "bytea", "n": "numeric", "j": "jsonb", "a": "text[]"}
    side.execute("CREATE TABLE t (k text PRIMARY KEY, length int, " + ", ".join(f"{n} {t}" for n, t in columns.items()) + ")")
    for name in columns:
        side.execute(f"ALTER TABLE t ALTER {name} SET STORAGE {'MAIN' if (name, kind) == ('n', 'PLAIN') else kind}")
        if compression != "default":
            side.execute(f"ALTER TABLE t ALTER {name} SET COMPRESSION {compression}")
    made = f"""
        WITH made AS (SELECT l, (SELECT string_agg(sha512((l || '.' || i)::bytea), '' ORDER BY i) FROM generate_series(0, l / 64) i) AS noise
            FROM unnest('{{{",".join(map(str, lengths))}}}'::int[]) l)
        SELECT 'k' || l, l, repeat('ab', l / 2 + 1), noise, repeat('7', l)::numeric, to_jsonb(repeat('é', l / 2)), ARRAY[repeat('x', l), NULL, ''] FROM made WHERE l > 0
        UNION ALL SELECT 'cut' || l, l, left(repeat(md5(l::text), l / 32 + 1), l), substr(noise, 1, l), l, '{{}}', '{{}}' FROM made"""
    with side.connection.cursor() as cursor:
        rows = io.StringIO()
        cursor.copy_expert(f"COPY ({made}) TO STDOUT", rows)
        rows.seek(0)
        cursor.copy_expert("COPY t FROM STDIN", rows)


@pytest.mark.parametrize("storages", [("extended pglz", "extended lz4"), ("external", "extended pglz"), ("main lz4", "external"), ("main pglz", "extended lz4")], ids=" - ".join)
@pytest.mark.repeated(storages=[("external", "extended pglz"), ("main lz4", "external")])
def test_storage(sides, storages):
    for side, storage in zip((sides.source, sides.target), storages):
        make_stored(side, storage, LENGTHS)
    changes = []
    for length in (125, 126, 127, 32768):
        changes += [
            ("t", f"UPDATE t SET v = overlay(v PLACING 'X' FROM {length}) WHERE k = 'cut{length}'", {mismatch("v", k=f"cut{length}")}),
            ("t", f"UPDATE t SET b = set_byte(b, {length - 1}, 255 - get_byte(b, {length - 1})) WHERE k = 'cut{length}'", {mismatch("b", k=f"cut{length}")})]
    sides.check([*changes, ("t", "UPDATE t SET n = n + 1, j = to_jsonb((j #>> '{}') || 'e') WHERE k = 'k32768'", {mismatch(["j", "n"], k="k32768")})])


def test_storage_in_the_row(sides):
    """PLAIN values have neither short headers nor compression, and must fit into a page."""
    lengths = [n for n in LENGTHS if n <= 1000]
    make_stored(sides.source, "plain", lengths)
    make_stored(sides.target, "extended pglz", lengths)
    headers = "SELECT v FROM t WHERE k = 'cut126'"
    assert sides.source.value(f"SELECT pg_column_size(v) FROM ({headers}) s") - sides.target.value(f"SELECT pg_column_size(v) FROM ({headers}) s") >= 3
    sides.check([("t", "UPDATE t SET v = overlay(v PLACING 'X' FROM 126) WHERE k = 'cut126'", {mismatch("v", k="cut126")})])


# ---- how a table came to be ----------------------------------------------------------------------------------

def test_columns_that_were_added_dropped_and_generated(sides):
    """The source's rows are shorter than its descriptor, have holes and were written under other types; the target's are fresh."""
    sides.source.execute("""
        CREATE TABLE t (gone1 text, id int, gone2 int NOT NULL, a int, later bigint);
        INSERT INTO t SELECT 'x' || k, k, k, k * 2, k FROM generate_series(1, 3000) k;
        ALTER TABLE t DROP gone1, DROP gone2;
        ALTER TABLE t ADD added int, ADD defaulted text DEFAULT 'é', ADD stamped timestamptz NOT NULL DEFAULT '2024-01-01 00:00+00', ADD listed int[] DEFAULT '{1,NULL}',
            ADD worth numeric DEFAULT 1.50, ADD doc jsonb DEFAULT '{"b": 1, "a": [1.0]}';
        INSERT INTO t (id, a, later, added, defaulted) SELECT k, NULL, k, k, NULL FROM generate_series(3001, 3100) k;
        ALTER TABLE t ADD twice int GENERATED ALWAYS AS (a * 2) STORED, ADD no int GENERATED ALWAYS AS IDENTITY;
        ALTER TABLE t ADD PRIMARY KEY (id);
        ALTER TABLE t ADD last int DEFAULT 7;
        UPDATE t SET a = a WHERE id % 10 = 0""")
    sides.target.execute("""
        CREATE TABLE t (no int, doc jsonb, worth numeric, listed int[], stamped timestamptz NOT NULL, defaulted text, added int, last int, twice int, later bigint, a int, id int PRIMARY KEY);
        INSERT INTO t SELECT k, '{"a": [1], "b": 1.0}', 1.5, '{1,NULL}', '2024-01-01 00:00+00', CASE WHEN k <= 3000 THEN 'é' END, CASE WHEN k > 3000 THEN k END, 7,
            CASE WHEN k <= 3000 THEN k * 4 END, k, CASE WHEN k <= 3000 THEN k * 2 END, k FROM generate_series(1, 3100) k ORDER BY -k""")
    run = sides.compare("--no-sequences").expect(IDENTICAL)
    assert run.table()["rows"] == {"source": "3100", "target": "3100"}
    for column, value in (("added", "1"), ("defaulted", "NULL"), ("stamped", "'2024-01-01 00:00:00.000001+00'"), ("listed", "'{1}'"), ("worth", "1.51"), ("doc", "NULL"), ("twice", "NULL"), ("no", "0"), ("last", "NULL")):
        sides.target.execute(f"BEGIN; CREATE TEMP TABLE kept AS SELECT * FROM t WHERE id = 1234; UPDATE t SET {column} = {value} WHERE id = 1234; COMMIT")
        assert findings(sides.compare("--no-sequences").expect(DIVERGENT).table()) == {mismatch(column, id="1234")}
        sides.target.execute("DELETE FROM t WHERE id = 1234; INSERT INTO t SELECT * FROM kept; DROP TABLE kept")
    sides.compare("--no-sequences").expect(IDENTICAL)


def test_types_of_the_user(sides):
    """Enums with other OIDs and in another order, composites with attributes in another order and a hole, domains over domains."""
    sides.source.execute("""
        CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy'); CREATE TYPE pair AS (a int, b text); CREATE TYPE deep AS (p pair, ps pair[], m mood);
        CREATE DOMAIN positive AS int CHECK (VALUE > 0); CREATE DOMAIN small AS positive CHECK (VALUE < 5000); CREATE DOMAIN moods AS mood[]""")
    sides.target.execute("""
        CREATE TYPE other AS ENUM ('x'); CREATE TYPE mood AS ENUM ('happy', 'sad'); ALTER TYPE mood ADD VALUE 'ok' BEFORE 'sad';
        CREATE TYPE pair AS (b text, gone int, a int); ALTER TYPE pair DROP ATTRIBUTE gone; CREATE TYPE deep AS (m mood, ps pair[], p pair);
        CREATE DOMAIN small AS int; CREATE DOMAIN moods AS mood[]""")
    sides.both("CREATE TABLE t (k mood, id small, m moods, p pair, d deep, s small, PRIMARY KEY (id, k))")
    sides.source.execute("""INSERT INTO t SELECT m, k, ARRAY[m, NULL], ROW(k, 'b' || k)::pair, ROW(ROW(k, NULL)::pair, ARRAY[ROW(1, 'x'), NULL]::pair[], m)::deep, k
        FROM generate_series(1, 400) k, unnest(enum_range(NULL::mood)) m""")
    sides.target.execute("""INSERT INTO t SELECT m, k, ARRAY[m, NULL], ROW('b' || k, k)::pair, ROW(m, ARRAY[ROW('x', 1), NULL]::pair[], ROW(NULL, k)::pair)::deep, k
        FROM generate_series(1, 400) k, unnest(enum_range(NULL::mood)) m""")
    sides.check([
        ("t", "UPDATE t SET m = '{ok}' WHERE id = 7 AND k = 'sad'", {mismatch("m", id="7", k="sad")}),
        ("t", "UPDATE t SET p.a = 8 WHERE id = 7 AND k = 'ok'", {mismatch("p", id="7", k="ok")}),
        ("t", "UPDATE t SET d = ROW('sad', (d).ps, (d).p)::deep WHERE id = 399 AND k = 'happy'", {mismatch("d", id="399", k="happy")}),
        ("t", "UPDATE t SET d = ROW(k, ARRAY[ROW('x', 1), ROW(NULL, NULL)]::pair[], (d).p)::deep WHERE id = 1 AND k = 'ok'", {mismatch("d", id="1", k="ok")}),
    ], "--ranges", "5")


# ---- types that nothing is known of --------------------------------------------------------------------------

OWN_TYPE = """
    CREATE TYPE own;
    CREATE FUNCTION own_in(cstring) RETURNS own LANGUAGE internal IMMUTABLE STRICT AS 'textin';
    CREATE FUNCTION own_out(own) RETURNS cstring LANGUAGE internal IMMUTABLE STRICT AS 'textout';
    CREATE TYPE own (INPUT = own_in, OUTPUT = own_out, LIKE = text);
"""


def check_unknown_type(sides, type_name, value, other):
    """The column is said to be not comparable wherever one looks; the others are compared."""
    sides.both(f"CREATE TABLE t (id int PRIMARY KEY, o {type_name}, os {type_name}[], v int); INSERT INTO t SELECT k, {value}, ARRAY[{value}], k FROM generate_series(1, 500) k")
    run = sides.compare().expect(INCOMPLETE)
    assert run.report["incomplete"] and run.report["result"] == "incomplete"
    for text in (run.stdout, sides.run(*sides.engines.arguments).expect(INCOMPLETE).stdout, sides.run(*sides.engines.arguments, "--dry-run").stdout):
        assert "has no form" in text and type_name in text
    assert {c["name"] for c in run.table("public.t")["columns"]} == {"v"}
    sides.compare("--exclude-columns", "t.o,os").expect(IDENTICAL)
    sides.target.execute(f"UPDATE t SET o = {other} WHERE id = 3")
    sides.compare().expect(INCOMPLETE)
    sides.target.execute("UPDATE t SET v = 0 WHERE id = 4")
    run = sides.compare().expect(DIVERGENT)
    assert run.report["incomplete"] and findings(run.table("public.t")) == {mismatch("v", id="4")}
    assert findings(sides.compare("--exclude-columns", "t.o,os").expect(DIVERGENT).table("public.t")) == {mismatch("v", id="4")}


def test_type_of_the_user(sides):
    sides.both(OWN_TYPE)
    check_unknown_type(sides, "own", "('v' || k)::own", "'other'::own")


@pytest.mark.long
def test_postgis(sides):
    sides.both("CREATE EXTENSION postgis")
    check_unknown_type(sides, "geometry", "ST_Point(k, k)", "ST_Point(0, 0)")
