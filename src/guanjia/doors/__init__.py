"""The doors people open: the pages of merchants, account managers, line specialists and service leads.

A page joins what many rooms know, so pages live above the rooms, one folder a home; every write is an
action of the room it belongs to (docs/decisions/0005).
"""
