"""A second implementation of docs/digest-format.md, written from that document alone.

It favours being easily compared with the document over speed. Literals are PostgreSQL input text in ISO
notation; only what the vectors use is parsed, and nothing is validated that a server would refuse anyway.
Section numbers refer to the document.
"""

import ipaddress
import json
import re
import struct
import uuid
from dataclasses import dataclass
from fractions import Fraction

import xxhash

from sql_types import ARRAY_DELIMITERS, COMPOSITES, MULTIRANGE_RANGES, RANGE_SUBTYPES, base_type, printed
from text_search import read_tsquery, read_tsvector

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
    "bits": 16,
    "inet": 17,
    "macaddr": 18,
    "macaddr8": 19,
    "money": 20,
    "point": 21,
    "line": 22,
    "lseg": 23,
    "box": 24,
    "circle": 25,
    "path": 26,
    "polygon": 27,
    "unsigned": 28,
    "tid": 29,
    "snapshot": 30,
    "tsvector": 31,
    "tsquery": 32,
    "hstore": 33,
    "range": 34,
    "multirange": 35,
    "record": 36,
    "trimmed": 37,
    "float4": 38,
    "key": 64,
    "row": 65,
}
FIXED_WIDTHS = {
    "bool": 1,
    "int": 8,
    "float": 8,
    "float4": 8,
    "uuid": 16,
    "date": 4,
    "time": 8,
    "timetz": 12,
    "timestamp": 8,
    "timestamptz": 8,
    "interval": 16,
    "macaddr": 6,
    "macaddr8": 8,
    "money": 8,
    "point": 16,
    "line": 24,
    "lseg": 32,
    "box": 32,
    "circle": 24,
    "unsigned": 8,
    "tid": 6,
}


def element_form(form):
    """The form of an array form's elements, or None where `form` is not an array's."""
    return form[:-2] if form.endswith("[]") else None


def inner_form(form):
    """What stands in the `<…>` of a form, or None where it has none."""
    return form[form.index("<") + 1 : form.rindex(">")] if "<" in form else None


def short_form(form):
    """The form's name without `<…>`, as digests show it."""
    return form if "<" not in form else form[: form.index("<")] + form[form.rindex(">") + 1 :]


def form_code(form):
    """The code of a form or pseudo-form (`key`, `row`)."""
    short = short_form(form)
    element = element_form(short)
    return FORM_CODES[short] if element is None else ARRAY_CODE_OFFSET + FORM_CODES[element]


# ---- section 2: canonical bytes of scalars ----------------------------------------------------------


def u8(value):
    return struct.pack("<B", value)


def u16(value):
    return struct.pack("<H", value)


def u32(value):
    return struct.pack("<I", value)


def u64(value):
    return struct.pack("<Q", value)


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


def rounded_float_bytes(literal):
    """A double in single precision, if that leaves it finite and does not make a zero of it."""
    value = float(literal)
    try:
        rounded = struct.unpack("<f", struct.pack("<f", value))[0]
    except OverflowError:
        rounded = value
    return float_bytes(repr(value if rounded == 0 else rounded))


def text_bytes(literal):
    return literal.encode("utf-8")


def char_bytes(literal):
    return literal.rstrip(" ").encode("utf-8")


def bytea_bytes(literal):
    return bytes.fromhex(literal.removeprefix("\\x"))


def uuid_bytes(literal):
    return uuid.UUID(literal).bytes


def uuid_text_bytes(literal):
    return str(uuid.UUID(literal)).encode("ascii")


def quoted_char_bytes(literal):
    """The type "char" keeps one byte, which is zero for the empty string."""
    return (literal.encode("utf-8") or b"\x00")[:1]


def bits_bytes(literal):
    """Binary digits, or hexadecimal ones after an x."""
    digits = literal.removeprefix("b")
    if literal.startswith("x"):
        digits = "".join(f"{int(digit, 16):04b}" for digit in literal[1:])
    filled = digits + "0" * (-len(digits) % 8)
    return u32(len(digits)) + bytes(int(filled[i : i + 8], 2) for i in range(0, len(filled), 8))


