"""Addresses of programs and chat robots that want to be told."""

from django.db import models
from django.db.models import Q

from guanjia.merchants.models import Merchant
from guanjia.people.models import Team, User


class EndpointKind(models.TextChoices):
    WEBHOOK = "webhook", "签名 Webhook"
    DINGTALK = "dingtalk", "钉钉群机器人"
    FEISHU = "feishu", "飞书群机器人"
    WECOM = "wecom", "企业微信群机器人"


class Endpoint(models.Model):
    """A merchant's, a team's, or (with neither) the whole house's. The address of a robot is itself a
    secret, so both are sealed and only `host` is shown. `news` lists the kinds it wants; `paced_until`
    keeps a robot within what its platform takes."""

    merchant = models.ForeignKey(Merchant, null=True, on_delete=models.CASCADE, related_name="+")
    team = models.ForeignKey(Team, null=True, on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(max_length=10, choices=EndpointKind)
    label = models.CharField(max_length=80)
    host = models.CharField(max_length=255)
    sealed_url = models.BinaryField()
    sealed_secret = models.BinaryField(null=True)
    news = models.JSONField(default=list)
    language = models.CharField(max_length=10, default="zh-hans")
    active = models.BooleanField(default=True)
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField()
    failures = models.PositiveIntegerField(default=0)
    failing_since = models.DateTimeField(null=True)
    disabled_at = models.DateTimeField(null=True)
    paced_until = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="endpoint_of_one_or_the_house", condition=Q(merchant=None) | Q(team=None)
            )
        ]

    def __str__(self) -> str:
        return self.label
