"""Hosted lines: Guanjia keeps the inventory and the decision queue of a line that has no code.

To everybody else such a line is one like any other: it answers LP/1 over HTTP.
"""
