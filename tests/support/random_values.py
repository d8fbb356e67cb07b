"""Values of every type for tests over random tables, and what makes two of them equal. PARITY_SEED repeats a run."""

import decimal
import json
import os
import random

from support.installation import Installation

SEED = int(os.environ.get("PARITY_SEED") or random.SystemRandom().randrange(1 << 31))
TEXTS = ["", " ", "a", "b", "A", "ab", "NULL", "null", "é", "e\u0301", "ß", "日本", "a'b", 'a"b', "a\\b", "{a}", "a,b", "\n", "x" * 300, "\U0001f600", "%s", "$1"]
MAJOR = min(Installation.of_major(os.environ.get(f"PARITY_{side}_MAJOR")).major for side in ("SOURCE", "TARGET"))
NUMBERS = ["0", "1", "-1", "0.1", "1.10", "1e20", "-1e-20", "9999", "10000", "10001", "NaN", "Infinity", "-Infinity", "123456789012345678901234567890.123"]
if MAJOR < 14:  # numeric without infinities
    NUMBERS = [number for number in NUMBERS if "Infinity" not in number]
STAMPS = ["2000-01-01 00:00:00", "1999-12-31 23:59:59.999999", "2024-02-29 12:00:00", "0044-03-15 12:00:00 BC", "294000-01-01 00:00:00", "infinity", "-infinity"]


def pick(values):
    return lambda rng: rng.choice(values)


def integers(bits):
    return lambda rng: str(rng.choice([0, 1, -1, 2 ** (bits - 1) - 1, -2 ** (bits - 1), rng.randrange(-100, 100)]))


def documents(rng, depth=0):
    kind = rng.randrange(7 if depth < 3 else 5)
    if kind == 5:
        return [documents(rng, depth + 1) for _ in range(rng.randrange(4))]
    if kind == 6:
        return {rng.choice(TEXTS[:12]): documents(rng, depth + 1) for _ in range(rng.randrange(4))}
    return rng.choice([None, True, False, rng.randrange(-5, 5), rng.choice(TEXTS[:18]), 10 ** 30, 0.5])


def arrays(element):
    def make(rng):
        dimensions = rng.choice([0, 1, 1, 2])
        items = [rng.choice(["NULL", element(rng)]) for _ in range(2)]
        quoted = ["NULL" if i == "NULL" else '"' + i.replace("\\", "\\\\").replace('"', '\\"') + '"' for i in items]
        return ["{}", "{" + ",".join(quoted) + "}", "{{" + ",".join(quoted) + "},{" + ",".join(reversed(quoted)) + "}}"][dimensions]
    return make


# A type, how to make a literal of it, and whether it may be a key column here.
TYPES = {
    "smallint": (integers(16), True), "integer": (integers(32), True), "bigint": (integers(64), True), "oid": (pick(["0", "1", "4294967295"]), False),
    "numeric": (pick(NUMBERS), True), "numeric(12,3)": (pick(["0", "1", "1.1", "-5.125", "123456789.001", "NaN"]), True),
    "real": (pick(["0", "-0", "1.5", "-2.25", "NaN", "Infinity", "1e-30"]), False),
    "double precision": (pick(["0", "-0", "0.1", "0.30000000000000004", "NaN", "-Infinity", "1e300"]), False),
    "boolean": (pick(["t", "f"]), False), "text": (pick(TEXTS), True), "varchar(400)": (pick(TEXTS), True),
    "char(8)": (pick(["", "a", "A", "ab", "é", "12345678"]), True), "name": (pick(["", "a", "select", "日本"]), False),
    "bytea": (pick(["\\x", "\\x00", "\\x0000", "\\xff", "\\xdeadbeef"]), True),
    "uuid": (lambda rng: f"00000000-0000-0000-0000-{rng.randrange(200):012x}", True),
    "date": (pick(["2000-01-01", "1999-12-31", "2024-02-29", "0044-03-15 BC", "infinity", "-infinity"]), True),
    "time": (pick(["00:00", "24:00", "12:34:56.789", "23:59:59.999999"]), True), "timetz": (pick(["00:00+00", "12:00+02", "10:00+00", "24:00-15:59"]), False),
    "timestamp": (pick(STAMPS), True), "timestamptz": (pick([s if "inf" in s else s.replace(" BC", "") + "+00" for s in STAMPS]), True),
    "interval": (pick(["0", "1 mon", "30 days", "1 day", "24 hours", "-1 year 2 days 00:00:01.5", "1 mon -1 day"]), False),
    "json": (lambda rng: json.dumps(documents(rng)), False), "jsonb": (lambda rng: json.dumps(documents(rng)), False),
    "mood": (pick(["sad", "ok", "Happy Day"]), True), "integer[]": (arrays(integers(32)), False), "text[]": (arrays(pick(TEXTS[:18])), False),
    "numeric[]": (arrays(pick(NUMBERS[:10])), False),
}


