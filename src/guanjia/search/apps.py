from django.apps import AppConfig


class SearchRoom(AppConfig):
    name = "guanjia.search"
    label = "search"
