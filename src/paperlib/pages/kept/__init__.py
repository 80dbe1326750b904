"""Parts of pages that show the kept run: its box and provenance, and the abstract."""
