"""Leaves out of a pack what it never calls, and shortens the names that only it knows (host).

Every name costs a controller's heap its letters and nine bytes, every function its code. So, over
all modules of one pack at once:

- a function, class or method whose name nothing that runs ever mentions is left out; imports that
  nobody mentions go with it
- a function or method that one call alone mentions is written there (calls.py says when)
- the texts of exceptions go: a controller tells codes
- a private name of one class becomes a, b, c … of that class
- a name that our own code defines and nobody else can know is replaced by a short one, the same
  everywhere; parameters that no call names become a, b, c … of their function

A name is left as it is when it is spelled in a string, when code outside the pack uses it (boot
files, board), or when MicroPython has one like it, for then it costs nothing or may not be ours.
"""

import ast
from collections.abc import Iterable

from controller_tool.shrink.calls import write_in
from controller_tool.shrink.dead_code import without_dead_code
from controller_tool.shrink.names import Trees, kept_names, named_in_calls, short_names
from controller_tool.shrink.renaming import Parameters, Quiet, Rename, shorten_private


def shrink(trees: Trees, outside: Iterable[ast.AST]) -> Trees:
    """The modules of one pack made smaller; their names in the pack stay.

    trees: by dotted name, with constants replaced. outside: code that runs beside the pack.
    """
    for tree in trees.values():
        Quiet().visit(tree)
    outside = list(outside)
    alive = without_dead_code(trees)
    write_in(alive, outside)
    shorten_private(alive)
    keep = kept_names(alive, outside)
    named = named_in_calls(alive)
    for tree in alive.values():
        Parameters(named).visit(tree)
    rename = Rename(*short_names(alive, keep))
    for tree in alive.values():
        rename.visit(tree)
        ast.fix_missing_locations(tree)
    return alive
