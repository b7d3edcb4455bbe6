"""Power: estimated from data-sheet currents and measured duty, or measured by a meter. The two are never mixed."""
