"""A bot written with aiogram, as its guide shows them: polls."""

from __future__ import annotations

import asyncio
import sys

from aiogram import Bot, Dispatcher, F
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiogram.filters import CommandStart
from aiogram.types import (
    BotCommand,
    CallbackQuery,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    Message,
)

root, token, _ = sys.argv[1:]
dispatcher = Dispatcher()


@dispatcher.message(CommandStart())
async def start(message: Message) -> None:
    await message.answer(f"Welcome, {message.from_user.first_name}!")


@dispatcher.message(F.photo)
async def photo(message: Message, bot: Bot) -> None:
    data = await bot.download(message.photo[-1])
    await message.answer(f"{len(data.read())} bytes")


@dispatcher.message(F.text)
async def echo(message: Message) -> None:
    button = InlineKeyboardButton(text="Press", callback_data="pressed")
    keyboard = InlineKeyboardMarkup(inline_keyboard=[[button]])
    await message.reply(f"heard {message.text}", reply_markup=keyboard)


@dispatcher.callback_query()
async def press(query: CallbackQuery) -> None:
    await query.answer("thanks")
    await query.message.edit_text(f"you {query.data} it")


async def main() -> None:
    session = AiohttpSession(api=TelegramAPIServer.from_base(root))
    bot = Bot(token, session=session)
    await bot.set_my_commands([BotCommand(command="start", description="Begin")])
    await dispatcher.start_polling(bot)


asyncio.run(main())
