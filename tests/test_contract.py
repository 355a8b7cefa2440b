"""Every method keeps the contract on every framework and shape of network, and equals its paper's slow twin."""

import pytest

import seewhy as sw
from tests.support.cases import CASES
from tests.support.contract import CHECKS, FORMS, held

pytestmark = pytest.mark.slow  # half a minute; test_closed_form.py is its short form


@pytest.fixture(scope="module", params=CASES, ids=lambda name: name.replace(" ", "-"))
def case(request):
    return CASES[request.param]()


@pytest.mark.parametrize("form", FORMS, ids=str)
@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__.removeprefix("check_"))
def test_contract(check, form, case):
    held(check, form, case)


def test_every_method_has_its_slow_twin():
    assert {form.method for form in FORMS} == {entry.name for entry in sw.list_methods()}
