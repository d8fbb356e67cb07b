"""What the vectors need to know of SQL's types: those to be created, what others are made of, and how a server prints values."""

# Whoever reads the literals of cells.tsv runs these, in this order; types of section 2.8 that are not listed are built in.
STATEMENTS = (
    "CREATE EXTENSION hstore",
    "CREATE EXTENSION citext",
    "CREATE EXTENSION ltree",
    "CREATE TYPE parity_mood AS ENUM ('sad', 'ok', 'glücklich')",
    "CREATE DOMAIN parity_count AS integer",
    "CREATE DOMAIN parity_label AS character(4)",
    "CREATE DOMAIN parity_list AS integer[]",
    "CREATE TYPE parity_pair AS (a integer, \"B b\" text[])",
    "CREATE TYPE parity_swapped AS (\"B b\" text[], a integer)",
    "CREATE TYPE parity_single AS (\"1st\" text)",
    "CREATE TYPE parity_nothing AS ()",
    "CREATE TYPE parity_odd AS (\"ä\" numeric, \"x\"\"y\" real, \"A,>\" character(4), a_1 money, aa point, a parity_count)",
    "CREATE TYPE parity_span AS (r int4range, t tstzrange, p parity_pair, q parity_pair[], l int8range[])",
    "CREATE DOMAIN parity_pair_domain AS parity_pair",
    "CREATE TYPE parity_textrange AS RANGE (subtype = text, collation = \"C\")",
    "CREATE TYPE parity_floatrange AS RANGE (subtype = double precision)",
    "CREATE TYPE parity_moodrange AS RANGE (subtype = parity_mood)",
    "CREATE TYPE parity_pairrange AS RANGE (subtype = parity_pair)",
)
STATEMENTS_FROM_14 = ("CREATE TYPE parity_multirange_holder AS (m int4multirange, n nummultirange[])",)

DOMAINS = {
    "parity_count": "integer",
    "parity_label": "character(4)",
    "parity_list": "integer[]",
    "parity_pair_domain": "parity_pair",
}

# Names and types of the attributes in the order in which they are declared.
COMPOSITES = {
    "parity_pair": (("a", "integer"), ("B b", "text[]")),
    "parity_swapped": (("B b", "text[]"), ("a", "integer")),
    "parity_single": (("1st", "text"),),
    "parity_nothing": (),
    "parity_odd": (
        ("ä", "numeric"), ('x"y', "real"), ("A,>", "character(4)"), ("a_1", "money"), ("aa", "point"), ("a", "parity_count"),
    ),
    "parity_span": (
        ("r", "int4range"), ("t", "tstzrange"), ("p", "parity_pair"), ("q", "parity_pair[]"), ("l", "int8range[]"),
    ),
    "parity_multirange_holder": (("m", "int4multirange"), ("n", "nummultirange[]")),
}

RANGE_SUBTYPES = {
    "int4range": "integer",
    "int8range": "bigint",
    "numrange": "numeric",
    "tsrange": "timestamp",
    "tstzrange": "timestamptz",
    "daterange": "date",
    "parity_textrange": "text",
    "parity_floatrange": "double precision",
    "parity_moodrange": "parity_mood",
    "parity_pairrange": "parity_pair",
}
MULTIRANGE_RANGES = {
    "int4multirange": "int4range",
    "int8multirange": "int8range",
    "nummultirange": "numrange",
    "tsmultirange": "tsrange",
    "tstzmultirange": "tstzrange",
    "datemultirange": "daterange",
    "parity_textmultirange": "parity_textrange",
}

# Array literals separate elements by a comma, but for this type.
ARRAY_DELIMITERS = {"box": ";"}

# What a server makes of literals that it does not print as they were written.
PRINTED = {
    "jsonpath": {
        "$.a": '$."a"',
        " $ . a [ * ] ": '$."a"[*]',
        "$.a[*] ? (@.b > 1 && @.c == \"x\")": '$."a"[*]?(@."b" > 1 && @."c" == "x")',
        "strict $.ä": 'strict $."ä"',
        "lax $": "$",
        "$[0 to last].size()": "$[0 to last].size()",
        "1 + 2": "(1 + 2)",
    },
    "ltxtquery": {"a&b": "a & b"},
    "regclass": {
        "pg_class": "pg_catalog.pg_class",
        "pg_catalog.pg_class": "pg_catalog.pg_class",
        '"pg_type"': "pg_catalog.pg_type",
        "pg_class_oid_index": "pg_catalog.pg_class_oid_index",
        "0": "-",
        "1259": "pg_catalog.pg_class",
    },
    "regtype": {
        "int4": "pg_catalog.int4",
        "integer": "pg_catalog.int4",
        "text": "pg_catalog.text",
        '"char"': 'pg_catalog."char"',
        '"any"': 'pg_catalog."any"',
        "uuid": "pg_catalog.uuid",
        "int4range": "pg_catalog.int4range",
        "pg_class": "pg_catalog.pg_class",
    },
    "regproc": {
        "now": "pg_catalog.now",
        "pg_catalog.version": "pg_catalog.version",
        '"current_user"': 'pg_catalog."current_user"',
    },
    "regprocedure": {
        "now()": "pg_catalog.now()",
        "upper(text)": "pg_catalog.upper(pg_catalog.text)",
        "pg_catalog.starts_with(text, text)": "pg_catalog.starts_with(pg_catalog.text,pg_catalog.text)",
    },
    "regoperator": {
        "||(text,text)": "pg_catalog.||(pg_catalog.text,pg_catalog.text)",
        "pg_catalog.~~(text, text)": "pg_catalog.~~(pg_catalog.text,pg_catalog.text)",
        "@-@(none,path)": "pg_catalog.@-@(NONE,pg_catalog.path)",
        "0": "-",
    },
    "regconfig": {"simple": "pg_catalog.simple", "english": "pg_catalog.english"},
    "regdictionary": {"simple": "pg_catalog.simple", "english_stem": "pg_catalog.english_stem"},
    "regcollation": {'"C"': 'pg_catalog."C"', '"POSIX"': 'pg_catalog."POSIX"', '"default"': 'pg_catalog."default"'},
}


def oldest_major(sql_type, literal):
    """The oldest major version of PostgreSQL, from 13 on, that knows the type and reads the literal."""
    if "multirange" in sql_type:
        return 14
    if base_type(sql_type).startswith("numeric") and "Infinity" in (literal or ""):
        return 14
    return 15 if sql_type == "interval" and "2562047788H" in (literal or "") else 13


def base_type(sql_type):
    """The type on which a domain is based in the end; any other type as it is."""
    while sql_type in DOMAINS:
        sql_type = DOMAINS[sql_type]
    return sql_type


def printed(sql_type, literal):
    """The text that a server prints, with names qualified, for a literal of a type of the form text."""
    return PRINTED.get(sql_type, {}).get(literal, literal)
