// Conversations, and one of them: what was said, and all that is kept about it.

import { facts, h, table } from "./dom.js";
import { address, conversationLink, turnLink } from "./links.js";
import { turnTable } from "./overview.js";
import { get } from "./server.js";
import { ago, clock, count, pill } from "./words.js";

function filter(data, where) {
  const choose = (event) => (location.hash = address("conversations", "", { platform: event.target.value }));
  const current = where.query.platform ?? "";
  const names = [...new Set([...data.platforms, ...(current ? [current] : [])])];
  return h(
    "p",
    { class: "tools" },
    h("label", { for: "platform" }, "Platform "),
    h("select", { id: "platform", onchange: choose }, [["", "all"], ...names.map((name) => [name, name])].map(([value, words]) => h("option", { value, selected: value === current }, words))),
  );
}

export const conversations = {
  title: () => "Conversations",
  load: (where, signal) => get("conversations", where.query, signal),
  show: (data, where) => [
    h("h1", { tabindex: -1 }, "Conversations"),
    filter(data, where),
    table(
      where.query.before ? `Before ${clock(where.query.before)}` : "Latest first",
      [["Conversation"], ["Space", "wide"], ["Messages", "number"], ["Waiting", "number"], ["Turns kept", "number wide"], ["Last active"]],
      data.conversations.map((each) => [
        each.conversation.key,
        [
          conversationLink(each.conversation),
          each.conversation.space,
          count(each.messages),
          count(each.queued),
          [count(each.turns), each.live ? [" ", pill("live")] : null],
          ago(each.updated_at),
        ],
      ]),
      "There are no conversations here.",
    ),
    h(
      "p",
      { class: "pages" },
      where.query.before ? h("a", { href: address("conversations", "", { platform: where.query.platform }) }, "Latest") : null,
      data.next ? h("a", { href: address("conversations", "", { ...where.query, before: data.next }) }, "Older") : null,
    ),
  ],
};

const ROLES = { user: "person", assistant: "bot", system: "instructions", tool: "tool" };

const message = (each, at) =>
  h(
    "li",
    { class: `message ${each.role === "user" ? "person" : "bot"}`, "data-key": `${each.at}-${at}` },
    h("p", { class: "who" }, ROLES[each.role] ?? each.role, " · ", ago(each.at), each.turn ? [" · ", turnLink(each.turn, "its turn")] : null),
    h("p", { class: "text", dir: "auto" }, each.text),
  );

function messages(data, where) {
  const more = Math.min(5000, 2 * Number(where.query.limit ?? 100));
  return h(
    "section",
    { class: "card" },
    h("h2", {}, "Messages"),
    data.earlier ? h("p", {}, h("a", { href: address("conversation", data.conversation.key, { limit: more }) }, "Earlier messages")) : null,
    data.messages.length ? h("ol", { class: "messages" }, data.messages.map(message)) : h("p", { class: "faint" }, "Nothing is remembered."),
  );
}

const kept = (name, text) => (text ? h("details", { class: "card", "data-key": name }, h("summary", {}, name), h("pre", { dir: "auto", tabindex: 0 }, text)) : null);

const waiting = (data) =>
  table(
    "Waiting for a turn",
    [["Event"], ["Since"], ["Tries", "number"], ["Why it waits"], ["Text", "text"]],
    data.waiting.map((each) => [each.id, [each.kind, ago(each.at), count(each.attempts), each.reason, each.text]]),
  );

const deliveries = (data) =>
  table(
    "Deliveries",
    [["Made"], ["State"], ["Tries", "number"], ["Reason"], ["Text", "text"]],
    data.deliveries
      .map((each) => [
        each.id,
        [
          ago(each.at),
          each.done_at != null ? pill(each.reason && !each.message_id ? "given up" : "sent", each.reason && !each.message_id ? "bad" : "good") : pill(each.uncertain ? "uncertain" : "waiting", "warn"),
          count(each.attempts),
          each.reason,
          each.text,
        ],
      ])
      .reverse(),
  );

const given = (data) =>
  table(
    "Feedback",
    [["When"], ["Value"], ["Comment", "text"], ["On the reply", "text"]],
    data.feedback.map((each, at) => [`${each.at}-${at}`, [ago(each.at), pill(each.value), each.comment, each.reply]]),
  );

const letters = (data) =>
  table(
    "Dead letters",
    [["When"], ["Kind"], ["Reason"], ["Text", "text"]],
    data.dead_letters.map((each) => [each.id, [h("a", { href: address("dead-letters") }, ago(each.at)), each.kind, each.reason, each.text]]),
  );

export const conversation = {
  title: (data) => data.conversation.channel || data.conversation.key,
  load: (where, signal) => get("conversation", { key: where.name, limit: where.query.limit }, signal),
  show: (data, where) => [
    h("h1", { tabindex: -1 }, data.conversation.channel || data.conversation.key),
    facts(
      [
        ["Platform", data.conversation.platform],
        ["Space", data.conversation.space],
        ["Thread", data.conversation.thread],
        ["Began", clock(data.created_at)],
        ["Last active", ago(data.updated_at)],
        ["In traces", h("code", {}, data.pseudonym)],
      ],
      "facts inline",
    ),
    h(
      "div",
      { class: "sides" },
      h("div", {}, messages(data, where)),
      h(
        "div",
        {},
        turnTable("Its turns", data.turns, false),
        data.waiting.length ? waiting(data) : null,
        data.dead_letters.length ? letters(data) : null,
        data.feedback.length ? given(data) : null,
        deliveries(data),
        kept("Summary", data.summary),
        kept("State", data.state),
        kept("Notes of the middleware", data.notes),
      ),
    ),
  ],
};
