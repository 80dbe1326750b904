"""The part of a map one can stand for: its largest zone whose error is below a limit, with a stated certainty."""
