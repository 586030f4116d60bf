"""Model files: the same bytes, and nothing believed that was not checked."""

import copy
import hashlib
import io
import json
import pickle
import zipfile

import numpy as np
import pytest

from outcomes.errors import ModelError, ModelFileError, OutcomesError
from outcomes.models import CoxModel, FineGrayModel, ForestModel, load_model, save_model
from outcomes.models.forest_files import pack_trees, unpack_trees


@pytest.fixture(scope="module")
def fitted(cohort):
    return CoxModel().fit(cohort)


@pytest.fixture
def stored(fitted, tmp_path):
    path = tmp_path / "model.sop"
    save_model(fitted, path)
    return path


def rewrite(path, change):
    """Write the archive anew with changed members (name -> bytes)."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    change(members)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)


def change_manifest(path, **values):
    def change(members):
        manifest = json.loads(members["manifest.json"])
        manifest.update(values)
        put_manifest(members, manifest)

    rewrite(path, change)


def put_manifest(members, manifest):
    members["manifest.json"] = json.dumps(manifest).encode()
    members["manifest.sha256"] = hashlib.sha256(members["manifest.json"]).hexdigest().encode()


def test_the_same_model_gives_the_same_bytes(cohort, stored, tmp_path):
    save_model(CoxModel().fit(cohort), tmp_path / "second")
    assert (tmp_path / "second").read_bytes() == stored.read_bytes()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["model.sop", "second"]


def test_the_file_holds_no_patients_and_no_pickles(stored, cohort):
    with zipfile.ZipFile(stored) as archive:
        for name in archive.namelist():
            assert name.startswith("manifest.") or name.endswith(".npy")
            data = archive.read(name)
            assert cohort["patient_id"].iloc[17].encode() + b'"' not in data
            if name.endswith(".npy"):
                assert np.load(io.BytesIO(data), allow_pickle=False).dtype.kind in "fi"


def test_a_loaded_cox_model_gives_intervals_and_tables(fitted, stored, cohort):
    loaded = load_model(stored)
    for series in (None, "amber"):
        for one, two in zip(
            loaded.interval(cohort[:4], [3, 12], series=series),
            fitted.interval(cohort[:4], [3, 12], series=series),
            strict=True,
        ):
            np.testing.assert_allclose(one, two, atol=0.06)
    np.testing.assert_array_equal(loaded.predict(cohort), fitted.predict(cohort))
    assert any("the model was read from a file" in note for note in loaded.notes_)
    assert not any("the model was read from a file" in note for note in fitted.notes_)


@pytest.mark.parametrize("kind", [CoxModel, FineGrayModel])
def test_a_loaded_model_tells_how_far_it_is_off(kind, cohort, tmp_path):
    few = cohort[:120].assign(lp_event=cohort["lp_event"][:120])
    model = kind("local-control", covariates=["kps", "sbrt"]).fit(few)
    save_model(model, tmp_path / "first")
    loaded = load_model(tmp_path / "first")
    found = [
        np.abs(
            model.predict_cumulative_incidence(few, months, series=name, event=event)
            - loaded.predict_cumulative_incidence(few, months, series=name, event=event)
        ).max()
        for name, end in model.follow_up_.items()
        for months in ([*np.arange(1.0, end), end],)
        for event in (1, 2)
    ]
    assert 0.005 < max(found) <= loaded.coarse_difference_ < max(found) + 1.1e-4
    assert f"differ by up to {loaded.coarse_difference_:g} from" in loaded.notes_[-1]
    assert model.coarse_difference_ is None
    # A file of the loaded model says the same.
    save_model(loaded, tmp_path / "second")
    assert load_model(tmp_path / "second").notes_ == loaded.notes_
    change_manifest(tmp_path / "second", coarse_difference=float("nan"))
    with pytest.raises(ModelFileError):
        load_model(tmp_path / "second")


@pytest.mark.parametrize("options", [{}, {"weights": "weight"}])
def test_a_series_without_events_is_named(options, cohort, tmp_path):
    amber = cohort["study"] == "amber"
    table = cohort.assign(weight=1.0)
    if options:
        table.loc[amber, "weight"] = 0.0
    else:
        table.loc[amber, "death"] = 0
    model = CoxModel(covariates=["kps"], **options).fit(table)
    (note,) = model.notes_
    assert note.startswith("nobody in amber had the event 'death'")
    assert (model.predict_survival(table[:3], [3.0], series="amber") == 1).all()
    save_model(model, tmp_path / "model")
    assert load_model(tmp_path / "model").notes_[0] == note


@pytest.fixture(scope="module", params=["cox", "fine-gray", "forest"])
def small(request, cohort):
    """A small model of each kind, the bytes of its file, and what it predicts once loaded."""
    model = {
        "cox": CoxModel(covariates=["kps", "sbrt"]),
        "fine-gray": FineGrayModel("local-control", covariates=["kps", "sbrt"]),
        "forest": ForestModel(
            "local-control", n_estimators=2, min_samples_leaf=60, covariates=["kps", "sbrt"]
        ),
    }[request.param]
    return model.fit(cohort)


def predictions(model, cohort):
    return (
        model.predict(cohort[:5]).tobytes(),
        model.predict_survival(cohort[:5], [3.0, 9.0]).tobytes(),
        str(model.get_params()),
    )


def test_truncated_and_damaged_files(small, cohort, tmp_path):
    path = tmp_path / "m"
    save_model(small, path)
    whole, right = path.read_bytes(), predictions(load_model(path), cohort)
    for length in (0, 10, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:length])
        with pytest.raises(ModelFileError):
            load_model(path)
    rng = np.random.default_rng(0)
    refused = 0
    for position in rng.choice(len(whole), 200, replace=False):
        spoiled = bytearray(whole)
        spoiled[position] ^= int(rng.integers(1, 256))
        path.write_bytes(bytes(spoiled))
        # A flipped bit in an unused field of the archive does no harm; any other is refused.
        try:
            loaded = load_model(path)
        except ModelFileError:
            refused += 1
            continue
        assert predictions(loaded, cohort) == right
    assert refused > 150


def test_manifests_altered_with_their_checksum(small, cohort, tmp_path):
    """Whoever can write checksums can write nonsense: it is refused, or predicts probabilities."""
    path = tmp_path / "m"
    save_model(small, path)
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    manifest = json.loads(members["manifest.json"])
    places = [place for place in _places(manifest) if place[0] != "sha256"]
    rng = np.random.default_rng(0)
    for k in rng.choice(len(places), min(len(places), 30), replace=False):
        for value in (None, "x", -1, 1e308, [], {}):
            altered = copy.deepcopy(manifest)
            part = altered
            for name in places[k][:-1]:
                part = part[name]
            part[places[k][-1]] = value
            put_manifest(members, altered)
            with zipfile.ZipFile(path, "w") as archive:
                for name, data in members.items():
                    archive.writestr(name, data)
            try:
                survival = load_model(path).predict_survival(cohort[:3], [1.0])
            except OutcomesError:
                continue
            assert ((survival >= 0) & (survival <= 1)).all(), (places[k], value)


def _places(part, path=()):
    keys = part if isinstance(part, dict) else range(len(part)) if isinstance(part, list) else ()
    for key in keys:
        yield (*path, key)
        yield from _places(part[key], (*path, key))


@pytest.mark.parametrize(
    "change",
    [
        lambda array: array[:-1],
        lambda array: array[:0],
        lambda array: array[None],
        lambda array: array.astype("<i8"),
        lambda array: array.astype(">f8"),
        lambda array: array.astype(complex),
        lambda array: array.astype("U9"),
        lambda array: -array.astype("<f8") - 1,
        lambda array: np.full_like(array, 255),
    ],
)
def test_arrays_altered_with_their_checksum(small, cohort, tmp_path, change):
    path = tmp_path / "m"
    save_model(small, path)
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    for name in [name for name in members if name.endswith(".npy")]:
        altered = dict(members)
        buffer = io.BytesIO()
        np.save(buffer, change(np.load(io.BytesIO(members[name]))))
        altered[name] = buffer.getvalue()
        manifest = json.loads(members["manifest.json"])
        manifest["sha256"][name] = hashlib.sha256(altered[name]).hexdigest()
        put_manifest(altered, manifest)
        with zipfile.ZipFile(path, "w") as archive:
            for member, data in altered.items():
                archive.writestr(member, data)
        try:
            # Coefficients of 255 overflow before the prediction is refused or is 0 or 1.
            with np.errstate(all="ignore"):
                survival = load_model(path).predict_survival(cohort[:3], [1.0])
        except OutcomesError:
            continue
        assert ((survival >= 0) & (survival <= 1)).all(), name


def test_a_few_bytes_cannot_ask_for_all_memory(cohort, tmp_path):
    packed = pack_trees(ForestModel(n_estimators=2, random_state=0).fit(cohort).trees_[1])
    with pytest.raises(ValueError, match="do not describe trees"):
        unpack_trees({**packed, "steps": np.zeros(10**6, np.uint8)}, 10**6)
    again = unpack_trees(packed, 60)
    for name, array in pack_trees(again).items():
        np.testing.assert_array_equal(array, packed[name])


def test_altered_numbers_are_noticed(stored):
    def change(members):
        name = next(name for name in members if "coefficients" in name)
        members[name] = members[name][:-8] + np.float64(0.0).tobytes()

    rewrite(stored, change)
    with pytest.raises(ModelFileError, match="was altered"):
        load_model(stored)


def test_a_newer_format_is_named(stored):
    change_manifest(stored, format_version=99)
    with pytest.raises(ModelFileError, match="written in format 99; this package reads up to 2"):
        load_model(stored)


def test_an_older_format_is_named(stored):
    change_manifest(stored, format_version=1)
    with pytest.raises(ModelFileError, match="written in format 1 by an earlier version"):
        load_model(stored)


@pytest.mark.parametrize(
    "values",
    [
        {"format": "other"},
        {"format_version": "1"},
        {"format_version": 0},
        {"format_version": True},
        {"kind": "oracle"},
        {"parameters": {"endpoint": "overall-survival", "horsepower": 3}},
        {"parameters": {"endpoint": "happiness"}},
        {"design": {}},
        {"series": {"names": [], "sizes": [], "ends": []}},
        {"series": {"names": ["a"], "sizes": [1], "ends": [3.0]}},
        {"series": {"names": ["a"], "sizes": [400], "ends": [float("inf")]}},
        {"parameters": {"endpoint": "overall-survival", "penalizer": "x"}},
        {"parameters": {"endpoint": "overall-survival", "strata": 5}},
        {"n_training": 3},
        {"n_features": None},
        {"sha256": {}},
    ],
)
def test_manifests_that_make_no_sense(stored, values):
    change_manifest(stored, **values)
    with pytest.raises(ModelFileError):
        load_model(stored)


@pytest.mark.parametrize(
    "values",
    [{"scale": 0.0}, {"scale": -1.0}, {"scale": float("nan")}, {"center": "x"}, {"kind": "guess"}],
)
def test_terms_that_make_no_sense(stored, values):
    def change(members):
        manifest = json.loads(members["manifest.json"])
        manifest["design"]["terms"][0].update(values)
        put_manifest(members, manifest)

    rewrite(stored, change)
    with pytest.raises(ModelFileError, match=r"do not describe a model|no number of JSON"):
        load_model(stored)


def test_an_altered_manifest_is_noticed(stored):
    def change(members):
        members["manifest.json"] = members["manifest.json"].replace(b"70.0", b"80.0")

    rewrite(stored, change)
    with pytest.raises(ModelFileError, match=r"manifest\.json was altered"):
        load_model(stored)
    rewrite(stored, lambda members: members.pop("manifest.sha256"))
    with pytest.raises(ModelFileError, match=r"lacks manifest\.sha256"):
        load_model(stored)


@pytest.mark.parametrize(
    ("ending", "value"), [("0.increments", -0.1), ("0.deaths", 0.0), ("1.times", 0.0)]
)
def test_baselines_that_make_no_sense(stored, ending, value):
    def change(members):
        name = f"cause.1.{ending}.npy"
        array = np.load(io.BytesIO(members[name]))
        array[2] = value
        buffer = io.BytesIO()
        np.save(buffer, array)
        members[name] = buffer.getvalue()
        manifest = json.loads(members["manifest.json"])
        manifest["sha256"][name] = hashlib.sha256(members[name]).hexdigest()
        put_manifest(members, manifest)

    rewrite(stored, change)
    with pytest.raises(ModelFileError, match="a baseline is not sound"):
        load_model(stored)


def test_a_prediction_that_is_no_number_is_refused(fitted, cohort):
    model = copy.deepcopy(fitted)
    model.fits_[1].coefficients[0] = np.nan
    with pytest.raises(ModelError, match="no finite number"):
        model.predict_survival(cohort[:2], [3.0])
    with pytest.raises(ModelError, match="no finite number"):
        model.predict(cohort[:2])


def test_members_that_do_not_belong(stored):
    for name in ("../../escape.npy", "/etc/passwd", "evil.py", "a\\b.npy"):
        whole = stored.read_bytes()
        with zipfile.ZipFile(stored, "a") as archive:
            archive.writestr(name, b"x")
        with pytest.raises(ModelFileError, match="no part of a model file"):
            load_model(stored)
        stored.write_bytes(whole)


def test_pickles_are_never_read(stored):
    class Bomb:
        def __reduce__(self):
            return (pytest.fail, ("a pickle was executed",))

    buffer = io.BytesIO()
    np.save(buffer, np.array([0], dtype=object), allow_pickle=True)
    header = buffer.getvalue()[: buffer.getvalue().index(b"\n") + 1]
    bomb = header + pickle.dumps(Bomb())

    def change(members):
        name = next(name for name in members if "coefficients" in name)
        members[name] = bomb
        manifest = json.loads(members["manifest.json"])
        manifest["sha256"][name] = hashlib.sha256(bomb).hexdigest()
        put_manifest(members, manifest)

    rewrite(stored, change)
    with pytest.raises(ModelFileError):
        load_model(stored)


def test_an_archive_that_unpacks_without_end_is_refused(stored):
    def change(members):
        members["padding.npy"] = bytes(200_000_000)

    rewrite(stored, change)
    assert stored.stat().st_size < 1_000_000
    with pytest.raises(ModelFileError, match="packed too tightly"):
        load_model(stored)


def test_what_is_no_file_and_no_model(tmp_path, fitted):
    with pytest.raises(ModelFileError, match="no such file"):
        load_model(tmp_path / "nowhere")
    with pytest.raises(ModelFileError):
        load_model(tmp_path)
    (tmp_path / "text").write_text("kps,sbrt\n70,true\n")
    with pytest.raises(ModelFileError, match="damaged or no model file"):
        load_model(tmp_path / "text")
    with zipfile.ZipFile(tmp_path / "zip", "w") as archive:
        archive.writestr("a.npy", b"")
    with pytest.raises(ModelFileError, match="lacks manifest"):
        load_model(tmp_path / "zip")
    with pytest.raises(ModelFileError, match="only a fitted"):
        save_model(CoxModel(), tmp_path / "unfitted")
    with pytest.raises(ModelFileError, match="cannot be written"):
        save_model(fitted, tmp_path / "text" / "model")
    with pytest.raises(ModelFileError, match="JSON"):
        save_model(fitted, tmp_path / "bad", provenance={"when": object()})
    assert not (tmp_path / "bad").exists()


def test_a_loaded_forest_needs_no_scikit_survival(cohort, tmp_path):
    import subprocess
    import sys

    save_model(ForestModel(n_estimators=5, random_state=0).fit(cohort), tmp_path / "forest")
    cohort.to_csv(tmp_path / "cohort.csv", index=False)
    script = (
        "import sys; sys.modules['sksurv'] = None; sys.modules['lifelines'] = None\n"
        "import pandas as pd\n"
        "from outcomes.models import load_model\n"
        f"model = load_model({str(tmp_path / 'forest')!r})\n"
        f"table = pd.read_csv({str(tmp_path / 'cohort.csv')!r}, keep_default_na=False)\n"
        "print(model.predict_survival(table[:2], [6.0])[0, 0])\n"
    )
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert 0 < float(run.stdout) < 1
