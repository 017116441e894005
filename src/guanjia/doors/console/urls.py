from django.urls import path

from guanjia.doors.console import views

urlpatterns = [path("", views.console, name="console")]
