"""A sample of rows becomes a plan: which column is the time, an entity, a channel, a status.

Belongs here: every decision about columns, detected on a sample or set by the user. Pure.
Does not: the work on all rows (`grid`), how a cell is parsed (`values`).
"""
