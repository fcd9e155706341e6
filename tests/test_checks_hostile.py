"""Whatever an answer does, the notebook lives on and the learner reads a sentence."""

from __future__ import annotations

import contextlib
import io
import random
import signal
import sys
import threading
import time
from dataclasses import dataclass
from typing import Any

import numpy
import pytest
import torch

from course_utils import features, toy_models
from course_utils.checks import CheckResult, grade, guard, registry
from course_utils.checks.answer import Answer
from course_utils.checks.grading import decide
from course_utils.checks.guard import Mistake, NotAttempted

CHECKS = registry()
EXERCISES = ("2.1", "2.3")
LIMIT = 0.3  # seconds for an answer that never ends
MARGIN = 2.0  # seconds more until the learner has the notebook back


def honest(exercise: str) -> Any:
    """A right answer that is not the library's own function."""

    def sample_features(batch_size, n_features, feature_probability, *, generator):
        present = torch.rand(batch_size, n_features, generator=generator) < feature_probability
        return present * torch.rand(batch_size, n_features, generator=generator)

    def importance_weighted_loss(x, x_hat, importance):
        return (importance * (x - x_hat) ** 2).sum(1).mean()

    return sample_features if exercise == "2.1" else importance_weighted_loss


def right(*args: Any, **kwargs: Any) -> torch.Tensor:
    """What the exercise asks for, whichever of the two is asking."""
    wanted = features.sample_features if kwargs else toy_models.importance_weighted_loss
    return wanted(*args, **kwargs)


def returning(value: Any) -> Any:
    return lambda *args, **kwargs: value


def raising(error: BaseException) -> Any:
    def answer(*args, **kwargs):
        raise error

    return answer


# What the answers below are made of ------------------------------------------------------


class Unprintable(Exception):
    def __str__(self):
        raise RuntimeError("no words")


class EndsInWords(Exception):
    def __str__(self):
        raise SystemExit


class OwnEnd(BaseException):
    pass


class Prickly:
    """Nothing can be done with it, not even look at it."""

    def _no(self, *args, **kwargs):
        raise OwnEnd("hands off")

    __repr__ = __str__ = __eq__ = __bool__ = __len__ = __iter__ = __float__ = _no
    __hash__ = None


class PricklyToCall(Prickly):
    __call__ = Prickly._no


class FailsInMethods(torch.Tensor):
    @classmethod
    def __torch_function__(cls, function, types, args=(), kwargs=None):
        raise OwnEnd("not even the shape")


class JustAName(torch.Tensor):
    pass


class Answers:
    """A class where a function is asked for."""


class Callable_:
    def __call__(self, *args, **kwargs):
        return right(*args, **kwargs)


def a_generator(*args, **kwargs):
    yield right(*args, **kwargs)


async def a_coroutine(*args, **kwargs):
    return right(*args, **kwargs)


async def an_async_generator(*args, **kwargs):
    yield right(*args, **kwargs)


def misses_a_module(*args, **kwargs):
    import a_module_that_nobody_has

    return a_module_that_nobody_has.answer(*args, **kwargs)


def misses_an_import(*args, **kwargs):
    return nupmy.zeros(3)  # noqa: F821


def needs_one_argument(x):
    return x


def takes_too_many(a, b, c, d, e, f):
    return a


def calls_itself(*args, **kwargs):
    return calls_itself(*args, **kwargs)


def too_much_memory(*args, **kwargs):
    return torch.empty(10**15)


def torch_cannot(*args, **kwargs):
    return torch.empty(2, device="meta").cpu()  # torch's own NotImplementedError


def loops(*args, **kwargs):
    while True:
        pass


def loops_past_exceptions(*args, **kwargs):
    while True:
        try:
            sum(range(100))
        except Exception:
            pass


def loops_past_everything(*args, **kwargs):
    while True:
        try:
            sum(range(100))
        except:  # noqa: E722
            pass


def sleeps(*args, **kwargs):
    time.sleep(8)  # a call that cannot be interrupted; 8, so that no thread outlives the tests


def prints_for_ever(*args, **kwargs):
    while True:
        print("still here")


