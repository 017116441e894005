"""Guanjia: one door per merchant, over every business line of a marketplace."""

__version__ = "0.1.0"
