"""How often each source does what: the rates of the made-up city, as data. Change numbers here and nowhere else.

A slip's rate is multiplied by the mood of the record (see `Moods`); what is a source's steady way of writing is not.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

SOURCES = ("student", "station", "hospital", "insurance")
"""Source systems, in the order of the columns of the tables below."""

Rate = tuple[str, float, float, float, float, str]
"""Name, rate at each of SOURCES, meaning."""

SLIPS: tuple[Rate, ...] = (
    ("unaccented", 0.012, 0.11, 0.02, 0.004, "the whole name typed without marks"),
    ("telex", 0.0015, 0.004, 0.003, 0.0005, "Telex keystrokes left in the name"),
    ("vni_keys", 0.0006, 0.003, 0.001, 0.0003, "VNI keystrokes left in the name"),
    ("utf8_mojibake", 0.001, 0.001, 0.0015, 0.0004, "UTF-8 read as Windows-1252"),
    ("lost_letters", 0.0008, 0.0015, 0.0015, 0.0004, "letters replaced by question marks"),
    ("middle_dropped", 0.006, 0.02, 0.012, 0.003, "no middle name"),
    ("middle_shortened", 0.02, 0.03, 0.02, 0.006, "one syllable of a two-syllable middle name missing"),
    ("order_swapped", 0.001, 0.002, 0.0015, 0.0005, "given name written first"),
    ("given_typo", 0.0096, 0.024, 0.022, 0.0072, "given name mistyped by one letter or one mark"),
    ("surname_typo", 0.0036, 0.0084, 0.0084, 0.0024, "surname mistyped"),
    ("middle_typo", 0.0072, 0.017, 0.013, 0.0048, "middle name mistyped"),
    ("dialect", 0.012, 0.042, 0.024, 0.0072, "a syllable spelt as it is spoken (s/x, hoi/nga, n/ng, ch/tr, t/c)"),
    ("wrong_given", 0.0018, 0.0034, 0.0034, 0.0006, "another person's given name (a sibling's, the line above)"),
    ("date_missing", 0.002, 0.006, 0.003, 0.0005, "no birth date"),
    ("year_only", 0.002, 0.05, 0.04, 0.02, "only the year is written although the day is known"),
    ("day_month_swapped", 0.0096, 0.024, 0.017, 0.006, "day and month exchanged (both at most 12)"),
    ("day_slip", 0.0084, 0.02, 0.017, 0.006, "day off by a little or one digit"),
    ("month_slip", 0.0048, 0.013, 0.01, 0.0036, "another month"),
    ("year_slip", 0.0048, 0.02, 0.017, 0.006, "year off by one, or one digit"),
    ("other_date", 0.0012, 0.0034, 0.0042, 0.001, "a date that has nothing to do with the person"),
    ("visit_as_birth", 0.0, 0.0, 0.0006, 0.0, "the date of the visit in the birth date field"),
    ("sentinel_date", 0.0005, 0.001, 0.001, 0.0003, "1900-01-01 and its like"),
    ("sex_wrong", 0.0048, 0.013, 0.01, 0.0048, "the other sex"),
    ("sex_missing", 0.01, 0.02, 0.004, 0.002, "no sex"),
    ("citizen_missing_child", 0.22, 0.42, 0.48, 0.32, "no number although one exists, under 14"),
    ("citizen_missing_adult", 0.14, 0.34, 0.34, 0.17, "no number, 14 to 59"),
    ("citizen_missing_elder", 0.2, 0.4, 0.4, 0.24, "no number, 60 and over"),
    ("citizen_parent", 0.023, 0.019, 0.039, 0.0078, "a parent's number on a child"),
    ("citizen_relative", 0.0, 0.0052, 0.0052, 0.0013, "the number of another adult of the household"),
    ("citizen_temporary", 0.02, 0.0, 0.0, 0.0, "a temporary code of the source in the form of a number"),
    ("citizen_filler", 0.012, 0.01, 0.012, 0.003, "a placeholder"),
    ("citizen_digit", 0.0078, 0.013, 0.01, 0.0052, "one digit wrong"),
    ("citizen_transposed", 0.0039, 0.0065, 0.0052, 0.0026, "two neighbouring digits exchanged"),
    ("citizen_zero_lost", 0.03, 0.06, 0.04, 0.01, "leading zeros lost in a spreadsheet"),
    ("citizen_decimal", 0.003, 0.004, 0.002, 0.001, ".0 behind the number"),
    ("citizen_spaced", 0.004, 0.01, 0.003, 0.001, "blanks inside the number"),
    ("citizen_other_field", 0.001, 0.003, 0.005, 0.0, "the insurance number in the citizen number's place"),
    ("insurance_missing", 0.45, 0.5, 0.3, 0.01, "no insurance number"),
    ("insurance_digit", 0.0078, 0.013, 0.0078, 0.0013, "one digit wrong"),
    ("insurance_transposed", 0.002, 0.004, 0.002, 0.0005, "two neighbouring digits exchanged"),
    ("insurance_filler", 0.002, 0.003, 0.003, 0.0, "a placeholder"),
    ("insurance_relative", 0.0052, 0.0052, 0.0039, 0.0, "a relative's card"),
    ("phone_missing", 0.12, 0.3, 0.22, 0.4, "no phone"),
    ("phone_relative", 0.0, 0.2, 0.15, 0.1, "the phone of another member of the household (for adults)"),
    ("phone_site", 0.026, 0.0052, 0.016, 0.0052, "the facility's switchboard or the class teacher"),
    ("phone_filler", 0.008, 0.01, 0.015, 0.004, "a placeholder"),
    ("phone_digit", 0.013, 0.019, 0.016, 0.01, "one digit wrong"),
    ("phone_zero_lost", 0.05, 0.04, 0.02, 0.01, "leading zero lost"),
    ("ward_missing", 0.06, 0.02, 0.1, 0.08, "no ward"),
    ("ward_wrong", 0.03, 0.01, 0.03, 0.02, "a neighbouring ward"),
    ("ward_raw", 0.0, 0.0, 0.02, 0.0, "the hospital's own code: one digit, province and ward"),
    ("address_missing", 0.1, 0.06, 0.04, 0.1, "no address"),
    ("mother_missing", 0.12, 0.4, 0.45, 0.35, "no mother's name although the source asks for it"),
    ("mother_typo", 0.02, 0.03, 0.03, 0.015, "mother's given name mistyped"),
    ("father_for_mother", 0.006, 0.01, 0.03, 0.01, "the father's name in the mother's place"),
)
"""What goes wrong: share of the records to which it can happen."""

SHARES: tuple[Rate, ...] = (
    ("old_tone_place", 0.2, 0.25, 0.2, 0.15, "names with the newer tone placement (hoà for hòa)"),
    ("decomposed", 0.004, 0.004, 0.002, 0.001, "names in Unicode NFD"),
    ("iy_or_region", 0.015, 0.03, 0.02, 0.02, "names with an i/y or regional form (Huỳnh for Hoàng)"),
    ("name_suffix", 0.004, 0.002, 0.0, 0.0, "class-list or list suffix behind the name"),
    ("newborn_under_mother", 0.0, 0.1, 0.8, 0.1, "newborns written under the mother's name"),
    ("unknown_patient", 0.0, 0.0, 0.0006, 0.0, "patients nobody could name"),
    ("former_name", 0.0, 0.5, 0.5, 0.5, "records of people whose name changed that hold the former name"),
    ("first_january", 0.3, 0.5, 0.35, 0.4, "year-only dates written as 01/01 rather than as a bare year"),
    (
        "exact_elder_date",
        0.0,
        0.03,
        0.05,
        0.03,
        "a day invented by someone for a person of whom only the year is registered",
    ),
    ("newborn_own_number", 0.0, 0.4, 0.4, 0.4, "newborns whose temporary card already bears their lasting number"),
    ("nine_digit_early", 0.0, 0.9, 0.9, 0.9, "adults' numbers before mid-2021 that are the 9-digit card"),
    ("nine_digit_late", 0.0, 0.06, 0.08, 0.05, "the same, later, under 60"),
    ("nine_digit_elder", 0.0, 0.25, 0.2, 0.15, "the same, later, 60 and over"),
    ("insurance_ten", 0.5, 0.3, 0.15, 0.3, "insurance numbers of 10 digits without the card's first five characters"),
    ("insurance_old_card", 0.05, 0.15, 0.05, 0.12, "cards with an earlier group code"),
    ("insurance_list", 0.0, 0.0, 0.06, 0.06, "two cards in one field"),
    ("insurance_citizen", 0.1, 0.1, 0.2, 0.15, "since August 2025: the personal number as insurance number"),
    ("phone_plus84", 0.01, 0.005, 0.03, 0.01, "phones with +84"),
    ("phone_dotted", 0.05, 0.12, 0.05, 0.02, "phones with dots or blanks"),
    ("phone_labelled", 0.04, 0.03, 0.04, 0.0, "phones with a label such as (mẹ)"),
    ("phone_two", 0.03, 0.02, 0.02, 0.01, "two phones in one field"),
    ("ward_stale", 0.15, 0.3, 0.2, 0.15, "old ward codes after July 2025"),
    ("home_province", 0.06, 0.03, 0.15, 0.1, "migrants written with the ward of their home province"),
    ("address_short", 0.25, 0.4, 0.15, 0.1, "addresses without ward and city"),
    ("mother_of_adult", 0.5, 0.02, 0.01, 0.01, "records of people over 17 that hold a mother's name"),
    ("legacy_font", 0.0, 0.7, 0.6, 0.0, "records before 2020 from a site with an old font that keep the old font"),
)
"""How a source writes, mood or no mood: share of the records to which it applies."""


@dataclass(frozen=True, slots=True)
class Moods:
    """Three moods of a record: careful, ordinary, sloppy, with the shares of the first and the last.

    The sloppy share is scaled by a factor of the site, log-normal with `site_spread`. `factors` multiply slip rates and
    are normalised, so that the mean over a source stays near the table's rate. Missing values follow the factors raised
    to `lack_power`: the form decides what is asked for, the clerk's mood little.
    """

    careful: float = 0.50
    sloppy: float = 0.08
    factors: tuple[float, float, float] = (0.25, 0.75, 6.0)
    site_spread: float = 0.6
    lack_power: float = 0.1


HARSH_MOODS = Moods(sloppy=0.06, factors=(0.2, 0.55, 13.0), lack_power=0.25)
"""The moods of every figure before ADR 8: a sloppy record may lose name, date, numbers and place at once."""


@dataclass(frozen=True, slots=True)
class SourceHabits:
    """One source: whom it covers, how it writes, how it errs.

    `coverage` gives (from age in years, expected records a person); `several` allows more than one record a person.
    `window` gives the first and last day of capture; `recent` above 1 bends capture towards the last day.
    `newborn_visits` is the share of births of the window that left a record of the first days, `legacy_sites` that of
    sites with an old font. `styles`, `date_formats`, `year_formats` and `sex_words` give shares by word; `slips` and
    `shares` the rates of the tables above.
    """

    coverage: tuple[tuple[int, float], ...]
    window: tuple[str, str]
    recent: float
    several: bool
    styles: Mapping[str, float]
    date_formats: Mapping[str, float]
    year_formats: Mapping[str, float]
    sex_words: tuple[tuple[str, str, float], ...]
    slips: Mapping[str, float]
    shares: Mapping[str, float]
    legacy_sites: float = 0.0
    newborn_visits: float = 0.0
    moods: Moods = Moods()

    def slip(self, name: str) -> float:
        """Rate of a slip. Raises KeyError for a name that is not in the table."""
        return self.slips[name]

    def share(self, name: str) -> float:
        """Share of a steady habit. Raises KeyError for a name that is not in the table."""
        return self.shares[name]


Habits = Mapping[str, SourceHabits]
"""Habits by source system."""


def _column(table: Sequence[tuple[str | float, ...]], source: str) -> dict[str, float]:
    """One source's rates of a table, by name."""
    at = 1 + SOURCES.index(source)
    return {str(row[0]): float(row[at]) for row in table}