def prints_past_everything(*args, **kwargs):
    while True:
        try:
            print("still here")
        except:  # noqa: E722
            pass


def error_with_endless_words(*args, **kwargs):
    class Endless(Exception):
        def __str__(self):
            while True:
                pass

    raise Endless


def looks_for_ever(*args, **kwargs):
    class Endless:
        def __repr__(self):
            while True:
                pass

    return Endless()


def prints_many_lines(*args, **kwargs):
    for i in range(100_000):  # at each of several calls
        print(i)
    return right(*args, **kwargs)


def prints_one_long_line(*args, **kwargs):
    print("x" * 10_000_000)
    return right(*args, **kwargs)


def rolls_global_dice(*args, **kwargs):
    torch.manual_seed(1), torch.rand(3)
    numpy.random.seed(1), numpy.random.rand(3)
    random.seed(1), random.random()
    return right(*args, **kwargs)


def changes_default_dtype(*args, **kwargs):
    torch.set_default_dtype(torch.float64)
    return right(*args, **kwargs)


def replaces_stdout(*args, **kwargs):
    sys.stdout = sys.stderr = io.StringIO()
    return right(*args, **kwargs)


def removes_stdout(*args, **kwargs):
    sys.stdout = sys.stderr = None
    return right(*args, **kwargs)


def closes_stdout(*args, **kwargs):
    sys.stdout.close()
    return right(*args, **kwargs)


def right_in_float64(*args, **kwargs):
    return right(*args, **kwargs).double()


def right_as_subclass(*args, **kwargs):
    return right(*args, **kwargs).as_subclass(JustAName)


def right_and_tracked(*args, **kwargs):
    return right(*args, **kwargs).clone().requires_grad_()


def as_numpy(*args, **kwargs):
    return right(*args, **kwargs).numpy()


def as_list(*args, **kwargs):
    return right(*args, **kwargs).reshape(1, -1).tolist()


def as_string(*args, **kwargs):
    return str(right(*args, **kwargs))


def one_dimension_more(*args, **kwargs):
    return right(*args, **kwargs)[None]


def with_nan(*args, **kwargs):
    return right(*args, **kwargs) * float("nan")


def with_infinity(*args, **kwargs):
    return right(*args, **kwargs) + float("inf")


def as_complex(*args, **kwargs):
    return right(*args, **kwargs) + 0j


def as_bool(*args, **kwargs):
    return right(*args, **kwargs) > 0


def on_meta(*args, **kwargs):
    return right(*args, **kwargs).to("meta")


def methods_fail(*args, **kwargs):
    return right(*args, **kwargs).as_subclass(FailsInMethods)


@dataclass(frozen=True)
class Case:
    """One hostile answer and what should become of it. `diagnosis` "any" leaves it open."""

    answer: Any
    status: str = "failed"
    diagnosis: str | None = "any"
    says: str = ""  # words that the message contains


NEVER_ENDS = {
    "while True": loops,
    "while True, except Exception": loops_past_exceptions,
    "while True, bare except": loops_past_everything,
    "sleeps": sleeps,
    "prints for ever": prints_for_ever,
    "prints for ever, bare except": prints_past_everything,
    "an error whose __str__ never ends": error_with_endless_words,
    "a result whose __repr__ never ends": looks_for_ever,
}

