// One turn: what happened and why, and a waterfall of its spans.

import { facts, h } from "./dom.js";
import { conversationLink } from "./links.js";
import { get } from "./server.js";
import { ago, clock, count, pill, span } from "./words.js";

const chosen = new Map(); // turn's id -> number of the span in the detail pane

const KINDS = ["middleware", "handler", "attempt", "chat", "deliver", "commit"];
const kindOf = (name) => KINDS.find((kind) => name === kind || name.startsWith(`${kind} `)) ?? (name.startsWith("turn ") ? "turn" : "part");
const endOf = (each, turn) => each.ended ?? Math.max(turn.length, each.began);

/** What a span says that explains the turn, beside its bar. */
function remarks(each) {
  const told = each.attributes;
  const found = [];
  const add = (words, mood = "plain") => found.push([pill(words, mood), " "]);
  if (told["botkit.passed"] === false) add(told["botkit.reason"] ?? "did not pass", "bad");
  if (told["botkit.passed"] === true) add("passed", "good");
  if (told["botkit.cache"] && told["botkit.cache"] !== "miss") add(`cache ${told["botkit.cache"]}`);
  if (told["botkit.limited"]) add(`limit: ${told["botkit.limited"]}`, "bad");
  if (told["botkit.flagged"]) add(`moderated: ${told["botkit.flagged"]}`, "bad");
  if (told["botkit.gave_up"]) add(`gave up: ${told["botkit.gave_up"]}`, "bad");
  if (told["gen_ai.usage.input_tokens"] != null) {
    const cached = told["gen_ai.usage.cache_read.input_tokens"];
    add(`in ${count(told["gen_ai.usage.input_tokens"])}${cached ? ` (${count(cached)} cached)` : ""} · out ${count(told["gen_ai.usage.output_tokens"])}`);
  }
  if (told["gen_ai.response.time_to_first_chunk"] != null) add(`first token ${span(told["gen_ai.response.time_to_first_chunk"])}`);
  if (told["gen_ai.response.finish_reasons"]?.some((reason) => reason !== "stop")) add(told["gen_ai.response.finish_reasons"].join(", "), "warn");
  if (told["botkit.outcome"]) found.push([pill(told["botkit.outcome"]), " "]);
  if (kindOf(each.name) === "deliver" && told["botkit.attempt"] > 1) add(`try ${told["botkit.attempt"]}`, "warn");
  if (each.error) add(each.error, "bad");
  if (each.cancelled) add("called off", "warn");
  if (each.ended == null) add("under way", "live");
  return found;
}

function bar(each, turn) {
  const whole = Math.max(turn.length, 1e-6);
  const end = endOf(each, turn);
  const first = each.attributes["gen_ai.response.time_to_first_chunk"];
  const percent = (value) => `${(100 * value).toFixed(3)}%`;
  const vars = { left: percent(each.began / whole), width: percent((end - each.began) / whole) };
  const mood = each.error ? "bad" : each.cancelled ? "warn" : "";
  return h(
    "div",
    { class: "track", "aria-hidden": "true" },
    h(
      "div",
      { class: `bar ${kindOf(each.name)} ${mood} ${each.ended == null ? "live" : ""}`, vars },
      first != null ? h("div", { class: "first", vars: { first: percent(Math.min(1, first / Math.max(end - each.began, 1e-6))) } }) : null,
    ),
  );
}

function row(each, turn, choose) {
  const selected = chosen.get(turn.id) === each.number;
  return h(
    "tr",
    { "data-key": each.number, class: selected ? "selected" : null },
    h(
      "th",
      { scope: "row", vars: { depth: each.depth } },
      h("button", { type: "button", class: `span ${kindOf(each.name)}`, "aria-pressed": selected ? "true" : "false", "aria-controls": "detail", onclick: () => choose(each.number) }, each.name),
      h("span", { class: "remarks" }, remarks(each)),
    ),
    h("td", { class: "chart" }, bar(each, turn)),
    h("td", { class: "number" }, span(endOf(each, turn) - each.began)),
  );
}

/** Arrow keys go from span to span. */
function walk(event) {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  const buttons = [...event.currentTarget.querySelectorAll("button.span")];
  const next = buttons[buttons.indexOf(document.activeElement) + step];
  if (!step || !next) return;
  event.preventDefault();
  next.focus();
  next.click();
}

