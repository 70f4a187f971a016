// Run from a folder with the `openai` package: call a server and print what came, as JSON.
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const [packages, baseURL, model] = process.argv.slice(2);
const entry = createRequire(`${packages}/package.json`).resolve("openai");
const { default: OpenAI } = await import(pathToFileURL(entry).href);
const client = new OpenAI({ baseURL, apiKey: "none", maxRetries: 0 });
const messages = [{ role: "user", content: "one two three four" }];

async function caught(call) {
  try {
    await call();
    return null;
  } catch (error) {
    return { name: error.constructor.name, status: error.status, code: error.code, param: error.param };
  }
}

const asked = { model, messages, max_tokens: 4, temperature: 0 };
const whole = await client.chat.completions.create(asked);
const stream = await client.chat.completions.create({
  ...asked,
  stream: true,
  stream_options: { include_usage: true },
});
let streamed = "";
let usage = null;
for await (const chunk of stream) {
  streamed += chunk.choices[0]?.delta?.content ?? "";
  usage = chunk.usage ?? usage;
}
const left = await client.chat.completions.create({ ...asked, stream: true });
for await (const _ of left) break; // leaving the loop aborts the request

const models = [];
for await (const entry of client.models.list()) models.push(entry.id);
const embedding = await client.embeddings.create({ model, input: "a cat" });
const text = await client.completions.create({ model, prompt: "hello", max_tokens: 2 });
const errors = {
  model: await caught(() => client.chat.completions.create({ model: "gpt-99", messages })),
  parameter: await caught(() => client.chat.completions.create({ ...asked, temperature: 7 })),
};
console.log(
  JSON.stringify({
    whole: whole.choices[0].message.content,
    requestId: whole._request_id,
    streamed,
    usage,
    models,
    embedding: Math.hypot(...embedding.data[0].embedding),
    text: text.choices[0].text,
    errors,
  }),
);
