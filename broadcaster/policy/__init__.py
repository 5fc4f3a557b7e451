"""What Meta allows on a date: packs, rules, one deciding statement, one explaining function, the forecast."""
