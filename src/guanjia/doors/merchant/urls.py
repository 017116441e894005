from django.urls import path

from guanjia.doors.merchant import views

urlpatterns = [path("", views.door, name="door")]
