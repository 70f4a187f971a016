import type { Messages } from '../i18n'
import en from './en'

/**
 * Messages out of their values alone, in the order of the English ones. The build writes every other
 * language so (vite.config.ts): the keys would be a twentieth of the whole script.
 */
export function unpacked(values: string): Messages {
  const lines = values.split('\n')
  const entries = Object.keys(en).map((key, index) => [key, lines[index] ?? ''])
  return Object.fromEntries(entries) as Messages
}
