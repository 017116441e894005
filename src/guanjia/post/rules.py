"""Who may set up where news goes, and see how it went."""

from __future__ import annotations

from django.utils.translation import gettext as _

from guanjia.base.errors import BadInput, Forbidden, Missing, Refusal
from guanjia.merchants.models import Member, MemberRole
from guanjia.people.models import Role, RoleGrant, Team, User
from guanjia.post.models import Endpoint

ENDPOINTS_MOST = 10
LABEL_MOST = 80
URL_MOST = 1000


class TooManyEndpoints(Refusal):
    code = "too_many_endpoints"


class EndpointRefused(BadInput):
    """An address that we do not connect to."""

    code = "endpoint_refused"


def owners_of(endpoint: Endpoint) -> list[int]:
    """Who is told when it does not work any more."""
    if endpoint.merchant_id is not None:
        owners = Member.objects.filter(merchant=endpoint.merchant_id, role=MemberRole.OWNER)
        return list(owners.order_by("pk").values_list("user_id", flat=True))
    leads = RoleGrant.objects.filter(role=Role.SERVICE_LEAD).order_by("user_id")
    found = list(leads.values_list("user_id", flat=True))
    return found if endpoint.team_id is None else [Team.objects.get(pk=endpoint.team_id).lead_id]


def leads_service(user: User) -> bool:
    return RoleGrant.objects.filter(user=user, role=Role.SERVICE_LEAD).exists()


def require_service_lead(user: User) -> None:
    if not leads_service(user):
        raise Forbidden(_("这一页只对服务体系负责人开放。"), hint=_("需要时请联系服务体系负责人。"))


def no_endpoint() -> Missing:
    return Missing(_("没有找到这个通知地址。"), hint=_("它可能已被删除；请回到列表核对。"))
