from django.urls import URLPattern, URLResolver, include, path, register_converter

from guanjia.base.refs import Reference

register_converter(Reference, "ref")

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("guanjia.base.urls")),
    path("", include("guanjia.people.urls")),
    path("", include("guanjia.cases.urls")),
    path("", include("guanjia.packages.urls")),
    path("", include("guanjia.doors.urls")),
    path("", include("guanjia.demo.urls")),
    path("lines/", include("guanjia.lines.urls")),
]
handler404 = "guanjia.base.views.not_found"
handler500 = "guanjia.base.views.server_error"
