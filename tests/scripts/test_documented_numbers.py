"""What the documentation says of limits and defaults is what the sources have.

Each line names a constant of the C++ sources, or a pattern of the extension's SQL, and the words of a page that it stands in. A changed constant
and a changed page both fail. That the words tell one number from the next is tested as well.
"""

import re
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parent.parent.parent
CODE = "\n".join(path.read_text() for folder in ("driver", "extension") for path in sorted((TOP / folder).rglob("*")) if path.suffix in (".h", ".cpp"))
SCRIPT = "\n".join(path.read_text() for path in sorted((TOP / "extension/sql").glob("*.sql")))
WORDS = dict(enumerate("zero one two three four five six seven eight nine ten eleven".split()))
SHARES = {20: "twentieth", 8: "eighth"}
BLOCK = 8192


def number(text):
    """The value of a constant expression: 64 * 1024, std::size_t{64} << 20, 131'072, 20e6."""
    text = re.sub(r"std::\w+\{(\d+)\}", r"\1", text).replace("'", "").strip()
    assert re.fullmatch(r"[\d.e+*<() ]+", text), text
    value = eval(text)
    assert value == int(value), text
    return int(value)


def constant(name):
    """A constant of the C++ sources, of which there is one with this name."""
    found = re.findall(rf"^ *(?:static |inline )*constexpr [\w:]+ {name}(?: = |\{{)([^;}}]+)", CODE, re.M)
    assert len(found) == 1, f"{name}: {found}"
    return number(found[0])


def member(name):
    """The default of a member of Options."""
    options = re.search(r"^struct Options \{\n(.*?)^\};", CODE, re.M | re.S).group(1)
    return re.search(rf'\b{name} = "?(\w+)"?;', options).group(1)


def sql(pattern, group=1):
    """A number of the extension's script."""
    found = re.findall(pattern, SCRIPT)
    assert len(found) == 1, f"{pattern}: {found}"
    return found[0] if isinstance(found[0], str) else found[0][group - 1]


def mb(size):
    return f"{size >> 20} MB" if size % (1 << 20) == 0 else f"{size} B"


def kb(size):
    return f"{size >> 10} kB" if size % 1024 == 0 else f"{size} B"


def word(value):
    return WORDS.get(value, str(value))


VERIFY_RANGES = {name: rf"\b{name} CONSTANT integer := (\d+);" for name in ("fewest_ranges", "most_ranges", "rows_of_range", "most_digests")}
CAPTURE_RANGES = r"greatest\((\d+), least\(\s*(\d+), (\d+) / \(cardinality\(plan\.columns\) \+ 2\), [\w.]+baseline_pages\(relation\) / (\d+)\)\)"

