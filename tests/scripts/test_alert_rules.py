"""The alert rules of monitoring/ fire when they should, and do not when they should not; and their tests would tell."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parent.parent.parent
FOLDER = TOP / "monitoring"
RULES = FOLDER / "pgparity.rules.yml"
ALERTS = re.findall(r"^ +- alert: (\w+)$", RULES.read_text(), re.M)


def promtool(*arguments):
    done = subprocess.run(["promtool", *map(str, arguments)], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def expressions():
    """Alert -> its expression as it stands in the file."""
    return dict(re.findall(r"- alert: (\w+)\n +expr:(.*?)\n +(?:for|labels):", RULES.read_text(), re.S))


def judged(folder, rules):
    """What promtool says of the tests with these rules."""
    for name in ("pgparity.rules.yml", "pgparity.rules.test.yml"):
        shutil.copy(FOLDER / name, folder)
    (folder / "pgparity.rules.yml").write_text(rules)
    return promtool("test", "rules", folder / "pgparity.rules.test.yml")


def test_promtool_takes_the_rules():
    status, said = promtool("check", "rules", RULES)
    assert status == 0 and f"{len(ALERTS)} rules found" in said, said


def test_the_rules_fire_as_their_tests_say(tmp_path):
    status, said = judged(tmp_path, RULES.read_text())
    assert status == 0, said


@pytest.mark.parametrize("alert", ALERTS)
@pytest.mark.parametrize("instead", ["vector(0) > 1", "vector(1)"], ids=["never", "always"])
def test_a_rule_that_never_or_always_fires_is_noticed(tmp_path, alert, instead):
    rules = RULES.read_text()
    changed = rules.replace(expressions()[alert], f" {instead}", 1)
    assert changed != rules
    status, said = judged(tmp_path, changed)
    assert status != 0 and f"alertname: {alert}" in said, said


NUMBERS = [(alert, number) for alert, expression in expressions().items() for number in re.findall(r"(?<![\w(])\d+(?: \* \d+)?", expression)]


@pytest.mark.parametrize("alert, number", NUMBERS)
def test_a_limit_that_is_another_is_noticed(tmp_path, alert, number):
    """Each comparison with a number, one at a time."""
    expression = expressions()[alert]
    changed = RULES.read_text().replace(expression, re.sub(rf"(?<![\w(]){re.escape(number)}", f"{number} + 100000", expression, count=1), 1)
    assert judged(tmp_path, changed)[0] != 0


WRITTEN = set(re.findall(r'"(pgparity_\w+)"', (TOP / "driver/monitor/metrics_text.cpp").read_text()))


def test_the_rules_ask_for_metrics_that_there_are():
    asked = set(re.findall(r"\bpgparity_\w+", "".join(expressions().values())))
    assert asked <= WRITTEN and asked, asked - WRITTEN


def test_the_metrics_and_the_alerts_are_documented():
    table = (TOP / "docs/cli.md").read_text().split("\n## Metrics\n")[1].split("\n## ")[0]
    assert set(re.findall(r"^\| `(pgparity_\w+)", table, re.M)) == WRITTEN
    table = (TOP / "docs/operations.md").read_text().split("\n## Metrics and alerts\n")[1].split("\n## ")[0]
    assert re.findall(r"^\| `(Pgparity\w+)`", table, re.M) == ALERTS
