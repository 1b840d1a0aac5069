"""Fuzzing in the gate: a few hundred inputs and configurations, the same ones each time."""

from hypothesis import HealthCheck, settings

from tests import fuzz

GATE = settings(
    max_examples=300, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
)


def test_no_input_ends_in_a_traceback():
    """Damaged files of every kind and odd tables, under good and bad options, are read or refused by name."""
    fuzz.fuzz(fuzz.any_bytes, GATE)


def test_no_configuration_ends_in_a_traceback():
    """Documents and texts that are no configuration are refused by name."""
    fuzz.fuzz(fuzz.configure_whatever, GATE)
    fuzz.fuzz(fuzz.any_text, GATE)
