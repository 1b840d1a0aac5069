"""Cells become numbers and times, whole columns at a time.

Belongs here: every format of a number or a time, every word list about cells and names. Pure.
Does not: which column is what (`plan`), which bytes are a cell (`formats`).
"""
