"""Logs as known programs write them, each with what is right: `a` was written before the rules were looked at."""
