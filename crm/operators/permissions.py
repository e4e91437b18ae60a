"""Which acts there are, and which role may do which: whatever is not listed is refused."""

from enum import StrEnum


class Permission(StrEnum):
    """One kind of act; also the name of an API key's scope."""

    DASHBOARD_READ = "dashboard:read"
    REPORTS_READ = "reports:read"
    MEMBERS_READ = "members:read"
    MEMBERS_WRITE = "members:write"
    MEMBERS_MERGE = "members:merge"
    MEMBERS_REVEAL = "members:reveal"
    MEMBERS_IMPORT = "members:import"
    MEMBERS_EXPORT = "members:export"
    CONVERSATIONS_READ = "conversations:read"
    TICKETS_READ = "tickets:read"
    TICKETS_WRITE = "tickets:write"
    TAGS_READ = "tags:read"
    TAGS_WRITE = "tags:write"
    SOURCES_READ = "sources:read"
    SOURCES_WRITE = "sources:write"
    EVENTS_WRITE = "events:write"
    ORDERS_READ = "orders:read"
    ORDERS_WRITE = "orders:write"
    POINTS_READ = "points:read"
    POINTS_ADJUST = "points:adjust"
    EARNING_RULES_READ = "earning_rules:read"
    EARNING_RULES_WRITE = "earning_rules:write"
    COUPONS_READ = "coupons:read"
    COUPONS_WRITE = "coupons:write"
    VOUCHERS_ISSUE = "vouchers:issue"
    VOUCHERS_VERIFY = "vouchers:verify"
    REWARDS_READ = "rewards:read"
    REWARDS_WRITE = "rewards:write"
    REDEMPTIONS_WRITE = "redemptions:write"
    DRAWS_READ = "draws:read"
    DRAWS_WRITE = "draws:write"
    DRAWS_HAND_OVER = "draws:hand_over"
    REFERRALS_READ = "referrals:read"
    REFERRALS_WRITE = "referrals:write"
    REFERRALS_REVIEW = "referrals:review"
    CHECK_INS_READ = "check_ins:read"
    CHECK_INS_WRITE = "check_ins:write"
    CHECK_INS_ASSIST = "check_ins:assist"
    MISSIONS_READ = "missions:read"
    MISSIONS_WRITE = "missions:write"
    ACTIVITIES_READ = "activities:read"
    ACTIVITIES_WRITE = "activities:write"
    ACTIVITIES_ASSIST = "activities:assist"
    TIERS_READ = "tiers:read"
    TIERS_WRITE = "tiers:write"
    TIERS_GRANT = "tiers:grant"
    SURVEYS_READ = "surveys:read"
    SURVEYS_WRITE = "surveys:write"
    MESSAGES_READ = "messages:read"
    MESSAGES_WRITE = "messages:write"
    MEDIA_WRITE = "media:write"
    SEGMENTS_READ = "segments:read"
    SEGMENTS_WRITE = "segments:write"
    CAMPAIGNS_READ = "campaigns:read"
    CAMPAIGNS_WRITE = "campaigns:write"
    CAMPAIGNS_LAUNCH = "campaigns:launch"
    CAMPAIGNS_PAY = "campaigns:pay"
    JOURNEYS_READ = "journeys:read"
    JOURNEYS_WRITE = "journeys:write"
    BRAND_READ = "brand:read"
    BRAND_WRITE = "brand:write"
    BOTS_READ = "bots:read"
    BOTS_WRITE = "bots:write"
    OPERATORS_READ = "operators:read"
    OPERATORS_WRITE = "operators:write"
    API_KEYS_READ = "api_keys:read"
    API_KEYS_WRITE = "api_keys:write"
    WEBHOOKS_READ = "webhooks:read"
    WEBHOOKS_WRITE = "webhooks:write"
    AUDIT_READ = "audit:read"
    DATA_READ = "data:read"
    DATA_WRITE = "data:write"
    SENDING_RESUME = "sending:resume"
    ALERTS_READ = "alerts:read"
    ALERTS_WRITE = "alerts:write"
    DEAD_LETTERS_READ = "dead_letters:read"
    DEAD_LETTERS_WRITE = "dead_letters:write"
    DEAD_LETTERS_REVEAL = "dead_letters:reveal"


EVERY_SCOPE = "*"
"""The scope of an API key that may do everything."""


