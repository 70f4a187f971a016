/**
 * Markdown's blocks (CommonMark and GFM's tables and task lists), without raw HTML, reference
 * definitions and loose lists: those would change text that is on the screen already.
 */

export type Align = '' | 'left' | 'center' | 'right'

export interface Item {
  /** Of a task list. */
  done: boolean | null
  blocks: Block[]
}

export type Block = { line: number } & (
  | { type: 'paragraph'; text: string }
  | { type: 'heading'; level: number; text: string }
  | { type: 'code'; language: string; text: string }
  | { type: 'quote'; blocks: Block[] }
  | { type: 'list'; ordered: boolean; start: number; items: Item[] }
  | { type: 'table'; align: Align[]; head: string[]; rows: string[][] }
  | { type: 'rule' }
)

const BLANK = /^[ \t]*$/
const FENCE = /^( {0,3})(`{3,}(?=[^`]*$)|~{3,})(.*)$/
const HEADING = /^ {0,3}(#{1,6})(?![^ \t])(.*)$/
const RULE = /^ {0,3}([-*_])[ \t]*(?:\1[ \t]*){2,}$/
const UNDERLINE = /^ {0,3}(=+|-+)[ \t]*$/
const QUOTE = /^ {0,3}> ?/
const BULLET = /^( *)([-*+]|\d{1,9}[.)])(?:([ \t]+)(.*))?$/
const DELIMITERS = /^\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?$/
const TASK = /^\[([ xX])\] (?=.*\S)/
/** Deeper than anybody writes; keeps hostile text from exhausting the stack. */
const DEEPEST = 12

export function blocksOf(text: string): Block[] {
  const written = text.split('\n').map((line) => (line.endsWith('\r') ? line.slice(0, -1) : line))
  return parse(written.map(untabbed), 0, written)
}

/** @param written The lines with their tabs, which code keeps; those inside of other blocks have lost them. */
function parse(lines: readonly string[], depth: number, written = lines): Block[] {
  const blocks: Block[] = []
  let at = 0
  while (at < lines.length) {
    const line = lines[at] ?? ''
    if (BLANK.test(line)) {
      at += 1
      continue
    }
    const [block, next] = blockAt(lines, at, depth, written)
    blocks.push(block)
    at = next
  }
  return blocks
}

function blockAt(lines: readonly string[], at: number, depth: number, written: readonly string[]): [Block, number] {
  const line = lines[at] ?? ''
  const fence = FENCE.exec(line)
  if (fence) return fenced(fence[1] ? lines : written, at, fence)
  if (indent(line) >= 4) return indented(lines, at)
  const heading = HEADING.exec(line)
  if (heading) return [{ line: at, type: 'heading', level: heading[1]?.length ?? 1, text: title(heading[2]) }, at + 1]
  if (RULE.test(line)) return [{ line: at, type: 'rule' }, at + 1]
  if (depth < DEEPEST) {
    if (QUOTE.test(line)) return quoted(lines, at, depth)
    if (BULLET.test(line)) return listed(lines, at, depth)
  }
  if (tableAt(lines, at)) return tabled(lines, at)
  return paragraph(lines, at)
}

/** A heading's text without the marks that may end it. */
function title(text = ''): string {
  const trimmed = text.trim()
  let end = trimmed.length
  while (trimmed[end - 1] === '#') end -= 1
  return end === 0 || /[ \t]/.test(trimmed[end - 1] ?? '') ? trimmed.slice(0, end).trimEnd() : trimmed
}

