"""Which words of a prompt an answer rests on."""
