"""Flags over environment over file, and one sentence for what is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from studio.settings import Settings, load


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TRIPTYCH_DATA_DIR", str(tmp_path))
    return tmp_path


def refusal(capsys: pytest.CaptureFixture, *argv: str) -> str:
    with pytest.raises(SystemExit) as ended:
        load(argv)
    assert ended.value.code == 2
    return capsys.readouterr().err.splitlines()[-1]


def test_defaults():
    settings = load([])
    assert (settings.host, settings.port, settings.local, settings.login) == ("127.0.0.1", 7860, True, False)
    assert settings.memory_bytes is None


def test_flags_over_environment_over_file(home, monkeypatch):
    (home / "triptych.toml").write_text('port = 1\ndevice = "cpu"\nlog = "info"\norigins = ["https://a.example"]\n')
    monkeypatch.setenv("TRIPTYCH_PORT", "2")
    monkeypatch.setenv("TRIPTYCH_DEVICE", "mps")
    settings = load(["--port", "3", "--compile"])
    assert (settings.port, settings.device, settings.log, settings.compile) == (3, "mps", "info", True)
    assert settings.origins == ("https://a.example",)


def test_the_file_lies_in_the_data_folder_of_the_flags(tmp_path):
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "triptych.toml").write_text("port = 9\n")
    assert load(["--data-dir", str(tmp_path / "other")]).port == 9


def test_models_lie_in_the_data_folder_unless_told(home):
    assert load([]).models == home / "models"
    assert load(["--models-dir", "/else"]).models == Path("/else")


def test_memory_is_in_gib():
    assert load(["--memory", "1.5"]).memory_bytes == 3 * 2**29


def test_settings_do_not_change():
    with pytest.raises(ValidationError):
        load([]).port = 1


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.9.1", "::1", "localhost"])
def test_addresses_of_this_machine_need_no_login(host):
    assert load(["--host", host]).local


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "studio.example"])
def test_other_addresses_need_one_and_the_reason_is_said(capsys, host):
    said = refusal(capsys, "--host", host)
    assert "reachable from other machines" in said
    assert "--auth" in said
    assert not load(["--host", host, "--auth", "ann:x"]).local


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["--port", "70000"], "--port: got '70000', allowed is less than or equal to 65535"),
        (["--port", "x"], "--port: got 'x', allowed is a valid integer"),
        (["--device", "tpu"], "--device: got 'tpu', allowed is auto, cpu, mps, cuda or cuda:N"),
        (["--dtype", "int8"], "--dtype: got 'int8', allowed is 'auto', 'float32', 'float16' or 'bfloat16'"),
        (["--memory", "0"], "--memory: got '0', allowed is greater than 0"),
        (["--auth", "secretwithoutcolon"], "--auth: got a value, allowed is a name and a password with a colon"),
        (["--trusted-proxy", "*"], "--trusted-proxy: got \"['*']\", allowed is addresses (127.0.0.1) or networks"),
        (["--trusted-proxy", "0.0.0.0/0"], "anybody could claim any"),
        (["--nonsense"], "unrecognized arguments: --nonsense"),
    ],
)
def test_wrong_flags_get_one_sentence(capsys, argv, said):
    assert said in refusal(capsys, *argv)


def test_passwords_are_not_printed(capsys):
    assert "secretwithoutcolon" not in refusal(capsys, "--auth", "secretwithoutcolon")


def test_a_wrong_file_is_named(capsys, home):
    (home / "triptych.toml").write_text("prot = 1\n")
    assert "triptych.toml has an unknown name, prot" in refusal(capsys)
    (home / "triptych.toml").write_text("= nonsense\n")
    assert "triptych.toml cannot be read" in refusal(capsys)


def test_the_help_names_every_flag(capsys):
    with pytest.raises(SystemExit):
        load(["--help"])
    said = capsys.readouterr().out
    assert all(f"--{name.replace('_', '-')}" in said for name in Settings.model_fields)
