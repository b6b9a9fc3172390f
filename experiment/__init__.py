"""Day Four: six messages from loved ones, two ratings each, and a log that can be trusted with a trial.

The rooms, bottom up; each sees only those before it (pyproject.toml, `importlinter`):
storage, system                bytes that survive; what differs between computers
design                         what will happen: protocol, messages, the session drawn from the seed
record                         what happened: events, transcript, one reading of it, tables
signals                        to other devices, and a scanner's pulses
task, drawing, screens         the procedure; words as pixels; the window, or a simulation, that shows and answers
messages                       participants' messages: imported, checked, kept, previewed
preflight, replay, qa          is this computer fit; a session again; one page over all sessions
session, study, timing         one session, wired; the trial around it; how exact this computer is
reports                        the daily reports: pages for phones, imports, their log and table
analysis                       what the study shows: models, tests, figures, and the page that says it
cli                            what the assistant types and sees; cli/desk, the window without a command
"""
