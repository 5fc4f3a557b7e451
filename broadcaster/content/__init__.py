"""What is sent: the message, its placeholders, the platform's limits, and promotional findings."""
