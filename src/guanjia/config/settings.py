"""Django settings: one file, typed from the environment (`config.env`), loud when wrong."""

from pathlib import Path
from urllib.parse import urlsplit

from guanjia.config import env
from guanjia.config.sign_in import providers_of

ENV = env.load()

SECRET_KEY = ENV.secret_key
DEBUG = ENV.debug
DEMO = ENV.demo
ALLOWED_HOSTS = ["*"] if DEBUG else [urlsplit(ENV.base_url).hostname or "127.0.0.1", "127.0.0.1"]
BASE_URL = ENV.base_url
LINE_NETWORKS = ENV.line_networks
FILE_MOST_BYTES, FILES_MOST_BYTES = ENV.files.each, ENV.files.together
FILE_TYPES = ENV.files.kinds
MAIL = ENV.mail
# A form larger than all files together is not read to its end (see base.uploads).
FILE_UPLOAD_HANDLERS = [
    "guanjia.base.uploads.Bounded",
    "django.core.files.uploadhandler.MemoryFileUploadHandler",
    "django.core.files.uploadhandler.TemporaryFileUploadHandler",
]
REOPEN_WITHIN = ENV.reopen_within
CLOSE_AFTER = ENV.close_after
HOOK_NETWORKS = ENV.hook_networks
NOTICES_KEPT, DELIVERIES_KEPT = ENV.notices_kept, ENV.deliveries_kept

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "django_htmx",
    "guanjia.base",
    "guanjia.ledger",
    "guanjia.people",
    "guanjia.merchants",
    "guanjia.lines",
    "guanjia.coverage",
    "guanjia.cases",
    "guanjia.packages",
    "guanjia.post",
    "guanjia.search",
    "guanjia.routines",
    "guanjia.doors",
    "guanjia.demo",
    # After our own rooms, whose templates go before these.
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.dingtalk",
    "allauth.socialaccount.providers.feishu",
    "guanjia.people.providers.oidc",
    "guanjia.people.providers.wecom",
]
AUTH_USER_MODEL = "people.User"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

MIDDLEWARE = [
    "guanjia.base.middleware.SecurityHeaders",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.middleware.gzip.GZipMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]
ROOT_URLCONF = "guanjia.config.urls"
WSGI_APPLICATION = "guanjia.config.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.messages.context_processors.messages",
                "guanjia.doors.homes.of_request",
            ]
        },
    }
]


LOGIN_URL = "sign_in"
LOGIN_REDIRECT_URL = "home"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}", "OPTIONS": options}
    for name, options in (
        ("UserAttributeSimilarityValidator", {"user_attributes": ("username", "name", "email")}),
        ("MinimumLengthValidator", {"min_length": 10}),
        ("CommonPasswordValidator", {}),
        ("NumericPasswordValidator", {}),
    )
]
PASSWORD_RESET_TIMEOUT = 7 * 24 * 3600  # seconds an invitation's link lives

ACCOUNT_ADAPTER = "guanjia.people.adapters.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_REAUTHENTICATION_TIMEOUT = 10 * 60  # seconds before changing a factor asks once more
ACCOUNT_DEFAULT_HTTP_PROTOCOL = urlsplit(BASE_URL).scheme
# By address generously: a whole office, or everybody behind a proxy, may share one. What protects a
# password is people.actions.sign_in; "login_failed" is for the codes of a second factor.
ACCOUNT_RATE_LIMITS = {"login": "600/m/ip", "login_failed": "5/900s/key"}
MFA_ADAPTER = "guanjia.people.adapters.FactorAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_TOTP_ISSUER = "Guanjia"
MFA_TOTP_TOLERANCE = 1  # period of a phone's clock, either way (RFC 6238, section 5.2)
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = BASE_URL.startswith("http://")  # browsers allow it for localhost only
SOCIALACCOUNT_ADAPTER = "guanjia.people.adapters.LinkAdapter"
SOCIALACCOUNT_PROVIDERS = providers_of(ENV.sign_in)
SOCIALACCOUNT_REQUESTS_TIMEOUT = 5  # seconds
SIGN_IN_PROVIDERS = ENV.sign_in

# The limits above, and "each code once", hold over all processes.
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "people_short_lived",
        "OPTIONS": {"MAX_ENTRIES": 100_000},
    }
}

SESSION_COOKIE_AGE = 14 * 24 * 3600  # seconds
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = BASE_URL.startswith("https://")
CSRF_COOKIE_HTTPONLY = True
CSRF_TRUSTED_ORIGINS = [BASE_URL]  # behind a proxy that ends TLS, a request looks like http
CSRF_FAILURE_VIEW = "guanjia.base.views.stale_form"
MESSAGE_STORAGE = "django.contrib.messages.storage.cookie.CookieStorage"


def _database(at: env.DatabaseAddress) -> dict[str, object]:
    """TCP and a pool: a Unix socket or a connection per request each cost us a measured fault.

    Both times are short (seconds), so that a lost database costs us no longer than it is lost: waiting
    requests make room for others, and the pool does not sleep through its return in a long back-off.
    """
    pool = {"min_size": 1, "max_size": 12, "timeout": 3, "reconnect_timeout": 2}
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": at.name,
        "USER": at.user,
        "PASSWORD": at.password,
        "HOST": at.host,
        "PORT": at.port,
        "CONN_MAX_AGE": 0,
        "CONN_HEALTH_CHECKS": True,
        # Only `base.sql.prepared` has statements prepared: all others carry their values in their text.
        "OPTIONS": {"pool": pool, "prepare_threshold": 2, **dict(at.options)},
    }


DATABASES = {"default": _database(ENV.database)} if ENV.database else {}

USE_TZ = True
TIME_ZONE = "Asia/Shanghai"
USE_I18N = True
LANGUAGE_CODE = "en" if ENV.language == "en" else "zh-hans"
LANGUAGES = [("zh-hans", "简体中文"), ("en", "English")]
LOCALE_PATHS = [Path(__file__).resolve().parent.parent / "locale"]

STATIC_URL = "/static/"
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = DEBUG

# Django alone would mail faults to administrators that nobody has named, and keep them nowhere.
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": "WARNING"},
    "loggers": {
        "django": {"handlers": [], "level": "WARNING", "propagate": True},
        "django.request": {"level": "ERROR"},  # what people mistype in an address is no fault
    },
}
