"""People who are told: the notification centre, mail, robots and webhooks."""
