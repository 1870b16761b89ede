"""What cells do in one step: they sense, decide, act, move, enter from blood; one file a kernel."""
