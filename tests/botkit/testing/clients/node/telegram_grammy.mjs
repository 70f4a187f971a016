// A bot written with grammY, as its guide shows them: polls.
import { createRequire } from "node:module";

const [packages, root, token] = process.argv.slice(2);
const { Bot, InlineKeyboard } = createRequire(`${packages}/package.json`)("grammy");
const bot = new Bot(token, { client: { apiRoot: root } });

bot.command("start", (ctx) => ctx.reply(`Welcome, ${ctx.from.first_name}!`));
bot.on("message:photo", async (ctx) => {
  const file = await ctx.getFile();
  const answer = await fetch(`${root}/file/bot${token}/${file.file_path}`);
  await ctx.reply(`${(await answer.arrayBuffer()).byteLength} bytes`);
});
bot.on("message:text", (ctx) =>
  ctx.reply(`heard ${ctx.message.text}`, {
    reply_markup: new InlineKeyboard().text("Press", "pressed"),
    reply_parameters: { message_id: ctx.message.message_id },
  }),
);
bot.on("callback_query:data", async (ctx) => {
  await ctx.answerCallbackQuery("thanks");
  await ctx.editMessageText(`you ${ctx.callbackQuery.data} it`);
});

process.once("SIGTERM", () => bot.stop());
await bot.api.setMyCommands([{ command: "start", description: "Begin" }]);
await bot.start();
