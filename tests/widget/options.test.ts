import { describe, expect, it } from 'vitest'
import { Api } from '../../adapters/widget/src/api'
import { optionsOf, serverOf } from '../../adapters/widget/src/options'
import { objection } from '../../adapters/widget/src/uploads'

describe('the server', () => {
  it.each([
    ['https://bot.example/widget.js', '', 'https://bot.example/'],
    ['https://bot.example/a/b/widget.js?v=1#x', '', 'https://bot.example/a/b/'],
    ['https://cdn.example/widget.js', 'https://bot.example/api', 'https://bot.example/api/'],
    ['https://cdn.example/widget.js', 'https://bot.example', 'https://bot.example/'],
  ])('of %s with %j', (script, given, expected) => {
    expect(serverOf(script, given)).toBe(expected)
  })

  it('is the only one that files come from', () => {
    const api = new Api('https://bot.example/base/')
    expect(api.address('/web/files/f1?key=x')).toBe('https://bot.example/base/web/files/f1?key=x')
    expect(api.address('https://bot.example/web/files/f1')).toBe('https://bot.example/web/files/f1')
    for (const url of ['https://evil.example/x.png', 'javascript:alert(1)', 'data:image/png;base64,x', 'http://bot.example/x', 'http://['])
      expect(api.address(url), url).toBeNull()
    expect(api.address('//evil.example/x.png')).toBe('https://bot.example/base//evil.example/x.png')
  })
})

it("an element's own settings come before the script's", () => {
  const options = optionsOf({ title: 'Site', accent: '#111', open: '' }, { title: 'Own', open: 'false' }, 's')
  expect(options).toMatchObject({ title: 'Own', accent: '#111', open: false, launcher: true, locale: 'auto', theme: 'auto' })
  expect(optionsOf({ launcher: 'off', open: '' }, {}, 's')).toMatchObject({ launcher: false, open: true })
})

describe('a file', () => {
  const limits = { text: 10, file_bytes: 4, files: 2, file_types: ['image/png', 'text/*'] }
  const file = (name: string, type: string, text = 'x'): File => new File([text], name, { type })

  it.each([
    ['a.png', 'image/png', 'x', 0, null],
    ['a.txt', 'text/plain', 'x', 1, null],
    ['a.bin', '', 'x', 0, null],
    ['a.exe', 'application/x-msdownload', 'x', 0, 'badType'],
    ['a.png', 'image/png', 'too large', 0, 'tooLarge'],
    ['a.png', 'image/png', 'x', 2, 'tooMany'],
  ])('%s (%s, %j, with %i others)', (name, type, text, already, expected) => {
    expect(objection(file(name, type, text), limits, already)?.key ?? null).toBe(expected)
  })
})
