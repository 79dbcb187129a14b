"""One frozen Settings, from flags, then the environment (TRIPTYCH_*), then `triptych.toml` in the data folder."""

from __future__ import annotations

import argparse
import ipaddress
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

import platformdirs
from pydantic import Field, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict, TomlConfigSettingsSource

GIB = 2**30
FILE = "triptych.toml"
_MANY = {"origins": "ORIGIN", "trusted_proxy": "ADDRESS"}  # flags that may be given more than once
COMMANDS = "`triptych restore` and `triptych rebuild` look after the database; each has a --help of its own"


def _data_dir() -> Path:
    return platformdirs.user_data_path("triptych", appauthor=False)


class Settings(BaseSettings):
    """What the studio is told when it starts. The descriptions are the help of the flags."""

    model_config = SettingsConfigDict(env_prefix="TRIPTYCH_", frozen=True, extra="forbid")

    host: str = Field("127.0.0.1", description="address to listen on; anything but this machine needs a login")
    port: Annotated[int, Field(ge=0, le=65535)] = Field(7860, description="port to listen on; 0 takes a free one")
    data_dir: Path = Field(default_factory=_data_dir, description="folder of the pictures and the database")
    models_dir: Path | None = Field(None, description="folder of your own models; default: models in data-dir")
    allow_missing: bool = Field(False, description="start although many files of the gallery are missing")
    device: str = Field("auto", pattern=r"^(auto|cpu|mps|cuda(:\d+)?)$", description="auto, cpu, mps, cuda or cuda:N")
    dtype: Literal["auto", "float32", "float16", "bfloat16"] = Field("auto", description="number format of the weights")
    memory: Annotated[float, Field(gt=0)] | None = Field(
        None, description="GiB of device memory to stay within; default: most of what is free"
    )
    compile: bool = Field(
        False, description="torch.compile the denoisers; minutes at the first step, nothing gained on a CPU"
    )
    offload: bool = Field(False, description="keep weights in main memory and move them to the device when needed")
    threads: Annotated[int, Field(ge=1, le=1024)] | None = Field(
        None, description="threads that compute on the CPU; default: one a core"
    )
    auth: str | None = Field(None, description="user:password that must log in")
    users: Path | None = Field(None, description="file of users, a line each: name:password or name:scrypt$...")
    origins: tuple[str, ...] = Field((), description="further origins that may use the API, as https://studio.example")
    trusted_proxy: tuple[str, ...] = Field(
        (), description="address or network of a proxy in front of the studio, whose X-Forwarded-For and -Proto count"
    )
    owner_disk: Annotated[float, Field(gt=0)] = Field(100.0, description="GiB that one person may keep")
    min_free_disk: Annotated[float, Field(ge=0)] = Field(
        1.0, description="GiB that stay free on the disk: nothing is taken in when it is as full as that"
    )
    keep_jobs: Annotated[float, Field(gt=0)] = Field(
        30.0, description="days for which jobs that ended without a picture are listed; pictures stay"
    )
    log: Literal["debug", "info", "warning", "error"] = Field("warning", description="how much is written to the log")

    @classmethod
    def settings_customise_sources(
        cls, settings_cls, init_settings, env_settings, dotenv_settings, file_secret_settings
    ):
        """Flags, environment, file; the file lies in the data folder, which flags and environment may move."""
        folder = init_settings().get("data_dir") or env_settings().get("data_dir") or _data_dir()
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, Path(folder).expanduser() / FILE)

    @field_validator("data_dir", "models_dir", "users")
    @classmethod
    def _whole_path(cls, path: Path | None) -> Path | None:
        return path.expanduser().resolve() if path else path

    @field_validator("auth")
    @classmethod
    def _has_both(cls, auth: str | None) -> str | None:
        if auth is not None and not all(auth.partition(":")[::2]):
            raise ValueError("a name and a password with a colon between them")
        return auth

    @field_validator("trusted_proxy")
    @classmethod
    def _networks(cls, proxies: tuple[str, ...]) -> tuple[str, ...]:
        """As uvicorn reads them: addresses bare, networks without bits of a host."""
        try:
            networks = [ipaddress.ip_network(proxy.strip(), strict=False) for proxy in proxies]
        except ValueError as error:
            raise ValueError("addresses (127.0.0.1) or networks (10.0.0.0/8) of proxies") from error
        if any(network.prefixlen == 0 for network in networks):
            raise ValueError("the proxy's own address: with every address trusted, anybody could claim any")
        single = (network.num_addresses == 1 for network in networks)
        return tuple(str(n.network_address if one else n) for n, one in zip(networks, single, strict=True))

    @model_validator(mode="after")
    def _login_beyond_this_machine(self) -> Settings:
        if not (self.local or self.login):
            raise ValueError(
                f"host {self.host} is reachable from other machines, so everybody there could use this one and its "
                "memory: add --auth name:password or --users FILE, or stay with --host 127.0.0.1"
            )
        return self

    @property
    def local(self) -> bool:
        """Only this machine can reach us."""
        try:
            return self.host == "localhost" or ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False

    @property
    def login(self) -> bool:
        return self.auth is not None or self.users is not None

    @property
    def models(self) -> Path:
        """The folder of the user's own models."""
        return self.models_dir or self.data_dir / "models"

    @property
    def memory_bytes(self) -> int | None:
        """The device memory budget in bytes, None where the worker shall choose."""
        return None if self.memory is None else int(self.memory * GIB)


def load(argv: Sequence[str] | None = None) -> Settings:
    """Settings of the command line `argv`; what is wrong is said in one sentence, with exit status 2."""
    parser = _parser()
    flags = {name: value for name, value in vars(parser.parse_args(argv)).items() if value is not None}
    try:
        return Settings(**flags)
    except ValidationError as error:
        parser.error(_sentence(error))
    except (OSError, ValueError) as error:  # the file cannot be read or is not TOML
        parser.error(f"{FILE} cannot be read: {error}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="app.py", description="Triptych, a studio for pictures in the browser.",
                                     epilog=COMMANDS)  # fmt: skip
    for name, field in Settings.model_fields.items():
        kind: dict = {"metavar": name.upper().replace("_", "-")}
        if field.annotation is bool:
            kind = {"action": argparse.BooleanOptionalAction}
        elif name in _MANY:
            kind = {"action": "append", "metavar": _MANY[name]}
        default = "" if field.default in (None, False, ()) or field.default_factory else f" ({field.default})"
        parser.add_argument(f"--{name.replace('_', '-')}", default=None, help=f"{field.description}{default}", **kind)
    return parser


def _sentence(error: ValidationError) -> str:
    first = error.errors(include_url=False)[0]
    field = str(first["loc"][0]) if first["loc"] else ""
    said = first["msg"].removeprefix("Value error, ").removeprefix("Input should be ").partition(", unable")[0]
    if not field:
        return said
    if first["type"] == "extra_forbidden":
        return f"{FILE} has an unknown name, {field}; known are {', '.join(Settings.model_fields)}"
    got = "a value" if field == "auth" else repr(str(first["input"]))
    return f"--{field.replace('_', '-')}: got {got}, allowed is {_allowed(field, said)}"


def _allowed(field: str, said: str) -> str:
    return "auto, cpu, mps, cuda or cuda:N" if field == "device" else said
