"""The page of figures: what was measured anew is put in, the rest stays."""

from __future__ import annotations

import pytest

from benchmarks import report
from benchmarks.compare import AGAIN, BEFORE, NOW, Measured, verdict

CORE = "a country            100.00us <= 150us\na word                200.00us <= 150us  MISSED\n"


def test_a_part_measured_anew_takes_the_place_of_its_figures_and_the_others_stay(tmp_path):
    page = tmp_path / "performance.md"
    report.write({"core": CORE, "http": "answered before, of the floor   0.90   >= 1.10  MISSED\n"}, page)
    report.write({"http": "answered before, of the floor   1.20   >= 1.10\n"}, page)
    text = page.read_text("utf-8")
    goals, core, http = (part.split("```")[1] for part in text.split("\n## ")[1:])
    assert goals.splitlines()[1:] == [
        "ok      core         a country            100.00us <= 150us",
        "MISSED  core         a word                200.00us <= 150us  MISSED",
        "ok      http         answered before, of the floor   1.20   >= 1.10",
    ]
    assert core.strip() == f"text\n{CORE.strip()}"
    assert "1.20" in http
    assert "0.90" not in text


@pytest.mark.parametrize(
    ("again", "now", "says"),
    [
        ([100, 101, 99, 100, 100], [100, 100, 101, 100, 99], "no difference"),
        ([100, 101, 99, 100, 100], [110, 111, 110, 109, 110], "SLOWER"),
        ([100, 101, 99, 100, 100], [90, 91, 90, 89, 90], "faster"),
        ([100, 130, 80, 120, 70], [110, 111, 110, 109, 110], "no difference"),
        ([115, 116, 115, 114, 115], [110, 111, 110, 109, 110], "no difference"),
    ],
)
def test_only_a_difference_beyond_what_the_same_commit_shows_twice_counts(again, now, says):
    measured = Measured({BEFORE: [100.0] * 5, AGAIN: again, NOW: now})
    assert verdict(measured)[2] == says
