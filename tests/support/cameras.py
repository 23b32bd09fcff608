"""Fakes behind the camera adapters: OpenCV's VideoCapture on a V4L2 driver, and the picamera2 module.

Both stand on a clock that tests move; each frame takes its time.
"""

from __future__ import annotations

from collections import deque
from datetime import UTC, datetime
from types import ModuleType
from typing import Any

import cv2
import numpy as np

from kiosk.values import Frame, Moment

FRAME_S = 1 / 30


class ManualClock:
    """A Clock that moves only when told or waited on."""

    def __init__(self, now_s: float = 50.0) -> None:
        self.now_s = now_s
        self.waits: list[float] = []

    def now(self) -> Moment:
        """This moment; the nonce is not random."""
        return Moment(self.now_s, datetime(2026, 1, 1, tzinfo=UTC), bytes(32))

    def wait(self, seconds: float) -> None:
        """Move on."""
        self.waits.append(seconds)
        self.now_s += max(0.0, seconds)


def plain_frame(sequence: int, start_s: float, *, value: int = 0, locked: bool | None = None) -> Frame:
    """A small grey frame."""
    pixels = np.full((4, 6, 3), value, np.uint8)
    return Frame(pixels, sequence, start_s, 0.01, locked)


class FakeCapture:
    """cv2.VideoCapture on a V4L2 driver with the controls in ``controls`` (absent ones answer -1)."""

    def __init__(self, clock: ManualClock, *, controls: dict[int, float] | None = None) -> None:
        self.clock = clock
        self.controls = {
            cv2.CAP_PROP_AUTO_EXPOSURE: 3.0,
            cv2.CAP_PROP_EXPOSURE: 100.0,
            cv2.CAP_PROP_GAIN: 20.0,
            cv2.CAP_PROP_AUTO_WB: 1.0,
            cv2.CAP_PROP_WB_TEMPERATURE: 4600.0,
        }
        if controls is not None:
            self.controls = controls
        self.refused: set[int] = set()
        self.formats = {"MJPG", "YUYV"}
        self.granted: dict[int, float] = {cv2.CAP_PROP_FPS: 30.0, cv2.CAP_PROP_FOURCC: 0.0}
        self.opened = True
        self.alive = True
        self.stamps = True
        self.stamp_s = 0.0
        self.released = 0
        self.picture = np.zeros((480, 640, 3), np.uint8)

    def isOpened(self) -> bool:  # noqa: N802 - OpenCV's name
        """Whether it is open."""
        return self.opened

    def grab(self) -> bool:
        """Take one frame."""
        self.clock.now_s += FRAME_S
        self.stamp_s = self.clock.now_s - 0.005
        return self.alive

    def retrieve(self) -> tuple[bool, Any]:
        """The frame taken last."""
        return self.alive, self.picture if self.alive else None

    def get(self, key: int) -> float:
        """A property or control; -1 for an absent one."""
        if key == cv2.CAP_PROP_POS_MSEC:
            return self.stamp_s * 1000 if self.stamps else 0.0
        return self.controls.get(key, self.granted.get(key, -1.0))

    def set(self, key: int, value: float) -> bool:
        """False when refused."""
        if key == cv2.CAP_PROP_FOURCC:
            if int(value).to_bytes(4, "little").decode() not in self.formats:
                return False
            self.granted[key] = value
            return True
        if key in (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT, cv2.CAP_PROP_FPS, cv2.CAP_PROP_BUFFERSIZE):
            self.granted[key] = value
            return True
        if key not in self.controls or key in self.refused:
            return False
        self.controls[key] = value
        return True

    def release(self) -> None:
        """Close."""
        self.released += 1
        self.opened = False


