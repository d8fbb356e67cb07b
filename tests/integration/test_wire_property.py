"""Random values of every type: what the streaming engine's readers make of them is what the extension makes of them, hashes are equal
exactly where canonical bytes are, and values that SQL takes for equal have equal bytes but for the types that docs/digest-format.md,
section 2.8, calls coarser. PARITY_SEED repeats a run."""

import json
import random

import psycopg2
import pytest

from support.random_values import SEED, TEXTS, documents, integers
from support.wire_cells import WireCells, WireError
from test_vectors import type_statements

ROWS = 48
WORDS = ["a", "b", "A", "ab", "é", "ß", "日本", "zz", "it''s", "\\", '"']
# The types whose = SQL defines more coarsely.
COARSER = {"interval", "point", "line", "lseg", "box", "circle", "path", "polygon", "citext", "tsquery"}
ZONES = ["Europe/Berlin", "America/St_Johns", "Asia/Kolkata", "UTC"]


def whole(low, high):
    return lambda rng: str(rng.choice([low, high, 0, rng.randrange(low, high + 1), rng.randrange(-3, 4) % (high + 1)]))


def numbers(rng):
    digits = "".join(rng.choice("0123456789") for _ in range(rng.choice([1, 2, 4, 5, 9, 30, 80])))
    sign = rng.choice(["", "-"])
    kind = rng.randrange(5)
    if kind == 0:
        return rng.choice(["0", "-0.00", "1", "1.0", "1.000", "10000", "1e4", "0.1", "0.10", "NaN", "Infinity", "-Infinity"])
    if kind == 1:
        return f"{sign}{digits}.{digits[::-1]}"
    if kind == 2:
        return f"{sign}0.{'0' * rng.randrange(9)}{digits}"
    if kind == 3:
        return f"{sign}{digits}e{rng.randrange(-40, 40)}"
    return sign + digits + "0" * rng.randrange(9)


def floats(rng):
    return rng.choice(["0", "-0", "1", "1.5", "NaN", "Infinity", "-Infinity", repr(rng.uniform(-10, 10)), f"{rng.uniform(-1, 1):.17f}e{rng.randrange(-30, 30)}"])


def dates(rng):
    return rng.choice([f"{rng.randrange(1, 4700):04}-{rng.randrange(1, 13):02}-{rng.randrange(1, 29):02}{rng.choice(['', ' BC'])}", "2000-01-01", "infinity", "-infinity"])


def clock(rng):
    return f"{rng.randrange(24):02}:{rng.randrange(60):02}:{rng.randrange(60):02}.{rng.randrange(10 ** 6):06}"


def stamps(rng):
    return rng.choice([f"{rng.randrange(1800, 2100)}-{rng.randrange(1, 13):02}-{rng.randrange(1, 29):02} {clock(rng)}", "2024-03-31 02:30", "2024-10-27 02:30",
                       "2000-01-01 00:00", "infinity", "-infinity"])


def offset(rng):
    return f"{rng.choice('+-')}{rng.randrange(15):02}:{rng.choice([0, 30, 45]):02}"


def intervals(rng):
    return " ".join(f"{rng.randrange(-40, 40)} {unit}" for unit in rng.sample(["mons", "days", "hours", "microseconds"], rng.randrange(1, 5)))


def texts(rng):
    return rng.choice([rng.choice(TEXTS), "".join(rng.choice("aB1 é日\U0001f600'\"\\,{}()") for _ in range(rng.randrange(12)))])


def uuids(rng):
    digits = f"{rng.choice([0, rng.getrandbits(128)]):032x}"
    return rng.choice([digits, digits.upper(), "{" + digits + "}", "-".join([digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]])])


def bits(rng):
    return "".join(rng.choice("01") for _ in range(rng.randrange(20)))


def addresses(rng):
    if rng.random() < 0.5:
        return f"10.{rng.randrange(256)}.0.{rng.randrange(256)}{rng.choice(['', '/32', '/24', '/8'])}"
    return f"fe80::{rng.randrange(65536):x}{rng.choice(['', '/128', '/64'])}"


def networks(rng):
    return rng.choice([f"10.{rng.randrange(256)}.0.0/16", "10.0.0.0/8", "10.0.0.0/9", "fe80::/64", "::/0"])


def pairs(rng, count):
    return [f"({floats(rng)},{floats(rng)})" for _ in range(count)]


def paths(rng):
    points = ",".join(pairs(rng, rng.randrange(1, 5)))
    return rng.choice(["[%s]", "(%s)"]) % points


