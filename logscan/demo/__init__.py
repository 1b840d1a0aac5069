"""The shipped samples: how they are made, and the demonstration that runs on them."""
