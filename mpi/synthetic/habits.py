"""How often each source does what: the rates of the made-up city, as data. Change numbers here and nowhere else.

A slip's rate is multiplied by the mood of the record (see `Moods`); what is a source's steady way of writing is not.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

SLIPS: Mapping[str, str] = {
    "unaccented": "the whole name typed without marks",
    "telex": "Telex keystrokes left in the name",
    "vni_keys": "VNI keystrokes left in the name",
    "utf8_mojibake": "UTF-8 read as Windows-1252",
    "lost_letters": "letters replaced by question marks",
    "middle_dropped": "no middle name",
    "middle_shortened": "one syllable of a two-syllable middle name missing",
    "order_swapped": "given name written first",
    "given_typo": "given name mistyped by one letter or one mark",
    "surname_typo": "surname mistyped",
    "middle_typo": "middle name mistyped",
    "dialect": "a syllable spelt as it is spoken (s/x, hoi/nga, n/ng, ch/tr, t/c)",
    "wrong_given": "another person's given name (a sibling's, the line above)",
    "date_missing": "no birth date",
    "year_only": "only the year is written although the day is known",
    "day_month_swapped": "day and month exchanged (both at most 12)",
    "day_slip": "day off by a little or one digit",
    "month_slip": "another month",
    "year_slip": "year off by one, or one digit",
    "other_date": "a date that has nothing to do with the person",
    "visit_as_birth": "the date of the visit in the birth date field",
    "sentinel_date": "1900-01-01 and its like",
    "sex_wrong": "the other sex",
    "sex_missing": "no sex",
    "citizen_missing_child": "no number although one exists, under 14",
    "citizen_missing_adult": "no number, 14 to 59",
    "citizen_missing_elder": "no number, 60 and over",
    "citizen_parent": "a parent's number on a child",
    "citizen_relative": "the number of another adult of the household",
    "citizen_temporary": "a temporary code of the source in the form of a number",
    "citizen_filler": "a placeholder",
    "citizen_digit": "one digit wrong",
    "citizen_transposed": "two neighbouring digits exchanged",
    "citizen_zero_lost": "leading zeros lost in a spreadsheet",
    "citizen_decimal": ".0 behind the number",
    "citizen_spaced": "blanks inside the number",
    "citizen_other_field": "the insurance number in the citizen number's place",
    "insurance_missing": "no insurance number",
    "insurance_digit": "one digit wrong",
    "insurance_transposed": "two neighbouring digits exchanged",
    "insurance_filler": "a placeholder",
    "insurance_relative": "a relative's card",
    "phone_missing": "no phone",
    "phone_relative": "the phone of another member of the household (for adults)",
    "phone_site": "the facility's switchboard or the class teacher",
    "phone_filler": "a placeholder",
    "phone_digit": "one digit wrong",
    "phone_zero_lost": "leading zero lost",
    "ward_missing": "no ward",
    "ward_wrong": "a neighbouring ward",
    "ward_raw": "the hospital's own code: one digit, province and ward",
    "address_missing": "no address",
    "mother_missing": "no mother's name although the source asks for it",
    "mother_typo": "mother's given name mistyped",
    "father_for_mother": "the father's name in the mother's place",
}

SHARES: Mapping[str, str] = {
    "old_tone_place": "names with the newer tone placement (hoà for hòa)",
    "decomposed": "names in Unicode NFD",
    "iy_or_region": "names with an i/y or regional form (Huỳnh for Hoàng)",
    "name_suffix": "class-list or list suffix behind the name",
    "newborn_under_mother": "newborns written under the mother's name",
    "unknown_patient": "patients nobody could name",
    "former_name": "records of people whose name changed that hold the former name",
    "first_january": "year-only dates written as 01/01 rather than as a bare year",
    "exact_elder_date": "a day invented by someone for a person of whom only the year is registered",
    "newborn_own_number": "newborns whose temporary card already bears their lasting number",
    "nine_digit_early": "adults' numbers before mid-2021 that are the 9-digit card",
    "nine_digit_late": "the same, later, under 60",
    "nine_digit_elder": "the same, later, 60 and over",
    "insurance_ten": "insurance numbers of 10 digits without the card's first five characters",
    "insurance_old_card": "cards with an earlier group code",
    "insurance_list": "two cards in one field",
    "insurance_citizen": "since August 2025: the personal number as insurance number",
    "phone_plus84": "phones with +84",
    "phone_dotted": "phones with dots or blanks",
    "phone_labelled": "phones with a label such as (mẹ)",
    "phone_two": "two phones in one field",
    "ward_stale": "old ward codes after July 2025",
    "home_province": "migrants written with the ward of their home province",
    "address_short": "addresses without ward and city",
    "mother_of_adult": "records of people over 17 that hold a mother's name",
    "legacy_font": "records before 2020 from a site with an old font that keep the old font",
}


@dataclass(frozen=True, slots=True)
class Moods:
    """Three moods of a record: careful, ordinary, sloppy. `sloppy` is scaled by the site, log-normal with `site_spread`.

    `factors` multiply slip rates and are normalised so that the mean over a source stays at the table's rate.
    """

    careful: float = 0.50
    sloppy: float = 0.06
    factors: tuple[float, float, float] = (0.2, 0.55, 13.0)
    site_spread: float = 0.6


@dataclass(frozen=True, slots=True)
class SourceHabits:
    """One source: whom it covers, how it writes, how it errs.

    `coverage` gives (from age in years, expected records a person); `several` allows more than one record a person.
    `window` gives the first and last day of capture; `recent` above 1 bends capture towards the last day.
    `newborn_visits` is the share of births of the window that left a record of the first days. `legacy_sites` is the share
    of sites with an old font. `styles`, `date_formats`, `year_formats` and `sex_words` give shares by word; `slips` and `shares` the rates.
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
        """Rate of a slip; 0 where the table is silent."""
        return self.slips.get(name, 0.0)

    def share(self, name: str) -> float:
        """Share of a steady habit; 0 where the table is silent."""
        return self.shares.get(name, 0.0)


