from django.apps import AppConfig


class LinesRoom(AppConfig):
    name = "guanjia.lines"
    label = "lines"
