"""People: seats, leases and the work screen."""
