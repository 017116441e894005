"""From a signed-in person to the actor of an event."""

from guanjia.base.actors import Actor
from guanjia.people.models import User


def actor_of(user: User) -> Actor:
    return user.acts_as or Actor("user", str(user.pk))
