from django.urls import path
from django.views.i18n import set_language

from guanjia.base import views

urlpatterns = [
    path("healthz", views.healthz),
    path("readyz", views.readyz),
    path("language", set_language, name="set_language"),
]
