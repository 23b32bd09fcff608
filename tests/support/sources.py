"""The project's own files, for the architecture tests: what git tracks, or what lies there where git is absent."""

from __future__ import annotations

import ast
import subprocess
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("kiosk", "hardware", "models")
_SKIPPED = {".venv", "var", ".git", "build", "dist", "htmlcov", "__pycache__"}
_CACHES = ("_cache", ".hypothesis", ".egg-info")


@cache
def tracked() -> tuple[Path, ...]:
    """Every file of the project, absolute, in order: tracked ones and new ones that git does not ignore."""
    command = ["git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        listed = subprocess.run(command, capture_output=True, check=True).stdout.decode()
    except (OSError, subprocess.CalledProcessError):  # an unpacked archive
        found = [path for path in ROOT.rglob("*") if path.is_file() and not path.name.startswith(".coverage")]
        return tuple(sorted(path for path in found if not any(_made(part) for part in path.relative_to(ROOT).parts)))
    return tuple(sorted(ROOT / name for name in listed.split("\0") if name and (ROOT / name).is_file()))


def _made(part: str) -> bool:
    """Whether a folder of this name holds what tools made."""
    return part in _SKIPPED or part.endswith(_CACHES)


@cache
def product() -> tuple[Path, ...]:
    """Every Python module of the three packages."""
    return tuple(path for path in tracked() if path.suffix == ".py" and path.relative_to(ROOT).parts[0] in PACKAGES)


@cache
def parsed(path: Path) -> ast.Module:
    """The syntax tree of one module."""
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def name(path: Path) -> str:
    """Path relative to the project, with slashes."""
    return path.relative_to(ROOT).as_posix()


def imports(tree: ast.Module) -> list[tuple[str, int]]:
    """Every absolutely imported dotted name with its line, at any depth, also those for type checking."""
    found: list[tuple[str, int]] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [(alias.name, node.lineno) for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.append((node.module, node.lineno))
    return found
