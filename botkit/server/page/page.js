
// A chat page over POST /v1/chat/completions. Every text enters the page through textContent.

const WAKE_INTERVAL_MS = 1000;
const UNAVAILABLE_TRIES = 5;
// What suits a small model; other endpoints know what suits theirs, and are told nothing.
const LIKELIEST = { temperature: 0, frequency_penalty: 0.4 };

const $ = (id) => document.getElementById(id);
const [log, scroll, status, composer, text, send, stop, keyform, fresh] = [
  "log", "scroll", "status", "composer", "text", "send", "stop", "keyform", "fresh",
].map($);

let messages = []; // what the model is sent
let model = null;
let sampling = {};
let key = ""; // only in memory: gone when the page is
let running = null; // AbortController of the reply being written

class ApiError extends Error {
  constructor(httpStatus, error) {
    super(error?.message ?? `The server answered ${httpStatus}.`);
    this.status = httpStatus;
    this.code = error?.code ?? null;
  }
}

// -- the server ---------------------------------------------------------------------------------

const pause = (ms, signal) =>
  new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    signal?.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(signal.reason);
    });
  });

async function failure(response) {
  const body = await response.json().catch(() => null);
  return new ApiError(response.status, body?.error);
}

async function call(path, options = {}) {
  const headers = { ...options.headers };
  if (key) headers.authorization = `Bearer ${key}`;
  const response = await fetch(path, { ...options, headers, cache: "no-store" });
  if (!response.ok) throw await failure(response);
  return response;
}

// Waits until the model can answer; tells the reader why it takes a while.
async function untilReady(signal) {
  for (;;) {
    try {
      await call("/readyz", { signal });
      return say("");
    } catch (error) {
      if (signal?.aborted) throw error;
      if (error instanceof ApiError && error.status !== 503) return say("");
      const waking = "Waking up: the model is loading. A message is answered as soon as it can.";
      say(error instanceof ApiError ? waking : "The server does not answer. Trying again.");
    }
    await pause(WAKE_INTERVAL_MS, signal);
  }
}

async function chosenModel(signal) {
  if (model === null) {
    const listed = await (await call("/v1/models", { signal })).json();
    model = listed.data[0]?.id ?? "default";
    if (listed.data[0]?.owned_by === "botkit") sampling = LIKELIEST;
    $("model").textContent = model;
  }
  return model;
}

async function* deltas(said, signal) {
  const response = await call("/v1/chat/completions", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ model: await chosenModel(signal), messages: said, ...sampling, stream: true }),
    signal,
  });
  for await (const data of events(response.body)) {
    if (data === "[DONE]") return;
    const chunk = JSON.parse(data);
    if (chunk.error) throw new ApiError(500, chunk.error);
    for (const choice of chunk.choices) {
      if (choice.delta.content) yield choice.delta.content;
      if (choice.finish_reason === "length") note("The reply reached its limit of length.");
    }
  }
  throw new ApiError(500, { message: "The connection broke in the middle of the reply." });
}

