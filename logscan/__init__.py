"""logscan: anomalies in long equipment and order logs."""

__version__ = "0.1.0"
