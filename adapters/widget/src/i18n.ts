import en from './languages/en'
import { LANGUAGES } from './languages'

export type Messages = Record<keyof typeof en, string>

const RIGHT_TO_LEFT = new Set(['ar', 'he'])
const TRADITIONAL = /^zh\b.*\b(hant|tw|hk|mo)\b/i
/** Codes of old that browsers still say. */
const RENAMED: Readonly<Record<string, string>> = { iw: 'he', in: 'id' }

export interface Locale {
  /** What the visitor asked for, as the bot is told it. */
  tag: string
  /** The language of the messages. */
  language: string
  direction: 'ltr' | 'rtl'
  messages: Messages
}

/** The first of the wanted locales that there are messages for; English where there is none. */
export function resolve(wanted: readonly string[]): Locale {
  const tag = wanted[0] ?? 'en'
  for (const one of wanted) {
    const language = languageOf(one)
    const messages = LANGUAGES[language]
    if (messages) return { tag, language, direction: RIGHT_TO_LEFT.has(language) ? 'rtl' : 'ltr', messages }
  }
  return { tag, language: 'en', direction: 'ltr', messages: en }
}

/** The locales that a setting means: itself, or with "auto" what the browser and the page say. */
export function wantedLocales(setting: string): string[] {
  const own = setting && setting !== 'auto' ? [setting] : []
  return [...own, ...navigator.languages, document.documentElement.lang].filter(isTag)
}

/** Puts values into a message. */
export function format(message: string, values: Readonly<Record<string, string | number>>): string {
  return message.replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole))
}

/** A number of bytes in the language's own way: "4 MB", "4 Mo". */
export function bytes(size: number, tag: string): string {
  const units = ['byte', 'kilobyte', 'megabyte', 'gigabyte']
  let unit = 0
  let value = size
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024
    unit += 1
  }
  return new Intl.NumberFormat(tag, {
    style: 'unit',
    unit: units[unit] ?? 'byte',
    unitDisplay: 'short',
    maximumFractionDigits: value < 10 ? 1 : 0,
  }).format(value)
}

function languageOf(tag: string): string {
  if (TRADITIONAL.test(tag)) return 'zh-Hant'
  const base = tag.toLowerCase().split(/[-_]/, 1)[0] ?? ''
  return RENAMED[base] ?? base
}

function isTag(tag: string): boolean {
  try {
    return Intl.getCanonicalLocales(tag).length > 0
  } catch {
    return false
  }
}