def vectors(rng):
    return " ".join(f"'{word}'{rng.choice(['', ':1', ':3A,7', ':2B,2C,9'])}" for word in (rng.choice(WORDS[:9]) for _ in range(rng.randrange(5))))


def queries(rng, depth=0):
    if depth == 3 or rng.random() < 0.4:
        return f"'{rng.choice(WORDS[:9])}'{rng.choice(['', ':*', ':A', ':BC', ':*D'])}"
    kind = rng.randrange(4)
    if kind == 0:
        return f"!({queries(rng, depth + 1)})"
    return f"({queries(rng, depth + 1)} {['&', '|', rng.choice(['<->', '<3>'])][kind - 1]} {queries(rng, depth + 1)})"


def quoted_words(rng):
    return '"' + rng.choice(WORDS[:8] + ['\\"', "\\\\"]) + '"'


def stores(rng):
    return ", ".join(f"{quoted_words(rng)}=>{rng.choice(['NULL', quoted_words(rng)])}" for _ in range(rng.randrange(6)))


def element(text):
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def arrays(make, delimiter=","):
    def array(rng):
        inner, outer, low = rng.randrange(1, 4), rng.randrange(1, 3), rng.randrange(-2, 3)
        rows = ["{" + delimiter.join(rng.choice(["NULL", element(make(rng)), element(make(rng))]) for _ in range(inner)) + "}" for _ in range(outer)]
        return rng.choice(["{}", rows[0], rows[0], "{" + delimiter.join(rows) + "}", f"[{low}:{low + inner - 1}]={rows[0]}"])
    return array


def records(*makes):
    """Of each attribute's value as a literal of the whole."""
    return lambda rng: "(" + ",".join(rng.choice(["", element(make(rng)), element(make(rng))]) for make in makes) + ")"


def ranges(key, make):
    def range_of(rng):
        if rng.random() < 0.15:
            return "empty"
        low, high = sorted([make(rng), make(rng)], key=key)
        low, high = rng.choice(["", element(low), element(low)]), rng.choice(["", element(high), element(high)])
        return rng.choice("[(") + f"{low},{high}" + rng.choice("])")
    return range_of


def multiranges(rng):
    return "{" + ",".join(f"[{low},{low + rng.randrange(1, 9)}{rng.choice('])')}" for low in (rng.randrange(-50, 50) for _ in range(rng.randrange(5)))) + "}"


def json_texts(rng):
    text = json.dumps(documents(rng), ensure_ascii=rng.random() < 0.5, indent=rng.choice([None, 1]))
    return text.replace("0.5", rng.choice(["0.50", "5e-1", "0.5"]))


def names_of(*names):
    return lambda rng: rng.choice(names)