function fenced(lines: readonly string[], at: number, fence: RegExpExecArray): [Block, number] {
  const [, margin = '', mark = '', info = ''] = fence
  const end = new RegExp(`^ {0,3}${mark[0]}{${mark.length},}[ \\t]*$`)
  const inside: string[] = []
  let next = at + 1
  while (next < lines.length && !end.test(lines[next] ?? '')) {
    inside.push(outdented(lines[next] ?? '', margin.length))
    next += 1
  }
  const language = info.trim().split(/[\s{,]/, 1)[0] ?? ''
  return [{ line: at, type: 'code', language, text: inside.join('\n') }, next + 1]
}

function indented(lines: readonly string[], at: number): [Block, number] {
  const inside: string[] = []
  let next = at
  while (next < lines.length && (indent(lines[next] ?? '') >= 4 || BLANK.test(lines[next] ?? ''))) {
    inside.push(outdented(lines[next] ?? '', 4))
    next += 1
  }
  return [{ line: at, type: 'code', language: '', text: inside.join('\n').trimEnd() }, next]
}

function quoted(lines: readonly string[], at: number, depth: number): [Block, number] {
  const inside: string[] = []
  let next = at
  let lazy = false
  while (next < lines.length) {
    const line = lines[next] ?? ''
    if (QUOTE.test(line)) {
      inside.push(line.replace(QUOTE, ''))
      lazy = isProse(inside, inside.length - 1)
    } else if (lazy && isProse(lines, next)) {
      inside.push(line)
    } else {
      break
    }
    next += 1
  }
  return [{ line: at, type: 'quote', blocks: parse(inside, depth + 1) }, next]
}

function listed(lines: readonly string[], at: number, depth: number): [Block, number] {
  const first = bullet(lines[at] ?? '')
  const items: Item[] = []
  let next = at
  while (next < lines.length) {
    const mark = bullet(lines[next] ?? '')
    if (!mark || mark.sign !== first?.sign || mark.indent > 3 || RULE.test(lines[next] ?? '')) break
    const [inside, after] = itemLines(lines, next, mark)
    items.push(item(inside, depth))
    next = after
  }
  const ordered = first !== null && first.number >= 0
  return [{ line: at, type: 'list', ordered, start: ordered ? first.number : 1, items }, next]
}

function item(inside: string[], depth: number): Item {
  const task = TASK.exec(inside[0] ?? '')
  if (task) inside[0] = (inside[0] ?? '').slice(4)
  return { done: task ? task[1] !== ' ' : null, blocks: parse(inside, depth + 1) }
}

/** The lines of one item without its margin, and where the next thing begins. */
function itemLines(lines: readonly string[], at: number, mark: Mark): [string[], number] {
  let margin = mark.margin
  const inside = [mark.rest]
  let next = at + 1
  while (next < lines.length) {
    const line = lines[next] ?? ''
    const depth = indent(line)
    if (BLANK.test(line)) {
      // An item that begins with nothing ends there.
      if (inside.length === 1 && mark.rest === '') break
      inside.push('')
    } else if (depth >= margin) {
      inside.push(outdented(line, margin))
    } else if (depth >= mark.indent + 2 && bullet(line)) {
      // Two spaces are what most people and models put under "1."; CommonMark wants three.
      margin = depth
      inside.push(outdented(line, margin))
    } else if (inside.at(-1) !== '' && !bullet(line) && isProse(lines, next)) {
      inside.push(line.trimStart())
    } else {
      break
    }
    next += 1
  }
  return [inside, next]
}

function tabled(lines: readonly string[], at: number): [Block, number] {
  const head = cells(lines[at] ?? '')
  const align = cells(lines[at + 1] ?? '').map(alignment)
  const rows: string[][] = []
  let next = at + 2
  while (next < lines.length && !BLANK.test(lines[next] ?? '') && !begins(lines, next)) {
    const row = cells(lines[next] ?? '')
    rows.push(head.map((_, column) => row[column] ?? ''))
    next += 1
  }
  return [{ line: at, type: 'table', align, head, rows }, next]
}

function paragraph(lines: readonly string[], at: number): [Block, number] {
  const inside = [(lines[at] ?? '').trimStart()]
  let next = at + 1
  while (next < lines.length) {
    const line = lines[next] ?? ''
    const underline = UNDERLINE.exec(line)
    if (underline) {
      const level = underline[1]?.startsWith('=') ? 1 : 2
      return [{ line: at, type: 'heading', level, text: inside.join('\n').trimEnd() }, next + 1]
    }
    if (!isProse(lines, next) || tableAt(lines, next)) break
    inside.push(line.trimStart())
    next += 1
  }
  return [{ line: at, type: 'paragraph', text: inside.join('\n').trimEnd() }, next]
}

/** Whether a line goes on with a paragraph. */
function isProse(lines: readonly string[], at: number): boolean {
  return !BLANK.test(lines[at] ?? '') && !begins(lines, at)
}

/** Whether a line begins a block even right after a paragraph. */
function begins(lines: readonly string[], at: number): boolean {
  const line = lines[at] ?? ''
  if (indent(line) >= 4) return false
  if (FENCE.test(line) || HEADING.test(line) || RULE.test(line) || QUOTE.test(line)) return true
  const mark = bullet(line)
  return mark !== null && mark.rest !== '' && (mark.number === 1 || mark.number === -1)
}

function tableAt(lines: readonly string[], at: number): boolean {
  const head = lines[at] ?? ''
  const next = lines[at + 1] ?? ''
  return (
    head.includes('|') &&
    /[|:]/.test(next) &&
    DELIMITERS.test(next.trim()) &&
    cells(head).length === cells(next).length
  )
}

function cells(line: string): string[] {
  const row = line.trim().replace(/^\|/, '').replace(/(^|[^\\])\|$/, '$1')
  return row.split(/(?<!\\)\|/).map((cell) => cell.trim().replace(/\\\|/g, '|'))
}

function alignment(cell: string): Align {
  const left = cell.startsWith(':')
  const right = cell.endsWith(':')
  return left && right ? 'center' : right ? 'right' : left ? 'left' : ''
}

interface Mark {
  indent: number
  sign: string
  /** -1 of a bullet. */
  number: number
  margin: number
  rest: string
}

function bullet(line: string): Mark | null {
  const found = BULLET.exec(line)
  if (!found) return null
  const [, before = '', sign = '', gap = '', text = ''] = found
  const number = /\d/.test(sign) ? parseInt(sign, 10) : -1
  const wide = gap.length > 4 || gap.includes('\t') || text === ''
  return {
    indent: before.length,
    sign: sign.at(-1) ?? '',
    number,
    margin: before.length + sign.length + (wide ? 1 : gap.length),
    rest: wide && gap ? gap.slice(1) + text : text,
  }
}

function indent(line: string): number {
  return line.length - line.trimStart().length
}

function outdented(line: string, by: number): string {
  return line.slice(Math.min(by, indent(line)))
}

/** Tabs at the beginning as spaces, to the next multiple of four. */
function untabbed(line: string): string {
  const margin = /^[ \t]*/.exec(line)?.[0] ?? ''
  if (!margin.includes('\t')) return line
  let spaces = ''
  for (const one of margin) spaces += one === '\t' ? ' '.repeat(4 - (spaces.length % 4)) : ' '
  return spaces + line.slice(margin.length)
}
