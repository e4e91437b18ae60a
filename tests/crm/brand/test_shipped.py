"""The brand that is shipped is one that an operator might have entered."""

from crm.brand.policy import changed, versioned
from crm.brand.service import DEFAULT


def test_the_shipped_brand_is_valid_as_it_is() -> None:
    assert versioned(DEFAULT) == changed(DEFAULT, {})
