"""What the commands give on a city of 300 people: valid JSON everywhere, figures that agree, files that reconcile."""

import gzip
import json
import shutil
import sqlite3
from pathlib import Path

import pyarrow.csv as csv
import pyarrow.parquet as pq
import pytest

from tests.cli.conftest import ROOT, City, Mpi


def people_of(path: Path) -> set[frozenset[tuple[str, str]]]:
    """People as sets of record keys."""
    groups: dict[str, set[tuple[str, str]]] = {}
    for row in pq.read_table(path).to_pylist():
        groups.setdefault(row["enterprise_id"], set()).add((row["source_system"], row["source_record_id"]))
    return {frozenset(records) for records in groups.values()}


def test_synth_gives_the_same_bytes_by_seed(city: City, tmp_path: Path, mpi: Mpi) -> None:
    made = mpi("synth", tmp_path / "a", "--persons", 300, "--seed", 5, "--json").json
    assert made["persons"] == 300
    assert sum(made["records"].values()) == pq.read_metadata(city.truth).num_rows
    assert (tmp_path / "a" / "student.parquet").read_bytes() == (city.folder / "student.parquet").read_bytes()
    rough = mpi("synth", tmp_path / "b", "--persons", 300, "--seed", 5, "--habits", "rough")
    assert "A city of 300 people" in rough.out
    assert (tmp_path / "b" / "student.parquet").read_bytes() != (city.folder / "student.parquet").read_bytes()


def test_link_reconciles_and_again_changes_nothing(empty_url: str, city: City, tmp_path: Path, mpi: Mpi) -> None:
    """On SQLite and on PostgreSQL."""
    first = mpi("link", *city.sources, "--db", empty_url, "--json").json
    records = pq.read_metadata(city.truth).num_rows
    for counts in first["sources"].values():
        assert counts["read"] == counts["stored"] + counts["unchanged"] + counts["rejected"]
    assert (
        first["records"]
        == first["records_linked"]
        == sum(each["read"] for each in first["sources"].values())
        == records
    )
    assert pq.read_table(first["rejects_file"]).num_rows == 0
    again = mpi("link", *city.sources, "--db", empty_url, "--json").json
    assert (again["records_linked"], again["people_created"], again["people"]) == (0, 0, first["people"])
    assert all(counts["unchanged"] == counts["read"] for counts in again["sources"].values())
    runs = mpi("runs", "--db", empty_url, "--json").json
    assert [run["run_id"] for run in runs] == [2, 1]
    assert runs[1]["summary"]["people"] == first["people"]
    assert mpi("db", "check", "--db", empty_url, "--json").json == {"sound": True, "broken_rules": {}}
    found = mpi("evaluate", "--db", empty_url, "--truth", city.truth, "--json").json["evaluation"]
    assert found["records"] == records
    assert found["pairwise"]["precision"] > 0.95
    assert found["pairwise"]["recall"] > 0.9


def test_both_databases_give_the_same_people(empty_url: str, linked: str, city: City, mpi: Mpi) -> None:
    assert mpi("link", *city.sources, "--db", empty_url).code == 0
    for url, out in ((empty_url, "here.parquet"), (linked, "there.parquet")):
        assert mpi("export", "cross-references", "--db", url, "--out", out).code == 0
    assert people_of(Path("here.parquet")) == people_of(Path("there.parquet"))


def test_link_summary_tells_people_what_happened(city: City, tmp_path: Path, mpi: Mpi) -> None:
    (tmp_path / "bad.csv").write_text(
        "source_record_id,full_name\nA1,Nguyễn Văn An\n,Trần Thị Bình\n", encoding="utf-8"
    )
    shown = mpi("link", "--source", f"clinic={tmp_path}/bad.csv", "--db", f"sqlite:///{tmp_path}/r.db")
    assert shown.code == 0
    assert "clinic      2        1           0          1" in shown.out
    assert "rejected rows, each with its reason: rejects.parquet" in shown.out
    assert "Nguyễn" not in shown.out + shown.err
    (reject,) = pq.read_table("rejects.parquet").to_pylist()
    assert (reject["source"], reject["row"], reject["reason"]) == ("clinic", 2, "source_record_id is missing")


