"""What `dinhdanh up` and `dinhdanh sandbox` print: what to open and whom to sign in as."""

from rich.console import Console
from rich.table import Table
from rich.text import Text

from core.settings import Settings
from service.sandbox_guide import Sandbox


def show_welcome(console: Console, settings: Settings, sandbox: Sandbox) -> None:
    """Addresses, people, how to go on."""
    console.print()
    console.print(Text("Định Danh is running.", style="bold green"))
    for label, address in addresses(settings).items():
        console.print(f"  {label:<26}{address}", soft_wrap=True)
    console.print()
    show_people(console, sandbox)
    console.print("One-time codes come from any authenticator app; `dinhdanh sandbox` prints this table again")
    console.print("and the code of this moment for each person. Ctrl-C stops everything; the data stay.")


def addresses(settings: Settings) -> dict[str, str]:
    """What a browser can open."""
    return {
        "Demo portal (start here)": f"http://localhost:{settings.portal_port}/",
        "My data (citizens)": f"{settings.issuer}/me",
        "Desk (officials)": f"{settings.issuer}/official",
        "Discovery (developers)": f"{settings.issuer}/.well-known/openid-configuration",
    }


def show_people(console: Console, sandbox: Sandbox, codes: dict[str, str] | None = None) -> None:
    """The table of personas. codes: one-time code of this moment by persona key."""
    table = Table(title="People to sign in as (all synthetic)", title_justify="left", header_style="bold")
    for column in ("Name", "Number", "Password", "Code now" if codes is not None else "Code secret"):
        table.add_column(column, no_wrap=True)
    table.add_column("What to try")
    for person in sandbox.personas:
        second = codes.get(person.key) if codes is not None else person.totp_secret
        table.add_row(person.name, person.number, person.password or "—", second or "—", person.note)
    console.print(table)
