"""What surrounds a run: its record."""
