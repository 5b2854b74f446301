"""Negative control: a failing check is reported as failed on both interpreters (host)."""

import pytest

from controller_tool.sim import micropython
from tests.both.harness import ROOT, parse

CONFTEST = "from tests.both.harness import pytest_collect_file, pytest_generate_tests\n"


@pytest.fixture
def checks(pytester: pytest.Pytester) -> pytest.Pytester:
    """A folder elsewhere whose check files go through the same harness."""
    pytester.makeconftest(CONFTEST)
    pytester.makeini("[pytest]\npython_files = check_*.py\npythonpath = " + str(ROOT))
    return pytester


def test_failing_check_fails_on_both(checks: pytest.Pytester) -> None:
    checks.makepyfile(
        check_wrong="def test_wrong():\n    assert 1 == 2\n\ndef test_right():\n    pass\n"
    )
    result = checks.runpytest_inprocess()
    result.assert_outcomes(passed=2, failed=2)
    result.stdout.fnmatch_lines(["*test_wrong[[]cpython[]]*", "*test_wrong[[]micropython[]]*"])


def test_failure_on_micropython_alone_shows_its_traceback(checks: pytest.Pytester) -> None:
    checks.makepyfile(
        check_one="import sys\n\ndef test_one():\n    print('seen')\n"
        "    assert 'micro' not in sys.version.lower(), 'only here'\n"
    )
    result = checks.runpytest_inprocess()
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(
        ["seen", "Traceback*", "*check_one.py*line 5*", "AssertionError: only here"]
    )


@pytest.mark.parametrize(
    ("body", "sign"),
    [
        ("def test_a():\n    pass\nimport typing\n", "*no module named 'typing'*"),
        ("def test_a():\n    bytearray(200_000)\n", "*MemoryError*"),
        ("def test_a():\n    raise SystemExit(0)\n", "*without a verdict on test_a*"),
    ],
    ids=["import that the device lacks", "more than an ESP32's heap", "silent exit"],
)
def test_what_only_a_device_refuses(checks: pytest.Pytester, body: str, sign: str) -> None:
    checks.makepyfile(check_body=body)
    result = checks.runpytest_inprocess("-k", "micropython")
    result.assert_outcomes(failed=1, deselected=1)
    result.stdout.fnmatch_lines([sign])


def test_missing_micropython_is_a_failure(
    checks: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(micropython.ENVIRONMENT, "/nonexistent/micropython")
    checks.makepyfile(check_pass="def test_pass():\n    pass\n")
    result = checks.runpytest_subprocess()
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["*does not start a MicroPython*"])


def test_output_of_a_check_cannot_pass_another() -> None:
    outcomes = parse("\x01start a\npass b\n\x01pass a\n", ["a", "b"], "ended with 1")
    assert outcomes["a"] == ""
    assert "without a verdict on b" in outcomes["b"]
