from django.urls import path

from guanjia.packages import views

urlpatterns = [
    path("packages/<slug:number>/", views.page, name="package_page"),
    path("api/services", views.services),
    path("api/cases/<slug:number>/packages", views.request),
    path("api/packages/<slug:number>", views.show),
    path("api/packages/<slug:number>/accept", views.accept),
    path("api/packages/<slug:number>/answer", views.answer_it),
    path("api/packages/<slug:number>/cancel", views.cancel),
    path("api/packages/<slug:number>/items/<int:position>/by-hand", views.by_hand),
    path("hooks/lines/<slug:slug>", views.decision),
]
