"""The calibrated series."""

import pytest

STUDIES = (
    "laufer-2013",
    "liu-2020",
    "gong-2021",
    "bate-2015",
    "amankulor-2014",
    "xu-2021",
    "hikata-2017",
    "echt-2021",
    "cofano-2020",
)


@pytest.fixture(params=STUDIES)
def study(request):
    """Each calibrated series in turn."""
    return request.param
