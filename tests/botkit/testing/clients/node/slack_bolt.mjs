// An app written with Bolt for JavaScript, as its guide shows them: over HTTP or in Socket Mode.
import { createRequire } from "node:module";

const [packages, slackApiUrl, token, appToken, signingSecret, mode] = process.argv.slice(2);
const { App } = createRequire(`${packages}/package.json`)("@slack/bolt");
const socketMode = mode === "socket";
const app = new App({
  token,
  clientOptions: { slackApiUrl },
  ...(socketMode ? { socketMode, appToken } : { signingSecret }),
});

app.message("hello", async ({ message, say }) => {
  await say({
    blocks: [
      {
        type: "section",
        text: { type: "mrkdwn", text: `Hey there <@${message.user}>!` },
        accessory: { type: "button", text: { type: "plain_text", text: "Press" }, action_id: "press" },
      },
    ],
    text: "Hey there!",
  });
});
app.action("press", async ({ body, ack, say, respond }) => {
  await ack();
  await respond({ text: "you pressed it", replace_original: true });
  await say(`<@${body.user.id}> pressed`);
});
app.command("/echo", async ({ command, ack, respond }) => {
  await ack(`at once: ${command.text}`);
  await respond(`later: ${command.text}`);
});
app.event("app_mention", async ({ event, say }) => {
  await say({ text: "you called", thread_ts: event.ts });
});
app.event("message", async ({ event, say }) => {
  if (event.subtype !== "file_share") return;
  const headers = { Authorization: `Bearer ${token}` };
  const answer = await fetch(event.files[0].url_private_download, { headers });
  await say(`${(await answer.arrayBuffer()).byteLength} bytes`);
});

if (socketMode) {
  await app.start();
  console.log("ready");
} else {
  const server = await app.start({ port: 0, host: "127.0.0.1" });
  console.log("ready", server.address().port);
}
