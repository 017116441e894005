from django.urls import path

from guanjia.doors.files import views

urlpatterns = [
    path("<int:pk>/", views.file, name="file"),
    path("<int:pk>/erase", views.erase, name="file_erase"),
    path("of/<str:number>/", views.listed, name="case_files"),
]