STUDENT = SourceHabits(
    coverage=((0, 0.0), (3, 0.72), (6, 0.97), (11, 0.95), (15, 0.82), (18, 0.35), (19, 0.0)),
    window=("2023-08-01", "2026-10-31"),
    recent=1.0,
    several=False,
    styles={"title": 0.93, "upper": 0.05, "lower": 0.02},
    date_formats={"dd/mm/yyyy": 0.86, "d/m/yyyy": 0.06, "yyyy-mm-dd": 0.04, "serial": 0.01, "dd-mm-yyyy": 0.03},
    year_formats={"yyyy": 1.0},
    sex_words=(("Nam", "Nữ", 0.9), ("nam", "nu", 0.06), ("1", "2", 0.04)),
    slips=_column(SLIPS, "student"),
    shares=_column(SHARES, "student"),
)
"""Schools: children with a full date and a parent's phone."""

STATION = SourceHabits(
    coverage=((0, 0.62), (6, 0.26), (18, 0.24), (40, 0.34), (60, 0.74)),
    window=("2016-01-01", "2026-10-31"),
    recent=1.5,
    several=False,
    styles={"title": 0.66, "upper": 0.3, "lower": 0.04},
    date_formats={"dd/mm/yyyy": 0.75, "d/m/yyyy": 0.12, "dd.mm.yyyy": 0.03, "dd-mm-yyyy": 0.05, "d/m/yy": 0.05},
    year_formats={"yyyy": 0.7, "__/__/yyyy": 0.1, "/yyyy": 0.2},
    sex_words=(("Nam", "Nữ", 0.7), ("nam", "nữ", 0.1), ("Nam", "Nu", 0.12), ("1", "2", 0.08)),
    slips=_column(SLIPS, "station"),
    shares=_column(SHARES, "station"),
    legacy_sites=0.03,
)
"""Commune health stations: household lists, years for dates, the head of household's phone."""

