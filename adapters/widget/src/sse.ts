/** Server-sent events out of bytes, however they are cut (WHATWG HTML, 9.2.6). */

export interface SseEvent {
  name: string
  data: string
  /** The last id that was said, in this event or before. */
  id: string
}

export class SseParser {
  readonly #decoder = new TextDecoder()
  #rest = ''
  #afterReturn = false
  #data: string[] = []
  #name = ''
  #id: string

  constructor(lastId = '') {
    this.#id = lastId
  }

  /** The events that these bytes complete. */
  push(bytes: Uint8Array): SseEvent[] {
    let text = this.#decoder.decode(bytes, { stream: true })
    // A line feed right after a carriage return belongs to it, also when the cut is between them.
    if (this.#afterReturn && text.startsWith('\n')) text = text.slice(1)
    if (text) this.#afterReturn = text.endsWith('\r')
    const lines = (this.#rest + text).split(/\r\n|\r|\n/)
    this.#rest = lines.pop() ?? ''
    const events: SseEvent[] = []
    for (const line of lines) {
      const event = this.#line(line)
      if (event) events.push(event)
    }
    return events
  }

  #line(line: string): SseEvent | null {
    if (line === '') return this.#dispatch()
    const colon = line.indexOf(':')
    if (colon === 0) return null
    const field = colon < 0 ? line : line.slice(0, colon)
    const value = colon < 0 ? '' : line.slice(line[colon + 1] === ' ' ? colon + 2 : colon + 1)
    if (field === 'event') this.#name = value
    else if (field === 'data') this.#data.push(value)
    else if (field === 'id' && !value.includes('\0')) this.#id = value
    return null
  }

  #dispatch(): SseEvent | null {
    const event = { name: this.#name || 'message', data: this.#data.join('\n'), id: this.#id }
    const empty = this.#data.length === 0
    this.#name = ''
    this.#data = []
    return empty ? null : event
  }
}
