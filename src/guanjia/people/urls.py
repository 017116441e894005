from django.contrib.auth.views import LoginView, LogoutView
from django.urls import path

urlpatterns = [
    path("sign-in", LoginView.as_view(template_name="people/sign_in.html"), name="sign_in"),
    path("sign-out", LogoutView.as_view(next_page="home"), name="sign_out"),
]
