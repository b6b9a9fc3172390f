"""From the files that were sent to each participant's messages: all or nothing, kept to the code point."""
