"""What commands have in common."""

from __future__ import annotations

import pytest
import typer
from typer.testing import CliRunner

from masthead.cli.client import Client
from masthead.cli.options import Target, asks_server, pairs, segment


def test_pairs_are_split_at_the_first_equals_sign():
    """A value may hold more of them, or nothing; the last of the same key wins."""
    assert pairs(["a=1", "b=x=y", "c=", "a=2"], option="--detail") == {"a": "2", "b": "x=y", "c": ""}
    assert pairs(None, option="--detail") == {}


@pytest.mark.parametrize("text", ["nothing", "=value", ""])
def test_a_pair_without_key_or_equals_sign_is_wrong_usage(text):
    """The message shows what was written and what to write."""
    with pytest.raises(typer.BadParameter, match="write key=value"):
        pairs([text], option="--detail")


@pytest.fixture
def runner():
    app = typer.Typer()

    @app.callback()
    def _options(context: typer.Context) -> None:
        context.obj = Target("http://before", "ann")

    @app.command()
    @asks_server
    def ask(client: Client, text: str = "nothing") -> None:
        """Say whom it would ask."""
        typer.echo(f"{client.server} {client._user} {text}")

    return lambda *arguments: CliRunner().invoke(app, ["ask", *arguments]).output


def test_a_command_asks_the_server_that_stands_before_it(runner):
    """Or that of the environment, or the default."""
    assert runner("--text", "hello") == "http://before ann hello\n"


def test_a_server_and_user_after_the_command_win(runner):
    """People write options where they remember them."""
    assert runner("--server", "http://after", "--user", "bob") == "http://after bob nothing\n"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--text", "\udcff"], "Invalid value for --text: it is not UTF-8 text"),
        (["--user", "a\nb"], "the name holds a character that cannot be printed"),
        (["--user", "\udcff"], "Invalid value for --user: it is not UTF-8 text"),
    ],
)
def test_text_that_cannot_be_sent_is_wrong_usage(runner, arguments, sentence):
    """It names the option; nothing was asked."""
    said = " ".join(runner(*arguments).replace("│", " ").split())
    assert "Usage:" in said
    assert sentence in said


def test_a_name_is_asked_for_under_its_own_address_only():
    """A slash or nothing at all would lead to another address."""
    assert segment("my.app") == "my.app"
    for text in ("../tasks", "", "  ", "a/b"):
        with pytest.raises(typer.BadParameter):
            segment(text)
