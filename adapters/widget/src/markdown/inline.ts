/** What stands inside a block: emphasis, code, links (CommonMark, 6). No raw HTML but `<br>`. */

import { decoded, safeAddress } from './link'

export type Inline = string | Span

export interface Span {
  tag: 'strong' | 'em' | 'del' | 'code' | 'a' | 'br'
  href?: string
  children: Inline[]
  /** How many spans stand in each other here. */
  depth?: number
}

/** A run of `*`, `_` or `~` that may begin or end emphasis. */
interface Run {
  mark: string
  count: number
  opens: boolean
  closes: boolean
}

interface Bracket {
  at: number
  image: boolean
  active: boolean
}

type Piece = Inline | Run

const ESCAPABLE = /[!-/:-@[-`{-~]/
const BREAK = /^<br\s*\/?>/i
const AUTOLINK = /^<((?:https?|mailto|tel):[^\s<>]*|[\w.!#$%&'*+/=?^`{|}~-]+@[a-z\d-]+(?:\.[a-z\d-]+)+)>/i
const ADDRESS = /^(?:https?:\/\/|www\.)[^\s<>[\]|`"]+/i
const SPECIAL = /[\\`*_~[\]!<&\n]|https?:\/\/|www\./gi
const LONGEST_ADDRESS = 2048
/** More emphasis in emphasis is none; hostile text must not exhaust the stack. */
const DEEPEST = 8
/** What is open at the end of a text that is being written is at most this much. */
const OPEN_AT_MOST = 4

/**
 * @param live The text is being written: what is open at its end counts as closed there, so that
 *   nothing changes its look when the rest comes.
 */
export function inlinesOf(text: string, live = false): Inline[] {
  let end = text.length
  while (live && '*_~`['.includes(text[end - 1] ?? ' ')) end -= 1
  return new Scanner(text.slice(0, end), live).run()
}

class Scanner {
  readonly #pieces: Piece[] = []
  readonly #brackets: Bracket[] = []
  /** Lengths of backtick runs that no later run closes. */
  readonly #unclosed = new Set<number>()
  #at = 0

  constructor(
    private readonly text: string,
    private readonly live: boolean,
  ) {}

