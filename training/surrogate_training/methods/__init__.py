"""Methods: what is minimised. ``registry.make_method`` finds one by the recipe's ``method.kind``."""
