"""The report: what a run's stages wrote, checked against the budgets, as report.json, report.html and a table."""
