"""Imports: packages and the rooms of train_mtcnn in one direction, no duplicate names."""

import ast
import sys
from collections import Counter
from importlib.metadata import packages_distributions

import pytest
from support import ROOT

from pymtcnn.cli import COMMANDS

# Each imports only those before it, and itself; docs/architecture.md has the same order.
PACKAGES = ("pymtcnn", "train_mtcnn", "convert", "bench")
ROOMS = {
    "common": (),
    "network": ("common",),
    "cascade": ("common", "network"),
    "data": ("common", "network", "cascade"),
    "training": ("common", "network", "cascade", "data"),
    "evaluation": ("common", "network", "cascade", "data"),
}


def module_of(path):
    parts = path.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


FILES = {
    module_of(path): path
    for package in PACKAGES
    for path in (path.relative_to(ROOT) for path in sorted((ROOT / package).rglob("*.py")))
}


def is_program(path):
    """Whether it is run by its path or, as a command of pymtcnn, by its name."""
    if path.parts[:2] == ("pymtcnn", "commands"):
        return path.stem in COMMANDS
    return 'if __name__ == "__main__":\n    raise SystemExit' in (ROOT / path).read_text()


PROGRAMS = {module for module, path in FILES.items() if is_program(path)}


def imported_names(path):
    """All imports of a file, at any level: modules, and names of modules."""
    package = path.parent.parts
    for node in ast.walk(ast.parse((ROOT / path).read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else ()
            base = ".".join([*above, *([node.module] if node.module else [])])
            yield base
            yield from (f"{base}.{alias.name}" for alias in node.names)


ARROWS = sorted(
    {(module, name) for module, path in FILES.items() for name in imported_names(path)}
    & {(module, name) for module in FILES for name in FILES}
)


def room_of(module):
    """A module's room in train_mtcnn, or None."""
    package, _, rest = module.partition(".")
    room = rest.partition(".")[0]
    return room if package == "train_mtcnn" and room in ROOMS else None


def test_train_mtcnn_has_rooms_and_programs_only():
    paths = [path for path in FILES.values() if path.parts[0] == "train_mtcnn"]
    assert {path.parts[1] for path in paths if path.parts[2:]} == set(ROOMS)
    flat = [path for path in paths if not path.parts[2:] and path.stem != "__init__"]
    assert len(flat) == 8 and all(map(is_program, flat))


def test_packages_import_those_before_them():
    assert len(ARROWS) > 300
    for module, name in ARROWS:
        first, second = (PACKAGES.index(one.partition(".")[0]) for one in (module, name))
        assert second <= first, f"{module} imports {name}"


def test_rooms_import_those_before_them():
    for module, name in ARROWS:
        room, other = room_of(module), room_of(name)
        assert not room or not other or other in (room, *ROOMS[room]), f"{module} imports {name}"


def test_no_program_is_imported():
    assert {"train_mtcnn.detector", "convert.describe", "bench.peers"} <= PROGRAMS
    for module, name in ARROWS:
        imported = name in PROGRAMS and not name.startswith("pymtcnn.")
        assert not imported, f"{module} imports {name}, a program"


def test_no_name_twice():
    """Programs are named by their commands; all other modules have unique names."""
    names = Counter(path.stem for module, path in FILES.items() if module not in PROGRAMS)
    assert {name for name, count in names.items() if count > 1} <= {"__init__"}


@pytest.mark.slow
@pytest.mark.parametrize("folder", ["train_mtcnn", "convert", "bench"])
def test_a_folder_of_programs_hides_no_module(folder):
    """The folder of a program that is run by its path comes first on Python's path."""
    here = {path.stem for path in (ROOT / folder).iterdir() if path.suffix in ("", ".py")}
    others = {*sys.stdlib_module_names, *packages_distributions()}
    assert here & others <= {"__init__", "__pycache__"}


def test_no_file_changes_the_path():
    for path in [*FILES.values(), *(ROOT / "docs").rglob("*.py")]:
        assert "sys.path" not in (ROOT / path).read_text(), path
