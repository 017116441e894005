from django.urls import path

from guanjia.demo import views

urlpatterns = [path("demo/person", views.switch, name="demo_switch")]
