"""`mpi person` and `mpi explain`: who somebody is, and why two records are or are not one person.

Numbers of persons show their last four digits only, unless --reveal.
"""

from typing import TYPE_CHECKING, Annotated

import typer

from mpi.cli.options import DEFAULT_RULES, AsJson, Db, RulesName, example

if TYPE_CHECKING:
    from mpi.domain.records import RecordKey

Reveal = Annotated[bool, typer.Option("--reveal", help="Show numbers whole.")]
_RECORD = "A record: its source system and its own id there."


def add_to(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.command(epilog=example("mpi person K7Q-2MD-9XA --db sqlite:///registry.db"))(person)
    app.command(epilog=example("mpi explain student:HS000001 hospital:BN000001 --db sqlite:///registry.db"))(explain)


def person(
    enterprise_id: Annotated[
        str, typer.Argument(metavar="ENTERPRISE_ID", help="Such as K7Q-2MD-9XA; case and dashes do not matter.")
    ],
    db: Db = None,
    rules: RulesName = DEFAULT_RULES,
    reveal: Reveal = False,
    as_json: AsJson = False,
) -> None:
    """Show one person: what is held to be true and why, the records behind it, and what happened.

    An ID that was merged into another leads to the person of today.
    """
    from mpi.app import App
    from mpi.cli.output import print_json, show
    from mpi.cli.persons_shown import person_parts, person_values
    from mpi.services import enquire

    app = App.start()
    model = app.rules(rules, trained=False).model
    with app.open_registry(db, create=False) as registry:
        view = enquire.person(registry, model, enterprise_id)
        history = enquire.history(registry, enterprise_id)
    values = person_values(view, history, model, reveal=reveal)
    if as_json:
        print_json(values)
    else:
        show(*person_parts(values))


def explain(
    left: Annotated[str, typer.Argument(metavar="SOURCE:ID", help=_RECORD)],
    right: Annotated[str, typer.Argument(metavar="SOURCE:ID", help=_RECORD)],
    db: Db = None,
    rules: RulesName = DEFAULT_RULES,
    reveal: Reveal = False,
    as_json: AsJson = False,
) -> None:
    """Explain a pair of records: the evidence in bits, comparison by comparison, and what became of it."""
    from mpi.app import App
    from mpi.cli.output import print_json, show
    from mpi.cli.pair_shown import pair_parts, pair_values
    from mpi.services.explain import explain_pair

    keys = _key(left), _key(right)
    app = App.start()
    model = app.rules(rules).model
    with app.open_registry(db, create=False) as registry:
        found = explain_pair(registry, model, *keys)
    values = pair_values(found, model, reveal=reveal)
    if as_json:
        print_json(values)
    else:
        show(*pair_parts(values))


def _key(text: str) -> "RecordKey":
    from mpi.domain.errors import InvalidInputError
    from mpi.domain.records import RecordKey

    system, colon, local = text.partition(":")
    if not (system and colon and local):
        raise InvalidInputError(f"'{text}' names no record: SOURCE:ID is wanted, such as student:HS000001")
    return RecordKey(system, local)
