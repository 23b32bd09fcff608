"""Before and after a check: Idle, Guiding, Holding, CoolingDown.

Rules:
- A visit starts with a face in some observations running, and one that finds nobody ends by itself.
- The flash begins only for one steady, well-lit face in the oval, with the exposure not known to drift, and only
  where the screen is bright enough to be seen against the ambient light.
"""

from __future__ import annotations

from dataclasses import replace

from kiosk.reasons import Reason
from kiosk.values import Moment, Observation, SeenFace
from kiosk.visit import moving
from kiosk.visit.challenge import shown_after_s
from kiosk.visit.events import Effect, RecordEvent, StartAttempt
from kiosk.visit.guidance import NOBODY, SEVERAL, Problems, place_problems, quality_problems, stand
from kiosk.visit.light import Flash, least_colours, plan
from kiosk.visit.outcomes import Stepped, cool_down, deny, go_idle
from kiosk.visit.rules import BADGE_LASTS_S, QUALITY_FRESH_S, STEADY_ENTER, Rules
from kiosk.visit.states import Approach, Check, CoolingDown, Flashing, Guiding, Holding, Idle, Visit
from kiosk.visit.steadiness import drift_ratio, follow

_STILL: Problems = (Reason.HOLD_STILL,)


def idle(visit: Visit, state: Idle, seen: Observation | None, now_s: float, rules: Rules) -> Stepped:
    """Wait for a face; forget an old badge and, when the place stays empty, old denials."""
    if visit.badge is not None and now_s - visit.badge_at_s > BADGE_LASTS_S:
        visit = replace(visit, badge=None)
    if seen is None:
        return visit, ()
    if not seen.faces:
        left = now_s - state.last_seen_s >= rules.visit.gone_s
        empty = Idle(0, state.last_seen_s)
        return replace(visit, state=empty, denials=0 if left else visit.denials), ()
    if state.seen + 1 < rules.visit.arrive_frames:
        return replace(visit, state=Idle(state.seen + 1, now_s)), ()
    started = replace(visit, state=Guiding(Approach(now_s, now_s)), tries_used=0)
    return started, (RecordEvent("VISIT_STARTED"),)


def guiding(visit: Visit, state: Guiding, seen: Observation | None, now_s: float, rules: Rules) -> Stepped:
    """Lead the face into the oval; give up when it is gone or never fits."""
    approach, problems = state.approach, NOBODY
    if seen is not None:
        approach, problems = _look(visit, approach, seen, now_s, rules, holding=False)
    if now_s - approach.last_seen_s >= rules.visit.gone_s:
        return go_idle(visit, now_s, gone=True)
    if now_s - approach.began_s >= rules.guidance.fit_timeout_s:
        return cool_down(visit, now_s, rules, Reason.FIT_TIMED_OUT)
    if problems or now_s < state.again_until_s:
        return replace(visit, state=replace(state, approach=approach)), ()
    return replace(visit, state=Holding(approach, now_s, now_s + rules.visit.hold_s, now_s)), ()


def holding(visit: Visit, state: Holding, seen: Observation | None, now: Moment, rules: Rules) -> Stepped:
    """Wait until the face was still for the hold time and the exposure lock is not refused."""
    if seen is None:
        return visit, ()
    now_s = now.monotonic_s
    approach, problems = _look(visit, state.approach, seen, now_s, rules, holding=True)
    if problems:
        return replace(visit, state=Guiding(approach)), ()
    locked = seen.gains_locked is not False  # None: the camera cannot tell, the liveness gates must prove it
    unlocked_since_s = now_s if locked else state.unlocked_since_s
    if now_s - unlocked_since_s > rules.visit.lock_timeout_s:
        return deny(visit, Reason.EXPOSURE_NOT_LOCKED, now_s, rules)
    if locked and now_s >= state.ready_at_s:
        return _flash(visit, seen, now, rules)
    held = Holding(approach, state.since_s, state.ready_at_s, unlocked_since_s)
    return replace(visit, state=held), ()


