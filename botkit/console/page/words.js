// Numbers and times as a person reads them.

import { h } from "./dom.js";

export const count = (value) => Number(value).toLocaleString("en");

export function span(seconds) {
  if (seconds == null) return "–";
  if (seconds === 0) return "0";
  if (seconds < 0.0095) return `${(1000 * seconds).toFixed(seconds < 0.00095 ? 2 : 1)} ms`;
  if (seconds < 0.9995) return `${Math.round(1000 * seconds)} ms`;
  if (seconds < 60) return `${seconds.toFixed(2)} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${Math.floor(seconds % 60)} s`;
  if (seconds < 86400) return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`;
  return `${Math.floor(seconds / 86400)} d ${Math.floor((seconds % 86400) / 3600)} h`;
}

export const bytes = (value) => (value < 1e6 ? `${(value / 1e3).toFixed(0)} kB` : `${(value / 1e6).toFixed(1)} MB`);

const two = (value) => String(value).padStart(2, "0");

export function clock(at) {
  const date = new Date(1000 * at);
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}

/** How long ago, with the very moment as its title. */
export function ago(at) {
  if (at == null) return "–";
  const age = Math.max(0, Date.now() / 1000 - at);
  const words =
    age < 5 ? "now" : age < 60 ? `${Math.floor(age)} s ago` : age < 3600 ? `${Math.floor(age / 60)} min ago` : age < 86400 ? `${Math.floor(age / 3600)} h ago` : `${Math.floor(age / 86400)} d ago`;
  return h("time", { datetime: new Date(1000 * at).toISOString(), title: clock(at) }, words);
}

const MOODS = {
  answered: "good", sent: "good", positive: "good",
  retried: "warn", interrupted: "warn", delayed: "warn",
  dead: "bad", failed: "bad", refused: "bad", negative: "bad", "cut off": "bad",
  live: "live",
};

/** A word that stands out; never by its colour alone. */
export const pill = (word, mood = MOODS[word] ?? "plain") => h("span", { class: `pill ${mood}` }, word);

export const badges = (...words) => words.filter(Boolean).map(([word, mood]) => [pill(word, mood), " "]);
