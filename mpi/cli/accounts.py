"""`mpi accounts`: who may sign in at the stewards' desk. Passwords are asked for or read, never given as arguments."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mpi.cli.options import AsJson, Db, example

if TYPE_CHECKING:
    from mpi.domain.review import Role
    from mpi.registry.accounts import Account

Name = Annotated[str, typer.Argument(metavar="NAME", help="Small letters a to z, digits, dots and dashes.")]
RoleName = Annotated[str, typer.Option("--role", metavar="ROLE", help="steward, lead, auditor or admin.")]
PasswordFile = Annotated[
    Path | None,
    typer.Option("--password-file", metavar="FILE", help="Its first line is the password.", show_default=False),
]
PasswordStdin = Annotated[
    bool, typer.Option("--password-stdin", help="Standard input's first line is the password; else it is asked for.")
]


def add_to(app: typer.Typer) -> None:
    """Add the commands of this file."""
    group = typer.Typer(help="Who may sign in at the stewards' desk.", no_args_is_help=True)
    group.command(epilog=example("mpi accounts add lan --role steward --db sqlite:///registry.db"))(add)
    group.command("list", epilog=example("mpi accounts list --db sqlite:///registry.db"))(list_all)
    group.command(epilog=example("mpi accounts close lan --db sqlite:///registry.db"))(close)
    group.command(epilog=example("mpi accounts password lan --db sqlite:///registry.db"))(password)
    group.command(epilog=example("mpi accounts token lan --db sqlite:///registry.db"))(token)
    group.command(epilog=example("mpi accounts demo --db sqlite:///demo-desk/registry.db"))(demo)
    app.add_typer(group, name="accounts")


def add(
    name: Name,
    role: RoleName,
    display_name: Annotated[
        str, typer.Option("--display-name", metavar="TEXT", help="What colleagues read.", show_default=False)
    ] = "",
    password_file: PasswordFile = None,
    password_stdin: PasswordStdin = False,
    db: Db = None,
    as_json: AsJson = False,
) -> None:
    """Make an account. Its password is asked for twice, or read from a file or from standard input."""
    from mpi.app import App
    from mpi.cli.output import print_json
    from mpi.services.accounts import NewAccount, add_account

    known, secret = _role(role), _password(password_file, from_stdin=password_stdin)
    with App.start().open_registry(db, create=False) as registry:
        made = add_account(registry, NewAccount(name, known, secret, display_name))
    if as_json:
        print_json(_values(made))
    else:
        typer.echo(f"made the account {made.name} with the role {made.role.value}")


def list_all(db: Db = None, as_json: AsJson = False) -> None:
    """List the accounts, closed ones too."""
    from mpi.app import App
    from mpi.cli.output import moment, plain_table, print_json, show
    from mpi.services.accounts import list_accounts

    with App.start().open_registry(db, create=False) as registry:
        found = list_accounts(registry)
    if as_json:
        print_json([_values(each) for each in found])
        return
    columns = ["account", "shown as", "role", "status", "token", "made"]
    rows = [
        (
            each.name,
            each.display_name,
            each.role.value,
            "active" if each.active else "closed",
            "yes" if each.has_token else "",
            moment(each.created_at),
        )
        for each in found
    ]
    show(plain_table("" if rows else "no accounts yet", columns, rows))


def close(name: Name, db: Db = None, as_json: AsJson = False) -> None:
    """Close an account: nobody signs in with it any more, and who is signed in is sent away. Its name stays taken."""
    from mpi.app import App
    from mpi.services.accounts import close_account

    with App.start().open_registry(db, create=False) as registry:
        ended = close_account(registry, name)
    _tell_ended(f"closed the account {name}", name, ended, as_json=as_json)


def password(
    name: Name,
    password_file: PasswordFile = None,
    password_stdin: PasswordStdin = False,
    db: Db = None,
    as_json: AsJson = False,
) -> None:
    """Give an account another password; its sessions end, and a wait after wrong passwords is over."""
    from mpi.app import App
    from mpi.services.accounts import change_password

    secret = _password(password_file, from_stdin=password_stdin)
    with App.start().open_registry(db, create=False) as registry:
        ended = change_password(registry, name, secret)
    _tell_ended(f"changed the password of {name}", name, ended, as_json=as_json)


def token(name: Name, db: Db = None, as_json: AsJson = False) -> None:
    """Make a token with which the account's programs call StewardshipService; the old one is void. It is shown once."""
    from mpi.app import App
    from mpi.cli.output import print_json
    from mpi.services.accounts import issue_token

    with App.start().open_registry(db, create=False) as registry:
        made = issue_token(registry, name)
    if as_json:
        print_json({"account": name, "token": made})
    else:
        typer.echo(made)


def demo(db: Db = None, as_json: AsJson = False) -> None:
    """Make an account of every role for trying the desk, with passwords of chance; refused where there are accounts."""
    from mpi.app import App
    from mpi.cli.output import plain_table, print_json, show
    from mpi.services.accounts import add_demo_accounts

    with App.start().open_registry(db, create=False) as registry:
        made = add_demo_accounts(registry)
    rows = [(each.name, each.role.value, secret) for each, secret in made]
    if as_json:
        print_json([dict(zip(("account", "role", "password"), row, strict=True)) for row in rows])
    else:
        show(plain_table("", ["account", "role", "password"], rows))


def _role(text: str) -> "Role":
    from mpi.domain.errors import InvalidInputError
    from mpi.domain.review import Role

    try:
        return Role(text)
    except ValueError:
        known = ", ".join(role.value for role in Role)
        raise InvalidInputError(f"--role: there is no role '{text}'; the roles are {known}") from None


def _password(path: Path | None, *, from_stdin: bool) -> str:
    from mpi.domain.errors import InvalidInputError

    if path is not None and from_stdin:
        raise InvalidInputError("--password-file and --password-stdin exclude each other")
    if path is not None:
        return _first_line(path.read_bytes())
    if from_stdin:
        return _first_line(sys.stdin.buffer.readline())
    if not sys.stdin.isatty():
        raise InvalidInputError("nobody can be asked for the password here: give --password-file or --password-stdin")
    return str(typer.prompt("Password", hide_input=True, confirmation_prompt=True, err=True))


def _first_line(content: bytes) -> str:
    from mpi.domain.errors import InvalidInputError

    try:
        return content.decode().partition("\n")[0].removesuffix("\r")
    except UnicodeDecodeError:
        raise InvalidInputError("the password is no UTF-8 text") from None


def _tell_ended(done: str, name: str, ended: int, *, as_json: bool) -> None:
    from mpi.cli.output import print_json

    if as_json:
        print_json({"account": name, "sessions_ended": ended})
    else:
        typer.echo(f"{done}; sessions ended: {ended}")


def _values(account: "Account") -> dict[str, object]:
    return {
        "account": account.name,
        "display_name": account.display_name,
        "role": account.role.value,
        "active": account.active,
        "has_token": account.has_token,
        "language": account.language,
        "created_at": account.created_at,
    }
