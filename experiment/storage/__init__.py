"""Bytes that survive: whole files, growing files, hash chains, encryption, locks. Knows nothing of a study."""
