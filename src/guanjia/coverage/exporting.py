"""Writing responsibilities out, as a file that an import takes back without a change."""

from __future__ import annotations

from psycopg.sql import SQL

from guanjia.merchants.exporting import Export, stream

COLUMNS = ("merchant", "role", "person", "team", "pool", "since", "until")

# Times to the microsecond: a rounded one would come back as another.
STATEMENT = SQL(
    "SELECT m.ref, r.role, u.username, t.code, p.code,"
    " to_char(lower(r.during) AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"'),"
    " to_char(upper(r.during) AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')"
    " FROM coverage_responsibility r JOIN merchants_merchant m ON m.id = r.merchant_id"
    " LEFT JOIN people_user u ON u.id = r.person_id LEFT JOIN people_team t ON t.id = r.team_id"
    " LEFT JOIN people_pool p ON p.id = r.pool_id ORDER BY m.ref, lower(r.during), r.id"
)


def responsibilities_export() -> Export:
    """All of them, also ended ones, by merchant and time. Times are ISO 8601 in UTC."""
    return Export(COLUMNS, stream(STATEMENT))
