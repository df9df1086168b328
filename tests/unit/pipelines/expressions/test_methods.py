"""The methods of Java's types that people call."""

from __future__ import annotations

import random

import pytest

from support.expressing import refusal, worth


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("'abc'.length()", 3),
        ("' a '.trim()", "a"),
        ("'abc'.substring(1)", "bc"),
        ("'abc'.substring(1, 2)", "b"),
        ("'abc'.charAt(1)", "b"),
        ("'abcabc'.indexOf('b')", 1),
        ("'abcabc'.indexOf('b', 2)", 4),
        ("'abcabc'.lastIndexOf('b')", 4),
        ("'abcabc'.lastIndexOf('b', 3)", 1),
        ("'abc'.contains('b')", True),
        ("'abc'.startsWith('b', 1)", True),
        ("'abc'.endsWith('bc')", True),
        ("'abc'.equals('abc')", True),
        ("'abc'.equals(1)", False),
        ("'aBc'.equalsIgnoreCase('AbC')", True),
        ("'a'.compareTo('c')", -2),
        ("'abc'.compareToIgnoreCase('ABC')", 0),
        ("'a'.concat('b')", "ab"),
        ("'a.b.c'.replace('.', '-')", "a-b-c"),
        ("'a1b22'.replaceAll('\\d+', '#')", "a#b#"),
        ("'ab'.replaceAll('(a)(b)', '$2$1')", "ba"),
        ("'ab'.replaceAll('(?<x>a)', '<${x}>')", "<a>b"),
        ("'aab'.replaceFirst('a', 'x')", "xab"),
        ("'abc'.replaceAll('x*', '-')", "-a-b-c-"),
        ("'abc'.matches('[a-c]+')", True),
        ("'a,b,,'.split(',')", ["a", "b"]),
        ("'a,b,,'.split(',', -1)", ["a", "b", "", ""]),
        ("'a.b.c'.split('\\.', 2)", ["a", "b.c"]),
        ("'a|b'.split('\\|').length", 2),
        ("''.split(',')", [""]),
        ("'ab'.repeat(2)", "abab"),
        ("'Ab'.toUpperCase() + 'Ab'.toLowerCase()", "ABab"),
        ("''.isEmpty() and ' '.isBlank()", True),
        ("''.empty", True),
        ("'hello'.hashCode()", 99162322),
        ("'polygenelubricants'.hashCode()", -2147483648),
        ("'ab'.toCharArray()", ["a", "b"]),
        ("'%s=%d'.formatted('a', 1)", "a=1"),
        ("'a'.concat(1)", "a1"),
    ],
)
def test_texts(expression, value):
    """``java.lang.String``."""
    assert worth(expression) == value


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        (
            "T(String).format('%5s|%-5s|%05d|%,d|%.2f|%x|%b|%%', 'a', 'b', 42, 1234567, 1.005, 255, true)",
            "    a|b    |00042|1,234,567|1.01|ff|true|%",
        ),
        ("T(String).format('%2$s %1$s', 'a', 'b')", "b a"),
        ("T(String).format('%g|%g|%g|%g', 1.5, 123456.789, 0, 0.0001)", "1.50000|123457|0.00000|0.000100000"),
        ("T(String).format('%g|%.3g|%G', 0.00001, 999999.0, 12345678)", "1.00000e-05|1.00e+06|1.23457E+07"),
        ("T(String).format('%08.3g|%h|%h|%H', -1.5, 'hello', 255, true)", "-0001.50|5e918d2|ff|4CF"),
        ("T(String).format('%S %s', 'up', null)", "UP null"),
        (
            "T(String).format('% d|%(d|%(,.1f|%+d|%#x|%#o|%08x|%#010x', 5, -5, -1234.56, 7, 255, 8, 255, 255)",
            " 5|(5)|(1,234.6)|+7|0xff|010|000000ff|0x000000ff",
        ),
        (
            "T(String).format('%x %x %o %X', -1, -3000000000L, -1, 255)",
            "ffffffff ffffffff4d2fa200 37777777777 FF",
        ),
        (
            "T(String).format('%.0f %.0f %.1f %.3f %f', 0.5, 2.5, 0.25, 1e-9, 1e10)",
            "1 3 0.3 0.000 10000000000.000000",
        ),
        ("T(String).format('%e %.2e %E', 12345.678, 0.00125, 1.0)", "1.234568e+04 1.25e-03 1.000000E+00"),
        (
            "T(String).format('%f %05.1f %+f %s', 0.0 / 0, 1.0 / 0, 1.0 / 0, -1.0 / 0)",
            "NaN Infinity +Infinity -Infinity",
        ),
        ("T(String).format('%c%C%c|%3%|%-3%|%05d', 65, 'b', 'c', null)", "ABc|  %|%  | null"),
        ("T(String).format('%s-%s %2$s', {'a', 'b'})", "a-b b"),
        ("'%s!'.formatted({'a'})", "a!"),
        (
            "''.format('%03d', 7) + ','.join('-', {'a', 'b'}) + (5).toHexString(255) + true.parseBoolean('true')",
            "007a-bfftrue",
        ),
        ("T(String).join('-', {1, 'a'})", "1-a"),
        ("T(String).join('-', 'a', 'b')", "a-b"),
        ("T(String).valueOf(1.0)", "1.0"),
        ("new String('x')", "x"),
        ("T(Integer).parseInt('42')", 42),
        ("T(Integer).parseInt('ff', 16)", 255),
        ("T(Integer).valueOf('7') + T(Long).parseLong('-8')", -1),
        ("T(Integer).MAX_VALUE", 2147483647),
        ("T(Integer).toHexString(255)", "ff"),
        ("T(Double).parseDouble('1e3')", 1000.0),
        ("T(Boolean).parseBoolean('TRUE')", True),
        ("T(Boolean).valueOf('x')", False),
        ("new Integer('5') + new java.lang.Integer(1)", 6),
        ("new Double('1.5')", 1.5),
        ("T(java.lang.Math).max(1, 2.5)", 2.5),
        ("T(Math).min(3, 2)", 2),
        ("T(Math).abs(-3)", 3),
        ("T(Math).round(2.5)", 3),
        ("T(Math).floor(2.7)", 2.0),
        ("T(Math).ceil(2.1).intValue()", 3),
        ("T(Math).pow(2, 3)", 8.0),
        ("T(Math).floorMod(-7, 3)", 2),
        ("T(Math).sqrt(-1)", "NaN"),
        ("T(Math).round(0.49999999999999994) + T(Math).round(-2.5) + T(Math).round(2.5)", 1),
        ("T(Math).ceil(-0.5).toString() + T(Math).rint(-0.5) + T(Math).rint(2.5)", "-0.0-0.02.0"),
        (
            "T(Math).log(0) + ' ' + T(Math).log10(0) + ' ' + T(Math).signum(0.0 / 0)",
            "-Infinity -Infinity NaN",
        ),
        (
            "T(Math).pow(0, -1) + ' ' + T(Math).pow(-10, 999) + ' ' + T(Math).pow(-8, 0.5) + ' ' + (0.0 ^ -3.0)",
            "Infinity -Infinity NaN Infinity",
        ),
        ("T(Math).atan(1) * 4", 3.141592653589793),
        ("T(Integer).toString(255, 16) + T(Long).toString(-5, 2) + T(Integer).toString(0, 36)", "ff-1010"),
        ("'abcdef'.substring(1.9)", "bcdef"),
        ("(2.5).hashCode()", 1074003968),
        ("(3.99).intValue()", 3),
        ("(300).byteValue()", 44),
        ("(1).equals(1)", True),
        ("(1).compareTo(2)", -1),
        ("(3000000000).hashCode()", -1294967296),
        ("(12345678.9).toString()", "1.23456789E7"),
        ("(0.0001).toString()", "1.0E-4"),
        ("(100.0).toString()", "100.0"),
        ("true.toString()", "true"),
        ("new java.util.Random(42).nextInt(10)", 0),
        ("new Random(42).nextInt()", -1170105035),
        ("new Random(42).nextBoolean()", True),
        ("T(java.net.URLEncoder).encode('a b/ü~*', 'UTF-8')", "a+b%2F%C3%BC%7E*"),
        ("new java.util.UUID(0, 1).toString()", "00000000-0000-0000-0000-000000000001"),
        ("T(UUID).fromString('00000000-0000-0000-0000-00000000000a').toString().length()", 36),
    ],
)
def test_types(expression, value):
    """What ``T(…)`` and ``new`` give; by the short name and the full one."""
    assert worth(expression) == value


