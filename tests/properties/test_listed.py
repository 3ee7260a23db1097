"""All 31 properties of the specification have a test, under its comment, with a hundred examples or more."""

from collections import Counter
from importlib import import_module

import pytest
from hypothesis import settings

from tests.properties.listed import Listed, listed_properties

TITLES = (
    "Workflow Storage Completeness",
    "Workflow Update Persistence",
    "Soft Delete Prevents Execution",
    "Activation Enables Execution",
    "Deactivation Preserves Configuration",
    "Event Emission Completeness",
    "Workflow Matching Accuracy",
    "Condition Evaluation Before Actions",
    "AND Logic Correctness",
    "OR Logic Correctness",
    "Numeric Operator Correctness",
    "Array Operator Correctness",
    "Action Execution Order",
    "Action Service Integration",
    "Error Isolation",
    "Execution Logging Completeness",
    "Log Filtering Accuracy",
    "Template Application Creates Workflow",
    "Template Visibility Control",
    "CRM Integration Correctness",
    "Sales Event Emission",
    "Affiliates Event Emission",
    "Async Queue Processing",
    "Retry Logic",
    "Loop Detection",
    "Ownership Association",
    "Access Control Filtering",
    "Admin Full Access",
    "Test Execution Isolation",
    "Template Variable Replacement",
    "Temporal Execution Frequency",
)
LISTED = tuple(listed_properties())


def test_every_property_has_one_test_under_its_title() -> None:
    """Each number once, with the specification's words."""
    assert Counter(one.number for one in LISTED) == Counter(range(1, len(TITLES) + 1))
    assert {one.number: one.title for one in LISTED} == dict(enumerate(TITLES, 1))


@pytest.mark.parametrize("listed", LISTED, ids=lambda one: one.function)
def test_each_runs_a_hundred_examples_or_more(listed: Listed) -> None:
    """By Hypothesis's own account of the test, whose name begins with the property's number."""
    function = getattr(import_module(listed.module), listed.function)
    used = function._hypothesis_internal_use_settings  # noqa: SLF001 - where Hypothesis keeps them
    assert isinstance(used, settings)
    assert used.max_examples >= 100
    assert listed.function.startswith(f"test_{listed.number:02d}_")
