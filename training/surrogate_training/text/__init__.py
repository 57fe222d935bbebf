"""Captions as a condition: text and field encoders, their contrastive training, retrieval, and a captioned data set."""
