"""Pure numpy: scaling, windows, calibration, thresholds, events, metrics."""
