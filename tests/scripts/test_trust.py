"""What docs/trust.md says can be checked: the files and tests that it names are there, the module has none of what it is said not to have,
and the probabilities are worked out here once more."""

import math
import re
from fractions import Fraction
from pathlib import Path

import pytest
import xxhash

TOP = Path(__file__).resolve().parent.parent.parent
PAGE = (TOP / "docs/trust.md").read_text()
MODULE = {path: path.read_text() for folder in ("backend", "core") for path in sorted((TOP / "extension" / folder).rglob("*")) if path.suffix in (".h", ".cpp")}
CODE = "\n".join(MODULE.values())


def test_tests_that_are_named_are_there():
    named = set(re.findall(r"`(test_\w+)(?:::(test_\w+))?`", PAGE))
    assert len(named) > 50
    for module, test in named:
        text = (TOP / "tests/integration" / f"{module}.py").read_text()
        assert not test or f"\ndef {test}(" in text, f"{module}::{test}"


def test_files_that_are_named_are_there():
    named = set(re.findall(r"`((?:extension|driver|tests|scripts|sql)/[\w./-]+|Makefile)`", PAGE))
    assert len(named) > 25
    assert [name for name in sorted(named) if not (TOP / name).exists()] == []


# What a module does that takes part in more than the calls of its functions. A parser's hook of one query (p_…_hook) is none of the server's.
FOREIGN = {
    "a hook": r"(?<!p_pre_columnref)(?<!p_paramref)_hook = ",
    "a background process": r"RegisterBackgroundWorker|RegisterDynamicBackgroundWorker",
    "shared memory": r"RequestAddinShmemSpace|ShmemInit\w+|RequestNamedLWLockTranche",
    "a callback of transactions": r"Register(?:Sub)?XactCallback|RegisterResourceReleaseCallback|before_shmem_exit|on_proc_exit",
    "a destructor": r"~[A-Z]\w*\(",
    "an exception": r"\bthrow\b|\btry \{|\bcatch \(",
    "threads or programs": r"\bpthread_|std::thread|\bfork\(|\bsystem\(|\bpopen\(",
    "sockets": r"\bsocket\(|\bPQconnect",
}


def code_alone(text):
    return re.sub(r'//.*|"(?:\\.|[^"\\])*"', "", text)


@pytest.mark.parametrize("what", FOREIGN)
def test_the_module_has_none(what):
    assert re.findall(FOREIGN[what], code_alone(CODE)) == []


@pytest.mark.parametrize("what, text", [
    ("a hook", "planner_hook = mine;"), ("a background process", "RegisterBackgroundWorker(&worker);"), ("shared memory", "RequestAddinShmemSpace(1);"),
    ("a callback of transactions", "RegisterXactCallback(at_end, nullptr);"), ("a destructor", "    ~Guard() { end(); }"), ("an exception", "throw Error();"),
    ("threads or programs", "std::thread other(work);"), ("sockets", "int fd = socket(AF_UNIX, SOCK_STREAM, 0);"),
])
def test_what_is_looked_for_would_be_found(what, text):
    assert re.findall(FOREIGN[what], code_alone(text))


def test_one_place_catches_an_error():
    assert [path.name for path, text in MODULE.items() if "PG_TRY" in text] == ["value.cpp"]
    assert "read_guarded" in MODULE[TOP / "extension/backend/values/value.cpp"] and "`read_guarded`" in PAGE


def test_one_file_is_read():
    assert len(re.findall(r"\bAllocateFile\(|\bfopen\(|\bOpenTransientFile\(", CODE)) == 1


def test_loading_defines_three_settings():
    assert re.search(r"void _PG_init\(void\) \{ parity::backend::define_settings\(\); \}", CODE)
    assert len(re.findall(r"\bDefineCustom\w+Variable\(", CODE)) == 3 and "defines three settings" in PAGE


def test_the_scan_prunes_no_pages():
    assert "heap_page_prune" not in code_alone(CODE)


def test_the_fuzz_targets_are_counted():
    assert len(list((TOP / "tests/fuzz").glob("*_fuzz.cpp"))) == 6 and "six fuzz targets" in PAGE
    assert "${PARITY_FUZZ_SECONDS:-600}" in (TOP / "scripts/test").read_text() and "600 seconds of processor time" in PAGE


def scientific(value):
    """0.0000123 as the page has it: 1.23 × 10^−5."""
    exponent = math.floor(math.log10(value))
    return f"{float(value / Fraction(10) ** exponent):.2f} × 10^−{-exponent}"


COMPARISONS = 1000 * 365 * 10
ROWS = 10**9


@pytest.mark.parametrize("width", [64, 128])
@pytest.mark.parametrize("chances, where", [
    (1, "| {width} | {probability} |"),
    (COMPARISONS, "{probability} with {width} bits"),
    (ROWS, "{probability} with {width} bits"),
])
def test_probabilities(width, chances, where):
    assert where.format(width=width, probability=scientific(Fraction(chances, 2**width))) in PAGE


def test_the_examples_are_multiplied_right():
    assert f"1,000 × 365 × 10 = {COMPARISONS:,} comparisons" in PAGE and "at most 10^9 × 2^−w" in PAGE


def equal_sums(trials, bits, difference):
    """How often the low bits of a difference of sums are zero. These depend on the low bits of the hashes alone."""
    return sum(difference(seed) % (1 << bits) == 0 for seed in range(trials))


def key_hash(key, seed):
    return xxhash.xxh3_64_intdigest(b"\x01" + key.to_bytes(8, "little"), seed)


def cell_change(key, old, new, seed):
    of_row = key_hash(key, seed)
    return xxhash.xxh3_64_intdigest(old, of_row) - xxhash.xxh3_64_intdigest(new, of_row)


# A difference by seed, and how many of the low bits are zero whatever the hashes are.
DIFFERENCES = {
    "one cell": (lambda seed: cell_change(1, b"old value", b"new value", seed), 0),
    "one bit of a number": (lambda seed: cell_change(1, (4).to_bytes(8, "little"), (5).to_bytes(8, "little"), seed), 0),
    "the same change in three rows": (lambda seed: sum(cell_change(key, b"a", b"b", seed) for key in (1, 2, 3)), 0),
    "two rows swap a value": (lambda seed: cell_change(1, b"a", b"b", seed) + cell_change(2, b"b", b"a", seed), 0),
    "another key": (lambda seed: key_hash(41, seed) - key_hash(42, seed), 0),
    "eight equal rows": (lambda seed: 8 * (key_hash(41, seed) - key_hash(42, seed)), 3),
}


@pytest.mark.parametrize("what", DIFFERENCES)
def test_sums_are_equal_as_often_as_the_model_says(what):
    difference, zero_bits = DIFFERENCES[what]
    bits, trials = 10, 200_000
    expected = trials / 2 ** (bits - zero_bits)
    assert abs(equal_sums(trials, bits, difference) - expected) < 5 * math.sqrt(expected)


def test_a_sum_that_is_not_random_is_noticed():
    """Without seeds of their own, the cells of two rows that swap a value cancel each other out."""
    swapped = sum(xxhash.xxh3_64_intdigest(v, 7) for v in (b"a", b"b")) - sum(xxhash.xxh3_64_intdigest(v, 7) for v in (b"b", b"a"))
    assert swapped == 0