# Where the value is from, by what function; the page; the words around it, which take the value.
NUMBERS = {
    "rows of a range": (lambda: constant("kRowsPerRange"), "cli.md", "one for {} rows, 1 to 2048".format),
    "most default ranges": (lambda: constant("kMaxDefaultRanges"), "cli.md", "one for 1250 rows, 1 to {} |".format),
    "most default ranges, of 2 TB": (lambda: constant("kMaxDefaultRanges"), "operations.md", "A table has at most {} ranges by default".format),
    "digests of a call": (lambda: int(re.search(r"int max_digest_memory_kb = (\d+) \* 1024;", CODE).group(1)), "trust.md", "`parity.max_digest_memory`, {} MB by default".format),
    "digests of a call, of 2 TB": (lambda: int(re.search(r"int max_digest_memory_kb = (\d+) \* 1024;", CODE).group(1)), "operations.md",
                                   "a server: {} MB (`parity.max_digest_memory`)".format),
    "queue of a worker": (lambda: constant("kMostQueueBytes"), "trust.md", lambda n: f"{kb(n)} for each worker"),
    "lock timeout, where trust is the matter": (lambda: int(member("lock_timeout").removesuffix("s")), "trust.md", "waited for during {} seconds** (`--lock-timeout`)".format),
    "default jobs": (lambda: int(member("jobs")), "cli.md", "(#connections) | {} |".format),
    "default width": (lambda: int(member("width")), "cli.md", "bits of the hashes | {} |".format),
    "default divergences": (lambda: int(member("max_divergences")), "cli.md", "counts are exact in any case | {} |".format),
    "default connect timeout": (lambda: int(member("connect_timeout_s")), "cli.md", "0 for no limit | {} |".format),
    "default lock timeout": (lambda: int(member("lock_timeout").removesuffix("s")), "cli.md", "the lock of one table | {}s |".format),
    "lock timeout of the runbook": (lambda: int(member("lock_timeout").removesuffix("s")), "operations.md", "`--lock-timeout` ({} s)".format),
    "default connections of a stream": (lambda: constant("kDefaultThreads"), "cli.md", "at most {} and at most the machine's processors".format),
    "connections of a stream, again": (lambda: constant("kDefaultThreads"), "cli.md", "Without `--workers`, {} or the number of".format),
    "connections of a stream, in the runbook": (lambda: constant("kDefaultThreads"), "operations.md", lambda n: f"(at most {word(n)}, unless `--workers`"),
    "size that is worth a connection": (lambda: constant("kBlocksPerThread"), "cli.md", lambda n: f"for a stream, one for {mb(n * BLOCK)}"),
    "sorter of a stream": (lambda: constant("kSorterBytes"), "cli.md", lambda n: f"divergent ranges: {mb(n)} for each stream"),
    "memory of a connection": (lambda: constant("kThreadBytes"), "cli.md", lambda n: f"for each connection {mb(n)} and the sums"),
    "rows that are planned for": (lambda: constant("kPlannedRow"), "cli.md", lambda n: f"Rows of more than {mb(n)} are not planned for"),
    "blocks of large partitions": (lambda: constant("kBlocksOfTable"), "cli.md", lambda n: f"({mb(n * BLOCK)} of a table)"),
    "shown bytes": (lambda: constant("kMostShownBytes"), "cli.md", lambda n: f"A value of a cell of more than {kb(n)} is"),
    "shown characters": (lambda: constant("kMostShownBytes") // constant("kMostBytesOfCharacter"), "cli.md", "its first {} characters".format),
    "shown bytes, why": (lambda: constant("kMostShownBytes"), "architecture.md", lambda n: f"cut** at {kb(n)} by the servers"),
    "recorded bytes": (lambda: constant("kMostRecordedBytes"), "cli.md", lambda n: f"cut after {kb(n)}, with their length"),
    "time for a record": (lambda: constant("kRecordSeconds"), "cli.md", "A statement may take {} seconds.".format),
    "time to ask for a cancel": (lambda: constant("kCancelTime"), "cli.md", "A request to cancel may take {} seconds.".format),
    "time to cancel": (lambda: constant("kDrainTime"), "cli.md", "A cancelled query may take {} seconds to end, including the request.".format),
    "time to roll back": (lambda: constant("kBriefTime"), "cli.md", "A rollback may take {} seconds.".format),
    "time between metrics": (lambda: constant("kMetricsInterval"), "cli.md", "every {} seconds while it goes on".format),
    "longest pause": (lambda: constant("kLongestPause"), "cli.md", "Its upper bound doubles from one second to {} seconds.".format),
    "time of an attempt that counts": (lambda: constant("kLongestPause"), "cli.md", "the time that it ran, of which at most {} seconds count:".format),
    "time for a standby's sequences": (lambda: constant("kReplayTime"), "cli.md", "and waits {} seconds for that".format),
    "most ranges of a call": (lambda: constant("kMaxRanges"), "sql.md", "at most, 1 … {}; they are".format),
    "most buckets of a range": (lambda: constant("kMaxBuckets"), "sql.md", "a power of two up to {} |".format),
    "ranges for the index": (lambda: constant("kIndexFraction"), "sql.md", lambda n: f"names at most a {SHARES.get(n)} of the ranges"),
    "ranges for the index, in order": (lambda: constant("kIndexFractionInOrder"), "sql.md", lambda n: f"an {SHARES.get(n)} takes the place"),
    "buckets of a table": (lambda: constant("kBucketsOfTable"), "architecture.md", "a table has {:,} buckets".format),
    "rows for more buckets": (lambda: constant("kVeryManyRows") // 10**6, "architecture.md", "more than {} million rows".format),
    "many rows": (lambda: constant("kManyRows"), "architecture.md", "these rows are more than {:,}, and".format),
    "cost of a row": (lambda: constant("kCostOfRow"), "architecture.md", lambda n: f"more than a {'quarter' if n == 4 else n} of their ranges"),
    "large objects whose pages are remembered": (lambda: constant("kMostSuspects") // 10**6, "architecture.md",
                                                 lambda n: f"at most {'a' if n == 1 else n} million objects"),
    "verify: rows of a range": (lambda: sql(VERIFY_RANGES["rows_of_range"]), "sql.md", "about one for {} rows, 64 … 4096".format),
    "verify: least ranges": (lambda: sql(VERIFY_RANGES["fewest_ranges"]), "sql.md", "one for 1250 rows, {} … 4096 |".format),
    "verify: most default ranges": (lambda: sql(VERIFY_RANGES["most_ranges"]), "sql.md", "one for 1250 rows, 64 … {} |".format),
    "verify: ranges of wide tables": (lambda: int(sql(VERIFY_RANGES["most_digests"])) // int(sql(VERIFY_RANGES["most_ranges"])) - 2, "sql.md",
                                      "Tables of more than {} columns besides the key have fewer by default |".format),
    "verify: most ranges": (lambda: sql(r"'ranges'\)::integer > (\d+) THEN"), "sql.md", "ranges are digested, at most {}.".format),
    "verify: most rows": (lambda: sql(r"'max_rows'\)::integer BETWEEN 0 AND (\d+)"), "sql.md", "named at most (0 … {})".format),
    "verify: bytes of keys": (lambda: int(sql(r"room_bytes bigint := (\d+) -")) // 10**6, "sql.md", "keys have no more than {} MB in all".format),
    "verify: bytes of values": (lambda: int(sql(r"verify_values\(\w+, found -> 'rows', (\d+)\)")) // 10**6, "sql.md", "no more than {} MB in all on a side".format),
    "verify: bytes of a value": (lambda: int(sql(r"most_of_value CONSTANT bigint := (\d+);")), "sql.md", lambda n: f"rows that differ, cut at {kb(n)},"),
    "verify: recorded ranges": (lambda: sql(r"FUNCTION [\w.]+verify_most_ranges\(\)[^$]*\$\$\s*SELECT (\d+)"), "sql.md", "recorded as ranges, {} at most".format),
    "verify: looks at once": (lambda: int(sql(r"looks > 1 AND \w+ < (\d+) AND")), "architecture.md", lambda n: f"makes up to {word(n)} further looks at once"),
    "capture: least ranges": (lambda: sql(CAPTURE_RANGES, 1), "sql.md", "about a megabyte each, {} … 1024 |".format),
    "capture: most ranges": (lambda: sql(CAPTURE_RANGES, 2), "sql.md", "about a megabyte each, 16 … {} |".format),
    "capture: ranges of wide tables": (lambda: int(sql(CAPTURE_RANGES, 3)) // int(sql(CAPTURE_RANGES, 2)) - 2, "sql.md",
                                       "Tables of more than {} columns besides the key have fewer by default |".format),
    "capture: size of a range": (lambda: int(sql(CAPTURE_RANGES, 4)) * BLOCK >> 20, "sql.md", lambda n: f"about {'a' if n == 1 else n} megabyte each"),
    "status of equal sides": (lambda: constant("kExitIdentical"), "cli.md", "| {} | everything that was asked for was compared".format),
    "status of a divergence": (lambda: constant("kExitDivergent"), "cli.md", "| {} | there is at least one divergence".format),
    "status of no answer": (lambda: constant("kExitError"), "cli.md", "| {} | nothing can be concluded".format),
    "status of an incomplete run": (lambda: constant("kExitIncomplete"), "cli.md", "| {} | there is no divergence, but".format),
    "README: status of equal sides": (lambda: constant("kExitIdentical"), "../README.md", "| {} | everything that you asked for".format),
    "README: status of a divergence": (lambda: constant("kExitDivergent"), "../README.md", "| {} | there is at least one divergence".format),
    "README: status of no answer": (lambda: constant("kExitError"), "../README.md", "| {} | nothing can be concluded".format),
    "README: status of an incomplete run": (lambda: constant("kExitIncomplete"), "../README.md", "| {} | there is no divergence, but".format),
}


def page(name):
    return (TOP / "docs" / name).read_text()


@pytest.mark.parametrize("what", NUMBERS)
def test_the_page_has_the_number_of_the_sources(what):
    value, name, words = NUMBERS[what]
    value = int(value())
    assert words(value) in page(name), f"docs/{name} does not say: {words(value)}"
    assert not any(words(other) in page(name) for other in (value + 1, value * 2 + 1)), "these words do not tell the number"


def test_patience_with_a_target():
    """An hour to read, or ten times as long as this side; about a minute for anything else."""
    assert "may take an hour to read, or ten times as long as this side if that is more, and about a minute for anything else" in page("sql.md")
    assert sql(r"ELSE greatest\((\d+), 10 \* extract") == "3600"
    assert sql(r"THEN (\d+) \+ \(ask ->> 'lock_timeout'\)") == "60"


def test_idle_transactions_of_a_target():
    assert re.search(r"While this side still reads, the target may be idle in its transaction for a day\.\n +Otherwise it may be idle for ten minutes", page("architecture.md"))
    pattern = r"WHEN reading THEN '(\w+)' ELSE '(\w+)'"
    assert (sql(pattern, 1), sql(pattern, 2)) == ("24h", "10min")


def test_pauses_for_replay():
    """parity.verify doubles its pauses."""
    assert "make_interval(secs => 2 ^ (c.times - 1))" in SCRIPT and "c.times < 5" in SCRIPT
    assert len(re.findall("after 1, 2, 4 and 8 seconds,? in which replay can catch up", page("operations.md"))) == 1


def test_pinned_settings():
    """docs/cli.md lists what the driver sets in each session that reads."""
    names = ["pinned_settings", "pin_session_statements", "session_settings_statements", "begin_statements"]
    bodies = [re.search(rf"^std::string {name}\([^;]*?\) \{{(.*?)\n\n", CODE, re.M | re.S).group(1) for name in names]
    of_code = set(re.findall(r'\{"(\w+)", "', bodies[0]))
    of_code |= {name for pair in re.findall(r'\bset_local\("([\w.]+)"|\bSET (?:LOCAL )?(\w+) = ', "".join(bodies)) for name in pair if name}
    section = page("cli.md").split("sets these settings for each session or transaction")[1].split("\n\n")[1]
    told = set(re.findall(r"`([\w.]+)`", section)) - {"partition", "pgparity"}
    assert of_code == told


def test_the_driver_and_verify_divide_by_limits_of_their_own():
    """pgparity has buckets, parity.verify has not: how many ranges they take differs on purpose."""
    driver = constant("kFewestDefaultRanges"), constant("kMaxDefaultRanges")
    verify = int(sql(VERIFY_RANGES["fewest_ranges"])), int(sql(VERIFY_RANGES["most_ranges"]))
    assert (driver, verify) == ((1, 2048), (64, 4096))
    assert constant("kRowsPerRange") == int(sql(VERIFY_RANGES["rows_of_range"]))
