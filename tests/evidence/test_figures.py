"""The registry against the paper: quotations copied from it, independently of the TOML files."""

import re

import pytest

from outcomes.evidence import load_evidence

EVIDENCE = load_evidence()
WORDS = {"Thirteen": 13, "One": 1, "No": 0, "no": 0, "Lung": 60, "rest": 1, "all of them": 0}

# Quotation -> {figure: the number as printed there}.
PAPER = {
    "40 (22%) patients of the patients received high-dose radiotherapy (24 Gy), 37 patients "
    "received low-fractionated high-dose radiotherapy (24-30 Gy/3f), and 109 patients received": {
        "laufer-2013/dose_regimen/single_24": "40",
        "laufer-2013/dose_regimen/hypofractionated_high": "37",
        "laufer-2013/dose_regimen/hypofractionated_low": "109",
    },
    "and 109 patients received low-fractionated high-dose radiotherapy (24-30 Gy/3f)": {
        "laufer-2013/printed/dose_regimen/hypofractionated_high": "109",
    },
    "The local progression rate 1 year after operation was 16.4%, 9.0% in the single radiotherapy "
    "group, and 22.6% in the low dose radiotherapy group. While the rate of the high-dose "
    "radiotherapy group was 4.1%": {
        "laufer-2013/local_progression_12m": "16.4",
        "laufer-2013/local_progression_12m/single_24": "9.0",
        "laufer-2013/local_progression_12m/hypofractionated_high": "4.1",
        "laufer-2013/local_progression_12m/hypofractionated_low": "22.6",
    },
    "Laufer I 186 - 18.3% Average 4.8 months Died without local progression (median 5.6 months) "
    "in 103 cases. Survived without local progression at last follow-up (median 7.1 months) in "
    "49 cases.": {
        "laufer-2013/local_progression_crude": "18.3",
        "laufer-2013/time_of_progression": "4.8",
        "laufer-2013/time_of_progression_mean": "4.8",
        "laufer-2013/died_without_progression": "103",
        "laufer-2013/time_of_death_without_progression": "5.6",
        "laufer-2013/alive_without_progression": "49",
        "laufer-2013/follow_up_alive_without_progression": "7.1",
    },
    "were followed up for an average of 4.8 months (0.2-38 months)": {
        "laufer-2013/follow_up_mean": "4.8",
    },
    "Gong et al assigned 36 patients cured with hypofractionated SBRT": {
        "gong-2021/patients": "36",
    },
    "Gong Y (ARG) 18 Average 4.5 12.2% Observed at 1 year 78.4% at 1 year": {
        "gong-2021/patients/aggressive": "18",
        "gong-2021/vas_after/aggressive": "4.5",
        "gong-2021/local_progression_12m/aggressive": "12.2",
        "gong-2021/overall_survival_12m/aggressive": "78.4",
    },
    "Gong Y (MRG) 17 Average 3.2 27.8% Observed at 1 year 82.4% at 1 year": {
        "gong-2021/patients/moderate": "17",
        "gong-2021/vas_after/moderate": "3.2",
        "gong-2021/local_progression_12m/moderate": "27.8",
        "gong-2021/overall_survival_12m/moderate": "82.4",
    },
    "to keep the minimal distance between the postoperative residual epidural tumor and spinal "
    "cord over 3 mm": {"gong-2021/rule/separation_distance": "3"},
    "there were 3 cases of wound infection, 1 case of cerebrospinal fluid leakage, and 1 case of "
    "deep infection": {
        "gong-2021/wound_infection": "3",
        "gong-2021/cerebrospinal_fluid_leak": "1",
        "gong-2021/deep_infection": "1",
    },
    "One patient developed a vertebra compression fracture 14 months after SBRT": {
        "gong-2021/vertebral_compression_fracture": "One",
        "gong-2021/time_of_fracture": "14",
    },
    "No radiation myelopathy was found": {"gong-2021/radiation_myelopathy": "No"},
    "57 patients with spinal metastases (69 lesions, 48 lesions only received stereotactic "
    "radiotherapy; 21 lesions received separation surgery combined": {
        "bate-2015/patients": "57",
        "bate-2015/lesions/sbrt_alone": "48",
        "bate-2015/lesions/surgery_sbrt": "21",
    },
    "69 lesions were treated, 63 (91.3%) of them achieved the purpose of local tumor control": {
        "bate-2015/lesions": "69",
        "bate-2015/local_control_crude": "91.3",
    },
    "local recurrence occurred in 6 tumors (8.7%)": {"bate-2015/local_progression_crude": "8.7"},
    "8.7% Average 8.1 months 32 (56%) died with a median follow-up of 6.6 months 25 (44%) survived "
    "with a median follow-up of 15.4 months": {
        "bate-2015/printed/local_progression_crude/surgery_sbrt": "8.7",
        "bate-2015/time_of_progression": "8.1",
        "bate-2015/deaths": "32",
        "bate-2015/follow_up_died": "6.6",
        "bate-2015/survivors": "25",
        "bate-2015/follow_up_survived": "15.4",
    },
    "The average follow-up was 10 months": {"bate-2015/follow_up_mean": "10"},
    "the postoperative visual analog scale score had a decrease of 3.4 ± 2.6 (median 3)": {
        "bate-2015/vas_decrease": "3.4",
        "bate-2015/vas_decrease_median": "3",
    },
    "43 (90%) had a remained Frankel grade, but the Frankel grade of 5 lesions (10%) improved": {
        "bate-2015/frankel_stable/sbrt_alone": "43",
        "bate-2015/frankel_improved/sbrt_alone": "5",
    },
    "17(80%) had a stable Frankel grade, and the grade of 3 lesions (14%) had improved. But "
    "unluckily, 1 patient developed new cervical radiculopathy": {
        "bate-2015/frankel_stable/surgery_sbrt": "17",
        "bate-2015/frankel_improved/surgery_sbrt": "3",
        "bate-2015/frankel_worse/surgery_sbrt": "1",
    },
    "5 patients had fractures after the operation, all of them came from the stereotactic "
    "radiotherapy group, 4 of them received fractionated radiotherapy and the rest received "
    "single radiotherapy; 1 patient developed mild esophagitis": {
        "bate-2015/fracture": "5",
        "bate-2015/fracture/surgery_sbrt": "all of them",
        "bate-2015/fracture/fractionated": "4",
        "bate-2015/fracture/single_fraction": "rest",
        "bate-2015/esophagitis": "1",
    },
    "There were no symptoms of radiation-induced spinal cord injury": {
        "bate-2015/radiation_cord_injury": "no",
    },
    "Liu Xiaozhou (only separation surgery) 39 7.28 ± 1.91 30.8% Average 4.1 ± 1.2 months "
    "21 months Wound infection in 2 patients": {
        "liu-2020/patients/alone": "39",
        "liu-2020/vas_after/alone": "7.28",
        "liu-2020/local_progression_crude/alone": "30.8",
        "liu-2020/time_of_progression/alone": "4.1",
        "liu-2020/time_of_progression_sd/alone": "1.2",
        "liu-2020/overall_survival_median/alone": "21",
        "liu-2020/wound_infection": "2",
    },
    "Liu Xiaozhou (combined with SBRT) 13 2.17 ± 0.52 7.7% 8 months 38 months cerebrospinal fluid "
    "leakage in 1 patient": {
        "liu-2020/patients/sbrt": "13",
        "liu-2020/vas_after/sbrt": "2.17",
        "liu-2020/local_progression_crude/sbrt": "7.7",
        "liu-2020/time_of_progression/sbrt": "8",
        "liu-2020/overall_survival_median/sbrt": "38",
        "liu-2020/cerebrospinal_fluid_leak": "1",
    },
    "46 patients had pain relief (88.5%). Muscle strength grading decreased in 7 cases, remained "
    "unchanged in 2 cases, and recovered in 19 cases": {
        "liu-2020/pain_relief": "88.5",
        "liu-2020/muscle_strength_decreased": "7",
        "liu-2020/muscle_strength_unchanged": "2",
        "liu-2020/muscle_strength_recovered": "19",
    },
    "followed up for 9 to 47 months (26.3 ± 18.1 months), and 15 patients died due to the "
    "deterioration of the primary tumor": {
        "liu-2020/follow_up_survived": "26.3",
        "liu-2020/follow_up_survived_sd": "18.1",
        "liu-2020/deaths": "15",
    },
    "12 cases of them got relief from the pain. The average VAS score of all these 13 patients who "
    "received SBRT after surgery decreased to 1.64 ± 0.41 points, which was significantly improved "
    "than before, and muscle strength recovered in 8 cases": {
        "liu-2020/pain_relief/sbrt": "12",
        "liu-2020/vas_after_sbrt/sbrt": "1.64",
        "liu-2020/muscle_strength_recovered/sbrt": "8",
    },
    "showed a local control rate of 84% 1 year after the operation": {
        "amankulor-2014/local_control_12m": "84",
    },
    "After the operation, 9 patients (2.8%) had instrument fixation failure, and all patients "
    "needed re-operation. 7 patients failed for more than 3 months after operation": {
        "amankulor-2014/hardware_failure": "2.8",
        "amankulor-2014/hardware_reoperation": "9",
        "amankulor-2014/hardware_failure_after_3m": "7",
    },
    "The failure time of instrument fixation in 2 patients was 14 days after the operation and "
    "22 days after the operation": {
        "amankulor-2014/hardware_failure_early_days/first": "14",
        "amankulor-2014/hardware_failure_early_days/second": "22",
    },
    "less blood loss (1165.52 ± 307.38 mL vs 1784.62 ± 833.64 mL), less complications (15.38% vs "
    "3.45%), and shorter operation time (3.73 ± 1.15 h vs 4.76 ± 0.93 h) than piecemeal": {
        "xu-2021/blood_loss/separation": "1165.52",
        "xu-2021/blood_loss/piecemeal": "1784.62",
        "xu-2021/complication/separation": "3.45",
        "xu-2021/complication/piecemeal": "15.38",
        "xu-2021/operation_time/separation": "3.73",
        "xu-2021/operation_time/piecemeal": "4.76",
    },
    "a lower blood loss (340.1 mL vs 714.3 mL) and a shorter period of bed rest (2.0 days vs "
    "3.6 days)": {
        "hikata-2017/blood_loss/minimally_invasive": "340.1",
        "hikata-2017/blood_loss/open": "714.3",
        "hikata-2017/bed_rest/minimally_invasive": "2.0",
        "hikata-2017/bed_rest/open": "3.6",
    },
    "a significant difference of blood loss (430 mL vs 783 mL)": {
        "echt-2021/blood_loss/minimally_invasive": "430",
        "echt-2021/blood_loss/open": "783",
    },
    "transpedicular thoracic corpectomies on 9 patients": {"cofano-2020/patients": "9"},
    "no complications occurred during and after the operation. The average postoperative hospital "
    "stay was 4 days. No local recurrence was found": {
        "cofano-2020/complication": "no",
        "cofano-2020/hospital_stay": "4",
        "cofano-2020/local_progression_crude": "No",
    },
    "compared 50 patients treated with direct decompression surgery combined with radiotherapy and "
    "51 patients undergone radiotherapy alone": {
        "li-2022/context/patchell_2005/patients/surgery_radiotherapy": "50",
        "li-2022/context/patchell_2005/patients/radiotherapy": "51",
    },
    "first applied radiosurgery to 21 patients": {
        "li-2022/context/moulding_2010/patients": "21",
    },
    "Lung, breast, and prostate cancers account for over 60% of MSCC cases": {
        "li-2022/context/primary_tumor_share": "60",
    },
    "conservative management for patients with life expectancies less than 6 month": {
        "li-2022/rule/life_expectancy_conservative": "6",
    },
    "When the resection of the vertebral body is less than 50%, simple posterior reconstruction is "
    "enough. When the vertebral body resection is more than 50%": {
        "li-2022/rule/posterior_reconstruction": "50",
        "li-2022/rule/anterior_reconstruction": "50",
    },
    "Treatment should be available in 24 h. High dose of steroids is recommended to use in 12 h": {
        "li-2022/rule/treatment_within": "24",
        "li-2022/rule/steroids_within": "12",
    },
    "steep dose ‘fall-off’ gradients around the target of approximately 10% per millimeter": {
        "li-2022/rule/dose_fall_off": "10",
    },
}
# The paper prints the counts; the percentages follow.
DERIVED = {
    "bate-2015/local_progression_crude/sbrt_alone": 100 * 3 / 48,
    "bate-2015/local_progression_crude/surgery_sbrt": 100 * 3 / 21,
}
RANGES = {
    "laufer-2013/sbrt_start": (14 / 30.4375, 28 / 30.4375, "months"),
    "laufer-2013/time_of_progression_range": (0.2, 38, "months"),
    "liu-2020/follow_up_range": (9, 47, "months"),
    "cofano-2020/follow_up_range": (4, 8, "months"),
    "li-2022/rule/life_expectancy_palliative": (6, 12, "months"),
    "li-2022/rule/sbrt_timing": (2, 4, "weeks"),
    "li-2022/rule/steroids_weaned": (5, 7, "days"),
}
SPREADS = {
    "liu-2020/vas_after/alone": 1.91,
    "liu-2020/vas_after/sbrt": 0.52,
    "liu-2020/vas_after_sbrt/sbrt": 0.41,
    "liu-2020/time_of_progression/alone": 1.2,
    "liu-2020/follow_up_survived": 18.1,
    "bate-2015/vas_decrease": 2.6,
    "xu-2021/blood_loss/separation": 307.38,
    "xu-2021/blood_loss/piecemeal": 833.64,
    "xu-2021/operation_time/separation": 1.15,
    "xu-2021/operation_time/piecemeal": 0.93,
}
COUNTS = {
    "laufer-2013/local_progression_crude": (186 - 103 - 49, 186),
    "liu-2020/local_progression_crude/alone": (12, 39),
    "liu-2020/local_progression_crude/sbrt": (1, 13),
    "liu-2020/pain_relief": (46, 52),
    "bate-2015/local_progression_crude": (6, 69),
    "bate-2015/local_control_crude": (63, 69),
    "bate-2015/local_progression_crude/sbrt_alone": (3, 48),
    "bate-2015/local_progression_crude/surgery_sbrt": (3, 21),
    "amankulor-2014/hardware_failure": (9, 318),
    "xu-2021/complication/separation": (1, 29),
    "xu-2021/complication/piecemeal": (4, 26),
    "cofano-2020/local_progression_crude": (0, 9),
}
DENOMINATORS = {
    "laufer-2013/local_progression_12m": 186,
    "laufer-2013/local_progression_12m/single_24": 40,
    "laufer-2013/local_progression_12m/hypofractionated_high": 37,
    "laufer-2013/local_progression_12m/hypofractionated_low": 109,
    "laufer-2013/died_without_progression": 186,
    "laufer-2013/time_of_death_without_progression": 103,
    "laufer-2013/follow_up_alive_without_progression": 49,
    "laufer-2013/time_of_progression": 34,
    "liu-2020/time_of_progression/alone": 12,
    "liu-2020/time_of_progression/sbrt": 1,
    "liu-2020/overall_survival_median/alone": 39,
    "liu-2020/overall_survival_median/sbrt": 13,
    "liu-2020/deaths": 52,
    "gong-2021/overall_survival_12m/aggressive": 18,
    "gong-2021/overall_survival_12m/moderate": 17,
    "bate-2015/deaths": 57,
    "bate-2015/survivors": 57,
    "bate-2015/follow_up_died": 32,
    "bate-2015/follow_up_survived": 25,
    "bate-2015/time_of_progression": 6,
    "bate-2015/vas_decrease": 45,
    "amankulor-2014/hardware_failure_after_3m": 9,
    "amankulor-2014/local_control_12m": 318,
}
WITHOUT_NUMBER = {
    "sign": {
        "gong-2021/separation_below_3mm",
        "amankulor-2014/hardware_risk/chest_wall_resection",
        "amankulor-2014/hardware_risk/construct_levels_above_6",
        "amankulor-2014/hardware_risk/female",
        "amankulor-2014/death_outweighs_hardware_failure",
        "liu-2020/frankel_after",
        "liu-2020/frankel_after/sbrt",
        "liu-2020/kps_after",
        "liu-2020/kps_after/sbrt",
        "li-2022/context/patchell_2005/walking",
        "li-2022/context/spinal_level",
        *(
            f"li-2022/prognostic/overall_survival/{factor}"
            for factor in (
                "neurologic_deficit",
                "kps",
                "embolization",
                "complication",
                "progressive_systemic_disease",
                "interval_between_sbrt_courses",
                "systemic_therapy_after",
                "local_progression",
            )
        ),
        "li-2022/prognostic/local_control/dose_regimen",
        "li-2022/prognostic/local_control/separation_mm",
    },
    "null": {
        "gong-2021/null/local_control/resection",
        "gong-2021/null/quality_of_life/resection",
        "echt-2021/null/local_progression/approach",
        "echt-2021/null/hardware_failure/approach",
        "li-2022/null/overall_survival/sex",
        "li-2022/null/overall_survival/radiosensitive",
        "li-2022/null/overall_survival/escc_grade",
        "li-2022/null/overall_survival/resection",
        "li-2022/null/local_control/primary_tumor",
        "li-2022/null/local_control/radiosensitive",
        "li-2022/null/local_control/escc_grade",
    },
    "rule": {
        "li-2022/rule/noms_radiosensitive",
        "li-2022/rule/noms_radioresistant_low_grade",
        "li-2022/rule/noms_radioresistant_high_grade",
        "li-2022/rule/noms_inoperable",
        "li-2022/rule/noms_unstable",
        "li-2022/rule/noms_chemosensitive",
        "li-2022/rule/circumferential_decompression",
        "li-2022/rule/ct_myelography",
    },
}
PRINTED = [
    (quotation, figure, number)
    for quotation, figures in PAPER.items()
    for figure, number in figures.items()
]


