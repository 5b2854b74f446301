"""Named constants of device code become values, wherever they are imported (host)."""

from __future__ import annotations

import ast

import pytest

from controller_tool import inline

SHARED = "SIZE_BYTES = 15\n\n\ndef helper():\n    return SIZE_BYTES\n"


def inlined(source: str) -> str:
    known = {"firmware.shared": inline.module_constants(ast.parse(SHARED), {})}
    tree = ast.parse(source)
    return ast.unparse(inline.inline(tree, inline.module_constants(tree, known), known))


@pytest.mark.parametrize(
    ("source", "wanted"),
    [
        ("from firmware.shared import SIZE_BYTES\nx = SIZE_BYTES", "x = 15"),
        ("def f():\n    from firmware.shared import SIZE_BYTES\n    return SIZE_BYTES",
         "def f():\n    return 15"),
        (("def f():\n    from firmware.shared import SIZE_BYTES, helper\n"
         "    return helper(SIZE_BYTES)"),
         "def f():\n    from firmware.shared import helper\n    return helper(15)"),
    ],
)  # fmt: skip
def test_a_constant_leaves_no_import_behind(source, wanted) -> None:
    assert inlined(source) == wanted


def test_what_is_no_constant_is_still_imported() -> None:
    source = "def f():\n    from firmware.shared import helper\n    return helper()"
    assert inlined(source) == source
