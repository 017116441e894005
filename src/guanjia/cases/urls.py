from django.urls import path

from guanjia.cases import views

urlpatterns = [
    path("api/cases", views.open_case),
    path("api/cases/<slug:number>/messages", views.say),
]
