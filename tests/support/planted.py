"""``step`` with one mistake each: what the stateful test must catch to be worth anything."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from kiosk.reasons import Reason
from kiosk.values import Grant, Liveness, Moment
from kiosk.visit.events import (
    BadgeRead,
    DropAttempt,
    Effect,
    Event,
    LivenessJudged,
    MatchArrived,
    MatchFailed,
    Observed,
    PartFailed,
    PartRecovered,
    PulseDoor,
    Ticked,
)
from kiosk.visit.rules import Rules
from kiosk.visit.states import Deciding, Denied, Flashing, Granted, Guiding, Holding, Idle, Moving, Visit
from kiosk.visit.step import step
from tests.support.visits import ALICE, POSES, STRAIGHT, liveness, moved

Stepped = tuple[Visit, tuple[Effect, ...]]


def bug_opens_after_the_deadline(visit: Visit, event: Event, now: Moment, rules: Rules) -> Stepped:
    """The deadline never comes."""
    if isinstance(visit.state, Deciding):
        visit = replace(visit, state=replace(visit.state, deadline_at_s=1e12))
    return step(visit, event, now, rules)


def _as_live(event: Event, *verdicts: Liveness) -> Event:
    if isinstance(event, LivenessJudged) and event.result.verdict in verdicts:
        return LivenessJudged(event.attempt, liveness())
    return event


def bug_unsure_is_live(visit: Visit, event: Event, now: Moment, rules: Rules) -> Stepped:
    """An unsure verdict is good enough."""
    return step(visit, _as_live(event, Liveness.UNSURE), now, rules)


def bug_spoof_is_live(visit: Visit, event: Event, now: Moment, rules: Rules) -> Stepped:
    """A spoof is good enough."""
    return step(visit, _as_live(event, Liveness.SPOOF), now, rules)


def bug_pulses_twice(visit: Visit, event: Event, now: Moment, rules: Rules) -> Stepped:
    """The door is pulsed twice for one grant."""
    after, effects = step(visit, event, now, rules)
    return after, (*effects, *(effect for effect in effects if isinstance(effect, PulseDoor)))


def bug_pulses_again_while_granted(visit: Visit, event: Event, now: Moment, rules: Rules) -> Stepped:
    """The door is pulsed as long as the result is shown."""
    after, effects = step(visit, event, now, rules)
    if isinstance(visit.state, Granted) and isinstance(after.state, Granted):
        effects = (*effects, PulseDoor(Grant(visit.attempt, visit.state.person_id, now.monotonic_s)))
    return after, effects


def bug_ignores_the_track(visit: Visit, event: Event, now: Moment, rules: Rules) -> Stepped:
    """Any face will do once the flash began."""
    if isinstance(event, Observed) and isinstance(visit.state, (Flashing, Moving, Deciding)):
        track = visit.state.check.track
        faces = tuple(replace(face, track=track) for face in event.observation.faces)
        event = Observed(replace(event.observation, faces=faces))
    return step(visit, event, now, rules)


def bug_ignores_a_second_face(visit: Visit, event: Event, now: Moment, rules: Rules) -> Stepped:
    """Only the largest face is looked at."""
    if isinstance(event, Observed):
        event = Observed(replace(event.observation, faces=event.observation.faces[:1]))
    return step(visit, event, now, rules)


def bug_ignores_who_left(visit: Visit, event: Event, now: Moment, rules: Rules) -> Stepped:
    """A face that left during the check is not missed."""
    if isinstance(visit.state, (Flashing, Deciding)):
        check = replace(visit.state.check, last_seen_s=now.monotonic_s)
        visit = replace(visit, state=replace(visit.state, check=check))
    return step(visit, event, now, rules)


def bug_ignores_the_attempt_number(visit: Visit, event: Event, now: Moment, rules: Rules) -> Stepped:
    """An answer is an answer, whatever attempt it belongs to."""
    if isinstance(event, (LivenessJudged, MatchArrived, MatchFailed)):
        event = replace(event, attempt=visit.attempt)
    return step(visit, event, now, rules)


def bug_ignores_faults_while_deciding(visit: Visit, event: Event, now: Moment, rules: Rules) -> Stepped:
    """A lost part does not matter any more once the flash is over."""
    if isinstance(event, PartFailed) and isinstance(visit.state, Deciding):
        event = Ticked()
    return step(visit, event, now, rules)


def bug_goes_on_deciding_after_a_fault(visit: Visit, event: Event, now: Moment, rules: Rules) -> Stepped:
    """The door opens when everything works again."""
    after, effects = step(visit, event, now, rules)
    if isinstance(event, PartRecovered) and not after.faults and visit.faults:
        return after, (*effects, PulseDoor(Grant(visit.attempt, ALICE, now.monotonic_s)))
    return after, effects


def bug_opens_when_time_is_up(visit: Visit, event: Event, now: Moment, rules: Rules) -> Stepped:
    """No answer is taken for a yes."""
    after, effects = step(visit, event, now, rules)
    if isinstance(after.state, Denied) and after.state.reason is Reason.MATCH_LATE and visit.attempt:
        opened = Granted(ALICE, 1, after.state.until_s)
        return replace(after, state=opened), (PulseDoor(Grant(visit.attempt, ALICE, now.monotonic_s)), *effects)
    return after, effects


def bug_trusts_a_clock_that_went_back(visit: Visit, event: Event, now: Moment, rules: Rules) -> Stepped:
    """A clock that went back is taken for one that stood still."""
    return step(visit, event, replace(now, monotonic_s=max(now.monotonic_s, visit.last_s)), rules)


def bug_ignores_a_stalled_loop(visit: Visit, event: Event, now: Moment, rules: Rules) -> Stepped:
    """A gap in watching is not noticed."""
    frame_at_s = event.observation.at_s if isinstance(event, Observed) else visit.frame_at_s
    return step(replace(visit, observed_s=now.monotonic_s, frame_at_s=frame_at_s), event, now, rules)


def bug_ignores_the_threshold(visit: Visit, event: Event, now: Moment, rules: Rules) -> Stepped:
    """The most similar person is the person."""
    if isinstance(event, MatchArrived):
        event = replace(event, match=replace(event.match, similarity=100.0))
    return step(visit, event, now, rules)


def bug_ignores_the_second_best(visit: Visit, event: Event, now: Moment, rules: Rules) -> Stepped:
    """Two people who look alike are not told apart."""
    if isinstance(event, MatchArrived):
        event = replace(event, match=replace(event.match, runner_up=0.0))
    return step(visit, event, now, rules)


def bug_ignores_a_failed_matcher(visit: Visit, event: Event, now: Moment, rules: Rules) -> Stepped:
    """A matcher that failed may still answer."""
    return step(visit, Ticked() if isinstance(event, MatchFailed) else event, now, rules)


def bug_tries_for_ever(visit: Visit, event: Event, now: Moment, rules: Rules) -> Stepped:
    """Unsure verdicts are not counted."""
    return step(replace(visit, tries_used=0), event, now, rules)


def bug_hopes_for_the_exposure_lock(visit: Visit, event: Event, now: Moment, rules: Rules) -> Stepped:
    """The exposure is believed to be locked because it was asked for."""
    if isinstance(event, Observed):
        event = Observed(replace(event.observation, gains_locked=True))
    return step(visit, event, now, rules)


def bug_flashes_into_the_sun(visit: Visit, event: Event, now: Moment, rules: Rules) -> Stepped:
    """A flash is shown that no camera can see."""
    if isinstance(event, Observed):
        event = Observed(replace(event.observation, lux=None))
    return step(visit, event, now, rules)


def bug_shows_the_same_challenge_again(visit: Visit, event: Event, now: Moment, rules: Rules) -> Stepped:
    """The nonce is constant."""
    return step(visit, event, replace(now, nonce=bytes(32)), rules)


def bug_keeps_the_evidence(visit: Visit, event: Event, now: Moment, rules: Rules) -> Stepped:
    """Evidence is never dropped."""
    after, effects = step(visit, event, now, rules)
    return after, tuple(effect for effect in effects if not isinstance(effect, DropAttempt))


def bug_keeps_an_embedding(visit: Visit, event: Event, now: Moment, rules: Rules) -> Stepped:
    """A biometric array hides in the visit."""
    after, effects = step(visit, event, now, rules)
    if isinstance(after.state, Granted):
        after = replace(after, badge=np.zeros(128))  # type: ignore[arg-type]
    return after, effects


def bug_never_ends_the_cooling_down(visit: Visit, event: Event, now: Moment, rules: Rules) -> Stepped:
    """The kiosk never serves anybody again."""
    after, effects = step(visit, event, now, rules)
    stuck = isinstance(after.state, Idle) and not isinstance(visit.state, (Idle, Guiding))
    return (replace(visit, last_s=now.monotonic_s), ()) if stuck else (after, effects)


def _course(visit: Visit, **changes: object) -> Visit:
    state = visit.state
    return replace(visit, state=replace(state, course=replace(state.course, **changes)))  # type: ignore[union-attr]


def bug_leaves_out_instructions(visit: Visit, event: Event, now: Moment, rules: Rules) -> Stepped:
    """One instruction is enough."""
    if isinstance(visit.state, Moving):
        visit = _course(visit, instructions=visit.state.course.instructions[:1])
    return step(visit, event, now, rules)


def bug_turns_any_way(visit: Visit, event: Event, now: Moment, rules: Rules) -> Stepped:
    """Any movement counts as the one that was asked for."""
    if isinstance(event, Observed) and isinstance(visit.state, Moving):
        asked = POSES[visit.state.course.hint]
        faces = tuple(face if face.pose == STRAIGHT else replace(face, pose=asked) for face in event.observation.faces)
        event = Observed(replace(event.observation, faces=faces))
    return step(visit, event, now, rules)


def bug_has_all_the_time(visit: Visit, event: Event, now: Moment, rules: Rules) -> Stepped:
    """An instruction may be followed whenever one likes."""
    if isinstance(visit.state, Moving):
        visit = _course(visit, given_s=now.monotonic_s)
    return step(visit, event, now, rules)


def bug_need_not_look_straight(visit: Visit, event: Event, now: Moment, rules: Rules) -> Stepped:
    """The next instruction comes while the head is still turned."""
    if isinstance(event, Observed) and isinstance(visit.state, Moving) and visit.state.course.reached:
        faces = tuple(replace(face, pose=STRAIGHT) for face in event.observation.faces)
        event = Observed(replace(event.observation, faces=faces))
    return step(visit, event, now, rules)


def bug_moves_without_a_badge(visit: Visit, event: Event, now: Moment, rules: Rules) -> Stepped:
    """The second factor is made up."""
    if isinstance(visit.state, Holding) and visit.badge is None:
        visit = replace(visit, badge="0000")
    return step(visit, event, now, rules)


def bug_ignores_whose_badge_it_was(visit: Visit, event: Event, now: Moment, rules: Rules) -> Stepped:
    """A match among all is as good as one with the badge's holder."""
    if isinstance(event, MatchArrived) and isinstance(visit.state, (Moving, Deciding)):
        event = replace(event, badge=visit.state.check.badge)
    return step(visit, event, now, rules)


def bug_takes_any_gates_for_movement(visit: Visit, event: Event, now: Moment, rules: Rules) -> Stepped:
    """A verdict without the gates of the movement is good enough."""
    moving = isinstance(visit.state, Deciding) and visit.state.check.movement
    if moving and isinstance(event, LivenessJudged) and event.result.verdict is Liveness.LIVE:
        event = replace(event, result=moved())
    return step(visit, event, now, rules)


def bug_decides_before_the_last_instruction(visit: Visit, event: Event, now: Moment, rules: Rules) -> Stepped:
    """A LIVE verdict ends the movement early."""
    if isinstance(visit.state, Moving) and isinstance(event, LivenessJudged) and event.attempt == visit.attempt:
        check = replace(visit.state.check, followed=True)
        visit = replace(visit, state=Deciding(check, now.monotonic_s + rules.identity.deadline_s))
    return step(visit, event, now, rules)


def bug_flashes_at_who_must_not_see_it(visit: Visit, event: Event, now: Moment, rules: Rules) -> Stepped:
    """The record's word is not heard."""
    return step(visit, replace(event, no_flash=False) if isinstance(event, BadgeRead) else event, now, rules)


BUGS = [bug for name, bug in list(globals().items()) if name.startswith("bug_")]
