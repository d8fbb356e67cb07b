"""What the vectors are made of: literals, keys, tables, bounds and comparisons. The answers are reference.py's."""

from reference import Column, Table, even_hash_bounds, hash_bound, key_bound, canonical
from type_cells import OTHER_FORM_CELLS, TYPE_CELLS

# The lengths around which XXH3 changes its method, and around which varlena headers change theirs.
LENGTHS = (0, 1, 2, 3, 4, 5, 8, 9, 16, 17, 32, 33, 64, 65, 96, 97, 126, 127, 128, 129, 192, 240, 241, 256, 512, 1024, 1025, 5000)

ALPHABET = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-"


def letters(length):
    """Text of that many bytes without a short period."""
    return "".join(ALPHABET[(7 * index + index // 13 + index // 171) % len(ALPHABET)] for index in range(length))


def octets(length):
    """A bytea literal of that many bytes without a short period."""
    return "\\x" + bytes((167 * index + index // 256 + 13) % 256 for index in range(length)).hex()


# ---- cells.tsv --------------------------------------------------------------------------------------

CELL_KEYS = (1, 0, -1, 42, 2**63 - 1, -(2**63), 1_000_000_007)
CELL_SEEDS = (0, 1, -1, 2**63 - 1, -(2**63), 0x5DEECE66D, -6148914691236517206, 20260101, 77, -42, 1 << 32)

SMALLINTS = ("0", "1", "-1", "255", "256", "-32768", "32767", None)
INTEGERS = ("0", "1", "-1", "10", "65536", "-2147483648", "2147483647", None)
BIGINTS = ("0", "1", "-1", "4294967296", "-4294967297", "-9223372036854775808", "9223372036854775807", None)
OIDS = ("0", "1", "2147483648", "4294967295", None)
NUMERICS = (
    "0", "0.0", "0.000", "-0", "1", "1.0", "1.00", "-1", "-1.000", "2", "10", "9999", "10000", "10001", "99999999",
    "100000000", "1000000000000", "12345678901234567890", "-12345678901234567890.0987654321", "0.1", "0.01", "0.001",
    "0.0001", "0.00001", "-0.00001", "0.99995", "0.1000", "1.5", "-1.5", "9999.9999", "10000.0001", "1e10", "1E-10",
    "1.50e3", "123e-2", "9223372036854775807", "9223372036854775808", "-9223372036854775808", "1e5000", "-1e5000",
    "1e5001", "1e5002", "1e5003", "9.87654321e9999", "1e20000", "1e-16383", "-1e-16383", "12345e-16380",
    "3." + "14159265358979" * 70, "-" + "9" * 2001, "7" * 1200 + "." + "3" * 1200, "1" + "0" * 4000 + ".5",
    "NaN", "Infinity", "-Infinity", None,
)
FLOAT8S = (
    "0", "-0", "1", "-1", "1.5", "0.1", "-0.1", "1e15", "1e16", "123456789.125", "9007199254740993",
    "1.7976931348623157e308", "-1.7976931348623157e308", "2.2250738585072014e-308", "5e-324", "-5e-324",
    "3.141592653589793", "Infinity", "-Infinity", "NaN", None,
)
FLOAT4S = (
    "0", "-0", "1", "-1", "0.1", "-0.1", "16777216", "16777217", "3.4028235e38", "-3.4028235e38", "1.1754944e-38",
    "1e-45", "3.1415927", "Infinity", "-Infinity", "NaN", None,
)
TEXTS = tuple(letters(length) for length in LENGTHS) + (
    "NULL", "null", "\\N", " ", "  ", " x", "x ", "\t", "\n", "\r", "a\tb\nc\\d", "'", '"', "{}", "%s", "\u0001", "\x7f",
    "ä", "a\u0308", "ß", "é", "e\u0301", "ı", "İ", "Ω", "Ω", "日本語", "नमस्ते", "שלום", "😀", "👩‍👩‍👧", "\u00a0", "\u200b", "\ufeff",
    "\uffff", "\U0010ffff", "x\u00a0", "grüße " * 40, "漢字" * 300, None,
)
BYTEAS = tuple(octets(length) for length in LENGTHS) + (
    "\\x00", "\\x0000", "\\xff", "\\x4e554c4c", "\\xc3a4", "\\x" + "00" * 240, "\\x" + "ff" * 241, None,
)
UUIDS = (
    "00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff",
    "00000000-0000-0000-0000-000000000001", "01000000-0000-0000-0000-000000000000",
    "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "00112233-4455-6677-8899-aabbccddeeff", None,
)
DATES = (
    "2000-01-01", "1999-12-31", "1970-01-01", "2000-02-29", "1900-02-28", "1900-03-01", "2024-02-29", "2024-12-31",
    "1582-10-04", "1582-10-15", "0001-01-01", "0001-12-31 BC", "0001-02-29 BC", "0044-03-15 BC", "0401-02-29 BC",
    "4714-11-24 BC", "9999-12-31", "10000-01-01", "5874897-12-31", "infinity", "-infinity", None,
)
TIMES = (
    "00:00:00", "00:00:00.000001", "12:34:56", "12:34:56.789", "12:34:56.789012", "23:59:59", "23:59:59.999999", "24:00:00",
    None,
)
TIMETZS = (
    "00:00:00+00", "00:00:00.000001+00", "12:34:56.789+02", "12:34:56.789-02", "10:34:56.789+00", "12:00:00+05:30",
    "12:00:00-03:30", "12:00:00+00:00:01", "23:59:59.999999-15:59:59", "00:00:00+15:59:59", "24:00:00+00", "24:00:00-08",
    None,
)
TIMESTAMPS = (
    "2000-01-01 00:00:00", "1999-12-31 23:59:59.999999", "1970-01-01 00:00:00", "2000-01-01 00:00:00.000001",
    "2024-02-29 12:34:56.789012", "2038-01-19 03:14:08", "2016-12-31 23:59:59", "0001-01-01 00:00:00",
    "0001-12-31 23:59:59 BC", "0044-03-15 12:00:00 BC", "4714-11-24 00:00:00 BC", "9999-12-31 23:59:59.999999",
    "294276-12-31 23:59:59.999999", "2024-06-30 24:00:00", "infinity", "-infinity", None,
)
TIMESTAMPTZS = (
    "2000-01-01 00:00:00+00", "2000-01-01 02:00:00+02", "2000-01-01 00:00:00+02", "1999-12-31 16:00:00-08",
    "1970-01-01 00:00:00+00", "2024-02-29 12:34:56.789012+05:30", "2024-02-29 12:34:56.789012-03:30",
    "2024-03-31 02:30:00+01", "1890-01-01 00:00:00+00:53:28", "0001-12-31 23:59:59-01 BC", "4714-11-24 00:00:00+00 BC",
    "294276-12-31 23:59:59.999999+00", "2024-06-30 24:00:00+00", "infinity", "-infinity", None,
)
INTERVALS = (
    "PT0S", "PT1S", "PT-1S", "PT0.000001S", "PT-0.000001S", "PT24H", "P1D", "P30D", "P1M", "P12M", "P1Y", "PT-24H", "P-1D", "P-1M",
    "P1Y2M3DT4H5M6.789012S", "P-1Y-2M-3DT-4H-5M-6.789012S", "P1M-30DT24H", "P-1M30DT-24H", "P178956970Y7M", "P-178956970Y-8M",
    "P2147483647D", "P-2147483648D", "PT2562047788H54.775807S", "PT-2562047788H-54.775807S", None,
)
JSONBS = (
    "{}", "[]", "null", "true", "false", '""', '"null"', '"a"', '"true"', '"1"', "[[]]", "[{}]", '{"":{}}', "[null]", "[null,null]",
    "[[],[]]", "[[1],2]", "[1,[2]]", "[1,2]", "[12]", '["1","2"]', '["12"]', '{"a":null}', '{"a":{"b":{"c":[1,{"d":null}]}}}',
    '{"b":1,"a":2}', '{"a":2,"b":1}', '{"aa":1,"b":2}', '{"b":2,"aa":1}', '{"a":1,"aa":2,"b":3,"":4}', '{"a":1,"a":2}',
    '{"a":1,"b":2,"a":{"x":[]}}', '{"a":1,"\\u0061":2}', '{"ä":1,"z":2,"a\\u0308":3}', '{"\\ud83d\\ude00":1,"\\uffff":2}',
    '{"Z":1,"a":2,"_":3,"0":4,"10":5,"9":6}', "0", "-0", "0.000", "-0.0", "0e5", "1", "1.0", "1.00", "-1", "1e3", "1000", "1E+3", "1000.0",
    "1e-3", "0.001", "-12345.6789", "1e100", "123456789012345678901234567890", "0.1", "1e4000", "-1e-4000",
    '{"n":1.0}', '{"n":1}', "[1.10,1e1,-0]", '"\\u00e4"', '"ä"', '"\\ud83d\\ude00"', '"😀"', '"\\n\\t\\r\\b\\f\\"\\\\\\/"', '"/"', '"\\u0001"',
    '"日本語"', ' { "a" : [ 1 , 2 ] , "b" : "x y" } ', "[" * 60 + "]" * 60, '{"a":' * 40 + "1" + "}" * 40,
    "[" + ",".join(str(number) for number in range(300)) + "]",
    "{" + ",".join(f'"key{number}":"{letters(number)}"' for number in range(40, 0, -1)) + "}",
    '"' + letters(1024) + '"', '"' + letters(5000) + '"', None,
)
JSONS = (
    "{}", "[]", "null", "true", '"a"', '{"b":1,"a":2}', '{"a": 2, "b": 1}', '{"a":1,"a":2}', '{"aa":1,"b":2}', '{"a":1,"\\u0061":2}',
    "1.0", "1", "1e3", "-0", "0.000", '"\\u00e4"', '"ä"', '"\\ud83d\\ude00"', ' [ 1 , 2 ] ', "[1,\n\t2]", '{"a":{"b":[null,true,{"c":1.50}]}}', None,
)

CELLS = (
    ("boolean", "bool", ("t", "f", "true", "false", None)),
    ("smallint", "int", SMALLINTS),
    ("integer", "int", INTEGERS),
    ("bigint", "int", BIGINTS),
    ("oid", "int", OIDS),
    ("smallint", "decimal", SMALLINTS),
    ("integer", "decimal", INTEGERS + ("10000", "100000000", "-99990000")),
    ("bigint", "decimal", BIGINTS + ("1000000000000000000",)),
    ("oid", "decimal", OIDS),
    ("numeric", "decimal", NUMERICS),
    ("numeric(10,2)", "decimal", ("0.00", "1.50", "-12345678.90", "99999999.99", None)),
    ("numeric(5,0)", "decimal", ("0", "10000", "-99999")),
    ("double precision", "float", FLOAT8S),
    ("real", "float", FLOAT4S),
    ("text", "text", TEXTS),
    ("varchar", "text", ("", "NULL", "trailing  ", "ünïcödé", None)),
    ("varchar(10)", "text", ("", "0123456789", "ab   ")),
    ("name", "text", ("", "pg_class", letters(63), "Größe", None)),
    ("character(8)", "text", ("", "a", "a       ", "ab cd", " a", "12345678", "äöü", "a\t", "NULL", None)),
    ("character(200)", "text", ("", "x", letters(199), letters(200))),
    ("parity_mood", "text", ("sad", "ok", "glücklich", None)),
    ("bytea", "bytes", BYTEAS),
    ("uuid", "uuid", UUIDS),
    ("date", "date", DATES),
    ("time", "time", TIMES),
    ("timetz", "timetz", TIMETZS),
    ("timestamp", "timestamp", TIMESTAMPS),
    ("timestamptz", "timestamptz", TIMESTAMPTZS),
    ("interval", "interval", INTERVALS),
    ("jsonb", "json", JSONBS),
    ("json", "text", JSONS),
    ("json", "json", JSONS),
    ("boolean[]", "bool[]", ("{}", "{t,f,NULL}", None)),
    ("smallint[]", "int[]", ("{}", "{1,-1}", "{NULL}")),
    (
        "integer[]",
        "int[]",
        (
            "{}", "{1}", "{1,2}", "{2,1}", "{NULL}", "{NULL,NULL}", "{1,NULL,2}", "[0:1]={1,2}", "[-5:-4]={1,2}", "{{1,2},{3,4}}",
            "{{1,2,3,4}}", "{{1},{2},{3},{4}}", "[0:1][2:3]={{1,2},{3,4}}", "{{{1,2},{3,4}},{{5,6},{7,NULL}}}",
            "{{{{{{1}}}}}}", "{" + ",".join(str(number) for number in range(500)) + "}", None,
        ),
    ),
    ("bigint[]", "int[]", ("{1}", "{9223372036854775807,-9223372036854775808}")),
    ("oid[]", "int[]", ("{4294967295,0}",)),
    ("integer[]", "decimal[]", ("{}", "{1,NULL,10000}", "[0:0]={-1}")),
    ("numeric[]", "decimal[]", ("{}", "{1.0,1.00,NULL,NaN,-0.5}", "{1}", "{{1e10},{1e-10}}", None)),
    ("double precision[]", "float[]", ("{-0,NaN,Infinity,NULL,1.5}", "{}")),
    ("real[]", "float[]", ("{0.1,-0}",)),
    (
        "text[]",
        "text[]",
        (
            "{}", '{""}', '{"",""}', "{NULL}", '{"NULL"}', '{NULL,"NULL","null",""}', "{a,bc}", "{ab,c}", '{"a,b"}', "{a,b}", '{"{}"}', '{"\\""}',
            '{"\\\\"}', '{" a "}', "{ä,日本語}", "{{a,b},{c,NULL}}", "[3:3]={x}", '{"a\tb","c\nd"}', "{" + letters(1024) + ",z}", None,
        ),
    ),
    ("varchar[]", "text[]", ("{a,b}",)),
    ("character(3)[]", "text[]", ('{"a  ","",abc,NULL}',)),
    ("parity_mood[]", "text[]", ("{glücklich,sad,NULL}",)),
    ("bytea[]", "bytes[]", ('{"\\\\x00ff","\\\\x",NULL}', "{}")),
    ("uuid[]", "uuid[]", ("{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11,NULL}",)),
    ("date[]", "date[]", ("{2000-01-01,infinity,-infinity,NULL}",)),
    ("time[]", "time[]", ("{24:00:00,00:00:00}",)),
    ("timetz[]", "timetz[]", ("{12:34:56+02,NULL,12:34:56-02}",)),
    ("timestamp[]", "timestamp[]", ('{"2000-01-01 00:00:00.000001",NULL}',)),
    ("timestamptz[]", "timestamptz[]", ('{"2000-01-01 02:00:00+02",-infinity}',)),
    ("interval[]", "interval[]", ("{P1M,P30D,NULL}",)),
    ("jsonb[]", "json[]", ('{"{\\"b\\":1.0,\\"a\\":null}",NULL,"null","[]"}', "{}", None)),
    ("json[]", "json[]", ('{"{\\"b\\":1.0,\\"a\\":null}",NULL}',)),
    ("json[]", "text[]", ('{"{\\"b\\":1.0,\\"a\\":null}",NULL}',)),
) + TYPE_CELLS + OTHER_FORM_CELLS

# ---- keys.tsv ---------------------------------------------------------------------------------------

# (forms, SQL types, literals)
KEYS = (
    ("int", "integer", ["1"]),
    ("int", "bigint", ["1"]),
    ("int", "smallint", ["-32768"]),
    ("int", "bigint", [None]),
    ("int", "bigint", ["9223372036854775807"]),
    ("bool", "boolean", ["f"]),
    ("bool", "boolean", [None]),
    ("decimal", "numeric", ["1.00"]),
    ("decimal", "integer", ["1"]),
    ("decimal", "numeric", [None]),
    ("decimal", "numeric", ["NaN"]),
    ("float", "double precision", ["-0"]),
    ("float", "real", ["0.1"]),
    ("text", "text", [""]),
    ("text", "text", [None]),
    ("text", "text", ["NULL"]),
    ("text", "character(8)", ["ab "]),
    ("text", "text", ["日本語"]),
    ("text", "text", [letters(241)]),
    ("text", "text", [letters(5000)]),
    ("text", "parity_mood", ["glücklich"]),
    ("bytes", "bytea", ["\\x"]),
    ("bytes", "bytea", ["\\x00"]),
    ("uuid", "uuid", ["a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"]),
    ("uuid", "uuid", [None]),
    ("date", "date", ["-infinity"]),
    ("time", "time", ["24:00:00"]),
    ("timetz", "timetz", ["12:34:56+02"]),
    ("timestamp", "timestamp", ["infinity"]),
    ("timestamptz", "timestamptz", ["2000-01-01 02:00:00+02"]),
    ("interval", "interval", ["P1M"]),
    ("interval", "interval", ["P30D"]),
    ("json", "jsonb", ['{"b":1.0,"a":[]}']),
    ("int[]", "integer[]", ["{1,NULL}"]),
    ("text[]", "text[]", ["{a,bc}"]),
    ("text,text", "text,text", ["a", "bc"]),
    ("text,text", "text,text", ["ab", "c"]),
    ("text,text", "text,text", ["abc", ""]),
    ("text,text", "text,text", ["", "abc"]),
    ("text,text", "text,text", ["abc", None]),
    ("text,text", "text,text", [None, "abc"]),
    ("text,text", "text,text", [None, None]),
    ("text,text", "text,text", ["NULL", ""]),
    ("text,text", "text,text", ["", "NULL"]),
    ("text,text", "text,text", ["", ""]),
    ("text,text", "text,text", ["a\tb", "c\nd"]),
    ("int,int", "integer,integer", ["1", "2"]),
    ("int,int", "integer,integer", ["2", "1"]),
    ("int,int", "integer,integer", ["1", None]),
    ("int,int", "integer,integer", [None, "1"]),
    ("int,text", "bigint,text", ["1", ""]),
    ("int,text", "bigint,text", ["1", None]),
    ("text,int", "text,integer", ["x", "7"]),
    ("decimal,text,timestamptz", "numeric,varchar,timestamptz", ["-0.5", "ä", "1999-12-31 16:00:00-08"]),
    ("uuid,date,int", "uuid,date,smallint", ["00112233-4455-6677-8899-aabbccddeeff", "2000-01-01", None]),
    ("bool,int,text,uuid", "boolean,integer,text,uuid", ["t", "-1", "NULL", "ffffffff-ffff-ffff-ffff-ffffffffffff"]),
    ("int,int,int,int", "integer,integer,integer,integer", ["1", None, None, "1"]),
    ("bytes,bytes", "bytea,bytea", ["\\x0100", "\\x"]),
    ("bytes,bytes", "bytea,bytea", ["\\x01", "\\x00"]),
)

# ---- digests.tsv ------------------------------------------------------------------------------------

INT_ID = Column("id", "integer", "int")
BIG_ID = Column("id", "bigint", "int")
TEXT_V = Column("v", "text", "text")
INT_N = Column("n", "integer", "int")


def int_bounds(*values):
    return [key_bound(["int"], [canonical("bigint", "int", str(value))]) for value in values]


def bound(columns, *literals):
    """The key bound of the leading key columns that have a literal."""
    forms = [column.form for column in columns]
    values = [canonical(column.sql_type, column.form, literal) for column, literal in zip(columns, literals)]
    return key_bound(forms, values)


def numbered_rows(count):
    return [[str(number), letters(number % 23), str(number * number - 50)] for number in range(1, count + 1)]


# Two rows of one key that swap their cells of b: the columns' sums stay, the row's must not.
SWAP_COLUMNS = [Column("a", "integer", "int"), Column("b", "integer", "int")]
SWAP_BEFORE = Table([INT_ID], SWAP_COLUMNS, [["7", "1", "10"], ["7", "2", "20"]])
SWAP_AFTER = Table([INT_ID], SWAP_COLUMNS, [["7", "1", "20"], ["7", "2", "10"]])
UNIQUE_BEFORE = Table([INT_ID], [TEXT_V], [["1", "a"], ["2", "b"]])
UNIQUE_AFTER = Table([INT_ID], [TEXT_V], [["1", "b"], ["2", "a"]])
NUMBERED = Table([BIG_ID], [TEXT_V, INT_N], numbered_rows(100))
UNSORTED_COLUMNS = [Column("zeta", "integer", "int"), Column("ähre", "integer", "int"), Column("Beta", "integer", "int")]
UNSORTED_ROWS = [["1", "10", "20", "30"], ["2", "11", None, "31"]]
TEXT_PAIR_KEY = [Column("k1", "text", "text"), Column("k2", "text", "text")]
INT_PAIR_KEY = [Column("k2", "integer", "int"), Column("k1", "integer", "int")]
NULLABLE_ROWS = [[None, None, "a"], [None, "1", "b"], ["1", None, "c"], ["1", "1", "d"], ["1", "2", None], ["2", "-1", ""]]
KEYLESS_COLUMNS = [INT_N, TEXT_V]
WIDE_COLUMNS = [
    Column("c01", "boolean", "bool"),
    Column("c02", "numeric(10,2)", "decimal"),
    Column("c03", "real", "float"),
    Column("c04", "character(8)", "text"),
    Column("c05", "bytea", "bytes"),
    Column("c06", "uuid", "uuid"),
    Column("c07", "date", "date"),
    Column("c08", "time", "time"),
    Column("c09", "timetz", "timetz"),
    Column("c10", "timestamp", "timestamp"),
    Column("c11", "timestamptz", "timestamptz"),
    Column("c12", "interval", "interval"),
    Column("c13", "jsonb", "json"),
    Column("c14", "integer[]", "int[]"),
    Column("c15", "text[]", "text[]"),
    Column("c16", "parity_mood", "text"),
]
WIDE_ROWS = [
    [
        "1", "t", "1.50", "0.1", "ab", "\\x00ff", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "2024-02-29", "12:34:56.789",
        "12:34:56+02", "2024-02-29 12:34:56", "2024-02-29 12:34:56+05:30", "P1M2DT3S", '{"b":1.0,"a":null}', "{1,NULL}",
        '{"NULL",NULL}', "ok",
    ],
    ["2"] + [None] * 16,
    [
        "3", "f", "-0.01", "NaN", "", "\\x", "00000000-0000-0000-0000-000000000000", "infinity", "24:00:00",
        "00:00:00-15:59:59", "-infinity", "infinity", "PT0S", "[]", "{}", "{}", "glücklich",
    ],
]
DECIMAL_KEY = [Column("id", "numeric", "decimal")]
DECIMAL_ROWS = [
    ["-Infinity", "1"], ["-10.5", "2"], ["-1", "3"], ["0.000", "4"], ["0.5", "5"], ["1.00", "6"], ["9999.9999", "7"], ["1e10", "8"],
    ["Infinity", "9"], ["NaN", "10"], [None, "11"],
]
FLOAT_KEY = [Column("id", "double precision", "float")]
FLOAT_ROWS = [["-Infinity", "1"], ["-1.5", "2"], ["-0", "3"], ["1e-300", "4"], ["2", "5"], ["Infinity", "6"], ["NaN", "7"], [None, "8"]]
TEXT_KEY = [Column("id", "text", "text")]
TEXT_ROWS = [["", "1"], ["A", "2"], ["a", "3"], ["ab", "4"], ["b", "5"], ["ä", "6"], ["日", "7"], ["😀", "8"], [None, "9"]]
UUID_KEY = [Column("id", "uuid", "uuid")]
UUID_ROWS = [[f"{number:02x}{'0' * 6}-0000-0000-0000-{number * 7919:012x}", str(number)] for number in range(0, 256, 15)]
TIME_KEY = [Column("id", "timestamptz", "timestamptz")]
TIME_ROWS = [
    ["-infinity", "a"], ["1999-12-31 23:59:59.999999+00", "b"], ["2000-01-01 02:00:00+02", "c"], ["2024-02-29 12:00:00-08", "d"],
    ["infinity", "e"],
]

MONEY_KEY = [Column("id", "money", "money")]
NESTED_COLUMNS = [
    Column("r", "int4range", "range<int>"),
    Column("rs", "numrange[]", "range<decimal>[]"),
    Column("address", "inet", "inet"),
    Column("words", "tsvector", "tsvector"),
]
NESTED_ROWS = [
    ["-1.00", "[1,3]", '{"[1.0,2)",NULL}', "192.168.1.5/24", "b:2A aa"],
    ["-0.01", "empty", "{}", "::/0", ""],
    ["0.01", None, None, None, None],
    ["2.56", "(,)", "{empty}", "10.0.0.1", "ä:1"],
    [None, "[0,1)", None, "10.0.0.1/32", "a"],
]
UNSIGNED_KEY = [Column("id", "xid8", "unsigned")]
UNSIGNED_ROWS = [["0", "1"], ["256", "2"], ["9223372036854775808", "3"], ["18446744073709551615", "4"], [None, "5"]]

# (name, table, seed, width, bounds)
DIGESTS = (
    ("empty", Table([INT_ID], [TEXT_V], []), 0, 64, []),
    ("empty, width 128", Table([INT_ID], [TEXT_V], []), 5, 128, []),
    ("empty with bounds", Table([INT_ID], [TEXT_V], []), 0, 64, int_bounds(1, 2)),
    ("empty, keyless", Table([], [INT_N, TEXT_V], []), 0, 64, []),
    ("single row", Table([INT_ID], [TEXT_V], [["1", "a"]]), 0, 64, []),
    ("single row, width 128", Table([INT_ID], [TEXT_V], [["1", "a"]]), 0, 128, []),
    ("single row, other seed", Table([INT_ID], [TEXT_V], [["1", "a"]]), -1, 64, []),
    ("single row, NULL", Table([INT_ID], [TEXT_V], [["1", None]]), 0, 64, []),
    ("single row, empty text", Table([INT_ID], [TEXT_V], [["1", ""]]), 0, 64, []),
    ("single row, text NULL", Table([INT_ID], [TEXT_V], [["1", "NULL"]]), 0, 64, []),
    ("single row, keyless", Table([], [INT_N, TEXT_V], [["1", "a"]]), 0, 64, []),
    ("key only", Table([INT_ID], [], [["1"], ["2"], ["3"]]), 9, 64, int_bounds(2)),
    ("key only, width 128", Table([INT_ID], [], [["1"], ["2"], ["3"]]), 9, 128, int_bounds(2)),
    ("two rows", UNIQUE_BEFORE, 0, 64, []),
    ("two rows, values swapped", UNIQUE_AFTER, 0, 64, []),
    ("key not unique", SWAP_BEFORE, 0, 64, []),
    ("key not unique, two cells swapped", SWAP_AFTER, 0, 64, []),
    ("key not unique, width 128", SWAP_BEFORE, 0, 128, []),
    ("key not unique, two cells swapped, width 128", SWAP_AFTER, 0, 128, []),
    ("columns in the order of names", Table([INT_ID], UNSORTED_COLUMNS, UNSORTED_ROWS), 0, 64, []),
    ("columns as listed", Table([INT_ID], UNSORTED_COLUMNS, UNSORTED_ROWS, columns_are_listed=True), 0, 64, []),
    ("columns in the order of names, keyless", Table([], UNSORTED_COLUMNS, [row[1:] for row in UNSORTED_ROWS]), 0, 64, []),
    ("100 rows", NUMBERED, 12345, 64, []),
    ("100 rows, 5 ranges", NUMBERED, 12345, 64, int_bounds(-3, 20, 21, 100)),
    ("100 rows, bounds outside of all keys", NUMBERED, 12345, 64, int_bounds(-(2**63), 1, 101, 2**63 - 1)),
    ("100 rows, 4 hash ranges", NUMBERED, 12345, 64, even_hash_bounds(4)),
    ("100 rows, 7 hash ranges, width 128", NUMBERED, -12345, 128, even_hash_bounds(7)),
    ("100 rows, carries into the high half", NUMBERED, 12345, 128, int_bounds(50)),
    ("hash bounds at the ends", NUMBERED, 12345, 64, [hash_bound(1), hash_bound(2**63), hash_bound(2**64 - 1)]),
    ("duplicates, keyless", Table([], KEYLESS_COLUMNS, [["1", "a"]] * 2 + [["2", "b"]] * 3), 3, 64, []),
    ("duplicates, keyless, width 128", Table([], KEYLESS_COLUMNS, [["1", "a"]] * 2 + [["2", "b"]] * 3), 3, 128, []),
    ("one duplicate less, keyless", Table([], KEYLESS_COLUMNS, [["1", "a"]] * 2 + [["2", "b"]] * 2), 3, 64, []),
    ("NULLs, keyless", Table([], KEYLESS_COLUMNS, [[None, None], [None, ""], [None, "NULL"], ["0", None]]), 3, 64, even_hash_bounds(3)),
    ("cells exchanged, keyless", Table([], KEYLESS_COLUMNS, [["1", "b"], ["2", "a"]]), 3, 64, []),
    ("100 rows, keyless, 8 hash ranges", Table([], [BIG_ID, TEXT_V, INT_N], numbered_rows(100)), 1, 64, even_hash_bounds(8)),
    (
        "text pairs as key",
        Table(TEXT_PAIR_KEY, [TEXT_V], [["a", "bc", "x"], ["ab", "c", "y"], ["abc", "", "z"], ["", "abc", None]]),
        1 << 40,
        64,
        [bound(TEXT_PAIR_KEY, "a"), bound(TEXT_PAIR_KEY, "ab", "c"), bound(TEXT_PAIR_KEY, "abc", "a")],
    ),
    (
        "nullable pairs as key",
        Table(INT_PAIR_KEY, [TEXT_V], NULLABLE_ROWS),
        -7,
        64,
        [
            bound(INT_PAIR_KEY, "1"), bound(INT_PAIR_KEY, "1", "2"), bound(INT_PAIR_KEY, "1", None), bound(INT_PAIR_KEY, "2"),
            bound(INT_PAIR_KEY, None), bound(INT_PAIR_KEY, None, "2"), bound(INT_PAIR_KEY, None, None),
        ],
    ),
    ("all forms", Table([INT_ID], WIDE_COLUMNS, WIDE_ROWS), 2**63 - 1, 64, []),
    ("all forms, width 128", Table([INT_ID], WIDE_COLUMNS, WIDE_ROWS), 2**63 - 1, 128, int_bounds(2)),
    ("all forms, keyless", Table([], [INT_ID] + WIDE_COLUMNS, WIDE_ROWS), 2**63 - 1, 64, []),
    (
        "numeric key",
        Table(DECIMAL_KEY, [INT_N], DECIMAL_ROWS),
        0,
        64,
        [bound(DECIMAL_KEY, literal) for literal in ("-Infinity", "-10.5", "-1.5", "0", "0.75", "1", "10000", "Infinity", "NaN", None)],
    ),
    (
        "double precision key",
        Table(FLOAT_KEY, [INT_N], FLOAT_ROWS),
        0,
        64,
        [bound(FLOAT_KEY, literal) for literal in ("-1e308", "0", "1", "Infinity", "NaN", None)],
    ),
    (
        "text key",
        Table(TEXT_KEY, [INT_N], TEXT_ROWS),
        0,
        64,
        [bound(TEXT_KEY, literal) for literal in ("A", "aa", "ab", "z", "日", "\U0010ffff")],
    ),
    ("uuid key", Table(UUID_KEY, [INT_N], UUID_ROWS), 0, 64, [bound(UUID_KEY, UUID_ROWS[index][0]) for index in (1, 6, 15)]),
    (
        "timestamptz key",
        Table(TIME_KEY, [TEXT_V], TIME_ROWS),
        0,
        64,
        [bound(TIME_KEY, literal) for literal in ("2000-01-01 00:00:00+00", "2000-01-01 00:00:00.000001+00", "infinity")],
    ),
    ("integer key as decimal", Table([Column("id", "integer", "decimal")], [TEXT_V], [["1", "a"], ["20000", "b"]]), 0, 64, []),
    ("numeric key as decimal", Table(DECIMAL_KEY, [TEXT_V], [["1.0", "a"], ["2e4", "b"]]), 0, 64, []),
    (
        "ranges under a money key",
        Table(MONEY_KEY, NESTED_COLUMNS, NESTED_ROWS),
        11,
        64,
        [bound(MONEY_KEY, literal) for literal in ("-0.01", "0", "2.56", None)],
    ),
    ("ranges, keyless, width 128", Table([], MONEY_KEY + NESTED_COLUMNS, NESTED_ROWS), 11, 128, even_hash_bounds(2)),
    (
        "unsigned key",
        Table(UNSIGNED_KEY, [INT_N], UNSIGNED_ROWS),
        0,
        64,
        [bound(UNSIGNED_KEY, literal) for literal in ("1", "9223372036854775807", "18446744073709551615", None)],
    ),
)

# ---- order.tsv --------------------------------------------------------------------------------------

# (form, SQL type, literals in ascending order); every pair of neighbours and some more are compared.
ASCENDING = (
    ("bool", "boolean", ("f", "t", None)),
    ("int", "bigint", ("-9223372036854775808", "-256", "-1", "0", "1", "255", "256", "9223372036854775807", None)),
    (
        "decimal",
        "numeric",
        (
            "-Infinity", "-1e5000", "-10000.0001", "-10000", "-9999.9999", "-1.0001", "-1", "-0.5", "-0.0001", "-1e-16383", "0", "1e-16383",
            "0.00001", "0.0001", "0.5", "1", "1.0001", "2", "9999.9999", "10000", "10000.0001", "1e5000", "Infinity", "NaN", None,
        ),
    ),
    (
        "float",
        "double precision",
        ("-Infinity", "-1e308", "-1.5", "-5e-324", "0", "5e-324", "1.5", "2", "1e308", "Infinity", "NaN", None),
    ),
    ("float4", "double precision", ("-Infinity", "-1e308", "-1.5", "-1e-300", "0", "0.1", "1.5", "1e308", "Infinity", "NaN", None)),
    ("trimmed", "text", ("", " a", "A", "a  ", "a b", "b", "ä ", None)),
    ("text", "text", ("", "A", "a", "a ", "aa", "b", "z", "ä", "日", "\uffff", "😀", None)),
    ("bytes", "bytea", ("\\x", "\\x00", "\\x0000", "\\x01", "\\x7f", "\\x80", "\\xff", "\\xff00", None)),
    (
        "uuid",
        "uuid",
        (
            "00000000-0000-0000-0000-000000000000", "00000000-0000-0000-0000-0000000000ff", "7fffffff-0000-0000-0000-000000000000",
            "80000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff", None,
        ),
    ),
    ("date", "date", ("-infinity", "4714-11-24 BC", "1999-12-31", "2000-01-01", "5874897-12-31", "infinity", None)),
    ("time", "time", ("00:00:00", "00:00:00.000001", "00:00:00.000256", "24:00:00", None)),
    ("timestamp", "timestamp", ("-infinity", "1999-12-31 23:59:59.999999", "2000-01-01 00:00:00", "infinity", None)),
    ("timestamptz", "timestamptz", ("-infinity", "1999-12-31 23:59:59+00", "2000-01-01 00:00:00+00", "infinity", None)),
    (
        "money",
        "money",
        ("-92233720368547758.08", "-2.56", "-0.01", "0", "0.01", "2.55", "2.56", "92233720368547758.07", None),
    ),
    (
        "unsigned",
        "xid8",
        ("0", "1", "255", "256", "4294967295", "4294967296", "9223372036854775807", "9223372036854775808", "18446744073709551615", None),
    ),
    ("unsigned", "pg_lsn", ("0/0", "0/FFFFFFFF", "1/0", "80000000/0", "FFFFFFFF/FFFFFFFF")),
    # By memcmp of little endian bytes from here on, which is not the order of SQL.
    ("timetz", "timetz", ("00:00:00+00", "00:00:00.000256+00", "00:00:00.000001+00", None)),
    ("interval", "interval", ("PT0S", "P256D", "P1D", "-infinity", "PT0.000001S", "infinity", None)),
    ("json", "jsonb", ("1", "[]", "[2]", "[1,1]", "false", "null", '"a"', '"b"', '"aa"', "true", "{}", None)),
    ("int[]", "integer[]", ("{}", "{NULL}", "{256}", "{1}", "{1,1}", None)),
    ("text[]", "text[]", ("{}", "{b}", "{aa}", "{a,b}", None)),
    ("money[]", "money[]", ("{}", "{NULL}", "{2.56}", "{0.01}", "{-0.01}")),
    ("bits", "bit varying", ("", "0", "01", "1", "000000000", "00", None)),
    ("inet", "inet", ("0.0.0.0/0", "10.0.0.0/8", "9.0.0.0", "10.0.0.0", "::/0", "::1", None)),
    ("macaddr", "macaddr", ("00:00:00:00:00:ff", "01:00:00:00:00:00", "ff:00:00:00:00:00", None)),
    ("tid", "tid", ("(0,0)", "(256,0)", "(1,256)", "(1,1)", None)),
    ("range<int>", "int4range", ("empty", "[1,4)", "[1,257)", "[256,257)", "(,5)", "[1,)", "(,)", None)),
    ("record<1st:text>", "parity_single", ("()", "(b)", "(aa)", None)),
)

# (key columns' SQL types and forms, bounds' literals, keys' literals); every bound is tried with every key.
BOUND_TRIALS = (
    ((("bigint", "int"),), (["-1"], ["0"], ["256"], [None]), (["-2"], ["-1"], ["0"], ["255"], ["256"], [None])),
    (
        (("integer", "int"), ("integer", "int")),
        (["1"], ["1", "2"], ["1", None], [None], [None, "0"]),
        (["0", "9"], ["1", "-2147483648"], ["1", "2"], ["1", "3"], ["1", None], ["2", "0"], [None, "-1"], [None, "0"], [None, None]),
    ),
    (
        (("text", "text"), ("text", "text")),
        (["a"], ["a", "bc"], ["ab", ""], [""]),
        (["", ""], ["a", ""], ["a", "b"], ["a", "bc"], ["a", "bcd"], ["a", None], ["ab", ""], ["ab", "c"], [None, ""]),
    ),
    (
        (("numeric", "decimal"), ("uuid", "uuid"), ("date", "date")),
        (["1.0"], ["1", "80000000-0000-0000-0000-000000000000"], ["1", "80000000-0000-0000-0000-000000000000", "2000-01-01"]),
        (
            ["0.99", "ffffffff-ffff-ffff-ffff-ffffffffffff", "infinity"],
            ["1.00", "00000000-0000-0000-0000-000000000000", "-infinity"],
            ["1.00", "80000000-0000-0000-0000-000000000000", "1999-12-31"],
            ["1.00", "80000000-0000-0000-0000-000000000000", "2000-01-01"],
            ["1.00", None, None],
            ["NaN", "00000000-0000-0000-0000-000000000000", "-infinity"],
        ),
    ),
)

# (key columns' SQL types and forms, bounds' literals in ascending order)
ASCENDING_BOUNDS = (
    ((("bigint", "int"),), (["-1"], ["0"], ["256"], [None])),
    ((("integer", "int"), ("integer", "int")), (["1"], ["1", "-5"], ["1", "2"], ["1", None], ["2"], [None], [None, "0"], [None, None])),
    ((("text", "text"), ("text", "text")), ([""], ["", ""], ["a"], ["a", "b"], ["ab"], ["b", ""])),
)

# (bound, low half of a key hash)
HASH_BOUND_TRIALS = tuple(
    (bound_value, key_hash)
    for bound_value in (0, 1, 2**63, 2**64 - 1)
    for key_hash in (0, 1, 255, 2**63 - 1, 2**63, 2**64 - 1)
)

EVEN_HASH_RANGES = (2, 3, 7, 10)
