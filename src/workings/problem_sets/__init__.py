"""The sheets, answered: a Markdown page each, filled in by the report."""
