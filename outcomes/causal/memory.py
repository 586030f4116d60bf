"""Results kept with the patients they rest on, so that several methods share them."""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar

from outcomes.causal.subjects import Subjects
from outcomes.errors import NotEstimableError

Given = ParamSpec("Given")
Result = TypeVar("Result")


def kept(
    function: Callable[Concatenate[Subjects, Given], Result],
) -> Callable[Concatenate[Subjects, Given], Result]:
    """Return the function, which gives the same result again for the same patients and choices.

    That it is not estimable is kept as well. Results live as long as the patients. What it is
    given besides the patients must be hashable.
    """

    @wraps(function)
    def found_or_made(subjects: Subjects, /, *args: Given.args, **choices: Given.kwargs) -> Result:
        key = (function, args, tuple(sorted(choices.items())))
        if key not in subjects.memory:
            try:
                subjects.memory[key] = function(subjects, *args, **choices)
            except NotEstimableError as error:
                subjects.memory[key] = error
        found = subjects.memory[key]
        if isinstance(found, NotEstimableError):
            raise found
        return found  # type: ignore[no-any-return]

    return found_or_made
