"""Which classes an attribute belongs to, so that those of different ones may share a name (host).

An object has the attributes of its class, of those it inherits from and of those that inherit from
it, and our code asks no object for one that it has not. So two names that no class has both of can
be the same in the pack. (Modules have no attributes any more when they are joined.) Not known, and
therefore never shared, is the owner of

- what is stored into an object from outside of its class: it may be any object's
- what no class of ours brings into being
"""

import ast
from collections.abc import Iterator, Mapping

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def owners(trees: Mapping[str, ast.Module]) -> dict[str, set[str]]:
    """The families of classes of each attribute that can share; a family is known by one name."""
    family = _families(trees)
    found: dict[str, set[str]] = {}
    unknown: set[str] = set()
    for tree in trees.values():
        own: set[int] = set()
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef):
                for name in _of_class(node, own):
                    found.setdefault(name, set()).add(family[node.name])
        unknown.update(
            node.attr
            for node in ast.walk(tree)
            if isinstance(node, ast.Attribute)
            and not isinstance(node.ctx, ast.Load)
            and id(node) not in own
        )
    return {name: families for name, families in found.items() if name not in unknown}


def _families(trees: Mapping[str, ast.Module]) -> dict[str, str]:
    """Of each class the name of its family: what inherits from one another, or has one name."""
    family: dict[str, str] = {}
    for tree in trees.values():
        for node in ast.walk(tree):
            if not isinstance(node, ast.ClassDef):
                continue
            names = [node.name, *(base.id for base in node.bases if isinstance(base, ast.Name))]
            joined = {family.get(name, name) for name in names}
            first = min(joined)
            for name in names:
                family[name] = first
            for name, other in family.items():
                if other in joined:
                    family[name] = first
    return family


def _of_class(node: ast.ClassDef, own: set[int]) -> Iterator[str]:
    """What its body and its methods bring into being; `own` takes the nodes that store it."""
    for part in node.body:
        if isinstance(part, (*_FUNCTIONS, ast.ClassDef)):
            yield part.name
        else:
            yield from (
                name.id
                for name in ast.walk(part)
                if isinstance(name, ast.Name) and not isinstance(name.ctx, ast.Load)
            )
        if isinstance(part, _FUNCTIONS) and part.args.args and not part.decorator_list:
            me = part.args.args[0].arg
            for found in ast.walk(part):
                if (
                    isinstance(found, ast.Attribute)
                    and not isinstance(found.ctx, ast.Load)
                    and isinstance(found.value, ast.Name)
                    and found.value.id == me
                ):
                    own.add(id(found))
                    yield found.attr
