from django.urls import path

from guanjia.doors.post import views

urlpatterns = [
    path("news/", views.centre, name="news"),
    path("news/read", views.read, name="news_read"),
    path("news/count", views.count, name="news_count"),
    path("news/<int:pk>/open", views.open_one, name="news_open"),
    path("news/settings", views.wishes, name="news_settings"),
    path("news/channels/", views.group_endpoints, name="team_endpoints"),
    path("news/channels/of/<ref:ref>/", views.merchant_endpoints, name="news_endpoints"),
    path("news/channels/<int:pk>/", views.endpoint, name="news_endpoint"),
    path("news/channels/<int:pk>/<str:verb>", views.act, name="news_endpoint_do"),
    path("lead/deliveries/", views.deliveries, name="lead_deliveries"),
]
