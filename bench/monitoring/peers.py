"""What users pick instead, with their defaults, on the same tables as ModelGate's decision.

peers.py aa SPLITS.json [SKIPPED ...] false alarms and what is found on the splits of bench/monitoring, as many of
                                      them as a tool gets through in the request's seconds
peers.py speed TOOL REFERENCE CURRENT one comparison of two Parquet files; TOOL is one of those below
peers.py versions                     what is installed

Prints one JSON object a tool; a tool that is not installed is left out and said so on stderr.
"""

import json
import os
import sys
import time
import warnings
from importlib import metadata

warnings.filterwarnings("ignore")
# no call home
os.environ.update(NML_DISABLE_USAGE_LOGGING="1", DO_NOT_TRACK="1")

import numpy as np
import pandas as pd


def is_text(column):
    return not pd.api.types.is_numeric_dtype(column)


def levels_of(*sides):
    values = sorted(set().union(*(set(side.dropna().unique()) for side in sides)))
    return {value: code for code, value in enumerate(values)}


class Scipy:
    """A loop of tests: KS, or chi-square for texts, each at 5 %; nulls left out."""

    name = "scipy"

    def __init__(self):
        from scipy import stats

        self.stats = stats

    def drifted(self, reference, current, tested):
        found = []
        for column in tested:
            before, after = reference[column].dropna(), current[column].dropna()
            if is_text(before):
                table = pd.concat([before.value_counts(), after.value_counts()], axis=1).fillna(0)
                p = self.stats.chi2_contingency(table.to_numpy(), correction=False).pvalue
            else:
                p = self.stats.ks_2samp(before, after).pvalue
                self.stats.wasserstein_distance(before, after)
            if p < 0.05:
                found.append(column)
        return found


class Evidently:
    """The drift preset's choice of test by kind and rows, with its thresholds."""

    name = "evidently"

    def __init__(self):
        from evidently import Dataset, DataDefinition, Report
        from evidently.presets import DataDriftPreset

        self.Dataset, self.Definition, self.Report, self.Preset = Dataset, DataDefinition, Report, DataDriftPreset

    def drifted(self, reference, current, tested):
        texts = [column for column in tested if is_text(reference[column])]
        definition = self.Definition(
            numerical_columns=[column for column in tested if column not in texts], categorical_columns=texts
        )
        sides = [self.Dataset.from_pandas(side[tested], data_definition=definition) for side in (current, reference)]
        told = self.Report([self.Preset()]).run(*sides).dict()
        found = []
        for metric in told["metrics"]:
            config = metric.get("config", {})
            if "ValueDrift" not in config.get("type", ""):
                continue
            value, threshold = float(metric["value"]), float(config["threshold"])
            by_p = "p_value" in config["method"]
            if (value < threshold) if by_p else (value >= threshold):
                found.append(config["column"])
        return found


class AlibiDetect:
    """TabularDrift: KS or chi-square, Bonferroni at 5 %. It takes no nulls: they become the
    reference's median (numbers) or a level of their own (texts)."""

    name = "alibi-detect"

    def __init__(self):
        import logging

        logging.disable(logging.WARNING)
        from alibi_detect.cd import TabularDrift

        self.TabularDrift = TabularDrift

    def drifted(self, reference, current, tested):
        sides, categories = [np.empty((len(side), len(tested))) for side in (reference, current)], {}
        for i, column in enumerate(tested):
            before, after = reference[column], current[column]
            if is_text(before):
                codes = levels_of(before, after)
                empty = before.isna().any() or after.isna().any()
                categories[i] = list(range(len(codes) + int(empty)))
                for side, values in zip(sides, (before, after)):
                    side[:, i] = values.map(codes).fillna(len(codes))
            else:
                middle = before.median()
                for side, values in zip(sides, (before, after)):
                    side[:, i] = values.fillna(middle)
        detector = self.TabularDrift(sides[0], p_val=0.05, categories_per_feature=categories or None)
        p_values = detector.predict(sides[1], drift_type="batch")["data"]["p_val"]
        return [column for column, p in zip(tested, np.asarray(p_values)) if p < 0.05 / self.tests(tested)]

    corrected = None

    def tests(self, tested):
        return self.corrected or len(tested)


class NannyMl:
    """UnivariateDriftCalculator: Jensen-Shannon by chunk, alert outside of 3 sd of the reference's ten chunks."""

    name = "nannyml"

    def __init__(self):
        import nannyml

        self.nannyml = nannyml

    def drifted(self, reference, current, tested):
        calculator = self.nannyml.UnivariateDriftCalculator(
            column_names=tested, treat_as_categorical=[column for column in tested if is_text(reference[column])]
        )
        calculator.fit(reference[tested])
        frame = calculator.calculate(current[tested]).filter(period="analysis").to_df()
        return [column for column in tested if frame[column]["jensen_shannon"]["alert"].any()]


TOOLS = {
    "scipy": (Scipy, "scipy"),
    "evidently": (Evidently, "evidently"),
    "alibi-detect": (AlibiDetect, "alibi-detect"),
    "nannyml": (NannyMl, "nannyml"),
}


def installed(skipped=()):
    for name, (kind, package) in TOOLS.items():
        if name in skipped:
            continue
        try:
            version = metadata.version(package)
            yield name, kind(), version
        except ImportError as error:
            print(f"left out: {name}, not installed here ({error})", file=sys.stderr)


def aa(file, *skipped):
    with open(file) as source:
        request = json.load(source)
    columns, planted = request["columns"], [one["column"] for one in request["planted"]]
    still, moved = (pd.read_parquet(path) for path in request["files"])
    for name, tool, version in installed(skipped):
        any_alarm, found, splits = 0, [0] * len(planted), 0
        began = time.monotonic()
        if isinstance(tool, AlibiDetect):
            tool.corrected = len(columns)
        for split in request["splits"]:
            if time.monotonic() - began > request["seconds"]:
                break
            splits += 1
            month = still["month"] == split["month"]
            reference = still[month & still["day"].isin(split["reference"])]
            chosen = month & still["day"].isin(split["current"])
            any_alarm += bool(tool.drifted(reference, still[chosen], columns))
            for i, column in enumerate(planted):
                found[i] += bool(tool.drifted(reference, moved[chosen], [column]))
        row = {"name": f"{name} {version}", "splits": splits, "any": any_alarm, "found": found}
        print(json.dumps(row), flush=True)


def speed(name, reference, current):
    sides = [pd.read_parquet(path) for path in (reference, current)]
    tested = [column for column in sides[0].columns if column != "at"]
    kind, package = TOOLS[name]
    found = kind().drifted(*sides, tested)
    print(json.dumps({"name": f"{name} {metadata.version(package)}", "drifted": found}))


def versions():
    print(json.dumps({name: version for name, _, version in installed()}))


if __name__ == "__main__":
    {"aa": aa, "speed": speed, "versions": versions}[sys.argv[1]](*sys.argv[2:])
