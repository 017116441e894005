from django.urls import path

from guanjia.doors.merchant.views import cases, export, home, packages, people, rating, search, services

urlpatterns = [
    path("", home.home, name="door"),
    path("live", home.live, name="door_live"),
    path("search", search.find, name="door_search"),
    path("export", export.export, name="door_export"),
    path("cases/", cases.listed, name="door_cases"),
    path("cases/<slug:number>/", cases.case, name="door_case"),
    path("cases/<slug:number>/live", cases.live, name="door_case_live"),
    path("cases/<slug:number>/solve", cases.solve, name="door_case_solve"),
    path("cases/<slug:number>/reopen", cases.reopen, name="door_case_reopen"),
    path("cases/<slug:number>/rate", rating.rate, name="door_case_rate"),
    path("packages/<slug:number>/", packages.package, name="door_package"),
    path("packages/<slug:number>/live", packages.live, name="door_package_live"),
    path("packages/<slug:number>/cancel", packages.cancel, name="door_package_cancel"),
    path("people/", people.people, name="door_people"),
    path("people/<int:member>/role", people.role, name="door_member_role"),
    path("people/<int:member>/link", people.link, name="door_member_link"),
    path("people/<int:member>/remove", people.remove, name="door_member_remove"),
    path("services/", services.services, name="door_services"),
]
