"""The token in an invitation's link: bound to the person, the password they have now, and a week."""

from django.contrib.auth.tokens import PasswordResetTokenGenerator


class _WelcomeToken(PasswordResetTokenGenerator):
    """Ends when the password changes or somebody signs in: so it works once.

    How long it lives is settings.PASSWORD_RESET_TIMEOUT; a salt of its own, so that no other link opens it.
    """

    key_salt = "guanjia.people.welcome"


welcome_token = _WelcomeToken()
