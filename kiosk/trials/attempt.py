"""One try in a simulated world: step up, hold still, be flashed at slot by slot, be judged.

The kiosk's own parts do the work: the challenge, the tracker, the extractor, the sequential test, the gates. Only the
landmarks come from the simulator's geometry (with a landmarker's tremble) instead of a network, and the passive score
is the best there is for everybody: the simulator's pictures cannot be judged by it, and attacks are not to be stopped
by what was not measured. Of the frames in which a switch of colours is settling, which the gates drop,
only every third one is filmed.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from itertools import accumulate

from hardware.sim.camera import SimCamera
from hardware.sim.clock import SimClock
from hardware.sim.display import SURROUND
from hardware.sim.light import BLACK, rgb_linear
from hardware.sim.world import World
from kiosk.config.tree import Settings
from kiosk.reasons import Reason
from kiosk.runtime.attempt import USUAL_LAG_S, shown_until
from kiosk.runtime.perceive import seen_face
from kiosk.trials.film import Film, Find, SimulatedFaces
from kiosk.values import Challenge, Face, Frame, Liveness, LivenessResult, Slot
from kiosk.visit.challenge import FLOOR, GREY, draw
from kiosk.visit.evidence import Evidence
from kiosk.visit.geometry import focal_px
from kiosk.visit.light import Flash, least_colours, plan
from kiosk.visit.reflection import judge
from kiosk.visit.reflection.sequential import enough
from kiosk.visit.steadiness import Samples, drift_ratio, follow

LATENCY_S = 0.03
"""From the loop's wish to the display's page flip."""
AHEAD_S = 0.2
"""A slot is put into the world's light this long before the camera can see it."""
SWITCH_S = 0.1
"""So long after a switch only every third frame is filmed: the gates drop them all, but find the lag with them."""
SLOW_S = 0.2, 0.1
"""Least time between two filmed frames of the approach, and of the hold."""
LONGEST_APPROACH_S = 5.0
"""The kiosk guides for longer (``guidance.fit_timeout_s``); who was not alone and still by then is not flashed at."""
GROWTH = 0.02
"""A face that grows faster than this in a tenth of a second is still walking up."""
PASSIVE = (1.0,) * 6
"""Everybody's passive score."""
SAME = (99.0, 99.0)

SameFace = Callable[[list[tuple[Frame, Face]]], tuple[float, ...]]
"""Similarities of the later faces to the first one."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one try came to."""

    result: LivenessResult
    colour_slots: int
    seconds: float
    """From the face in the oval to the verdict."""
    fixed_length_s: float
    """The same with the flash played to its end."""
    flash: Flash
    ended: bool = False
    """The kiosk ended the visit itself: there is no further try."""


def play(
    world: World,
    settings: Settings,
    *,
    seed: int,
    lag_s: float | None,
    adaptive: bool,
    find: Find | None = None,
    same_face: SameFace | None = None,
) -> Outcome:
    """Play one try. ``lag_s`` is the calibrated lag, None for an installation that was never calibrated."""
    clock = SimClock(seed, world.start_s)
    white = (SURROUND,) * 3
    world.show(world.start_s - 1.0, white, white)
    find = SimulatedFaces(seed) if find is None else find
    with SimCamera(world, clock) as camera:
        camera.lock_exposure()
        film = Film(world, camera, clock, find, settings.guidance.small_face_ratio)
        in_oval_s = _approach(film, settings)
        if in_oval_s is None:
            return _unseen(clock.now_s - world.start_s, reason=film.problem or Reason.FIT_TIMED_OUT)
        light = _light_plan(film, settings)
        if light is Flash.NONE:
            return _unseen(clock.now_s - in_oval_s, light)
        challenge = draw(clock.now().nonce, settings.liveness)
        sequence = _Sequence(film, challenge, settings, lag_s, same_face)
        result, shown = sequence.play(least_colours(light) if adaptive else math.inf)
    waited_s = clock.now_s - in_oval_s
    left_s = sum(slot.duration_s for slot in challenge.slots[shown:])
    colours = sum(slot.rgb != GREY for slot in challenge.slots[:shown])
    return Outcome(result, colours, waited_s, waited_s + left_s, light, ended=not result.gates)


def _unseen(seconds: float, flash: Flash = Flash.NORMAL, reason: Reason = Reason.HIGH_LIGHTING) -> Outcome:
    """No face to judge, or no flash to judge it by: the kiosk goes on guiding until it gives up."""
    return Outcome(_broken(reason), 0, seconds, seconds, flash, ended=True)


def _broken(reason: Reason) -> LivenessResult:
    """The check ended without any gate having been asked."""
    return LivenessResult(Liveness.UNSURE, 0.0, (), (reason,))


def _approach(film: Film, settings: Settings) -> float | None:
    """Film until the face has stood still for the hold time; when it came to stand, None when it never did."""
    samples: Samples = ()
    still_since_s: float | None = None
    focal = film.world.optics.focal_px
    while film.clock.now_s < film.world.start_s + LONGEST_APPROACH_S:
        film.read(film.last_s + SLOW_S[still_since_s is not None])
        if film.problem is not None or film.face is None or film.frame is None:
            samples, still_since_s = (), None
            continue
        seen = seen_face(film.face, film.track, focal)
        samples = follow(samples, seen, film.frame.exposure_start_s)
        guidance = settings.guidance
        slack = 1.0 + guidance.distance_slack_ratio
        within = guidance.near_mm / slack <= seen.distance_mm <= guidance.far_mm * slack
        if not within or _growth(samples) > GROWTH or drift_ratio(samples) > settings.visit.still_ratio:
            still_since_s = None
        elif still_since_s is None:
            still_since_s = film.clock.now_s
        elif film.clock.now_s - still_since_s >= settings.visit.hold_s:
            return still_since_s
    return None