small = whole(-2 ** 15, 2 ** 15 - 1)
TYPES = {
    "boolean": names_of("t", "f"), "smallint": small, "integer": integers(32), "bigint": integers(64), "oid": whole(0, 2 ** 32 - 1),
    "numeric": numbers, "numeric(10,2)": lambda rng: f"{rng.uniform(-10 ** 6, 10 ** 6):.{rng.randrange(5)}f}", "real": floats, "double precision": floats,
    "text": texts, "varchar(400)": texts, "char(12)": lambda rng: texts(rng)[:12], "name": lambda rng: texts(rng)[:9], "citext": texts,
    "bytea": lambda rng: "\\x" + rng.randbytes(rng.randrange(9)).hex(), '"char"': names_of("", "a", "b", "\\303"), "uuid": uuids,
    "date": dates, "time": clock, "timetz": lambda rng: clock(rng) + offset(rng), "timestamp": stamps,
    "timestamptz": lambda rng: (lambda stamp: stamp if "inf" in stamp else stamp + offset(rng))(stamps(rng)), "interval": intervals,
    "json": json_texts, "jsonb": json_texts, "jsonpath": names_of("$.a", "$.\"a\"", "$[*] ? (@ > 1.0)", "strict $"), "xml": names_of("<a/>", "<a>é</a>", "a", '<?xml version="1.0"?><b/>'),
    "varbit": bits, "bit(5)": lambda rng: f"{rng.randrange(32):05b}", "inet": addresses, "cidr": networks,
    "macaddr": lambda rng: f"08:00:2b:01:02:{rng.randrange(256):02x}", "macaddr8": lambda rng: f"08:00:2b:01:02:03:04:{rng.randrange(256):02x}",
    "money": lambda rng: f"{rng.choice(['', '-'])}{rng.randrange(10 ** 6)}.{rng.randrange(100):02}",
    "point": lambda rng: pairs(rng, 1)[0], "line": lambda rng: f"{{{rng.uniform(1, 9)},{floats(rng)},{floats(rng)}}}", "lseg": lambda rng: "[" + ",".join(pairs(rng, 2)) + "]",
    "box": lambda rng: ",".join(pairs(rng, 2)), "circle": lambda rng: f"<{pairs(rng, 1)[0]},{rng.uniform(0, 9)}>", "path": paths,
    "polygon": lambda rng: "(" + ",".join(pairs(rng, rng.randrange(1, 5))) + ")",
    "pg_lsn": lambda rng: f"{rng.randrange(2 ** 32):X}/{rng.randrange(2 ** 32):X}", "xid8": lambda rng: str(rng.choice([0, 2 ** 64 - 1, rng.randrange(2 ** 64)])),
    "xid": whole(0, 2 ** 32 - 1), "cid": whole(0, 2 ** 32 - 1), "tid": lambda rng: f"({rng.randrange(2 ** 32)},{rng.randrange(2 ** 16)})",
    "pg_snapshot": lambda rng: f"10:20:{','.join(map(str, sorted(rng.sample(range(10, 20), rng.randrange(4)))))}", "refcursor": texts,
    "int2vector": lambda rng: " ".join(small(rng) for _ in range(rng.randrange(4))), "oidvector": lambda rng: " ".join(str(rng.randrange(9)) for _ in range(rng.randrange(4))),
    "aclitem": names_of("postgres=r/postgres", "=rw*/postgres", "pg_monitor=X/postgres"), "regclass": names_of("0", "pg_class", "pg_catalog.pg_proc", "4294967295", '"odd schema"."Odd"'),
    "regtype": names_of("0", "integer", "int4", "text[]", '"odd schema".mood', "4294967295"), "regproc": names_of("0", "pg_sleep", '"odd schema"."F g"'),
    "regprocedure": names_of("0", "sum(int4)", "now()", '"odd schema"."F g"(int4[],"odd schema".mood)'), "regoper": names_of("0", "pg_catalog.||/", '"odd schema".#%#'),
    "regoperator": names_of("0", "+(int4,int4)", "-(NONE,int4)", '"odd schema".#%#("odd schema".mood,"odd schema".mood)'), "regrole": names_of("0", "postgres", "pg_monitor"),
    "regnamespace": names_of("0", "pg_catalog", '"odd schema"'), "regconfig": names_of("0", "simple", "english"), "regdictionary": names_of("0", "simple"),
    "regcollation": names_of("0", '"C"', '"POSIX"'),
    "tsvector": vectors, "tsquery": queries, "hstore": stores, "ltree": names_of("", "a", "a.b", "A.b", "x_1.y"), "lquery": names_of("*.a", "a|b.*{1,}", "a@*"), "ltxtquery": names_of("a & b", "!a@", "a%"),
    "parity_mood": names_of("sad", "ok", "glücklich"), "parity_count": integers(32), "parity_label": lambda rng: texts(rng)[:4],
    "integer[]": arrays(integers(32)), "text[]": arrays(texts), "numeric[]": arrays(numbers), "jsonb[]": arrays(json_texts), "json[]": arrays(json_texts), "box[]": arrays(lambda rng: ",".join(pairs(rng, 2)), ";"),
    "hstore[]": arrays(stores), "xml[]": arrays(names_of("<a/>", "b")), "regclass[]": arrays(names_of("0", "pg_class")), "money[]": arrays(lambda rng: str(rng.randrange(100))),
    "int4range": ranges(int, integers(31)), "numrange": ranges(float, lambda rng: f"{rng.randrange(9)}.{'0' * rng.randrange(3)}"), "daterange": ranges(str, lambda rng: f"2024-0{rng.randrange(1, 10)}-01"),
    "parity_textrange": ranges(lambda text: text.encode(), texts), "int4multirange": multiranges, "int4range[]": arrays(ranges(int, integers(31))),
    "parity_pair": records(integers(32), arrays(texts)), "parity_pair[]": arrays(records(integers(32), arrays(texts))),
    "parity_span": records(ranges(int, integers(31)), names_of("empty", "(,)"), records(integers(32), arrays(texts)), arrays(records(integers(32), arrays(texts))), arrays(ranges(int, integers(31)))),
    "holder": records(json_texts, stores, vectors, names_of("pg_class", "0"), numbers),
}
ODD = """
CREATE SCHEMA "odd schema";
CREATE TABLE "odd schema"."Odd" ();
CREATE TYPE "odd schema".mood AS ENUM ('x');
CREATE FUNCTION "odd schema"."F g"(integer[], "odd schema".mood) RETURNS integer LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION "odd schema".same("odd schema".mood, "odd schema".mood) RETURNS boolean LANGUAGE sql AS 'SELECT true';
CREATE OPERATOR "odd schema".#%# (LEFTARG = "odd schema".mood, RIGHTARG = "odd schema".mood, FUNCTION = "odd schema".same);
CREATE TYPE holder AS (j jsonb, h hstore, v tsvector, "C d" regclass, n numeric);
"""


