"""One file per group of commands. Each reads the settings, calls the room that does the work, and tells the end."""
