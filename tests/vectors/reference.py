"""A second implementation of docs/digest-format.md, written from that document alone.

It favours being easily compared with the document over speed. Literals are PostgreSQL input text in ISO
notation; only what the vectors use is parsed, and nothing is validated that a server would refuse anyway.
Section numbers refer to the document.
"""

import json
import re
import struct
import uuid
from dataclasses import dataclass
from fractions import Fraction

import xxhash

FORMAT_VERSION = 1
FORM_REVISION = 1

MASK64 = 2**64 - 1
INT32_MIN, INT32_MAX = -(2**31), 2**31 - 1
INT64_MIN, INT64_MAX = -(2**63), 2**63 - 1

ARRAY_CODE_OFFSET = 128
FORM_CODES = {
    "bool": 1,
    "int": 2,
    "decimal": 3,
    "float": 4,
    "text": 5,
    "bytes": 6,
    "uuid": 7,
    "date": 8,
    "time": 9,
    "timetz": 10,
    "timestamp": 11,
    "timestamptz": 12,
    "interval": 13,
    "json": 14,
    "jsonb_raw": 15,
    "key": 64,
    "row": 65,
}
FIXED_WIDTHS = {
    "bool": 1,
    "int": 8,
    "float": 8,
    "uuid": 16,
    "date": 4,
    "time": 8,
    "timetz": 12,
    "timestamp": 8,
    "timestamptz": 8,
    "interval": 16,
}


def element_form(form):
    """The form of an array form's elements, or None where `form` is not an array's."""
    return form[:-2] if form.endswith("[]") else None


def form_code(form):
    """The code of a form or pseudo-form (`key`, `row`)."""
    element = element_form(form)
    return FORM_CODES[form] if element is None else ARRAY_CODE_OFFSET + FORM_CODES[element]


# ---- section 2: canonical bytes of scalars ----------------------------------------------------------


def u32(value):
    return struct.pack("<I", value)


def i32(value):
    return struct.pack("<i", value)


def i64(value):
    return struct.pack("<q", value)


def bool_bytes(literal):
    return b"\x01" if literal in ("t", "true") else b"\x00"


def int_bytes(literal):
    return i64(int(literal))


def float_bytes(literal):
    value = float(literal)
    if value != value:
        return struct.pack("<Q", 0x7FF8000000000000)
    # Adding +0 turns -0 into +0 and changes no other number.
    return struct.pack("<d", value + 0.0)


def float4_bytes(literal):
    return float_bytes(repr(struct.unpack("<f", struct.pack("<f", float(literal)))[0]))


def text_bytes(literal):
    return literal.encode("utf-8")


def char_bytes(literal):
    return literal.rstrip(" ").encode("utf-8")


def bytea_bytes(literal):
    return bytes.fromhex(literal.removeprefix("\\x"))


def uuid_bytes(literal):
    return uuid.UUID(literal).bytes


# ---- section 2.1: decimal ---------------------------------------------------------------------------

DECIMAL_NEGATIVE = b"\x01"
DECIMAL_ZERO = b"\x02"
DECIMAL_POSITIVE = b"\x03"
DECIMAL_SPECIALS = {
    "-infinity": b"\x00",
    "infinity": b"\x04",
    "nan": b"\x05",
}
NUMBER = re.compile(r"([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d+))?")


def decimal_bytes(literal):
    special = DECIMAL_SPECIALS.get(literal.lower())
    if special is not None:
        return special
    sign, whole, fraction, exponent = NUMBER.fullmatch(literal).groups()
    weight, digits = base_10000(whole + (fraction or ""), len(whole) + int(exponent or 0))
    if not digits:
        return DECIMAL_ZERO
    kind = DECIMAL_NEGATIVE if sign == "-" else DECIMAL_POSITIVE
    return kind + i32(weight) + b"".join(struct.pack("<H", digit) for digit in digits)


