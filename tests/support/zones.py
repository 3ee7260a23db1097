"""Zones that disagree about everything: far east and west, quarter hours, half-hour and midnight changes, none."""

import os
from typing import Final
from zoneinfo import available_timezones

ZONES_IN_SHORT: Final = (
    "UTC",
    "Europe/Berlin",
    "Europe/London",
    "Europe/Lisbon",
    "Europe/Moscow",
    "Europe/Istanbul",
    "America/New_York",
    "America/Los_Angeles",
    "America/Sao_Paulo",
    "America/Santiago",
    "America/Havana",
    "America/Asuncion",
    "America/St_Johns",
    "America/Mexico_City",
    "America/Nuuk",
    "Atlantic/Azores",
    "Africa/Cairo",
    "Africa/Casablanca",
    "Africa/Lagos",
    "Asia/Kolkata",
    "Asia/Kathmandu",
    "Asia/Tehran",
    "Asia/Beirut",
    "Asia/Gaza",
    "Asia/Tokyo",
    "Australia/Sydney",
    "Australia/Lord_Howe",
    "Pacific/Auckland",
    "Pacific/Chatham",
    "Pacific/Kiritimati",
)

ALL: Final = bool(os.environ.get("HEADRACE_TEST_ALL_ZONES"))  # set by `make zones`
ZONES: Final = tuple(sorted(available_timezones())) if ALL else ZONES_IN_SHORT
