from django.apps import AppConfig


class CoverageRoom(AppConfig):
    name = "guanjia.coverage"
    label = "coverage"
