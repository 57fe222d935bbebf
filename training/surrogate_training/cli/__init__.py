"""Subcommands of ``surrogate``, one file each; registered in the group ``surrogate.commands``."""
