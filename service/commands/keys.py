"""`dinhdanh keys …`: the provider's signing keys, and the key-encryption keys in a hardware token."""

import json
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from core.settings import load_settings, require_for
from service.errors import CommandError
from service.servers import servers_for_command

if TYPE_CHECKING:
    from oidc.api import Acted, KeyShown

app = typer.Typer(help="Signing keys, and key-encryption keys in a hardware token.", no_args_is_help=True)


@app.command("list")
def list_command(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object instead of lines.")] = False,
) -> None:
    """Every signing key there ever was: what it does now, and its times."""
    from service.signing_keys import list_keys

    with servers_for_command(load_settings()) as servers:
        shown = list_keys(servers.settings)
    if as_json:
        typer.echo(json.dumps({"keys": [_as_json(each) for each in shown]}, indent=2))
        return
    console = Console(highlight=False)
    for each in shown:
        console.print(_line(each), soft_wrap=True, markup=False)


@app.command("rotate")
def rotate_command(
    alg: Annotated[list[str] | None, typer.Option(help="Only this algorithm; may be repeated.")] = None,
) -> None:
    """Publish the next key of each algorithm; it signs a day later, the present one stays published a week more."""
    from oidc.api import KEY_ALGORITHMS
    from service.signing_keys import rotate_keys

    with servers_for_command(load_settings()) as servers:
        acted = rotate_keys(servers.settings, alg or list(KEY_ALGORITHMS))
    _tell(acted)


# A kid is base64url and may begin with a dash.
@app.command("revoke", context_settings={"ignore_unknown_options": True})
def revoke_command(
    reason: Annotated[str, typer.Option(help="Why; stands in the journal.")],
    kid: Annotated[list[str] | None, typer.Argument(help="The keys to revoke.")] = None,
    every: Annotated[bool, typer.Option("--all", help="Every key that is published.")] = False,
) -> None:
    """Emergency: end keys at once. What they signed is refused within a second; fresh keys sign from now."""
    from service.signing_keys import revoke_keys

    if bool(kid) == every:
        raise CommandError("name the keys to revoke, or say --all")
    with servers_for_command(load_settings()) as servers:
        acted = revoke_keys(servers.settings, None if every else kid, reason)
    _tell(acted)


@app.command("kek-add")
def kek_add_command() -> None:
    """Make a key-encryption key in the hardware token; processes that start from now on wrap with it."""
    from service.key_files import hardware_place

    place = hardware_place(load_settings())
    if place is None:
        raise CommandError("DINHDANH_PKCS11_MODULE, DINHDANH_PKCS11_TOKEN and DINHDANH_PKCS11_PIN_FILE must be set")
    Console(highlight=False).print(f"Made {place.open().add_kek()} in the token. Now run `dinhdanh keys kek-rewrap`.")


@app.command("kek-rewrap")
def kek_rewrap_command() -> None:
    """Wrap every data key anew under the newest key-encryption key (as the database's owner)."""
    from service.rewrap import rewrap_data_keys

    settings = load_settings()
    require_for(settings, "migrate")
    with servers_for_command(settings) as servers:
        done, active = rewrap_data_keys(servers.settings)
    Console(highlight=False).print(f"{done} data keys wrapped anew; all are under {active}.", soft_wrap=True)


def _tell(acted: "Acted") -> None:
    console = Console(highlight=False)
    for kid in acted.ended:
        console.print(f"revoked    {kid}", soft_wrap=True, markup=False)
    for kid in acted.made:
        console.print(f"published  {kid}", soft_wrap=True, markup=False)


def _line(shown: "KeyShown") -> str:
    times = shown.times
    where = "token" if times.token_label else "erased" if times.erased else "sealed"
    told = [f"{shown.state:<8}", f"{times.alg:<6}", times.kid, where, f"signs from {_day(times.active_at)}"]
    if times.revoked_at is not None:
        told.append(f"revoked {_day(times.revoked_at)}")
    elif times.retired_at is not None:
        told.append(f"published until {_day(times.retired_at)}")
    return "  ".join(told)


def _as_json(shown: "KeyShown") -> dict[str, str | None]:
    times = shown.times
    return {
        "kid": times.kid,
        "alg": times.alg,
        "state": shown.state,
        "in": "token" if times.token_label else None if times.erased else "vault",
        "published_at": times.published_at.isoformat(),
        "active_at": times.active_at.isoformat(),
        "retired_at": times.retired_at.isoformat() if times.retired_at else None,
        "revoked_at": times.revoked_at.isoformat() if times.revoked_at else None,
    }


def _day(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M UTC")
