"""Day Four: six messages from loved ones, two ratings each, and a log that can be trusted with a trial.

Bottom up; each module sees only those that are named before it:
errors, explain                          whose fault it is, and what is wrong with a file
qa, qa/thresholds                        from when on a person should look, with reasons
messages, messages/limits                what is expected of messages, beside their number
questions, protocol, design              what will happen: the protocol file, the messages, their order
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
files, links, sealing                    whole files, or none; lines that name the one before; encryption
disk, log, resume                        the transcript on its way to the disk, and from where it can go on
dictionary, trials, bids                 what a table's columns mean, the trial table, the BIDS data set
qa/timeline, qa/readings                 what a session's transcript says, in numbers
qa/findings, qa/across                   what a person should look at, in a session and in the whole study
qa/pictures, qa/page, qa/report          the page over all sessions
messages/findings, messages/store        the participants' messages, plain or encrypted, and what is wrong with them
study, study/plan, study/acts            the study around the sessions, and what can happen in it
form, editors, dialog                    what the assistant is asked, and at the end the participant
system, sessions                         this computer, and the wiring of a session
screens/recorded                         behind the port: a screen that answers as a transcript has it
replay, replay/findings, replay/chain    what a check finds; a transcript's lines, also damaged ones
replay/derived, replay/verify            whether a session's files still tell what happened
replay/player, replay/view               a session in time, and its pixels
replay/remade                            the messages' pictures, drawn again and proven to be the same
screens/viewer, replay/show              shown again in a window
replay/film                              shown again as a film
terminal, review, messages/commands      what a person at the terminal is told, and the commands beside a session
__main__                                 the command line
"""
