"""Chat templates that tell of tools and thoughts in the ways of well-known families.

Written for these tests: each has the features of its family that matter here, and not its words.
"""

QWEN3 = """\
{%- if tools %}
<|im_start|>system
{{ messages[0].content + '\\n' if messages[0].role == 'system' }}Tools:
{%- for tool in tools %}
{{ tool | tojson }}
{%- endfor %}
Write <tool_call>{"name": ..., "arguments": ...}</tool_call><|im_end|>
{% elif messages[0].role == 'system' %}
<|im_start|>system
{{ messages[0].content }}<|im_end|>
{% endif %}
{%- for message in messages %}
{%- if message.role == 'user' %}
<|im_start|>user
{{ message.content }}<|im_end|>
{% elif message.role == 'assistant' %}
<|im_start|>assistant
{% if message.reasoning_content %}<think>
{{ message.reasoning_content }}
</think>

{% endif %}{{ message.content }}
{%- for call in message.tool_calls or [] %}
<tool_call>
{"name": "{{ call.function.name }}", "arguments": {{ call.function.arguments | tojson }}}
</tool_call>
{%- endfor %}<|im_end|>
{% elif message.role == "tool" %}
<|im_start|>user
<tool_response>
{{ message.content }}
</tool_response><|im_end|>
{% endif %}
{%- endfor %}
{%- if add_generation_prompt %}
<|im_start|>assistant
{% if enable_thinking is defined and enable_thinking is false %}
<think>

</think>

{% endif %}
{% endif %}"""

SMOLLM3 = """\
<|im_start|>system
Reasoning: {{ '/think' if enable_thinking is not defined or enable_thinking else '/no_think' }}
{%- if xml_tools %}
{%- for tool in xml_tools[:] %}
{{ tool | string }}
{%- endfor %}
Write <tool_call>
{"name": <name>, "arguments": <arguments>}
</tool_call>
{%- endif %}<|im_end|>
{% for message in messages %}{% if message.role != 'system' %}
<|im_start|>{{ message.role }}
{{ message.content }}<|im_end|>
{% endif %}{% endfor %}
{% if add_generation_prompt %}<|im_start|>assistant
{{ '' if enable_thinking is not defined or enable_thinking else '<think>\\n\\n</think>\\n' }}
{%- endif %}"""

LLAMA3 = """\
{%- if not tools is defined %}{% set tools = none %}{% endif %}
{%- for message in messages %}
{%- if message.tool_calls %}
{%- if message.tool_calls | length != 1 %}{{ raise_exception('one call at a time') }}{% endif %}
{%- set call = message.tool_calls[0].function %}
<|im_start|>assistant
{"name": "{{ call.name }}", "parameters": {{ call.arguments | tojson }}}<|im_end|>
{% elif message.role == 'tool' or message.role == 'ipython' %}
<|im_start|>ipython
{{ message.content | tojson }}<|im_end|>
{% else %}
<|im_start|>{{ message.role }}
{% if loop.last and tools is not none -%}
Write {"name": function name, "parameters": dictionary of argument name and its value}.
{% for tool in tools %}{{ tool | tojson(indent=4) }}
{% endfor %}{% endif %}
{{ message.content }}<|im_end|>
{% endif %}
{%- endfor %}
{%- if add_generation_prompt %}<|im_start|>assistant
{% endif %}"""

R1 = """\
{% for message in messages %}<|im_start|>{{ message.role }}
{{ message.content.split('</think>')[-1] }}<|im_end|>
{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant
<think>
{% endif %}"""

EFFORT = """\
<|im_start|>system
Reasoning: {{ reasoning_effort or 'medium' }}<|im_end|>
{% for message in messages %}<|im_start|>{{ message.role }}
{{ message.content }}<|im_end|>
{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant
{% endif %}"""

CODER = """\
{% for tool in tools or [] %}{{ tool | tojson }}
Write <tool_call><function=name><parameter=city>Rome</parameter></function></tool_call>
{% endfor %}
{% for message in messages %}<|im_start|>{{ message.role }}
{{ message.content }}<|im_end|>
{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant
{% endif %}"""
