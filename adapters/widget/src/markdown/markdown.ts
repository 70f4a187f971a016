import type { Messages } from '../i18n'
import { type Block, blocksOf } from './blocks'
import { nodesOf, type Shape } from './nodes'
import { patch } from './patch'

/** A line that may become several things: it is shown when the next characters tell. */
const UNDECIDED = /^[ \t>]*(?:[-=*+_#`~|:][-=*+_#`~|: \t]*|\d{1,9}[.)]?)?$/

/**
 * Shows Markdown in an element while it grows.
 *
 * Only what may still change is parsed and compared again: the last block. What is shown in the end
 * depends on the text alone, not on how it came.
 */
export class Markdown {
  #text = ''
  /** Where the part of the text begins that may change, and what it is shown as. */
  #offset = 0
  #open: readonly Shape[] = []
  #live = true

  constructor(
    readonly element: Element,
    private readonly messages: Messages,
  ) {}

  get text(): string {
    return this.#text
  }

  /** @param live More is going to come. */
  set(text: string, live: boolean): void {
    if (text === this.#text && live === this.#live) return
    if (!text.startsWith(this.#text)) this.#reset()
    this.#text = text
    this.#live = live
    const tail = text.slice(this.#offset)
    const shapes = nodesOf(live ? shown(blocksOf(settled(tail))) : blocksOf(tail), this.messages, live)
    patch(this.element, this.#open, shapes)
    this.#open = shapes
    if (live) this.#fix(tail)
  }

  #reset(): void {
    this.#offset = 0
    this.#open = []
    this.element.replaceChildren()
  }

  /** What stands before the last block of the whole lines can't change any more. */
  #fix(tail: string): void {
    const whole = tail.slice(0, tail.lastIndexOf('\n') + 1)
    const blocks = whole ? blocksOf(whole) : []
    const line = blocks.at(-1)?.line ?? 0
    if (line === 0) return
    const lines = tail.split('\n').slice(0, line)
    this.#offset += lines.reduce((sum, one) => sum + one.length + 1, 0)
    this.#open = this.#open.slice(blocks.length - 1)
  }
}

function settled(text: string): string {
  const begin = text.lastIndexOf('\n') + 1
  return UNDECIDED.test(text.slice(begin)) ? text.slice(0, begin) : text
}

/** The head of a table is not shown as a paragraph while its second line is being written. */
function shown(blocks: Block[]): Block[] {
  const last = blocks.at(-1)
  if (last?.type !== 'paragraph') return blocks
  const begin = last.text.lastIndexOf('\n') + 1
  if (last.text[begin] !== '|') return blocks
  const text = last.text.slice(0, Math.max(0, begin - 1))
  return [...blocks.slice(0, -1), ...(text ? [{ ...last, text }] : [])]
}
