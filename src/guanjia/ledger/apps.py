from django.apps import AppConfig


class LedgerRoom(AppConfig):
    name = "guanjia.ledger"
    label = "ledger"
