"""Jinja for templates nobody vouches for: no way to Python, no long run, no large memory.

Jinja's immutable sandbox keeps a template from Python's internals, but lets it loop for ever
or build a text of any size. Here a run is cut off after a second, and pays for what it builds.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable
from functools import cache, cached_property
from typing import Any, NoReturn, TypeVar

import jinja2
import jinja2.compiler
import jinja2.ext
import jinja2.meta
import jinja2.nodes
import jinja2.sandbox

from instructune.errors import Exit, UserError
from instructune.templating import charges
from instructune.templating.charges import MAX_TEXT, Overdrawn, charge, spend
from instructune.timelimit import OutOfTime, within

SECONDS = 1.0
MAX_SOURCE = 1 << 18  # characters; the longest templates of public models have 30,000
_MAX_BITS = 4096  # of a number
_MAX_COMPLAINT = 2000  # characters of a template's own message that are shown

# A template that prints today's date would train and answer with different prompts.
_DATE = datetime.date(2024, 7, 26)

# What is missing builds much, searches slowly, draws random numbers or reaches attributes.
_FILTERS = """abs capitalize count d default dictsort e escape first float forceescape groupby
indent int items join last length list lower map max min reject rejectattr replace reverse safe
select selectattr sort string title tojson trim unique upper"""
_METHODS = """capitalize casefold count endswith find index isalnum isalpha isascii isdecimal
isdigit islower isnumeric isspace istitle isupper lower partition removeprefix removesuffix split
splitlines startswith swapcase title upper"""
_SLOW_METHODS = "lstrip rfind rindex rpartition rsplit rstrip strip"


T = TypeVar("T")


class Program:
    """A compiled template."""

    def __init__(self, source: str) -> None:
        if len(source) > MAX_SOURCE:
            raise _failure(f"is longer than {MAX_SOURCE} characters")
        self._template = _limited(lambda: _sandbox().from_string(source))
        self._source = source

    @cached_property
    def needs(self) -> frozenset[str]:
        """The variables it reads and does not set."""
        found = jinja2.meta.find_undeclared_variables(_sandbox().parse(self._source))
        return frozenset(found - _sandbox().globals.keys())

    def run(self, **variables: Any) -> str:
        """What it writes; raises UserError with its own complaint or the limit that it hit."""
        return _limited(lambda: self._template.render(variables))


def _limited(call: Callable[[], T]) -> T:
    """Open an account, start the clock, and say what went wrong in the user's terms."""
    charges.open_account()
    try:
        return within(SECONDS, call)
    except _Complaint as error:
        raise UserError(f"the chat template refuses it: {error}") from None
    except (Overdrawn, MemoryError):
        raise _failure(f"builds more than {MAX_TEXT} characters") from None
    except OutOfTime:
        raise _failure(f"runs for more than {SECONDS:g} s") from None
    except RecursionError:
        raise _failure("recurses without end") from None
    except jinja2.TemplateSyntaxError as error:
        raise _failure(f"has a fault in line {error.lineno}: {error.message}") from None
    except Exception as error:  # a foreign program may raise anything
        raise _failure(f"failed: {str(error)[:_MAX_COMPLAINT]}") from None


def _failure(reason: str) -> UserError:
    return UserError(
        f"the chat template {reason}", hint="choose another --template", code=Exit.MISMATCH
    )


class _Complaint(Exception):
    """What the template said with raise_exception."""


def _complain(message: Any = "") -> NoReturn:
    raise _Complaint(str(message)[:_MAX_COMPLAINT])


class _Compiler(jinja2.compiler.CodeGenerator):
    """Makes the expressions that build a text or a container pay for it."""

    def visit_Concat(self, node: jinja2.nodes.Concat, frame: Any) -> None:  # noqa: N802
        self.write("environment.concat((")
        for part in node.nodes:
            self.write("str(")
            self.visit(part, frame)
            self.write("), ")
        self.write("))")

    def visit_List(self, node: jinja2.nodes.List, frame: Any) -> None:  # noqa: N802
        self._charged(super().visit_List, node, frame)

    def visit_Dict(self, node: jinja2.nodes.Dict, frame: Any) -> None:  # noqa: N802
        self._charged(super().visit_Dict, node, frame)

    def visit_Tuple(self, node: jinja2.nodes.Tuple, frame: Any) -> None:  # noqa: N802
        if node.ctx == "load":
            self._charged(super().visit_Tuple, node, frame)
        else:  # the target of an assignment
            super().visit_Tuple(node, frame)

    def visit_Getitem(self, node: jinja2.nodes.Getitem, frame: Any) -> None:  # noqa: N802
        if isinstance(node.arg, jinja2.nodes.Slice):
            self._charged(super().visit_Getitem, node, frame)
        else:
            super().visit_Getitem(node, frame)

    def _charged(self, visit: Callable[[Any, Any], None], node: Any, frame: Any) -> None:
        self.write("environment.charge(")
        visit(node, frame)
        self.write(")")


