"""Quality assurance: the sessions' transcripts read, judged by the protocol's thresholds, and shown on one page."""
