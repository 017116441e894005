from django.apps import AppConfig


class PeopleRoom(AppConfig):
    name = "guanjia.people"
    label = "people"