class _Sandbox(jinja2.sandbox.ImmutableSandboxedEnvironment):
    code_generator_class = _Compiler
    intercepted_binops = frozenset(jinja2.sandbox.SandboxedEnvironment.default_binop_table)
    concat = staticmethod(charges.concat)
    charge = staticmethod(charge)
    methods, slow_methods = frozenset(_METHODS.split()), frozenset(_SLOW_METHODS.split())

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        if operator == "+" and type(left) is type(right) is str:  # nearly all of them
            return charge(left + right)
        for value in (left, right):
            if isinstance(value, int) and value.bit_length() > _MAX_BITS:
                raise Overdrawn
        if operator == "*":
            for value, times in ((left, right), (right, left)):
                if isinstance(value, str | list | tuple) and isinstance(times, int):
                    spend(value.__sizeof__() * max(times, 0))
        elif operator == "**" and isinstance(right, int) and right > 100:
            raise Overdrawn
        elif operator == "%" and isinstance(left, str):
            raise jinja2.sandbox.SecurityError("formatting with % is not for chat templates")
        return charge(super().call_binop(context, operator, left, right))

    def call(self, context: Any, function: Any, /, *args: Any, **options: Any) -> Any:
        charge(args)
        charge(options)
        return charge(super().call(context, function, *args, **options))

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        return not isinstance(obj, int | float) and super().is_safe_attribute(obj, attr, value)

    def getattr(self, obj: Any, attribute: str) -> Any:
        if isinstance(obj, str):
            return self._method(obj, attribute)
        return super().getattr(obj, attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        if isinstance(obj, str) and isinstance(argument, str):
            return self._method(obj, argument)
        return super().getitem(obj, argument)

    def unsafe_undefined(self, obj: Any, attribute: str) -> NoReturn:
        raise jinja2.sandbox.SecurityError(
            f"{attribute!r} of a {type(obj).__name__} is not for chat templates"
        )

    def _method(self, text: str, name: str) -> Any:
        """A method of a text: never `format`, nor one that pads to any width."""
        if name in self.methods:
            return getattr(text, name)
        if name == "replace":
            return lambda *args: charges.replace(text, *args)
        if name == "join":
            return lambda parts: charges.join(self, parts, text)
        if name in self.slow_methods:
            return lambda *args, **options: charges.short(getattr(text, name), *args, **options)
        if hasattr(text, name):
            return self.unsafe_undefined(text, name)
        return self.undefined(obj=text, name=name)


@cache
def _sandbox() -> _Sandbox:
    sandbox = _Sandbox(
        trim_blocks=True, lstrip_blocks=True, extensions=[_Generation, "jinja2.ext.loopcontrols"]
    )
    for name in ("indent", "join", "replace", "tojson", "trim"):
        sandbox.filters[name] = getattr(charges, name)
    allowed = _FILTERS.split()
    for name, function in sandbox.filters.items():
        sandbox.filters[name] = _charging(function) if name in allowed else _refusing(name)
    # functions, not the types themselves: nothing to climb up from
    sandbox.globals = {
        "cycler": lambda *items: jinja2.utils.Cycler(*items),
        "dict": lambda *args, **options: dict(*args, **options),
        "joiner": lambda separator=", ": jinja2.utils.Joiner(separator),
        "namespace": lambda *args, **options: jinja2.utils.Namespace(*args, **options),
        "raise_exception": _complain,
        "range": jinja2.sandbox.safe_range,
        "strftime_now": lambda form: _DATE.strftime(form[:100]),
    }
    return sandbox


def _charging(function: Any) -> Any:
    kind = getattr(function, "jinja_pass_arg", None)

    @jinja2.pass_context  # which also keeps the compiler from running it ahead
    def filtered(context: Any, *args: Any, **options: Any) -> Any:
        if kind is not None:
            known = {"environment": context.environment, "eval_context": context.eval_ctx}
            args = (known.get(kind.name, context), *args)
        return charge(function(*args, **options))

    return filtered


def _refusing(name: str) -> Any:
    @jinja2.pass_context
    def refused(context: Any, *args: Any, **options: Any) -> NoReturn:
        raise jinja2.sandbox.SecurityError(f"the filter {name!r} is not for chat templates")

    return refused


class _Generation(jinja2.ext.Extension):
    """`{% generation %}` marks answers for other trainers; here its body is rendered as is."""

    tags = {"generation"}  # noqa: RUF012

    def parse(self, parser: Any) -> Any:
        line = next(parser.stream).lineno
        body = parser.parse_statements(("name:endgeneration",), drop_needle=True)
        return jinja2.nodes.Scope(body).set_lineno(line)
