"""Whether this computer can hold a session now: one line a thing, measured, graded, and what to do about it."""