def normal(column_type, text):
    """A value's text such that equal texts are equal values, worked out independently of pg_parity."""
    if text is None:
        return None
    if column_type.startswith("numeric") and not column_type.endswith("[]"):
        number = decimal.Decimal(text)
        return "NaN" if number.is_nan() else str(number) if number.is_infinite() else str(canonical_decimal(number))
    if column_type == "boolean":
        return text[0]
    if column_type in ("real", "double precision"):
        return "0" if text == "-0" else text
    if column_type == "jsonb":
        return json.dumps(json.loads(text, parse_float=lambda n: str_number(n), parse_int=lambda n: str_number(n)), sort_keys=True)
    if column_type == "numeric[]":
        return tuple(normal_elements(text))
    if column_type.startswith("char("):
        return text.rstrip(" ")
    return text


def canonical_decimal(number):
    sign, digits, exponent = number.as_tuple()
    digits = list(digits)
    while digits and digits[-1] == 0:
        digits.pop()
        exponent += 1
    return (sign, tuple(digits), exponent) if digits else 0


def str_number(text):
    return ["number", str(canonical_decimal(decimal.Decimal(text)))]


def normal_elements(text):
    """numeric[]'s text: braces keep the shape, elements count by value."""
    for word in text.replace("{", " { ").replace("}", " } ").replace(",", " ").split():
        yield word if word in ("{", "}", "NULL") or "[" in word else normal("numeric", word)


EXTENSIONS = "CREATE EXTENSION hstore; CREATE EXTENSION citext; CREATE EXTENSION ltree;"
USER_TYPES = """
    CREATE TYPE mood AS ENUM ('sad', 'ok', 'Happy Day');
    CREATE TYPE pair AS (b text, "A" numeric); CREATE TYPE deep AS (p pair, ps pair[], m mood);
    CREATE DOMAIN positive AS int CHECK (VALUE > 0); CREATE DOMAIN small AS positive CHECK (VALUE < 5000);
    CREATE TYPE moods AS RANGE (SUBTYPE = mood);
"""

