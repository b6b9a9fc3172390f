"""What shows and what answers, behind the port: a window with its keyboards, or a simulation. PsychoPy only here."""
