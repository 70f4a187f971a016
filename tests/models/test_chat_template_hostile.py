"""Hostile chat templates: refused within about a second, whatever they try."""

import time
import tracemalloc

import pytest

from botkit.errors import InvalidRequestError, ModelFileError
from botkit_models.chat_template import ChatTemplate
from botkit_models.template_budget import BudgetError, measure

GROW = "{% set n = namespace(s='aa', l=['aa']) %}{% for i in range(60) %}BODY{% endfor %}"

REACHING = [
    "{{ ''.__class__ }}",
    "{{ ''['__class__'] }}",
    "{{ ''['__cla' ~ 'ss__'].mro() }}",
    "{{ ''|attr('__class__') }}",
    "{{ (messages|map(attribute='__class__')|first).x() }}",
    "{{ messages.append(1) }}",
    "{{ messages[0].update({}) }}",
    "{{ namespace.__init__.__globals__ }}",
    "{{ cycler.__init__.__globals__ }}",
    "{{ raise_exception.__globals__ }}",
    "{{ self._TemplateReference__context }}",
    "{{ lipsum.__globals__ }}",
    "{{ lipsum(100) }}",
    "{{ '{0.__class__}'.format('') }}",
    "{{ '%s' % messages }}",
    "{{ ''.join.__self__ }}",
    "{% include '/etc/passwd' %}",
    "{% import 'os' as os %}",
    "{% extends 'x' %}",
    "{% block x %}{% endblock %}",
]

RUNNING = [
    "{% for i in range(100000) %}{% for j in range(100000) %}x{% endfor %}{% endfor %}",
    "{% for i in range(100000) if (range(100000)|list|sort)[0] %}{% endfor %}",
    "{% for x in [1] recursive %}{{ loop([1, 1]) }}{% endfor %}",
    "{% macro f() %}{{ f() }}{{ f() }}{% endmacro %}{{ f() }}",
    "{% macro f(n) %}{% if n %}{{ f(n-1) }}{{ f(n-1) }}{% endif %}{% endmacro %}{{ f(40) }}",
    "{% for c in 'ab' * 9999 %}{% for d in 'ab' * 9999 %}{{ c ~ d }}{% endfor %}{% endfor %}",
]

GROWING = [
    "{{ 'a' * 10**9 }}",
    "{{ [1] * 10**9 }}",
    "{{ 10**(10**10) }}",
    "{% set n = namespace(x=2**60) %}{% for i in range(99) %}{% set n.x = n.x * n.x %}{% endfor %}",
    GROW.replace("BODY", "{% set n.s = n.s ~ n.s %}"),
    GROW.replace("BODY", "{% set n.s = n.s + n.s %}"),
    GROW.replace("BODY", "{% set n.s %}{{ n.s }}{{ n.s }}{% endset %}"),
    GROW.replace("BODY", "{% set n.s = n.s.replace('a', 'aaaa') %}"),
    GROW.replace("BODY", "{% set n.s = n.s | replace('a', 'aaaa') %}"),
    GROW.replace("BODY", "{% set n.s = [n.s, n.s] | join %}"),
    GROW.replace("BODY", "{% set n.s = n.s.join([n.s, n.s]) %}"),
    GROW.replace("BODY", "{% set n.l = n.l + n.l %}"),
    GROW.replace("BODY", "{% set n.l = [n.l, n.l] %}") + "{{ n.l }}",
    GROW.replace("BODY", "{% set n.l = (n.l, n.l) %}") + "{{ n.l == n.l[0] }}",
    GROW.replace("BODY", "{% set n.l = {'a': n.l, 'b': n.l} %}") + "{{ n.l | tojson }}",
    GROW.replace("BODY", "{% set n.l = dict(a=n.l, b=n.l) %}") + "{{ n.l | string }}",
    "{{ '%1000000000d' % 1 }}",
    "{{ '{:1000000000}'.format(1) }}",
    "{{ (1).to_bytes(1000000000, 'big') }}",
    "{{ 'a'.center(1000000000) }}{{ 'a'.zfill(1000000000) }}",
    "{{ 'a' | center(1000000000) }}",
    "{{ messages | batch(1000000000, 'x') | list }}",
    "{{ messages | tojson(indent=1000000000) }}",
    "{{ 'x' | replace('', 'y' * 3000000) }}",
    "{{ range(10**9) }}",
    "{{ strftime_now('%c' * 1000000) }}",
    "{{ (range(100000) | map('string') | join) * 40 }}",
    "{% for i in range(100000) %}{% set x = 'a' * 1000000 %}{% endfor %}",
]

BROKEN = [
    "{% if %}",
    "{{ 1 + }}",
    "{% for %}",
    "{" * 5000,
    "{{" + "(" * 5000,
    "{{" + "[" * 3000 + "]" * 3000 + "}}",
    "{{" + "+".join(["1"] * 20000) + "}}",
    "{% for a in messages %}" * 500,
    "{% if 1 %}" * 3000 + "{% endif %}" * 3000,
    "{{ nothing.at.all }}",
    "{{ 1 / 0 }}",
    "{{ 'a' | int + [] }}",
]


@pytest.mark.parametrize("source", [*REACHING, *RUNNING, *GROWING, *BROKEN], ids=lambda s: s[:40])
def test_refused_when_it_is_loaded(source):
    tracemalloc.start()
    try:
        started = time.process_time()
        with pytest.raises(ModelFileError):
            ChatTemplate(source)
        taken = time.process_time() - started
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert taken < 10.0  # against blow-ups: it takes about a second of processor time
    assert peak < 200 << 20


TRAP = "{% if messages | length > 1 %}BODY{% endif %}"


@pytest.mark.parametrize("body", [RUNNING[0], RUNNING[4], GROWING[4], GROWING[0], REACHING[2]])
def test_a_trap_that_waits_for_a_longer_conversation_is_refused_then(body):
    template = ChatTemplate(TRAP.replace("BODY", body))
    message = {"role": "user", "content": "x"}
    template.render([message])
    started = time.process_time()
    with pytest.raises(ModelFileError):
        template.render([message, message])
    assert time.process_time() - started < 1.5


def test_one_rendering_leaves_nothing_to_the_next():
    template = ChatTemplate("{% set n = namespace(x=0) %}{% set n.x = n.x + 1 %}{{ n.x }}")
    message = {"role": "user", "content": "x"}
    assert template.render([message]) == template.render([message])


def test_messages_are_not_changed():
    messages = [{"role": "user", "content": "x"}]
    with pytest.raises((InvalidRequestError, ModelFileError)):
        ChatTemplate(TRAP.replace("BODY", "{{ messages.pop() }}")).render(messages * 2)
    assert messages == [{"role": "user", "content": "x"}]


def test_a_value_is_measured_as_a_tree():
    shared = ["x" * 100]
    assert measure([shared, shared]) > 200
    with pytest.raises(BudgetError):
        measure([shared, shared], limit=150)