HOSPITAL = SourceHabits(
    coverage=((0, 0.95), (6, 0.48), (18, 0.45), (40, 0.66), (60, 1.3)),
    window=("2015-01-01", "2026-10-31"),
    recent=2.0,
    several=True,
    styles={"upper": 0.93, "title": 0.07},
    date_formats={"yyyymmdd": 0.55, "yyyymmdd0000": 0.25, "yyyymmddHHMM": 0.05, "yyyy-mm-dd": 0.05, "dd/mm/yyyy": 0.1},
    year_formats={"yyyy00000000": 0.55, "yyyy": 0.45},
    sex_words=(("1", "2", 0.9), ("Nam", "Nữ", 0.1)),
    slips=_column(SLIPS, "hospital"),
    shares=_column(SHARES, "hospital"),
    legacy_sites=0.02,
    newborn_visits=0.03,
)
"""Hospitals: a file number at each hospital, upper case, newborns under their mothers' names."""

INSURANCE = SourceHabits(
    coverage=((0, 0.62), (6, 0.52), (18, 0.52), (40, 0.55), (60, 0.7)),
    window=("2015-01-01", "2026-10-31"),
    recent=1.3,
    several=False,
    styles={"title": 0.97, "upper": 0.03},
    date_formats={"dd/mm/yyyy": 0.97, "yyyy-mm-dd": 0.03},
    year_formats={"yyyy": 0.85, "/yyyy": 0.15},
    sex_words=(("1", "2", 0.5), ("Nam", "Nữ", 0.5)),
    slips=_column(SLIPS, "insurance"),
    shares=_column(SHARES, "insurance"),
)
"""The insurance fund: the cleanest; whoever met no other source is here."""

