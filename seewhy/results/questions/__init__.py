"""What is asked of a run: its measures, its mistakes, what it looks at, what is alike."""
