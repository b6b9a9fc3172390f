"""What will happen: protocol, questions, messages and the session drawn from the seed; frozen and checked."""
