"""`controller-tool device flash`: from bare boards to commissioned controllers (host)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from controller_tool.cli import commissioning
from controller_tool.cli.common import App, ToolCommand, pairs, pass_app, plain, table
from controller_tool.cli.narrator import Narrator
from controller_tool.messages import t

if TYPE_CHECKING:
    from controller_tool.services.boards import Board
    from controller_tool.services.commission import Plan
    from controller_tool.services.flash import Flashed
    from controller_tool.services.images import Image
    from controller_tool.services.provision import Request


@click.command(
    "flash",
    cls=ToolCommand,
    help=t(
        "From a bare board to a working controller: MicroPython, firmware and identity, one"
        " session. What is on the board is erased. With --batch: several at once."
    ),
)
@click.argument("name", required=False)
@click.option("--port", metavar="ADDRESS", help=t("Serial port or sim://NAME"))
@click.option("--board", help=t("Kind of board, see: board list"))
@click.option("--batch", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
              help=t("A .csv or .toml file: name, port and board of each controller"))  # fmt: skip
@click.option("--image", type=click.Path(path_type=Path),
              help=t("MicroPython's .bin file; else what `board fetch` brought"))  # fmt: skip
@click.option("--trust-image", is_flag=True, help=t("Take an image that board.toml does not name"))
@click.option("--baud", type=int, default=460800, show_default=True, help=t("Speed of the cable"))
@commissioning.options
@commissioning.taps_option
@commissioning.record_option
@commissioning.dry_run_option
@pass_app
def flash(
    app: App, /, batch: Path | None, image: Path | None, trust_image: bool, baud: int,
    dry_run: bool, sheet: Path | None, **asked: Any,
) -> None:  # fmt: skip
    """Erases what is on the board."""
    from controller_tool.services import boards, commission, images  # noqa: PLC0415 - slow

    def image_of(board: Board) -> Image:
        found = images.choose(image, board, trust_image)
        if found.word == images.UNCONFIRMED:
            app.note(unconfirmed(board.name))
        return found

    _require(batch, asked, dry_run or sheet is not None)
    for needed in ("name", "port", "board"):
        asked[needed] = asked[needed] or ""
    request = commissioning.request(asked)
    if batch is not None:
        _batch(app, batch, request, image_of, baud)
        return
    read = image_of(boards.show(request.board))
    with app.progress() as progress:
        narrator = Narrator(app, request.name, progress)
        if dry_run:
            plan = commission.plan(app.site, request, read, narrator, baud)
        else:
            done = commission.commission(app.site, request, read, narrator, baud)
    if dry_run:
        app.show(plan, _plan(plan))
        return
    more = _flashed(done.flashed) if done.flashed else []
    commissioning.show(app, plain(done), done.provisioned, more, sheet)


def unconfirmed(board: str) -> str:
    """What is said of a digest that nobody compared with the vendor's page."""
    return t(
        "{board}: the image has the SHA-256 of board.toml; nobody compared that one with the"
        " vendor's page yet",
        board=board,
    )


def _require(batch: Path | None, asked: dict[str, Any], one_only: bool) -> None:
    """Usage that click cannot tell by itself."""
    if batch is None:
        missing = [f"--{name}" for name in ("port", "board") if not asked[name]]
        if not asked["name"] or missing:
            raise click.UsageError(t("Give NAME, --port and --board; or --batch FILE"))
        return
    if asked["name"] or asked["port"] or asked["again"] or asked["taps"] or one_only:
        raise click.UsageError(
            t("--batch goes without NAME, --port, --again, --taps, --record and --dry-run")
        )


def _batch(app: App, file: Path, base: Request, image_of: Any, baud: int) -> None:
    from controller_tool.services import flash_batch  # noqa: PLC0415 - slow to import

    words = {
        flash_batch.DONE: t("in service"),
        flash_batch.SKIPPED: t("was done already"),
        flash_batch.FAILED: t("FAILED"),
    }
    requests = flash_batch.read(file, base)
    with app.progress() as progress:

        def narrator(name: str) -> Narrator:
            return Narrator(app, name, lambda _, done, total: progress(name, done, total))

        outcomes = flash_batch.run(app.site, requests, image_of, narrator, baud)
    shown = [
        (one.device, one.port, words[one.state], one.sheet or "",
         t("{seconds:.1f} s", seconds=one.done.provisioned.seconds) if one.done else "")
        for one in outcomes
    ]  # fmt: skip
    columns = [t("controller"), t("at port"), t("result"), t("record"), t("took")]
    app.show([{**plain(one), "ok": one.ok} for one in outcomes], table(columns, shown))
    failed = [one for one in outcomes if not one.ok]
    if failed:
        app.complain_of(failed)
        app.complain(
            t("{failed} of {count} failed", failed=len(failed), count=len(outcomes)),
            t("Run the same command again: those that are done are skipped"),
        )
        click.get_current_context().exit(1)


def _flashed(done: Flashed) -> list[tuple[str, object]]:
    return [
        (t("chip"), done.chip), (t("serial number"), done.mac),
        (t("flash"), t("{size} MB, {written} bytes written",
                       size=done.flash_bytes >> 20, written=done.written_bytes)),
        (t("image"), done.image_sha256),
    ]  # fmt: skip


def _plan(plan: Plan) -> Any:
    look = plan.look
    return pairs([
        (t("controller"), t("{name} ({identity})", name=plan.name, identity=t(plan.identity))),
        (t("board"), look.board), (t("chip"), look.chip), (t("serial number"), look.mac),
        (t("flash"), f"{look.flash_bytes >> 20} MB"),
        (t("image"), t("{digest}, on the board already", digest=look.image_sha256)
         if look.there else look.image_sha256),
        (t("would write"), t("{size} bytes, {files} files of firmware among them",
                             size=look.write_bytes, files=plan.files)),
        (t("would erase"), t("{size} bytes that an earlier use left", size=look.erase_bytes)),
        (t("changed"), t("nothing")),
    ])  # fmt: skip
