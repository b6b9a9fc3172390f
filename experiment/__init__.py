"""Day Four: six messages from loved ones, two ratings each, and a log that can be trusted with a trial.

Bottom up, each module sees only those above it:
errors, protocol, design   what will happen: the protocol file, the messages, their order
events                     what can happen: one frozen type, one line of the transcript
layout, scale              where things stand and what an input means: pure
text, pictures             words become pixels, the same on every computer
screens/                   the port (show, wait) and what stands behind it: window, simulated
task                       the procedure, top to bottom
log, trials, bids          the transcript, the trial table, the BIDS data set
form, dialog               what the assistant is asked
sessions, __main__         wiring, and the command line
"""
