"""Exit codes that are not errors; errors carry their own (`logscan.errors`)."""

BUG = 1
USAGE = 2
SKIPPED = 3
EVENTS = 10
INTERRUPTED = 130
TERMINATED = 143
