"""The ledger and the hands that work it: claim, pace, dispatch, settle doubts."""
