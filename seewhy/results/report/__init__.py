"""A run as one HTML file: what goes in, and the page that shows it."""
