"""Words and scales become pixels, the same on every computer; drawn before a session begins."""
