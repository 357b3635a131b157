"""A calendar in words: days of the week, sessions and steps."""

from __future__ import annotations

from rnncast.data.calendars.closures import parse_rule
from rnncast.data.calendars.frequency import CLOCK_US, DAY_US, EVERY_DAY, WEEK_US, Frequency

DAY_NAMES = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTH_NAMES = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
MOST_PHRASES = 3  # of sessions; a week that needs more of them is only counted
_MINUTE_US = CLOCK_US["min"]


def describe_step(frequency: Frequency, weekmask: str) -> str:
    """The step in words, with the open days where there are closed ones: ``business days, Monday to Friday``."""
    count = frequency.count
    if frequency.family == "step":
        return "integer steps" if count == 1 else f"integer steps of {count}"
    if frequency.family == "business":
        every = "business days" if count == 1 else f"every {count} business days"
        return f"{every}, {describe_weekmask(weekmask)}"
    if frequency.family == "clock":
        open_days = "" if weekmask == EVERY_DAY else f", {describe_weekmask(weekmask)}"
        return f"every {describe_length(frequency)}{open_days}"
    if frequency.family == "day":
        return "every day" if count == 1 else f"every {count} days"
    if frequency.family == "week":
        return f"{'every week' if count == 1 else f'every {count} weeks'}, on {DAY_NAMES[frequency.anchor]}"
    return _describe_months(frequency)


def describe_length(frequency: Frequency) -> str:
    """Length of a step of the clock, of days or of integers: ``hour``, ``30 minutes``, ``3 days``, ``7``."""
    if frequency.family == "step":
        return str(frequency.count)
    if frequency.family == "day":
        return "day" if frequency.count == 1 else f"{frequency.count} days"
    names = {"h": "hour", "min": "minute", "s": "second", "ms": "millisecond", "us": "microsecond"}
    unit = frequency.alias.lstrip("0123456789")
    count = frequency.alias.removesuffix(unit)
    return f"{count} {names[unit]}s" if count else names[unit]


def _describe_months(frequency: Frequency) -> str:
    count, unit = frequency.count // frequency.period, {1: "month", 3: "quarter", 12: "year"}[frequency.period]
    every = f"every {unit}" if count == 1 else f"every {count} {unit}s"
    if frequency.rule.isdigit():
        return f"{every}, on day {frequency.rule} or the month's last"
    edge = {"S": "first day", "E": "last day", "BS": "first business day", "BE": "last business day"}
    where = f"{every}, on the {edge[frequency.rule]}"
    if unit == "year":
        return f"{where} of {MONTH_NAMES[frequency.anchor]}"
    return where if unit == "month" else f"{where} ({frequency.alias.split('-')[1].title()})"


def describe_weekmask(weekmask: str) -> str:
    """Open days in words: ``Monday to Friday``, ``Monday to Thursday and Sunday``."""
    runs: list[list[str]] = []
    for day, name in enumerate(DAY_NAMES):
        if weekmask[day] == "0":
            continue
        if day and weekmask[day - 1] == "1":
            runs[-1].append(name)
        else:
            runs.append([name])
    words = [f"{run[0]} to {run[-1]}" if len(run) > 2 else " and ".join(run) for run in runs]
    return " and ".join(words)


def describe_rule(rule: str) -> str:
    """A usual closure in words: ``third Monday of January``, ``Good Friday``, ``25 December``."""
    parsed = parse_rule(rule)
    if parsed.kind == "easter":
        known = {-2: "Good Friday", 0: "Easter Sunday", 1: "Easter Monday", 39: "Ascension", 50: "Whit Monday"}
        side = "before" if parsed.number < 0 else "after"
        return known.get(parsed.number, f"{abs(parsed.number)} days {side} Easter")
    month = MONTH_NAMES[parsed.month - 1]
    if parsed.kind == "nth":
        return f"{('last', 'first', 'second', 'third', 'fourth')[parsed.number]} {DAY_NAMES[parsed.name]} of {month}"
    moved = {"~": " or the nearest weekday", "+": " or the Monday after a Sunday", "++": " or the Monday after"}
    return f"{parsed.number} {month}{moved.get(rule[5:], '')}"


def describe_sessions(sessions: tuple[tuple[int, int], ...], step: int) -> str:
    """Open runs in words: ``Monday to Friday 09:30 to 15:30``, ``Sunday 22:00 to Friday 21:00``."""
    runs = list(sessions)
    if len(runs) > 1 and runs[0][0] + WEEK_US - runs[-1][1] == step:  # from Sunday into Monday without a break
        runs = [*runs[1:-1], (runs[-1][0], runs[0][1] + WEEK_US)]
    daily: dict[tuple[int, int], list[int]] = {}  # days by the hours of a session
    for first, last in runs:
        day = first // DAY_US
        daily.setdefault((first - day * DAY_US, last - day * DAY_US), []).append(day)
    phrases = []
    for (first, last), days in daily.items():
        if last < DAY_US:
            mask = "".join("1" if day in days else "0" for day in range(7))
            phrases.append(f"{describe_weekmask(mask)} {_clock(first)} to {_clock(last)}")
        else:
            ends = [(DAY_NAMES[day], DAY_NAMES[(day + last // DAY_US) % 7]) for day in days]
            phrases += [f"{start} {_clock(first)} to {end} {_clock(last)}" for start, end in ends]
    if len(phrases) > MOST_PHRASES:
        slots = sum((last - first) // step + 1 for first, last in sessions)
        return f"in {slots:,} open slots a week"
    return " and ".join(phrases)


def _clock(microseconds: int) -> str:
    minutes, rest = divmod(microseconds % DAY_US, _MINUTE_US)
    seconds = f":{rest / CLOCK_US['s']:02g}" if rest else ""
    return f"{minutes // 60:02d}:{minutes % 60:02d}{seconds}"
