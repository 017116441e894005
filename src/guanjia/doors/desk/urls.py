from django.urls import path

from guanjia.doors.desk import views

urlpatterns = [path("", views.desk, name="desk")]
