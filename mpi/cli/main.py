"""The `mpi` command: its groups put together, and the one place where errors become a line and an exit code.

Commands import what they need when they run, so that help comes at once.
"""

import os
import sys
from collections.abc import Sequence
from typing import Annotated

import typer
from typer import exceptions

import mpi
from mpi.cli import accounts, accuracy, city, database, exports, linking, people, rules, serve
from mpi.cli.errors import BAD_INPUT, BROKEN_PIPE, INTERRUPTED, say, tell

app = typer.Typer(
    name="mpi",
    help="A master patient index: finds which records of many systems are one person, and says why.",
    no_args_is_help=True,
    invoke_without_command=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    rich_markup_mode="rich",
)


@app.callback()
def _version(
    version: Annotated[bool, typer.Option("--version", help="Show the version and exit.", is_eager=True)] = False,
) -> None:
    if version:
        typer.echo(f"mpi {mpi.__version__}")
        raise typer.Exit


city.add_to(app)
linking.add_to(app)
accuracy.add_to(app)
exports.add_to(app)
people.add_to(app)
rules.add_to(app)
database.add_to(app)
accounts.add_to(app)
serve.add_to(app)


def run(arguments: Sequence[str]) -> int:
    """Run one command and give its exit code; says in one line what went wrong."""
    as_json = "--json" in arguments
    try:
        result = app(list(arguments), prog_name="mpi", standalone_mode=False)
        sys.stdout.flush()
    except exceptions.TyperException as error:
        return _usage(error, as_json=as_json)
    except typer.Abort:
        return tell(KeyboardInterrupt(), as_json=as_json)
    except BrokenPipeError:
        # Python would complain once more when it closes standard output.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BROKEN_PIPE
    except (Exception, KeyboardInterrupt) as error:
        return tell(error, as_json=as_json)
    code = result if isinstance(result, int) else 0
    return tell(KeyboardInterrupt(), as_json=as_json) if code == INTERRUPTED else code


def _usage(error: exceptions.TyperException, *, as_json: bool) -> int:
    """Wrong options: what is wrong, and which help to read. A group named without a command shows its help."""
    context = getattr(error, "ctx", None)
    command = context.command_path if context is not None else "mpi"
    if type(error).__name__ == "NoArgsIsHelpError":
        sys.stderr.write(f"{error.format_message()}\n")
        return BAD_INPUT
    message = f"{error.format_message().rstrip('.')} (see: {command} --help)"
    return say(message, BAD_INPUT, reason="INVALID_INPUT", as_json=as_json)


def main() -> None:
    """Entry point of the `mpi` command."""
    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