CASES = {
    # Not an answer yet
    "the stub": Case(raising(NotImplementedError()), "not_attempted", None, "raise NotImpl"),
    "None": Case(None, "not_attempted", None),
    "Ellipsis": Case(..., "not_attempted", None),
    # Not a function
    "a string": Case("sample_features", diagnosis="not-a-function", says="'sample_features'"),
    "a number": Case(3, diagnosis="not-a-function"),
    "a tensor": Case(torch.zeros(2, 3), diagnosis="not-a-function", says="brackets"),
    "a complex tensor": Case(torch.zeros(2) * 1j, diagnosis="not-a-function"),
    "a prickly object": Case(Prickly(), diagnosis="not-a-function", says="Prickly"),
    # Cannot be called
    "a class": Case(Answers, diagnosis="raises", says="could not be called"),
    "too few parameters": Case(needs_one_argument, diagnosis="raises", says="could not be called"),
    "too many parameters": Case(takes_too_many, diagnosis="raises", says="could not be called"),
    # Raises
    "raises": Case(raising(ValueError("too <b>bold</b>")), diagnosis="raises", says="too <b>"),
    "raises without words": Case(raising(ValueError()), diagnosis="raises", says="ValueError"),
    "raises a novel": Case(raising(ValueError("x" * 10**6)), diagnosis="raises"),
    "raises a name's novel": Case(raising(NameError("x" * 10**6)), diagnosis="raises"),
    "raises many lines": Case(raising(ValueError("one\ntwo")), diagnosis="raises", says="one"),
    "a TypeError of its own": Case(
        raising(TypeError("argument 3")), diagnosis="raises", says="stopped with TypeError"
    ),
    "SystemExit": Case(raising(SystemExit(3)), diagnosis="raises", says="SystemExit"),
    "KeyboardInterrupt": Case(raising(KeyboardInterrupt()), diagnosis="raises"),
    "another BaseException": Case(raising(OwnEnd("bye")), diagnosis="raises", says="bye"),
    "an error whose __str__ raises": Case(raising(Unprintable()), diagnosis="raises"),
    "an error whose __str__ exits": Case(raising(EndsInWords()), diagnosis="raises"),
    "an error of the engine": Case(raising(Mistake("all-ones", "ha")), diagnosis="raises"),
    "the engine's NotAttempted": Case(raising(NotAttempted()), diagnosis="raises"),
    "an object whose __call__ raises": Case(PricklyToCall(), diagnosis="raises", says="hands off"),
    "a missing module": Case(misses_a_module, diagnosis="raises", says="a_module_that_nobody_has"),
    "a missing import": Case(misses_an_import, diagnosis="raises", says="nupmy"),
    "infinite recursion": Case(calls_itself, diagnosis="raises", says="calls itself"),
    "huge memory": Case(too_much_memory, diagnosis="raises", says="memory"),
    "torch has no such operation": Case(torch_cannot, diagnosis="raises", says="NotImpl"),
    # Comes back with something else
    "returns None": Case(returning(None), diagnosis="returns-nothing", says="return"),
    "returns Ellipsis": Case(returning(...), diagnosis="wrong-type"),
    "returns a string": Case(as_string, diagnosis="wrong-type"),
    "returns a list": Case(as_list, diagnosis="wrong-type"),
    "returns a class": Case(returning(Answers), diagnosis="wrong-type"),
    "returns a function": Case(returning(right), diagnosis="wrong-type"),
    "returns a pair": Case(returning((torch.zeros(2), 1)), diagnosis="wrong-type"),
    "returns a prickly object": Case(returning(Prickly()), diagnosis="wrong-type"),
    "returns a bool": Case(returning(True), diagnosis="wrong-type"),
    "returns a word of numpy": Case(returning(numpy.str_("3")), diagnosis="wrong-type"),
    "a generator function": Case(a_generator, diagnosis="returns-a-generator"),
    "async def": Case(a_coroutine, diagnosis="returns-a-generator"),
    "async generator": Case(an_async_generator, diagnosis="returns-a-generator"),
    "wrong shape": Case(one_dimension_more, diagnosis="wrong-shape"),
    "wrong device": Case(on_meta, diagnosis="wrong-device", says="'meta'"),
    "complex": Case(as_complex, diagnosis="wrong-type", says="complex"),
    "bool": Case(as_bool, diagnosis="wrong-type", says="bool"),
    "NaN": Case(with_nan, diagnosis="not-finite", says="NaN"),
    "infinity": Case(with_infinity, diagnosis="not-finite", says="infinity"),
    "a huge integer": Case(returning(10**400)),
    "a sparse tensor": Case(returning(torch.zeros(2, 2).to_sparse())),
    "a subclass whose methods fail": Case(methods_fail, "passed", None),
    # Misbehaves on the way
    "changes the default dtype": Case(changes_default_dtype, "passed", None),
    "rolls the global dice": Case(rolls_global_dice, "passed", None),
    "prints a lot": Case(prints_many_lines, "passed", None),
    "prints one long line": Case(prints_one_long_line, "passed", None),
    "replaces stdout": Case(replaces_stdout, "passed", None),
    "removes stdout": Case(removes_stdout, "passed", None),
    "closes stdout": Case(closes_stdout, "passed", None),
    # Odd, and right
    "a callable object": Case(Callable_(), "passed", None),
    "another dtype": Case(right_in_float64, "passed", None),
    "a tensor subclass": Case(right_as_subclass, "passed", None),
    "a result with a graph": Case(right_and_tracked, "passed", None),
}


