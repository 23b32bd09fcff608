"""ONNX Runtime behind one small class: bounded threads, no log lines, foreign errors wrapped.

Two threads by default: the embedder takes 16 ms on one core and 13 ms on two (x86), and the flash lasts long enough
that the frame loop gives up those milliseconds without losing a frame.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from kiosk.errors import ModelError
from kiosk.values import Floats


class OnnxSession:
    """One model with one picture-like input and one output, on the CPU.

    ``content`` are the (already verified) bytes of the model. Raises ModelError when the runtime refuses them.
    """

    def __init__(self, content: bytes, *, name: str, threads: int = 2) -> None:
        import onnxruntime
        from onnxruntime.capi import onnxruntime_pybind11_state as state

        # The runtime's exceptions share no base class of their own.
        self._foreign: tuple[type[Exception], ...] = (
            *(kind for kind in vars(state).values() if isinstance(kind, type) and issubclass(kind, Exception)),
            RuntimeError,
            ValueError,
        )
        self.name = name
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 4
        # Waiting threads must not burn the core that the frame loop needs.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        try:
            self._session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
            (self._input,) = (one.name for one in self._session.get_inputs())
        except self._foreign as error:
            raise ModelError(f"the runtime refuses the model ({type(error).__name__})", where=name) from error

    def run(self, batch: Floats) -> NDArray[np.float32]:
        """Output of a ``(1, 3, H, W) float32`` input, with its own shape. Raises ModelError."""
        try:
            output = self._session.run(None, {self._input: batch})[0]
        except self._foreign as error:
            raise ModelError(f"the model did not run ({type(error).__name__})", where=self.name) from error
        return np.asarray(output, dtype=np.float32)

    def note(self, key: str) -> str:
        """A text that the model's maker put beside the weights; "" where there is none. Raises ModelError."""
        try:
            notes: dict[str, str] = self._session.get_modelmeta().custom_metadata_map
        except self._foreign as error:
            raise ModelError(f"the notes cannot be read ({type(error).__name__})", where=self.name) from error
        return notes.get(key, "")