# More types, with values no two of which are equal. (Empty vectors cannot be read in binary.)
MORE_TYPES = {
    "bit(9)": ["000000000", "000000001", "111111111"], "bit varying": ["", "0", "00", "1", "01010101", "010101010"],
    "inet": ["10.0.0.1", "10.0.0.1/8", "0.0.0.0/0", "::", "::ffff:10.0.0.1", "fe80::1/64"], "cidr": ["10.0.0.0/8", "10.0.0.0/16", "::/0"],
    "macaddr": ["00:00:00:00:00:00", "08:00:2b:01:02:03"], "macaddr8": ["08:00:2b:01:02:03:04:05", "ff:ff:ff:ff:ff:ff:ff:ff"], "money": ["0", "0.01", "-92233720368547758.08", "92233720368547758.07"],
    "point": ["(0,0)", "(0,1)", "(Infinity,NaN)", "(1e-300,-1)"], "line": ["{1,-1,0}", "{0,1,2}"], "lseg": ["[(0,0),(1,1)]", "[(1,1),(0,0)]"], "box": ["(1,1),(0,0)", "(2,2),(0,0)"],
    "circle": ["<(0,0),0>", "<(0,0),1>"], "path": ["((0,0),(1,1))", "[(0,0),(1,1)]", "[(0,0)]"], "polygon": ["((0,0),(1,1),(1,0))", "((1,1),(1,0),(0,0))"],
    "pg_lsn": ["0/0", "FFFFFFFF/FFFFFFFF", "16/B374D848"], "xid8": ["0", "18446744073709551615"], "xid": ["3", "4294967295"], "tid": ["(0,1)", "(4294967295,65535)"], "\"char\"": ["a", "", "Z"],
    "txid_snapshot": ["10:10:", "10:20:10,14,15"], "pg_snapshot": ["10:20:", "10:20:11"], "int2vector": ["1", "1 2 -3"], "oidvector": ["0", "1 4294967295"],
    "xml": ["<a/>", "<a></a>", "text"], "jsonpath": ["$", "$.\"a\"", "strict $.\"é\"[*]"], "regclass": ["pg_class", "pg_type", "-"], "regtype": ["int4", "text[]"], "refcursor": ["", "c"],
    "regprocedure": ["pg_catalog.int4in(cstring)", "-"], "tsvector": ["", "'a'", "'a':1", "'a':1A", "'a':1,2 'é':16383"], "tsquery": ["", "'a'", "'a':*", "'a' & 'b'", "'b' & 'a'", "!'a' | 'b' <2> 'é':AB"],
    "hstore": ["", "a=>NULL", "a=>\"NULL\"", "a=>1,é=>2"], "citext": ["", "a", "A", "é"], "ltree": ["", "a", "a.b"], "lquery": ["a.*", "*{1,2}.b"],
    "int4range": ["empty", "[1,2)", "[1,3)", "(,)", "[1,)"], "numrange": ["empty", "[1,2)", "[1,2]", "(1,2]"], "tstzrange": ["empty", "[2024-01-01 00:00+00,)", "(2024-01-01 00:00+00,)"],
    "int8multirange": ["{}", "{[1,2)}", "{[1,2),[5,6)}"], "moods": ["empty", "[sad,ok]", "[sad,ok)"], "int4range[]": ["{}", "{empty}", "{NULL,\"[1,2)\"}"],
    "pair": ["(,)", "(a,1)", "(a,2)", "(\"\",1)"], "deep": ["(,,)", "(\"(a,1)\",{},ok)", "(\"(a,1)\",\"{NULL,\"\"(,)\"\"}\",ok)"], "pair[]": ["{}", "{NULL}", "{\"(,)\"}"], "small": ["1", "4999"], "mood[]": ["{}", "{ok}", "{ok,NULL}"],
    "bpchar[]": ["{}", "{a}", "{b}"], "uuid[]": ["{}", "{00000000-0000-0000-0000-000000000001}"], "interval[]": ["{}", "{1 mon}", "{30 days}"], "jsonb[]": ["{}", "{1}", "{\"[1]\"}"], "bytea[]": ["{}", "{\"\\\\x00\"}"],
}

# Long values of a few types, so that rows are compressed and moved out of line.
LONG = {"text": lambda rng: rng.choice(["ab", "é"]) * rng.randrange(2000, 9000), "bytea": lambda rng: "\\x" + rng.randbytes(rng.randrange(1000, 9000)).hex(),
        "jsonb": lambda rng: json.dumps(["x" * rng.randrange(2000, 9000)]), "numeric": lambda rng: "7" * rng.randrange(3000, 9000), "text[]": lambda rng: "{" + "y" * rng.randrange(2000, 9000) + "}"}


def quote(name):
    return '"' + name.replace('"', '""') + '"'
