/** Colours out of one accent, so that text is readable whatever it is (WCAG 2.2, contrast 1.4.3). */

export type Rgb = readonly [number, number, number]

export interface Palette {
  /** The accent itself, behind text. */
  accent: string
  /** Text on it. */
  onAccent: string
  /** The accent as text and as an outline, on a light and on a dark surface. */
  onLight: string
  onDark: string
}

export const DEFAULT_ACCENT: Rgb = [79, 70, 229]
/** The least light and the least dark surface that accented text stands on; see styles/base.css. */
export const LIGHT_SURFACE: Rgb = [241, 243, 246]
export const DARK_SURFACE: Rgb = [43, 47, 56]
/** A little more than the 4.5 that is asked for, so that rounding takes nothing away. */
const ENOUGH = 4.55

const BLACK: Rgb = [0, 0, 0]
const WHITE: Rgb = [255, 255, 255]
const INK: Rgb = [17, 19, 24]

export function palette(accent: Rgb): Palette {
  return {
    accent: css(accent),
    onAccent: css(textOn(accent)),
    onLight: css(readable(accent, LIGHT_SURFACE, BLACK)),
    onDark: css(readable(accent, DARK_SURFACE, WHITE)),
  }
}

/** White where it can be read; else the darkest that is needed. */
export function textOn(background: Rgb): Rgb {
  if (contrast(WHITE, background) >= ENOUGH) return WHITE
  return contrast(INK, background) >= ENOUGH ? INK : contrast(BLACK, background) > contrast(WHITE, background) ? BLACK : WHITE
}

/** The colour, moved towards another one as little as its contrast with a surface needs. */
export function readable(colour: Rgb, surface: Rgb, towards: Rgb): Rgb {
  for (let step = 0; step <= 50; step += 1) {
    const mixed = mix(colour, towards, step / 50)
    if (contrast(mixed, surface) >= ENOUGH) return mixed
  }
  return towards
}

export function contrast(one: Rgb, other: Rgb): number {
  const [a, b] = [luminance(one), luminance(other)]
  return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05)
}

function luminance([red, green, blue]: Rgb): number {
  return 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue)
}

/** A colour as CSS writes it; null when it is none. Names and functions are asked of the browser. */
export function parseColour(text: string): Rgb | null {
  const hex = /^#([\da-f]{3,8})$/i.exec(text.trim())?.[1]
  if (hex) return fromHex(hex)
  return text.trim() ? fromBrowser(text.trim()) : null
}

function fromHex(digits: string): Rgb | null {
  const pairs =
    digits.length === 3 || digits.length === 4
      ? [...digits].map((one) => one + one)
      : digits.length === 6 || digits.length === 8
        ? (digits.match(/../g) ?? [])
        : []
  const [red, green, blue] = pairs.map((pair) => parseInt(pair, 16))
  return red === undefined || green === undefined || blue === undefined ? null : [red, green, blue]
}

function fromBrowser(text: string): Rgb | null {
  if (!globalThis.CSS?.supports('color', text)) return null
  const context = document.createElement('canvas').getContext('2d', { willReadFrequently: true })
  if (!context) return null
  context.fillStyle = text
  context.fillRect(0, 0, 1, 1)
  const [red = 0, green = 0, blue = 0] = context.getImageData(0, 0, 1, 1).data
  return [red, green, blue]
}

function linear(channel: number): number {
  const value = channel / 255
  return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4
}

function mix(one: Rgb, other: Rgb, share: number): Rgb {
  const at = (index: 0 | 1 | 2): number => Math.round(one[index] + (other[index] - one[index]) * share)
  return [at(0), at(1), at(2)]
}

function css([red, green, blue]: Rgb): string {
  return `rgb(${red} ${green} ${blue})`
}
