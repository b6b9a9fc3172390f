"""The command line: one module for each group of commands, and the forms that ask before and after a session."""
