"""What has targets of its own (``make longer``, ``crashes``, ``looks``), so that ``make test`` ends in CI's time.

It stays with what each of these deepens: the pipeline on real servers, every property, and faults in their short form.
"""

from typing import Final

import pytest

# Files, or tests, by how their ids begin.
LONGER: Final = (
    "tests/admin/test_silent_postgres.py",
    "tests/embedded/test_prove.py",
    "tests/embedded/test_services.py::test_kafka_keeps_data_and_port",
    "tests/embedded/test_up.py::test_what_dies_comes_back_and_nothing_is_left",
    "tests/execution/test_retry_times.py::test_so_it_is_in_real_time",
    "tests/fuzz/test_templates.py",
    "tests/integration/postgres/test_direct_bounds.py",
    "tests/integration/postgres/test_direct_sql.py",
    "tests/integration/postgres/test_direct_workflows.py",
    "tests/integration/postgres/test_log_partitions.py",
    "tests/integration/postgres/test_outages.py",
    "tests/integration/postgres/test_releases.py",
    "tests/integration/postgres/test_silence.py",
    "tests/integration/relay/test_handing_over.py",
    "tests/integration/relay/test_leading.py",
    "tests/integration/test_circuit.py",
    "tests/integration/test_event_verdicts.py",
    "tests/integration/test_one_instance.py",
    "tests/integration/test_order.py",
    "tests/integration/test_readiness.py::test_readiness_of_a_worker_whose_servers_hang",
    "tests/integration/test_reconcile.py",
    "tests/integration/test_rules.py",
    "tests/integration/test_starter_templates.py",
    "tests/integration/test_starting_wrong.py",
    "tests/integration/transport/test_committing.py",
    "tests/integration/transport/test_fetching.py",
    "tests/integration/transport/test_handing_over.py",
    "tests/integration/transport/test_holding_back.py",
    "tests/integration/transport/test_private_parts.py",
    "tests/integration/transport/test_source_contract.py",
    "tests/integration/transport/test_watching.py",
    "tests/openapi/test_schemathesis.py",
    "tests/secured/",
)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark them ``long``, before what was asked for is chosen."""
    for item in items:
        if item.nodeid.startswith(LONGER):
            item.add_marker(pytest.mark.long)