def inet_bytes(literal):
    """Also cidr."""
    interface = ipaddress.ip_interface(literal)
    return u8(interface.version) + u8(interface.network.prefixlen) + interface.ip.packed


def macaddr_bytes(literal):
    return bytes.fromhex(re.sub("[-:.]", "", literal))


def macaddr8_bytes(literal):
    """An address of six bytes is widened as EUI-48 to EUI-64."""
    written = macaddr_bytes(literal)
    return written if len(written) == 8 else written[:3] + b"\xff\xfe" + written[3:]


def money_bytes(literal):
    """The smallest unit is a hundredth under the lc_monetary of the vectors."""
    return i64(int(Fraction(literal) * 100))


def unsigned_bytes(literal):
    return u64(int(literal))


def lsn_bytes(literal):
    high_half, low_half = literal.split("/")
    return u64(int(high_half, 16) << 32 | int(low_half, 16))


def tid_bytes(literal):
    block, position = literal.strip("()").split(",")
    return u32(int(block)) + u16(int(position))


def snapshot_bytes(literal):
    xmin, xmax, written = literal.split(":")
    running = sorted({int(transaction) for transaction in written.split(",") if transaction})
    return u64(int(xmin)) + u64(int(xmax)) + u32(len(running)) + b"".join(map(u64, running))


# ---- section 2: geometry ----------------------------------------------------------------------------

COORDINATE = re.compile(r"[^\s()\[\]<>{},]+")
DOUBLE_BYTES = 8
POINT_BYTES = 2 * DOUBLE_BYTES


def coordinates_bytes(literal):
    """Every number of a literal in its order: all there is to point, line, lseg and circle."""
    return b"".join(map(float_bytes, COORDINATE.findall(literal)))


def box_bytes(literal):
    """The corners that are upper right and lower left, whichever were written; NaN is above all numbers."""
    x1, y1, x2, y2 = map(float_bytes, COORDINATE.findall(literal))
    left, right = sorted((x1, x2), key=float_rank)
    lower, upper = sorted((y1, y2), key=float_rank)
    return right + upper + left + lower


def path_bytes(literal):
    return u8(0 if literal.startswith("[") else 1) + polygon_bytes(literal)


