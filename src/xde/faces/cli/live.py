"""Progress on a terminal: a line for each step under way with how far it is, and a bar over all; gone when the run ends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self, assert_never

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from xde.faces.words.cells import visible
from xde.faces.words.run import StepLines
from xde.kernel.run.events import RunFinished, RunStarted, StepFinished, StepProgress, StepStarted

if TYPE_CHECKING:
    from types import TracebackType

    from rich.progress import TaskID

    from xde.kernel.plan.plan import Plan
    from xde.kernel.run.events import Event


class LiveProgress:
    """An observer that draws on stderr; what failed stays on the screen, the rest is in the table that follows."""

    def __init__(self, plan: Plan, *, colour: bool = True, console: Console | None = None) -> None:
        self._console = console or Console(stderr=True, no_color=not colour, highlight=False)
        self._lines = StepLines.of(plan)
        self._steps = _bars(self._console)
        self._whole = self._steps.add_task("all steps", total=len(plan.steps), text="")
        self._running: dict[str, TaskID] = {}

    def __enter__(self) -> Self:
        self._steps.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._steps.stop()

    def hear(self, event: Event) -> None:
        """Redraw."""
        match event:
            case StepStarted():
                again = f"attempt {event.attempt}" if event.attempt > 1 else ""
                self._forget(event.step.id)
                name = f"{event.step.kind.value} {escape(event.step.dataset)}"
                self._running[event.step.id] = self._steps.add_task(name, total=None, text=again)
            case StepProgress():
                self._progress(event)
            case StepFinished():
                self._forget(event.outcome.step.id)
                self._steps.advance(self._whole)
                if event.outcome.status == "failed":
                    self._steps.console.print(escape(self._lines.line(event.outcome)), style="red", soft_wrap=True)
            case RunStarted():
                self._lines = StepLines.of(event.plan)
                self._steps.update(self._whole, total=len(event.plan.steps))
            case RunFinished():
                pass
            case _:
                assert_never(event)

    def _progress(self, event: StepProgress) -> None:
        task = self._running.get(event.step.id)
        if task is None:
            return
        done = None if event.fraction is None else min(max(event.fraction, 0.0), 1.0)
        self._steps.update(task, total=None if done is None else 1.0, completed=done or 0.0, text=escape(visible(event.text)))

    def _forget(self, step: str) -> None:
        task = self._running.pop(step, None)
        if task is not None:
            self._steps.remove_task(task)


def _bars(console: Console) -> Progress:
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(bar_width=20),
        TimeElapsedColumn(),
        TextColumn("{task.fields[text]}"),
        console=console,
        transient=True,
        refresh_per_second=8,
    )