def _growth(samples: Samples) -> float:
    """How much the face grew over the samples, as a share for a tenth of a second; infinite when it cannot be told."""
    if len(samples) < 2 or samples[0].eye_distance_px <= 0.0:
        return math.inf
    grown = samples[-1].eye_distance_px / samples[0].eye_distance_px - 1.0
    return abs(grown) / max((samples[-1].at_s - samples[0].at_s) / 0.1, 1.0)


def _light_plan(film: Film, settings: Settings) -> Flash:
    """What the kiosk would do in this light, by what its camera reports."""
    frame, face = film.frame, film.face
    if frame is None or face is None:
        return Flash.NORMAL
    distance_mm = seen_face(face, film.track, film.world.optics.focal_px).distance_mm
    return plan(film.world.lamp.panel, distance_mm, frame.lux, settings.liveness)


class _Sequence:
    """Shows the challenge, films it, asks whether it is enough."""

    def __init__(
        self, film: Film, challenge: Challenge, settings: Settings, lag_s: float | None, same_face: SameFace | None
    ) -> None:
        self._film = film
        self._slots = challenge.slots
        self._settings = settings
        self._lag_s = lag_s
        self._same_face = same_face
        self._kept: list[tuple[Frame, Face]] = []
        lux = [item.lux for item in film.evidence if item.lux is not None][-10:]
        self._lux = sum(lux) / len(lux) if lux else None
        begin_s = film.clock.now_s + LATENCY_S
        film.world.flash_begins(begin_s)
        film.began = film.track
        lengths = [0.0, *(slot.duration_s for slot in challenge.slots)]
        self._starts = [begin_s + passed for passed in accumulate(lengths)]
        """When each slot becomes visible, and when the last one ends."""
        self._lit = 0
        # The kiosk's own rule: a slot is over when the frames that saw its end are in.
        self._grace_s = (USUAL_LAG_S if lag_s is None else lag_s) - settings.liveness.settle_before_s
        self._keep()

    def play(self, least: float) -> tuple[LivenessResult, int]:
        """The verdict, and how many slots were shown for it: it may come early from ``least`` colours on.

        What ends a check in the kiosk before any gate is asked (a second face, another one, none) ends it here.
        """
        colours = 0
        for shown, slot in enumerate(self._slots, start=1):
            colours += slot.rgb != GREY
            problem = self._film_until(self._starts[shown] + self._grace_s)
            if problem is not None:
                return _broken(problem), shown
            if colours == FLOOR // 2 and slot.rgb != GREY:
                self._keep()
            if slot.rgb != GREY and colours >= least:
                early = enough(self._evidence(shown), self._settings.liveness)
                if early is not None:
                    return early, shown
        shown = len(self._slots)
        return judge(self._evidence(shown), self._settings.liveness), shown

    def _film_until(self, end_s: float) -> Reason | None:
        """Film the frames that begin before ``end_s``, lighting the slots that they can see; why the check is over."""
        film, rhythm_s = self._film, 1.0 / self._film.world.optics.fps
        while film.last_s < end_s:
            while self._lit < len(self._slots) and self._starts[self._lit] < film.clock.now_s + AHEAD_S:
                self._light(self._starts[self._lit], self._slots[self._lit])
                self._lit += 1
            next_s = film.last_s + rhythm_s
            begun = bisect_right(self._starts, next_s)
            since_s = next_s - self._starts[begun - 1] if begun else 1.0
            film.read(film.last_s + (2.5 * rhythm_s if since_s < SWITCH_S else 0.0))
            if film.problem is not None:
                return film.problem
        return None

    def _light(self, at_s: float, slot: Slot) -> None:
        colour = rgb_linear(slot.rgb)
        top = BLACK if slot.region == "bottom" else colour
        self._film.world.show(at_s, top, BLACK if slot.region == "top" else colour)

    def _keep(self) -> None:
        if self._same_face is not None and self._film.frame is not None and self._film.face is not None:
            self._kept.append((self._film.frame, self._film.face))

    def _similar(self) -> tuple[float, ...]:
        if self._same_face is None:
            return SAME
        film = self._film
        last = [] if film.frame is None or film.face is None else [(film.frame, film.face)]
        return self._same_face([*self._kept, *last])

    def _evidence(self, shown: int) -> Evidence:
        world = self._film.world
        frame = self._film.evidence[-1]
        begun = list(zip(self._slots, self._starts, strict=False))
        if shown < len(self._slots):  # the slot that is on by now belongs to what was seen
            end_s = frame.exposure_start_s + frame.exposure_s
            slots = shown_until([pair for pair in begun if pair[1] < end_s], end_s)
        else:
            slots = shown_until(begun, self._starts[-1])
        return Evidence(
            camera_name=self._film.camera.name,
            camera_changed=False,
            panel=world.lamp.panel,
            focal_px=focal_px(world.optics.hfov_deg, world.optics.width_px),
            lag_s=self._lag_s,
            ambient_lux=self._lux,
            slots=slots,
            frames=tuple(self._film.evidence),
            passive_live=PASSIVE,
            same_face=self._similar(),
            mesh_normals=self._film.extractor.mesh_normals,
        )