def test_chance_is_given():
    """So that a test can foresee it."""
    chance = random.Random(1)
    assert worth("T(Math).random()", {}, chance=random.Random(1)) == chance.random()
    assert len(worth("T(java.util.UUID).randomUUID()", {})) == 36
    assert worth("T(java.util.UUID).randomUUID().version()", {}) == 4
    assert 0 <= worth("new java.util.Random().nextInt(5)", {}) < 5


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("{1, 2}.size() + {}.size()", 2),
        ("{1, 2}.contains(2.0) or {1.0}.indexOf(1) == 0", False),
        ("{1, 2}.contains(2) and {{1.0}}.contains({1.0})", True),
        ("{1, 2}.containsAll({2, 1})", True),
        ("{1, 2, 1}.indexOf(1) + {1, 2, 1}.lastIndexOf(1)", 2),
        ("{1, 2, 3}.subList(1, 3)", [2, 3]),
        ("{1, 2}.get(1)", 2),
        ("{1, 2}.isEmpty()", False),
        ("{1, 2}.length", 2),
        ("{1, null, 'a'}.toString()", "[1, null, a]"),
        ("{a: 1}.containsKey('a') and {a: 1}.containsValue(1)", True),
        ("{a: 1}.get('b')", None),
        ("{a: 1}.getOrDefault('b', 2)", 2),
        ("{a: 1, b: 2}.values()", [1, 2]),
        ("{a: 1, b: 2}.keySet().contains('b')", True),
        ("{a: 1, b: {c: 2}}.toString()", "{a=1, b={c=2}}"),
        ("{a: 1}.entrySet()[0].getKey()", "a"),
        ("{a: 1}.entrySet()[0].value", 1),
        ("execution.getName()", "release"),
        ("execution.getStages().size()", 3),
    ],
)
def test_lists_and_maps(expression, value):
    """``java.util.List``, ``Set`` and ``Map``, those methods that read."""
    if value is None:
        assert worth(f"{expression} == null") is True
    else:
        assert worth(expression) == value


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("new java.util.Date()", 1795402800000),
        ("new Date(0).toString()", "Thu Jan 01 00:00:00 UTC 1970"),
        ("new java.util.Date(1000).time", 1000),
        ("new java.util.Date(0).before(new java.util.Date(1))", True),
        (
            "new java.text.SimpleDateFormat('yyyy-MM-dd''T''HH:mm:ss.SSSZ').format(new java.util.Date(1))",
            "1970-01-01T00:00:00.001+0000",
        ),
        (
            "new java.text.SimpleDateFormat('EEE, d MMM yy h:mm a').format(new java.util.Date())",
            "Mon, 23 Nov 26 3:00 AM",
        ),
        ("new java.text.SimpleDateFormat('yyyyMMdd').parse('20200229').time", 1582934400000),
        (
            "new java.text.SimpleDateFormat('dd MMM yyyy HH:mm X').parse('01 Feb 2021 00:30 +0130').time",
            1612134000000,
        ),
        ("new SimpleDateFormat('yyyy-MM-dd').parse('2024-1-5').time", 1704412800000),
        ("new SimpleDateFormat('yyyy-MM-dd').parse(' 2024-13-01T10:00').time", 1735689600000),
        ("new SimpleDateFormat('HH:mm').parse('25:60').time", 93_600_000),
        ("new SimpleDateFormat('Hmm').parse('930').time", 34_200_000),
        ("new SimpleDateFormat('hh:mm a').parse('12:05 pm').time", 43_500_000),
        ("new SimpleDateFormat('KK:mm a').parse('11:05 PM').time", 83_100_000),
        ("new SimpleDateFormat('kk').parse('24').time", 0),
        ("new SimpleDateFormat('yy').parse('99').time", 915148800000),
        ("new SimpleDateFormat('yy').parse('2024').time", 1704067200000),
        ("new SimpleDateFormat('D yyyy').parse('60 2024').time", 1709164800000),
        ("new SimpleDateFormat('E d MMMM yyyy G').parse('Friday 5 jan 2024 AD').time", 1704412800000),
        ("new SimpleDateFormat('yyyy z').parse('2024 GMT-02:00').time", 1704074400000),
        ("new SimpleDateFormat('YYYY-ww W').format(new Date(1767225599000L))", "2026-01 5"),
        ("new SimpleDateFormat('YY w').format(new Date(1704067199999L))", "24 1"),
        ("T(java.time.LocalDate).now().toString()", "2026-11-23"),
        ("T(java.time.LocalDate).of(2024, 1, 31).plusMonths(1)", "2024-02-29"),
        ("T(java.time.LocalDate).parse('2024-02-29').plusYears(1).toString()", "2025-02-28"),
        ("T(LocalDate).of(2024, 2, 1).lengthOfMonth()", 29),
        ("T(LocalDate).of(2024, 1, 31).hashCode() + new Date(0).hashCode()", 4145247),
        ("T(LocalDate).of(2024, 1, 31).compareTo(T(LocalDate).of(2024, 3, 1))", -2),
        ("T(LocalDateTime).of(2024, 1, 1, 5, 0).compareTo(T(LocalDateTime).of(2024, 1, 1, 7, 0))", -1),
        ("T(Instant).ofEpochMilli(5).compareTo(T(Instant).ofEpochMilli(0))", 5_000_000),
        ("T(Instant).ofEpochMilli(5).compareTo(T(Instant).ofEpochSecond(9))", -1),
        ("T(LocalDate).now().dayOfWeek", "MONDAY"),
        ("T(LocalDate).now().getDayOfWeek() == T(java.time.DayOfWeek).MONDAY", True),
        ("T(LocalDate).now().dayOfWeek == 'MONDAY'", True),
        ("T(LocalDate).now().dayOfWeek.value + T(LocalDate).now().monthValue", 12),
        ("T(LocalDate).now().isBefore(T(LocalDate).now().plusDays(1))", True),
        ("T(LocalDate).now() < T(LocalDate).now().plusWeeks(1)", True),
        (
            "T(LocalDate).now().with(T(java.time.temporal.TemporalAdjusters).next(T(java.time.DayOfWeek).MONDAY))",
            "2026-11-30",
        ),
        ("T(LocalDate).now().with(T(TemporalAdjusters).lastDayOfMonth()).dayOfMonth", 30),
        ("T(LocalDate).now().with(T(TemporalAdjusters).firstInMonth(T(DayOfWeek).FRIDAY))", "2026-11-06"),
        ("T(LocalDate).now().with(T(TemporalAdjusters).lastInMonth(T(DayOfWeek).FRIDAY))", "2026-11-27"),
        ("T(LocalDate).now().withDayOfMonth(1).atStartOfDay()", "2026-11-01T00:00"),
        ("T(LocalDate).of(2024, 1, 31).withMonth(2)", "2024-02-29"),
        ("T(java.time.LocalDateTime).now().plusHours(25).toLocalDate()", "2026-11-24"),
        ("T(LocalDateTime).of(2026, 1, 2, 3, 4).hour", 3),
        (
            "T(LocalDateTime).parse('2026-01-02T03:04:05').truncatedTo(T(ChronoUnit).HOURS)",
            "2026-01-02T03:00",
        ),
        ("T(java.time.Instant).now()", "2026-11-23T03:00:00Z"),
        ("T(Instant).ofEpochMilli(1500).toString()", "1970-01-01T00:00:01.500Z"),
        ("T(Instant).parse('2026-11-23T04:00:00+01:00').toEpochMilli()", 1795402800000),
        ("T(Instant).now().minus(2, T(java.time.temporal.ChronoUnit).DAYS).isBefore(T(Instant).now())", True),
        ("T(Instant).now().plusSeconds(90).epochSecond", 1795402890),
        (
            "T(java.time.temporal.ChronoUnit).DAYS.between(T(LocalDate).of(2026, 1, 1), T(LocalDate).now())",
            326,
        ),
        ("T(ChronoUnit).MONTHS.between(T(LocalDate).of(2026, 1, 31), T(LocalDate).of(2026, 2, 28))", 0),
        ("T(ChronoUnit).HOURS.toString() + T(ChronoUnit).HOURS.name()", "HoursHOURS"),
        ("T(DayOfWeek).of(7).plus(1)", "MONDAY"),
        ("'at ' + T(LocalDate).now()", "at 2026-11-23"),
    ],
)
def test_dates(expression, value):
    """In UTC, by the clock that was given (Monday, 23 November 2026, 03:00)."""
    assert worth(expression) == value


