"""Plain data as read from JSON, checked before they become numbers and records."""

import math
from collections.abc import Mapping
from dataclasses import fields
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from outcomes.errors import CalibrationError

R = TypeVar("R")
NOUNS: Mapping[Any, str] = {
    float: "a finite number",
    int: "a whole number",
    str: "text",
    bool: "true or false",
    tuple: "a list",
    type(None): "null",
}


def read_record(kind: type[R], row: object, where: str, *, undefined: bool = False) -> R:
    """Return a dataclass of plain data.

    Parameters
    ----------
    kind
        Dataclass whose fields are text, numbers, truth values or literals, or None. A field that is
        a tuple must have been read already.
    row
        Mapping with exactly its fields.
    where
        What the error message calls the record.
    undefined
        Whether null stands for a number that does not exist (NaN), as `outcomes.files` writes it.

    Raises
    ------
    CalibrationError
        If a field is missing, unknown or of another type.
    """
    found = read_object(row, where)
    hints = get_type_hints(kind)
    check_keys(found, [field.name for field in fields(kind)], where)  # type: ignore[arg-type]
    values = {}
    for name, value in found.items():
        if undefined and hints[name] is float and value is None:
            values[name] = math.nan
            continue
        allowed = _alternatives(hints[name])
        if not any(_fits(value, one) for one in allowed):
            nouns = " or ".join(NOUNS.get(one, repr(one)) for one in allowed)
            raise refusal(f"{where}, {name}", value, nouns)
        values[name] = value
    return kind(**values)


def read_records(
    kind: type[R], data: object, where: str, *, undefined: bool = False
) -> tuple[R, ...]:
    """Return dataclasses of a list of plain data, each as `read_record` does."""
    return tuple(
        read_record(kind, row, f"{where}[{k}]", undefined=undefined)
        for k, row in enumerate(read_list(data, where))
    )


def read_object(data: object, where: str) -> Mapping[str, Any]:
    """Return data that are a JSON object."""
    if not isinstance(data, Mapping):
        raise refusal(where, data, "a JSON object")
    return data


def read_list(data: object, where: str) -> list[Any]:
    """Return data that are a JSON list."""
    if not isinstance(data, list | tuple):
        raise refusal(where, data, "a list")
    return list(data)


def read_numbers(data: object, where: str) -> tuple[float, ...]:
    """Return data that are a list of finite numbers."""
    values = read_list(data, where)
    for value in values:
        if not is_number(value):
            raise refusal(where, value, "finite numbers")
    return tuple(float(value) for value in values)


def read_whole(data: object, where: str, least: int) -> int:
    """Return data that are a whole number, not below the least one allowed."""
    if not isinstance(data, int) or isinstance(data, bool) or data < least:
        raise refusal(where, data, f"a whole number, at least {least}")
    return data


def check_keys(found: Mapping[str, Any], allowed: list[str], where: str) -> None:
    """Refuse keys that are missing or unknown."""
    for key in allowed:
        if key not in found:
            raise CalibrationError(f"{where}, {key}: missing")
    for key in found:
        if key not in allowed:
            raise CalibrationError(f"{where}: found {key!r}; allowed: {', '.join(allowed)}")


def is_number(value: object) -> bool:
    """Return whether a value is a finite number, and no truth value."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:
        return False


def refusal(where: str, found: object, allowed: str) -> CalibrationError:
    """Return the error that names the place, what stands there and what may."""
    return CalibrationError(f"{where}: found {found!r:.60}; allowed: {allowed}")


def _alternatives(hint: Any) -> tuple[Any, ...]:
    """Return the types or literals that a field may hold; of a tuple, not those within."""
    return (tuple,) if get_origin(hint) is tuple else get_args(hint) or (hint,)


def _fits(value: object, kind: object) -> bool:
    if kind is float:
        return is_number(value)
    if kind is int:
        return isinstance(value, int) and not isinstance(value, bool)
    if isinstance(kind, type):
        return isinstance(value, kind)
    return value == kind
