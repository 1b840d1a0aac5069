"""The shipped samples: how they are made, with the faults that were put into them.

Belongs here: generators of made-up logs and their label files.
Does not: the command that runs on them (`cli.demo`).
"""
