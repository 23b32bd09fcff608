"""Who may import what: the layers, the pure visit, and one home for each third-party package."""

from __future__ import annotations

import ast
import subprocess
import sys
import tomllib

import pytest

from tests.support.sources import PACKAGES, ROOT, imports, name, parsed, product

HOMES: dict[str, tuple[str, ...]] = {
    "numpy": ("",),
    "pydantic": ("kiosk/config/",),
    "pydantic_core": ("kiosk/config/",),
    "annotated_types": ("kiosk/config/",),
    "sqlalchemy": ("kiosk/records/",),
    "alembic": ("kiosk/records/",),
    "sqlcipher3": ("kiosk/records/",),
    "psycopg": ("kiosk/records/postgres.py",),
    "pgvector": ("kiosk/records/",),
    "pygame": ("hardware/displays/",),
    "mediapipe": ("models/",),
    "onnxruntime": ("models/",),
    "onnx": ("models/",),
    "google": ("models/",),  # protobuf, which onnx stands on
    "cv2": ("hardware/", "models/"),
    "PIL": ("hardware/stills.py",),
    "gpiozero": ("hardware/doors/",),
    "gpiod": ("hardware/doors/",),
    "picamera2": ("hardware/cameras/",),
    "libcamera": ("hardware/cameras/",),
    "structlog": ("kiosk/runtime/journal.py",),
    "boto3": ("kiosk/calling.py",),
    "botocore": ("kiosk/calling.py", "kiosk/rekognition/", "kiosk/identity/", "kiosk/kpi/", "kiosk/cloud/"),
    "starlette": ("kiosk/rekognition/server.py",),
    "uvicorn": ("kiosk/rekognition/",),
    "prometheus_client": ("kiosk/rekognition/metrics.py", "kiosk/kpi/prometheus.py"),
    "cryptography": ("kiosk/rekognition/certificate.py", "kiosk/records/sealing.py"),
    "zxingcpp": ("hardware/cards/barcodes.py",),
    "typer": ("kiosk/cli/",),
    "click": ("kiosk/cli/",),  # typer stands on it
    "rich": ("kiosk/cli/",),
}
"""Third-party module to the only places that may import it."""

LAZY = (
    *("gpiozero", "gpiod", "picamera2", "libcamera", "pygame"),
    *("boto3", "botocore", "starlette", "uvicorn", "cryptography", "prometheus_client"),
    *("psycopg", "pgvector", "zxingcpp"),
)
"""Imported inside functions only: a kiosk without that hardware, or without a screen, must start."""

PURE = ("kiosk/visit/", "kiosk/access/")
IMPURE_NAMES = {"open", "input", "print", "exec", "eval", "compile", "breakpoint"}


def test_the_layers_hold() -> None:
    """import-linter's contracts in pyproject.toml."""
    command = [sys.executable, "-c", "from importlinter.cli import lint_imports_command as c; c()", "--no-cache"]
    checked = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_every_third_party_package_has_one_home() -> None:
    """A package used in one place can be replaced in one place."""
    wrong = []
    for path in product():
        for module, line in imports(parsed(path)):
            top = module.split(".")[0]
            if top in sys.stdlib_module_names or top in PACKAGES:
                continue
            homes = HOMES.get(top)
            if homes is None or not name(path).startswith(homes):
                wrong.append(f"{name(path)}:{line} imports {top}; its home is {homes or 'not in the table'}")
    assert not wrong, "\n".join(wrong)


def test_every_dependency_stands_in_the_table() -> None:
    """A new dependency needs a home before it is used; one without a home is dead weight."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    modules = {
        "opencv-contrib-python": "cv2",
        "pillow": "PIL",
        "pygame-ce": "pygame",
        "prometheus-client": "prometheus_client",
        "zxing-cpp": "zxingcpp",
    }
    extras = project["optional-dependencies"]
    wanted = [
        *project["dependencies"],
        *extras["pi"],
        *extras["jetson"],
        *extras["server"],
        *extras["cloud"],
        *extras["kpi"],
        *extras["postgres"],
        *extras["cards"],
    ]
    names = {
        requirement.split(">")[0].split("[")[0].split("<")[0].split("=")[0].strip().lower() for requirement in wanted
    }
    unknown = {modules.get(item, item) for item in names} - set(HOMES) - {"simplejpeg"}
    assert not unknown


@pytest.mark.parametrize("module", LAZY)
def test_hardware_packages_are_imported_when_they_are_needed(module: str) -> None:
    """Importing our modules must not need the hardware's packages."""
    for path in product():
        for node in parsed(path).body:
            if isinstance(node, ast.Import | ast.ImportFrom):
                tops = {found.split(".")[0] for found, _ in imports(ast.Module(body=[node], type_ignores=[]))}
                if name(path).startswith("hardware/displays/") and module == "pygame":
                    continue  # the drawing modules are themselves imported lazily, see the test below
                assert module not in tops, f"{name(path)}:{node.lineno} imports {module} at import time"


def test_importing_the_adapters_loads_no_hardware_package() -> None:
    """What the composition root imports stays light until something is opened."""
    code = (
        "import sys, hardware, hardware.cameras, hardware.displays, hardware.doors, kiosk, models\n"
        f"loaded = sorted(set({LAZY!r}) & set(sys.modules))\n"
        "sys.exit(f'loaded at import: {loaded}' if loaded else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_pure_core_reads_and_writes_nothing() -> None:
    """Built-ins that reach outside are not called there either."""
    for path in product():
        if name(path).startswith(PURE):
            for node in ast.walk(parsed(path)):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                    assert node.func.id not in IMPURE_NAMES, f"{name(path)}:{node.lineno} calls {node.func.id}"
