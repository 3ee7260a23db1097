"""The API of tests/admin, for what speaks to it from other processes."""

from tests.admin.conftest import api, api_database, running_api, settings

__all__ = ["api", "api_database", "running_api", "settings"]