def test_mapping_file_renames_columns(tmp_path: Path, mpi: Mpi) -> None:
    (tmp_path / "s.csv").write_text("Ma,Ho,Ten\n1,Nguyễn Văn,An\n2,Trần Thị,Bình\n", encoding="utf-8")
    (tmp_path / "map.yaml").write_text(
        "sources:\n  school:\n    columns:\n      source_record_id: Ma\n      full_name: {concat: [Ho, Ten]}\n",
        encoding="utf-8",
    )
    url = f"sqlite:///{tmp_path}/r.db"
    assert mpi("link", "--source", f"school={tmp_path}/s.csv", "--map", "map.yaml", "--db", url).code == 0
    assert mpi("export", "golden-records", "--db", url, "--out", "golden.csv", "--json").json["rows"] == 2
    assert sorted(csv.read_csv("golden.csv")["full_name"].to_pylist()) == ["Nguyễn Văn An", "Trần Thị Bình"]


def test_mapping_file_knows_the_columns_of_the_rules(tmp_path: Path, mpi: Mpi) -> None:
    (tmp_path / "s.csv").write_text("rec_id,name,town\n1,ann,perth\n2,bob,hobart\n", encoding="utf-8")
    (tmp_path / "map.yaml").write_text(
        "sources:\n  a:\n    columns: {source_record_id: rec_id, given_name: name, suburb: town}\n", encoding="utf-8"
    )
    options = ("--rules", "febrl", "--map", "map.yaml", "--db", f"sqlite:///{tmp_path}/r.db")
    linked = mpi("link", "--source", f"a={tmp_path}/s.csv", *options, "--json")
    assert linked.code == 0, linked.err
    assert linked.json["people"] == 2
    mpi("export", "golden-records", "--db", f"sqlite:///{tmp_path}/r.db", "--rules", "febrl", "--out", "golden.csv")
    assert sorted(csv.read_csv("golden.csv")["given_name"].to_pylist()) == ["ann", "bob"]


def test_evaluate_with_review_answered(linked: str, city: City, mpi: Mpi) -> None:
    found = mpi("evaluate", "--db", linked, "--truth", city.truth, "--review-answered", "--json").json
    plain, answered = found["evaluation"], found["evaluation_review_answered"]
    assert answered["pairwise"]["recall"] >= plain["pairwise"]["recall"]
    assert answered["tasks"] == pq.read_table(_tasks(linked, mpi)).num_rows
    shown = mpi("evaluate", "--db", linked, "--truth", city.truth, "--review-answered").out
    assert f"{plain['pairwise']['precision']:.5f}" in shown
    assert f"{answered['b_cubed']['recall']:.5f}" in shown


def _tasks(linked: str, mpi: Mpi) -> Path:
    mpi("export", "review-tasks", "--db", linked, "--out", "tasks.parquet")
    return Path("tasks.parquet")


def test_person_shows_reasons_records_and_history(linked: str, mpi: Mpi) -> None:
    mpi("export", "cross-references", "--db", linked, "--out", "x.parquet")
    people = [row["enterprise_id"] for row in pq.read_table("x.parquet").to_pylist()]
    chosen = max(people, key=people.count)
    values = mpi("person", chosen.lower().replace("-", ""), "--db", linked, "--json").json
    assert values["enterprise_id"] == chosen
    assert len(values["records"]) == people.count(chosen)
    assert values["history"][0]["kind"] == "person.created"
    shown = mpi("person", chosen, "--db", linked).out
    for record in values["records"]:
        assert record["record"] in shown
    for field in values["golden_record"]:
        assert field["reason"] in shown


