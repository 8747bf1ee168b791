"""The command line: what there is, by name. A command's module is imported when it is used, and not before."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any, NoReturn

import click

from boxroom.loading import load

for _unwanted in ("rich", "pygments"):
    # structlog loads these, where they are installed, for command lines and tracebacks of their own: 5 MiB in
    # a server that never prints a table. `printing` lifts this when it does.
    sys.modules.setdefault(_unwanted, None)  # type: ignore[arg-type]  # which means: not to be imported

COMMANDS: dict[str, tuple[str, str]] = {
    "init": ("serving:init", "Set up a studio in an empty folder."),
    "serve": ("serving:serve", "Be on the net: pages, posts in and out, until stopped."),
    "worker": ("serving:worker", "Help a busy server that keeps everything in PostgreSQL."),
    "demo": ("demonstrate:demo", "Run several studios on this machine that know each other."),
    "status": ("operate:status", "Show how this server is doing, and what waits for whom."),
    "whoami": ("people:whoami", "Show whose studio this is."),
    "profile": ("profile:profile", "Show what you say about yourself, or change it."),
    "feed": ("posts:read_feed", "Show what those you follow have said."),
    "notifications": ("posts:read_notifications", "Show what concerns you."),
    "thread": ("posts:read_thread", "Show what was said before and after a post."),
    "outbox": ("posts:read_outbox", "Show what you published, and where each post has got to."),
    "lookup": ("people:lookup", "Find somebody or something by address or URL."),
    "who": ("finding:who", "Find somebody who can do something, among those you know and those whom they know."),
    "search": ("finding:search", "Find what was said, by its words, in all that you may read."),
    "follow": ("people:follow", "Ask to hear from somebody."),
    "unfollow": ("people:unfollow", "Stop hearing from somebody."),
    "followers": ("people:followers", "List who hears from you, and who asked to."),
    "following": ("people:following", "List whom you hear from."),
    "approve": ("people:approve", "Let somebody follow you who asked for it."),
    "reject": ("people:reject", "Refuse somebody who asks to follow you, or send a follower away."),
    "block": ("people:block", "Have nothing to do with somebody, or with a whole server."),
    "unblock": ("people:unblock", "Lift a block."),
    "post": ("posts:publish", "Say something."),
    "edit": ("posts:change", "Replace the words of one of your posts."),
    "delete": ("posts:take_back", "Take one of your posts back, everywhere."),
    "boost": ("posts:pass_on", "Show somebody's post to those who follow you."),
    "like": ("posts:praise", "Tell somebody that you like what they said."),
    "offer": ("offers:offer", "Offer work, look for help, answer offers."),
    "agreement": ("agreements:agreement", "See what you agreed on, check it, say that it is done."),
    "endorse": ("endorsements:endorse", "Vouch for somebody's skill, or take that back."),
    "endorsements": ("endorsements:about", "List who vouches for somebody, each checked."),
    "endorsement": ("endorsements:endorsement", "Check an endorsement without any network; ask for one."),
    "trust": ("endorsements:trust", "Tell how you know somebody."),
    "project": ("projects:project", "Share a room with people on other servers."),
    "commitments": ("commitments:show_all", "List what you said you would do for others, and they for you"),
    "commitment": ("commitments:commitment", "Promise something, hold others to what they did."),
    "move": ("moving:move", "Go on as ADDRESS, on another server, and ask those who follow you to follow that."),
    "import": (
        "moving:bring",
        "Bring along what Mastodon exports: the archive of your posts, or whom you follow or block.",
    ),
    "reports": ("reports:reports", "List what other servers complain of, and say what is done."),
    "replay": ("operate:replay", "Try again what could not be taken in."),
    "drop": ("operate:drop", "Let go of what could not be taken in."),
    "catch-up": ("operate:catch_up", "Ask everybody what they said while this server slept."),
    "buddy": ("buddies:buddy", "Have somebody hold your mail while your server sleeps, or hold theirs."),
    "wake": ("operate:wake", "Try a server again that was given up."),
    "rotate": ("operate:rotate", "Make new keys for everybody who lives here."),
    "password": ("profile:password", "Set a new password, and log out everywhere."),
    "recover": ("profile:recover", "Prove that you are who lived at another address."),
    "doctor": ("operate:doctor", "Examine this server, and say what to do."),
    "backup": ("operate:backup", "Save everything into one encrypted file."),
    "restore": ("operate:restore", "Bring a backup back into an empty folder."),
    "export": ("operate:export", "Write everything you said and whom you know into one JSON file."),
    "migrate": ("operate:migrate", "Bring the database up to date with this program."),
}
USAGE = 2  # the exit status for what cannot be understood; 1 is for what cannot be done


class CommandLine(click.Group):
    """Commands by name, imported when used; every error is one line."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, _, attribute = COMMANDS[cmd_name][0].partition(":")
        found: click.Command = getattr(load(f"boxroom.cli.{module}"), attribute)
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary) for name, (_, summary) in COMMANDS.items()])

    def main(self, *args: Any, **extra: Any) -> NoReturn:
        """Run, and exit with 0, 1 if it cannot be done, 2 if it cannot be understood."""
        os.umask(0o077)  # whatever this program writes is for its own user alone: there are private keys in it (P-079)
        try:
            sys.exit(super().main(*args, **{**extra, "standalone_mode": False}) or 0)
        except click.UsageError as error:
            where = error.ctx.command_path if error.ctx else "boxroom"
            _complain(f"{error.format_message().rstrip('.')}. See `{where} --help`.", USAGE)
        except click.ClickException as error:
            _complain(error.format_message(), 1)
        except click.Abort:
            _complain("stopped", 130)


def _complain(text: str, status: int) -> NoReturn:
    click.echo(f"boxroom: {' '.join(text.split())}", err=True)
    sys.exit(status)


def _keep(name: str) -> Any:
    def keep(ctx: click.Context, _: click.Parameter, value: Any) -> None:
        if value is not None and value is not False:
            ctx.meta[f"boxroom.{name}"] = value

    return keep


def data_option() -> click.Option:
    """``--data``, as it is accepted before and after a command's name."""
    return click.Option(
        ["--data"],
        metavar="DIR",
        type=click.Path(path_type=Path, file_okay=False),
        expose_value=False,
        callback=_keep("data"),
        help="Where this studio's data are kept: ./data, unless BOXROOM_DATA says otherwise.",
    )


def json_option() -> click.Option:
    return click.Option(
        ["--json"], is_flag=True, expose_value=False, callback=_keep("json"), help="Print one JSON document."
    )


def as_option() -> click.Option:
    return click.Option(
        ["--as"],
        metavar="HANDLE",
        expose_value=False,
        callback=_keep("as"),
        help="Who does it, where several live here; otherwise whoever came first.",
    )


def data_folder() -> Path:
    """The folder that the command line names, or the environment, or ``./data``."""
    named = click.get_current_context().meta.get("boxroom.data")
    return Path(named or os.environ.get("BOXROOM_DATA") or "data")


main = CommandLine(
    "boxroom",
    params=[data_option()],
    help="A studio's server in a federation of freelancers: posts, offers, endorsements, projects.",
)
