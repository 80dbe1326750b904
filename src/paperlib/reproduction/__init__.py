"""What is about the paper alone: its printed facts, its tables, claims and audit, the real scene of the book."""
