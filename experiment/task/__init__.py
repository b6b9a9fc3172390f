"""The procedure, top to bottom, and what an input means: pure, over the two verbs show and wait."""
