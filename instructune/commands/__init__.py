"""The terminal side: one thin file a command. Only here and in cli.py: typer and rich."""
