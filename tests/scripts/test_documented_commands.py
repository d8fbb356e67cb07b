"""Commands of pgparity that the documentation shows: each has a subcommand that there is, and options of it."""

import re
import shlex
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parent.parent.parent
PAGES = ["README.md", *sorted(f"docs/{path.name}" for path in (TOP / "docs").glob("*.md"))]
TABLE = (TOP / "driver/options/option_table.cpp").read_text()
SUBCOMMANDS = {"compare", "resume", "report", "dead-letters", "completion", "help"}


def named_in(function):
    """The options that a function of the table makes by themselves."""
    body = re.search(rf"^std::vector<OptionSpec> {function}\(\) \{{\n(.*?)^\}}", TABLE, re.M | re.S).group(1)
    return set(re.findall(r'(?:_option\(\s*|\{)"([a-z][\w-]*)"', body))


RESUME = {name for name in re.findall(r"^\| `--([\w-]+)", (TOP / "docs/cli.md").read_text(), re.M)}
COMPARE = RESUME - {"max-age", "retry-dead"}
REPORT = named_in("report_file_options") | named_in("format_options")


def commands(text):
    """The commands of pgparity in blocks of a shell, in words. A line goes on behind a backslash; what follows a pipe or a redirection is no part."""
    for block in re.findall(r"^ *```(?:sh|bash)\n(.*?)^ *```$", text, re.M | re.S):
        for line in block.replace("\\\n", " ").splitlines():
            for found in re.findall(r"(?:^|[ (])(pgparity .*)$", re.sub(r"(?:^| )#.*", "", line).strip()):
                yield shlex.split(re.split(r" \d?[|><&]", found)[0].rstrip(")"))


SHOWN = [(page, words) for page in PAGES for words in commands((TOP / page).read_text())]


def fault(words):
    """What is wrong with a command; None for nothing."""
    if words[1] not in SUBCOMMANDS:
        return f"no subcommand {words[1]}"
    known = {"compare": COMPARE, "resume": RESUME, "report": REPORT, "dead-letters": {"state", "state-run"}}.get(words[1], set())
    unknown = [word for word in words[2:] if word.startswith("--") and word[2:].partition("=")[0] not in known]
    return f"no option {unknown[0]}" if unknown else None


def test_there_are_commands():
    assert len(SHOWN) > 12 and {page for page, _ in SHOWN} >= {"README.md", "docs/cli.md", "docs/operations.md"}
    assert {"from", "against", "format", "output"} <= REPORT and {"source", "target", "dry-run"} <= COMPARE


@pytest.mark.parametrize("page, words", SHOWN, ids=[f"{page}-{n}" for n, (page, _) in enumerate(SHOWN)])
def test_the_command_has_options_that_there_are(page, words):
    assert fault(words) is None, f"{page}: {shlex.join(words)}"


@pytest.mark.parametrize("line, said", [
    ("pgparity compare --source a --target b --dryrun", "no option --dryrun"),
    ("pgparity compare --source a --target b --max-age 3d", "no option --max-age"),
    ("pgparity compare --source a --target b --retry-dead", "no option --retry-dead"),
    ("pgparity report --from a --jobs 2", "no option --jobs"),
    ("pgparity dead-letters a --format json", "no option --format"),
    ("nohup pgparity compares --source a 2> log &", "no subcommand compares"),
])
def test_a_wrong_command_is_noticed(line, said):
    words, = commands(f"```sh\n{line}\n```\n")
    assert fault(words) == said
