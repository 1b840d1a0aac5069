"""From scores to decisions: the promise of few false alarms, the threshold, the events.

Belongs here: every rule that turns a number into an alarm or an event. Pure numpy.
Does not: how a score is made (`core`, `model`), how it is measured against labels (`evaluation`).
"""
