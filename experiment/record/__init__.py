"""What happened: the events of a session, its transcript, one reading of it, and the tables made from it."""
