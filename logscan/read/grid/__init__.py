"""Rows become sums, sums become steps of a regular grid, one series per entity.

Belongs here: all that is done with every row, as the plan says. Pure.
Does not: decisions about columns (`plan`), grades of channels (`quality`).
"""
