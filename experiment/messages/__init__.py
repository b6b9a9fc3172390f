"""Messages on their way from the inbox to the session: taken in, checked, kept, and looked at beforehand."""
