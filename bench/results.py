"""bench/RESULTS.md: sections, each written by one script, under the command, versions and machine that made it."""

import datetime
import os
import platform
import shlex
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from server import uses_huge_pages  # noqa: E402

TOP = Path(__file__).resolve().parent.parent
RESULTS = TOP / "bench" / "RESULTS.md"

ALONE = ", one process"
GROWTH = ["Growth with rows", "Growth with ranges", "Growth with columns", "Growth with the size of values", "Cold cache"]
SECTIONS = ["The scan and its baselines", "End to end", *(title + alone for title in GROWTH for alone in ("", ALONE)), "The driver", "Large objects", "Fixed costs",
            "Spans of keys", *(f"A run that is kept: {about}" for about in ("one large table", "many small tables", "memory"))]
PREAMBLE = ("# Results\n\nEach section tells the command that measured it and wrote it here. Medians of interleaved runs; goals stand beside the "
            "ratios, which are of one run.\n")


def machine():
    model = next((line.split(":", 1)[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), platform.machine())
    memory = int(next(line for line in open("/proc/meminfo") if line.startswith("MemTotal")).split()[1]) // (1 << 20)
    return f"{os.cpu_count()} × {model}, {memory} GiB of memory, {platform.system()} {platform.release()}"


def add_write_option(parser):
    parser.add_argument("--write", nargs="?", const=RESULTS, type=Path, metavar="FILE", help="put the tables into bench/RESULTS.md, or FILE")


def made_by(database, options):
    """What a section begins with. `options` are those of the command, by name, as they were in effect."""
    words = [f"bench/{Path(sys.argv[0]).name}"]
    for name, value in options.items():
        if value is not None and value is not False:
            words += [f"--{name}"] if value is True else [f"--{name}", *map(str, value if isinstance(value, list) else [value])]
    # Results that were written before are no change of what is measured.
    changed = subprocess.run(["git", "-C", TOP, "status", "--porcelain", "--untracked-files=no", "--", ".", ":!bench/RESULTS*.md"],
                             capture_output=True, text=True, check=False).stdout
    commit = subprocess.run(["git", "-C", TOP, "describe", "--always"], capture_output=True, text=True, check=False).stdout.strip()
    commit += "-dirty" if changed else ""
    version = database.value("SELECT extversion FROM pg_extension WHERE extname = 'pg_parity'")
    return (f"Made by `{shlex.join(words)} --write` on {datetime.date.today()}, pg_parity {version} ({commit or 'no repository'}), "
            f"PostgreSQL {database.value('SHOW server_version')}.\n{machine()}; shared memory in {'huge' if uses_huge_pages(database) else 'small'} "
            "pages.\n")


def sections_of(text):
    """Title and body of every section."""
    found = {}
    for part in text.split("\n## ")[1:]:
        title, _, body = part.partition("\n")
        found[title] = body.strip("\n")
    return found


def with_section(text, title, body):
    """The text of the results with one section made or replaced, the sections in their order."""
    if title not in SECTIONS:
        raise ValueError(f"no place is known for a section “{title}”")
    sections = {**sections_of(text), title: body.strip("\n")}
    return PREAMBLE + "".join(f"\n## {known}\n\n{sections[known]}\n" for known in SECTIONS if known in sections)


def publish(title, body, write):
    """Prints a section, and puts it into the file `write` unless that is None."""
    print(f"## {title}\n\n{body}", flush=True)
    if write:
        write.write_text(with_section(write.read_text() if write.exists() else "", title, body))