@pytest.mark.parametrize(
    "expression",
    [
        "'abc'.substring(2, 1)",
        "'abc'.charAt(3)",
        "'a'.repeat(-1)",
        "'a'.concat(null)",
        "'a'.replaceAll('a', '$1')",
        "'a'.replaceAll('a', '$')",
        "T(Integer).parseInt('x')",
        "T(Integer).parseInt('2147483648')",
        "T(Math).toIntExact(2147483648)",
        "T(Math).floorMod(1, 0)",
        "T(String).format('%d', 'x')",
        "T(String).format('%s')",
        "T(String).format('%q', 1)",
        "T(String).format('%9999s', 1)",
        "T(UUID).fromString('x')",
        "new Random().nextInt(0)",
        "T(LocalDate).of(2023, 2, 29)",
        "T(LocalDate).parse('2023-02-29')",
        "T(LocalDate).parse('2023-02-20T10:00')",
        "T(LocalDate).now().plusYears(9000)",
        "T(LocalDate).now().plusDays(999999999999)",
        "T(Instant).parse('2023-02-20T10:00')",
        "T(Instant).ofEpochSecond(9223372036854775807)",
        "T(DayOfWeek).of(8)",
        "T(DayOfWeek).valueOf('Monday')",
        "new java.text.SimpleDateFormat('QQ')",
        "new java.text.SimpleDateFormat('yyyy').parse('x')",
        "new java.text.SimpleDateFormat('yyyy-MM-dd').parse('2023-xx-99')",
        "T(java.net.URLEncoder).encode('a', 'UTF-16')",
        "{1}.get(1)",
        "{1}.subList(0, 5)",
        "#toInt('x')",
        "#toInt('2147483648')",
        "#toFloat('x')",
        "#fromBase64('?')",
    ],
)
def test_what_java_would_throw_is_an_error(expression):
    """With a sentence, and the text stays."""
    assert refusal(expression)


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("dd MMM yyyy", "05 Foo 2024"),
        ("E", "Xyz"),
        ("yyyy z", "2024 PST"),
        ("yyyy Z", "2024"),
        ("G", "BC"),
        ("a", "noon"),
        ("yyyy", ""),
        ("yyyy", "1234567890"),
        ("yyyy-MM", "2024/01"),
        ("yyyy", "0"),
    ],
)
def test_a_text_that_is_no_such_date_is_refused(pattern, text):
    """Neither a name that nobody has, nor a year that no date can have."""
    assert "Unparseable date" in refusal(f"new SimpleDateFormat('{pattern}').parse('{text}')")


