"""Reading, cleaning and gridding of input, and the one atomic writer."""
