"""How fast and how faithful the attention operator is, beside other ways to the same answer."""
