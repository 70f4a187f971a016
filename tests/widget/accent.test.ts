import { describe, expect, it } from 'vitest'
import { contrast, DARK_SURFACE, LIGHT_SURFACE, palette, parseColour, readable, type Rgb, textOn } from '../../adapters/widget/src/accent'

const AA = 4.5

function* colours(): Generator<Rgb> {
  for (let red = 0; red <= 255; red += 15)
    for (let green = 0; green <= 255; green += 15) for (let blue = 0; blue <= 255; blue += 15) yield [red, green, blue]
}

describe('whatever the accent is', () => {
  it('text on it can be read', () => {
    for (const colour of colours()) expect(contrast(textOn(colour), colour), String(colour)).toBeGreaterThanOrEqual(AA)
  })

  it('it can be read as text, on light and on dark', () => {
    for (const colour of colours()) {
      expect(contrast(readable(colour, LIGHT_SURFACE, [0, 0, 0]), LIGHT_SURFACE), String(colour)).toBeGreaterThanOrEqual(AA)
      expect(contrast(readable(colour, DARK_SURFACE, [255, 255, 255]), DARK_SURFACE), String(colour)).toBeGreaterThanOrEqual(AA)
    }
  })
})

it('a colour that can be read already stays as it is', () => {
  expect(palette([79, 70, 229])).toMatchObject({ accent: 'rgb(79 70 229)', onAccent: 'rgb(255 255 255)', onLight: 'rgb(79 70 229)' })
})

it('black on white has the contrast that WCAG says', () => {
  expect(contrast([0, 0, 0], [255, 255, 255])).toBeCloseTo(21)
  expect(contrast([119, 119, 119], [255, 255, 255])).toBeCloseTo(4.48, 2)
})

it.each([
  ['#0a7', [0, 170, 119]],
  [' #00AA77 ', [0, 170, 119]],
  ['#0a7f', [0, 170, 119]],
  ['#00aa7780', [0, 170, 119]],
  ['#12345', null],
  ['', null],
  ['#xyz', null],
] as const)('%j is read as a colour', (text, expected) => {
  expect(parseColour(text)).toEqual(expected)
})
