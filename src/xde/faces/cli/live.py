"""Progress on a terminal: a line for each step under way with how far it is, and a bar over all; gone when the run ends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self, assert_never

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from xde.faces.words.cells import visible
from xde.faces.words.run import StepLines
from xde.kernel.run.events import RunFinished, RunStarted, SchemaChanged, StepFinished, StepProgress, StepStarted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from types import TracebackType

    from rich.console import RenderableType
    from rich.progress import TaskID

    from xde.kernel.plan.plan import Plan
    from xde.kernel.run.events import Event

    Ask = Callable[[], Mapping[str, float]]


class LiveProgress:
    """An observer that draws on stderr; what failed stays on the screen, the rest is in the table that follows.

    `ask` tells how far the queries of running steps are, 0 to 1 by their ids; it is called each time that is drawn.
    """

    def __init__(self, plan: Plan, *, colour: bool = True, console: Console | None = None, ask: Ask = dict) -> None:
        self._console = console or Console(stderr=True, no_color=not colour, highlight=False)
        self._lines = StepLines.of(plan)
        self._running: dict[str, TaskID] = {}
        self._ask = ask
        self._steps = _Bars(self._console, self._look)
        self._whole = self._steps.add_task("all steps", total=len(plan.steps), text="", query="", own=True)

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
                self._running[event.step.id] = self._steps.add_task(name, total=None, text=again, query="", own=False)
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
            case RunFinished() | SchemaChanged():  # what is to be told of it is a finding of the load
                pass
            case _:
                assert_never(event)

    def _progress(self, event: StepProgress) -> None:
        task = self._running.get(event.step.id)
        if task is None:
            return
        self._steps.update(task, text=escape(visible(event.text)), own=event.fraction is not None)
        if event.fraction is not None:
            self._steps.update(task, total=1.0, completed=min(max(event.fraction, 0.0), 1.0))

    def _look(self) -> None:
        """Show how far the engine is with each step's query; a step that says itself how far it is keeps its bar."""
        told = self._ask() if self._running else {}
        for step, task in list(self._running.items()):
            fraction = told.get(step)
            self._steps.show(task, fraction)

    def _forget(self, step: str) -> None:
        task = self._running.pop(step, None)
        if task is not None:
            self._steps.remove_task(task)


class _Bars(Progress):
    """Bars that look, before they are drawn, at what is to be shown."""

    def __init__(self, console: Console, look: Callable[[], None]) -> None:
        self._look = look
        super().__init__(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(bar_width=20),
            TextColumn("{task.fields[query]}"),
            TimeElapsedColumn(),
            TextColumn("{task.fields[text]}"),
            console=console,
            transient=True,
            refresh_per_second=8,
        )

    def get_renderables(self) -> Iterable[RenderableType]:
        """What is drawn, by a thread of rich's."""
        self._look()
        yield from super().get_renderables()

    def show(self, task: TaskID, fraction: float | None) -> None:
        """How far a query is; None where nobody knows. A task that was removed meanwhile is passed over."""
        with self._lock:
            known = self._tasks.get(task)
            if known is None:
                return
            known.fields["query"] = "" if fraction is None else f"{fraction * 100:.0f} %"
            if not known.fields["own"]:
                known.total, known.completed = (None, 0.0) if fraction is None else (1.0, fraction)
