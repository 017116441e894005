from django.apps import AppConfig


class PackagesRoom(AppConfig):
    name = "guanjia.packages"
    label = "packages"
