"""Usage: kept event by event, added up in windows, told to whoever bills it, and compared with what they counted."""
