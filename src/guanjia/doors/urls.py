from django.urls import include, path

from guanjia.doors.front import rating
from guanjia.doors.front import views as front

urlpatterns = [
    path("", front.front, name="home"),
    path("rate/<str:token>/", rating.rate, name="rate"),
    path("door/<ref:ref>/", include("guanjia.doors.merchant.urls")),
    path("desk/", include("guanjia.doors.desk.urls")),
    path("compose/", include("guanjia.doors.composer.urls")),
    path("console/", include("guanjia.doors.console.urls")),
    path("", include("guanjia.doors.post.urls")),
    path("lead/", include("guanjia.doors.lead.urls")),
    path("files/", include("guanjia.doors.files.urls")),
]