@pytest.mark.parametrize(
    ("expression", "sentence"),
    [
        ("T(LocalDate).now().plus(1, T(ChronoUnit).HOURS)", "Unsupported unit: Hours"),
        (
            "T(ChronoUnit).MINUTES.between(T(LocalDate).now(), T(LocalDate).now())",
            "Unsupported unit: Minutes",
        ),
        ("T(Instant).now().plus(1, T(ChronoUnit).MONTHS)", "Unsupported unit: Months"),
        ("T(LocalDate).parse('20240105')", "could not be parsed"),
        ("T(LocalDate).parse('2024-W01-1')", "could not be parsed"),
        ("T(LocalDateTime).parse('2024-01-05 10:00')", "could not be parsed"),
        ("T(Instant).parse('2024-01-05T10:00')", "could not be parsed"),
        ("T(String).format('%c', 99999999)", "Code point"),
        ("'a'.new('b')", "cannot be found on type java.lang.String"),
    ],
)
def test_what_a_type_does_not_know_is_an_error(expression, sentence):
    """A date knows no hours, an instant no months."""
    assert sentence in refusal(expression)


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("'text'.indexOf(120)", 2),
        ("'text'.indexOf(116, 1)", 3),
        ("'text'.lastIndexOf(116)", 3),
        ("'text'.indexOf(1)", -1),
        ("'a1'.indexOf('1')", 1),
    ],
)
def test_a_number_that_is_looked_for_in_a_text_is_a_character(expression, value):
    """As in Java, which has the same method for both."""
    assert worth(expression) == value


@pytest.mark.parametrize(
    "expression",
    [
        "T(Integer).sum(2147483647, 1)",
        "T(Math).addExact(2147483647, 1)",
        "T(Math).subtractExact(-2147483648, 1)",
        "T(Math).multiplyExact(65536, 65536)",
        "T(Math).negateExact(-2147483648)",
        "T(Long).sum(9223372036854775807, 1)",
    ],
)
def test_integers_that_leave_their_range_are_errors_where_java_says_so(expression):
    """A Long among them makes it one of 64 bits."""
    assert refusal(expression)
    assert worth("T(Math).addExact(2147483648, 1)") == 2147483649
    assert worth("T(Long).sum(2147483647, 1)") == 2147483648


@pytest.mark.parametrize("expression", ["++n", "n++", "--n", "1--1"])
def test_what_changes_a_value_is_no_expression(expression):
    """Two signs with a space between them are two signs."""
    assert "not expected" in refusal(expression)
    assert worth("1 - -1 + +1") == 3
