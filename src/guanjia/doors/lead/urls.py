from django.urls import path

from guanjia.doors.lead import export, search, views
from guanjia.doors.lead.absences import views as absences
from guanjia.doors.lead.apprentices import views as apprentices
from guanjia.doors.lead.hours import views as hours
from guanjia.doors.lead.mail import views as mail
from guanjia.doors.lead.majors import views as majors
from guanjia.doors.lead.plans import views as plans
from guanjia.doors.lead.routines import views as routines

urlpatterns = [
    path("", views.lead, name="lead"),
    path("waits/", views.waits, name="lead_waits"),
    path("export", export.export, name="lead_export"),
    path("search", search.find, name="lead_search"),
    path("lines/<slug:slug>/", views.line, name="lead_line"),
    path("apprentices/", apprentices.apprentices, name="lead_apprentices"),
    path("apprentices/<int:pk>/end", apprentices.end, name="lead_apprentice_end"),
    path("majors/", majors.majors, name="lead_majors"),
    path("majors/new", majors.new, name="lead_major_new"),
    path("majors/<str:number>/", majors.major, name="lead_major"),
    path("majors/<str:number>/do/<str:verb>", majors.act, name="lead_major_do"),
    path("mail/", mail.listed, name="lead_mail"),
    path("mail/<int:pk>/", mail.mail, name="lead_mail_one"),
    path("plans/", plans.plans, name="lead_plans"),
    path("plans/new", plans.new, name="lead_plan_new"),
    path("plans/<int:pk>/", plans.plan, name="lead_plan"),
    path("absences/", absences.listed, name="lead_absences"),
    path("absences/<int:pk>", absences.end, name="lead_absence_end"),
    path("routines/", routines.routines, name="lead_routines"),
    path("routines/new/<slug:kind>/", routines.new, name="lead_routine_new"),
    path("routines/<int:pk>/", routines.routine, name="lead_routine"),
    path("routines/<int:pk>/edit", routines.edit, name="lead_routine_edit"),
    path("routines/<int:pk>/switch", routines.switch, name="lead_routine_switch"),
    path("routines/<int:pk>/log", routines.log, name="lead_routine_log"),
    path("routines/<int:pk>/runs/<int:run>/", routines.run, name="lead_routine_run"),
    path("calendars/", hours.calendars, name="lead_calendars"),
    path("calendars/new", hours.new_calendar, name="lead_calendar_new"),
    path("calendars/<slug:code>/", hours.calendar, name="lead_calendar"),
    path("promises/", hours.promises, name="lead_promises"),
]
