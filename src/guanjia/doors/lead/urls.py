from django.urls import path

from guanjia.doors.lead import views

urlpatterns = [
    path("", views.lead, name="lead"),
    path("waits/", views.waits, name="lead_waits"),
    path("lines/<slug:slug>/", views.line, name="lead_line"),
]
