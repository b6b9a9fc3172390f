"""A past session again: repeated line by line to verify it, or shown in a window or as a film."""
