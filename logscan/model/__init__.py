"""The encoder, its training and the model folder.

Belongs here: heads, history, training, scoring, explanation, a model on disk.
Does not: reading of logs (`read`), the rule that makes a score an alarm (`alarms`).
"""
