"""`dinhdanh sandbox`: the people and clients of the sandbox, for people and (with --json) for programs."""

import json
from datetime import datetime
from typing import Annotated

import pyotp
import typer
from rich.console import Console

from core.settings import load_settings
from service.errors import CommandError
from service.sandbox_guide import Sandbox


def sandbox_command(
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead of a table.")] = False,
    conformance: Annotated[
        str, typer.Option(metavar="PLAN", help="Print the OpenID conformance suite's configuration for a plan.")
    ] = "",
) -> None:
    """Show whom to sign in as (with the one-time codes of this moment) and the registered clients."""
    settings = load_settings()
    if not settings.sandbox:
        raise CommandError("there are no sandbox people outside sandbox mode")
    from service.compose import clock_of
    from service.sandbox import guide
    from service.welcome import show_addresses, show_people

    sandbox = guide(settings)
    if conformance:
        from service.sandbox_suite import suite_configuration

        configuration = suite_configuration(sandbox, conformance, settings.mtls_base)
        typer.echo(json.dumps(configuration, ensure_ascii=False, indent=2))
        return
    if as_json:
        typer.echo(json.dumps(sandbox.as_json(), ensure_ascii=False, indent=2))
        return
    console = Console(highlight=False)
    show_addresses(console, sandbox)
    show_people(console, sandbox, _codes_now(sandbox, clock_of(settings).now()))
    for client in sandbox.clients:
        console.print(f"Client {client.client_id}: {client.name} ({client.auth_method})", soft_wrap=True)


def _codes_now(sandbox: Sandbox, moment: datetime) -> dict[str, str]:
    """The one-time code (RFC 6238) of this moment for each person who has a second factor."""
    return {
        person.key: pyotp.TOTP(person.totp_secret).at(moment)
        for person in sandbox.personas
        if person.totp_secret is not None
    }
