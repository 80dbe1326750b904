"""What `book/check.py` looks for."""
