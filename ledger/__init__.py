"""The ledger: what is asked, about what, by whom it was answered, and how."""
