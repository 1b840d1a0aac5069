"""How far each channel can be trusted: grades, findings, hints.

Belongs here: what the values of a series tell about its sensors. Pure; nothing is changed.
Does not: values that are read wrongly (`read`), judging of steps by a model (`model`).
"""
