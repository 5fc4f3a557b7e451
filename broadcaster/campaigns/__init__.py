"""A campaign and its states, the checks before launch, the approval seal, the schedule."""
