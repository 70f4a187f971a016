import { describe, expect, it } from 'vitest'
import { bytes, format, resolve } from '../../adapters/widget/src/i18n'
import { LANGUAGES } from '../../adapters/widget/src/languages'
import en from '../../adapters/widget/src/languages/en'
import { unpacked } from '../../adapters/widget/src/languages/packed'

const PLACEHOLDER = /\{\w+\}/g
const names = (text: string): string[] => (text.match(PLACEHOLDER) ?? []).sort()

describe('the languages', () => {
  it('are at least sixteen, among them two that are written from right to left', () => {
    expect(Object.keys(LANGUAGES).length).toBeGreaterThanOrEqual(16)
    for (const language of ['en', 'zh', 'zh-Hant', 'fr', 'de', 'es', 'ja', 'ar', 'he']) expect(LANGUAGES[language]).toBeDefined()
  })

  it.each(Object.entries(LANGUAGES))('%s has every message, with the same values to put in', (_, messages) => {
    expect(Object.keys(messages ?? {}).sort()).toEqual(Object.keys(en).sort())
    for (const [key, text] of Object.entries(en)) {
      const own = messages?.[key as keyof typeof en] ?? ''
      expect(own.trim(), key).not.toBe('')
      expect(names(own), key).toEqual(names(text))
    }
  })

  it.each(Object.entries(LANGUAGES))('%s comes out of the build as it went in', (_, messages) => {
    const values = Object.keys(en).map((key) => messages?.[key as keyof typeof en])
    expect(unpacked(values.join('\n'))).toEqual(messages)
  })

  it.each(Object.entries(LANGUAGES))('%s has its keys in the order of English: the build writes values alone', (_, messages) => {
    expect(Object.keys(messages ?? {})).toEqual(Object.keys(en))
  })
})

describe('a locale', () => {
  it.each([
    [['pt-BR'], 'pt', 'ltr'],
    [['de-AT', 'en'], 'de', 'ltr'],
    [['zh-CN'], 'zh', 'ltr'],
    [['zh-TW'], 'zh-Hant', 'ltr'],
    [['zh-Hant-HK'], 'zh-Hant', 'ltr'],
    [['zh-Hans-SG'], 'zh', 'ltr'],
    [['ar-EG'], 'ar', 'rtl'],
    [['he'], 'he', 'rtl'],
    [['iw-IL'], 'he', 'rtl'],
    [['sv-SE', 'nl'], 'nl', 'ltr'],
    [['sv'], 'en', 'ltr'],
    [[], 'en', 'ltr'],
  ] as const)('%j', (wanted, language, direction) => {
    expect(resolve(wanted)).toMatchObject({ language, direction })
  })

  it('is told to the bot as the visitor wants it', () => {
    expect(resolve(['sv-SE', 'de']).tag).toBe('sv-SE')
  })
})

it('values are put in, and what has none stays', () => {
  expect(format('{name} of {size}, {name}', { name: 'a$&' })).toBe('a$& of {size}, a$&')
})

it('sizes are said in the language', () => {
  expect(bytes(4_194_304, 'en')).toMatch(/^4\s?MB$/)
  expect(bytes(1536, 'de')).toMatch(/^1,5\skB$/)
  expect(bytes(10, 'en')).toContain('10')
})
