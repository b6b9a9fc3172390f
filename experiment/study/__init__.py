"""The study around the sessions: who takes part, which course runs, which day it is; and never which drug."""
