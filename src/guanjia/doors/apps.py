from django.apps import AppConfig


class DoorsRoom(AppConfig):
    name = "guanjia.doors"
    label = "doors"
