"""The API definition and its checks, each check shown to fail on a copy of the definition that is broken."""

import re
import shutil
import subprocess
from pathlib import Path

import grpc
import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorSet

from mpi.identity.v1 import (
    error_reason_pb2,
    identity_service_pb2,
    identity_service_pb2_grpc,
    stewardship_service_pb2,
    stewardship_service_pb2_grpc,
)
from tools import proto

SERVICE = Path("proto/mpi/identity/v1/identity_service.proto")
ROOT = proto.ROOT


def git(folder: Path, *words: str) -> None:
    who = ("-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false")
    subprocess.run(["git", *who, *words], cwd=folder, check=True, capture_output=True)


def commit(folder: Path) -> None:
    git(folder, "add", "-A")
    git(folder, "commit", "--allow-empty", "-m", "a change")


def edit(folder: Path, old: str, new: str) -> None:
    text = (folder / SERVICE).read_text()
    assert old in text
    (folder / SERVICE).write_text(text.replace(old, new, 1))


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A repository on its branch main with the definition and the generated code, committed once."""
    folder = tmp_path / "a checkout"
    shutil.copytree(ROOT / "proto", folder / "proto")
    shutil.copytree(ROOT / "mpi" / "identity", folder / "mpi" / "identity")
    git(folder, "init", "-b", "main")
    commit(folder)
    return folder


def test_the_generated_code_is_current(tmp_path: Path) -> None:
    proto.generate(ROOT / "proto", tmp_path)
    assert proto.stale(tmp_path / "mpi" / "identity", ROOT / "mpi" / "identity") == []


def test_stale_generated_code_is_found_and_made_anew(checkout: Path, capfd: pytest.CaptureFixture[str]) -> None:
    generated = checkout / "mpi" / "identity" / "v1"
    (generated / "record_pb2.pyi").write_text("")
    (generated / "match_pb2.py").unlink()
    (generated / "forgotten_pb2.py").write_text("")
    with pytest.raises(proto.ProtoError) as caught:
        proto.check(checkout)
    names = ["forgotten_pb2.py", "match_pb2.py", "record_pb2.pyi"]
    assert str(caught.value).endswith(", ".join(f"v1/{name}" for name in names))
    proto.rewrite(checkout)
    proto.check(checkout)
    assert not (generated / "forgotten_pb2.py").exists()
    assert capfd.readouterr().err == ""


def test_a_missing_comment_fails_the_lint(checkout: Path, capfd: pytest.CaptureFixture[str]) -> None:
    edit(checkout, "  // Why two records are, or are not, held to be one person.\n", "")
    with pytest.raises(proto.ProtoError, match="buf failed"):
        proto.check(checkout)
    assert 'RPC "ExplainMatch" should have a non-empty comment' in capfd.readouterr().out


def test_an_untidy_layout_is_found_and_put_right(checkout: Path, capfd: pytest.CaptureFixture[str]) -> None:
    edit(checkout, "  string request_id = 1;", "    string request_id=1;")
    with pytest.raises(proto.ProtoError, match="buf failed"):
        proto.check(checkout)
    assert "+  string request_id = 1;" in capfd.readouterr().out
    proto.rewrite(checkout)
    proto.check(checkout)
    assert (checkout / SERVICE).read_text() == (ROOT / SERVICE).read_text()


def test_a_definition_that_does_not_compile_is_told(checkout: Path, capfd: pytest.CaptureFixture[str]) -> None:
    edit(checkout, "string request_id = 1;", "string request_id = ;")
    with pytest.raises(proto.ProtoError):
        proto.check(checkout)
    assert "identity_service.proto" in capfd.readouterr().err


BREAKING = ("string request_id = 1;", "int64 request_id = 1;")


def test_a_breaking_change_is_found_before_it_is_committed(checkout: Path, capfd: pytest.CaptureFixture[str]) -> None:
    edit(checkout, *BREAKING)
    proto.rewrite(checkout)
    with pytest.raises(proto.ProtoError, match="buf failed"):
        proto.check(checkout)
    assert 'Field "1" with name "request_id" on message "ResolveRequest" changed type' in capfd.readouterr().out


def test_a_breaking_change_is_found_after_it_is_committed(checkout: Path) -> None:
    edit(checkout, *BREAKING)
    proto.rewrite(checkout)
    commit(checkout)
    with pytest.raises(proto.ProtoError, match="buf failed"):
        proto.check(checkout)


def test_a_breaking_change_on_a_branch_is_compared_with_main(checkout: Path) -> None:
    git(checkout, "checkout", "-b", "branch")
    edit(checkout, *BREAKING)
    proto.rewrite(checkout)
    commit(checkout)
    commit(checkout)
    assert proto.published(checkout) is not None
    with pytest.raises(proto.ProtoError, match="buf failed"):
        proto.check(checkout)


def test_a_clone_is_compared_with_the_main_of_its_origin(checkout: Path, tmp_path: Path) -> None:
    git(checkout, "checkout", "-b", "branch")
    edit(checkout, *BREAKING)
    proto.rewrite(checkout)
    commit(checkout)
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "-b", "branch", str(checkout), str(clone))
    found = proto.published(clone)
    assert found is not None
    assert found[0] == "origin/main"
    with pytest.raises(proto.ProtoError, match="buf failed"):
        proto.check(clone)


def test_an_addition_breaks_nobody(checkout: Path) -> None:
    edit(
        checkout,
        "  string consistency_token = 13;\n",
        "  string consistency_token = 13;\n\n  // New.\n  bool late = 14;\n",
    )
    proto.rewrite(checkout)
    assert re.fullmatch(r"proto: nothing breaks callers of main \([0-9a-f]+\)", proto.check(checkout))


@pytest.mark.parametrize("kind", ["first commit", "shallow clone", "no main", "no repository"])
def test_nothing_to_compare_with_is_said_loudly(checkout: Path, tmp_path: Path, kind: str) -> None:
    folder = checkout
    if kind == "shallow clone":
        commit(checkout)
        folder = tmp_path / "clone"
        git(tmp_path, "clone", "--depth", "1", checkout.as_uri(), str(folder))
    if kind == "no main":
        git(checkout, "branch", "-m", "other")
    if kind == "no repository":
        shutil.rmtree(checkout / ".git")
    assert "WARNING: NOT CHECKED" in proto.check(folder)


def test_a_clone_without_main_is_compared_with_its_own_commit(checkout: Path) -> None:
    git(checkout, "branch", "-m", "other")
    edit(checkout, *BREAKING)
    proto.rewrite(checkout)
    with pytest.raises(proto.ProtoError, match="buf failed"):
        proto.check(checkout)


def test_every_error_reason_says_its_status_and_its_meaning(tmp_path: Path) -> None:
    files = FileDescriptorSet.FromString(proto.image(ROOT / "proto", tmp_path / "image").read_bytes()).file
    [file] = [file for file in files if file.name.endswith("error_reason.proto")]
    comments = {tuple(place.path): " ".join(place.leading_comments.split()) for place in file.source_code_info.location}
    assert len(error_reason_pb2.ErrorReason.values()) > 20
    for index, name in enumerate(error_reason_pb2.ErrorReason.keys()):
        status, _, meaning = comments[(5, 0, 2, index)].partition(": ")
        assert status in grpc.StatusCode.__members__, name
        assert len(meaning.split()) > 3, name


def test_the_service_offers_what_was_agreed() -> None:
    methods = identity_service_pb2.DESCRIPTOR.services_by_name["IdentityService"].methods_by_name
    shapes = {name: (method.client_streaming, method.server_streaming) for name, method in methods.items()}
    unary = "Match Resolve LookUpIdentifier GetPerson RegisterHealthRecordEntries ListHealthRecordEntries ExplainMatch"
    assert shapes == {
        **dict.fromkeys((*unary.split(), "WithdrawRecord", "GetActiveRules"), (False, False)),
        **dict.fromkeys(("BatchMatch", "BatchResolve"), (True, True)),
        "WatchPersons": (False, True),
    }
    assert all(hasattr(identity_service_pb2_grpc.IdentityServiceServicer, name) for name in methods)


def test_stewards_get_what_was_agreed() -> None:
    methods = stewardship_service_pb2.DESCRIPTOR.services_by_name["StewardshipService"].methods_by_name
    agreed = "ListReviewTasks ClaimReviewTask ReleaseReviewTask DecideReviewTask PreviewMerge MergePersons"
    assert list(methods) == [*agreed.split(), "UnmergePersons", "SplitPerson"]
    assert not any(method.client_streaming or method.server_streaming for method in methods.values())
    writing = {name for name, method in methods.items() if "request_id" in method.input_type.fields_by_name}
    assert writing == {"DecideReviewTask", "MergePersons", "UnmergePersons", "SplitPerson"}
    for name in writing:
        assert "seen_revision" in methods[name].input_type.fields_by_name
        assert list(methods[name].output_type.fields_by_name) == ["decision", "consistency_token"]
    assert all(hasattr(stewardship_service_pb2_grpc.StewardshipServiceServicer, name) for name in methods)
