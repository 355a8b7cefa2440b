"""What people start: the command line and the demo. Only this folder prints, and nothing else imports it."""
