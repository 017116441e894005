from django.urls import path

from guanjia.doors.composer import views

urlpatterns = [path("<slug:number>/", views.compose, name="compose")]
