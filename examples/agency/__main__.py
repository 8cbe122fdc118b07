"""`python -m examples.agency --sandbox FILE`: checks a beneficiary as a pension office would.

FILE is what `dinhdanh sandbox --json` prints. The signed answers are written to `--file` when it is given.
"""

import argparse
import asyncio
import sys
from pathlib import Path

import httpx

from examples.agency.answers import Answer, AnswerRefused
from examples.agency.provider import Case, LookupRefused, Provider
from examples.agency.settings import Person, read_guide

TIMEOUT_SECONDS = 15


def arguments(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m examples.agency", description="Check a person's data.")
    parser.add_argument("--sandbox", type=Path, required=True, help="output of `dinhdanh sandbox --json`")
    parser.add_argument("--client", default="agency-insurance")
    parser.add_argument("--person", default="An", help="key of a persona")
    parser.add_argument("--purpose", default="benefit-check")
    parser.add_argument("--legal-basis", default="statutory-duty")
    parser.add_argument("--procedure", default="1.001667")
    parser.add_argument("--dossier", default="BHXH-2026-0001")
    parser.add_argument("--match", action="append", metavar="FIELD=VALUE", help="default: life_status=alive")
    parser.add_argument("--fields", nargs="*", default=["life_status"], help="fields to ask for; none: matches only")
    parser.add_argument("--file", type=Path, help="where to add the signed answers")
    return parser.parse_args(argv)


async def check(asked: argparse.Namespace, provider: Provider, person: Person) -> list[Answer]:
    """The smaller question first, then the fields."""
    case = Case(asked.purpose, asked.legal_basis, asked.procedure, asked.dossier, official="clerk-7")
    values = dict(pair.partition("=")[::2] for pair in asked.match or ["life_status=alive"])
    answers = [await provider.matches(person, case, values)]
    if asked.fields:
        answers.append(await provider.records(person, case, asked.fields))
    return answers


def show(answer: Answer) -> None:
    for code, one in answer.fields.items():
        origin = f"  ({one['source']}, as of {one['as_of']})" if "source" in one else ""
        sys.stdout.write(f"{code}: {one.get('result', one.get('value'))}{origin}\n")
    for code in answer.not_held:
        sys.stdout.write(f"{code}: not held\n")
    for code, reason in answer.refused.items():
        sys.stdout.write(f"{code}: not given ({reason})\n")
    sys.stdout.write(f"journal line {answer.journal_line}\n\n")


async def run(asked: argparse.Namespace) -> int:
    try:
        settings, person = read_guide(asked.sandbox, asked.client, asked.person)
        async with httpx.AsyncClient(timeout=TIMEOUT_SECONDS) as http:
            answers = await check(asked, Provider(http, settings), person)
    except (ValueError, LookupRefused, AnswerRefused, httpx.HTTPError) as fault:
        sys.stderr.write(f"{fault or type(fault).__name__}\n")
        return 1
    for answer in answers:
        show(answer)
    if asked.file is not None:
        with asked.file.open("a", encoding="ascii") as file:
            file.writelines(f"{answer.signed}\n" for answer in answers)
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(run(arguments(sys.argv[1:]))))