def world() -> tuple[Any, ...]:
    """What a graded answer has to leave alone."""
    return (
        sys.stdout,
        sys.stderr,
        torch.get_default_dtype(),
        torch.get_rng_state().tolist(),
        str(numpy.random.get_state()),
        random.getstate(),
    )


def assert_readable(result: CheckResult) -> None:
    assert isinstance(result, CheckResult)
    assert result.status in ("passed", "failed", "not_attempted")
    assert 20 < len(result.message) < 1000
    assert result.message.rstrip()[-1] in ".?!)"
    assert "Traceback" not in result.message
    assert len(result.printed) <= 2_000


@pytest.mark.parametrize("exercise", EXERCISES)
@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_a_hostile_answer_costs_a_sentence(exercise, case):
    before = world()
    result = grade(exercise, case.answer)
    assert world() == before
    assert_readable(result)
    assert result.status == case.status, result
    if case.diagnosis != "any":
        assert result.diagnosis == case.diagnosis, result
    assert case.says in result.message
    assert grade(exercise, honest(exercise)).status == "passed"


@pytest.mark.quiet
@pytest.mark.parametrize("exercise", EXERCISES)
@pytest.mark.parametrize("answer", NEVER_ENDS.values(), ids=NEVER_ENDS)
def test_an_answer_without_an_end_is_stopped(exercise, answer):
    before, began = world(), time.monotonic()
    result = decide(CHECKS[exercise], answer, LIMIT)
    assert time.monotonic() - began < LIMIT + MARGIN
    assert world() == before
    assert_readable(result)
    assert (result.status, result.diagnosis) == ("failed", "never-ends")
    assert grade(exercise, honest(exercise)).status == "passed"


def test_a_loop_that_catches_everything_is_ended_and_prints_nothing_later(capsys):
    threads = threading.active_count()
    decide(CHECKS["2.3"], prints_past_everything, LIMIT)
    end = time.monotonic() + 20
    while threading.active_count() > threads and time.monotonic() < end:
        time.sleep(0.02)
    assert threading.active_count() <= threads
    capsys.readouterr()
    time.sleep(0.1)
    assert capsys.readouterr().out == ""


def test_what_was_printed_is_kept_up_to_a_limit():
    result = grade("2.3", prints_many_lines)
    assert result.printed.startswith("0\n1\n2\n")
    assert len(result.printed) == guard.OUTPUT_LIMIT
    assert grade("2.3", honest("2.3")).printed == ""


def test_the_printed_text_is_kept_when_the_answer_never_ends():
    assert "still here" in decide(CHECKS["2.3"], prints_for_ever, LIMIT).printed


@pytest.mark.parametrize("method", ["close", "detach"])
def test_the_printed_text_is_kept_when_the_answer_closes_stdout(method):
    def answer(x, x_hat, importance):
        with contextlib.suppress(ValueError):
            print("before")
            getattr(sys.stdout, method)()
        return right(x, x_hat, importance)

    result = grade("2.3", answer)
    assert (result.status, result.printed) == ("passed", "before\n")


@pytest.mark.quiet
@pytest.mark.skipif(not hasattr(signal, "pthread_kill"), reason="Windows has no such signal")
def test_an_interrupt_by_the_learner_stops_the_check_and_comes_through():
    before, threads = world(), threading.active_count()
    began = time.monotonic()
    main = threading.main_thread().ident  # gets the signal that "Interrupt the kernel" sends
    threading.Timer(0.2, signal.pthread_kill, (main, signal.SIGINT)).start()
    with pytest.raises(KeyboardInterrupt):
        decide(CHECKS["2.3"], loops, 10.0)
    assert time.monotonic() - began < 0.2 + MARGIN
    assert world() == before
    time.sleep(0.2)
    assert threading.active_count() <= threads