def base_10000(decimals, point):
    """Weight and base-10000 digits, without zeros at either end, of 0.`decimals` × 10^`point`."""
    stripped = decimals.lstrip("0")
    point -= len(decimals) - len(stripped)
    groups_before_point = -(-point // 4)
    padded = "0" * (groups_before_point * 4 - point) + stripped.rstrip("0")
    padded += "0" * (-len(padded) % 4)
    digits = [int(padded[i : i + 4]) for i in range(0, len(padded), 4)]
    return groups_before_point - 1, digits if stripped else []


# ---- section 2: dates and times ---------------------------------------------------------------------

MICROSECONDS = 1_000_000
DAY_MICROSECONDS = 86_400 * MICROSECONDS
DATE = r"(?P<year>\d+)-(?P<month>\d\d)-(?P<day>\d\d)"
TIME = r"(?P<hour>\d\d):(?P<minute>\d\d):(?P<second>\d\d(?:\.\d{1,6})?)"
ZONE = r"(?P<zone>[+-]\d\d(?::\d\d){0,2})"
DATE_TIME = re.compile(rf"{DATE}(?: {TIME}{ZONE}?)?(?P<era> BC)?")
TIME_ZONE = re.compile(rf"{TIME}{ZONE}?")
INTERVAL = re.compile(
    r"P(?:(?P<years>-?\d+)Y)?(?:(?P<months>-?\d+)M)?(?:(?P<days>-?\d+)D)?"
    r"(?:T(?:(?P<hours>-?\d+)H)?(?:(?P<minutes>-?\d+)M)?(?:(?P<seconds>-?\d+(?:\.\d{1,6})?)S)?)?"
)


def days_since_2000(year, month, day):
    """Days from 2000-01-01 in the proleptic Gregorian calendar; year 0 is 1 BC."""
    # Years that begin in March put the leap day last, so that months before it never shift.
    year, month = (year, month - 3) if month > 2 else (year - 1, month + 9)
    leap_days = year // 4 - year // 100 + year // 400
    days_from_march_of_year_0 = 365 * year + leap_days + (153 * month + 2) // 5 + day - 1
    return days_from_march_of_year_0 - 730_425


def match_days(match):
    year = int(match["year"])
    return days_since_2000(1 - year if match["era"] else year, int(match["month"]), int(match["day"]))


def match_micros(match):
    """Microseconds since midnight; 0 where the literal has no time."""
    if match["hour"] is None:
        return 0
    return clock_micros(match["hour"], match["minute"], match["second"])


def clock_micros(hours, minutes, seconds):
    total = int(hours or 0) * 3600 + int(minutes or 0) * 60 + Fraction(seconds or 0)
    return int(total * MICROSECONDS)


def match_zone_west(match):
    """The zone in seconds west of UTC: the opposite of the sign in which ISO 8601 writes it."""
    if match["zone"] is None:
        return 0
    hours, minutes, seconds = (match["zone"][1:].split(":") + ["0", "0"])[:3]
    east = int(hours) * 3600 + int(minutes) * 60 + int(seconds)
    return east if match["zone"][0] == "-" else -east


def date_bytes(literal):
    infinite = {"-infinity": INT32_MIN, "infinity": INT32_MAX}.get(literal)
    return i32(match_days(DATE_TIME.fullmatch(literal)) if infinite is None else infinite)


def time_bytes(literal):
    return i64(match_micros(TIME_ZONE.fullmatch(literal)))


def timetz_bytes(literal):
    match = TIME_ZONE.fullmatch(literal)
    return i64(match_micros(match)) + i32(match_zone_west(match))


def timestamp_bytes(literal):
    """Also timestamptz, whose literals carry a zone while those of timestamp do not."""
    infinite = {"-infinity": INT64_MIN, "infinity": INT64_MAX}.get(literal)
    if infinite is not None:
        return i64(infinite)
    match = DATE_TIME.fullmatch(literal)
    local = match_days(match) * DAY_MICROSECONDS + match_micros(match)
    return i64(local + match_zone_west(match) * MICROSECONDS)


def interval_bytes(literal):
    if literal == "infinity":
        return i64(INT64_MAX) + i32(INT32_MAX) + i32(INT32_MAX)
    if literal == "-infinity":
        return i64(INT64_MIN) + i32(INT32_MIN) + i32(INT32_MIN)
    match = INTERVAL.fullmatch(literal)
    micros = clock_micros(match["hours"], match["minutes"], match["seconds"])
    months = int(match["years"] or 0) * 12 + int(match["months"] or 0)
    return i64(micros) + i32(int(match["days"] or 0)) + i32(months)


# ---- section 2.3: json ------------------------------------------------------------------------------


class JsonNumber(str):
    """A json number as it was written, because Python's numbers would round it."""


def json_bytes(literal):
    document = json.loads(literal, parse_int=JsonNumber, parse_float=JsonNumber)
    return json_value_bytes(document)


def json_value_bytes(value):
    if value is None:
        return b"n"
    if isinstance(value, bool):
        return b"t" if value else b"f"
    if isinstance(value, JsonNumber):
        return b"#" + with_length(decimal_bytes(value))
    if isinstance(value, str):
        return b"s" + with_length(value.encode("utf-8"))
    if isinstance(value, list):
        return b"[" + u32(len(value)) + b"".join(map(json_value_bytes, value))
    return json_object_bytes(value)


def json_object_bytes(members):
    """`members` is a dict, in which json.loads has kept the last of repeated keys."""
    by_key = sorted((key.encode("utf-8"), value) for key, value in members.items())
    written = b"".join(with_length(key) + json_value_bytes(value) for key, value in by_key)
    return b"{" + u32(len(by_key)) + written


def with_length(data):
    return u32(len(data)) + data


# ---- section 2.4: arrays ----------------------------------------------------------------------------

ARRAY_BOUNDS = re.compile(r"((?:\[-?\d+:-?\d+\])+)=")
ARRAY_TOKEN = re.compile(r'\s*(?:([{},])|"((?:[^"\\]|\\.)*)"|((?:[^{},"\\\s]|\\.|\s+(?=[^{},"\s]))+))\s*', re.DOTALL)
BACKSLASHED = re.compile(r"\\(.)", re.DOTALL)


def parse_array(literal):
    """Lower bounds (None where not written) and the nested lists of elements (str, or None for NULL)."""
    written = ARRAY_BOUNDS.match(literal)
    body = literal[written.end() :] if written else literal
    lower_bounds = [int(lower) for lower in re.findall(r"\[(-?\d+):", written[1])] if written else None
    return lower_bounds, nest(ARRAY_TOKEN.finditer(body))


def nest(tokens):
    """The nested lists of elements that the tokens of an array literal describe."""
    stack = [[]]
    for token in tokens:
        punctuation, quoted, bare = token.groups()
        if punctuation == "{":
            stack.append([])
        elif punctuation == "}":
            finished = stack.pop()
            stack[-1].append(finished)
        elif quoted is not None:
            stack[-1].append(BACKSLASHED.sub(r"\1", quoted))
        elif bare is not None:
            stack[-1].append(None if bare.upper() == "NULL" else BACKSLASHED.sub(r"\1", bare))
    return stack[0][0]


def dimension_lengths(nested):
    """The lengths of a nested list's dimensions, outermost first; none for an empty array."""
    if not isinstance(nested, list) or not nested:
        return []
    return [len(nested)] + dimension_lengths(nested[0])


def flatten(nested):
    """A nested list's elements in row-major order."""
    if not isinstance(nested, list):
        return [nested]
    return [element for part in nested for element in flatten(part)]


def array_bytes(element_type, form, literal):
    lower_bounds, nested = parse_array(literal)
    lengths = dimension_lengths(nested)
    header = u32(len(lengths))
    for length, lower in zip(lengths, lower_bounds or [1] * len(lengths)):
        header += u32(length) + i32(lower)
    return header + b"".join(frame(form, canonical(element_type, form, element)) for element in flatten(nested))


# ---- section 2.5: from type, form and literal to bytes ----------------------------------------------

ENCODERS = {
    "bool": bool_bytes,
    "int": int_bytes,
    "decimal": decimal_bytes,
    "float": float_bytes,
    "text": text_bytes,
    "bytes": bytea_bytes,
    "uuid": uuid_bytes,
    "date": date_bytes,
    "time": time_bytes,
    "timetz": timetz_bytes,
    "timestamp": timestamp_bytes,
    "timestamptz": timestamp_bytes,
    "interval": interval_bytes,
    "json": json_bytes,
}
# Types whose values are not what their input text says.
ENCODERS_BY_TYPE = {"real": float4_bytes, "character": char_bytes}
TYPE_MODIFIER = re.compile(r"\([\d,]+\)")


def canonical(sql_type, form, literal):
    """The canonical bytes of a literal of an SQL type under a form; None for NULL (None)."""
    if literal is None:
        return None
    element = element_form(form)
    if element is not None:
        return array_bytes(sql_type.removesuffix("[]"), element, literal)
    base_type = TYPE_MODIFIER.sub("", sql_type)
    return ENCODERS_BY_TYPE.get(base_type, ENCODERS[form])(literal)


# ---- section 3: framing -----------------------------------------------------------------------------


def frame(form, value):
    """The frame of canonical bytes (None for NULL) under a form."""
    if value is None:
        return b"\x00"
    if form in FIXED_WIDTHS:
        return b"\x01" + value
    return b"\x01" + with_length(value)


def framed_key(forms, values):
    return b"".join(frame(form, value) for form, value in zip(forms, values))


# ---- section 4: hashes ------------------------------------------------------------------------------

NULL_LOW = 0x9E3779B97F4A7C15
NULL_HIGH = 0xC2B2AE3D27D4EB4F
AVALANCHE_MULTIPLIER = 0x165667919E3779F9
FOLD_MULTIPLIER = 0x9E3779B185EBCA87
FOLD_ADDEND = 0x85EBCA77C2B2AE63
FOLD_ROTATION = 27


def rotl(value, count):
    return (value << count | value >> (64 - count)) & MASK64


def avalanche(value):
    value ^= value >> 37
    value = value * AVALANCHE_MULTIPLIER & MASK64
    return value ^ value >> 32


def low(value):
    return value & MASK64


def high(value):
    return value >> 64


def join(low_half, high_half):
    return high_half << 64 | low_half


def hash_bytes(data, seed, width):
    function = xxhash.xxh3_64_intdigest if width == 64 else xxhash.xxh3_128_intdigest
    return function(data, seed=seed & MASK64)


def cell_seed(key_hash, seed, keyless):
    return seed & MASK64 if keyless else low(key_hash)


def cell_hash(value, seed, width):
    """The hash of canonical bytes, or of NULL (None); `seed` is the cell's."""
    if value is not None:
        return hash_bytes(value, seed, width)
    null_low = avalanche(seed ^ NULL_LOW)
    return null_low if width == 64 else join(null_low, avalanche(seed ^ NULL_HIGH))


def fold(key_hash, cell_hashes):
    folded = key_hash
    for cell in cell_hashes:
        folded = (rotl(folded ^ cell, FOLD_ROTATION) * FOLD_MULTIPLIER + FOLD_ADDEND) & MASK64
    return avalanche(folded)


def row_hash(key_hash, cell_hashes, width):
    low_half = fold(low(key_hash), [low(cell) for cell in cell_hashes])
    if width == 64:
        return low_half
    return join(low_half, fold(high(key_hash), [high(cell) for cell in cell_hashes]))


# ---- sections 5 and 6: digests of a table -----------------------------------------------------------


@dataclass(frozen=True)
class Column:
    name: str
    sql_type: str
    form: str


@dataclass(frozen=True)
class Table:
    """Key columns, other compared columns, and rows of literals: those of the key first, as the columns stand."""

    key: list
    columns: list
    rows: list
    columns_are_listed: bool = False

    def agreed_columns(self):
        if self.columns_are_listed:
            return self.columns
        return sorted(self.columns, key=lambda column: column.name.encode("utf-8"))


@dataclass(frozen=True)
class HashedRow:
    key: bytes
    key_values: list
    key_hash: int
    row_hash: int
    cell_hashes: list


def hash_row(table, row, seed, width):
    values = {
        column.name: canonical(column.sql_type, column.form, literal)
        for column, literal in zip(table.key + table.columns, row)
    }
    columns = table.agreed_columns()
    key_columns = table.key or columns
    key_values = [values[column.name] for column in key_columns]
    key = framed_key([column.form for column in key_columns], key_values)
    key_hash = hash_bytes(key, seed, width)
    seed_of_cells = cell_seed(key_hash, seed, keyless=not table.key)
    cells = [cell_hash(values[column.name], seed_of_cells, width) for column in columns]
    return HashedRow(key, key_values, key_hash, row_hash(key_hash, cells, width), cells)


def slice_tag(table, slice_name, seed):
    key_forms = ",".join(column.form for column in table.key)
    described = f"{key_forms};{slice_name}".encode("ascii")
    return xxhash.xxh3_64_intdigest(described, seed=seed & MASK64) & 0xFFFFFFFF


def hex_of_hash(value, width):
    return f"{value:0{width // 4}x}"


@dataclass(frozen=True)
class Digest:
    width: int
    form: str
    tag: int
    count: int
    sum: int

    def text(self):
        fields = [FORMAT_VERSION, self.width, self.form, FORM_REVISION, f"{self.tag:08x}", self.count]
        return ":".join(map(str, fields)) + ":" + hex_of_hash(self.sum, self.width)

    def wire(self):
        head = struct.pack(">BBBBI", FORMAT_VERSION, self.width, form_code(self.form), FORM_REVISION, self.tag)
        return head + struct.pack(">QQQ", self.count, low(self.sum), high(self.sum))


def digest(table, slice_name, form, hashes, seed, width):
    return Digest(width, form, slice_tag(table, slice_name, seed), len(hashes), sum(hashes) % 2**width)


def column_forms(table):
    return ",".join(column.form for column in table.agreed_columns())


def key_digest(table, hashed_rows, seed, width):
    slice_name = "key" if table.key else f"key:{column_forms(table)}"
    return digest(table, slice_name, "key", [row.key_hash for row in hashed_rows], seed, width)


def row_digest(table, hashed_rows, seed, width):
    slice_name = f"row:{column_forms(table)}"
    return digest(table, slice_name, "row", [row.row_hash for row in hashed_rows], seed, width)


def column_digests(table, hashed_rows, seed, width):
    """The columns' digests in the agreed order."""
    return [
        digest(table, column.form, column.form, [row.cell_hashes[index] for row in hashed_rows], seed, width)
        for index, column in enumerate(table.agreed_columns())
    ]


# ---- section 7: order and ranges --------------------------------------------------------------------

KEY_BOUND = b"k"
HASH_BOUND = b"h"
SIGNED_FORMS = ("bool", "int", "date", "time", "timestamp", "timestamptz")
# Every value's rank is (0, …), so that NULL stands after it.
NULL_RANK = (1,)


def value_rank(form, value):
    """Something whose order under `<` is the form's order; `value` is canonical bytes, or None for NULL."""
    if value is None:
        return NULL_RANK
    if form in SIGNED_FORMS:
        return (0, int.from_bytes(value, "little", signed=True))
    if form == "decimal":
        return (0, decimal_rank(value))
    if form == "float":
        return (0, float_rank(value))
    return (0, value)


def decimal_rank(value):
    """Kind and number; the kinds' codes stand in the order of their numbers."""
    kind = value[:1]
    if kind not in (DECIMAL_NEGATIVE, DECIMAL_POSITIVE):
        return kind, 0
    weight = int.from_bytes(value[1:5], "little", signed=True)
    digits = enumerate(struct.iter_unpack("<H", value[5:]))
    magnitude = sum(digit * Fraction(10_000) ** (weight - index) for index, (digit,) in digits)
    return kind, -magnitude if kind == DECIMAL_NEGATIVE else magnitude


def float_rank(value):
    number = struct.unpack("<d", value)[0]
    return (1, 0.0) if number != number else (0, number)


def compare(form, left, right):
    """-1, 0 or 1 for canonical bytes (None for NULL) of one form."""
    left_rank, right_rank = value_rank(form, left), value_rank(form, right)
    return (left_rank > right_rank) - (left_rank < right_rank)


def key_bound(forms, values):
    """The bound made of leading key columns' canonical bytes."""
    return KEY_BOUND + framed_key(forms, values)


def hash_bound(value):
    return HASH_BOUND + struct.pack(">Q", value)


def even_hash_bounds(ranges):
    return [hash_bound(index * 2**64 // ranges) for index in range(1, ranges)]


def read_frames(forms, framed):
    """The canonical bytes (None for NULL) of the leading columns that `framed` holds."""
    values = []
    while framed:
        value, framed = read_frame(forms[len(values)], framed)
        values.append(value)
    return values


def read_frame(form, framed):
    """The first frame's canonical bytes, and what follows that frame."""
    if framed[0] == 0:
        return None, framed[1:]
    start = 1 if form in FIXED_WIDTHS else 5
    length = FIXED_WIDTHS.get(form) or int.from_bytes(framed[1:5], "little")
    return framed[start : start + length], framed[start + length :]


def key_rank(forms, values):
    """A list in the order of keys; a bound's left out columns are minus infinity, as a shorter list is less."""
    return [value_rank(form, value) for form, value in zip(forms, values)]


def below_key_bound(forms, key_values, bound):
    return key_rank(forms, key_values) < key_rank(forms, read_frames(forms, bound[1:]))


def below_hash_bound(key_hash, bound):
    return low(key_hash) < int.from_bytes(bound[1:], "big")


def compare_bounds(forms, left, right):
    """-1, 0 or 1 for two key bounds."""
    left_rank, right_rank = (key_rank(forms, read_frames(forms, bound[1:])) for bound in (left, right))
    return (left_rank > right_rank) - (left_rank < right_rank)


def range_of(table, row, bounds):
    """The number of the hashed row's range, from 0."""
    forms = [column.form for column in table.key]
    for number, bound in enumerate(bounds):
        is_hash = bound.startswith(HASH_BOUND)
        if below_hash_bound(row.key_hash, bound) if is_hash else below_key_bound(forms, row.key_values, bound):
            return number
    return len(bounds)