// The data of each server-sent event (https://html.spec.whatwg.org/multipage/server-sent-events.html).
async function* events(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  try {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      const blocks = (rest + value).replaceAll("\r\n", "\n").split("\n\n");
      rest = blocks.pop();
      for (const block of blocks) {
        const lines = block.split("\n").filter((line) => line.startsWith("data:"));
        if (lines.length) yield lines.map((line) => line.slice(5).trimStart()).join("\n");
      }
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}

// -- the conversation ---------------------------------------------------------------------------

function ask(question) {
  dropUnanswered();
  messages.push({ role: "user", content: question });
  bubble("user", question);
  answer();
}

async function answer() {
  const reply = bubble("assistant", "");
  const said = messages; // "New chat" puts another list in its place
  const { signal } = (running = new AbortController());
  busy(true, reply);
  let written = "";
  try {
    for await (const delta of patiently(said, reply, signal)) {
      written += delta;
      reply.textContent = written;
      follow();
    }
    settle(said, reply, written);
  } catch (error) {
    if (signal.aborted) settle(said, reply, written);
    else explain(error, reply);
  } finally {
    running = null;
    busy(false, reply);
  }
}

// Deltas of the reply: waits while the model loads, forgets the oldest exchange when it must.
async function* patiently(said, reply, signal) {
  for (let tries = 1; ; tries++) {
    try {
      await untilReady(signal);
      yield* deltas(said, signal);
      return;
    } catch (error) {
      if (error.status === 503 && tries < UNAVAILABLE_TRIES) {
        await pause(WAKE_INTERVAL_MS, signal);
      } else if (error.code === "context_length_exceeded" && said.length > 2) {
        said.splice(0, 2);
        if (!reply.previousElementSibling.matches(".note")) {
          reply.before(note("The conversation is long: its oldest part was forgotten."));
        }
      } else {
        throw error;
      }
    }
  }
}

function settle(said, reply, written) {
  if (written) said.push({ role: "assistant", content: written });
  else reply.remove();
}

function explain(error, reply) {
  if (error.status === 401) {
    reply.remove();
    askForKey();
    return;
  }
  const message = error instanceof ApiError ? error.message : "The server cannot be reached.";
  problem(message, () => {
    reply.remove();
    answer();
  });
  if (!reply.textContent) reply.remove();
}

// A question without an answer would leave two user messages in a row: it is not sent again.
function dropUnanswered() {
  for (const leftover of log.querySelectorAll(".problem")) leftover.remove();
  if (messages.at(-1)?.role !== "user") return;
  messages.pop();
  [...log.querySelectorAll(".user")].at(-1)?.classList.add("unanswered");
}

function askForKey() {
  if (key) say("");
  keyform.querySelector("label").textContent = key
    ? "That API key was not accepted. Another one?"
    : "This server asks for an API key";
  keyform.hidden = false;
  $("key").focus();
}

// -- the page -----------------------------------------------------------------------------------

function element(tag, className, content) {
  const made = document.createElement(tag);
  made.className = className;
  made.textContent = content;
  return made;
}

function bubble(role, content) {
  $("welcome").hidden = true;
  fresh.hidden = false;
  const made = element("div", `message ${role}`, content);
  made.dir = "auto";
  made.setAttribute("role", "article");
  made.setAttribute("aria-label", role === "user" ? "You" : "Reply");
  log.append(made);
  follow(true);
  return made;
}

function note(content) {
  const made = element("p", "note", content);
  log.append(made);
  follow();
  return made;
}

function problem(message, retry) {
  const made = element("div", "problem", "");
  made.setAttribute("role", "alert");
  const again = element("button", "", "Try again");
  again.type = "button";
  again.addEventListener("click", () => {
    made.remove();
    retry();
  });
  made.append(element("p", "", message), again);
  log.append(made);
  follow(true);
}

function say(message) {
  if (status.textContent !== message) status.textContent = message;
  status.hidden = !message;
}

function busy(on, reply) {
  reply.setAttribute("aria-busy", on);
  const hadFocus = document.activeElement === stop || document.activeElement === send;
  send.hidden = on;
  stop.hidden = !on;
  refresh();
  if (!on) say("");
  if (hadFocus) text.focus();
}

// Keeps the end in view, unless the reader scrolled up.
function follow(always = false) {
  const distance = scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight;
  if (always || distance < 120) scroll.scrollTop = scroll.scrollHeight;
}

function refresh() {
  send.disabled = text.value.trim() === "";
  text.style.height = "auto";
  text.style.height = `${text.scrollHeight + 2}px`;
}

function submit() {
  const question = text.value.trim();
  if (!question || running) return;
  text.value = "";
  refresh();
  ask(question);
}

composer.addEventListener("submit", (event) => {
  event.preventDefault();
  submit();
});

text.addEventListener("input", refresh);

text.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
    event.preventDefault();
    submit();
  }
});

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") running?.abort();
});

stop.addEventListener("click", () => running?.abort());

for (const idea of document.querySelectorAll(".idea")) {
  idea.addEventListener("click", () => {
    if (!running) ask(idea.textContent);
    text.focus();
  });
}

fresh.addEventListener("click", () => {
  running?.abort();
  messages = [];
  log.replaceChildren();
  $("welcome").hidden = false;
  fresh.hidden = true;
  text.focus();
});

keyform.addEventListener("submit", (event) => {
  event.preventDefault();
  key = $("key").value.trim();
  $("key").value = "";
  keyform.hidden = true;
  text.focus();
  if (messages.at(-1)?.role === "user") answer();
  else greet();
});

// Names the model as soon as it is known; a message may be typed before.
async function greet() {
  try {
    await untilReady();
    await chosenModel();
  } catch (error) {
    if (error.status === 401) askForKey();
  }
}

greet();