def polygon_bytes(literal):
    points = coordinates_bytes(literal)
    return u32(len(points) // POINT_BYTES) + points


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
ARRAY_TOKEN = r'\s*(?:([{},])|"((?:[^"\\]|\\.)*)"|((?:[^{},"\\\s]|\\.|\s+(?=[^{},"\s]))+))\s*'
BACKSLASHED = re.compile(r"\\(.)", re.DOTALL)


def parse_array(literal, delimiter):
    """Lower bounds (None where not written) and the nested lists of elements (str, or None for NULL)."""
    written = ARRAY_BOUNDS.match(literal)
    body = literal[written.end() :] if written else literal
    lower_bounds = [int(lower) for lower in re.findall(r"\[(-?\d+):", written[1])] if written else None
    return lower_bounds, nest(re.finditer(ARRAY_TOKEN.replace(",", delimiter), body, re.DOTALL))


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
    lower_bounds, nested = parse_array(literal, ARRAY_DELIMITERS.get(element_type, ","))
    lengths = dimension_lengths(nested)
    header = u32(len(lengths))
    for length, lower in zip(lengths, lower_bounds or [1] * len(lengths)):
        header += u32(length) + i32(lower)
    return header + b"".join(frame(form, canonical(element_type, form, element)) for element in flatten(nested))


def vector_bytes(literal):
    """int2vector and oidvector are arrays of one dimension that starts at 0."""
    numbers = literal.split()
    if not numbers:
        return u32(0)
    return u32(1) + u32(len(numbers)) + i32(0) + b"".join(frame("int", int_bytes(number)) for number in numbers)


# ---- sections 2 and 2.5: hstore, tsvector and tsquery -----------------------------------------------

HSTORE_TOKEN = re.compile(r'\s*(?:"((?:[^"\\]|\\.)*)"|((?:[^\s"\\,=]|\\.)+))\s*(?:=>|,|$)', re.DOTALL)


def hstore_bytes(literal):
    tokens = [
        None if bare.upper() == "NULL" else BACKSLASHED.sub(r"\1", quoted or bare) for quoted, bare in HSTORE_TOKEN.findall(literal)
    ]
    pairs = sorted((key.encode("utf-8"), value) for key, value in zip(tokens[::2], tokens[1::2]))
    return u32(len(pairs)) + b"".join(with_length(key) + frame("text", canonical("text", "text", value)) for key, value in pairs)


def tsvector_bytes(literal):
    lexemes = sorted((lexeme.encode("utf-8"), positions) for lexeme, positions in read_tsvector(literal).items())
    return u32(len(lexemes)) + b"".join(with_length(lexeme) + positions_bytes(positions) for lexeme, positions in lexemes)


def positions_bytes(positions):
    return u32(len(positions)) + b"".join(u16(weight << 14 | position) for position, weight in sorted(positions.items()))


def tsquery_bytes(literal):
    tree = read_tsquery(literal)
    return b"" if tree is None else query_node_bytes(*tree)


def query_node_bytes(kind, *parts):
    if kind == "v":
        lexeme, weights, is_prefix = parts
        return b"v" + u8(weights) + u8(is_prefix) + with_length(lexeme.encode("utf-8"))
    distance = u16(parts[0]) if kind == "<" else b""
    operands = parts[1:] if kind == "<" else parts
    return kind.encode("ascii") + distance + b"".join(query_node_bytes(*operand) for operand in operands)


# ---- section 2.6: ranges and multiranges ------------------------------------------------------------

QUOTED_PART = r'"(?:[^"\\]|""|\\.)*"|\\.'
RANGE = re.compile(
    rf'\s*(?:(empty)|([\[(])((?:[^"\\,()\[\]]|{QUOTED_PART})*),((?:[^"\\,()\[\]]|{QUOTED_PART})*)([\])]))\s*', re.DOTALL | re.IGNORECASE
)
PART = re.compile(r'"((?:[^"\\]|""|\\.)*)"|((?:[^"\\]|\\.)+)', re.DOTALL)
DOUBLED_OR_BACKSLASHED = re.compile(r'""|\\(.)', re.DOTALL)

RANGE_EMPTY = 1
LOWER_INCLUSIVE = 2
UPPER_INCLUSIVE = 4
NO_LOWER = 8
NO_UPPER = 16
# The discrete subtypes: their bounds' width and those of their values that have no next one.
DISCRETE = {"integer": (8, ()), "bigint": (8, ()), "date": (4, (INT32_MIN, INT32_MAX))}


@dataclass(frozen=True)
class Bound:
    """A bound's canonical bytes (None where there is no bound), and whether it belongs to the range."""

    value: bytes
    inclusive: bool


def unquoted_item(item):
    """A bound of a range or a field of a row without its quotes; None where nothing is written."""
    if not item:
        return None
    return "".join(
        BACKSLASHED.sub(r"\1", bare) if bare else DOUBLED_OR_BACKSLASHED.sub(lambda escape: escape[1] or '"', quoted)
        for quoted, bare in PART.findall(item)
    )


def read_range(subtype, form, match):
    """The bounds that RANGE has found as the type's canonical function leaves them; None for an empty range."""
    empty, opening, lower, upper, closing = match.groups()
    if empty:
        return None
    lower_value, upper_value = (canonical(subtype, form, unquoted_item(bound)) for bound in (lower, upper))
    lower_bound = Bound(lower_value, lower_value is not None and opening == "[")
    upper_bound = Bound(upper_value, upper_value is not None and closing == "]")
    if is_empty_range(form, lower_bound, upper_bound):
        return None
    if subtype in DISCRETE:
        lower_bound = next_value(subtype, lower_bound, to_inclusive=True)
        upper_bound = next_value(subtype, upper_bound, to_inclusive=False)
    return None if is_empty_range(form, lower_bound, upper_bound) else (lower_bound, upper_bound)


def is_empty_range(form, lower, upper):
    if lower.value is None or upper.value is None:
        return False
    return compare(form, lower.value, upper.value) == 0 and not (lower.inclusive and upper.inclusive)


def next_value(subtype, bound, to_inclusive):
    """A bound of a discrete subtype moved to the next value where it is not as `to_inclusive` wants it."""
    if bound.value is None or bound.inclusive == to_inclusive:
        return bound
    width, without_next = DISCRETE[subtype]
    number = int.from_bytes(bound.value, "little", signed=True)
    if number in without_next:
        return bound
    return Bound((number + 1).to_bytes(width, "little", signed=True), to_inclusive)


def bounds_bytes(form, bounds):
    """The bytes of a range with these bounds, or of the empty one (None)."""
    if bounds is None:
        return u8(RANGE_EMPTY) + frame(form, None) + frame(form, None)
    lower, upper = bounds
    flags = LOWER_INCLUSIVE * lower.inclusive + UPPER_INCLUSIVE * upper.inclusive
    flags += NO_LOWER * (lower.value is None) + NO_UPPER * (upper.value is None)
    return u8(flags) + frame(form, lower.value) + frame(form, upper.value)


def range_bytes(subtype, form, literal):
    """`form` is the subtype's, here and below."""
    return bounds_bytes(form, read_range(subtype, form, RANGE.fullmatch(literal)))


def multirange_bytes(subtype, form, literal):
    written = (read_range(subtype, form, match) for match in RANGE.finditer(literal.strip().removeprefix("{").removesuffix("}")))
    ranges = merged_ranges(form, [bounds for bounds in written if bounds is not None])
    return u32(len(ranges)) + b"".join(with_length(bounds_bytes(form, bounds)) for bounds in ranges)


def lower_rank(form, bound):
    """Something whose order is that of lower bounds; no bound comes first."""
    return (0,) if bound.value is None else (1, value_rank(form, bound.value), not bound.inclusive)


def upper_rank(form, bound):
    return (2,) if bound.value is None else (1, value_rank(form, bound.value), bound.inclusive)


def merged_ranges(form, ranges):
    """Ranges in order, those that overlap or touch made one."""
    merged = []
    for lower, upper in sorted(ranges, key=lambda bounds: lower_rank(form, bounds[0])):
        if merged and reaches(form, merged[-1][1], lower):
            upper = max(merged[-1][1], upper, key=lambda bound: upper_rank(form, bound))
            merged[-1] = (merged[-1][0], upper)
        else:
            merged.append((lower, upper))
    return merged


def reaches(form, upper, lower):
    """Whether no value lies between an upper bound and the lower bound of a range that does not begin earlier."""
    if upper.value is None or lower.value is None:
        return True
    order = compare(form, lower.value, upper.value)
    return order < 0 or order == 0 and (lower.inclusive or upper.inclusive)


# ---- section 2.7: composite types -------------------------------------------------------------------

FORM_TOKEN = re.compile(r'"(?:[^"]|"")*"|[<>,]|[^"<>,]+')
ATTRIBUTE = re.compile(r'(?:"((?:[^"]|"")*)"|([a-z0-9_]+)):(.+)', re.DOTALL)
ROW_FIELD = re.compile(rf'((?:[^"\\,)]|{QUOTED_PART})*)[,)]', re.DOTALL)


def record_forms(form):
    """A dict from the attributes' names to their forms; `form` is what stands in `record<…>`."""
    parts, depth = [""], 0
    for token in FORM_TOKEN.findall(form):
        depth += (token == "<") - (token == ">")
        if token == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += token
    attributes = (ATTRIBUTE.fullmatch(part).groups() for part in parts if part)
    return {bare or quoted.replace('""', '"'): attribute_form for quoted, bare, attribute_form in attributes}


def record_bytes(attributes, form, literal):
    """`attributes` are names and types as they are declared, which is how the literal has them."""
    forms = record_forms(form)
    fields = map(unquoted_item, ROW_FIELD.findall(literal.strip()[1:]))
    written = sorted(
        (name.encode("utf-8"), frame(forms[name], canonical(sql_type, forms[name], field)))
        for (name, sql_type), field in zip(attributes, fields)
    )
    return u32(len(written)) + b"".join(with_length(name) + framed for name, framed in written)


# ---- section 2.8: from type, form and literal to bytes ----------------------------------------------

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
    "bits": bits_bytes,
    "inet": inet_bytes,
    "macaddr": macaddr_bytes,
    "macaddr8": macaddr8_bytes,
    "money": money_bytes,
    "point": coordinates_bytes,
    "line": coordinates_bytes,
    "lseg": coordinates_bytes,
    "box": box_bytes,
    "circle": coordinates_bytes,
    "path": path_bytes,
    "polygon": polygon_bytes,
    "unsigned": unsigned_bytes,
    "tid": tid_bytes,
    "snapshot": snapshot_bytes,
    "tsvector": tsvector_bytes,
    "tsquery": tsquery_bytes,
    "hstore": hstore_bytes,
}
# Types whose values are not what their input text says.
ENCODERS_BY_TYPE = {
    "real": float4_bytes,
    "character": char_bytes,
    '"char"': quoted_char_bytes,
    "int2vector": vector_bytes,
    "oidvector": vector_bytes,
    "pg_lsn": lsn_bytes,
}
# Forms that are not the first one of their type.
ENCODERS_BY_TYPE_AND_FORM = {
    ("uuid", "text"): uuid_text_bytes,
    ("text", "trimmed"): char_bytes,
    ("varchar", "trimmed"): char_bytes,
    ("character", "uuid"): uuid_bytes,
    ("double precision", "float4"): rounded_float_bytes,
    ("date", "timestamp"): timestamp_bytes,
}
TYPE_MODIFIER = re.compile(r"\([\d,]+\)")