DEFAULT: Habits = {"student": STUDENT, "station": STATION, "hospital": HOSPITAL, "insurance": INSURANCE}

HARSH: Habits = {source: replace(habits, moods=HARSH_MOODS) for source, habits in DEFAULT.items()}
"""The default city of every figure before ADR 8, byte for byte."""

ROUGH_SLIPS: tuple[tuple[str, float, float, float, float], ...] = (
    ("unaccented", 0.05, 0.25, 0.06, 0.01),
    ("telex", 0.004, 0.004, 0.003, 0.0005),
    ("vni_keys", 0.0006, 0.008, 0.001, 0.0003),
    ("middle_dropped", 0.006, 0.03, 0.012, 0.003),
    ("middle_shortened", 0.03, 0.03, 0.02, 0.006),
    ("order_swapped", 0.001, 0.002, 0.004, 0.0005),
    ("given_typo", 0.016, 0.026, 0.028, 0.01),
    ("dialect", 0.03, 0.05, 0.03, 0.012),
    ("wrong_given", 0.001, 0.004, 0.005, 0.001),
    ("year_only", 0.002, 0.12, 0.04, 0.02),
    ("day_month_swapped", 0.02, 0.02, 0.024, 0.01),
    ("day_slip", 0.006, 0.028, 0.02, 0.009),
    ("month_slip", 0.003, 0.01, 0.02, 0.005),
    ("year_slip", 0.008, 0.022, 0.02, 0.006),
    ("sex_wrong", 0.006, 0.02, 0.012, 0.006),
    ("citizen_missing_child", 0.3, 0.45, 0.5, 0.38),
    ("citizen_missing_adult", 0.14, 0.42, 0.42, 0.27),
    ("citizen_missing_elder", 0.2, 0.45, 0.45, 0.35),
    ("citizen_parent", 0.035, 0.019, 0.039, 0.0078),
    ("citizen_relative", 0.0, 0.01, 0.0052, 0.0013),
    ("citizen_temporary", 0.05, 0.0, 0.0, 0.0),
    ("citizen_digit", 0.006, 0.016, 0.016, 0.008),
    ("insurance_missing", 0.45, 0.6, 0.4, 0.01),
    ("insurance_digit", 0.012, 0.012, 0.01, 0.004),
    ("phone_missing", 0.2, 0.3, 0.22, 0.6),
    ("phone_relative", 0.0, 0.35, 0.25, 0.1),
    ("phone_site", 0.06, 0.0052, 0.04, 0.0052),
    ("ward_missing", 0.2, 0.02, 0.1, 0.08),
    ("mother_missing", 0.3, 0.4, 0.45, 0.35),
)
"""Slips whose rates differ in the rough city."""