def cooling_down(visit: Visit, state: CoolingDown, seen: Observation | None, now_s: float) -> Stepped:
    """Wait until the face is gone, or for the longest wait of one that stays."""
    if seen is not None and any(state.track is None or face.track == state.track for face in seen.faces):
        state = replace(state, last_seen_s=now_s)
        visit = replace(visit, state=state)
    if now_s - state.last_seen_s >= state.gone_s:
        return go_idle(visit, now_s, gone=True)
    if now_s >= state.until_s:
        return go_idle(visit, now_s, gone=False)
    return visit, ()


def _flash(visit: Visit, seen: Observation, now: Moment, rules: Rules) -> Stepped:
    """A fresh attempt with a fresh challenge or instructions, or the honest refusal where neither is possible."""
    face = seen.faces[0]
    flash = plan(rules.panel, face.distance_mm, seen.lux, rules.liveness)
    moves, refusal = way(visit, flash, rules)
    if refusal is not None:
        return deny(visit, refusal, now.monotonic_s, rules)
    if moves:
        return moving.begin(visit, seen, now, rules)
    attempt = visit.attempt + 1
    challenge = rules.draw(now.nonce)
    least = least_colours(flash)
    now_s, least_s = now.monotonic_s, shown_after_s(challenge, least) if flash is Flash.LONG else 0.0
    check = Check(attempt, face.track, face.track, challenge, now_s, now_s, least_s, flash=flash)
    effects: tuple[Effect, ...] = (
        StartAttempt(attempt, face.track, challenge, visit.badge, least),
        RecordEvent("ATTEMPT_STARTED", attempt=attempt, flash=flash),
    )
    return replace(visit, state=Flashing(check), attempt=attempt), effects


def way(visit: Visit, flash: Flash, rules: Rules) -> tuple[bool, Reason | None]:
    """(whether the visitor is checked by movements, why they cannot be checked at all).

    Movements need a badge as second factor. The screen never flashes at the holder of a badge whose record forbids
    it, whatever the configuration says.
    """
    path, badge = rules.liveness.path, bool(visit.badge)
    forbidden = badge and visit.badge_no_flash
    if path == "movement":
        return badge, None if badge else Reason.BADGE_NEEDED
    if (forbidden and path in ("record", "auto")) or (badge and flash is Flash.NONE and path == "auto"):
        return True, None
    if forbidden:
        return False, Reason.NO_FLASH_ALLOWED
    if flash is not Flash.NONE:
        return False, None
    return False, Reason.BADGE_NEEDED if path == "auto" and rules.badges else Reason.HIGH_LIGHTING


def _look(
    visit: Visit, approach: Approach, seen: Observation, now_s: float, rules: Rules, *, holding: bool
) -> tuple[Approach, Problems]:
    """The approach one observation later, and what is still wrong with it."""
    faces = seen.faces
    if len(faces) == 1:
        return _look_at(visit, approach, faces[0], seen, now_s, rules, holding=holding)
    problems = SEVERAL if faces else NOBODY
    hints = stand(approach.hints, problems, now_s, rules.guidance.hint_stands_s)
    last_seen_s = now_s if faces else approach.last_seen_s
    return Approach(approach.began_s, last_seen_s, None, hints), problems


def _look_at(
    visit: Visit, approach: Approach, face: SeenFace, seen: Observation, now_s: float, rules: Rules, *, holding: bool
) -> tuple[Approach, Problems]:
    same = face.track == approach.track
    quality, quality_at_s = seen.quality, now_s
    if quality is None and same and now_s - approach.quality_at_s <= QUALITY_FRESH_S:
        quality, quality_at_s = approach.quality, approach.quality_at_s
    place = place_problems(
        face,
        visit.oval,
        visit.frame_width_px,
        visit.frame_height_px,
        rules.guidance,
        fitting=same and approach.fitting,
    )
    samples = follow(approach.samples if same else (), face, seen.at_s)
    problems = (*place, *quality_problems(quality))
    if not problems:
        still = rules.visit.still_ratio * (1.0 if holding else STEADY_ENTER)
        problems = () if drift_ratio(samples) <= still else _STILL
    hints = stand(approach.hints, problems or _STILL, now_s, rules.guidance.hint_stands_s)
    fits = problems in ((), _STILL)
    return (
        Approach(approach.began_s, now_s, face.track, hints, not place, fits, samples, quality, quality_at_s),
        problems,
    )
