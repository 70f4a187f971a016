import { bytes, format } from '../i18n'
import type { FileInfo } from '../protocol'
import { type Attachment, attachment, kept, type Objection, objection, refused } from '../uploads'
import type { Context } from './context'
import { h } from './dom'
import { icon } from './icons'

/** The files that go with the next message. Each is brought to the server as soon as it is chosen. */
export class Tray {
  readonly element = h('div', { class: 'tray', part: 'tray', hidden: true })
  readonly #items = new Map<Attachment, HTMLElement>()

  constructor(
    private readonly context: Context,
    private readonly object: (sentence: string) => void,
    private readonly changed: () => void,
  ) {}

  get attachments(): readonly Attachment[] {
    return [...this.#items.keys()].filter((one) => one.state !== 'failed')
  }

  get empty(): boolean {
    return this.#items.size === 0
  }

  get uploading(): boolean {
    return [...this.#items.keys()].some((one) => one.state === 'uploading')
  }

  async add(files: readonly File[]): Promise<void> {
    const { limits } = await this.context.conversation.begin()
    for (const file of files) {
      const wrong = objection(file, limits, this.#items.size)
      if (wrong) this.object(this.#sentence(wrong))
      else void this.#upload(attachment(file))
    }
  }

  /** Shows what a message had that is edited. */
  show(files: readonly FileInfo[]): void {
    this.clear()
    const session = this.context.conversation.session?.session ?? ''
    for (const file of files) this.#place(kept(file, session))
  }

  clear(): void {
    this.#items.clear()
    this.#drawn()
  }

  async #upload(one: Attachment): Promise<void> {
    this.#place(one)
    try {
      await this.context.conversation.upload(one)
      one.state = 'ready'
    } catch (error) {
      one.state = 'failed'
      const wrong = refused(one.name, error)
      if (this.#items.has(one)) this.object(wrong ? this.#sentence(wrong) : (error as Error).message)
    }
    if (!this.#items.has(one)) return
    if (one.state === 'failed') this.#items.delete(one)
    else this.#items.get(one)?.classList.remove('uploading')
    this.#drawn()
  }

  #place(one: Attachment): void {
    const { messages, language } = this.context.locale
    const remove = h(
      'button',
      {
        type: 'button',
        class: 'tool',
        part: 'remove',
        'aria-label': format(messages.remove, { name: one.name }),
        click: () => {
          this.#items.delete(one)
          this.#drawn()
        },
      },
      icon('close'),
    )
    const item = h(
      'div',
      { class: `item ${one.state}`, part: 'attachment' },
      h('span', { class: 'thumb' }, icon('file')),
      h('span', { class: 'name', title: one.name }, one.name),
      h('span', { class: 'size' }, bytes(one.size, language)),
      remove,
    )
    if (one.file) void preview(one.file, item.querySelector('.thumb'))
    this.#items.set(one, item)
    this.#drawn()
  }

  #drawn(): void {
    this.element.replaceChildren(...this.#items.values())
    this.element.hidden = this.empty
    this.changed()
  }

  #sentence({ key, name, limit }: Objection): string {
    const { messages, language } = this.context.locale
    return format(messages[key], { name, count: limit, size: bytes(limit, language) })
  }
}

const THUMB = 80

/** Draws a picture; a canvas needs no address that a strict policy would refuse. */
async function preview(file: File, into: Element | null): Promise<void> {
  if (!into || !/^image\/(?!svg)/.test(file.type)) return
  try {
    const image = await createImageBitmap(file)
    const side = Math.min(image.width, image.height)
    const canvas = h('canvas', { width: THUMB, height: THUMB, 'aria-hidden': 'true' })
    const [left, top] = [(image.width - side) / 2, (image.height - side) / 2]
    canvas.getContext('2d')?.drawImage(image, left, top, side, side, 0, 0, THUMB, THUMB)
    image.close()
    into.replaceChildren(canvas)
  } catch {
    // Not a picture that this browser knows: the sign of a file stays.
  }
}
