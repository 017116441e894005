"""What people are told, where else it goes, and what became of it."""

from guanjia.post.models.deliveries import Attempt, Channel, Delivery, DeliveryState
from guanjia.post.models.endpoints import Endpoint, EndpointKind
from guanjia.post.models.mail import IncomingMail, Mailbox, MailState, SentMail
from guanjia.post.models.news import News, Notice, Side

__all__ = [
    "Attempt",
    "Channel",
    "Delivery",
    "DeliveryState",
    "Endpoint",
    "EndpointKind",
    "IncomingMail",
    "MailState",
    "Mailbox",
    "News",
    "Notice",
    "SentMail",
    "Side",
]
