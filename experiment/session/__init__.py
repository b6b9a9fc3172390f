"""One session: planned from protocol, messages and earlier visits, checked for readiness, run."""
