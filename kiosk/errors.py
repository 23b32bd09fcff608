"""Every error the kiosk raises on purpose, on one page.

    KioskError
    ├── ConfigurationError      a setting is unknown, out of range, or contradicts another
    ├── InputError              an image, video or recording that cannot be used
    ├── ModelError              weights missing, cut short, of the wrong hash, or refused by the runtime
    ├── CameraError
    │   ├── CameraUnavailable   cannot be opened, or was unplugged
    │   ├── CameraStalled       open, but no new frame within the time-out
    │   └── CameraEnded         a clip, folder or recording has no further frame
    ├── DisplayError            no screen, or the screen was lost
    │   └── DisplayClosed       its user closed the window: end, do not mend
    ├── DoorError               the relay cannot be driven
    ├── RecordsError
    │   ├── RecordsLocked       the key does not open the database
    │   ├── RecordsReadOnly     nothing can be written (mount, permission)
    │   ├── RecordsFull         the disk is full
    │   └── RecordsConflict     the name, badge or template is already taken
    │       └── RecordsMoved    somebody was enrolled since it was looked at: look again
    ├── UnknownPerson           a person or badge that the store does not hold
    ├── MatchError              the matcher could not answer (never: "not the same person")
    ├── RekognitionFault        a request that the Rekognition server refuses, by AWS's name for the reason
    ├── ReadingError            a service that reads cards could not answer (never: "nothing on it")
    └── FetchError              weights could not be fetched from any source

"No face", "spoof" and "unknown person" at the door are values, not exceptions.
Foreign errors (cv2, SQLAlchemy, gpiozero, ...) are wrapped where they cross into our code.
"""

from __future__ import annotations


class KioskError(Exception):
    """A fault explained to a person: what happened, where, what to do. Printed as one line, exit code 2."""

    def __init__(self, what: str, *, where: str = "", mend: str = "", reason: str = "") -> None:
        """Keep the parts; ``str()`` joins the first three into one line. ``reason``: the word for it in figures."""
        super().__init__(what)
        self.what = what
        self.where = where
        self.mend = mend
        self.reason = reason
        self.step = ""
        """Of an enrollment that it ended."""

    def __str__(self) -> str:
        line = f"{self.where}: {self.what}" if self.where else self.what
        if self.mend:
            line = f"{line}; {self.mend}"
        return " ".join(line.split())


class ConfigurationError(KioskError):
    """A setting is unknown, out of range, or contradicts another."""


class InputError(KioskError):
    """An image, video or recording that cannot be used."""


class ModelError(KioskError):
    """Weights missing, cut short, of the wrong hash, or refused by the runtime."""


class FetchError(KioskError):
    """Weights could not be fetched from any source."""


class CameraError(KioskError):
    """Anything a camera does wrong."""


class CameraUnavailable(CameraError):
    """The camera cannot be opened, or was unplugged."""


class CameraStalled(CameraError):
    """The camera is open, but no new frame came within the time-out."""


class CameraEnded(CameraError):
    """A clip, folder or recording has no further frame."""


class DisplayError(KioskError):
    """No screen, or the screen was lost."""


class DisplayClosed(DisplayError):
    """The window was closed by its user: the program should end, not try to mend the screen."""


class DoorError(KioskError):
    """The relay cannot be driven."""


class RecordsError(KioskError):
    """The store cannot do what was asked."""


class RecordsLocked(RecordsError):
    """The key does not open the database."""


class RecordsReadOnly(RecordsError):
    """Nothing can be written: read-only mount or missing permission."""


class RecordsFull(RecordsError):
    """The disk is full."""


class RecordsConflict(RecordsError):
    """The name, badge or template is already taken."""


class RecordsMoved(RecordsConflict):
    """Somebody was enrolled, changed or removed since the caller looked: what it found may not hold any more."""


class UnknownPerson(KioskError):
    """A person or badge that the store does not hold."""


class MatchError(KioskError):
    """The matcher could not answer; this never means "not the same person"."""

    undone = False
    """Whether it is sure that what was asked was not done."""


class RekognitionFault(KioskError):
    """A request that the Rekognition server refuses: ``code`` is AWS's exact name, ``status`` the HTTP status."""

    def __init__(self, code: str, what: str, *, status: int = 400) -> None:
        """``what`` goes to the client: it holds nothing that the client did not send."""
        super().__init__(what, where=code)
        self.code = code
        self.status = status


class ReadingError(KioskError):
    """A service that reads cards could not answer; this never means "there is nothing on the card"."""
