"""CSV as record batches: dialect, header, first row of data, decimal mark, parser.

Belongs here: how text is cut into cells.
Does not: what a cell means (`values`), what a column is for (`plan`).
"""
