"""Who may look at the board of the whole house."""

from __future__ import annotations

from django.utils.translation import gettext as _

from guanjia.base.errors import Forbidden
from guanjia.people.models import Role, RoleGrant, User


def require_lead(user: User) -> None:
    """Raises Forbidden for anyone who does not lead the service."""
    if not RoleGrant.objects.filter(user=user, role=Role.SERVICE_LEAD).exists():
        raise Forbidden(
            _("全局只对服务体系负责人开放。"), hint=_("如果您负责服务体系，请运维为您登记这个角色。")
        )
