"""`dinhdanh clients …`: an operator's commands about the clients of agencies, and tokens to register them with."""

import json
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from core.settings import load_settings
from service.errors import CommandError
from service.servers import servers_for_command

if TYPE_CHECKING:
    from oidc.api import ClientHealth

app = typer.Typer(help="Clients of agencies.", no_args_is_help=True)
token_app = typer.Typer(
    help="Initial access tokens, with which an agency's programs register clients.", no_args_is_help=True
)
app.add_typer(token_app, name="token")

By = Annotated[str, typer.Option("--by", help="Your name, for the journal; nobody checks it.")]
Client = Annotated[str, typer.Argument(help="The client's identifier.")]
AsJson = Annotated[bool, typer.Option("--json", help="JSON instead of lines.")]


@app.command("list")
def list_command(
    agency: Annotated[str | None, typer.Option(help="Only of this agency, by its code.")] = None,
    as_json: AsJson = False,
) -> None:
    """Every client with its state, its profile, and what of it ends soon."""
    from service.clients import list_clients

    with servers_for_command(load_settings()) as servers:
        found = list_clients(servers.settings, agency)
    if as_json:
        typer.echo(json.dumps({"clients": [_as_json(each) for each in found]}, ensure_ascii=False, indent=2))
        return
    console = Console(highlight=False)
    for each in found:
        soon = f"  {each.soon_what} ends {_day(each.soon_at)}" if each.soon_at else ""
        line = f"{each.client_id}  {each.agency_code}  {each.state}  {each.profile}  {each.name}{soon}"
        console.print(line, soft_wrap=True, markup=False)
    console.print(f"{len(found)} clients.")


@app.command("show")
def show_command(client_id: Client) -> None:
    """One client: everything that is registered, as JSON. Secrets are kept hashed and cannot be shown."""
    from service.clients import show_client

    with servers_for_command(load_settings()) as servers:
        found = show_client(servers.settings, client_id)
    typer.echo(json.dumps({**_as_json(found), "metadata": found.metadata}, ensure_ascii=False, indent=2))


@app.command("suspend")
def suspend_command(
    client_id: Client, reason: Annotated[str, typer.Option(help="Why; stands in the journal.")], by: By
) -> None:
    """Stop a client: within a second everything of it is refused."""
    from service.clients import set_client_state

    with servers_for_command(load_settings()) as servers:
        set_client_state(servers.settings, client_id, "suspended", by=by, reason=reason)
    Console(highlight=False).print(f"The client {client_id} is suspended.")


@app.command("reinstate")
def reinstate_command(client_id: Client, by: By) -> None:
    """Let a suspended client be used again."""
    from service.clients import set_client_state

    with servers_for_command(load_settings()) as servers:
        set_client_state(servers.settings, client_id, "active", by=by, reason="")
    Console(highlight=False).print(f"The client {client_id} is in use again.")


@app.command("end-registration-token")
def end_registration_token_command(client_id: Client, by: By) -> None:
    """End the token that a client manages its registration with: it was lost, or is not needed any more."""
    from service.clients import end_registration_token

    with servers_for_command(load_settings()) as servers:
        end_registration_token(servers.settings, client_id, by=by)
    Console(highlight=False).print(f"The registration token of {client_id} is good for nothing any more.")


@token_app.command("issue")
def issue_command(
    agency: Annotated[str, typer.Option(help="The agency's code.")],
    by: By,
    profile: Annotated[list[str] | None, typer.Option(help="May be repeated; the first is the default.")] = None,
    uses: Annotated[int, typer.Option(help="How many clients, 1 to 100.")] = 1,
    days: Annotated[int, typer.Option(help="For how long, 1 to 90.")] = 7,
    note: Annotated[str, typer.Option(help="What it is for.")] = "",
    seconded_by: Annotated[
        str | None,
        typer.Option(help="A second person, as you say: clients of openid-core are then active at once."),
    ] = None,
) -> None:
    """Print a new initial access token. It is shown this once."""
    from service.clients import TokenWish, issue_token

    wish = TokenWish(agency, tuple(profile or ("fapi2",)), uses, days, note)
    with servers_for_command(load_settings()) as servers:
        token = issue_token(servers.settings, wish, by=by, seconded_by=seconded_by)
    typer.echo(token)


@app.command("trust")
def trust_command(
    issuer: Annotated[str, typer.Argument(help="The `iss` of its software statements.")],
    keys: Annotated[Path, typer.Argument(exists=True, dir_okay=False, readable=True, help="Its JWK set.")],
    by: By,
    agency: Annotated[str | None, typer.Option(help="For registrations of this agency alone.")] = None,
) -> None:
    """Believe a publisher's software statements, signed by these keys."""
    from service.clients import trust_publisher

    jwks = _key_set(keys)
    with servers_for_command(load_settings()) as servers:
        trust_publisher(servers.settings, issuer, jwks, by=by, agency=agency)
    Console(highlight=False).print(f"Software statements of {issuer} are believed.", soft_wrap=True, markup=False)


@app.command("distrust")
def distrust_command(issuer: Annotated[str, typer.Argument(help="The `iss` of its statements.")], by: By) -> None:
    """Believe a publisher's software statements no more."""
    from service.clients import distrust_publisher

    with servers_for_command(load_settings()) as servers:
        distrust_publisher(servers.settings, issuer, by=by)
    Console(highlight=False).print(f"Software statements of {issuer} are refused.", soft_wrap=True, markup=False)


def _key_set(file: Path) -> dict[str, Any]:
    try:
        found = json.loads(file.read_text("utf-8"))
    except ValueError:
        found = None
    if not isinstance(found, dict) or not isinstance(found.get("keys"), list):
        raise CommandError(f"{file.name} is no JWK set")
    return found


def _as_json(each: "ClientHealth") -> dict[str, Any]:
    return {
        "client_id": each.client_id,
        "agency": each.agency_code,
        "name": each.name,
        "state": each.state,
        "profile": each.profile,
        "ends_soon": None if each.soon_at is None else {"what": each.soon_what, "at": each.soon_at.isoformat()},
    }


def _day(at: datetime) -> str:
    return at.date().isoformat()
