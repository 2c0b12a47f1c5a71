"""One plain function a command: read artifacts, call the core, write artifacts."""
