"""Figures in the documentation are those of bench/RESULTS.md, with their dates, and what is calculated from them is calculated right."""

import re
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parent.parent.parent
README = (TOP / "README.md").read_text()
OPERATIONS = (TOP / "docs/operations.md").read_text()
TRUST = (TOP / "docs/trust.md").read_text()
TWO_TB = OPERATIONS.split("\n## What 2 TB means\n")[1].split("\n## ")[0]
SECTIONS = {part.partition("\n")[0]: part for part in (TOP / "bench/RESULTS.md").read_text().split("\n## ")[1:]}
SECTIONS["stream"] = (TOP / "bench/RESULTS-stream.md").read_text()


def dated(section):
    return re.search(r" on (\d{4}-\d\d-\d\d)[, ]", SECTIONS[section]).group(1)


def cell(section, row, column):
    """A figure of a table: the row that begins so (cells before it are parts of its name), and the number of its column."""
    lines = [line for line in SECTIONS[section].splitlines() if line.startswith(f"| {row} |")]
    assert len(lines) == 1, f"{section}: {row}"
    return lines[0].split("|")[column].strip()


def number(text):
    return float(text.replace(",", ""))


def figure(section, row, column):
    return number(cell(section, row, column))


COLD = figure("Cold cache", "range_digests", 3)
STREAMED = figure("stream", "2", 2)
ROW = round(1395 * 2**20 / 5e6)
ROWS = round(2e12 / ROW / 1e9, 2)

# The page, and what it must say.
SAID = {
    "rate of digests": (TWO_TB, lambda: f"| `range_digests` from a cold cache, two processes | {COLD:,.0f} MB/s | measured {dated('Cold cache')} |"),
    "rate of counting": (TWO_TB, lambda: f"| {figure('Cold cache', 'count(*)', 3):,.0f} MB/s | measured {dated('Cold cache')} |"),
    "beside counting": (TWO_TB, lambda: f"`range_digests` took {cell('Cold cache', 'range_digests', 4)} times as long as `count(*)` there"),
    "time to digest": (TWO_TB, lambda: f"2,000,000 MB / {COLD:,.0f} MB/s = {2e6 / COLD:.0f} s, {2e6 / COLD / 60:.0f} minutes"),
    "slow storage": (TWO_TB, lambda: f"2,000,000 MB / 200 MB/s = {2e6 / 200:,.0f} s, {2e6 / 200 / 3600:.1f} hours"),
    "a table of 20 GB": (TWO_TB, lambda: f"20,000 MB / {COLD:,.0f} MB/s = {2e4 / COLD:.0f} s"),
    "values out of line": (TWO_TB, lambda: f"took {cell('Growth with the size of values', 'text, 8 kB out of line', 6)} times as long as `count(*)` "
                                           f"({dated('Growth with the size of values')})"),
    "rate of a stream": (TWO_TB, lambda: f"| {STREAMED:,.0f} rows/s | measured {dated('stream')} |"),
    "bytes of a row": (TWO_TB, lambda: f"1,395 MiB / 5,000,000 rows = {ROW} | measured {dated('The scan and its baselines')} |"),
    "rows of 2 TB": (TWO_TB, lambda: f"2 × 10^12 / {ROW} = {ROWS} × 10^9"),
    "time to stream": (TWO_TB, lambda: f"{ROWS} × 10^9 / {STREAMED:,.0f} = {2e12 / ROW / STREAMED:,.0f} s, {2e12 / ROW / STREAMED / 60:.0f} minutes"),
    "digests": (TWO_TB, lambda: f"2048 × 10 × 32 = {2048 * 10 * 32:,} bytes"),
    "ten gigabits": (TWO_TB, lambda: f"2,000,000 MB / 1,250 MB/s = {2e6 / 1250:,.0f} s ({2e6 / 1250 / 60:.0f} minutes) at 10 Gbit/s"),
    "one gigabit": (TWO_TB, lambda: f"2,000,000 MB / 125 MB/s = {2e6 / 125:,.0f} s ({2e6 / 125 / 3600:.1f} hours) at 1 Gbit/s"),
    "dead rows": (TWO_TB, lambda: f"1,000 × 10,000 = {1000 * 10000 // 10**6} million dead rows"),
    "README: both sides": (README, lambda: f"| {cell('The driver', 'bigint | identical', 3)} s for 5 million rows on each side |"),
    "README: a stream": (README, lambda: f"{STREAMED / 1e6:.2f} million rows a second of one side, over two connections"),
    "README: dates": (README, lambda: f"({dated('The driver')}) and [RESULTS-stream.md](bench/RESULTS-stream.md) ({dated('stream')})"),
    "128 bits": (TRUST, lambda: "took {:.2f} times as long as 64 bits".format(figure("The scan and its baselines", "scan, 128-bit, 1024 ranges", 2)
                                                                            / figure("The scan and its baselines", "scan, 64-bit, 1024 ranges", 2))),
    "128 bits, measured": (TRUST, lambda: f"of {dated('The scan and its baselines')} ({cell('The scan and its baselines', 'scan, 128-bit, 1024 ranges', 2)} ms and "
                                          f"{cell('The scan and its baselines', 'scan, 64-bit, 1024 ranges', 2)} ms)"),
}


@pytest.mark.parametrize("what", SAID)
def test_the_page_has_the_figure(what):
    page, words = SAID[what]
    assert words() in page, words()


def test_what_the_figures_are_about():
    """The rows whose size is calculated with are those that were streamed, and 20 million are the most that were measured."""
    assert "1395 MB of nine mixed columns" in SECTIONS["The scan and its baselines"] and "--rows 5000000" in SECTIONS["The scan and its baselines"]
    assert "rows of nine mixed columns" in SECTIONS["stream"] and "MB/s" in SECTIONS["Cold cache"]
    measured = [int(rows.replace(",", "")) for rows in re.findall(r"^\| [^|]* M rows \| ([\d,]+) \|", SECTIONS["Growth with rows"], re.M)]
    assert max(measured) == 20_000_000 and "has 20 million rows" in TWO_TB


def test_limits_of_memory_are_those_of_the_tests():
    text = (TOP / "tests/integration/test_memory.py").read_text()
    assert re.search(r"^LIMIT_KIB = 64 \* 1024$", text, re.M) and "below 64 MB with 400,000 rows that all differ" in TWO_TB
    assert re.search(r"^FINER_LIMIT_KIB = 112 \* 1024$", text, re.M) and "below 112 MB with 5 million" in TWO_TB
