"""Every setting of the kiosk: name, unit, default and allowed range, as a frozen tree.

``docs/kiosk.example.toml`` shows each one with a comment; a test keeps the two complete. A part receives only
its group. ``kiosk.config.load`` reads the TOML and turns pydantic's complaints into one plain line.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from kiosk.config.cloud import CloudSettings
from kiosk.config.engines import ModelThresholds, RekognitionSettings
from kiosk.config.enrollment import EnrollmentSettings
from kiosk.config.group import Group
from kiosk.config.kpi import KpiSettings

Ratio = Annotated[float, Field(ge=0.0, le=1.0)]


class CameraSettings(Group):
    """[camera]"""

    source: str = Field(
        "picamera2", description="picamera2, a V4L2 index or /dev path, a GStreamer pipeline, or a file"
    )
    width_px: int = Field(640, ge=320, le=4096, description="requested frame width")
    height_px: int = Field(480, ge=240, le=4096, description="requested frame height")
    fps: float = Field(30.0, ge=5, le=120, description="requested frames per second")
    hfov_deg: float = Field(62.2, ge=20, le=120, description="horizontal field of view of the delivered picture")
    rotate_deg: Literal[0, 90, 180, 270] = Field(0, description="clockwise turn that makes the picture upright")
    lag_s: float | None = Field(
        None, ge=0, le=0.5, examples=[0.09], description="delay from visible to exposed; unset: as calibrated"
    )
    calibration_days: int = Field(180, ge=1, le=3650, description="doctor asks for a new calibration after this time")
    stall_s: float = Field(2.0, ge=0.2, le=30, description="no new frame for this long is a stall")
    reopen_first_s: float = Field(0.5, ge=0.05, le=60, description="first wait before opening a lost camera again")
    reopen_max_s: float = Field(15.0, ge=0.1, le=300, description="longest wait between two tries to open it")


class DisplaySettings(Group):
    """[display]"""

    kind: Literal["pygame", "memory"] = Field("pygame", description="pygame is a real screen; memory draws nowhere")
    width_px: int = Field(800, ge=320, le=7680, description="screen width (a full screen takes the real size)")
    height_px: int = Field(480, ge=320, le=7680, description="screen height")
    fullscreen: bool = Field(True, description="false opens a window")
    width_mm: float = Field(155.0, ge=40, le=1500, description="width of the lit area")
    height_mm: float = Field(88.0, ge=40, le=1500, description="height of the lit area")
    luminance_cd_m2: float = Field(500.0, ge=50, le=5000, description="luminance of full white")


class GuidanceSettings(Group):
    """[guidance]"""

    near_mm: float = Field(330.0, ge=150, le=2000, description="nearer than this says MOVE_BACK")
    far_mm: float = Field(520.0, ge=200, le=3000, description="farther than this says MOVE_CLOSER")
    centre_x_ratio: Ratio = Field(0.5, description="oval centre, share of the frame width")
    centre_y_ratio: Ratio = Field(0.5, description="oval centre, share of the frame height")
    offset_enter_ratio: float = Field(
        0.18, ge=0.02, le=0.5, description="face centre within this share of the oval fits"
    )
    offset_leave_ratio: float = Field(
        0.28, ge=0.02, le=0.8, description="a fitting face may move this far before it does not"
    )
    distance_slack_ratio: float = Field(
        0.06, ge=0, le=0.3, description="hysteresis on near_mm and far_mm once the face fits"
    )
    hint_stands_s: float = Field(0.3, ge=0, le=2, description="a hint is shown only after it stood this long")
    fit_timeout_s: float = Field(15.0, ge=3, le=120, description="longest time to find the oval")
    small_face_ratio: Ratio = Field(0.35, description="a face narrower than this share of the largest is background")

    @model_validator(mode="after")
    def _ordered(self) -> GuidanceSettings:
        if self.far_mm < self.near_mm * 1.1:
            raise ValueError("far_mm must be at least 1.1 times near_mm")
        if self.offset_leave_ratio <= self.offset_enter_ratio:
            raise ValueError("offset_leave_ratio must be larger than offset_enter_ratio")
        return self


class QualityProfile(Group):
    """Limits of one profile of the quality gate."""

    yaw_deg: float = Field(18.0, ge=1, le=45, description="largest turn to either side")
    pitch_down_deg: float = Field(18.0, ge=1, le=30, description="largest nod downwards")
    pitch_up_deg: float = Field(22.0, ge=1, le=45, description="largest tilt upwards")
    roll_deg: float = Field(20.0, ge=1, le=60, description="largest tilt to either shoulder")
    sharpness: float = Field(15.0, ge=0, le=100, description="lowest sharpness, 0..100")
    brightness_low: float = Field(15.0, ge=0, le=100, description="lowest brightness, 0..100")
    brightness_high: float = Field(92.0, ge=0, le=100, description="highest brightness, 0..100")
    clipped_ratio: Ratio = Field(0.10, description="largest share of clipped pixels (any channel at 250 or more)")
    dark_ratio: Ratio = Field(0.45, description="largest share of dark pixels (luma 20 or less)")
    eyes_closed: Ratio = Field(0.65, description="highest blink blendshape still called open")
    sunglasses: Ratio = Field(0.5, description="highest sunglasses score that passes")
    covered: Ratio = Field(0.5, description="highest occlusion score that passes")
    face_px: float = Field(50.0, ge=20, le=2000, description="smallest face side")
    eye_distance_px: float = Field(60.0, ge=0, le=2000, description="smallest distance between the eyes")


class QualitySettings(Group):
    """[quality]"""

    door: QualityProfile = QualityProfile()
    enroll: QualityProfile = QualityProfile(sharpness=25.0, brightness_low=20.0, clipped_ratio=0.08)


class LivenessSettings(Group):
    """[liveness]"""

    colour_slots: int = Field(12, ge=8, le=12, description="colour slots of a challenge that is played to the end")
    adaptive: bool = Field(True, description="end the flash early, from the sixth colour on, when the gates are sure")
    slot_s: float = Field(0.265, ge=0.25, le=0.35, description="mean length of a slot")
    slot_jitter_s: float = Field(0.015, ge=0, le=0.05, description="each slot is longer or shorter by up to this")
    half_slots: int = Field(2, ge=2, le=3, description="slots that light only the top or bottom half")
    settle_after_s: float = Field(0.1, ge=0.08, le=0.12, description="frames this long after a switch are dropped")
    settle_before_s: float = Field(0.04, ge=0, le=0.1, description="frames this long before a switch are dropped")
    timing_r: float = Field(0.75, ge=0.75, le=0.99, description="least correlation with the challenge")
    timing_p: float = Field(0.001, gt=0, le=0.001, description="largest permutation p value")
    lag_window_s: float = Field(0.05, ge=0.01, le=0.05, description="allowed deviation from the calibrated lag")
    # A stream that is relit 150 ms late must be late here too; the delay is measured to about 0.03 s (synthetic).
    lag_max_s: float = Field(0.14, ge=0.1, le=0.3, description="largest believable lag when it is not calibrated")
    gain_low: float = Field(0.3, ge=0.3, le=0.9, description="least response, in shares of the predicted one")
    gain_high: float = Field(3.0, ge=1.1, le=3.0, description="largest response, in shares of the predicted one")
    contrast: float = Field(
        0.25,
        gt=0,
        le=0.25,
        description="largest background response, in shares of a sheet's in the face's place (docs/adr/0007)",
    )
    shape_r: float = Field(0.6, ge=0.6, le=0.95, description="least correlation with the mesh template")
    shape_residual: float = Field(0.05, ge=0.05, le=0.3, description="least residual after removing a plane")
    passive: Ratio = Field(0.5, description="least mean passive score")
    modulation_low: float = Field(
        0.01, ge=0.01, le=0.1, description="below this share of ambient light no flash is started"
    )
    modulation_long: float = Field(
        0.02, ge=0.01, le=0.2, description="below this share the flash shows nine colours at least before it may end"
    )
    # Light must not choose by default: a lamp held at the camera would lead an attacker to the weaker check.
    path: Literal["flash", "record", "auto", "movement"] = Field(
        "record",
        description="record: the holder of a badge whose record forbids a flash is checked by head movements; auto: so "
        "is who shows a badge where no flash can be seen; movement: all are, and must show a badge; flash: nobody is",
    )
    turns: int = Field(3, ge=2, le=4, description="head movements that are asked for, in random order")
    turn_s: float = Field(4.0, ge=2, le=10, description="time for one movement there and back")
    turn_deg: float = Field(15.0, ge=10, le=25, description="least turn of the head; up and down 0.7 of it")
    same_face: float = Field(80.0, ge=50, le=99, description="least similarity of the face before, during and after")
    tries: int = Field(2, ge=0, le=2, description="further tries after an unsure verdict")


Embedder = Literal["sface", "fr_feature"]


class IdentitySettings(Group):
    """[identity]"""

    embedder: Embedder = Field(
        "sface", description="face model of this machine; fr_feature: kiosk models fetch --group second-embedder"
    )
    embedder_before: Embedder | None = Field(
        None,
        examples=["fr_feature"],
        description="face model of before, by which people are known too until kiosk reindex has moved them",
    )
    # 98.0 let in 1 of 60 strangers among 70 enrolled (public set); 99.0 found under 95 % of the enrolled, 98.5 96.5 %.
    threshold: float = Field(98.5, ge=90, le=100, description="least similarity, 0..100, see docs/similarity.md")
    margin: float = Field(1.0, ge=0, le=20, description="least distance to the second person")
    deadline_s: float = Field(2.0, ge=0.2, le=10, description="longest wait for the matcher")
    probes: int = Field(4, ge=3, le=5, description="best frames whose embeddings are averaged")
    models: dict[str, ModelThresholds] = Field(
        {}, description="thresholds of Rekognition's face models by FaceModelVersion; a version without is refused"
    )

    @property
    def embedders(self) -> tuple[str, str | None]:
        """The present face model of this machine, and the one before during a change."""
        return self.embedder, self.embedder_before

    @model_validator(mode="after")
    def _another(self) -> IdentitySettings:
        if self.embedder_before == self.embedder:
            raise ValueError("embedder_before is the embedder itself")
        return self


class DoorSettings(Group):
    """[door]"""

    kind: Literal["gpiozero", "gpiod", "memory"] = Field("gpiozero", description="memory opens nothing")
    pin: str = Field(
        "GPIO17", min_length=1, description="relay line: a gpiozero pin name, or the line offset for gpiod"
    )
    pin_factory: Literal["lgpio", "rpigpio", "pigpio", "native", "mock"] = Field(
        "lgpio", description="gpiozero's pin factory; mock is for tests and must be named"
    )
    chip: str = Field("/dev/gpiochip0", description="gpiod only: the chip")
    active_low: bool = Field(True, description="true where the relay switches on a low level")
    pulse_s: float = Field(3.0, ge=0.2, le=60, description="how long the door stays unlocked")


class RecordsSettings(Group):
    """[records]"""

    key_file: Path | None = Field(
        None,
        examples=["/etc/kiosk/records.key"],
        description="file with the database key, mode 0600; unset: the systemd credential, else DATA/records.key",
    )
    keep_events_days: int = Field(90, ge=1, le=3650, description="events older than this are removed")


class VisitSettings(Group):
    """[visit]"""

    arrive_frames: int = Field(3, ge=1, le=30, description="observations in a row with a face that start a visit")
    gone_s: float = Field(2.0, ge=0.3, le=20, description="face gone for this long ends the guiding")
    hold_s: float = Field(0.5, ge=0.3, le=3, description="time to hold still before the flash")
    still_ratio: float = Field(
        0.08, ge=0.01, le=0.5, description="largest drift while holding, in shares of the eye distance per 0.1 s"
    )
    lock_timeout_s: float = Field(3.0, ge=0.5, le=10, description="longest wait for the exposure lock")
    result_s: float = Field(3.0, ge=1, le=10, description="how long the result is shown")
    stall_s: float = Field(1.0, ge=0.3, le=5, description="a pause of the loop this long during a check ends the check")


class Settings(Group):
    """The whole tree."""

    camera: CameraSettings = CameraSettings()
    display: DisplaySettings = DisplaySettings()
    guidance: GuidanceSettings = GuidanceSettings()
    quality: QualitySettings = QualitySettings()
    liveness: LivenessSettings = LivenessSettings()
    identity: IdentitySettings = IdentitySettings()
    rekognition: RekognitionSettings = RekognitionSettings()
    cloud: CloudSettings = CloudSettings()
    door: DoorSettings = DoorSettings()
    records: RecordsSettings = RecordsSettings()
    enrollment: EnrollmentSettings = EnrollmentSettings()
    visit: VisitSettings = VisitSettings()
    kpi: KpiSettings = KpiSettings()

    @model_validator(mode="after")
    def _stricter(self) -> Settings:
        """A fallback that asks for less than the usual engine would be a reason to cut a wire."""
        if self.rekognition.aws.enabled or self.rekognition.site.enabled:
            usual = max([self.identity.threshold, *(one.threshold for one in self.identity.models.values())])
            if not self.rekognition.fallback.badge and self.rekognition.fallback.threshold <= usual:
                raise ValueError(
                    f"rekognition.fallback.threshold must be above every threshold in use ({usual:g}), or badge be true"
                )
        if any(not name.strip() for name in self.identity.models):
            raise ValueError("identity.models: a face model without a name")
        return self
