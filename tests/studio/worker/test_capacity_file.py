from studio.worker.capacity_file import ACTIVATIONS, CapacityFile

KEY = ("step", "sprite", 64)


def test_what_was_learned_is_there_after_a_restart(tmp_path):
    first = CapacityFile(str(tmp_path), "CPU, 2 threads", 1000)
    first.capacity.shrink(KEY, 8)
    first.save()
    again = CapacityFile(str(tmp_path), "CPU, 2 threads", 2000)
    assert again.capacity.rows(KEY) == 4
    assert again.capacity.memory_budget == int(2000 * ACTIVATIONS)
    assert CapacityFile(str(tmp_path), "another device", 0).capacity.rows(KEY) == again.capacity.row_cap


def test_nothing_is_written_where_nothing_was_learned_and_damage_is_forgiven(tmp_path):
    CapacityFile(str(tmp_path), "cpu", 0).save()
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "learned-cpu.json").write_bytes(b"\xff\x00 no json")
    CapacityFile(str(tmp_path), "cpu", 0).save()


def test_a_folder_that_cannot_be_written_to_is_no_reason_to_stop(tmp_path):
    (tmp_path / "file").write_text("")
    kept = CapacityFile(str(tmp_path / "file"), "cpu", 0)
    kept.capacity.shrink(KEY, 8)
    kept.save()
    kept = CapacityFile(None, "cpu", 0)
    kept.capacity.shrink(KEY, 8)
    kept.save()
