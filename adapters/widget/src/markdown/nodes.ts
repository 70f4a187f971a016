/** What a reply may be made of, as plain values: no other element and attribute is ever created. */

import type { Messages } from '../i18n'
import type { Block, Item } from './blocks'
import { type Inline, inlinesOf } from './inline'

const TAGS = [
  'p', 'h3', 'blockquote', 'ul', 'ol', 'li', 'hr', 'div', 'pre', 'code', 'span', 'button',
  'table', 'thead', 'tbody', 'tr', 'th', 'td', 'strong', 'em', 'del', 'a', 'br',
] as const // prettier-ignore
const ATTRIBUTES = [
  'class', 'href', 'target', 'rel', 'start', 'type', 'part', 'data-part', 'tabindex', 'dir', 'scope',
] as const // prettier-ignore

export type Tag = (typeof TAGS)[number]
export type Attributes = { readonly [name in (typeof ATTRIBUTES)[number]]?: string }
export interface Shape {
  readonly tag: Tag
  readonly attributes: Attributes
  readonly children: readonly Child[]
}
export type Child = string | Shape

export const ALLOWED_TAGS: ReadonlySet<string> = new Set(TAGS)
export const ALLOWED_ATTRIBUTES: ReadonlySet<string> = new Set(ATTRIBUTES)

const NOTHING: Attributes = {}

/** @param live The last block is being written. */
export function nodesOf(blocks: readonly Block[], messages: Messages, live: boolean): Shape[] {
  return blocks.map((block, index) => node(block, messages, live && index === blocks.length - 1))
}

function node(block: Block, messages: Messages, live: boolean): Shape {
  switch (block.type) {
    case 'paragraph':
      return make('p', NOTHING, inlines(block.text, live))
    case 'heading':
      // One level for all: a reply must not tear a hole in the page's outline.
      return make('h3', { class: `level-${block.level}` }, inlines(block.text, live))
    case 'rule':
      return make('hr', NOTHING, [])
    case 'quote':
      return make('blockquote', NOTHING, nodesOf(block.blocks, messages, live))
    case 'code':
      return code(block.language, block.text, messages)
    case 'list': {
      const attributes = block.ordered && block.start !== 1 ? { start: String(block.start) } : NOTHING
      const items = block.items.map((one, index) => item(one, messages, live && index === block.items.length - 1))
      return make(block.ordered ? 'ol' : 'ul', attributes, items)
    }
    case 'table': {
      const cell = (tag: 'th' | 'td', text: string, column: number): Shape => {
        const align = block.align[column]
        const scope: Attributes = tag === 'th' ? { scope: 'col' } : NOTHING
        return make(tag, align ? { ...scope, class: align } : scope, inlines(text, false))
      }
      const head = make('tr', NOTHING, block.head.map((text, column) => cell('th', text, column)))
      const rows = block.rows.map((row) => make('tr', NOTHING, row.map((text, column) => cell('td', text, column))))
      const table = make('table', NOTHING, [make('thead', NOTHING, [head]), make('tbody', NOTHING, rows)])
      return make('div', { class: 'table', tabindex: '0' }, [table])
    }
  }
}

/** A paragraph that begins an item stands in it without an element of its own. */
function item({ done, blocks }: Item, messages: Messages, live: boolean): Shape {
  const [first, ...others] = blocks
  const box = done === null ? [] : [make('span', { class: 'tick' }, [done ? '☑ ' : '☐ '])]
  const attributes = done === null ? NOTHING : { class: 'task' }
  if (first?.type !== 'paragraph') return make('li', attributes, [...box, ...nodesOf(blocks, messages, live)])
  const text = inlines(first.text, live && others.length === 0)
  return make('li', attributes, [...box, ...text, ...nodesOf(others, messages, live)])
}

function code(language: string, text: string, messages: Messages): Shape {
  const copy = make('button', { type: 'button', class: 'copy', part: 'copy', 'data-part': 'copy' }, [messages.copy])
  return make('div', { class: 'code', dir: 'ltr' }, [
    make('div', { class: 'bar' }, [make('span', { class: 'language' }, language ? [language] : []), copy]),
    make('pre', { tabindex: '0' }, [make('code', NOTHING, text ? [text] : [])]),
  ])
}

function inlines(text: string, live: boolean): Child[] {
  return inlinesOf(text, live).map(inline)
}

function inline(one: Inline): Child {
  if (typeof one === 'string') return one
  const attributes: Attributes =
    one.tag === 'a'
      ? { href: one.href ?? '', target: '_blank', rel: 'noopener noreferrer nofollow' }
      : one.tag === 'code'
        ? { dir: 'ltr' }
        : NOTHING
  return make(one.tag, attributes, one.children.map(inline))
}

function make(tag: Tag, attributes: Attributes, children: readonly Child[]): Shape {
  return { tag, attributes, children }
}
