"""A mail, read: who wrote it, what it says, what it answers, and whether a person wrote it at all. Pure.

Everything in a mail is hostile until read here: the parser below never raises for what is in one.
"""

from guanjia.core.mail.judging import Facts, Kind, Verdict, judge
from guanjia.core.mail.marks import case_ids, delivery_of, letter_id, thread_id, token_in
from guanjia.core.mail.reading import File, Mail, read
from guanjia.core.mail.signals import Automatic, authenticated

__all__ = [
    "Automatic",
    "Facts",
    "File",
    "Kind",
    "Mail",
    "Verdict",
    "authenticated",
    "case_ids",
    "delivery_of",
    "judge",
    "letter_id",
    "read",
    "thread_id",
    "token_in",
]
