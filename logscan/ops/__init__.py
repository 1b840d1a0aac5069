"""What surrounds a scheduled run: its lock, its state, what is new since the last one.

Belongs here: what cron needs between two runs.
Does not: the outputs of a run (`results`).
"""
