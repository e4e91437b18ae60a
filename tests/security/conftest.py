"""The site that the tests of the admin API use."""

from tests.admin_api.conftest import deps, site, valkey

__all__ = ["deps", "site", "valkey"]