  run(): Inline[] {
    const { text } = this
    while (this.#at < text.length) {
      SPECIAL.lastIndex = this.#at
      const found = SPECIAL.exec(text)
      const next = found ? found.index : text.length
      if (next > this.#at) this.#pieces.push(text.slice(this.#at, next))
      this.#at = next
      if (found) this.#special(found[0])
    }
    return this.#emphasised(0)
  }

  #special(found: string): void {
    const { text } = this
    const rest = text.slice(this.#at, this.#at + LONGEST_ADDRESS)
    switch (found[0]) {
      case '\\':
        return this.#escape()
      case '`':
        return this.#code()
      case '*':
      case '_':
      case '~':
        return this.#run(found)
      case '[':
        return this.#open(1)
      case '!':
        if (text[this.#at + 1] === '[') return this.#open(2)
        return this.#plain(1)
      case ']':
        return this.#close()
      case '<':
        return this.#angle(rest)
      case '&':
        return this.#entity(rest)
      case '\n':
        return this.#newline()
      default:
        return this.#bare(rest, found)
    }
  }

  #plain(length: number): void {
    this.#pieces.push(this.text.slice(this.#at, this.#at + length))
    this.#at += length
  }

  #escape(): void {
    const next = this.text[this.#at + 1] ?? ''
    if (next === '\n') return this.#break(2)
    if (!ESCAPABLE.test(next)) return this.#plain(1)
    this.#pieces.push(next)
    this.#at += 2
  }

  #code(): void {
    const { text } = this
    const mark = /^`+/.exec(text.slice(this.#at))?.[0] ?? '`'
    const begin = this.#at + mark.length
    let end = this.#unclosed.has(mark.length) ? -1 : closing(text, begin, mark)
    if (end < 0) this.#unclosed.add(mark.length)
    if (end < 0 && this.live) end = text.length
    if (end < 0) return this.#plain(mark.length)
    let inside = text.slice(begin, end).replace(/\n/g, ' ')
    if (/^ .*\S.* $/.test(inside)) inside = inside.slice(1, -1)
    this.#pieces.push({ tag: 'code', children: inside ? [inside] : [] })
    this.#at = Math.min(end + mark.length, text.length)
  }

  #run(mark: string): void {
    const { text } = this
    let end = this.#at
    while (text[end] === mark) end += 1
    const count = end - this.#at
    const before = text[this.#at - 1] ?? ' '
    const after = text[end] ?? ' '
    const left = !/\s/.test(after) && (!isPunctuation(after) || /\s/.test(before) || isPunctuation(before))
    const right = !/\s/.test(before) && (!isPunctuation(before) || /\s/.test(after) || isPunctuation(after))
    if (mark === '~' && count !== 2) return this.#plain(count)
    this.#pieces.push({
      mark,
      count,
      opens: left && (mark !== '_' || !right || isPunctuation(before)),
      closes: right && (mark !== '_' || !left || isPunctuation(after)),
    })
    this.#at = end
  }

  #open(length: number): void {
    this.#brackets.push({ at: this.#pieces.length, image: length === 2, active: true })
    this.#plain(length)
  }

  #close(): void {
    const bracket = this.#brackets.pop()
    const target = bracket?.active ? this.#target(this.#at + 1) : null
    if (!bracket || !target) return this.#plain(1)
    const inside = this.#emphasised(bracket.at + 1)
    this.#pieces.length = bracket.at
    this.#at = target.end
    const href = target.address === null ? null : safeAddress(target.address)
    // A picture is never loaded: its address could tell somebody what was talked about.
    const children = inside.length || !href ? inside : [href]
    if (href) this.#pieces.push({ tag: 'a', href, children: unlinked(children) })
    else this.#pieces.push(...children)
    if (!bracket.image) for (const one of this.#brackets) if (!one.image) one.active = false
  }

  /** `(address "title")`; the address is null while it is being written. */
  #target(begin: number): { address: string | null; end: number } | null {
    const { text } = this
    if (text[begin] !== '(') return null
    const rest = text.slice(begin, begin + LONGEST_ADDRESS)
    const found =
      /^\(\s*(?:<([^<>\n]*)>|((?:[^\s()\\]|\\.|\((?:[^\s()\\]|\\.)*\))*))(?:\s+(?:"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|\((?:[^()\\]|\\.)*\)))?\s*\)/.exec(
        rest,
      )
    if (found) {
      const address = decoded(found[1] ?? found[2] ?? '').replace(/\\([!-/:-@[-`{-~])/g, '$1')
      return { address, end: begin + found[0].length }
    }
    const writing = this.live && begin + rest.length === text.length && !/[\n)]/.test(rest)
    return writing ? { address: null, end: text.length } : null
  }

  #angle(rest: string): void {
    const br = BREAK.exec(rest)
    if (br) return this.#break(br[0].length)
    const found = AUTOLINK.exec(rest)
    const address = found?.[1] ?? ''
    const href = found ? safeAddress(/^[a-z]+:/i.test(address) ? address : `mailto:${address}`) : null
    if (!found || !href) return this.#plain(1)
    this.#pieces.push({ tag: 'a', href, children: [address] })
    this.#at += found[0].length
  }

  #entity(rest: string): void {
    const found = /^&[#\w]{2,8};/.exec(rest)?.[0] ?? '&'
    this.#pieces.push(decoded(found))
    this.#at += found.length
  }

  #newline(): void {
    const before = this.#pieces.at(-1)
    if (typeof before === 'string') this.#pieces[this.#pieces.length - 1] = before.trimEnd()
    this.#break(1)
  }

  #break(length: number): void {
    this.#pieces.push({ tag: 'br', children: [] })
    this.#at += length
  }

  /** An address without any mark around it (GFM, 6.9). */
  #bare(rest: string, found: string): void {
    const before = this.text[this.#at - 1] ?? ' '
    let address = /[\w@/.-]/.test(before) ? '' : (ADDRESS.exec(rest)?.[0] ?? '')
    address = withoutTail(address)
    const whole = address.toLowerCase().startsWith('www.') ? `https://${address}` : address
    const href = address.length > found.length ? safeAddress(whole) : null
    if (!href) return this.#plain(found.length)
    this.#pieces.push({ tag: 'a', href, children: [address] })
    this.#at += address.length
  }

  /** The pieces from an index on, with emphasis made of the runs (CommonMark, "process emphasis"). */
  #emphasised(from: number): Inline[] {
    return emphasised(this.#pieces.splice(from), this.live && from === 0)
  }
}

function emphasised(pieces: Piece[], live: boolean): Inline[] {
  const bottoms = new Map<string, number>()
  let at = 0
  while (at < pieces.length) {
    const closer = pieces[at]
    if (!isRun(closer) || !closer.closes) {
      at += 1
      continue
    }
    const group = `${closer.mark}${closer.opens}${closer.count % 3}`
    const opener = openerFor(pieces, at, closer, bottoms.get(group) ?? 0)
    if (opener < 0) {
      bottoms.set(group, at)
      at += 1
      continue
    }
    at = wrap(pieces, opener, at)
    for (const [other, bottom] of bottoms) bottoms.set(other, Math.min(bottom, opener))
  }
  if (live) closeOpen(pieces)
  return plain(pieces)
}

function openerFor(pieces: readonly Piece[], closer: number, run: Run, bottom: number): number {
  for (let at = closer - 1; at >= bottom; at -= 1) {
    const one = pieces[at]
    if (!isRun(one) || !one.opens || one.mark !== run.mark) continue
    const odd = (one.closes || run.opens) && (one.count + run.count) % 3 === 0
    if (odd && (one.count % 3 !== 0 || run.count % 3 !== 0)) continue
    return at
  }
  return -1
}

/** Puts what is between two runs into a span; the index to go on from. */
function wrap(pieces: Piece[], from: number, to: number): number {
  const opener = pieces[from] as Run
  const closer = pieces[to] as Run
  const used = opener.mark === '~' || (opener.count >= 2 && closer.count >= 2) ? 2 : 1
  const tag = opener.mark === '~' ? 'del' : used === 2 ? 'strong' : 'em'
  const children = plain(pieces.slice(from + 1, to))
  const depth = children.reduce((most, one) => (typeof one === 'string' ? most : Math.max(most, one.depth ?? 0)), 0) + 1
  const made: Piece[] = depth > DEEPEST ? children : [{ tag, children, depth }]
  const before = opener.count > used ? [{ ...opener, count: opener.count - used }] : []
  const after = closer.count > used ? [{ ...closer, count: closer.count - used }] : []
  pieces.splice(from, to - from + 1, ...before, ...made, ...after)
  return from + before.length + made.length
}

function closeOpen(pieces: Piece[]): void {
  let count = 0
  for (let at = pieces.length - 2; at >= 0 && count < OPEN_AT_MOST; at -= 1) {
    const one = pieces[at]
    if (!isRun(one) || !one.opens || one.closes) continue
    count += 1
    pieces.push({ ...one, opens: false, closes: true })
    wrap(pieces, at, pieces.length - 1)
    if (isRun(pieces.at(-1))) pieces.pop()
    if (isRun(pieces[at])) at += 1
  }
}

/** Links do not stand in links. */
function unlinked(children: readonly Inline[]): Inline[] {
  return children.flatMap((one) => {
    if (typeof one === 'string') return [one]
    const inside = unlinked(one.children)
    return one.tag === 'a' ? inside : [{ ...one, children: inside }]
  })
}

/** Runs that came to nothing are text; neighbouring texts are one. */
function plain(pieces: readonly Piece[]): Inline[] {
  const all: Inline[] = []
  for (const one of pieces) {
    const piece = isRun(one) ? one.mark.repeat(one.count) : one
    const before = all.at(-1)
    if (typeof piece === 'string' && typeof before === 'string') all[all.length - 1] = before + piece
    else if (piece !== '') all.push(piece)
  }
  return all
}

function isRun(piece: Piece | undefined): piece is Run {
  return typeof piece === 'object' && 'mark' in piece
}

function isPunctuation(character: string): boolean {
  return /[\p{P}\p{S}]/u.test(character)
}

function closing(text: string, from: number, mark: string): number {
  for (const found of text.slice(from).matchAll(/`+/g)) if (found[0].length === mark.length) return from + found.index
  return -1
}

/** Without what ends a sentence rather than an address. */
function withoutTail(address: string): string {
  let all = address
  while (true) {
    const next = all.replace(/[?!.,:*_~'"“”‘’;]+$/, '').replace(/&[a-z\d]+;$/i, '')
    const unbalanced = next.endsWith(')') && next.split(')').length > next.split('(').length
    const less = unbalanced ? next.slice(0, -1) : next
    if (less === all) return all
    all = less
  }
}
