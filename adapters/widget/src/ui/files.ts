import { bytes, type Locale } from '../i18n'
import type { FileInfo } from '../protocol'
import { h } from './dom'
import { icon } from './icons'

/** The files of a message: pictures to be seen, others to be fetched. Each keeps its node. */
export class Files {
  readonly element = h('div', { class: 'files', part: 'files', hidden: true })
  #shown: readonly FileInfo[] = []
  readonly #nodes = new Map<string, HTMLElement>()

  constructor(
    private readonly locale: Locale,
    private readonly address: (url: string) => string | null,
  ) {}

  update(files: readonly FileInfo[]): void {
    if (files === this.#shown) return
    this.#shown = files
    this.element.hidden = files.length === 0
    const nodes = files.map((file) => {
      const node = this.#nodes.get(file.id) ?? this.#node(file)
      this.#nodes.set(file.id, node)
      return node
    })
    if (nodes.some((node, index) => this.element.children[index] !== node) || this.element.children.length > nodes.length)
      this.element.replaceChildren(...nodes)
  }

  #node(file: FileInfo): HTMLElement {
    const address = this.address(file.url)
    if (!address) return chip(file, this.locale, null)
    if (!/^image\/(?!svg)/.test(file.type)) return chip(file, this.locale, address)
    const image = h('img', { crossorigin: 'anonymous', alt: file.name, loading: 'lazy', decoding: 'async' })
    const link = h('a', { class: 'picture', ...leading(address) }, image)
    // An address is good for a day; a page may be open for longer.
    image.addEventListener('error', () => link.replaceWith(chip(file, this.locale, address)))
    image.src = address
    return link
  }
}

function chip(file: FileInfo, locale: Locale, address: string | null): HTMLElement {
  const content = [
    icon('file'),
    h('span', { class: 'name' }, file.name),
    h('span', { class: 'size' }, bytes(file.size, locale.language)),
  ]
  return address ? h('a', { class: 'file', ...leading(address) }, ...content) : h('span', { class: 'file' }, ...content)
}

function leading(href: string): Record<string, string> {
  return { href, target: '_blank', rel: 'noopener noreferrer nofollow' }
}
