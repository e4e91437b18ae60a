"""Files and functions stay small; what they measure is printed."""

from statistics import median

import pytest

from tests.architecture.sources import functions, sources

MOST_LINES = 400


def _at(share: float, values: list[int]) -> int:
    return sorted(values)[int(share * (len(values) - 1))]


def test_no_file_is_too_long(capsys: pytest.CaptureFixture[str]) -> None:
    files = [source for source in sources() if not source.name.endswith("__init__.py")]
    lines = [source.lines for source in files]
    bodies = [(node.end_lineno or 0) - node.lineno + 1 for source in files for node in functions(source.tree)]
    share = sum(length > 50 for length in bodies) / len(bodies)
    with capsys.disabled():
        print(  # noqa: T201 - a report for whoever runs the tests
            f"\n{len(lines)} files: median {median(lines):.0f} lines, p90 {_at(0.9, lines)}, most {max(lines)};"
            f" {len(bodies)} functions: median {median(bodies):.0f}, p90 {_at(0.9, bodies)}, over 50: {share:.1%}"
        )
    assert {source.name: source.lines for source in files if source.lines > MOST_LINES} == {}
