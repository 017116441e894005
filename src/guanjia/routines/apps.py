from django.apps import AppConfig


class RoutinesRoom(AppConfig):
    name = "guanjia.routines"
    label = "routines"
