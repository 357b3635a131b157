"""What a calendar is made of: steps, open days, sessions, closures, zones, and how they are learnt from stamps."""
