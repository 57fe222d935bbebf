"""Call trained field-to-field models in place of many solver steps."""
