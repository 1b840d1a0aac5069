"""What each command does once its options are known: read, call the pipeline, write, tell.

Belongs here: the work of one command, one module each; heavy libraries are imported here.
Does not: options and help (`cli`), which come without waiting for them.
"""
