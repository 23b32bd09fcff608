"""The house style that can be counted: sizes, docstrings, broad excepts, prints, and who may build a Grant."""

from __future__ import annotations

import ast
import re
import tomllib
from pathlib import Path

import pytest

from tests.support.sources import ROOT, name, parsed, product, tracked

FILE_LINES = 300
FUNCTION_LINES = 60
LONG_FILES = {"kiosk/values.py": "the one page of vocabulary: splitting it would hide half of it"}


def test_files_stay_short() -> None:
    """Nobody reviews a long file well."""
    sizes = {name(path): len(path.read_text(encoding="utf-8").splitlines()) for path in product()}
    long = {path: size for path, size in sizes.items() if size > FILE_LINES and path not in LONG_FILES}
    assert not long
    assert set(LONG_FILES) <= {path for path, size in sizes.items() if size > FILE_LINES}, "drop the exemption"


def test_functions_stay_short() -> None:
    """Counted from the def line to the last line, docstring included."""
    long = []
    for path in product():
        for node in ast.walk(parsed(path)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                size = (node.end_lineno or node.lineno) - node.lineno + 1
                if size > FUNCTION_LINES:
                    long.append(f"{name(path)}:{node.lineno} {node.name} has {size} lines")
    assert not long, "\n".join(long)


def test_every_module_opens_with_what_it_is_for() -> None:
    """Also the tests'. Public classes and functions are ruff's (D1)."""
    bare = [name(path) for path in tracked() if path.suffix == ".py" and not ast.get_docstring(parsed(path))]
    assert not bare


def test_ruff_asks_for_docstrings_broad_excepts_and_prints() -> None:
    """The rules that these tests lean on stay selected, and only reasoned ignores remove any."""
    selected = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["ruff"]["lint"]["select"]
    assert {"D1", "BLE", "T20"} <= set(selected)


def test_every_lint_ignore_has_a_written_reason() -> None:
    """In pyproject.toml a comment beside each rule, in the code a dash and the reason after the rule."""
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    bare = []
    for block in re.findall(r"(?ms)^(?:ignore|\"[^\"\n]*\") = \[\n(.*?)^\]", text.partition("[tool.ruff.lint]")[2]):
        bare += [line.strip() for line in block.splitlines() if not re.search(r'",\s+# \w+', line)]
    for path in tracked():
        if path.suffix != ".py":
            continue
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            found = re.search(r"# (noqa|pragma)\b(.*)$", line)
            if found and not re.match(r": [\w, -]+? (?:-|#) \S+ \S+", found[2]) and "re." not in line:
                bare.append(f"{name(path)}:{number} {found[0]}")
    assert not bare, "\n".join(bare)


def test_broad_excepts_are_counted() -> None:
    """At most two: where a worker's bug must become a fault, and at the command line's last border."""
    broad = []
    for path in product():
        for node in ast.walk(parsed(path)):
            if isinstance(node, ast.ExceptHandler):
                kinds = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
                names = {"everything" if kind is None else ast.unparse(kind) for kind in kinds}
                if names & {"Exception", "BaseException", "everything"} and not _reraises(node):
                    broad.append(f"{name(path)}:{node.lineno}")
    assert len(broad) <= 2, broad
    assert all(place.startswith(("kiosk/runtime/", "kiosk/cli/app.py")) for place in broad), broad


def _reraises(handler: ast.ExceptHandler) -> bool:
    """Tidying up and raising on is no swallowing."""
    last = handler.body[-1]
    return isinstance(last, ast.Raise) and last.exc is None


def test_a_grant_is_built_in_one_place() -> None:
    """Only ``kiosk.visit.policy.decide`` may permit; copying or unpickling one counts as building it."""
    built = []
    for path in product():
        for node in ast.walk(parsed(path)):
            if isinstance(node, ast.Call):
                called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
                if called == "Grant" or (called == "replace" and "grant" in ast.unparse(node).lower()):
                    built.append(f"{name(path)} in {_enclosing(path, node)}")
    assert built == ["kiosk/visit/policy.py in decide"]


def _enclosing(path: Path, call: ast.Call) -> str:
    found = ""
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.FunctionDef) and node.lineno <= call.lineno <= (node.end_lineno or 0):
            found = node.name
    return found


@pytest.mark.parametrize("folder", ["kiosk/", "hardware/", "models/"])
def test_nothing_prints_outside_the_command_line(folder: str) -> None:
    """The journal is for running, the command line for people."""
    for path in product():
        if name(path).startswith(folder) and not name(path).startswith("kiosk/cli/"):
            for node in ast.walk(parsed(path)):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                    assert node.func.id != "print", f"{name(path)}:{node.lineno}"


def test_modules_do_no_work_when_imported() -> None:
    """At module level only definitions, constants, imports and docstrings; loops and bare calls are work."""
    work = []
    for path in product():
        for node in parsed(path).body:
            called = isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)
            if called or isinstance(node, ast.For | ast.While | ast.With):
                if name(path).startswith("kiosk/cli/") or "/migrations/" in name(path):
                    continue  # typer's app is put together by calls; alembic runs its env file
                work.append(f"{name(path)}:{node.lineno}")
    assert not work, work