Habits = Mapping[str, SourceHabits]
"""Habits by source system."""

STUDENT = SourceHabits(
    coverage=((0, 0.0), (3, 0.72), (6, 0.97), (11, 0.95), (15, 0.82), (18, 0.35), (19, 0.0)),
    window=("2023-08-01", "2026-10-31"),
    recent=1.0,
    several=False,
    styles={"title": 0.93, "upper": 0.05, "lower": 0.02},
    date_formats={"dd/mm/yyyy": 0.86, "d/m/yyyy": 0.06, "yyyy-mm-dd": 0.04, "serial": 0.01, "dd-mm-yyyy": 0.03},
    year_formats={"yyyy": 1.0},
    sex_words=(("Nam", "Nữ", 0.9), ("nam", "nu", 0.06), ("1", "2", 0.04)),
    slips={
        "unaccented": 0.012, "telex": 0.0015, "vni_keys": 0.0006, "utf8_mojibake": 0.001, "lost_letters": 0.0008,
        "middle_dropped": 0.006, "middle_shortened": 0.02, "order_swapped": 0.001, "given_typo": 0.0096,
        "surname_typo": 0.0036, "middle_typo": 0.0072, "dialect": 0.012, "wrong_given": 0.0018, "date_missing": 0.002,
        "year_only": 0.002, "day_month_swapped": 0.0096, "day_slip": 0.0084, "month_slip": 0.0048, "year_slip": 0.0048,
        "other_date": 0.0012, "sentinel_date": 0.0005, "sex_wrong": 0.0048, "sex_missing": 0.01,
        "citizen_missing_child": 0.24, "citizen_missing_adult": 0.14, "citizen_missing_elder": 0.2,
        "citizen_parent": 0.0234, "citizen_temporary": 0.02, "citizen_filler": 0.012, "citizen_digit": 0.0078,
        "citizen_transposed": 0.0039, "citizen_zero_lost": 0.03, "citizen_decimal": 0.003, "citizen_spaced": 0.004,
        "citizen_other_field": 0.001, "insurance_missing": 0.45, "insurance_digit": 0.0078, "insurance_transposed": 0.002,
        "insurance_filler": 0.002, "insurance_relative": 0.0052, "phone_missing": 0.12, "phone_site": 0.026,
        "phone_filler": 0.008, "phone_digit": 0.013, "phone_zero_lost": 0.05, "ward_missing": 0.06, "ward_wrong": 0.03,
        "address_missing": 0.1, "mother_missing": 0.12, "mother_typo": 0.02, "father_for_mother": 0.006,
    },
    shares={
        "old_tone_place": 0.2, "decomposed": 0.004, "iy_or_region": 0.015, "name_suffix": 0.004, "first_january": 0.3,
        "insurance_ten": 0.5, "insurance_old_card": 0.05, "phone_plus84": 0.01, "phone_dotted": 0.05,
        "phone_labelled": 0.04, "phone_two": 0.03, "ward_stale": 0.15, "home_province": 0.06, "address_short": 0.25,
        "mother_of_adult": 0.5, "insurance_citizen": 0.1,
    },
)

