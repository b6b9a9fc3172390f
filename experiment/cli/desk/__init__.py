"""The desk: what an assistant sees and clicks instead of typing commands. Each button runs one of the commands."""