ROUGH_SHARES: tuple[tuple[str, float, float, float, float], ...] = (
    ("iy_or_region", 0.015, 0.05, 0.02, 0.02),
    ("unknown_patient", 0.0, 0.0, 0.001, 0.0),
    ("first_january", 0.3, 0.85, 0.35, 0.4),
    ("insurance_ten", 0.5, 0.3, 0.15, 0.55),
    ("insurance_list", 0.0, 0.0, 0.06, 0.02),
    ("home_province", 0.06, 0.03, 0.25, 0.1),
)
"""Steady habits whose shares differ in the rough city."""

_ROUGH_MOODS = Moods(careful=0.30, sloppy=0.10, factors=(0.2, 0.7, 6.0), site_spread=0.9)
_ROUGH = {
    source: replace(
        habits,
        moods=_ROUGH_MOODS,
        slips={**habits.slips, **_column(ROUGH_SLIPS, source)},
        shares={**habits.shares, **_column(ROUGH_SHARES, source)},
    )
    for source, habits in DEFAULT.items()
}

ROUGH: Habits = {
    "student": replace(
        _ROUGH["student"],
        styles={"title": 0.6, "upper": 0.4},
        date_formats={"dd/mm/yyyy": 0.6, "yyyy-mm-dd": 0.3, "serial": 0.05, "d/m/yyyy": 0.05},
    ),
    "station": replace(
        _ROUGH["station"],
        year_formats={"yyyy": 0.4, "__/__/yyyy": 0.3, "/yyyy": 0.3},
        legacy_sites=0.06,
    ),
    "hospital": replace(
        _ROUGH["hospital"],
        styles={"upper": 0.75, "title": 0.25},
        date_formats={"yyyymmdd": 0.3, "yyyymmddHHMM": 0.3, "yyyymmdd0000": 0.2, "dd/mm/yyyy": 0.2},
    ),
    "insurance": _ROUGH["insurance"],
}
"""A city with other habits: to judge rules on what they were not trained on."""

HABITS: Mapping[str, Habits] = {"default": DEFAULT, "rough": ROUGH, "harsh": HARSH}
"""Named sets of habits."""
