from django.urls import path

from guanjia.doors.desk.views import approvals, cases, history, lists, marks, merchants, talk

urlpatterns = [
    path("", lists.desk, name="desk"),
    path("list", lists.fresh, name="desk_list"),
    path("find", lists.find, name="desk_find"),
    path("views/", lists.saved, name="desk_views"),
    path("views/<int:pk>", lists.change, name="desk_view"),
    path("mandates/", merchants.mandates, name="desk_mandates"),
    path("merchants/", merchants.portfolio, name="desk_merchants"),
    path("merchants/<ref:ref>/", merchants.merchant, name="desk_merchant"),
    path("new", merchants.new_case, name="desk_new"),
    path("cases/<str:number>/", cases.case, name="desk_case"),
    path("cases/<str:number>/here", cases.here, name="desk_here"),
    path("cases/<str:number>/say/<str:box>", talk.send, name="desk_say"),
    path("cases/<str:number>/draft/<str:box>", talk.draft, name="desk_draft"),
    path("cases/<str:number>/do/<str:verb>", cases.act, name="desk_do"),
    path("cases/<str:number>/marks/<str:what>", marks.mark, name="desk_mark"),
    path("cases/<str:number>/people", marks.people, name="desk_people"),
    path("cases/<str:number>/history", history.history, name="desk_history"),
    path("cases/<str:number>/bring/<str:box>", talk.bring, name="desk_bring"),
    path("cases/<str:number>/share/<str:box>", talk.share, name="desk_share"),
    path("cases/<str:number>/go-on/<str:box>", talk.go_on, name="desk_go_on"),
    path("approvals/", approvals.approvals, name="desk_approvals"),
    path("approvals/<int:pk>", approvals.decide, name="desk_decide"),
    path("tags", marks.tags, name="desk_tags"),
    path("by-hand/<str:number>/<int:position>", cases.by_hand, name="desk_by_hand"),
]
