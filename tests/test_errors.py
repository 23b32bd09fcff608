"""The exception tree is drawn truthfully and prints one line."""

from __future__ import annotations

import inspect

from kiosk import errors


def test_every_error_stands_in_the_drawn_tree() -> None:
    """The drawing on top of the module names each class."""
    assert errors.__doc__ is not None
    for name, kind in inspect.getmembers(errors, inspect.isclass):
        assert issubclass(kind, errors.KioskError)
        assert name in errors.__doc__


def test_an_error_is_one_line_with_what_where_and_mend() -> None:
    """Newlines in a foreign message never break the line."""
    text = str(errors.InputError("cannot\nbe read", where="a.jpg", mend="save it again"))
    assert text == "a.jpg: cannot be read; save it again"
