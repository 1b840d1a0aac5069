"""Pure numpy: scaling, windows, views, calibration, intervals.

Belongs here: arithmetic on arrays that needs neither torch nor files.
Does not: decisions about alarms (`alarms`), measures with labels (`evaluation`).
"""
