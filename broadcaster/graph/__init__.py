"""Meta's Graph API: client, batches, shapes, usage headers, typed refusals."""