@pytest.mark.parametrize(("quotation", "figure", "number"), PRINTED, ids=[p[1] for p in PRINTED])
def test_value_is_the_printed_one(quotation: str, figure: str, number: str) -> None:
    assert re.search(rf"(?<![\d.]){re.escape(number)}(?!\d)", quotation)
    expected = WORDS.get(number)
    assert EVIDENCE.figure(figure).value == (float(number) if expected is None else expected)


@pytest.mark.parametrize("figure", DERIVED)
def test_derived_percentage(figure: str) -> None:
    assert EVIDENCE.figure(figure).value == pytest.approx(DERIVED[figure], abs=5e-4)


@pytest.mark.parametrize("figure", RANGES)
def test_range(figure: str) -> None:
    low, high, unit = RANGES[figure]
    found = EVIDENCE.figure(figure)
    assert (found.low, found.high) == (pytest.approx(low, abs=5e-4), pytest.approx(high, abs=5e-4))
    assert found.unit == unit


@pytest.mark.parametrize("figure", SPREADS)
def test_standard_deviation(figure: str) -> None:
    assert EVIDENCE.figure(figure).sd == SPREADS[figure]


@pytest.mark.parametrize("figure", COUNTS)
def test_count_and_denominator(figure: str) -> None:
    found = EVIDENCE.figure(figure)
    assert (found.count, found.n) == COUNTS[figure]


@pytest.mark.parametrize("figure", DENOMINATORS)
def test_denominator(figure: str) -> None:
    assert EVIDENCE.figure(figure).n == DENOMINATORS[figure]


def test_every_figure_is_checked_and_none_is_missing() -> None:
    with_number = {figure for _, figure, _ in PRINTED} | set(DERIVED) | set(RANGES)
    expected = with_number.union(*WITHOUT_NUMBER.values())
    assert {figure.id for figure in EVIDENCE.figures} == expected


@pytest.mark.parametrize("estimand", WITHOUT_NUMBER)
def test_figures_without_a_number(estimand: str) -> None:
    for identifier in WITHOUT_NUMBER[estimand]:
        figure = EVIDENCE.figure(identifier)
        assert figure.estimand == estimand
        assert figure.value is None
        assert figure.statement
