// How the bot is doing, and its latest turns.

import { facts, h, table } from "./dom.js";
import { address, conversationLink, turnLink } from "./links.js";
import { get } from "./server.js";
import { ago, badges, bytes, clock, count, pill, span } from "./words.js";

const tile = (name, value, note, mood) =>
  h("div", { class: `tile ${mood || ""}` }, h("dt", {}, name), h("dd", {}, value, note ? h("small", {}, note) : null));

const tiles = (all) =>
  h(
    "dl",
    { class: "tiles" },
    tile("Running", count(all.running), "turns under way", all.running ? "busy" : ""),
    tile("Waiting", count(all.queued), all.queued ? `oldest ${span(all.oldest_seconds)}` : "events in the queue", all.oldest_seconds > 30 ? "warn" : ""),
    tile("Unsent", count(all.unsent), "messages to deliver", ""),
    tile("Dead letters", count(all.dead_letters), h("a", { href: address("dead-letters") }, all.dead_letters ? "look at them" : "none"), all.dead_letters ? "bad" : ""),
    tile("Turns a minute", count(Math.round(10 * all.per_minute) / 10), "that ended", ""),
    tile("Model", all.ready ? "ready" : "loading", all.model, all.ready ? "" : "warn"),
  );

const times = (all) =>
  table(
    "How long people waited",
    [["From accepting a message"], ["Turns", "number"], ["p50", "number"], ["p95", "number"]],
    [
      ["queue", ["until a turn took it", all.queue]],
      ["first", ["until the model's first token", all.first_token]],
      ["reply", ["until the first message was sent", all.reply]],
    ].map(([name, [words, found]]) => [name, [words, count(found.count), span(found.p50), span(found.p95)]]),
  );

const recorded = (all) =>
  h(
    "section",
    { class: "card" },
    h("h2", {}, "In memory"),
    facts([
      ["Turns kept", count(all.recorded)],
      ["Since", all.since && clock(all.since)],
      ["Size", bytes(all.bytes)],
      ["Outcomes", Object.entries(all.outcomes).map(([word, number]) => [h("span", { class: "together" }, pill(word), ` ${count(number)}`), " "])],
      ["Tokens in", count(all.tokens.input)],
      ["of them cached", count(all.tokens.cached)],
      ["Tokens out", count(all.tokens.output)],
    ]),
  );

/** Why a turn is worth a look, in a word or two. */
const notes = (turn) =>
  badges(
    turn.try > 1 && [`try ${turn.try}`, "warn"],
    turn.refused && [turn.refused.split(" ").length > 1 ? `limit: ${turn.refused}` : `moderated: ${turn.refused}`, "bad"],
    turn.failed_attempts && [`begun anew ${turn.failed_attempts}×`, "warn"],
    (turn.cache === "hit" || turn.cache === "shared") && [`cache ${turn.cache}`, "plain"],
    turn.error && [turn.error, "bad"],
  );

export function turnTable(caption, found, withConversation = true) {
  const columns = [["Turn"], ["Outcome", "outcome"], ...(withConversation ? [["Conversation"]] : []), ["Event", "wide"], ["Took", "number"], ["First token", "number wide"], ["Tokens in / out", "number wide"]];
  const rows = found.map((turn) => [
    turn.id,
    [
      turnLink(turn.id, ago(turn.at)),
      [turn.live ? pill("live") : turn.outcome ? pill(turn.outcome) : h("span", { class: "faint" }, turn.name), " ", notes(turn)],
      ...(withConversation ? [conversationLink(turn.conversation, turn.pseudonym)] : []),
      turn.kind ?? "",
      span(turn.live ? turn.so_far : turn.seconds),
      span(turn.first_token),
      turn.tokens.input || turn.tokens.output ? `${count(turn.tokens.input)} / ${count(turn.tokens.output)}` : "–",
    ],
  ]);
  return table(caption, columns, rows, "No turn was recorded yet. Write to the bot, and it appears here.");
}

export const overview = {
  usesOverview: true,
  title: () => "Overview",
  load: (where, signal) => get("turns", { limit: 15 }, signal),
  show: (data) => [
    h("h1", { tabindex: -1 }, "Overview"),
    tiles(data.overview),
    h("div", { class: "pair" }, times(data.overview), recorded(data.overview)),
    turnTable("Latest turns", data.turns),
  ],
};

export const turns = {
  title: () => "Turns",
  load: (where, signal) => get("turns", { limit: 200 }, signal),
  show: (data) => [
    h("h1", { tabindex: -1 }, "Turns"),
    h("p", { class: "lead" }, "What this process keeps in memory, the latest first. Nothing that was said is in a turn."),
    turnTable("Recorded turns", data.turns),
  ],
};