STATION = SourceHabits(
    coverage=((0, 0.62), (6, 0.26), (18, 0.24), (40, 0.34), (60, 0.74)),
    window=("2016-01-01", "2026-10-31"),
    recent=1.5,
    several=False,
    styles={"title": 0.66, "upper": 0.3, "lower": 0.04},
    date_formats={"dd/mm/yyyy": 0.72, "d/m/yyyy": 0.12, "dd.mm.yyyy": 0.03, "dd-mm-yyyy": 0.05, "yyyy-mm-dd": 0.05, "d/m/yy": 0.03},
    year_formats={"yyyy": 0.7, "__/__/yyyy": 0.1, "/yyyy": 0.2},
    sex_words=(("Nam", "Nữ", 0.7), ("nam", "nữ", 0.1), ("Nam", "Nu", 0.12), ("1", "2", 0.08)),
    slips={
        "unaccented": 0.11, "telex": 0.004, "vni_keys": 0.003, "utf8_mojibake": 0.001, "lost_letters": 0.0015,
        "middle_dropped": 0.02, "middle_shortened": 0.03, "order_swapped": 0.002, "given_typo": 0.0235,
        "surname_typo": 0.0084, "middle_typo": 0.0168, "dialect": 0.042, "wrong_given": 0.0034, "date_missing": 0.006,
        "year_only": 0.05, "day_month_swapped": 0.0235, "day_slip": 0.0202, "month_slip": 0.0134, "year_slip": 0.0202,
        "other_date": 0.0034, "sentinel_date": 0.001, "sex_wrong": 0.0134, "sex_missing": 0.02,
        "citizen_missing_child": 0.45, "citizen_missing_adult": 0.34, "citizen_missing_elder": 0.4,
        "citizen_parent": 0.0195, "citizen_relative": 0.0052, "citizen_filler": 0.01, "citizen_digit": 0.013,
        "citizen_transposed": 0.0065, "citizen_zero_lost": 0.06, "citizen_decimal": 0.004, "citizen_spaced": 0.01,
        "citizen_other_field": 0.003, "insurance_missing": 0.5, "insurance_digit": 0.013, "insurance_transposed": 0.004,
        "insurance_filler": 0.003, "insurance_relative": 0.0052, "phone_missing": 0.3, "phone_relative": 0.2,
        "phone_site": 0.0052, "phone_filler": 0.01, "phone_digit": 0.0195, "phone_zero_lost": 0.04,
        "ward_missing": 0.02, "ward_wrong": 0.01, "address_missing": 0.06, "mother_missing": 0.4,
        "mother_typo": 0.03, "father_for_mother": 0.01,
    },
    shares={
        "old_tone_place": 0.25, "decomposed": 0.004, "iy_or_region": 0.03, "name_suffix": 0.002,
        "newborn_under_mother": 0.1, "newborn_own_number": 0.4, "former_name": 0.5, "first_january": 0.5, "exact_elder_date": 0.03,
        "nine_digit_early": 0.9, "nine_digit_late": 0.06, "nine_digit_elder": 0.25, "insurance_ten": 0.3,
        "insurance_old_card": 0.15, "phone_plus84": 0.005, "phone_dotted": 0.12, "phone_labelled": 0.03,
        "phone_two": 0.02, "ward_stale": 0.3, "home_province": 0.03, "address_short": 0.4, "mother_of_adult": 0.02,
        "legacy_font": 0.7, "insurance_citizen": 0.1,
    },
    legacy_sites=0.03,
)

