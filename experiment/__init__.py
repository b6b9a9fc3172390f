"""Day Four: six messages from loved ones, two ratings each, and a log that can be trusted with a trial.

Bottom up; each module sees only those that are named before it:
errors, explain                          whose fault it is, and what is wrong with a file
protocol, design                         what will happen: the protocol file, the messages, their order
events                                   what can happen: one frozen type, one line of the transcript
layout, scale                            where things stand and what an input means: pure
screens                                  the port: show and wait
task                                     the procedure, top to bottom
screens/participants, screens/simulated  behind the port: synthetic people, and a screen without a window
script, typeset, controls, text          words become pixels, the same on every computer
pictures                                 all that a session shows, drawn before it begins
screens/keynames, screens/strokes        behind the port: what a key is called, and when it moved
screens/clock                            one clock that nobody can set
screens/iohub, screens/keyboard          every keyboard's raw events
screens/inputs, screens/canvas           who sits in front of a window, and what is drawn on it
screens/window                           the real screen
disk, log, resume                        the transcript on its way to the disk, and from where it can go on
dictionary, trials, bids                 what a table's columns mean, the trial table, the BIDS data set
form, dialog                             what the assistant is asked
system, sessions, __main__               this computer, the wiring, and the command line
"""
