from django.urls import path

from guanjia.doors.lead import views

urlpatterns = [path("", views.lead, name="lead")]
