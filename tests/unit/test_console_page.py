"""The reader of pages whose commands are run (host)."""

from pathlib import Path

from tests import console_page

PAGE = """text
```console
$ export NAME=door
$ echo "$NAME 12.5 ms"
door 3 ms
```
more text
```console exit=1
$ printf 'a\\nb\\nc\\n' &&
> false
…
c
```
"""


def test_commands_share_one_shell_and_shapes_are_compared(tmp_path: Path) -> None:
    wanted = list(console_page.steps(PAGE))
    got = console_page.run([step.command for step in wanted], tmp_path, 60)
    assert [code for code, _ in got] == [0, 0, 1]
    assert list(console_page.complaints(wanted, got)) == []


def test_other_words_other_exit_codes_and_missing_lines_are_seen(tmp_path: Path) -> None:
    page = PAGE.replace("door 3 ms", "gate 3 ms").replace("exit=1", "exit=0").replace("c\n", "d\n")
    wanted = list(console_page.steps(page))
    got = console_page.run([step.command for step in wanted], tmp_path, 60)
    assert len(list(console_page.complaints(wanted, got))) == 2
    assert not console_page.fits("a\nb\n", "a\n")
    assert not console_page.fits("", "unexpected\n")
    assert list(console_page.complaints(wanted, got[:1])) != []


def test_a_page_is_rewritten_where_it_does_not_fit(tmp_path: Path) -> None:
    page = PAGE.replace("door 3 ms", "gate 3 ms")
    wanted = list(console_page.steps(page))
    got = console_page.run([step.command for step in wanted], tmp_path, 60)
    assert console_page.rewritten(page, got) == PAGE.replace("door 3 ms", "door 12.5 ms")


def test_ids_and_numbers_do_not_count() -> None:
    assert console_page.fits("site 0011aabb22cc33dd  3 cards", "site ffeeddccbbaa9988 300 cards\n")
    assert not console_page.fits("site deadbeef", "site livebeef\n")
