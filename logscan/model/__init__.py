"""The encoder, its training and the model folder."""
