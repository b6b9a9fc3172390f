"""The self-test of a computer's timing: what a session logs, against what was seen and pressed from outside."""
