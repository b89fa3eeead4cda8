"""`calendar …` means what systemd's own program says it means, on random texts, right and wrong ones."""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import subprocess
import sys
import unittest
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from support.process import base_environment

CTEST = {"timeout": 300}
COUNT = int(os.environ.get("PGBAKD_ONCALENDAR_COUNT", "400"))
ANALYZE = shutil.which("systemd-analyze")
WEEKDAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
LONG_WEEKDAYS = ["Monday", "tuesday", "WEDNESDAY", "Thursday", "friday", "saturday", "Sunday"]
SHORTHANDS = ["minutely", "hourly", "daily", "weekly", "monthly", "quarterly", "semiannually", "yearly", "annually",
              "bi-annually", "Daily", "biannually", "semi-annually", "anually"]  # fmt: skip
ITERATIONS = 5
AFTER = "2026-01-10T00:00:00Z"


class Texts:
    """Random events: every part of the grammar, and now and then a slip of the pen."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)

    def one_in(self, number: int) -> bool:
        return self.chance.randrange(number) == 0

    def number(self, low: int, high: int) -> str:
        value = self.chance.randint(low, high)
        return f"{value:02}" if self.one_in(2) else str(value)

    def component(self, low: int, high: int) -> str:
        if self.one_in(3):
            return "*"
        entries = []
        for _ in range(self.chance.choice([1, 1, 1, 2, 3])):
            first = self.chance.randint(low, high)
            entry = f"{first:02}" if self.one_in(2) else str(first)
            if self.one_in(4):
                entry += f"..{self.number(first if not self.one_in(12) else low, high)}"
            if self.one_in(4):
                entry += f"/{self.number(1 if not self.one_in(12) else 0, max(2, (high - low) // 2))}"
            entries.append(entry)
        return ",".join(entries)

    def weekdays(self) -> str:
        entries = []
        for _ in range(self.chance.choice([1, 1, 2, 3])):
            first = self.chance.randrange(7)
            name = self.chance.choice([WEEKDAYS, WEEKDAYS, LONG_WEEKDAYS])[first]
            if self.one_in(3):
                name += self.chance.choice(["..", "..", "-"]) + self.chance.choice(WEEKDAYS[first:] if not self.one_in(8) else WEEKDAYS)
            entries.append(name)
        return self.chance.choice([",", ",", ", "] if self.one_in(20) else [","]).join(entries)

    def date(self) -> str:
        year = self.chance.choice(["*", "*", "*", self.number(2026, 2040), self.number(70, 99), "2024..2030", "2026/2", self.number(26, 40)])
        month = self.component(1, 12) if not self.one_in(15) else self.number(0, 14)
        tail = self.one_in(3)
        day = (self.component(1, 28 if not self.one_in(10) else 31) if tail else self.component(1, 31)) if not self.one_in(15) else self.number(0, 33)
        dash = "~" if tail else "-"
        return f"{month}{dash}{day}" if self.one_in(4) else f"{year}-{month}{dash}{day}"

    def time(self) -> str:
        hour = self.component(0, 23) if not self.one_in(20) else self.number(0, 25)
        text = f"{hour}:{self.component(0, 59)}"
        return text if self.one_in(2) else f"{text}:{self.component(0, 59) if not self.one_in(20) else self.number(0, 61)}"

    def event(self) -> str:
        if self.one_in(25):
            text = self.chance.choice(SHORTHANDS)
        elif self.one_in(40):
            text = f"@{self.chance.randrange(1 << 32)}"
        else:
            parts = [part for part, wanted in ((self.weekdays, 3), (self.date, 2), (self.time, 2)) if self.one_in(wanted)]
            text = " ".join(part() for part in parts or [self.date])
        if self.one_in(12):
            text += self.chance.choice([" UTC", " Europe/Berlin", " Asia/Kathmandu", " utc"])
        if self.one_in(10) and text:
            place = self.chance.randrange(len(text))
            slip = self.chance.choice(["", "*", "/", "~", "-", ",", ":", " ", "0", "7", "M", "..", "x"])
            text = text[:place] + slip + text[place + self.chance.randrange(2) :]
        return text


def said_by_systemd(text: str) -> list[str] | None:
    """The next fires; None if it is no calendar event."""
    assert ANALYZE
    done = subprocess.run(
        [ANALYZE, "calendar", "--base-time", "2026-01-10 00:00:00 UTC", f"--iterations={ITERATIONS}", "--", text],
        env=base_environment(TZ="UTC", LC_ALL="C"), capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    if done.returncode != 0:
        return None
    found = re.findall(r"(?:Next elapse|Iter\. #\d+|Iteration #\d+): \w+ (\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d) UTC", done.stdout)
    return [f"{date}T{time}Z" for date, time in found]


def said_by_us(text: str) -> list[str] | None:
    done = subprocess.run(
        [Path(os.environ["PGBAKD_BIN_DIR"]) / "pgbakctl", "--json", "next", "--schedule", f"calendar {text}",
         "--timezone", "UTC", "--after", AFTER, "-n", str(ITERATIONS)],
        env=base_environment(TZ="UTC"), capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    if done.returncode != 0:
        return None
    return [fire["utc"] for fire in json.loads(done.stdout)["jobs"][0]["fires"]]


def is_refused_by_a_slip_of_systemd(text: str) -> bool:
    """What it refuses though its manual page has it, and we take.

    chain_valid() in calendarspec.c lowers the bound by 3 days again for each further entry of a list behind `~`, and
    counts a range of seconds in microseconds, so that 5..5 seems to end before its first step.
    """
    return bool(re.search(r"~[^ ]*,", text) or re.search(r":[^: ]*:[^ ]*\b0*(\d+)\.\.0*\1\b", text))


class OnCalendar(unittest.TestCase):
    @unittest.skipUnless(ANALYZE, "systemd-analyze is not installed")
    def test_random_events_are_read_as_systemd_reads_them(self) -> None:
        seed = int(os.environ.get("PGBAKD_TEST_SEED", random.randrange(1 << 30)))
        print(f"seed {seed}")
        texts = Texts(seed)
        events = sorted({text for _ in range(COUNT) if (text := texts.event().strip()) and not text.startswith("-") and "." not in text.replace("..", "")})
        with ThreadPoolExecutor(2) as pool:
            theirs = list(pool.map(said_by_systemd, events))
            ours = list(pool.map(said_by_us, events))
        wrong = [
            f"{event!r}: systemd {them}, pgbakd {us}"
            for event, them, us in zip(events, theirs, ours)
            if them != us and not (them is None and is_refused_by_a_slip_of_systemd(event))
        ]
        self.assertFalse(wrong, "\n".join(wrong[:20]) + f"\n{len(wrong)} of {len(events)}")
        right = sum(them is not None for them in theirs)
        self.assertGreater(right, len(events) // 2)
        self.assertGreater(len(events) - right, len(events) // 50)


if __name__ == "__main__":
    unittest.main()
