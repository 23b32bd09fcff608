"""Settings of enrolling."""

from __future__ import annotations

from pydantic import Field

from kiosk.config.group import Group


class EnrollmentSettings(Group):
    """[enrollment]"""

    keep_pictures: bool = Field(
        False,
        description="keep the face of each picture, encrypted, so that nobody must come by when the face model changes",
    )
    live: bool = Field(False, description="enroll only people who pass a liveness check then and there")
    per_s: float = Field(10.0, ge=0.1, le=1000, description="calls a second that a batch makes to each engine")
    workers: int = Field(4, ge=1, le=32, description="pictures of a batch that are on their way to engines at once")
