"""What the Python tests share. Only the standard library, so that it runs on any Debian."""
