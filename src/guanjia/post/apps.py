from django.apps import AppConfig


class PostRoom(AppConfig):
    name = "guanjia.post"
    label = "post"