function scale(turn) {
  const marks = [0, 0.25, 0.5, 0.75, 1];
  return h("div", { class: "scale", "aria-hidden": "true" }, marks.map((mark) => h("span", {}, span(mark * turn.length))));
}

function waterfall(turn, choose) {
  return h(
    "div",
    { class: "card scroll", tabindex: 0, role: "region", "aria-label": "Timeline" },
    h(
      "table",
      { class: "waterfall", onkeydown: walk },
      h("caption", {}, "Timeline", turn.left_out ? ` (${turn.left_out} spans are not kept)` : ""),
      h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "Span"), h("th", { scope: "col", class: "chart" }, h("span", { class: "unseen" }, "When"), scale(turn)), h("th", { scope: "col", class: "number" }, "Took"))),
      h("tbody", {}, turn.spans.map((each) => row(each, turn, choose))),
    ),
  );
}

const shownValue = (value) => (Array.isArray(value) ? value.join(", ") : typeof value === "number" && !Number.isInteger(value) ? value.toFixed(4) : String(value));

function detail(turn, choose) {
  const isChosen = chosen.has(turn.id);
  const each = turn.spans.find((one) => one.number === chosen.get(turn.id)) ?? turn.spans[0];
  return h(
    "aside",
    { id: "detail", class: isChosen ? "card chosen" : "card", tabindex: 0, "aria-label": "The chosen span" },
    isChosen ? h("button", { type: "button", class: "quiet close", onclick: () => choose(null) }, "Close") : null,
    h("h2", {}, each.name),
    facts([
      ["Began", `+${span(each.began)}`],
      ["Took", each.ended == null ? `${span(endOf(each, turn) - each.began)} so far` : span(each.ended - each.began)],
      ["Of that itself", span(each.own)],
      ["Done", each.client ? "elsewhere" : "in this process"],
      ["Error", each.error],
      ["Called off", each.cancelled && "yes"],
    ]),
    h("h3", {}, "Attributes"),
    Object.keys(each.attributes).length
      ? facts(Object.entries(each.attributes).map(([name, value]) => [name, shownValue(value)]), "facts attributes")
      : h("p", { class: "faint" }, "None."),
  );
}

const WORDS = { note: "note", again: "again", slow: "slow", refused: "refused", failed: "failed" };
const MOODS = { note: "plain", again: "warn", slow: "warn", refused: "bad", failed: "bad" };

function story(turn, choose) {
  if (!turn.story.length) return h("p", { class: "lead" }, turn.live ? "It is under way." : "Nothing out of the ordinary happened.");
  return h(
    "ul",
    { class: "story" },
    turn.story.map((each) => h("li", {}, pill(WORDS[each.mood], MOODS[each.mood]), " ", h("button", { type: "button", class: "link", onclick: () => choose(each.span) }, each.text))),
  );
}

export const turn = {
  title: (data) => data.name,
  load: (where, signal) => get(`turns/${encodeURIComponent(where.name)}`, {}, signal),
  show(data, where, { redraw }) {
    const choose = (number) => {
      if (number === null) chosen.delete(data.id);
      else chosen.set(data.id, number);
      redraw();
    };
    return [
      h("h1", { tabindex: -1 }, data.name, " ", data.live ? pill("live") : data.outcome ? pill(data.outcome) : null),
      facts(
        [
          ["Conversation", conversationLink(data.conversation, data.pseudonym)],
          ["When", [ago(data.at), " · ", h("span", { class: "mono" }, clock(data.at))]],
          ["Event", data.kind],
          ["Took", span(data.live ? data.so_far : data.seconds)],
          ["Waited before", span(data.queue_seconds)],
          ["First token", data.first_token != null && span(data.first_token)],
          ["Sent after", data.reply != null && span(data.reply)],
          ["Tokens in / out", data.tokens.input || data.tokens.output ? `${count(data.tokens.input)} / ${count(data.tokens.output)}` : null],
        ],
        "facts inline",
      ),
      h("section", {}, h("h2", {}, "Why"), story(data, choose)),
      h("div", { class: "timeline" }, waterfall(data, choose), detail(data, choose)),
    ];
  },
};
