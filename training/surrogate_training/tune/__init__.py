"""Search for a recipe: a space of values, an objective that trains one trial, and back ends that choose trials."""
