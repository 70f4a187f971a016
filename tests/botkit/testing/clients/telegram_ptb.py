"""A bot written with python-telegram-bot, as its guide shows them: polls, or opens its webhook."""

from __future__ import annotations

import sys

from telegram import InlineKeyboardButton, InlineKeyboardMarkup, Update
from telegram.ext import (
    Application,
    CallbackQueryHandler,
    CommandHandler,
    ContextTypes,
    MessageHandler,
    filters,
)

root, token, port = sys.argv[1:]
Context = ContextTypes.DEFAULT_TYPE


async def start(update: Update, context: Context) -> None:
    await update.message.reply_text(f"Welcome, {update.effective_user.first_name}!")


async def echo(update: Update, context: Context) -> None:
    keyboard = InlineKeyboardMarkup([[InlineKeyboardButton("Press", callback_data="pressed")]])
    await update.message.reply_text(f"heard {update.message.text}", reply_markup=keyboard)


async def photo(update: Update, context: Context) -> None:
    file = await update.message.photo[-1].get_file()
    await update.message.reply_text(f"{len(await file.download_as_bytearray())} bytes")


async def press(update: Update, context: Context) -> None:
    await update.callback_query.answer("thanks")
    await update.callback_query.edit_message_text(f"you {update.callback_query.data} it")


async def introduce(application: Application) -> None:
    await application.bot.set_my_commands([("start", "Begin")])


application = (
    Application.builder()
    .token(token)
    .base_url(f"{root}/bot")
    .base_file_url(f"{root}/file/bot")
    .post_init(introduce)
    .build()
)
application.add_handler(CommandHandler("start", start))
application.add_handler(MessageHandler(filters.PHOTO, photo))
application.add_handler(MessageHandler(filters.TEXT & ~filters.COMMAND, echo))
application.add_handler(CallbackQueryHandler(press))
if port == "0":
    application.run_polling()
else:
    url = f"http://127.0.0.1:{port}/hook"
    application.run_webhook("127.0.0.1", int(port), "hook", webhook_url=url, secret_token="s3cret")
