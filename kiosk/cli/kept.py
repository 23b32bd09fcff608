"""Evidence of recordings for the commands: the kept one where it fits, else gathered anew - and then kept, or not.

Models are opened only when a recording must really be looked at.
"""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Callable
from contextlib import ExitStack
from importlib import metadata, resources
from pathlib import Path
from typing import TYPE_CHECKING

from kiosk.closing import Closing
from kiosk.evaluation import kept
from kiosk.evaluation.gather import gather_evidence
from kiosk.evaluation.recording import Recording
from kiosk.identity.scale import Scale
from kiosk.visit.evidence import Evidence
from models import manifest

if TYPE_CHECKING:
    from models.faces import LocalFaceModels

SOURCES: dict[str, tuple[str, ...]] = {
    "hardware": ("recording/fields.py", "recording/pngs.py", "recording/read.py"),
    "kiosk": (
        "evaluation/gather.py", "evaluation/kept.py", "evaluation/recording.py", "identity/scale.py",
        "runtime/extract.py", "runtime/measure.py", "runtime/occlusion.py", "runtime/perceive.py",
        "runtime/sampling.py", "values.py", "visit/evidence.py", "visit/geometry.py", "visit/quality.py",
        "visit/reflection/canonical.py", "visit/reflection/mesh.py",
    ),
    "models": (
        "embedder.py", "faces.py", "landmarks.py", "manifest.py", "manifest.toml", "passive.py", "session.py",
    ),
}  # fmt: skip
"""Everything between a frame file and evidence; the manifest names the weights by their SHA-256 (a test follows the
imports). How evidence is judged is not among it."""
LIBRARIES = ("mediapipe", "numpy", "onnxruntime", "opencv-contrib-python")


def maker_of(data: Path) -> bytes | None:
    """SHA-256 of the program, its libraries, the machine's kind and the present weights; None: not to be known."""
    maker = hashlib.sha256(platform.machine().encode())
    try:
        for package, names in SOURCES.items():
            for name in names:
                content = resources.files(package).joinpath(name).read_bytes()
                maker.update(f"\n{package}/{name} {len(content)}\n".encode() + content)
        for library in LIBRARIES:
            maker.update(f"\n{library} {metadata.version(library)}".encode())
    except (OSError, metadata.PackageNotFoundError):
        return None
    for one in manifest.select(("passive-extra",)):
        maker.update(f"\n{one.name} {manifest.is_present(one, data)}".encode())
    return maker.digest()


class Evidences(Closing):
    """Evidence of one recording after the other; use it with ``with``. ``keep``: write what was gathered anew."""

    def __init__(self, data: Path, *, keep: bool) -> None:
        self._data = data
        self._keep = keep
        self._maker = maker_of(data)
        self._models: LocalFaceModels | None = None
        self._open = ExitStack()
        self.gathered = 0
        """Recordings whose frames were looked at."""

    def close(self) -> None:
        """Close the models, if they were opened."""
        self._open.close()

    def of(self, folder: Path, recording: Recording, *, progress: Callable[[int, int], None] | None = None) -> Evidence:
        """The evidence of the recording that was read from ``folder``.

        Raises InputError for a broken picture, ModelError where the models are missing or fail.
        """
        seal = self._seal(folder, recording)
        found = None if seal is None else kept.load(folder, recording, seal)
        if found is not None:
            return found
        models = self._ready()
        scale = Scale.from_tables(models.embedding_version, manifest.similarity_tables())
        made = gather_evidence(recording, models, scale, progress=progress)
        self.gathered += 1
        # Sealed again: what changed while it was being looked at must not be kept under the name of what it was.
        if self._keep and seal is not None and self._seal(folder, recording) == seal:
            kept.save(folder, recording, seal, made)
        return made

    def _seal(self, folder: Path, recording: Recording) -> bytes | None:
        return None if self._maker is None else kept.seal_of(folder, recording, self._maker)

    def _ready(self) -> LocalFaceModels:
        """The models; every recording is another video to them."""
        if self._models is None:
            from models.faces import open_models

            self._models = self._open.enter_context(open_models(self._data))
        else:
            self._models.forget()
        return self._models
