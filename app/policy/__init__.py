"""Pure decisions: no threads, no clock, no I/O."""