class Role(StrEnum):
    """What an operator is here for."""

    OWNER = "owner"
    ADMIN = "admin"
    MARKETER = "marketer"
    APPROVER = "approver"
    AGENT = "agent"
    ANALYST = "analyst"
    AUDITOR = "auditor"


_P = Permission
_ALL = frozenset(Permission)
_OUTREACH_READ = {_P.SEGMENTS_READ, _P.CAMPAIGNS_READ, _P.JOURNEYS_READ, _P.MESSAGES_READ, _P.REPORTS_READ}
_LOOKING = {
    *{_P.DASHBOARD_READ, _P.MEMBERS_READ, _P.TAGS_READ, _P.SOURCES_READ, _P.BRAND_READ},
    *{_P.SURVEYS_READ, _P.EARNING_RULES_READ, _P.POINTS_READ, _P.ORDERS_READ},
    _P.CHECK_INS_READ,
    *{_P.DRAWS_READ, _P.MISSIONS_READ, _P.REFERRALS_READ},
    *{_P.COUPONS_READ, _P.REWARDS_READ, _P.TIERS_READ, _P.ACTIVITIES_READ},
}
_MARKETING = {
    *{_P.TAGS_WRITE, _P.SOURCES_WRITE, _P.SURVEYS_WRITE, _P.MESSAGES_WRITE, _P.MEDIA_WRITE, _P.SEGMENTS_WRITE},
    *{_P.CAMPAIGNS_WRITE, _P.CAMPAIGNS_LAUNCH, _P.JOURNEYS_WRITE, _P.BOTS_READ, _P.ALERTS_READ},
    *{_P.DRAWS_WRITE, _P.MISSIONS_WRITE, _P.CHECK_INS_WRITE},
    *{_P.REFERRALS_WRITE, _P.REFERRALS_REVIEW, _P.ACTIVITIES_WRITE, _P.ACTIVITIES_ASSIST},
    *{_P.COUPONS_WRITE, _P.REWARDS_WRITE, _P.TIERS_WRITE},
}
_SERVICE = {
    *{_P.MEMBERS_WRITE, _P.MEMBERS_REVEAL, _P.MEMBERS_MERGE, _P.CONVERSATIONS_READ},
    *{_P.TICKETS_READ, _P.TICKETS_WRITE, _P.TAGS_WRITE},
    *{_P.DRAWS_HAND_OVER, _P.CHECK_INS_ASSIST},
    *{_P.VOUCHERS_VERIFY, _P.VOUCHERS_ISSUE, _P.REDEMPTIONS_WRITE, _P.TIERS_GRANT},
    _P.ACTIVITIES_ASSIST,
}
_OVERSIGHT = {
    *{_P.BOTS_READ, _P.OPERATORS_READ, _P.API_KEYS_READ, _P.WEBHOOKS_READ, _P.AUDIT_READ},
    *{_P.ALERTS_READ, _P.DEAD_LETTERS_READ, _P.DATA_READ},
}

ROLE_PERMISSIONS: dict[Role, frozenset[Permission]] = {
    Role.OWNER: _ALL,
    Role.ADMIN: _ALL,
    Role.MARKETER: frozenset(_LOOKING | _OUTREACH_READ | _MARKETING),
    Role.APPROVER: frozenset(_LOOKING | _OUTREACH_READ | {_P.CAMPAIGNS_LAUNCH}),
    Role.AGENT: frozenset(_LOOKING | _SERVICE),
    Role.ANALYST: frozenset(_LOOKING | _OUTREACH_READ),
    Role.AUDITOR: frozenset(_LOOKING | _OUTREACH_READ | _OVERSIGHT),
}


def of_role(role: Role) -> frozenset[Permission]:
    """What an operator of this role may do."""
    return ROLE_PERMISSIONS[role]


def of_scopes(scopes: list[str]) -> frozenset[Permission]:
    """What an API key with these scopes may do; a scope that is no longer known grants nothing."""
    if EVERY_SCOPE in scopes:
        return _ALL
    known = {permission.value for permission in Permission}
    return frozenset(Permission(scope) for scope in scopes if scope in known)


def may_manage(acting: Role | None, other: Role) -> bool:
    """Whether an operator of role `acting` (None: an API key) may invite, change or disable one of role `other`."""
    if acting is Role.OWNER:
        return True
    if Permission.OPERATORS_WRITE not in (of_role(acting) if acting else _ALL):
        return False
    return other is not Role.OWNER
