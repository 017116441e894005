"""What is done to people's accounts."""

from guanjia.people.actions.absence import end_absence, set_absence
from guanjia.people.actions.account import NewsWish, change_news, change_password, change_person
from guanjia.people.actions.grants import grant_role, issue_token, revoke_token
from guanjia.people.actions.invitations import Invitation, accept_invitation, invite, renew_invitation
from guanjia.people.actions.sign_in import end_sessions

__all__ = [
    "Invitation",
    "NewsWish",
    "accept_invitation",
    "change_news",
    "change_password",
    "change_person",
    "end_absence",
    "end_sessions",
    "grant_role",
    "invite",
    "issue_token",
    "renew_invitation",
    "revoke_token",
    "set_absence",
]
