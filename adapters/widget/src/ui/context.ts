import type { Conversation } from '../conversation'
import type { Locale } from '../i18n'
import type { Announcer } from './announcer'

/** What every part of the panel is given. */
export interface Context {
  conversation: Conversation
  locale: Locale
  title: string
  greeting: string
  announcer: Announcer
}
