"""How well scores and events meet labels: range-aware areas and event figures.

Belongs here: measures of quality with labels. Pure numpy.
Does not: thresholds and events themselves (`alarms`), reading of labels (`labels`).
"""
