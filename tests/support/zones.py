"""Machine-readable zones: the specimens of ICAO Doc 9303 (nobody real), and a writer that is no part of the product."""

from __future__ import annotations

from itertools import cycle

from kiosk.enrollment.cards.mrz import Layout

TD1_UTOPIA = ("I<UTOD231458907<<<<<<<<<<<<<<<", "7408122F1204159UTO<<<<<<<<<<<6", "ERIKSSON<<ANNA<MARIA<<<<<<<<<<")
TD2_UTOPIA = ("I<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<", "D231458907UTO7408122F1204159<<<<<<<6")
TD3_UTOPIA = ("P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<", "L898902C36UTO7408122F1204159ZE184226B<<<<<10")
MRV_A = ("V<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<", "L898902C<3UTO6908061F9406236ZE184226B<<<<<<<")
MRV_B = ("V<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<", "L898902C<3UTO6908061F9406236ZE184226")
TD1_LONG = ("I<UTOD23145890<7349<<<<<<<<<<<", "3407127M9507122UTO<<<<<<<<<<<2", "STEVENSON<<PETER<JOHN<<<<<<<<<")
TD2_LONG = ("I<UTOSTEVENSON<<PETER<JOHN<<<<<<<<<<", "D23145890<UTO3407127M95071227349<<<8")


def digit(text: str) -> str:
    """The check digit, by the table of part 3."""
    values = ("<0123456789" + "ABCDEFGHIJKLMNOPQRSTUVWXYZ").index
    worth = [max(0, values(letter) - 1) for letter in text]
    return str(sum(value * weight for value, weight in zip(worth, cycle([7, 3, 1]), strict=False)) % 10)


def zone(
    layout: Layout, *, names: str = "ERIKSSON<<ANNA<MARIA", number: str = "L898902C3", birth: str = "740812",
    expiry: str = "290415", issuer: str = "UTO", personal: str = "",
) -> tuple[str, ...]:  # fmt: skip
    """A valid zone; what does not fit is cut off."""
    number = number.ljust(9, "<")
    born, ends = birth + digit(birth), expiry + digit(expiry)
    code = "P<" if layout.length == 44 else "I<"
    if layout.lines == 3:
        upper = f"{code}{issuer}{number}{digit(number)}{personal}".ljust(30, "<")
        middle = f"{born}F{ends}{issuer}".ljust(29, "<")
        whole = digit(upper[5:] + middle[:7] + middle[8:15] + middle[18:])
        return upper, middle + whole, names.ljust(30, "<")[:30]
    upper = f"{code}{issuer}{names}".ljust(layout.length, "<")[: layout.length]
    lower = f"{number}{digit(number)}{issuer}{born}F{ends}{personal}"
    if layout.length == 44:
        lower = lower.ljust(42, "<")
        lower += digit(lower[28:])
    else:
        lower = lower.ljust(35, "<")
    return upper, lower + digit(lower[:10] + lower[13:20] + lower[21:])