HOSPITAL = SourceHabits(
    coverage=((0, 0.95), (6, 0.48), (18, 0.45), (40, 0.66), (60, 1.3)),
    window=("2015-01-01", "2026-10-31"),
    recent=2.0,
    several=True,
    styles={"upper": 0.93, "title": 0.07},
    date_formats={"yyyymmdd": 0.55, "yyyymmdd0000": 0.25, "yyyymmddHHMM": 0.05, "yyyy-mm-dd": 0.05, "dd/mm/yyyy": 0.1},
    year_formats={"yyyy00000000": 0.55, "yyyy": 0.45},
    sex_words=(("1", "2", 0.9), ("Nam", "Nữ", 0.1)),
    slips={
        "unaccented": 0.02, "telex": 0.003, "vni_keys": 0.001, "utf8_mojibake": 0.0015, "lost_letters": 0.0015,
        "middle_dropped": 0.012, "middle_shortened": 0.02, "order_swapped": 0.0015, "given_typo": 0.0218,
        "surname_typo": 0.0084, "middle_typo": 0.0134, "dialect": 0.0235, "wrong_given": 0.0034, "date_missing": 0.003,
        "year_only": 0.04, "day_month_swapped": 0.0168, "day_slip": 0.0168, "month_slip": 0.0101, "year_slip": 0.0168,
        "other_date": 0.0042, "visit_as_birth": 0.0006, "sentinel_date": 0.001, "sex_wrong": 0.0101, "sex_missing": 0.004,
        "citizen_missing_child": 0.55, "citizen_missing_adult": 0.34, "citizen_missing_elder": 0.4,
        "citizen_parent": 0.039, "citizen_relative": 0.0052, "citizen_filler": 0.012, "citizen_digit": 0.0104,
        "citizen_transposed": 0.0052, "citizen_zero_lost": 0.04, "citizen_decimal": 0.002, "citizen_spaced": 0.003,
        "citizen_other_field": 0.005, "insurance_missing": 0.3, "insurance_digit": 0.0078, "insurance_transposed": 0.002,
        "insurance_filler": 0.003, "insurance_relative": 0.0039, "phone_missing": 0.22, "phone_relative": 0.15,
        "phone_site": 0.0156, "phone_filler": 0.015, "phone_digit": 0.0156, "phone_zero_lost": 0.02,
        "ward_missing": 0.1, "ward_wrong": 0.03, "ward_raw": 0.02, "address_missing": 0.04, "mother_missing": 0.45,
        "mother_typo": 0.03, "father_for_mother": 0.03,
    },
    shares={
        "old_tone_place": 0.2, "decomposed": 0.002, "iy_or_region": 0.02, "newborn_under_mother": 0.8, "newborn_own_number": 0.4,
        "unknown_patient": 0.0006, "former_name": 0.5, "first_january": 0.35, "exact_elder_date": 0.05,
        "nine_digit_early": 0.9, "nine_digit_late": 0.08, "nine_digit_elder": 0.2, "insurance_ten": 0.15,
        "insurance_old_card": 0.05, "insurance_list": 0.06, "insurance_citizen": 0.2, "phone_plus84": 0.03,
        "phone_dotted": 0.05, "phone_labelled": 0.04, "phone_two": 0.02, "ward_stale": 0.2, "home_province": 0.15,
        "address_short": 0.15, "mother_of_adult": 0.01, "legacy_font": 0.6,
    },
    legacy_sites=0.02,
    newborn_visits=0.03,
)

INSURANCE = SourceHabits(
    coverage=((0, 0.62), (6, 0.52), (18, 0.52), (40, 0.55), (60, 0.7)),
    window=("2015-01-01", "2026-10-31"),
    recent=1.3,
    several=False,
    styles={"title": 0.97, "upper": 0.03},
    date_formats={"dd/mm/yyyy": 0.97, "yyyy-mm-dd": 0.03},
    year_formats={"yyyy": 0.85, "/yyyy": 0.15},
    sex_words=(("1", "2", 0.5), ("Nam", "Nữ", 0.5)),
    slips={
        "unaccented": 0.004, "telex": 0.0005, "vni_keys": 0.0003, "utf8_mojibake": 0.0004, "lost_letters": 0.0004,
        "middle_dropped": 0.003, "middle_shortened": 0.006, "order_swapped": 0.0005, "given_typo": 0.0072,
        "surname_typo": 0.0024, "middle_typo": 0.0048, "dialect": 0.0072, "wrong_given": 0.0006, "date_missing": 0.0005,
        "year_only": 0.02, "day_month_swapped": 0.006, "day_slip": 0.006, "month_slip": 0.0036, "year_slip": 0.006,
        "other_date": 0.001, "sentinel_date": 0.0003, "sex_wrong": 0.0048, "sex_missing": 0.002,
        "citizen_missing_child": 0.35, "citizen_missing_adult": 0.17, "citizen_missing_elder": 0.24,
        "citizen_parent": 0.0078, "citizen_relative": 0.0013, "citizen_filler": 0.003, "citizen_digit": 0.0052,
        "citizen_transposed": 0.0026, "citizen_zero_lost": 0.01, "citizen_decimal": 0.001, "citizen_spaced": 0.001,
        "insurance_missing": 0.01, "insurance_digit": 0.0013, "insurance_transposed": 0.0005, "phone_missing": 0.4,
        "phone_relative": 0.1, "phone_site": 0.0052, "phone_filler": 0.004, "phone_digit": 0.0104, "phone_zero_lost": 0.01,
        "ward_missing": 0.08, "ward_wrong": 0.02, "address_missing": 0.1, "mother_missing": 0.35, "mother_typo": 0.015,
        "father_for_mother": 0.01,
    },
    shares={
        "old_tone_place": 0.15, "decomposed": 0.001, "iy_or_region": 0.02, "newborn_under_mother": 0.1, "newborn_own_number": 0.4,
        "former_name": 0.5, "first_january": 0.4, "exact_elder_date": 0.03, "nine_digit_early": 0.9,
        "nine_digit_late": 0.05, "nine_digit_elder": 0.15, "insurance_ten": 0.3, "insurance_old_card": 0.12,
        "insurance_list": 0.06, "insurance_citizen": 0.15, "phone_plus84": 0.01, "phone_dotted": 0.02, "phone_two": 0.01,
        "ward_stale": 0.15, "home_province": 0.1, "address_short": 0.1, "mother_of_adult": 0.01,
    },
)

