"""The port of e-mail, by SMTP."""
