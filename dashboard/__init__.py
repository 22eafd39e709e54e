"""The project admin's overview and set-up."""
