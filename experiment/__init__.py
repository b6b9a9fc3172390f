"""Day Four: six messages from loved ones, two ratings each, and a log that can be trusted with a trial.

Bottom up; each module sees only those that are named before it:
errors, explain                          whose fault it is, and what is wrong with a file
qa, qa/thresholds                        from when on a person should look, with reasons
messages, messages/limits                what is expected of messages, beside their number
questions, protocol, design              what will happen: the protocol file, the messages, their order
preflight, preflight/items               what a check finds of a computer
events                                   what can happen: one frozen type, one line of the transcript
layout, scale                            where things stand and what an input means: pure
system/facts, system/linux               this computer: what it tells of itself, and what it lets us do
system/macos, system/windows, system     the same elsewhere; whichever this is
screens                                  the port: show and wait
task                                     the procedure, top to bottom
screens/participants, screens/simulated  behind the port: synthetic people, and a screen without a window
glyphs, script, typeset, controls, text  words become pixels, the same on every computer
pictures                                 all that a session shows, drawn before it begins
screens/keynames, screens/strokes        behind the port: what a key is called, and when it moved
screens/clock                            one clock that nobody can set
screens/iohub, screens/keyboard          every keyboard's raw events
screens/inputs, screens/canvas           who sits in front of a window, and what is drawn on it
screens/fitness                          whether a screen sets the pace, and which
screens/window                           the real screen
files, links, sealing                    whole files, or none; lines that name the one before; encryption
templates                                pages for people
disk, log, resume                        the transcript on its way to the disk, and from where it can go on
dictionary, trials, bids                 what a table's columns mean, the trial table, the BIDS data set
qa/timeline, qa/readings                 what a session's transcript says, in numbers
qa/findings, qa/across                   what a person should look at, in a session and in the whole study
qa/pictures, qa/page, qa/report          the page over all sessions
messages/findings, messages/store        the participants' messages, plain or encrypted, and what is wrong with them
messages/headings, messages/tables       what columns are called; cells to the code point
messages/decoding                        bytes that become text
messages/exports, messages/workbooks     what Qualtrics, REDCap and Excel add
messages/sources                         files as they were sent become tables
messages/columns                         which column is what
messages/language                        which language it is
messages/traces, messages/spoiled        what programs leave in texts, and what was damaged on the way
messages/gathering, messages/intake      each participant's messages, joined with what is there
messages/importing                       taking in: all or nothing
messages/alike, messages/names           the same message twice, and names in it
messages/one, messages/sizes             what is wrong with one message, and the type size of all
messages/across                          what messages of several participants have in common
messages/check                           what is wrong with a participant's messages, and with a folder's
study, study/plan, study/acts            the study around the sessions, and what can happen in it
study/days, study/zones                  its dates, and its clocks
study/allocation                         who gets which order and which kits
study/state, study/gate                  where everybody stands, and what may be held today
study/recording                          what may be recorded
study/status, study/calendar             everybody on one screen, and their appointments
study/history                            what was recorded, in words
study/exclusive, study/register          one history, whoever writes to it
study/place                              where it lies, also for several computers
study/keys, study/setting_up             who may know, how a study begins
study/unblinding                         how the treatments become known
study/quality, study/listing             what of it the quality assurance and participants.tsv should know
form, editors, dialog                    what the assistant is asked, and at the end the participant
plans                                    a session that is about to begin, checked
preflight/clocks, preflight/display      whether the computer is fit for it: what its clocks and display tell,
preflight/folder, preflight/keyboards    its disk and its keyboards,
preflight/load, preflight/software       what else it does, and whether the program is as it was locked
preflight/computer, preflight/report     all of that at once, for the assistant
screens/rehearsal                        a keyboard that is started once, in a process of its own
preflight/checking                       all that `check` measures
sessions                                 the wiring of a session
study/holding, study/simulated           a session and the register; a whole study that nobody was in
screens/recorded                         behind the port: a screen that answers as a transcript has it
replay, replay/findings, replay/chain    what a check finds; a transcript's lines, also damaged ones
replay/derived, replay/verify            whether a session's files still tell what happened
replay/player, replay/view               a session in time, and its pixels
messages/preview                         what a participant will see, on a page for whoever may see it
replay/remade                            the messages' pictures, drawn again and proven to be the same
screens/viewer, replay/show              shown again in a window
replay/film                              shown again as a film
terminal, review, messages/commands      what a person at the terminal is told, and the commands beside a session
messages/receiving, messages/reviewing   the commands that take messages in and look at them
study/commands, study/daily              the commands about the study
timing, timing/records, timing/agenda    what was seen and pressed from outside a session, and what to press
timing/watcher, timing/presser           who watches and presses, and who only presses
timing/session                           the session whose timing is measured
timing/align, timing/errors              how far its log is from that
timing/capture, timing/external          a light sensor's file, and what is known without one
timing/pictures, timing/report           the page on a computer's timing
timing/command, preflight/command        the commands `timing` and `check`
afterwards                               what comes after a session
conduct, __main__                        the commands that hold sessions, and the command line
"""
