from django.apps import AppConfig


class DemoRoom(AppConfig):
    name = "guanjia.demo"
    label = "demo"
