"""The types that ``T(…)``, ``new`` and ``instanceof`` may name, and which table a value's methods are in.

Source: Spinnaker compatibility facts, section 4.10.2. Orca knows the types of ``java.lang`` by their short names
and the others by their full ones; here every type answers to both.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import quote_plus

from masthead.pipelines.expressions.context import Running
from masthead.pipelines.expressions.errors import ExpressionError, shown
from masthead.pipelines.expressions.methods import containers, date_formats, date_methods, dates, numbers
from masthead.pipelines.expressions.methods.signature import Kind, Methods, add, choose
from masthead.pipelines.expressions.methods.texts import TEXT, format_text, spread
from masthead.pipelines.expressions.values import (
    INT_LIMIT,
    LONG_LIMIT,
    Entry,
    JavaValue,
    Value,
    java_text,
    type_name,
)

__all__ = ["TYPES", "JavaType", "call", "find_type", "read", "type_names"]

_NONE: Methods = {}


@dataclass(frozen=True, slots=True, eq=False)
class JavaType(JavaValue):
    """A type, as ``T(…)`` gives it.

    Attributes:
        full_name: With its package.
        holds: Tells whether a value is of this type.
        statics: Its static methods; its constructors are called ``new``.
        constants: Its static fields.
    """

    full_name: str
    holds: Callable[[Value], bool]
    statics: Methods = field(default_factory=dict)
    constants: Mapping[str, Value] = field(default_factory=dict)

    def text(self) -> str:
        """Give what Java says of a class."""
        return f"class {self.full_name}"

    def constant(self, name: str) -> Value:
        """Give a static field.

        Raises:
            ExpressionError: there is none of that name.
        """
        if name not in self.constants:
            raise ExpressionError(f"Property or field '{name}' cannot be found on type '{self.full_name}'")
        return self.constants[name]


# -- values -----------------------------------------------------------------------------------------

_TABLES: dict[type, Methods] = {
    str: TEXT,
    bool: numbers.BOOLEAN,
    int: numbers.NUMBER,
    float: numbers.NUMBER,
    list: containers.LIST,
    dict: containers.MAP,
    Entry: containers.ENTRY,
    dates.JavaDate: date_methods.DATE,
    dates.Instant: date_methods.INSTANT,
    dates.LocalDate: date_methods.LOCAL_DATE,
    dates.LocalDateTime: date_methods.LOCAL_DATE_TIME,
    dates.Day: date_methods.DAY,
    dates.Unit: date_methods.UNIT,
    date_formats.DateFormat: date_formats.DATE_FORMAT,
    numbers.JavaRandom: numbers.RANDOM,
    numbers.JavaUuid: numbers.UUID_METHODS,
}
add(numbers.UUID_METHODS, "toString")(lambda _, one: one.text())
add(numbers.UUID_METHODS, "equals", Kind.ANY)(lambda _, one, other: one.is_same(other))


def _table_of(value: Value) -> Methods:
    table = _TABLES.get(type(value))
    if table is not None:
        return table
    if isinstance(value, str):
        return TEXT
    return containers.MAP if isinstance(value, Mapping) else _NONE


def _statics_of(value: Value) -> Methods:
    """Give the static methods of the class of *value*, which Java also lets be called on it."""
    found = TYPES.get(type_name(value))
    return {} if found is None else {name: ways for name, ways in found.statics.items() if name != "new"}


def call(running: Running, target: Value, name: str, arguments: list[Value]) -> Value:
    """Call a method of *target*.

    Raises:
        ExpressionError: there is no such method, or it does not take these arguments.
    """
    if isinstance(target, JavaType):
        ways = target.statics.get(name) if name != "new" else None
        prefix: list[Value] = []
    else:
        ways = _table_of(target).get(name)
        prefix = [target]
        if ways is None and (ways := _statics_of(target).get(name)) is not None:
            prefix = []
    if ways is None:
        return _other(target, name, arguments)
    for each in (*prefix, *arguments):
        if isinstance(each, str):
            running.budget.text(len(each))
    way, converted = choose(ways, name, arguments, running)
    return way.run(running, *prefix, *converted)


def _other(target: Value, name: str, arguments: list[Value]) -> Value:
    """Read what is a getter of an execution, a stage or a trigger in Orca and a key here; else say what is wrong."""
    if isinstance(target, (list, Mapping)) and name in containers.CHANGING:
        raise ExpressionError(f"Expressions only read: {name}() would change the list or map")
    if isinstance(target, Mapping) and not arguments:
        for prefix in ("get", "is"):
            key = name[len(prefix) :]
            key = key[:1].lower() + key[1:]
            if name.startswith(prefix) and key in target:
                return target[key]
    owner = target.full_name if isinstance(target, JavaType) else type_name(target)
    raise ExpressionError(f"Method call: Method {name}() cannot be found on type {owner}")


def read(running: Running, target: Value, name: str) -> Value:
    """Read a property of what is neither null nor a map: a static field, or what ``getName()``, ``isName()`` or ``name()`` gives.

    Raises:
        ExpressionError: there is no such property.
    """
    if isinstance(target, JavaType):
        return target.constant(name)
    if isinstance(target, list) and name == "length":
        return len(target)
    table = _table_of(target)
    for getter in (f"get{name[:1].upper()}{name[1:]}", f"is{name[:1].upper()}{name[1:]}", name):
        for way in table.get(getter, ()):
            if way.fits(0):
                return way.run(running, target)
    raise ExpressionError(
        f"Property or field '{name}' cannot be found on object of type '{type_name(target)}' - "
        "maybe not public or not valid?"
    )


# -- types ------------------------------------------------------------------------------------------


def _is_whole(value: Value, limit: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and -limit <= value < limit


def _is_long(value: Value) -> bool:
    return _is_whole(value, LONG_LIMIT) and not _is_whole(value, INT_LIMIT)


def _texts() -> Methods:
    table: Methods = {}

    @add(table, "format", Kind.TEXT, rest=Kind.ANY)
    def _format(running: Running, pattern: str, *arguments: Value) -> str:
        return format_text(running, pattern, spread(arguments))

    @add(table, "join", Kind.TEXT, Kind.LIST)
    def _join(running: Running, separator: str, values: list[Value]) -> str:
        texts = [java_text(each, running.budget) for each in values]
        running.budget.text(sum(map(len, texts)) + len(separator) * len(texts))
        return separator.join(texts)

    @add(table, "join", Kind.TEXT, rest=Kind.ANY)
    def _join_rest(running: Running, separator: str, *values: Value) -> str:
        return _join(running, separator, list(values))

    add(table, "valueOf", Kind.ANY)(lambda running, value: java_text(value, running.budget))
    add(table, "new")(lambda _: "")
    add(table, "new", Kind.TEXT)(lambda _, text: text)
    return table


def _booleans() -> Methods:
    table = numbers.boolean_statics()
    table["new"] = table["valueOf"]
    return table


def _wholes(limit: int) -> Methods:
    table = numbers.whole_statics(limit)
    table["new"] = table["valueOf"][:1]
    return table


def _doubles() -> Methods:
    table = numbers.double_statics()
    add(table, "new", Kind.NUMBER)(lambda _, number: number)
    return table


def _random() -> Methods:
    table: Methods = {}
    add(table, "new")(lambda running: numbers.JavaRandom(running.context.chance.getrandbits(48)))
    add(table, "new", Kind.WHOLE)(lambda _, seed: numbers.JavaRandom(seed))
    return table


def _url_encoder() -> Methods:
    table: Methods = {}

    @add(table, "encode", Kind.TEXT)
    @add(table, "encode", Kind.TEXT, Kind.TEXT)
    def _encode(_: Running, text: str, charset: str = "UTF-8") -> str:
        if charset.upper().replace("-", "") != "UTF8":
            raise ExpressionError(f"The encoding {shown(charset)} is not supported; use UTF-8")
        return quote_plus(text, safe="*-._").replace("~", "%7E")

    return table


def _instances(kind: type[JavaValue]) -> Callable[[Value], bool]:
    return lambda value: isinstance(value, kind)


def _never(_: Value) -> bool:
    return False


_INT = {"MAX_VALUE": INT_LIMIT - 1, "MIN_VALUE": -INT_LIMIT}
_LONG = {"MAX_VALUE": LONG_LIMIT - 1, "MIN_VALUE": -LONG_LIMIT}
_DOUBLE = {
    "MAX_VALUE": 1.7976931348623157e308,
    "MIN_VALUE": 5e-324,
    "NaN": math.nan,
    "POSITIVE_INFINITY": math.inf,
    "NEGATIVE_INFINITY": -math.inf,
}

#: Every type, by its full name and by its short one.
TYPES: dict[str, JavaType] = {}
for _type in (
    JavaType("java.lang.String", lambda value: isinstance(value, str), _texts()),
    JavaType("java.lang.Integer", lambda value: _is_whole(value, INT_LIMIT), _wholes(INT_LIMIT), _INT),
    JavaType("java.lang.Long", _is_long, _wholes(LONG_LIMIT), _LONG),
    JavaType("java.lang.Byte", _never, _wholes(2**7), {"MAX_VALUE": 127, "MIN_VALUE": -128}),
    JavaType("java.lang.Double", lambda value: isinstance(value, float), _doubles(), _DOUBLE),
    JavaType(
        "java.lang.Boolean",
        lambda value: isinstance(value, bool),
        _booleans(),
        {"TRUE": True, "FALSE": False},
    ),
    JavaType("java.lang.Math", _never, numbers.math_statics(), {"PI": math.pi, "E": math.e}),
    JavaType("java.util.Random", _instances(numbers.JavaRandom), _random()),
    JavaType("java.util.UUID", _instances(numbers.JavaUuid), numbers.uuid_statics()),
    JavaType("java.util.Date", _instances(dates.JavaDate), date_methods.date_statics()),
    JavaType(
        "java.text.SimpleDateFormat", _instances(date_formats.DateFormat), date_formats.date_format_statics()
    ),
    JavaType("java.time.LocalDate", _instances(dates.LocalDate), date_methods.local_date_statics()),
    JavaType(
        "java.time.LocalDateTime", _instances(dates.LocalDateTime), date_methods.local_date_time_statics()
    ),
    JavaType("java.time.Instant", _instances(dates.Instant), date_methods.instant_statics()),
    JavaType("java.time.DayOfWeek", _instances(dates.Day), date_methods.day_statics(), dates.DAYS),
    JavaType("java.time.temporal.ChronoUnit", _instances(dates.Unit), {}, dates.UNITS),
    JavaType("java.time.temporal.TemporalAdjusters", _never, date_methods.adjuster_statics()),
    JavaType("java.net.URLEncoder", _never, _url_encoder()),
):
    TYPES[_type.full_name] = TYPES[_type.full_name.rpartition(".")[2]] = _type


def type_names() -> list[str]:
    """Give the full names of all types, in order."""
    return sorted({each.full_name for each in TYPES.values()})


def find_type(name: str) -> JavaType:
    """Give the type of that name.

    Raises:
        ExpressionError: expressions may not use it.
    """
    found = TYPES.get(name)
    if found is None:
        raise ExpressionError(f"Type cannot be found '{shown(name)}': expressions may not use it")
    return found
