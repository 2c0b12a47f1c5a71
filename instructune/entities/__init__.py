"""Entities and relations: as tags, as spans, and as a free-text answer names them."""
