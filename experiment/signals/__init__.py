"""Signals to other devices and pulses from a scanner: what the task knows nothing of."""
