from django.urls import path

from guanjia.doors.console.views import decisions, health, inventory, lines, mandates, services, tasks

urlpatterns = [
    path("", lines.console, name="console"),
    path("tasks/", tasks.tasks, name="console_tasks"),
    path("tasks/<int:pk>/", tasks.task, name="console_task"),
    path("<slug:slug>/", decisions.line, name="console_line"),
    path("<slug:slug>/decisions/<uuid:key>/", decisions.decision, name="console_decision"),
    path("<slug:slug>/services/", services.services, name="console_services"),
    path("<slug:slug>/manifest/", services.manifest, name="console_manifest"),
    path("<slug:slug>/new-service/", services.edit, name="console_new_service"),
    path("<slug:slug>/services/<slug:code>/", services.service, name="console_service"),
    path("<slug:slug>/services/<slug:code>/edit/", services.edit, name="console_edit_service"),
    path("<slug:slug>/services/<slug:code>/withdraw/", services.withdraw, name="console_withdraw_service"),
    path("<slug:slug>/inventory/", inventory.first, name="console_inventory"),
    path("<slug:slug>/inventory/<slug:code>/", inventory.slots, name="console_slots"),
    path("<slug:slug>/inventory/<slug:code>/open/", inventory.open_slots, name="console_open_slots"),
    path("<slug:slug>/mandates/", mandates.mandates, name="console_mandates"),
    path("<slug:slug>/mandates/new/", mandates.grant, name="console_grant"),
    path("<slug:slug>/mandates/<int:pk>/", mandates.mandate, name="console_mandate"),
    path("<slug:slug>/mandates/<int:pk>/revoke/", mandates.revoke, name="console_revoke"),
    path("<slug:slug>/health/", health.health, name="console_health"),
    path("<slug:slug>/health/<int:pk>/", health.run, name="console_run"),
]
