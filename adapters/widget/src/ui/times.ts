import { h, say, set } from './dom'

const DAY = 86_400_000

export function timeElement(): HTMLTimeElement {
  return h('time', { class: 'time', part: 'time' })
}

export function shortTime(element: HTMLTimeElement, at: number, language: string): void {
  element.hidden = at === 0
  if (at === 0) return
  const date = new Date(at * 1000)
  set(element, 'datetime', date.toISOString())
  say(element, formatter(language, { timeStyle: 'short' }).format(date))
}

/** "Today", "Yesterday" or a date. */
export function dayName(at: number, language: string): string {
  const date = new Date(at * 1000)
  const days = Math.round((new Date().setHours(0, 0, 0, 0) - new Date(at * 1000).setHours(0, 0, 0, 0)) / DAY)
  if (days > 1) return formatter(language, { dateStyle: 'long' }).format(date)
  const name = new Intl.RelativeTimeFormat(language, { numeric: 'auto' }).format(-days, 'day')
  return name.charAt(0).toLocaleUpperCase(language) + name.slice(1)
}

const formatters = new Map<string, Intl.DateTimeFormat>()

/** Making one is slow, and a long history needs hundreds. */
function formatter(language: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = language + JSON.stringify(options)
  const known = formatters.get(key) ?? new Intl.DateTimeFormat(language, options)
  formatters.set(key, known)
  return known
}
