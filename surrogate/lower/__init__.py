"""From a bundle's portable program to a program for one machine, checked against the reference and timed there."""
