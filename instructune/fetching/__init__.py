"""What `-m` names, found or fetched, and checked before anything of it is loaded."""
