"""How fast and in how little memory logs and results are read."""
