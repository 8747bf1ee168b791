"""Statements on the way of every activity: compiled once, then given to the driver as they are.

What SQLAlchemy does around each execution costs several times what the database itself needs for one row.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Dialect, Executable, Select
from sqlalchemy.dialects import sqlite
from sqlalchemy.engine.interfaces import DBAPIConnection, DBAPICursor
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session
from sqlalchemy.sql.compiler import SQLCompiler

from federation.tables import Row

Convert = Callable[[Any], Any]
Insert = Callable[[type[Row]], sqlite.Insert]


class Prepared:
    """A statement whose every value is a `bindparam`, or an ``INSERT`` of `columns`.

    One that knows ``ON CONFLICT`` is given as ``lambda insert: insert(Table)…``, for each database has its own. It runs
    in the transaction of a session, but past it: nothing is flushed before, and rows are tuples.
    """

    __slots__ = ("_columns", "_compiled", "_statement")

    def __init__(self, statement: Executable | Callable[[Insert], Executable], *columns: str) -> None:
        self._statement = statement
        self._columns = columns
        self._compiled: dict[str, _Compiled] = {}  # by the dialect's name

    def run(self, db: Session, **values: Any) -> int:
        """How many rows it wrote. Raise `DBAPIError` as SQLAlchemy does."""
        return self._execute(db, values)[1].rowcount

    def run_all(self, db: Session, several: Iterable[dict[str, Any]]) -> None:
        """Run it with each of several values. Raise `DBAPIError` as SQLAlchemy does."""
        self._execute(db, [*several])

    def rows(self, db: Session, **values: Any) -> list[tuple[Any, ...]]:
        """What it selects. Raise `DBAPIError` as SQLAlchemy does."""
        compiled, cursor = self._execute(db, values)
        return [compiled.read(row) for row in cursor.fetchall()]

    def value(self, db: Session, **values: Any) -> Any:
        """The first column of the first row, or ``None``. Raise `DBAPIError` as SQLAlchemy does."""
        compiled, cursor = self._execute(db, values)
        row = cursor.fetchone()
        return compiled.read(row)[0] if row else None

    def _execute(self, db: Session, values: dict[str, Any] | list[dict[str, Any]]) -> tuple[_Compiled, DBAPICursor]:
        driver, dialect = way(db)
        if (compiled := self._compiled.get(dialect.name)) is None:
            written = self._statement
            statement = written if isinstance(written, Executable) else written(insert_of(dialect.name))
            compiled = self._compiled[dialect.name] = _compile(statement, self._columns, dialect)
        cursor = driver.cursor()
        try:
            if isinstance(values, list):
                cursor.executemany(compiled.text, [compiled.parameters(one) for one in values])
            else:
                cursor.execute(compiled.text, compiled.parameters(values))
        except dialect.loaded_dbapi.Error as error:
            raise _explained(compiled.text, error, dialect) from error
        return compiled, cursor


@dataclass(frozen=True, slots=True)
class _Compiled:
    """A statement in the words of one database, and how its values go there and back."""

    text: str
    is_positional: bool  # or its values are passed by name
    there: tuple[tuple[str, Convert | None], ...]
    constant: dict[str, Any]
    back: tuple[Convert | None, ...]

    def parameters(self, values: dict[str, Any]) -> Any:
        given = {**self.constant, **values} if self.constant else values
        if self.is_positional:
            return [convert(given[name]) if convert else given[name] for name, convert in self.there]
        return {name: convert(given[name]) if convert else given[name] for name, convert in self.there}

    def read(self, row: tuple[Any, ...]) -> tuple[Any, ...]:
        return tuple([convert(value) if convert else value for convert, value in zip(self.back, row, strict=True)])


def way(db: Session) -> tuple[DBAPIConnection, Dialect]:
    """The driver's own connection of a session that serves one transaction, and its dialect."""
    way: tuple[DBAPIConnection, Dialect] | None = db.info.get("way")
    if way is None:
        connection = db.connection()
        driver = connection.connection.dbapi_connection
        assert driver is not None  # noqa: S101 - the session is in its transaction
        way = db.info["way"] = driver, connection.dialect
    return way


def say(connection: Connection, statement: str) -> None:
    """What has neither values nor an answer. Raise `DBAPIError` as SQLAlchemy does."""
    driver, dialect = connection.connection.dbapi_connection, connection.dialect
    assert driver is not None  # noqa: S101 - it is connected
    try:
        driver.cursor().execute(statement)
    except dialect.loaded_dbapi.Error as error:
        raise _explained(statement, error, dialect) from error


def insert_of(dialect: str) -> Insert:
    """How an ``INSERT`` is written that knows ``ON CONFLICT``, which both databases spell alike."""
    if dialect == "sqlite":
        return sqlite.insert
    from sqlalchemy.dialects import postgresql  # 2 MiB that only those pay who use it

    return postgresql.insert  # type: ignore[return-value]


def _compile(statement: Executable, columns: tuple[str, ...], dialect: Dialect) -> _Compiled:
    compiled = statement.compile(dialect=dialect, column_keys=columns or None)  # type: ignore[attr-defined]
    assert isinstance(compiled, SQLCompiler)  # noqa: S101 - it is no DDL
    selected = statement.selected_columns if isinstance(statement, Select) else ()
    given = {name: bind.effective_value for name, bind in compiled.binds.items() if not bind.required}
    defaults = {column.key: column.default.arg for column in compiled.insert_prefetch}  # type: ignore[union-attr]
    there = {name: bind.type.dialect_impl(dialect).bind_processor(dialect) for name, bind in compiled.binds.items()}
    order = compiled.positiontup
    return _Compiled(
        text=str(compiled),
        is_positional=order is not None,
        there=tuple((name, there[name]) for name in (there if order is None else order)),
        constant=given | defaults,
        back=tuple(column.type.dialect_impl(dialect).result_processor(dialect, None) for column in selected),
    )


def _explained(text: str, error: Exception, dialect: Dialect) -> BaseException:
    return DBAPIError.instance(text, None, error, dialect.loaded_dbapi.Error, dialect=dialect, hide_parameters=True)