def canonical(sql_type, form, literal):
    """The canonical bytes of a literal of an SQL type under a form; None for NULL (None)."""
    if literal is None:
        return None
    plain_type = TYPE_MODIFIER.sub("", base_type(sql_type))
    if plain_type.endswith("[]"):
        return array_bytes(plain_type.removesuffix("[]"), element_form(form), literal)
    if plain_type in COMPOSITES:
        return record_bytes(COMPOSITES[plain_type], inner_form(form), literal)
    if plain_type in RANGE_SUBTYPES:
        return range_bytes(RANGE_SUBTYPES[plain_type], inner_form(form), literal)
    if plain_type in MULTIRANGE_RANGES:
        return multirange_bytes(RANGE_SUBTYPES[MULTIRANGE_RANGES[plain_type]], inner_form(form), literal)
    encoder = ENCODERS_BY_TYPE_AND_FORM.get((plain_type, form)) or ENCODERS_BY_TYPE.get(plain_type, ENCODERS.get(form))
    return encoder(printed(plain_type, literal))


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
    described = f"{key_forms};{slice_name}".encode("utf-8")
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
        fields = [FORMAT_VERSION, self.width, short_form(self.form), FORM_REVISION, f"{self.tag:08x}", self.count]
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
SIGNED_FORMS = ("bool", "int", "date", "time", "timestamp", "timestamptz", "money")
# Every value's rank is (0, …), so that NULL stands after it.
NULL_RANK = (1,)


def value_rank(form, value):
    """Something whose order under `<` is the form's order; `value` is canonical bytes, or None for NULL."""
    if value is None:
        return NULL_RANK
    if form in SIGNED_FORMS:
        return (0, int.from_bytes(value, "little", signed=True))
    if form == "unsigned":
        return (0, int.from_bytes(value, "little"))
    if form == "decimal":
        return (0, decimal_rank(value))
    if form in ("float", "float4"):
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