class FakeSensor:
    """What stands behind the fake picamera2: one sensor with auto exposure that hunts until it is fixed."""

    def __init__(self, clock: ManualClock) -> None:
        self.clock = clock
        self.plugged = True
        self.streaming = True
        self.obeys = True
        self.hidden: set[str] = set()
        """Metadata keys and controls that this camera lacks."""
        self.granted_format = "BGR888"
        self.ahead_s = 0.0
        self.frame = 0
        self.pending: deque[tuple[int, dict[str, Any]]] = deque()
        self.fixed: dict[str, Any] = {}
        self.requests: list[FakeRequest] = []
        self.flushed = 0
        self.started = False
        self.closed = 0
        self.configuration: dict[str, Any] = {}

    def control(self, values: dict[str, Any]) -> None:
        """Controls take effect; exposure and gain of zero go back to the automatic."""
        for key, value in values.items():
            if key in ("ExposureTime", "AnalogueGain") and value == 0:
                self.fixed.pop(key, None)
            else:
                self.fixed[key] = value
        if self.fixed.get("AwbEnable"):
            self.fixed.pop("ColourGains", None)

    def metadata(self) -> dict[str, Any]:
        """Of the frame that was just read out."""
        hunting = self.frame % 5
        told = {
            "SensorTimestamp": round((self.clock.now_s + self.ahead_s) * 1e9),
            "ExposureTime": 10_000 + hunting,
            "AnalogueGain": 2.0 + hunting / 10,
            "DigitalGain": 1.0,
            "ColourGains": (1.5, 1.6 + hunting / 10),
            "Lux": 320.0,
            "AeState": 2,
        }
        if self.obeys:
            told |= {key: value for key, value in self.fixed.items() if key in told}
            if "ExposureTime" in self.fixed:
                told["ExposureTime"] -= 7  # rounded to lines, as sensors do
        return {key: value for key, value in told.items() if key not in self.hidden}


class FakeRequest:
    """picamera2's CompletedRequest."""

    def __init__(self, sensor: FakeSensor) -> None:
        self._metadata = sensor.metadata()
        self._format = sensor.granted_format
        self._size = sensor.configuration["main"]["size"]
        self.released = 0

    def make_array(self, name: str) -> np.ndarray[Any, Any]:
        """The picture, channels in the order of the granted format."""
        assert name == "main"
        assert not self.released
        width, height = self._size
        red, blue = (0, 2) if self._format == "BGR888" else (2, 0)
        pixels = np.zeros((height, width, 3), np.uint8)
        pixels[:, :, red], pixels[:, :, blue] = 200, 50
        return pixels

    def get_metadata(self) -> dict[str, Any]:
        """What the sensor told with this frame."""
        assert not self.released
        return self._metadata

    def release(self) -> None:
        """Back to the camera."""
        self.released += 1


def fake_picamera2(sensor: FakeSensor) -> ModuleType:
    """The ``picamera2`` module, as far as one video stream needs it; controls take effect three frames later."""

    class Picamera2:
        def __init__(self, camera_num: int = 0) -> None:
            if not sensor.plugged or camera_num != 0:
                raise IndexError("list index out of range")
            known = ("AeEnable", "ExposureTime", "AnalogueGain", "AwbEnable", "ColourGains", "FrameDurationLimits")
            self.camera_controls = {key: (0, 1, 0) for key in known if key not in sensor.hidden}

        @staticmethod
        def global_camera_info() -> list[dict[str, Any]]:
            return [{"Model": "imx708", "Id": "/base/soc/i2c0mux/i2c@1/imx708@1a", "Num": 0}] if sensor.plugged else []

        def create_video_configuration(
            self, main: dict[str, Any], controls: dict[str, Any], buffer_count: int, queue: bool
        ) -> dict[str, Any]:
            return {"main": dict(main), "controls": controls, "buffer_count": buffer_count, "queue": queue}

        def configure(self, configuration: dict[str, Any]) -> None:
            sensor.configuration = configuration

        def camera_configuration(self) -> dict[str, Any]:
            return {"main": {**sensor.configuration["main"], "format": sensor.granted_format}}

        def start(self) -> None:
            sensor.started = True

        def set_controls(self, values: dict[str, Any]) -> None:
            for key in values:
                if key not in self.camera_controls:
                    raise RuntimeError(f"Control {key} is not advertised by libcamera")
            sensor.pending.append((sensor.frame + 3, values))

        def capture_request(self, wait: float | None = None, flush: int | None = None) -> FakeRequest:
            assert wait is not None, "a wait without a time-out"
            assert flush is None
            if not sensor.started:
                raise RuntimeError("camera not started")
            if not sensor.streaming:
                sensor.clock.now_s += wait
                raise TimeoutError
            sensor.clock.now_s += FRAME_S
            sensor.frame += 1
            while sensor.pending and sensor.pending[0][0] <= sensor.frame:
                sensor.control(sensor.pending.popleft()[1])
            request = FakeRequest(sensor)
            sensor.requests.append(request)
            return request

        def cancel_all_and_flush(self) -> None:
            sensor.flushed += 1

        def stop(self) -> None:
            sensor.started = False

        def close(self) -> None:
            sensor.closed += 1

    module: Any = ModuleType("picamera2")
    module.Picamera2 = Picamera2
    return module
