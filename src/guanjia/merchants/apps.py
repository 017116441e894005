from django.apps import AppConfig


class MerchantsRoom(AppConfig):
    name = "guanjia.merchants"
    label = "merchants"
