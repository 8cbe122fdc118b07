"""What `dinhdanh up` and `dinhdanh sandbox` print: what to open and whom to sign in as."""

from collections.abc import Mapping

from rich.console import Console
from rich.text import Text

from service.sandbox_guide import PersonaGuide, Sandbox


def show_welcome(console: Console, sandbox: Sandbox) -> None:
    """Addresses, people, how to go on."""
    console.print()
    console.print(Text("Định Danh is running.", style="bold green"))
    show_addresses(console, sandbox)
    console.print()
    show_people(console, sandbox)
    console.print("One-time codes come from any authenticator app, or from `dinhdanh sandbox`, which prints this")
    console.print("table again with the code of the moment. Ctrl-C stops everything; the data stay.")


def show_addresses(console: Console, sandbox: Sandbox) -> None:
    """What a browser can open."""
    for label, address in (
        ("Demo portal (start here)", f"{sandbox.portal}/"),
        ("My data, for citizens", f"{sandbox.issuer}/me"),
        ("Desk, for officials", f"{sandbox.issuer}/official"),
        ("For developers", f"{sandbox.issuer}/.well-known/openid-configuration"),
        ("Last requests of a client", f"{sandbox.issuer}/sandbox/clients"),
    ):
        console.print(f"  {label:<26}{address}", soft_wrap=True)


def show_people(console: Console, sandbox: Sandbox, codes: Mapping[str, str] | None = None) -> None:
    """The personas, two lines each: what must be copied is never cut off, however narrow the terminal.

    codes: one-time code of this moment by persona key; without it the secret for an authenticator is shown.
    """
    second_factor = "secret for an authenticator" if codes is None else "one-time code of this moment"
    console.print(Text(f"People (all synthetic): number, password, {second_factor}", style="bold underline"))
    officials = {official.persona: official for official in sandbox.officials}
    for person in sandbox.personas:
        special = person.special_en
        if person.key in officials:
            special = f"official ({officials[person.key].agency}); {special}"
        heading = Text.assemble((person.name, "bold"), f" · {_level(person)} · {special}")
        console.print(heading, soft_wrap=True)
        second = person.totp_secret if codes is None else codes.get(person.key)
        known = [person.number, person.password, second]
        console.print(Text("    " + "  ".join(each for each in known if each), style="cyan"), soft_wrap=True)
    console.print()


def _level(person: PersonaGuide) -> str:
    if person.level == 0:
        return "no account"
    return f"level {person.level}, locked" if person.locked else f"level {person.level}"
