"""What a user names becomes a stream of UTF-8: globs, folders, archives, compression, encoding.

Belongs here: everything between a path and its text.
Does not: lines, cells and columns (`formats`).
"""