# Arguments belong to whoever passed them -------------------------------------------------


def adds_in_place(x):
    x += 1
    return x


def returns_a_changed_view(x):
    view = x[0]
    view.zero_()
    return view


def changes_a_view_and_returns_something_else(x):
    x.view(-1)[0] = 7
    return torch.zeros(3)


def changes_through_numpy(x):
    x.numpy()[:] = 3
    return torch.zeros(3)


def resizes(x):
    x.resize_(0)
    return torch.zeros(3)


def swaps_the_data(x):
    x.data = torch.zeros(3, 2)
    return torch.zeros(3)


def turns_it_round(x):
    return x.t_()


@pytest.mark.parametrize(
    "function",
    [
        adds_in_place,
        returns_a_changed_view,
        changes_a_view_and_returns_something_else,
        changes_through_numpy,
        resizes,
        swaps_the_data,
        turns_it_round,
    ],
)
def test_a_changed_tensor_is_named_and_the_checks_own_stays(function):
    x = torch.ones(2, 3)
    with pytest.raises(Mistake, match="argument `x`") as caught:
        Answer(function)(x)
    assert caught.value.diagnosis == "changes-input"
    assert torch.equal(x, torch.ones(2, 3))


@pytest.mark.parametrize(
    ("given", "change"),
    [
        ([1, 2], lambda x: x.pop()),
        ([1, 2], lambda x: x.reverse()),
        ([torch.ones(2), 1], lambda x: x.clear()),
        ([torch.ones(2), 1], lambda x: x[0].zero_()),
        ((torch.ones(2), 1), lambda x: x[0].zero_()),
        ({"a": 1}, lambda x: x.clear()),
        ({"a": torch.ones(2)}, lambda x: x["a"].zero_()),
        ({1, 2}, lambda x: x.pop()),
        (numpy.ones(3), lambda x: x.fill(0)),
    ],
)
def test_a_changed_container_is_named_and_the_checks_own_stays(given, change):
    before = repr(given)
    with pytest.raises(Mistake) as caught:
        Answer(lambda x: (change(x), 1))(given)
    assert caught.value.diagnosis == "changes-input"
    assert repr(given) == before


def test_an_argument_may_be_returned_or_viewed():
    x = torch.ones(2, 3)
    assert torch.equal(Answer(lambda x: x.view(3, 2)[0])(x), torch.ones(2))
    assert len(Answer(lambda x: x)([x, 1, {"a": x}])) == 3


def test_nan_in_an_argument_is_no_change():
    x = torch.tensor([1.0, float("nan")])
    assert Answer(lambda x: x.shape)(x) == (2,)


def test_a_result_that_the_answer_changes_later_keeps_its_value():
    kept = torch.zeros(2)

    def reuses_its_memory():
        return kept.add_(1)

    answer = Answer(reuses_its_memory)
    first = answer.tensor(shape=(2,))
    answer.tensor(shape=(2,))
    assert first.tolist() == [1, 1]


def test_the_check_of_an_exercise_says_that_its_argument_was_changed():
    def in_place(x, x_hat, importance):
        x.sub_(x_hat)
        return (importance * x**2).sum(1).mean()

    assert grade("2.3", in_place).diagnosis == "changes-input"


def test_exit_in_an_answer_does_not_end_the_kernel(monkeypatch):
    ended = []

    class Shell:
        def ask_exit(self):  # what IPython's `exit()` and `quit()` call
            ended.append(True)

    shell = Shell()
    monkeypatch.setattr("IPython.get_ipython", lambda: shell)
    result = grade("2.3", lambda *args: shell.ask_exit())
    assert (result.status, result.diagnosis, ended) == ("failed", "raises", [])
    assert "SystemExit" in result.message
    shell.ask_exit()  # outside of answers it does what it always did
    assert ended
