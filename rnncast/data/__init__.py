"""Reading, writing and holding panels of series, and their calendars."""