def test_numbers_show_four_digits_unless_revealed(linked: str, city: City, mpi: Mpi) -> None:
    rows = [
        row
        for row in pq.read_table(city.folder / "insurance.parquet").to_pylist()
        if len(row["citizen_id"] or "") == 12
    ]
    keys = [f"insurance:{row['source_record_id']}" for row in rows[:2]]
    number = rows[0]["citizen_id"]
    hidden = mpi("explain", *keys, "--db", linked)
    assert number not in hidden.out
    assert f"••••••••{number[-4:]}" in hidden.out
    assert number in mpi("explain", *keys, "--db", linked, "--reveal").out
    assert number not in mpi("explain", *keys, "--db", linked, "--json").out
    assert number in mpi("explain", *keys, "--db", linked, "--json", "--reveal").out


def test_explain_adds_up_and_is_drawn(linked: str, mpi: Mpi) -> None:
    mpi("export", "cross-references", "--db", linked, "--out", "x.parquet")
    groups = people_of(Path("x.parquet"))
    pair = sorted(":".join(key) for key in max(groups, key=len))[:2]
    values = mpi("explain", *pair, "--db", linked, "--json").json
    total = values["prior"] + sum(step["bits"] for step in values["contributions"])
    assert total == pytest.approx(values["match_weight"])
    assert values["same_person"]
    shown = mpi("explain", *pair, "--db", linked).out
    for step in values["contributions"]:
        assert step["level"] in shown
    assert f"{values['match_weight']:.1f} bits" in shown
    assert "█" in shown
    assert "one person" in shown


def test_rules_list_names_what_there_is(mpi: Mpi) -> None:
    listed = {each["rules"]: each for each in mpi("rules", "list", "--json").json}
    assert {"vn_person@1.0.0", "febrl@1.0.0"} <= set(listed)
    assert listed["vn_person@1.0.0"]["trained"]
    assert "vn_person@1.0.0" in mpi("rules", "list").out


def test_rules_list_goes_on_past_a_broken_family(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mpi: Mpi) -> None:
    (tmp_path / "broken" / "1.0.0").mkdir(parents=True)
    (tmp_path / "broken" / "1.0.0" / "rules.yaml").write_text("[")
    monkeypatch.setenv("MPI_RULES_ROOT", str(tmp_path))
    assert mpi("rules", "list", "--json").json[0]["status"] == "has mistakes (mpi rules check)"


def test_rules_check_and_cases_tell_a_failed_case(tmp_path: Path, mpi: Mpi) -> None:
    folder = tmp_path / "febrl" / "1.0.0"
    shutil.copytree(ROOT / "linkage_rules" / "febrl" / "1.0.0", folder)
    sound = mpi("rules", "check", folder, "--json")
    assert (sound.code, sound.json["failed"]) == (0, 0)
    cases = folder / "cases.yaml"
    cases.write_text(cases.read_text(encoding="utf-8").replace("expect: match", "expect: no_match"), encoding="utf-8")
    broken = mpi("rules", "check", folder)
    assert broken.code == 2
    assert "  failed: " in broken.out
    shown = mpi("rules", "cases", folder)
    assert (shown.code, "FAILED" in shown.out) == (2, True)


def test_rules_train_writes_what_check_accepts(city: City, tmp_path: Path, mpi: Mpi) -> None:
    folder = tmp_path / "vn_person" / "1.0.0"
    folder.mkdir(parents=True)
    shutil.copy(ROOT / "linkage_rules" / "vn_person" / "1.0.0" / "rules.yaml", folder)
    assert mpi("rules", "check", folder).code == 2  # not trained yet
    options = ("--rules", folder, "--labels", city.truth, "--pairs", 50_000, "--seed", 3)
    trained = mpi("rules", "train", *city.sources, *options, "--json")
    assert trained.code == 0, trained.err
    assert trained.json["records"] == pq.read_metadata(city.truth).num_rows
    assert trained.json["provenance"]["method_m"] == "labels"
    bits = {(each["comparison"], each["level"]): each["bits"] for each in trained.json["weights"]}
    assert bits["sex", "equal"] > 0 > bits["sex", "different"]
    parameters = json.loads((folder / "parameters.json").read_text(encoding="utf-8"))
    for each in trained.json["weights"]:
        assert parameters["levels"][each["comparison"]][each["level"]] == {"m": each["m"], "u": each["u"]}
    assert mpi("rules", "check", folder).code == 0


