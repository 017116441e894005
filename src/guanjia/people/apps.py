from django.apps import AppConfig


class PeopleRoom(AppConfig):
    name = "guanjia.people"
    label = "people"

    def ready(self) -> None:
        from guanjia.people.factors import follow_factors

        follow_factors()
