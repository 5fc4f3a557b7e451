"""Connected Pages: connecting, health, state and utility templates, as stored."""
