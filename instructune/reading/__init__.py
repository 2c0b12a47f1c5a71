"""Files in any container and format in, blocks of records out, every row accounted for."""
