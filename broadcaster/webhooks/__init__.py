"""What Meta tells us: signature, parsing, inbox (store, then apply), receiver."""
