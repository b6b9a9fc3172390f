"""The daily reports: pages for participants' phones, imports from survey tools, one log, and the table from it."""
