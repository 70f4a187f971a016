import type { Messages } from '../i18n'
import en from './en'

export const LANGUAGES: Readonly<Partial<Record<string, Messages>>> = { en }