def test_released_rules_are_not_trained_in_place(city: City, tmp_path: Path, mpi: Mpi) -> None:
    folder = tmp_path / "vn_person" / "1.0.0"
    folder.mkdir(parents=True)
    text = (ROOT / "linkage_rules" / "vn_person" / "1.0.0" / "rules.yaml").read_text(encoding="utf-8")
    text = text.replace("status: experimental", "status: released")
    (folder / "rules.yaml").write_text(text, encoding="utf-8")
    refused = mpi("rules", "train", *city.sources, "--rules", folder)
    assert refused.code == 2
    assert "released and never changes" in refused.err
    assert not (folder / "parameters.json").exists()


def test_db_migrate_makes_a_registry(empty_url: str, mpi: Mpi) -> None:
    assert mpi("runs", "--db", empty_url).code == 3
    made = mpi("db", "migrate", "--db", empty_url, "--json").json
    assert made["schema_version"] >= "0001"
    assert mpi("db", "migrate", "--db", empty_url).code == 0
    assert mpi("runs", "--db", empty_url, "--json").json == []
    assert "no runs yet" in mpi("runs", "--db", empty_url).out


def test_a_refused_run_is_listed_with_its_reason(empty_url: str, tmp_path: Path, mpi: Mpi) -> None:
    # longer than the block that is looked at before a run begins
    rows = b"source_record_id,full_name,note\n" + b"".join(b"%d,an,%0400d\n" % (n, n) for n in range(6_000))
    (tmp_path / "cut.csv.gz").write_bytes(gzip.compress(rows)[:-2000])
    refused = mpi("link", "--source", f"student={tmp_path}/cut.csv.gz", "--db", empty_url)
    assert refused.code == 2
    [run] = mpi("runs", "--db", empty_url, "--json").json
    given_up = run["summary"]["given_up"]
    assert (run["status"], given_up["reason"]) == ("abandoned", "SOURCE_UNREADABLE")
    assert refused.err.splitlines()[-1] == f"mpi: error: {given_up['message']}"
    assert "abandoned" in mpi("runs", "--db", empty_url).out


def test_db_check_tells_what_is_broken(linked: str, tmp_path: Path, mpi: Mpi) -> None:
    source = Path(linked.removeprefix("sqlite:///"))
    for name in (source.name, f"{source.name}.secret"):
        shutil.copy(source.with_name(name), tmp_path / name)
    connection = sqlite3.connect(tmp_path / source.name)
    with connection:
        connection.execute("DELETE FROM record_feature WHERE record_id = 1")
    connection.close()
    shown = mpi("db", "check", "--db", f"sqlite:///{tmp_path}/{source.name}", "--json")
    assert (shown.code, shown.json) == (
        3,
        {"sound": False, "broken_rules": {"a record has a feature row, or was withdrawn": 1}},
    )


def test_settings_name_the_registry(linked: str, monkeypatch: pytest.MonkeyPatch, mpi: Mpi) -> None:
    monkeypatch.setenv("MPI_DB", linked)
    assert len(mpi("runs", "--json").json) == 1


def test_demo_runs_twice_and_what_it_says_next_works(tmp_path: Path, mpi: Mpi) -> None:
    assert mpi("demo", "--persons", 200, "--out", "demo").code == 0
    shown = mpi("demo", "--persons", 200, "--out", "demo")
    assert shown.code == 0
    for words in ("A city of 200 people", "Against the truth", "review answered", "peak memory"):
        assert words in shown.out
    following = [line.split() for line in shown.out.split("What to type next:")[1].splitlines() if line.strip()]
    assert following
    for command in following:
        assert mpi(*command[1:]).code == 0, command
    done = mpi("demo", "--persons", 200, "--out", "demo", "--json").json
    assert done["link"]["run_id"] == 1
    assert done["evaluation"]["records"] == done["link"]["records"]
