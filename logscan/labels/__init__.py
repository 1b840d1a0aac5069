"""Known failures: intervals from a file or a column, put on the steps of a series.

Belongs here: what a person says of a past period.
Does not: measuring against labels (`evaluation`), events that logscan finds (`alarms`).
"""
