from django.apps import AppConfig


class CasesRoom(AppConfig):
    name = "guanjia.cases"
    label = "cases"
