from django.apps import AppConfig


class BaseRoom(AppConfig):
    name = "guanjia.base"
    label = "base"
