from allauth.account import views as account_views
from allauth.socialaccount import views as elsewhere_views
from django.urls import include, path
from django.views.generic import RedirectView

from guanjia.people.views import account, elsewhere, entrance

# The library looks its own pages up by the names with "account_", "mfa_" and "socialaccount_".
urlpatterns = [
    path("sign-in", account_views.login, name="sign_in"),
    path("sign-in", account_views.login, name="account_login"),
    path("sign-out", account_views.logout, name="sign_out"),
    path("sign-out", account_views.logout, name="account_logout"),
    path("sign-in/inactive", account_views.account_inactive, name="account_inactive"),
    path("sign-in/again", account_views.reauthenticate, name="account_reauthenticate"),
    path("sign-in/new", RedirectView.as_view(pattern_name="sign_in"), name="account_signup"),
    path("sign-in/with/<slug:provider_id>/", elsewhere.start, name="sign_in_with"),
    path("sign-in/with/dingtalk/callback/", elsewhere.dingtalk, name="dingtalk_callback"),
    path("sign-in/with/feishu/callback/", elsewhere.feishu, name="feishu_callback"),
    path("sign-in/with/wecom/callback/", elsewhere.wecom, name="wecom_callback"),
    path("sign-in/with/<slug:provider_id>/callback/", elsewhere.oidc, name="openid_connect_callback"),
    path("sign-in/cancelled", elsewhere_views.login_cancelled, name="socialaccount_login_cancelled"),
    path("sign-in/failed", elsewhere_views.login_error, name="socialaccount_login_error"),
    path("welcome/<str:uid>/<str:token>/", entrance.welcome, name="welcome"),
    path("account/", account.account, name="account"),
    path("account/person", account.person, name="account_person"),
    path("account/password", account.password, name="account_password"),
    path("account/sessions", account.sessions, name="account_sessions"),
    path("account/tokens", account.issue, name="account_tokens"),
    path("account/tokens/<int:token_id>/revoke", account.revoke, name="account_token_revoke"),
    path("account/factors/", RedirectView.as_view(pattern_name="account")),
    path("account/factors/webauthn/", RedirectView.as_view(pattern_name="account")),
    path("account/factors/", include("allauth.mfa.urls")),
]
