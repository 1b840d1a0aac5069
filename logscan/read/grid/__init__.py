"""Rows become sums per time bin, sums become steps of a regular grid, one series per entity.

Belongs here: the work on every row, as the plan says; stops and days that are set aside. Pure.
Does not: decisions about columns (`plan`), grades of channels (`quality`), files.
"""
