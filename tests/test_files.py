"""Files and folders that appear whole, and never in the place of anybody else's."""

from pathlib import Path

import pytest

from outcomes import files
from outcomes.errors import OutcomesError
from outcomes.files import MARKER, new_folder, replacing, write_text


def make(target, *, text="new", replace=False):
    with new_folder(target, replace=replace) as folder:
        (folder / "data").mkdir()
        (folder / "data" / "numbers.csv").write_text(text)
        (folder / "index.html").write_text(text)


def test_a_folder_is_made_with_its_parents_and_replaced(tmp_path):
    target = tmp_path / "a" / "b"
    make(target, text="old")
    assert (target / MARKER).read_text() == "data/numbers.csv\nindex.html\n"
    with pytest.raises(OutcomesError, match="already there; allowed: a new folder, or --force"):
        make(target)
    (target / ".DS_Store").write_text("")
    make(target, replace=True)
    assert (target / "index.html").read_text() == "new"
    assert [path.name for path in target.parent.iterdir()] == ["b"]


@pytest.mark.parametrize("name", ["thesis.docx", "data/thesis.docx", "empty/"])
def test_what_outcomes_did_not_write_is_never_deleted(name, tmp_path):
    target = tmp_path / "precious"
    make(target, text="old")
    foreign = target / name
    if name.endswith("/"):
        foreign.mkdir()
    else:
        foreign.write_text("years of work")
    with pytest.raises(OutcomesError, match=f"found {name.rstrip('/')}, which outcomes did not"):
        make(target, replace=True)
    assert foreign.exists()
    assert (target / "index.html").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["precious"]


def test_a_folder_of_the_users_own_is_never_replaced(tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "index.html").write_text("mine")
    with pytest.raises(OutcomesError, match=r"found index\.html"):
        make(tmp_path / "mine", replace=True)
    assert (tmp_path / "mine" / "index.html").read_text() == "mine"


def test_a_file_that_comes_during_the_run_is_kept(tmp_path):
    target = tmp_path / "out"
    make(target)
    with pytest.raises(OutcomesError, match=r"found late\.txt"), new_folder(target, replace=True):
        (target / "late.txt").write_text("late")
    assert (target / "late.txt").read_text() == "late"


def test_working_home_and_root_folder_are_refused(tmp_path, monkeypatch):
    home, work = tmp_path / "home", tmp_path / "project" / "work"
    home.mkdir()
    work.mkdir(parents=True)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("USERPROFILE", str(home))
    monkeypatch.chdir(work)
    for target in (".", "..", work, home, tmp_path, Path("/")):
        with pytest.raises(OutcomesError, match=r"holds the (working|home) folder"):
            make(target, replace=True)
    assert work.is_dir()
    assert home.is_dir()
    make("inside")
    assert (work / "inside" / "index.html").exists()


def test_of_a_link_the_folder_it_points_to_is_replaced(tmp_path):
    make(tmp_path / "real", text="old")
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "real")
    make(link, replace=True)
    assert link.is_symlink()
    assert (tmp_path / "real" / "index.html").read_text() == "new"


def test_a_link_inside_a_folder_is_somebody_elses(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    make(tmp_path / "out")
    (tmp_path / "out" / "link").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OutcomesError, match="found link"):
        make(tmp_path / "out", replace=True)


def test_the_old_folder_stays_where_the_new_one_cannot_be_put(tmp_path, monkeypatch):
    target = tmp_path / "out"
    make(target, text="old")
    rename = Path.replace

    def fail(path, to):
        if to == target and not path.name.endswith(".old"):
            raise OSError(28, "No space left on device")
        return rename(path, to)

    monkeypatch.setattr(files.Path, "replace", fail)
    with pytest.raises(OutcomesError, match=r"out: cannot be written \(No space left on device\)"):
        make(target, replace=True)
    assert (target / "index.html").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_file_is_no_folder(tmp_path):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(OutcomesError, match="is a file; allowed: a folder"):
        make(tmp_path / "file", replace=True)
    with pytest.raises(OutcomesError, match="cannot be written"):
        make(tmp_path / "file" / "inside")
    with pytest.raises(OutcomesError, match="cannot be written"):
        make(tmp_path / ("x" * 300))


def test_links_in_a_circle(tmp_path):
    (tmp_path / "a").symlink_to(tmp_path / "b")
    (tmp_path / "b").symlink_to(tmp_path / "a")
    with pytest.raises(OutcomesError):
        make(tmp_path / "a", replace=True)
    assert (tmp_path / "a").is_symlink()


def test_a_file_is_written_with_its_parents_or_not_at_all(tmp_path):
    target = tmp_path / "new" / "file.txt"
    write_text(target, "whole")

    def stop_half_way():
        with replacing(target) as unfinished:
            unfinished.write_text("half")
            raise OutcomesError("stopped")

    with pytest.raises(OutcomesError, match="stopped"):
        stop_half_way()
    assert target.read_text() == "whole"
    assert [path.name for path in target.parent.iterdir()] == ["file.txt"]
    with pytest.raises(OutcomesError, match="cannot be written"):
        write_text(target / "below", "a file is no folder")
