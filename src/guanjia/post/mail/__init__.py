"""Mail, out and in: letters leave by SMTP, what comes by IMAP finds its case."""
