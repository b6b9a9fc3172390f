"""How the house is built, in numbers: `python tests/measure_house.py [CHECKOUT ...]` compares checkouts in columns.

A room is a folder of `experiment/`, or a file beside the folders. Floors: the longest way down by imports, a knot of
rooms that import each other in a circle counted once. Arrows up: pairs of rooms that no order lets point one way.
"""

from __future__ import annotations

import ast
import statistics
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from graphlib import TopologicalSorter
from pathlib import Path

Graph = dict[str, set[str]]
Function = ast.FunctionDef | ast.AsyncFunctionDef
OUTSIDE = {"__init__", "__main__"}


def measure(checkout: Path) -> dict[str, str]:
    """Each number by its name, worded for a person."""
    paths = sorted((checkout / "experiment").rglob("*.py"))
    trees = {path: ast.parse(path.read_text(encoding="utf-8")) for path in paths}
    sizes = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in paths}
    lengths = sorted(length for tree in trees.values() for length in _function_lengths(tree))
    rooms = _room_graph(checkout / "experiment", trees)
    knots = [knot for knot in _knots(rooms) if len(knot) > 1]
    homonyms = _homonyms(trees.values())
    longest = max(sizes, key=lambda path: sizes[path])
    return {
        "lines": str(sum(sizes.values())),
        "modules": str(len(paths)),
        "module, median lines": f"{statistics.median(sizes.values()):g}",
        "module, most lines": f"{sizes[longest]} ({longest.relative_to(checkout / 'experiment')})",
        "functions": str(len(lengths)),
        "function, median lines": f"{statistics.median(lengths):g}",
        "function, 90th percentile": str(lengths[int(len(lengths) * 0.9)]),
        "function, most lines": str(lengths[-1]),
        "files beside the folders": str(len(list((checkout / "experiment").glob("*.py")))),
        "rooms": str(len(rooms)),
        "floors": str(_floors(rooms)),
        "rooms in knots": str(sum(map(len, knots))),
        "arrows up": str(len(_arrows_up(rooms))),
        "imports inside functions": str(sum(_lazy_imports(tree) for tree in trees.values())),
        "classes by one name": f"{len(homonyms)} {' '.join(sorted(homonyms))}".strip(),
    }


def _function_lengths(tree: ast.Module) -> Iterator[int]:
    """The lines of each function's body, its docstring left aside."""
    for node in ast.walk(tree):
        if isinstance(node, Function):
            body = node.body[ast.get_docstring(node) is not None :]
            yield body[-1].end_lineno - body[0].lineno + 1 if body else 0  # type: ignore[operator]


def _homonyms(trees: Iterable[ast.Module]) -> set[str]:
    """The public classes whose name another module's class has too."""
    names = Counter(
        node.name
        for tree in trees
        for node in tree.body
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_")
    )
    return {name for name, count in names.items() if count > 1}


def _lazy_imports(tree: ast.Module) -> int:
    """How many of our own modules are imported only when a function is called."""
    functions = [node for node in ast.walk(tree) if isinstance(node, Function)]
    found = {node for function in functions for node in ast.walk(function) if isinstance(node, ast.ImportFrom)}
    return sum((node.module or "").split(".")[0] == "experiment" for node in found)


def _room_graph(root: Path, trees: dict[Path, ast.Module]) -> Graph:
    """Which rooms each room imports, in functions or not, for types or not."""
    graph: Graph = {}
    for path, tree in trees.items():
        room = path.relative_to(root).with_suffix("").parts[0]
        if room not in OUTSIDE:
            graph.setdefault(room, set()).update(set(_imported_rooms(tree)) - {room, *OUTSIDE})
    return {room: {other for other in imported if other in graph} for room, imported in graph.items()}


def _imported_rooms(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "experiment":
            _, *parts = str(node.module).split(".")
            yield from parts[:1] or [alias.name for alias in node.names]


def _reach(graph: Graph, room: str) -> set[str]:
    reached: set[str] = set()
    waiting = [room]
    while waiting:
        for other in graph[waiting.pop()] - reached:
            reached.add(other)
            waiting.append(other)
    return reached


def _knots(graph: Graph) -> list[frozenset[str]]:
    """The rooms in groups that can be reached from each other."""
    reach = {room: _reach(graph, room) for room in graph}
    return list({frozenset({room, *(one for one in reach[room] if room in reach[one])}) for room in graph})


def _floors(graph: Graph) -> int:
    knot_of = {room: knot for knot in _knots(graph) for room in knot}
    below = {knot: {knot_of[other] for room in knot for other in graph[room]} - {knot} for knot in knot_of.values()}
    floor: dict[frozenset[str], int] = {}
    for knot in TopologicalSorter(below).static_order():
        floor[knot] = 1 + max((floor[other] for other in below[knot]), default=0)
    return max(floor.values(), default=0)


def _arrows_up(graph: Graph) -> set[tuple[str, str]]:
    """The arrows against the order that a greedy choice finds: a room with most arrows out over those in comes last."""
    left, order = {room: set(imported) for room, imported in graph.items()}, list[str]()
    while left:
        into = Counter(other for imported in left.values() for other in imported)
        ground = min(left, key=lambda room: (len(left[room]) > 0, len(left[room]) - into[room], room))
        order.append(ground)
        del left[ground]
        for imported in left.values():
            imported.discard(ground)
    height = {room: at for at, room in enumerate(order)}
    return {(room, other) for room, imported in graph.items() for other in imported if height[other] > height[room]}


def main() -> None:
    """A line for each number, a column for each checkout."""
    columns = [measure(Path(one)) for one in sys.argv[1:] or ["."]]
    for name in columns[0]:
        sys.stdout.write(f"{name:28}" + "   ".join(f"{column[name]:32}" for column in columns).rstrip() + "\n")


if __name__ == "__main__":
    main()
