"""What a run leaves: scores, events, the run record; all written whole or not at all.

Belongs here: file formats of results, their writers and readers, the atomic writer.
Does not: what the figures mean (`alarms`, `model`), sentences (`messages`), what is new since the last run (`ops`).
"""
