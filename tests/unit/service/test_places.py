"""Directories, locks, secrets and ports of a sandbox."""

import os
import socket
import stat
import tempfile
import threading
from pathlib import Path

import pytest

from service.places import PlaceTaken, PlaceUnusable, hold_place, leave_places, make_private_dir, prepare_places
from service.ports import PortTaken, PortWish, require_free_port
from service.secret_files import kept_secret, write_private


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_everything_is_made_private_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        places = prepare_places(tmp_path / "data")
    finally:
        os.umask(before)
        leave_places(places)
    assert {mode(folder) for folder in (places.data_dir, places.secrets, places.logs, places.run)} == {0o700}


def test_sockets_lie_inside_when_the_path_is_short_enough() -> None:
    with tempfile.TemporaryDirectory(dir="/tmp") as short:  # the shortest path there is
        places = prepare_places(Path(short) / "data")
        assert places.socket_dir == places.run


def test_an_existing_directory_keeps_its_mode(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir(mode=0o750)
    leave_places(prepare_places(tmp_path / "data"))
    assert mode(tmp_path / "data") == 0o750


def test_a_directory_that_others_may_write_is_refused(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data").chmod(0o777)
    with pytest.raises(PlaceUnusable, match="may be written by others"):
        prepare_places(tmp_path / "data")


def test_a_link_is_no_directory_of_ours(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir(mode=0o700)
    (tmp_path / "link").symlink_to(tmp_path / "real")
    with pytest.raises(PlaceUnusable):
        make_private_dir(tmp_path / "link")


def test_the_socket_directory_is_the_same_at_every_start(tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 100)
    first, second = prepare_places(deep), prepare_places(deep)
    try:
        assert first.socket_dir == second.socket_dir
        assert mode(first.socket_dir) == 0o700
        assert deep not in first.socket_dir.parents
    finally:
        first.socket_dir.rmdir()


def test_one_holder_at_a_time_and_an_unclean_end_is_noticed(tmp_path: Path) -> None:
    with hold_place(tmp_path) as after_crash:
        assert after_crash is False
        with pytest.raises(PlaceTaken, match=rf"\(process {os.getpid()}\)"), hold_place(tmp_path):
            pass
    with hold_place(tmp_path) as after_crash:
        assert after_crash is False
    (tmp_path / "lock").write_text("12345\n")  # what a killed holder leaves
    with hold_place(tmp_path) as after_crash:
        assert after_crash is True


def test_a_secret_is_random_kept_and_private(tmp_path: Path) -> None:
    one, other = kept_secret(tmp_path, "one"), kept_secret(tmp_path, "other")
    assert len(one) == 43
    assert one != other
    assert kept_secret(tmp_path, "one") == one
    assert mode(tmp_path / "one") == 0o600


def test_a_private_file_is_private_even_when_it_replaces_an_open_one(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("old")
    (tmp_path / "file").chmod(0o644)
    write_private(tmp_path / "file", "new")
    assert (tmp_path / "file").read_text() == "new"
    assert mode(tmp_path / "file") == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize("shared", [False, True])
def test_a_taken_port_names_the_setting(shared: bool) -> None:
    with socket.socket() as listener:
        if shared:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        with pytest.raises(PortTaken) as taken:
            require_free_port(PortWish("127.0.0.1", port, "DINHDANH_PORT"))
    assert str(taken.value) == (
        f"port {port} on 127.0.0.1 is taken by another program: set DINHDANH_PORT to another one"
    )
    require_free_port(PortWish("127.0.0.1", port, "DINHDANH_PORT"))


def test_a_port_just_left_by_the_last_run_is_waited_for() -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    wish = PortWish("127.0.0.1", listener.getsockname()[1], "DINHDANH_PORT")
    leaving = threading.Timer(0.5, listener.close)
    leaving.start()
    require_free_port(wish, patient=True)
    leaving.join()