DEFAULT: Habits = {"student": STUDENT, "station": STATION, "hospital": HOSPITAL, "insurance": INSURANCE}


def _rougher(base: SourceHabits, moods: Moods, changes: Mapping[str, float]) -> SourceHabits:
    """The same source with other moods and some rates changed, wherever they stand."""
    slips = {name: changes.get(name, rate) for name, rate in base.slips.items()}
    shares = {name: changes.get(name, rate) for name, rate in base.shares.items()}
    return replace(base, moods=moods, slips=slips, shares=shares)


_ROUGH_MOODS = Moods(careful=0.30, sloppy=0.09, factors=(0.2, 0.6, 9.0), site_spread=0.9)

ROUGH: Habits = {
    "student": replace(
        _rougher(STUDENT, _ROUGH_MOODS, {
            "unaccented": 0.05, "given_typo": 0.012, "day_month_swapped": 0.02, "year_slip": 0.006, "citizen_parent": 0.035,
            "citizen_missing_child": 0.32, "phone_site": 0.06, "phone_missing": 0.2, "mother_missing": 0.3,
            "citizen_temporary": 0.05, "middle_shortened": 0.03, "dialect": 0.02, "ward_missing": 0.2, "telex": 0.004,
        }),
        styles={"title": 0.6, "upper": 0.4},
        date_formats={"dd/mm/yyyy": 0.6, "yyyy-mm-dd": 0.3, "serial": 0.05, "d/m/yyyy": 0.05},
    ),
    "station": replace(
        _rougher(STATION, _ROUGH_MOODS, {
            "unaccented": 0.25, "year_only": 0.12, "citizen_missing_adult": 0.42, "citizen_missing_elder": 0.45,
            "phone_relative": 0.35, "citizen_relative": 0.01, "middle_dropped": 0.03, "dialect": 0.04, "day_slip": 0.018,
            "first_january": 0.85, "vni_keys": 0.008, "iy_or_region": 0.05, "insurance_missing": 0.6,
        }),
        year_formats={"yyyy": 0.4, "__/__/yyyy": 0.3, "/yyyy": 0.3},
        legacy_sites=0.06,
    ),
    "hospital": replace(
        _rougher(HOSPITAL, _ROUGH_MOODS, {
            "citizen_missing_adult": 0.42, "citizen_missing_elder": 0.45, "citizen_digit": 0.012, "phone_site": 0.04,
            "phone_relative": 0.25, "unaccented": 0.06, "given_typo": 0.018, "month_slip": 0.01, "insurance_missing": 0.4,
            "unknown_patient": 0.001, "home_province": 0.25, "wrong_given": 0.003, "sex_wrong": 0.01, "order_swapped": 0.004,
        }),
        styles={"upper": 0.75, "title": 0.25},
        date_formats={"yyyymmdd": 0.3, "yyyymmddHHMM": 0.3, "yyyymmdd0000": 0.2, "dd/mm/yyyy": 0.2},
    ),
    "insurance": _rougher(INSURANCE, _ROUGH_MOODS, {
        "citizen_missing_adult": 0.27, "citizen_missing_elder": 0.35, "insurance_ten": 0.55, "insurance_list": 0.02,
        "given_typo": 0.009, "unaccented": 0.01, "phone_missing": 0.6, "insurance_digit": 0.003, "day_month_swapped": 0.008,
    }),
}
"""A city with other habits: to judge rules on what they were not trained on."""

HABITS: Mapping[str, Habits] = {"default": DEFAULT, "rough": ROUGH}
"""Named sets of habits."""