@pytest.fixture(scope="module")
def database(source_cluster):
    made = source_cluster.create_database()
    for statement in type_statements():
        made.execute(statement)
    made.execute(ODD)
    yield made
    source_cluster.drop_database(made)


def fill(database, sql_type, rng):
    """A table of random values, all under one key so that their hashes can be compared with each other."""
    database.execute(f"DROP TABLE IF EXISTS t; CREATE TABLE t (id integer, n integer, v {sql_type})")
    values = [None, *(TYPES[sql_type](rng) for _ in range(ROWS))]
    values += rng.sample(values, 8)
    for n, value in enumerate(values):
        database.execute("INSERT INTO t VALUES (1, %s, %s)", [n, value])
    return values


def asked(form, rng):
    return form.replace("@zone", "@" + rng.choice(ZONES))


def extension_hashes(database, form):
    """By n, the hashes of v, or the error."""
    arguments = "'t', key_columns => '{id}', columns => '{n,v}', forms => %s, width => 64"
    try:
        rows = database.query(f"SELECT encode(cell_hashes, 'hex') FROM parity.row_digests({arguments})", [json.dumps({"v": form})])
    except psycopg2.Error as error:
        return error.pgcode
    return {cells[:16]: cells[16:] for cells, in rows}


def stream_cells(wire, form):
    """By the hash of n: n, bytes, hash, hash of 128 bits; or the error."""
    try:
        rows = wire.read("public.t", [["id", "int"], ["n", "int"], ["v", form]])
    except WireError as error:
        return error.sqlstate
    return {n[1]: (int.from_bytes(bytes.fromhex(n[0]), "little"), *value) for n, value in rows}


def check_form(database, wire, form, context):
    found, expected = stream_cells(wire, form), extension_hashes(database, form)
    if isinstance(found, str) or isinstance(expected, str):
        assert found == expected, context
        return None
    assert {n: cell[2] for n, cell in found.items()} == expected, context
    cells = list(found.values())
    for which in (2, 3):
        hashes = {}
        for _, canonical, *_ in cells:
            hashes.setdefault(canonical, set())
        for cell in cells:
            hashes[cell[1]].add(cell[which])
        assert all(len(same) == 1 for same in hashes.values()), context
        assert len(set().union(*hashes.values())) == len(hashes), context
    return {n: canonical for n, canonical, *_ in cells}


def equal_in_sql(database):
    """Pairs of rows that SQL takes for equal; nothing where the type has no =."""
    try:
        return database.query("SELECT a.n, b.n FROM t AS a JOIN t AS b ON a.n < b.n AND a.v IS NOT DISTINCT FROM b.v")
    except (psycopg2.errors.UndefinedFunction, psycopg2.errors.DatatypeMismatch):
        return []


def check_type(database, wire, sql_type, rng):
    values = fill(database, sql_type, rng)
    forms, lossy, reason = wire.forms("public.t")["v"]
    context = f"PARITY_SEED={SEED}, {sql_type}: {values}"
    assert forms and not reason, context
    for form in forms + lossy:
        form = asked(form, rng)
        canonical = check_form(database, wire, form, f"{form}, {context}")
        if form in forms and canonical is not None and sql_type not in COARSER:
            differing = [(values[a], values[b]) for a, b in equal_in_sql(database) if canonical[a] != canonical[b]]
            assert not differing, f"{form}, {context}: equal in SQL, but of different bytes: {differing}"


@pytest.mark.matrix(sample=30)
@pytest.mark.parametrize("sql_type", TYPES)
def test_random_values(database, sql_type):
    print(f"PARITY_SEED={SEED}")
    with WireCells(database) as wire:
        check_type(database, wire, sql_type, random.Random(f"{SEED}.{sql_type}"))


@pytest.mark.long
@pytest.mark.parametrize("round_no", range(20))
def test_many_random_values(database, round_no):
    print(f"PARITY_SEED={SEED}")
    with WireCells(database) as wire:
        for sql_type in TYPES:
            check_type(database, wire, sql_type, random.Random(f"{SEED}.{round_no}.{sql_type}"))
