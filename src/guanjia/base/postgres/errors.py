"""The one error of the embedded database."""


class PostgresError(RuntimeError):
    """The embedded PostgreSQL cannot be used. Says what happened, why, and what to do."""

    def __init__(self, what: str, *, why: str, todo: str) -> None:
        super().__init__(f"{what}\nWhy: {why}\nWhat to do: {todo}")
